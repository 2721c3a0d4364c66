/* op: the calls of docs/api.md, and what is wrong with those that are not. */
#include "codec/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "vectors.h"

/* A parsed vector. */
struct parsed {
    struct elfs_view bytes;
    struct elfs_view function;
    struct elfs_view args;
    struct elfs_arena arena;
    struct elfs_op op;
    struct elfs_error err;
    enum elfs_code code;
};

/* bytes: {Function, Arguments} with its version */
static void parsed_init(struct parsed *p, struct elfs_view bytes) {
    struct elfs_reader r = elfs_reader_of(bytes);
    size_t arity;
    p->bytes = bytes;
    assert_int_equal(elfs_term_version(&r), ELFS_OK);
    assert_int_equal(elfs_term_tuple(&r, &arity), ELFS_OK);
    assert_int_equal(elfs_term_atom(&r, &p->function), ELFS_OK);
    assert_int_equal(elfs_term_skip(&r, &p->args), ELFS_OK);
    elfs_arena_init(&p->arena);
    elfs_error_clear(&p->err);
    p->code = elfs_op_parse(p->function, p->args, &p->arena, &p->op, &p->err);
}

static void load(struct parsed *p, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "ops/%s.etf", name);
    parsed_init(p, vector_load(path));
}

static void load_good(struct parsed *p, const char *name, enum elfs_op_kind kind) {
    load(p, name);
    if (p->code != ELFS_OK) fail_msg("%s: %d %s", name, (int)p->code, p->err.message);
    assert_int_equal(p->op.kind, kind);
    if (kind != ELFS_OP_INFO) assert_true(elfs_view_is(p->op.repo, "MyApp.Repo"));
}

static void done(struct parsed *p) {
    elfs_arena_fini(&p->arena);
    exact_free(p->bytes);
}

static void assert_no_options(const struct elfs_op_options *o) {
    assert_int_equal(o->tx.len, 0);
    assert_int_equal(o->timeout_ms, -1);
    assert_int_equal(o->idle_timeout_ms, -1);
    assert_int_equal(o->total_timeout_ms, -1);
}

static void assert_insert(const struct elfs_op *op) {
    assert_int_equal(op->count, 1);
    assert_true(elfs_view_is(op->statements[0].sql, "INSERT INTO t VALUES (?1, ?2)"));
}

static void query(void **state) {
    (void)state;
    struct parsed p;
    load_good(&p, "query", ELFS_OP_QUERY);
    assert_insert(&p.op);
    const struct elfs_params *params = &p.op.statements[0].params;
    assert_int_equal(params->count, 2);
    assert_false(params->named);
    assert_int_equal(params->items[0].value.integer, 1);
    assert_true(elfs_view_is(params->items[1].value.bytes, "x"));
    assert_no_options(&p.op.options);
    done(&p);

    load_good(&p, "query_iodata", ELFS_OP_QUERY);
    assert_true(elfs_view_is(p.op.statements[0].sql, "SELECT 1"));
    assert_int_equal(p.op.statements[0].params.count, 0);
    done(&p);

    load_good(&p, "query_named", ELFS_OP_QUERY);
    assert_true(p.op.statements[0].params.named);
    done(&p);
}

