/* ecto: calls that real Ecto has answered, with its clock, its ids and its database's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "codec/put.h"
#include "ecto/answer.h"
#include "ecto/peek.h"
#include "term_text.h"
#include "vectors.h"

#define COLUMNS_MAX 32
#define MAP_HEADER 5

enum { FUNCTION, ARGS, SCHEMA, NOW, RANDOM, OUTCOME, RAISED, REPLY, STATEMENT, PARTS };

#define EMBEDDED_MAX 4

/* A schema as a file has it. */
struct known {
    struct elfs_view module; /* without its "Elixir.D." */
    struct elfs_view file;
    struct elfs_ecto_schema schema;
};

struct real {
    struct elfs_view at[PARTS]; /* STATEMENT is empty where the vector has none */
    struct known main;
    struct known embedded[EMBEDDED_MAX];
    size_t embedded_count;
    struct elfs_ecto_column columns[COLUMNS_MAX];
    struct elfs_ecto_table table;
    struct elfs_arena arena;
};

static int64_t integer(struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    int64_t value = 0;
    assert_int_equal(elfs_term_int64(&r, &value), ELFS_OK);
    return value;
}

static struct elfs_view unversioned(struct elfs_view bytes) {
    return (struct elfs_view){bytes.data + 1, bytes.len - 1};
}

static void read_columns(struct real *real, struct elfs_view term) {
    struct elfs_ecto_list list;
    struct elfs_view item, e[3];
    int keys = 0;
    assert_true(elfs_ecto_list_begin(term, &list));
    while (elfs_ecto_list_next(&list, &item)) {
        assert_true(real->table.count < COLUMNS_MAX && elfs_ecto_tuple(item, 3, e));
        struct elfs_ecto_column *column = &real->columns[real->table.count++];
        column->name = elfs_ecto_binary(e[0]);
        column->type = elfs_ecto_binary(e[1]);
        column->pk = (int)integer(e[2]);
        keys += column->pk > 0;
    }
    real->table.columns = real->columns;
    real->table.rowid_key =
        keys == 1 && real->columns[0].pk == 1 && elfs_view_is(real->columns[0].type, "INTEGER");
}

/* Its columns are the second of `both`. */
static void read_schema(struct real *real, struct elfs_view name, struct known *known,
                        struct elfs_view both[2]) {
    struct elfs_ecto_answers answers;
    struct elfs_ecto_list list;
    char path[128];
    known->module = name;
    snprintf(path, sizeof path, "ecto-3.13/schema_%.*s.etf", ELFS_VIEW_ARGS(name));
    known->file = vector_load(path);
    assert_true(elfs_ecto_tuple(unversioned(known->file), 2, both));
    assert_true(elfs_ecto_list_begin(both[0], &list));
    for (size_t i = 0; i < ELFS_ECTO_QUERY_COUNT; i++)
        assert_true(elfs_ecto_list_next(&list, &answers.at[i]));
    assert_int_equal(elfs_ecto_schema_read(&answers, &real->arena, &known->schema), ELFS_OK);
}

static const struct elfs_ecto_schema *find_embedded(void *arg, struct elfs_view module) {
    static const size_t prefix = sizeof "Elixir.D." - 1;
    struct real *real = arg;
    struct elfs_view both[2], name = {module.data + prefix, module.len - prefix};
    for (size_t i = 0; i < real->embedded_count; i++) {
        if (elfs_view_equal(real->embedded[i].module, name)) return &real->embedded[i].schema;
    }
    assert_true(real->embedded_count < EMBEDDED_MAX);
    struct known *known = &real->embedded[real->embedded_count++];
    read_schema(real, name, known, both);
    return &known->schema;
}

static bool recorded_bytes(void *arg, uint8_t bytes[16]) {
    const struct real *real = arg;
    memcpy(bytes, elfs_ecto_binary(real->at[RANDOM]).data, 16);
    return true;
}

/* The result's one slice: the pairs of the recorded map, whose num_rows is Exqlite's: the changes, which the map
 * itself has as 0. */
static void replay(struct elfs_result *result, struct elfs_view map) {
    elfs_buf_append(&result->bytes, map.data + MAP_HEADER, map.len - MAP_HEADER);
    elfs_put_atom(&result->bytes, "changes");
    elfs_buf_append_view(&result->bytes, elfs_ecto_key(map, "num_rows"));
    result->ends = elfs_malloc(sizeof *result->ends);
    assert_non_null(result->ends);
    result->ends[0] = result->bytes.len;
    result->count = result->cap = 1;
}

