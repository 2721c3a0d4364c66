/* term: vectors made by term_to_binary, every truncation, and ei as a second opinion. */
#include "codec/term.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ei.h>

#include "vectors.h"

#define BYTES(...)                                                                                 \
    ((struct elfs_view){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})

static struct elfs_view load_term(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "terms/%s.etf", name);
    return vector_load(path);
}

static struct elfs_reader after_version(struct elfs_view bytes) {
    struct elfs_reader r = elfs_reader_of(bytes);
    assert_int_equal(elfs_term_version(&r), ELFS_OK);
    return r;
}

static enum elfs_code skip_whole(struct elfs_view bytes) {
    struct elfs_reader r = elfs_reader_of(bytes);
    enum elfs_code code = elfs_term_version(&r);
    if (code != ELFS_OK) return code;
    const uint8_t *start = r.pos;
    struct elfs_view term = ELFS_VIEW_NONE;
    code = elfs_term_skip(&r, &term);
    if (code != ELFS_OK) {
        assert_ptr_equal(r.pos, start);
        return code;
    }
    assert_int_equal(elfs_reader_left(&r), 0);
    assert_ptr_equal(term.data, start);
    assert_int_equal(term.len, bytes.len - 1);
    return ELFS_OK;
}

static void refuse(struct elfs_view prefix) {
    assert_int_equal(skip_whole(prefix), ELFS_MALFORMED);
}

static void check_skip(const char *name, struct elfs_view bytes) {
    if (skip_whole(bytes) != ELFS_OK) fail_msg("%s is refused", name);
    prefixes_each(bytes, refuse);
}

static void skips_every_term_and_refuses_every_prefix(void **state) {
    (void)state;
    vectors_each("terms", ".etf", check_skip);
    vectors_each("structs", ".etf", check_skip);
    vectors_each("ectolitefs-1.0", ".etf", check_skip);
}

static void check_skip_checked(const char *name, struct elfs_view bytes) {
    struct elfs_reader whole = after_version(bytes), checked = whole;
    struct elfs_view a, b;
    assert_int_equal(elfs_term_skip(&whole, &a), ELFS_OK);
    if (elfs_term_skip_checked(&checked, &b) != ELFS_OK || !elfs_view_equal(a, b))
        fail_msg("%s ends elsewhere", name);
    assert_ptr_equal(whole.pos, checked.pos);
}

static void a_checked_term_ends_where_it_did(void **state) {
    (void)state;
    vectors_each("terms", ".etf", check_skip_checked);
    vectors_each("ectolitefs-1.0", ".etf", check_skip_checked);
}

/* ei reads without bounds, so it only sees whole vectors. */
static void check_against_ei(const char *name, struct elfs_view bytes) {
    int index = 0, version;
    assert_int_equal(ei_decode_version((const char *)bytes.data, &index, &version), 0);
    if (ei_skip_term((const char *)bytes.data, &index) != 0) fail_msg("ei refuses %s", name);
    assert_int_equal(index, bytes.len);
}

static void agrees_with_ei_on_where_terms_end(void **state) {
    (void)state;
    vectors_each("terms", ".etf", check_against_ei);
    vectors_each("ectolitefs-1.0", ".etf", check_against_ei);
}