static void options(void **state) {
    (void)state;
    static const char *const both[] = {"query_opts_map", "query_opts_list"};
    struct parsed p;
    for (size_t i = 0; i < 2; i++) {
        load_good(&p, both[i], ELFS_OP_QUERY);
        assert_insert(&p.op);
        assert_int_equal(p.op.options.timeout_ms, 500);
        assert_int_equal(p.op.options.tx.data[0], 90);
        assert_int_equal(p.op.options.idle_timeout_ms, -1);
        done(&p);
    }
    static const char *const none[] = {"query_opts_none", "query_opts_empty"};
    for (size_t i = 0; i < 2; i++) {
        load_good(&p, none[i], ELFS_OP_QUERY);
        assert_no_options(&p.op.options);
        done(&p);
    }
    load_good(&p, "query_opts_twice", ELFS_OP_QUERY);
    assert_int_equal(p.op.options.timeout_ms, 1);
    done(&p);
    load_good(&p, "query_timeout_huge", ELFS_OP_QUERY);
    assert_true(p.op.options.timeout_ms == INT64_MAX);
    done(&p);
    load_good(&p, "begin_opts", ELFS_OP_BEGIN);
    assert_int_equal(p.op.options.idle_timeout_ms, 1);
    assert_int_equal(p.op.options.total_timeout_ms, 60000);
    assert_int_equal(p.op.options.timeout_ms, -1);
    done(&p);
}

static void query_many(void **state) {
    (void)state;
    struct parsed p;
    load_good(&p, "query_many", ELFS_OP_QUERY_MANY);
    assert_insert(&p.op);
    assert_int_equal(p.op.set_count, 3);
    assert_int_equal(p.op.sets[0].items[1].value.integer, 2);
    assert_true(elfs_view_is(p.op.sets[1].items[1].value.bytes, "b"));
    assert_int_equal(p.op.sets[2].items[0].value.type, ELFS_NULL);
    done(&p);
    load_good(&p, "query_many_empty", ELFS_OP_QUERY_MANY);
    assert_int_equal(p.op.set_count, 0);
    done(&p);
}

static void transaction(void **state) {
    (void)state;
    struct parsed p;
    load_good(&p, "transaction", ELFS_OP_TRANSACTION);
    assert_int_equal(p.op.count, 3);
    assert_true(elfs_view_is(p.op.statements[1].sql, "DELETE FROM t"));
    assert_int_equal(p.op.statements[1].params.count, 0);
    assert_true(p.op.statements[2].params.named);
    assert_int_equal(p.op.options.timeout_ms, 9);
    done(&p);
}

static void the_others(void **state) {
    (void)state;
    struct parsed p;
    load_good(&p, "begin", ELFS_OP_BEGIN);
    assert_no_options(&p.op.options);
    done(&p);
    load_good(&p, "commit", ELFS_OP_COMMIT);
    assert_int_equal(p.op.tx.data[0], 90);
    done(&p);
    load_good(&p, "rollback", ELFS_OP_ROLLBACK);
    assert_int_equal(p.op.tx.data[0], 90);
    done(&p);
    load_good(&p, "info", ELFS_OP_INFO);
    done(&p);
}

/* The vectors' names say what they must give. */
static void check_refusal(const char *name, struct elfs_view bytes) {
    static const struct {
        const char *prefix;
        enum elfs_code code;
    } table[] = {
        {"undef_", ELFS_UNDEF},
        {"badarg_", ELFS_BADARG},
        {"param_", ELFS_INVALID_PARAMETER},
        {"option_", ELFS_INVALID_OPTION},
    };
    enum elfs_code expected = ELFS_OK;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strncmp(name, table[i].prefix, strlen(table[i].prefix)) == 0) expected = table[i].code;
    }
    struct parsed p;
    parsed_init(&p, bytes);
    if (p.code != expected) fail_msg("%s: code %d", name, (int)p.code);
    bool told = expected == ELFS_INVALID_PARAMETER || expected == ELFS_INVALID_OPTION;
    if (told) assert_int_equal(p.err.code, expected);
    elfs_arena_fini(&p.arena);
}

static void refusals(void **state) {
    (void)state;
    vectors_each("ops", ".etf", check_refusal);
}

