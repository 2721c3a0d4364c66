/* params: what is bound for each Erlang term, and what is said of those that cannot be. */
#include "codec/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "vectors.h"

#define TEXT(t)                                                                                    \
    {                                                                                              \
        .type = ELFS_TEXT, .bytes = {(const uint8_t *)(t), sizeof(t) - 1 }                         \
    }
#define BLOB(t)                                                                                    \
    {                                                                                              \
        .type = ELFS_BLOB, .bytes = {(const uint8_t *)(t), sizeof(t) - 1 }                         \
    }
#define INTEGER(n)                                                                                 \
    { .type = ELFS_INTEGER, .integer = (n) }

static struct elfs_view load(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "params/%s.etf", name);
    return vector_load(path);
}

static struct elfs_view term_of(struct elfs_view bytes) {
    return (struct elfs_view){bytes.data + 1, bytes.len - 1};
}

static void assert_value(const struct elfs_value *value, const struct elfs_value *expected) {
    assert_int_equal(value->type, expected->type);
    switch (value->type) {
    case ELFS_NULL: break;
    case ELFS_INTEGER: assert_true(value->integer == expected->integer); break;
    case ELFS_REAL: assert_true(value->real == expected->real); break;
    case ELFS_TEXT:
    case ELFS_BLOB:
        assert_non_null(value->bytes.data);
        assert_true(elfs_view_equal(value->bytes, expected->bytes));
        break;
    }
}

static void every_type(void **state) {
    (void)state;
    const struct elfs_value expected[] = {
        INTEGER(1),     INTEGER(-1),        INTEGER(INT64_MAX),  {.type = ELFS_REAL, .real = 2.5},
        TEXT("text"),   TEXT("\0\xFF"),     {.type = ELFS_NULL}, {.type = ELFS_NULL},
        INTEGER(1),     INTEGER(0),         TEXT("an_atom"),     TEXT("null"),
        BLOB("\1\2"),   BLOB("abc"),        TEXT("string"),      TEXT(""),
        TEXT("iodata"), TEXT("2026-11-24"), TEXT("-12.50"),
    };
    const size_t count = sizeof expected / sizeof *expected;
    struct elfs_view bytes = load("every_type");
    struct elfs_arena arena;
    struct elfs_params params;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_OK);
    assert_false(params.named);
    assert_int_equal(params.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(params.items[i].name.len, 0);
        assert_value(&params.items[i].value, &expected[i]);
    }
    elfs_arena_fini(&arena);
    exact_free(bytes);
}

/* The bytes of a binary stay where they are. */
static void nothing_is_copied_that_need_not_be(void **state) {
    (void)state;
    struct elfs_view bytes = load("every_type");
    struct elfs_arena arena;
    struct elfs_params params;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_OK);
    static const size_t in_place[] = {4, 5, 10, 11, 12, 14};
    for (size_t i = 0; i < sizeof in_place / sizeof *in_place; i++) {
        const uint8_t *data = params.items[in_place[i]].value.bytes.data;
        assert_in_range((uintptr_t)data, (uintptr_t)bytes.data, (uintptr_t)bytes.data + bytes.len);
    }
    elfs_arena_fini(&arena);
    exact_free(bytes);
}

/* A list of small integers comes as STRING_EXT. */
static void a_list_of_bytes(void **state) {
    (void)state;
    static const int64_t expected[] = {1, 2, 255};
    struct elfs_view bytes = load("bytes");
    struct elfs_arena arena;
    struct elfs_params params;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_OK);
    assert_int_equal(params.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(params.items[i].value.type, ELFS_INTEGER);
        assert_true(params.items[i].value.integer == expected[i]);
    }
    elfs_arena_fini(&arena);
    exact_free(bytes);
}

static void empty_ones(void **state) {
    (void)state;
    static const char *const names[] = {"empty", "empty_map"};
    for (size_t i = 0; i < 2; i++) {
        struct elfs_view bytes = load(names[i]);
        struct elfs_arena arena;
        struct elfs_params params = {.count = 9};
        elfs_arena_init(&arena);
        assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_OK);
        assert_int_equal(params.count, 0);
        assert_int_equal(params.named, i == 1);
        elfs_arena_fini(&arena);
        exact_free(bytes);
    }
}

