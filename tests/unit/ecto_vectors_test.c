/* ecto: what a real EctoLiteFS 1.0 replica sent, and what its BEAM primary answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/put.h"
#include "ecto_run.h"
#include "ecto_terms.h"
#include "fail_alloc.h"
#include "term_text.h"
#include "vectors.h"

#define SECOND 1000000

static const char insert_sql[] = "INSERT INTO \"users\" (\"email\",\"name\",\"inserted_at\","
                                 "\"updated_at\") VALUES (?1,?2,?3,?4) RETURNING \"id\"";

/* rows and changes: what the database says; NULL sql: nothing is run. later_us: after 21:05:41. */
static const struct vector {
    const char *name;
    int64_t later_us;
    const char *sql;
    const char *params;
    const char *rows;
} vectors[] = {
    {"insert", 0, insert_sql, "'ada@example.com','Ada','2026-11-24T21:05:41','2026-11-24T21:05:41'",
     "1"},
    {"insert_bang", 0, insert_sql,
     "'bob@example.com','Bob','2026-11-24T21:05:41','2026-11-24T21:05:41'", "2"},
    {"insert_or_update_changeset_built", 0, insert_sql,
     "'c','C','2026-11-24T21:05:41','2026-11-24T21:05:41'", "3"},
    {"transaction", SECOND, insert_sql, "'t','T','2026-11-24T21:05:42','2026-11-24T21:05:42'", "5"},
    {"update", 0, "UPDATE \"users\" SET \"name\" = ?, \"updated_at\" = ? WHERE \"id\" = ?",
     "'Ada Lovelace','2026-11-24T21:05:41',1", NULL},
    {"delete", 0, "DELETE FROM \"users\" WHERE \"id\" = ?", "1", NULL},
    {"delete_bang", 0, "DELETE FROM \"users\" WHERE \"id\" = ?", "2", NULL},
    {"update_bang_changeset_no_changes", 0, NULL, NULL, NULL},
    {"insert_invalid", 0, NULL, NULL, NULL},
    {"insert_bang_invalid", 0, NULL, NULL, NULL},
};

#define VECTOR_COUNT (sizeof vectors / sizeof *vectors)

static struct elfs_view load(const char *name, const char *suffix) {
    char path[128];
    snprintf(path, sizeof path, "ectolitefs-1.0/%s.%s.etf", name, suffix);
    return vector_load(path);
}

static void drive(struct ecto_run *run, const struct vector *v) {
    if (v->sql) {
        assert_plan(run, v->sql, v->params);
        ecto_done(run, v->rows, 1);
    } else {
        ecto_settled(run);
    }
    assert_int_equal(run->code, ELFS_OK);
}

/* The reply of a raise is {'RAISED', error, ErlangError}, whose original is {exception, Reason,
 * Stack}; that of the transaction is {ok, Reply}. */
static void compare(const struct ecto_run *run, const struct vector *v, struct elfs_view reply) {
    char *got = term_print((struct elfs_view){run->buf.data, run->buf.len});
    char *want = term_print((struct elfs_view){reply.data + 1, reply.len - 1});
    bool raises = strncmp(want, "{'RAISED',error,", 16) == 0;
    bool inside = raises || strcmp(v->name, "transaction") == 0;
    assert_int_equal(run->raised, raises);
    if (inside ? !strstr(want, got) : strcmp(want, got) != 0)
        fail_msg("%s:\n     got: %s\nexpected: %s", v->name, got, want);
    (free)(got);
    (free)(want);
}

static void closures_are_answered(void **state) {
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        const struct vector *v = &vectors[i];
        struct elfs_view fun = load(v->name, "fun"), reply = load(v->name, "reply");
        struct ecto_run run;
        ecto_init(&run, ecto_users);
        run.now_us += v->later_us;
        ecto_plan_closure(&run, fun);
        if (run.code != ELFS_OK) fail_msg("%s: %s", v->name, run.err.message);
        assert_true(elfs_view_is(run.call.module, "Elixir.Peer.MRepo"));
        assert_true(elfs_view_is(run.call.repo, "Peer.MRepo"));
        drive(&run, v);
        compare(&run, v, reply);
        ecto_fini(&run);
        exact_free(fun);
        exact_free(reply);
    }
}

static void every_vector_is_in_the_table(const char *name, struct elfs_view bytes) {
    (void)bytes;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        if (strcmp(vectors[i].name, name) == 0) return;
    }
    fail_msg("%s is not tested", name);
}

static void all_vectors(void **state) {
    (void)state;
    vectors_each("ectolitefs-1.0", ".fun.etf", every_vector_is_in_the_table);
}