static void messages(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *message;
        size_t index;
    } table[] = {
        {"param_query", "parameter 2: a pid cannot be bound", 0},
        {"param_many", "parameter 2: no tuple but {blob, Iodata} can be bound", 2},
        {"param_transaction", "parameter a: no tuple but {blob, Iodata} can be bound", 2},
        {"option_unknown", "unknown option: retries", 0},
        {"option_of_begin", "unknown option: idle_timeout", 0},
        {"option_timeout_0",
         "the option timeout takes milliseconds, an integer from 1 on, or infinity", 0},
        {"option_total",
         "the option total_timeout takes milliseconds, an integer from 1 on, or infinity", 0},
        {"option_tx", "the option tx takes what 'begin' returned", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct parsed p;
        load(&p, table[i].name);
        assert_string_equal(p.err.message, table[i].message);
        assert_int_equal(p.op.failed_index, table[i].index);
        done(&p);
    }
}

/* query_many(<<>>, <<>>, List) where List holds count empty sets, one byte each. */
static enum elfs_code parse_many(size_t count, size_t *cost) {
    static const uint8_t head[] = {108, 0, 0, 0, 3, 109, 0, 0, 0, 0, 109, 0, 0, 0, 0, 108};
    size_t size = sizeof head + 4 + count + 2;
    uint8_t *term = malloc(size);
    memset(term, 106, size);
    memcpy(term, head, sizeof head);
    for (size_t i = 0; i < 4; i++) term[sizeof head + i] = (uint8_t)(count >> (24 - 8 * i));
    struct elfs_arena arena;
    struct elfs_op op;
    struct elfs_error err;
    elfs_arena_init(&arena);
    enum elfs_code code = elfs_op_parse(elfs_view_str("query_many"), (struct elfs_view){term, size},
                                        &arena, &op, &err);
    *cost = arena.total;
    elfs_arena_fini(&arena);
    free(term);
    return code;
}

static void memory_has_a_limit(void **state) {
    (void)state;
    size_t cost;
    assert_int_equal(parse_many(ELFS_OP_PARAMS_MAX, &cost), ELFS_OK);
    assert_int_equal(parse_many(ELFS_OP_PARAMS_MAX + 1, &cost), ELFS_INVALID_PARAMETER);
    assert_in_range(cost, 0, 4096);
    assert_int_equal(parse_many(16 << 20, &cost), ELFS_INVALID_PARAMETER);
    assert_in_range(cost, 0, 4096);
}

static struct elfs_view function_of_cuts;

static void refuse_cut(struct elfs_view prefix) {
    struct elfs_arena arena;
    struct elfs_op op;
    struct elfs_error err;
    elfs_arena_init(&arena);
    assert_int_not_equal(elfs_op_parse(function_of_cuts, prefix, &arena, &op, &err), ELFS_OK);
    elfs_arena_fini(&arena);
}

static void check_cuts(const char *name, struct elfs_view bytes) {
    (void)name;
    struct parsed p;
    parsed_init(&p, bytes);
    elfs_arena_fini(&p.arena);
    function_of_cuts = p.function;
    prefixes_each(p.args, refuse_cut);
}

static void cuts_are_refused(void **state) {
    (void)state;
    vectors_each("ops", ".etf", check_cuts);
}

static bool parse(void *arg) {
    const struct parsed *p = arg;
    struct elfs_arena arena;
    struct elfs_op op;
    struct elfs_error err;
    elfs_arena_init(&arena);
    enum elfs_code code = elfs_op_parse(p->function, p->args, &arena, &op, &err);
    if (code != ELFS_OK) {
        assert_int_equal(code, ELFS_NOMEM);
        assert_int_equal(err.code, ELFS_NOMEM);
    }
    elfs_arena_fini(&arena);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const names[] = {"query_iodata", "query_named", "query_many", "transaction"};
    for (size_t i = 0; i < 4; i++) {
        struct parsed p;
        load(&p, names[i]);
        fail_alloc_each(parse, &p);
        done(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query),
        cmocka_unit_test(options),
        cmocka_unit_test(query_many),
        cmocka_unit_test(transaction),
        cmocka_unit_test(the_others),
        cmocka_unit_test(refusals),
        cmocka_unit_test(messages),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(cuts_are_refused),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
