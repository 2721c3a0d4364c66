/* ecto: JSON text as the terms that Jason makes of it. */
#include "ecto/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "term_text.h"
#include "vectors.h"

static struct elfs_arena arena;

/* On a block of the exact size. */
static enum elfs_code read_bytes(struct elfs_view text, struct elfs_view *term) {
    static struct elfs_view copy;
    if (copy.data) exact_free(copy);
    copy = exact_copy(text);
    elfs_arena_fini(&arena);
    return elfs_ecto_json_read(copy, &arena, term);
}

static void check_read(const char *text, const char *expected) {
    struct elfs_view term;
    enum elfs_code code = read_bytes(elfs_view_str(text), &term);
    if (code != ELFS_OK) fail_msg("%s: %s", text, elfs_code_name(code));
    assert_term(term, expected);
}

static void check_refused(struct elfs_view text) {
    struct elfs_view term;
    enum elfs_code code = read_bytes(text, &term);
    if (code != ELFS_BADARG) fail_msg("%.*s: %s", ELFS_VIEW_ARGS(text), elfs_code_name(code));
}

static void values(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *term;
    } table[] = {
        {"null", "nil"},
        {" null", "nil"},
        {"null\n", "nil"},
        {"{}", "#{}"},
        {"[]", "[]"},
        {" [ ] ", "[]"},
        {"\"\"", "<<>>"},
        {"\"x\"", "<<\"x\">>"},
        {"[null,true,false,\"true\"]", "[nil, true, false, <<\"true\">>]"},
        {"{\"a\":{\"b\":[{}]},\"\":1}", "#{<<\"a\">> => #{<<\"b\">> => [#{}]}, <<>> => 1}"},
        {"[[],[1],[[2]]]", "[[], [1], [[2]]]"},
        {"[1,2,255]", "[1, 2, 255]"},
        {"\t\r\n{ \"a\" : 1 }\n", "#{<<\"a\">> => 1}"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_read(table[i].text, table[i].term);
}

static void strings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *term;
    } table[] = {
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[<<34,92,47,8,12,10,13,9>>]"},
        {"[\"\\u0041\\u00fc\\u20AC\"]", "[<<65,195,188,226,130,172>>]"},
        {"[\"\\ud83d\\ude00\"]", "[<<240,159,152,128>>]"},
        {"[\"a\\u0000b\"]", "[<<97,0,98>>]"},
        {"{\"\\u0000\":\"\\u0000\"}", "#{<<0>> => <<0>>}"},
        {"[\"\xC3\xBC\x7F\"]", "[<<195,188,127>>]"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_read(table[i].text, table[i].term);
}

/* What term_text prints: 2^64 is 16#010000000000000000. */
static void numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *printed;
    } table[] = {
        {"0", "0"},
        {"-0", "0"},
        {"-1", "-1"},
        {"255", "255"},
        {"256", "256"},
        {"2147483647", "2147483647"},
        {"2147483648", "2147483648"},
        {"-2147483648", "-2147483648"},
        {"-2147483649", "-2147483649"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "16#8000000000000000"},
        {"-9223372036854775807", "-9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"-9223372036854775809", "-16#8000000000000001"},
        {"18446744073709551615", "16#FFFFFFFFFFFFFFFF"},
        {"-18446744073709551615", "-16#FFFFFFFFFFFFFFFF"},
        {"18446744073709551616", "16#010000000000000000"},
        {"-18446744073709551616", "-16#010000000000000000"},
        {"340282366920938463463374607431768211455", "16#FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
        {"0.5", "0.5"},
        {"-2.5", "-2.5"},
        {"1.0", "1.0"},
        {"-0.0", "-0.0"},
        {"0e0", "0.0"},
        {"1e3", "1000.0"},
        {"1E3", "1000.0"},
        {"1e+3", "1000.0"},
        {"12E-1", "1.2"},
        {"1e-400", "0.0"},
        {"9007199254740993.0", "9007199254740992.0"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view term;
        char text[64], expected[64];
        snprintf(text, sizeof text, "[%s]", table[i].text);
        snprintf(expected, sizeof expected, "[%s]", table[i].printed);
        assert_int_equal(read_bytes(elfs_view_str(text), &term), ELFS_OK);
        char *printed = term_print(term);
        double got = strtod(printed + 1, NULL), real = strtod(table[i].printed, NULL);
        bool same = strpbrk(table[i].printed, ".e") ? memcmp(&got, &real, sizeof got) == 0
                                                    : strcmp(printed, expected) == 0;
        if (!same) fail_msg("%s: %s", text, printed);
        (free)(printed);
    }
}

/* A number of many digits: Jason has no limit, we have. */
static void long_numbers(void **state) {
    (void)state;
    char text[700] = "[1";
    struct elfs_view term;
    memset(text + 2, '0', 599);
    memcpy(text + 601, "]", 2);
    assert_int_equal(read_bytes(elfs_view_str(text), &term), ELFS_OK);
    memcpy(text + 601, "0]", 3);
    check_refused(elfs_view_str(text));
    memset(text + 2, '0', 600);
    memcpy(text + 602, ".5e-600]", 9);
    assert_int_equal(read_bytes(elfs_view_str(text), &term), ELFS_OK);
    assert_term(term, "[1.0]");
}

static void a_key_given_twice(void **state) {
    (void)state;
    check_read("{\"a\":1,\"a\":2}", "#{<<\"a\">> => 1}");
    check_read("{\"a\":[1],\"b\":{\"c\":1,\"c\":{}},\"a\":[2],\"b\":3,\"a\":3}",
               "#{<<\"a\">> => [1], <<\"b\">> => #{<<\"c\">> => 1}}");
    check_read("{\"\\u0061\":1,\"a\":2}", "#{<<\"a\">> => 1}");
    check_read("{\"a\":1,\"aa\":2,\"\":3,\"\":4}", "#{<<\"a\">> => 1, <<\"aa\">> => 2, <<>> => 3}");
}

static const char *nested(char open, char close, int levels) {
    static char text[512];
    size_t n = 0;
    for (int i = 0; i < levels; i++) {
        text[n++] = open;
        if (open == '{' && i < levels - 1) n += (size_t)sprintf(text + n, "\"a\":");
    }
    memset(text + n, close, (size_t)levels);
    text[n + (size_t)levels] = '\0';
    return text;
}

static void depth(void **state) {
    (void)state;
    struct elfs_view term;
    const char *const pairs[] = {"[]", "{}"};
    for (size_t i = 0; i < 2; i++) {
        const char *deepest = nested(pairs[i][0], pairs[i][1], 64);
        assert_int_equal(read_bytes(elfs_view_str(deepest), &term), ELFS_OK);
        check_refused(elfs_view_str(nested(pairs[i][0], pairs[i][1], 65)));
    }
}

static void not_json(void **state) {
    (void)state;
    static const char *const table[] = {
        "",
        " ",
        "nul",
        "nil",
        "Null",
        "{",
        "[1",
        "[1,]",
        "[01]",
        "[+1]",
        "[.5]",
        "[1.]",
        "[1e]",
        "[-]",
        "[0x1]",
        "[NaN]",
        "[Infinity]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1,}",
        "['a']",
        "[1] 2",
        "[\"\\x\"]",
        "[\"\\u00\"]",
        "[\"\x01\"]",
        "[\"\xFF\"]",
        /* numbers out of range */
        "[1e309]",
        "[-1e309]",
        "[1e99999]",
        /* half a pair of surrogates */
        "[\"\\ud83d\"]",
        "[\"\\ude00\"]",
        "[\"\\ud83d\\u0041\"]",
        "{\"\\ud83d\":1}",
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_refused(elfs_view_str(table[i]));
    check_refused((struct elfs_view){(const uint8_t *)"[1]\0", 4});
    check_refused((struct elfs_view){(const uint8_t *)"[\"a\0\"]", 6});
}

/* An arena allocates in blocks: with `used` bytes of the first one gone it is other places that
 * meet the end of a block. */
struct scenario {
    const char *text;
    size_t used;
};

static bool reads(void *arg) {
    const struct scenario *s = arg;
    struct elfs_arena own;
    struct elfs_view term;
    elfs_arena_init(&own);
    enum elfs_code code = ELFS_NOMEM;
    if (elfs_arena_alloc(&own, s->used))
        code = elfs_ecto_json_read(elfs_view_str(s->text), &own, &term);
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    elfs_arena_fini(&own);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"a\":[1,-2.5,\"x\\n\",18446744073709551616],\"b\":{\"c\":null},\"a\":{}}", "null"};
    for (size_t i = 0; i < 2; i++) {
        struct scenario s = {.text = texts[i]};
        for (s.used = 1; s.used <= 1000; s.used++) {
            fail_alloc_each(reads, &s);
            fail_alloc_each_once(reads, &s);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(long_numbers),
        cmocka_unit_test(a_key_given_twice),
        cmocka_unit_test(depth),
        cmocka_unit_test(not_json),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("ecto_json_read", tests, NULL, NULL);
}