/* What erlang:apply is called with, but for one change in the closure. */
static enum elfs_code recognise(struct elfs_view fun) {
    struct ecto_run run;
    ecto_init(&run, ecto_users);
    ecto_plan_closure(&run, fun);
    enum elfs_code code = run.code;
    ecto_fini(&run);
    return code;
}

/* Changes the first place of these bytes; the same length. */
static void replace(struct elfs_view fun, const char *old, const char *new) {
    size_t n = strlen(old);
    uint8_t *bytes = (uint8_t *)(uintptr_t)fun.data;
    for (size_t i = 0; i + n <= fun.len; i++) {
        if (memcmp(bytes + i, old, n) != 0) continue;
        memcpy(bytes + i, new, n);
        return;
    }
    fail_msg("no %s", old);
}

static void replace_all(struct elfs_view fun, const char *old, const char *new) {
    size_t n = strlen(old);
    uint8_t *bytes = (uint8_t *)(uintptr_t)fun.data;
    for (size_t i = 0; i + n <= fun.len; i++) {
        if (memcmp(bytes + i, old, n) == 0) memcpy(bytes + i, new, n);
    }
}

static void any_build_of_the_closure_is_taken(void **state) {
    (void)state;
    struct elfs_view fun = load("insert", "fun");
    /* Uniq, Index; arity and the number of free variables stay */
    memset((uint8_t *)(uintptr_t)fun.data + 7, 0xAA, 16);
    memset((uint8_t *)(uintptr_t)fun.data + 23, 1, 4);
    assert_int_equal(recognise(fun), ELFS_OK);
    exact_free(fun);
}

static void another_closure_is_undef(void **state) {
    (void)state;
    struct elfs_view fun = load("insert", "fun");
    ((uint8_t *)(uintptr_t)fun.data)[6] = 1; /* arity */
    assert_int_equal(recognise(fun), ELFS_UNDEF);
    exact_free(fun);
    static const char *const changes[][2] = {
        {"Elixir.EctoLiteFS.Middleware", "Elixir.EctoLiteFS.Middlewarf"},
        {"Elixir.EctoMiddleware.Resolution", "Elixir.EctoMiddleware.Resolutiom"},
        {"action", "actiom"},
        {"repo", "repa"},
        {"args", "argz"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        fun = load("insert", "fun");
        replace(fun, changes[i][0], changes[i][1]);
        assert_int_equal(recognise(fun), ELFS_UNDEF);
        exact_free(fun);
    }
    /* no struct but the resolution: the resource is not to be found */
    fun = load("insert", "fun");
    replace_all(fun, "Elixir.Peer.User", "Elixir.EctoMid.U");
    assert_int_equal(recognise(fun), ELFS_OK);
    exact_free(fun);
}

#define RESOLUTION(action)                                                                         \
    "#{'__struct__' => 'Elixir.EctoMiddleware.Resolution', repo => 'Elixir.My.Repo', action "      \
    "=> " action ", args => [x, []]}"

/* A closure of EctoLiteFS's module with these free variables. */
static struct elfs_view make_fun(const char *const *variables, size_t count) {
    static const uint8_t pid[] = {88, 119, 1, 'n', 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 16);
    elfs_buf_put_u8(&buf, 131);
    elfs_buf_put_u8(&buf, 112);
    size_t mark = buf.len;
    for (size_t i = 0; i < 25; i++) elfs_buf_put_u8(&buf, 0); /* Size, Arity, Uniq, Index */
    elfs_buf_put_be32(&buf, (uint32_t)count);
    elfs_put_atom(&buf, "Elixir.EctoLiteFS.Middleware");
    elfs_put_int64(&buf, 1);
    elfs_put_int64(&buf, 2);
    elfs_buf_append(&buf, pid, sizeof pid);
    for (size_t i = 0; i < count; i++) {
        struct elfs_view term = term_parse(variables[i]);
        elfs_buf_append_view(&buf, term);
        exact_free(term);
    }
    elfs_buf_patch_be32(&buf, mark, (uint32_t)(buf.len - mark));
    struct elfs_view fun = exact_copy((struct elfs_view){buf.data, buf.len});
    elfs_buf_fini(&buf);
    return fun;
}

static void free_variables(void **state) {
    (void)state;
    static const char user[] = USER("built", "id => 1");
    static const struct {
        const char *variables[4];
        size_t count;
        enum elfs_code code;
    } table[] = {
        {{"super", user, RESOLUTION("insert")}, 3, ELFS_OK},
        {{RESOLUTION("insert"), user, "super"}, 3, ELFS_OK},
        {{user, user, RESOLUTION("insert")}, 3, ELFS_UNDEF},
        {{"super", user, RESOLUTION("insert_all")}, 3, ELFS_UNDEF},
        {{"super", user, RESOLUTION("get")}, 3, ELFS_UNDEF},
        {{"super", RESOLUTION("insert"), RESOLUTION("insert")}, 3, ELFS_UNDEF},
        {{user, RESOLUTION("insert")}, 2, ELFS_UNDEF},
        {{"super", user, RESOLUTION("insert"), "more"}, 4, ELFS_UNDEF},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view fun = make_fun(table[i].variables, table[i].count);
        assert_int_equal(recognise(fun), table[i].code);
        exact_free(fun);
    }
}

static void a_prefix_is_never_taken(struct elfs_view prefix) {
    struct ecto_run run;
    if (prefix.len < 1) return;
    ecto_init(&run, ecto_users);
    /* a reader of unchecked bytes, as no caller is: it must still stay inside them */
    run.code =
        elfs_ecto_call_of_apply((struct elfs_view){prefix.data + 1, prefix.len - 1}, &run.call);
    assert_int_equal(run.code, ELFS_UNDEF);
    ecto_fini(&run);
}

/* [Fun | [[]]] cut off anywhere. */
static void truncations(void **state) {
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct elfs_view fun = load(vectors[i].name, "fun");
        uint8_t *list = (malloc)(fun.len + 5 + 2);
        static const uint8_t head[] = {131, 108, 0, 0, 0, 2};
        memcpy(list, head, sizeof head);
        memcpy(list + sizeof head, fun.data + 1, fun.len - 1);
        list[sizeof head + fun.len - 1] = 106;
        prefixes_each((struct elfs_view){list, sizeof head + fun.len}, a_prefix_is_never_taken);
        (free)(list);
        exact_free(fun);
    }
}