static void kinds(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum elfs_term_kind kind;
    } table[] = {
        {"int_0", ELFS_TERM_INTEGER},
        {"int_256", ELFS_TERM_INTEGER},
        {"int_over_64", ELFS_TERM_INTEGER},
        {"int_large_big", ELFS_TERM_INTEGER},
        {"float_1_5", ELFS_TERM_FLOAT},
        {"atom_ok", ELFS_TERM_ATOM},
        {"atom_utf8", ELFS_TERM_ATOM},
        {"atom_255_chars", ELFS_TERM_ATOM},
        {"small_atom_latin1", ELFS_TERM_ATOM},
        {"binary_hello", ELFS_TERM_BINARY},
        {"bitstring_3", ELFS_TERM_BITSTRING},
        {"tuple_2", ELFS_TERM_TUPLE},
        {"tuple_300", ELFS_TERM_TUPLE},
        {"list_mixed", ELFS_TERM_LIST},
        {"string", ELFS_TERM_STRING},
        {"nil", ELFS_TERM_NIL},
        {"map_2", ELFS_TERM_MAP},
        {"pid", ELFS_TERM_PID},
        {"old_pid", ELFS_TERM_PID},
        {"port", ELFS_TERM_PORT},
        {"old_port", ELFS_TERM_PORT},
        {"new_port", ELFS_TERM_PORT},
        {"v4_port", ELFS_TERM_PORT},
        {"ref", ELFS_TERM_REF},
        {"old_ref", ELFS_TERM_REF},
        {"new_ref", ELFS_TERM_REF},
        {"fun_env", ELFS_TERM_FUN},
        {"export", ELFS_TERM_EXPORT},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view bytes = load_term(table[i].name);
        struct elfs_reader r = after_version(bytes);
        enum elfs_term_kind kind;
        assert_int_equal(elfs_term_peek(&r, &kind), ELFS_OK);
        if (kind != table[i].kind) fail_msg("%s has kind %d", table[i].name, (int)kind);
        exact_free(bytes);
    }
}

static void integers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum elfs_code code;
        int64_t value;
    } table[] = {
        {"int_0", ELFS_OK, 0},
        {"int_255", ELFS_OK, 255},
        {"int_256", ELFS_OK, 256},
        {"int_minus_1", ELFS_OK, -1},
        {"int_max_32", ELFS_OK, INT32_MAX},
        {"int_min_32", ELFS_OK, INT32_MIN},
        {"int_over_32", ELFS_OK, (int64_t)INT32_MAX + 1},
        {"int_under_32", ELFS_OK, (int64_t)INT32_MIN - 1},
        {"int_max_64", ELFS_OK, INT64_MAX},
        {"int_min_64", ELFS_OK, INT64_MIN},
        {"int_over_64", ELFS_LIMIT, 0},
        {"int_under_64", ELFS_LIMIT, 0},
        {"int_large_big", ELFS_LIMIT, 0},
        {"large_big_small", ELFS_OK, 0x0201},
        {"small_big_padded", ELFS_OK, -5},
        {"float_1_5", ELFS_BADARG, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view bytes = load_term(table[i].name);
        struct elfs_reader r = after_version(bytes);
        const uint8_t *start = r.pos;
        int64_t value = 0;
        enum elfs_code code = elfs_term_int64(&r, &value);
        if (code != table[i].code || value != table[i].value)
            fail_msg("%s: code %d, value %lld", table[i].name, (int)code, (long long)value);
        assert_ptr_equal(r.pos, code == ELFS_OK ? bytes.data + bytes.len : start);
        exact_free(bytes);
    }
}

static void check_magnitude(const char *name, int sign, struct elfs_view expected) {
    struct elfs_view bytes = load_term(name), magnitude;
    struct elfs_reader r = after_version(bytes);
    uint8_t scratch[8];
    int got;
    assert_int_equal(elfs_term_integer(&r, &got, &magnitude, scratch), ELFS_OK);
    assert_int_equal(got, sign);
    assert_true(elfs_view_equal(magnitude, expected));
    exact_free(bytes);
}

static void unsigned_integers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum elfs_code code;
        uint64_t value;
    } table[] = {
        {"int_0", ELFS_OK, 0},
        {"int_255", ELFS_OK, 255},
        {"int_minus_1", ELFS_LIMIT, 0},
        {"int_max_64", ELFS_OK, INT64_MAX},
        {"int_min_64", ELFS_LIMIT, 0},
        {"int_over_64", ELFS_OK, (uint64_t)INT64_MAX + 1},
        {"int_large_big", ELFS_LIMIT, 0},
        {"float_1_5", ELFS_BADARG, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view bytes = load_term(table[i].name);
        struct elfs_reader r = after_version(bytes);
        const uint8_t *start = r.pos;
        uint64_t value = 0;
        enum elfs_code code = elfs_term_uint64(&r, &value);
        if (code != table[i].code || value != table[i].value)
            fail_msg("%s: code %d, value %llu", table[i].name, (int)code,
                     (unsigned long long)value);
        assert_ptr_equal(r.pos, code == ELFS_OK ? bytes.data + bytes.len : start);
        exact_free(bytes);
    }
}