static enum elfs_code answer(struct real *real, const struct elfs_ecto_plan *plan,
                             struct elfs_buf *buf, bool *raised) {
    struct elfs_view message = elfs_ecto_binary(real->at[OUTCOME]);
    struct elfs_ecto_outcome outcome = {0};
    struct elfs_result result;
    struct elfs_error error;
    elfs_result_init(&result, 1 << 20);
    assert_int_equal(plan->run, !elfs_ecto_is_atom(real->at[OUTCOME], "none"));
    if (message.len > 0) {
        elfs_fail(&error, ELFS_SQLITE, "%.*s", ELFS_VIEW_ARGS(message));
        outcome.error = &error;
    } else if (plan->run) {
        replay(&result, real->at[OUTCOME]);
        outcome.result = &result;
    }
    enum elfs_code code = elfs_ecto_answer(plan, &outcome, &real->arena, buf, raised);
    elfs_result_fini(&result);
    return code;
}

static void compare(const char *name, struct elfs_view term, struct elfs_view reply) {
    char *got = term_print(term), *want = term_print(reply);
    if (strcmp(got, want) != 0) fail_msg("%s:\n     got: %s\nexpected: %s", name, got, want);
    (free)(got);
    (free)(want);
}

/* {Sql, [Value]}: the texts among the values are those that the plan has. */
static void compare_statement(const char *name, const struct elfs_statement *statement,
                              struct elfs_view recorded) {
    struct elfs_view both[2], value;
    struct elfs_ecto_list list;
    size_t i = 0;
    if (!elfs_ecto_tuple(recorded, 2, both)) return;
    assert_true(elfs_ecto_list_begin(both[1], &list));
    while (elfs_ecto_list_next(&list, &value)) {
        if (i == statement->params.count) fail_msg("%s: fewer parameters", name);
        const struct elfs_value *got = &statement->params.items[i++].value;
        if (!elfs_ecto_is(value, ELFS_TERM_BINARY)) continue;
        if (got->type != ELFS_TEXT || !elfs_view_equal(got->bytes, elfs_ecto_binary(value)))
            fail_msg("%s: parameter %zu\n     got: %.*s\nexpected: %.*s", name, i,
                     ELFS_VIEW_ARGS(got->bytes), ELFS_VIEW_ARGS(elfs_ecto_binary(value)));
    }
    assert_int_equal(i, statement->params.count);
}

static void check(const char *name, struct elfs_view bytes) {
    struct real real = {0};
    struct elfs_view both[2];
    struct elfs_ecto_call call;
    struct elfs_ecto_resource resource;
    struct elfs_ecto_plan plan;
    struct elfs_error err;
    struct elfs_buf buf;
    bool raised;
    if (strncmp(name, "schema_", 7) == 0) return;
    elfs_arena_init(&real.arena);
    elfs_buf_init(&buf, 1 << 20);
    elfs_error_clear(&err);
    if (!elfs_ecto_tuple(unversioned(bytes), PARTS, real.at))
        assert_true(elfs_ecto_tuple(unversioned(bytes), STATEMENT, real.at));
    read_schema(&real, elfs_ecto_atom(real.at[SCHEMA]), &real.main, both);
    read_columns(&real, both[1]);
    struct elfs_ecto_env env = {.table = &real.table,
                                .schema = &real.main.schema,
                                .embedded = {find_embedded, &real},
                                .now_us = integer(real.at[NOW]),
                                .random = recorded_bytes,
                                .arg = &real};
    enum elfs_code code = elfs_ecto_call_of_repo(
        elfs_view_str("Elixir.D.Repo"), elfs_ecto_atom(real.at[FUNCTION]), real.at[ARGS], &call);
    if (code == ELFS_OK) code = elfs_ecto_resource_read(&call, &real.arena, &resource, &err);
    if (code == ELFS_OK)
        code = elfs_ecto_plan_make(&call, &resource, &env, &real.arena, &plan, &err);
    if (code == ELFS_OK && plan.set_count == 0)
        compare_statement(name, &plan.statement, real.at[STATEMENT]);
    if (code == ELFS_OK) code = answer(&real, &plan, &buf, &raised);
    if (code != ELFS_OK) fail_msg("%s: %s %s", name, elfs_code_name(code), err.message);
    if (raised != integer(real.at[RAISED])) fail_msg("%s: raised or not", name);
    compare(name, (struct elfs_view){buf.data, buf.len}, real.at[REPLY]);
    elfs_buf_fini(&buf);
    elfs_arena_fini(&real.arena);
    exact_free(real.main.file);
    for (size_t i = 0; i < real.embedded_count; i++) exact_free(real.embedded[i].file);
}

static void answers_as_ecto_does(void **state) {
    (void)state;
    vectors_each("ecto-3.13", ".etf", check);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_ecto_does),
    };
    return cmocka_run_group_tests_name("ecto_real", tests, NULL, NULL);
}
