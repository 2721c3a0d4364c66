/* ecto: every vector of ecto/, with each allocation failing in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ecto/answer.h"
#include "ecto/peek.h"
#include "fail_alloc.h"
#include "vectors.h"

static const struct elfs_ecto_column *columns(size_t *count) {
    static const char *const names[] = {"id",  "name",  "email",  "inserted_at", "updated_at",
                                        "day", "price", "tags",   "prefs",       "kind",
                                        "at",  "score", "device", "active"};
    static struct elfs_ecto_column made[sizeof names / sizeof *names];
    *count = sizeof names / sizeof *names;
    for (size_t i = 0; i < *count; i++)
        made[i] = (struct elfs_ecto_column){.name = elfs_view_str(names[i]),
                                            .type = elfs_view_str(i ? "TEXT" : "INTEGER"),
                                            .pk = i == 0};
    return made;
}

static bool fill(void *arg, uint8_t bytes[16]) {
    (void)arg;
    memset(bytes, 1, 16);
    return true;
}

enum database { DB_ROW, DB_NO_ROW, DB_UNIQUE, DB_OTHER };

struct scenario {
    struct elfs_view call; /* {Function, Args} or {Function, Args, Answers} */
    enum database database;
};

/* The returned row: an integer for each field, which suits some types and makes others raise. */
static enum elfs_code push(struct elfs_result *result, enum database database) {
    static const char *const names[] = {"id"};
    struct elfs_sink *sink = &result->sink;
    struct elfs_value one = {.type = ELFS_INTEGER, .integer = 1};
    struct elfs_summary summary = {
        .has_columns = true, .num_rows = database == DB_ROW, .changes = database == DB_ROW};
    enum elfs_code code = sink->columns(sink, 1, names);
    if (code == ELFS_OK && database == DB_ROW) code = sink->row(sink, 1);
    if (code == ELFS_OK && database == DB_ROW) code = sink->value(sink, &one);
    return code == ELFS_OK ? sink->done(sink, &summary) : code;
}

static enum elfs_code answer(const struct scenario *s, const struct elfs_ecto_plan *plan,
                             struct elfs_arena *arena) {
    struct elfs_error unique, other;
    struct elfs_result result;
    struct elfs_buf buf;
    struct elfs_ecto_outcome outcome = {0};
    bool raised;
    enum elfs_code code = ELFS_OK;
    elfs_result_init(&result, 1 << 20);
    elfs_buf_init(&buf, 1 << 20);
    elfs_fail(&unique, ELFS_SQLITE, "UNIQUE constraint failed: users.email");
    elfs_fail(&other, ELFS_SQLITE, "disk I/O error");
    if (plan->run && s->database == DB_UNIQUE) outcome.error = &unique;
    if (plan->run && s->database == DB_OTHER) outcome.error = &other;
    if (plan->run && !outcome.error) {
        code = push(&result, s->database);
        outcome.result = &result;
    }
    if (code == ELFS_OK) code = elfs_ecto_answer(plan, &outcome, arena, &buf, &raised);
    assert_true(code == ELFS_OK ? buf.len > 0 : buf.len == 0);
    elfs_buf_fini(&buf);
    elfs_result_fini(&result);
    return code;
}

static enum elfs_code read_schema(struct elfs_view term, struct elfs_arena *arena,
                                  struct elfs_ecto_schema *schema) {
    struct elfs_ecto_answers answers = {0};
    struct elfs_ecto_list list;
    assert_true(elfs_ecto_list_begin(term, &list));
    for (size_t i = 0; i < ELFS_ECTO_QUERY_COUNT; i++)
        assert_true(elfs_ecto_list_next(&list, &answers.at[i]));
    enum elfs_code code = elfs_ecto_schema_read(&answers, arena, schema);
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    return code;
}

/* True unless memory was short: a refusal is a success here. */
static bool served(void *arg) {
    const struct scenario *s = arg;
    struct elfs_ecto_table table = {.rowid_key = true};
    struct elfs_ecto_env env = {.table = &table, .now_us = 1, .random = fill};
    struct elfs_view e[3] = {0};
    struct elfs_ecto_call call;
    struct elfs_ecto_resource resource;
    struct elfs_ecto_schema schema;
    struct elfs_ecto_plan plan;
    struct elfs_arena arena;
    struct elfs_error err;
    enum elfs_code code = ELFS_OK;
    table.columns = columns(&table.count);
    elfs_arena_init(&arena);
    assert_true(elfs_ecto_tuple(s->call, 3, e) || elfs_ecto_tuple(s->call, 2, e));
    assert_int_equal(
        elfs_ecto_call_of_repo(elfs_view_str("Elixir.R"), elfs_ecto_atom(e[0]), e[1], &call),
        ELFS_OK);
    if (e[2].len > 0) {
        code = read_schema(e[2], &arena, &schema);
        env.schema = &schema;
    }
    if (code == ELFS_OK) code = elfs_ecto_resource_read(&call, &arena, &resource, &err);
    if (code == ELFS_OK) code = elfs_ecto_plan_make(&call, &resource, &env, &arena, &plan, &err);
    if (code == ELFS_OK) code = answer(s, &plan, &arena);
    elfs_arena_fini(&arena);
    return code != ELFS_NOMEM;
}

static void check(const char *name, struct elfs_view bytes) {
    struct scenario s = {.call = {bytes.data + 1, bytes.len - 1}};
    (void)name;
    for (int database = DB_ROW; database <= DB_OTHER; database++) {
        s.database = (enum database)database;
        fail_alloc_each(served, &s);
    }
}

static void survives_failing_allocations(void **state) {
    (void)state;
    vectors_each("ecto", ".etf", check);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("ecto_memory", tests, NULL, NULL);
}