static void magnitudes(void **state) {
    (void)state;
    check_magnitude("int_0", 0, ELFS_VIEW_NONE);
    check_magnitude("int_255", 0, BYTES(255));
    check_magnitude("int_minus_1", 1, BYTES(1));
    check_magnitude("int_min_32", 1, BYTES(0, 0, 0, 0x80));
    check_magnitude("int_over_64", 0, BYTES(0, 0, 0, 0, 0, 0, 0, 0x80));
    check_magnitude("small_big_padded", 1, BYTES(5));
}

static void floats(void **state) {
    (void)state;
    struct elfs_view bytes = load_term("float_max");
    struct elfs_reader r = after_version(bytes);
    double value = 0;
    assert_int_equal(elfs_term_float(&r, &value), ELFS_OK);
    assert_true(value == 1.7976931348623157e308);
    exact_free(bytes);
}

static void refuses_what_no_beam_sends(void **state) {
    (void)state;
    const struct elfs_view bad[] = {
        BYTES(70, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0),        /* infinity */
        BYTES(70, 0xFF, 0xF8, 0, 0, 0, 0, 0, 1),        /* not a number */
        BYTES(99, '1', '.', '0'),                       /* FLOAT_EXT */
        BYTES(80, 0, 0, 0, 1),                          /* compressed */
        BYTES(82, 0),                                   /* a reference into the atom cache */
        BYTES(110, 1, 2, 7),                            /* a sign of 2 */
        BYTES(77, 0, 0, 0, 1, 9, 0xFF),                 /* nine bits in a byte */
        BYTES(77, 0, 0, 0, 1, 0, 0xFF),                 /* no bits of a byte */
        BYTES(77, 0, 0, 0, 0, 3),                       /* bits of no byte */
        BYTES(108, 0xFF, 0xFF, 0xFF, 0xFF, 97, 1, 106), /* a list longer than its bytes */
        BYTES(105, 0xFF, 0xFF, 0xFF, 0xFF, 97, 1),      /* a tuple, likewise */
        BYTES(116, 0x80, 0, 0, 0, 97, 1, 97, 1),        /* 2^31 pairs: 2^32 terms */
        BYTES(116, 0, 0, 0, 2, 106, 106, 106),          /* three terms for two pairs */
        BYTES(104, 2, 104, 3, 106, 106),                /* each count fits, their sum does not */
        BYTES(109, 0xFF, 0xFF, 0xFF, 0xFF, 1),          /* a binary longer than its bytes */
        BYTES(111, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1),       /* a big integer, likewise */
        BYTES(103, 97, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),   /* a pid whose node is no atom */
        BYTES(90, 0, 0, 119, 1, 'a', 0, 0, 0, 0),       /* a reference of no words */
        BYTES(90, 0, 6, 119, 1, 'a', 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
              1, 1, 1, 1, 1, 1, 1),                           /* of six words */
        BYTES(113, 119, 1, 'a', 119, 1, 'b', 98, 0, 0, 0, 0), /* an arity that is not small */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct elfs_view copy = exact_copy(bad[i]);
        struct elfs_reader r = elfs_reader_of(copy);
        if (elfs_term_skip(&r, NULL) != ELFS_MALFORMED) fail_msg("number %zu is taken", i);
        assert_ptr_equal(r.pos, copy.data);
        exact_free(copy);
    }
}