static void named(void **state) {
    (void)state;
    static const struct {
        const char *name;
        struct elfs_value value;
    } expected[] = {{"a", INTEGER(1)}, {"b", TEXT("two")}, {"Δ", INTEGER(3)}};
    struct elfs_view bytes = load("named");
    struct elfs_arena arena;
    struct elfs_params params;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_OK);
    assert_true(params.named);
    assert_int_equal(params.count, 3);
    for (size_t i = 0; i < 3; i++) {
        size_t found = 0;
        for (size_t k = 0; k < 3; k++) {
            if (!elfs_view_is(params.items[k].name, expected[i].name)) continue;
            assert_value(&params.items[k].value, &expected[i].value);
            found++;
        }
        assert_int_equal(found, 1);
    }
    elfs_arena_fini(&arena);
    exact_free(bytes);
}

static void what_cannot_be_bound(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *message; /* its start */
    } table[] = {
        {"named_twice", "parameter a: given twice"},
        {"bad_name", "a parameter's name is an atom or a binary"},
        {"bad_named_value", "parameter who: a pid"},
        {"bad_integer", "parameter 2: the integer does not fit 64 bits"},
        {"bad_tuple", "parameter 1: no tuple but {blob, Iodata}"},
        {"bad_tuple_3", "parameter 1: no tuple but {blob, Iodata}"},
        {"bad_blob", "parameter 1: the list is not iodata"},
        {"bad_map", "parameter 1: no map but"},
        {"bad_struct", "parameter 1: no map but"},
        {"bad_pid", "parameter 1: a pid"},
        {"bad_ref", "parameter 1: a reference"},
        {"bad_port", "parameter 1: a port"},
        {"bad_fun", "parameter 1: a function"},
        {"bad_export", "parameter 1: a function"},
        {"bad_bits", "parameter 1: a bitstring"},
        {"bad_list", "parameter 1: the list is not iodata"},
        {"bad_list_300", "parameter 1: the list is not iodata"},
        {"bad_list_tail", "parameter 1: the list is not iodata"},
        {"bad_list_float", "parameter 1: the list is not iodata"},
        {"bad_date", "parameter 2: the struct's day is missing or out of range"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view bytes = load(table[i].name);
        struct elfs_arena arena;
        struct elfs_params params;
        struct elfs_error err;
        elfs_arena_init(&arena);
        enum elfs_code code = elfs_params_of_term(term_of(bytes), &arena, &params, &err);
        if (code != ELFS_INVALID_PARAMETER) fail_msg("%s: code %d", table[i].name, (int)code);
        assert_int_equal(err.code, code);
        if (strncmp(err.message, table[i].message, strlen(table[i].message)) != 0)
            fail_msg("%s: %s", table[i].name, err.message);
        elfs_arena_fini(&arena);
        exact_free(bytes);
    }
}

static void neither_list_nor_map_is_badarg(void **state) {
    (void)state;
    static const char *const names[] = {"params/improper.etf", "terms/atom_ok.etf",
                                        "terms/binary_hello.etf", "terms/int_0.etf",
                                        "terms/tuple_2.etf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct elfs_view bytes = vector_load(names[i]);
        struct elfs_arena arena;
        struct elfs_params params;
        elfs_arena_init(&arena);
        assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_BADARG);
        elfs_arena_fini(&arena);
        exact_free(bytes);
    }
}

static void names_that_are_no_plain_text_are_told_by_number(void **state) {
    (void)state;
    /* #{<<255>> => {}} */
    static const uint8_t map[] = {116, 0, 0, 0, 1, 109, 0, 0, 0, 1, 255, 104, 0};
    struct elfs_arena arena;
    struct elfs_params params;
    struct elfs_error err;
    elfs_arena_init(&arena);
    assert_int_equal(
        elfs_params_of_term((struct elfs_view){map, sizeof map}, &arena, &params, &err),
        ELFS_INVALID_PARAMETER);
    assert_memory_equal(err.message, "parameter 1: ", 13);
    elfs_arena_fini(&arena);
}