struct scenario {
    const struct vector *v;
    struct elfs_view args;
};

/* Without asserts on what fails. */
static bool answered(void *arg) {
    const struct scenario *s = arg;
    struct elfs_ecto_call call;
    struct elfs_ecto_resource resource;
    struct elfs_ecto_plan plan;
    struct elfs_arena arena;
    struct elfs_buf buf;
    struct elfs_result result;
    struct elfs_error err;
    struct ecto_run table;
    bool raised;
    ecto_init(&table, ecto_users);
    struct elfs_ecto_env env = {.table = &table.table, .now_us = table.now_us};
    elfs_arena_init(&arena);
    elfs_buf_init(&buf, 1 << 20);
    elfs_result_init(&result, 1 << 20);
    enum elfs_code code = elfs_ecto_call_of_apply(s->args, &call);
    if (code == ELFS_OK) code = elfs_ecto_resource_read(&call, &arena, &resource, &err);
    if (code == ELFS_OK) code = elfs_ecto_plan_make(&call, &resource, &env, &arena, &plan, &err);
    if (code == ELFS_OK && plan.run) {
        static const char *const names[] = {"id"};
        struct elfs_summary summary = {.has_columns = s->v->rows, .num_rows = 1, .changes = 1};
        struct elfs_value id = {.type = ELFS_INTEGER, .integer = 1};
        struct elfs_sink *sink = &result.sink;
        if (s->v->rows) code = sink->columns(sink, 1, names);
        if (s->v->rows && code == ELFS_OK) code = sink->row(sink, 1);
        if (s->v->rows && code == ELFS_OK) code = sink->value(sink, &id);
        if (code == ELFS_OK) code = sink->done(sink, &summary);
    }
    if (code == ELFS_OK) {
        struct elfs_ecto_outcome outcome = {.result = plan.run ? &result : NULL};
        code = elfs_ecto_answer(&plan, &outcome, &arena, &buf, &raised);
    }
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    if (code != ELFS_OK) assert_int_equal(buf.len, 0);
    elfs_result_fini(&result);
    elfs_buf_fini(&buf);
    elfs_arena_fini(&arena);
    ecto_fini(&table);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct elfs_view fun = load(vectors[i].name, "fun");
        struct ecto_run run;
        ecto_init(&run, ecto_users);
        ecto_plan_closure(&run, fun);
        struct scenario s = {&vectors[i], run.args};
        fail_alloc_each(answered, &s);
        ecto_fini(&run);
        exact_free(fun);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closures_are_answered),
        cmocka_unit_test(all_vectors),
        cmocka_unit_test(any_build_of_the_closure_is_taken),
        cmocka_unit_test(another_closure_is_undef),
        cmocka_unit_test(free_variables),
        cmocka_unit_test(truncations),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("ecto_vectors", tests, NULL, NULL);
}