/* The Size field of a closure must say where it ends, whether or not there are bytes behind it. */
static void refuses_a_fun_with_another_size(void **state) {
    (void)state;
    static const char *const names[] = {"fun_0", "fun_env"};
    for (size_t i = 0; i < 2; i++) {
        struct elfs_view fun = load_term(names[i]);
        uint8_t longer[1024] = {0};
        memset(longer, 106, sizeof longer);
        memcpy(longer, fun.data, fun.len);
        size_t size = (size_t)longer[4] << 8 | longer[5];
        assert_int_equal(size, fun.len - 2);
        for (size_t wrong = 0; wrong < size + 9; wrong++) {
            longer[4] = (uint8_t)(wrong >> 8);
            longer[5] = (uint8_t)wrong;
            struct elfs_reader r = elfs_reader_of((struct elfs_view){longer + 1, fun.len + 8});
            enum elfs_code code = elfs_term_skip(&r, NULL);
            assert_int_equal(code, wrong == size ? ELFS_OK : ELFS_MALFORMED);
        }
        exact_free(fun);
    }
}

/* A recursive reader, or one with a stack, would end here. */
static void nesting_costs_nothing(void **state) {
    (void)state;
    const size_t depth = 4 << 20;
    uint8_t *deep = malloc(2 * depth + 1);
    for (size_t i = 0; i < depth; i++) {
        deep[2 * i] = 104;
        deep[2 * i + 1] = 1;
    }
    deep[2 * depth] = 106;
    struct elfs_reader r = elfs_reader_of((struct elfs_view){deep, 2 * depth + 1});
    assert_int_equal(elfs_term_skip(&r, NULL), ELFS_OK);
    assert_int_equal(elfs_reader_left(&r), 0);
    free(deep);
}

static void atoms_and_binaries_are_views(void **state) {
    (void)state;
    struct elfs_view bytes = load_term("atom_utf8"), text;
    struct elfs_reader r = after_version(bytes);
    assert_int_equal(elfs_term_binary(&r, &text), ELFS_BADARG);
    assert_int_equal(elfs_term_atom(&r, &text), ELFS_OK);
    assert_true(elfs_view_is(text, "日本"));
    assert_ptr_equal(text.data + text.len, bytes.data + bytes.len);
    exact_free(bytes);

    bytes = load_term("binary_hello");
    r = after_version(bytes);
    assert_int_equal(elfs_term_atom(&r, &text), ELFS_BADARG);
    assert_int_equal(elfs_term_binary(&r, &text), ELFS_OK);
    assert_true(elfs_view_is(text, "hello"));
    exact_free(bytes);
}

static void headers(void **state) {
    (void)state;
    struct elfs_view bytes = load_term("map_2");
    struct elfs_reader r = after_version(bytes);
    size_t count;
    bool tail;
    assert_int_equal(elfs_term_tuple(&r, &count), ELFS_BADARG);
    assert_int_equal(elfs_term_map(&r, &count), ELFS_OK);
    assert_int_equal(count, 2);
    exact_free(bytes);

    bytes = load_term("list_improper");
    r = after_version(bytes);
    assert_int_equal(elfs_term_list(&r, &count, &tail), ELFS_OK);
    assert_int_equal(count, 2);
    assert_true(tail);
    exact_free(bytes);

    bytes = load_term("nil");
    r = after_version(bytes);
    assert_int_equal(elfs_term_list(&r, &count, &tail), ELFS_OK);
    assert_int_equal(count, 0);
    assert_false(tail);
    assert_int_equal(elfs_reader_left(&r), 0);
    exact_free(bytes);

    bytes = load_term("string");
    r = after_version(bytes);
    struct elfs_view text;
    assert_int_equal(elfs_term_list(&r, &count, &tail), ELFS_BADARG);
    assert_int_equal(elfs_term_string(&r, &text), ELFS_OK);
    assert_true(elfs_view_is(text, "abc"));
    exact_free(bytes);
}