/* A list of so many empty lists: TEXT of no bytes each. */
static enum elfs_code take_many(size_t count) {
    uint8_t *term = malloc(count + 6);
    memset(term, 106, count + 6);
    term[0] = 108;
    for (size_t i = 0; i < 4; i++) term[1 + i] = (uint8_t)(count >> (24 - 8 * i));
    struct elfs_arena arena;
    struct elfs_params params;
    struct elfs_error err;
    elfs_arena_init(&arena);
    enum elfs_code code =
        elfs_params_of_term((struct elfs_view){term, count + 6}, &arena, &params, &err);
    elfs_arena_fini(&arena);
    free(term);
    return code;
}

static void more_than_sqlite_takes(void **state) {
    (void)state;
    assert_int_equal(take_many(ELFS_PARAMS_MAX), ELFS_OK);
    assert_int_equal(take_many(ELFS_PARAMS_MAX + 1), ELFS_INVALID_PARAMETER);
}

static void deep_iodata(void **state) {
    (void)state;
    struct elfs_view bytes = load("deep_iodata");
    struct elfs_arena arena;
    struct elfs_params params;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_params_of_term(term_of(bytes), &arena, &params, NULL), ELFS_OK);
    assert_int_equal(params.items[0].value.bytes.len, 100);
    assert_memory_equal(params.items[0].value.bytes.data, "1234567890123", 13);
    elfs_arena_fini(&arena);
    exact_free(bytes);
}

/* [[..[[], []]..]], each level one element and a nil: no stack of ours or the machine's is enough
 * if it is bounded, and a peer chooses the depth. */
static void iodata_of_any_depth(void **state) {
    (void)state;
    const size_t depth = 1 << 20, size = depth * 6 + 1;
    uint8_t *term = malloc(size);
    for (size_t i = 0; i < depth; i++) memcpy(term + 5 * i, "l\0\0\0\1", 5);
    memset(term + 5 * depth, 106, depth + 1);
    struct elfs_arena arena;
    struct elfs_view bytes;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_iodata_of_term((struct elfs_view){term, size}, &arena, &bytes), ELFS_OK);
    assert_int_equal(bytes.len, 0);
    elfs_arena_fini(&arena);
    free(term);
}

/* Each prefix on a block of its exact size: it fails, and nothing is read past it. */
static void refuse(struct elfs_view prefix) {
    struct elfs_arena arena;
    struct elfs_params params;
    struct elfs_view bytes;
    elfs_arena_init(&arena);
    assert_int_not_equal(elfs_params_of_term(prefix, &arena, &params, NULL), ELFS_OK);
    elfs_iodata_of_term(prefix, &arena, &bytes);
    elfs_arena_fini(&arena);
}

static void check_cuts(const char *name, struct elfs_view bytes) {
    (void)name;
    prefixes_each(term_of(bytes), refuse);
}

static void cuts_are_refused(void **state) {
    (void)state;
    vectors_each("params", ".etf", check_cuts);
}

static bool convert(void *arg) {
    const struct elfs_view *term = arg;
    struct elfs_arena arena;
    struct elfs_params params;
    struct elfs_error err;
    elfs_arena_init(&arena);
    enum elfs_code code = elfs_params_of_term(*term, &arena, &params, &err);
    if (code != ELFS_OK) {
        assert_int_equal(code, ELFS_NOMEM);
        assert_int_equal(err.code, ELFS_NOMEM);
    }
    elfs_arena_fini(&arena);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const names[] = {"every_type", "named", "deep_iodata"};
    for (size_t i = 0; i < 3; i++) {
        struct elfs_view bytes = load(names[i]), term = term_of(bytes);
        fail_alloc_each(convert, &term);
        exact_free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),
        cmocka_unit_test(nothing_is_copied_that_need_not_be),
        cmocka_unit_test(a_list_of_bytes),
        cmocka_unit_test(empty_ones),
        cmocka_unit_test(named),
        cmocka_unit_test(what_cannot_be_bound),
        cmocka_unit_test(neither_list_nor_map_is_badarg),
        cmocka_unit_test(names_that_are_no_plain_text_are_told_by_number),
        cmocka_unit_test(more_than_sqlite_takes),
        cmocka_unit_test(deep_iodata),
        cmocka_unit_test(iodata_of_any_depth),
        cmocka_unit_test(cuts_are_refused),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
