/* ecto: calls that real Ecto has answered, with its clock, its ids and its database's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "ecto/answer.h"
#include "ecto/peek.h"
#include "term_text.h"
#include "vectors.h"

#define COLUMNS_MAX 32
#define MAP_HEADER 5

enum { FUNCTION, ARGS, SCHEMA, NOW, RANDOM, OUTCOME, RAISED, REPLY, PARTS };

struct real {
    struct elfs_view at[PARTS];
    struct elfs_view schema_file;
    struct elfs_ecto_schema schema;
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

static void read_schema(struct real *real) {
    struct elfs_view both[2], name = elfs_ecto_atom(real->at[SCHEMA]);
    struct elfs_ecto_answers answers;
    struct elfs_ecto_list list;
    char path[128];
    snprintf(path, sizeof path, "ecto-3.13/schema_%.*s.etf", ELFS_VIEW_ARGS(name));
    real->schema_file = vector_load(path);
    assert_true(elfs_ecto_tuple(unversioned(real->schema_file), 2, both));
    assert_true(elfs_ecto_list_begin(both[0], &list));
    for (size_t i = 0; i < ELFS_ECTO_QUERY_COUNT; i++)
        assert_true(elfs_ecto_list_next(&list, &answers.at[i]));
    assert_int_equal(elfs_ecto_schema_read(&answers, &real->arena, &real->schema), ELFS_OK);
    read_columns(real, both[1]);
}

static bool recorded_bytes(void *arg, uint8_t bytes[16]) {
    const struct real *real = arg;
    memcpy(bytes, elfs_ecto_binary(real->at[RANDOM]).data, 16);
    return true;
}

/* The result's one slice: the pairs of the recorded map. */
static void replay(struct elfs_result *result, struct elfs_view map) {
    elfs_buf_append(&result->bytes, map.data + MAP_HEADER, map.len - MAP_HEADER);
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

static void check(const char *name, struct elfs_view bytes) {
    struct real real = {0};
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
    assert_true(elfs_ecto_tuple(unversioned(bytes), PARTS, real.at));
    read_schema(&real);
    struct elfs_ecto_env env = {.table = &real.table,
                                .schema = &real.schema,
                                .now_us = integer(real.at[NOW]),
                                .random = recorded_bytes,
                                .arg = &real};
    enum elfs_code code = elfs_ecto_call_of_repo(
        elfs_view_str("Elixir.D.Repo"), elfs_ecto_atom(real.at[FUNCTION]), real.at[ARGS], &call);
    if (code == ELFS_OK) code = elfs_ecto_resource_read(&call, &real.arena, &resource, &err);
    if (code == ELFS_OK)
        code = elfs_ecto_plan_make(&call, &resource, &env, &real.arena, &plan, &err);
    if (code == ELFS_OK) code = answer(&real, &plan, &buf, &raised);
    if (code != ELFS_OK) fail_msg("%s: %s %s", name, elfs_code_name(code), err.message);
    if (raised != integer(real.at[RAISED])) fail_msg("%s: raised or not", name);
    compare(name, (struct elfs_view){buf.data, buf.len}, real.at[REPLY]);
    elfs_buf_fini(&buf);
    elfs_arena_fini(&real.arena);
    exact_free(real.schema_file);
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