/* A header alone promises that its elements can be there. */
static void headers_whose_elements_cannot_follow(void **state) {
    (void)state;
    size_t count;
    bool tail;
    struct elfs_reader r = elfs_reader_of(BYTES(104, 2, 106, 106));
    assert_int_equal(elfs_term_tuple(&r, &count), ELFS_OK);
    r = elfs_reader_of(BYTES(104, 3, 106, 106));
    assert_int_equal(elfs_term_tuple(&r, &count), ELFS_MALFORMED);
    r = elfs_reader_of(BYTES(108, 0, 0, 0, 1, 106, 106));
    assert_int_equal(elfs_term_list(&r, &count, &tail), ELFS_OK);
    r = elfs_reader_of(BYTES(108, 0, 0, 0, 2, 106, 106));
    assert_int_equal(elfs_term_list(&r, &count, &tail), ELFS_MALFORMED);
    r = elfs_reader_of(BYTES(116, 0, 0, 0, 1, 106, 106));
    assert_int_equal(elfs_term_map(&r, &count), ELFS_OK);
    r = elfs_reader_of(BYTES(116, 0, 0, 0, 2, 106, 106, 106));
    assert_int_equal(elfs_term_map(&r, &count), ELFS_MALFORMED);
}

static void pids_and_refs_are_kept_whole(void **state) {
    (void)state;
    static const char *const refs[] = {"ref", "old_ref", "new_ref", "newer_ref_5"};
    struct elfs_view whole;
    for (size_t i = 0; i < 4; i++) {
        struct elfs_view bytes = load_term(refs[i]);
        struct elfs_reader r = after_version(bytes);
        assert_int_equal(elfs_term_pid(&r, &whole), ELFS_BADARG);
        assert_int_equal(elfs_term_ref(&r, &whole), ELFS_OK);
        assert_int_equal(whole.len, bytes.len - 1);
        exact_free(bytes);
    }
    struct elfs_view bytes = load_term("pid");
    struct elfs_reader r = after_version(bytes);
    assert_int_equal(elfs_term_ref(&r, &whole), ELFS_BADARG);
    assert_int_equal(elfs_term_pid(&r, &whole), ELFS_OK);
    assert_int_equal(whole.len, bytes.len - 1);
    exact_free(bytes);
}

/* Sums the small integers of a list in either encoding. */
static enum elfs_code sum(struct elfs_view bytes, int64_t *total) {
    struct elfs_reader r = after_version(bytes);
    struct elfs_items items;
    enum elfs_code code = elfs_term_items_begin(&r, &items);
    *total = 0;
    while (code == ELFS_OK && items.left > 0) {
        struct elfs_view item;
        int64_t value = 0;
        code = elfs_term_items_next(&r, &items, &item);
        if (code != ELFS_OK) return code;
        struct elfs_reader in = elfs_reader_of(item);
        if (elfs_term_int64(&in, &value) == ELFS_OK) *total += value;
    }
    if (code == ELFS_OK) code = elfs_term_items_end(&r, &items);
    if (code == ELFS_OK) assert_int_equal(elfs_reader_left(&r), 0);
    return code;
}

static void items_in_either_encoding(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum elfs_code code;
        int64_t total;
    } table[] = {
        {"nil", ELFS_OK, 0},         {"string", ELFS_OK, 'a' + 'b' + 'c'},
        {"list_256", ELFS_OK, 256},  {"list_mixed", ELFS_OK, 1},
        {"tuple_2", ELFS_BADARG, 0}, {"list_improper", ELFS_BADARG, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view bytes = load_term(table[i].name);
        int64_t total;
        assert_int_equal(sum(bytes, &total), table[i].code);
        assert_int_equal(total, table[i].total);
        exact_free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skips_every_term_and_refuses_every_prefix),
        cmocka_unit_test(a_checked_term_ends_where_it_did),
        cmocka_unit_test(agrees_with_ei_on_where_terms_end),
        cmocka_unit_test(kinds),
        cmocka_unit_test(integers),
        cmocka_unit_test(unsigned_integers),
        cmocka_unit_test(magnitudes),
        cmocka_unit_test(floats),
        cmocka_unit_test(refuses_what_no_beam_sends),
        cmocka_unit_test(refuses_a_fun_with_another_size),
        cmocka_unit_test(nesting_costs_nothing),
        cmocka_unit_test(atoms_and_binaries_are_views),
        cmocka_unit_test(headers),
        cmocka_unit_test(headers_whose_elements_cannot_follow),
        cmocka_unit_test(pids_and_refs_are_kept_whole),
        cmocka_unit_test(items_in_either_encoding),
    };
    return cmocka_run_group_tests_name("term", tests, NULL, NULL);
}
