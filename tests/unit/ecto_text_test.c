/* ecto: texts: floats, UUIDs, moments, JSON, inspect. */
#include "ecto/inspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ecto/float_text.h"
#include "ecto/json.h"
#include "ecto/moment.h"
#include "ecto/uuid.h"
#include "ecto_terms.h"
#include "term_text.h"
#include "vectors.h"

/* As float_to_list(F, [short]) of OTP 25 writes them. */
static void floats(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {100.0, "100.0"},
        {123456.789, "123456.789"},
        {1e6, "1.0e6"},
        {1e5, "1.0e5"},
        {12345678.0, "12345678.0"},
        {0.001, "0.001"},
        {0.0001, "0.0001"},
        {0.00012, "1.2e-4"},
        {1e22, "1.0e22"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740992.0, "9.007199254740992e15"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {5e-324, "5.0e-324"},
        {3.141592653589793, "3.141592653589793"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[ELFS_FLOAT_TEXT_MAX];
        size_t len = elfs_float_text(table[i].value, text);
        assert_string_equal(text, table[i].text);
        assert_int_equal(len, strlen(text));
    }
}

static void uuids(void **state) {
    (void)state;
    uint8_t bytes[16], again[16];
    char text[ELFS_UUID_TEXT];
    for (size_t i = 0; i < 16; i++) bytes[i] = 0xFF;
    elfs_uuid_make(bytes);
    elfs_uuid_text(bytes, text);
    assert_memory_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff", sizeof text);
    struct elfs_view view = {(const uint8_t *)text, sizeof text};
    assert_true(elfs_uuid_parse(view, again));
    assert_memory_equal(again, bytes, 16);
    static const char *const others[] = {"", "ffffffff-ffff-4fff-bfff-fffffffffff",
                                         "ffffffff-ffff-4fff-bfff-fffffffffffg",
                                         "ffffffff+ffff-4fff-bfff-ffffffffffff"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(elfs_uuid_parse(elfs_view_str(others[i]), again));
}

static void moments(void **state) {
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } table[] = {
        {0, "1970-01-01 00:00:00.000000"},
        {-1, "1969-12-31 23:59:59.999999"},
        {INT64_C(951782400000000), "2000-02-29 00:00:00.000000"},
        {INT64_C(951868799999999), "2000-02-29 23:59:59.999999"},
        {INT64_C(4107542400000000), "2100-03-01 00:00:00.000000"},
        {INT64_C(1795554341123456), "2026-11-24 21:05:41.123456"},
        {INT64_C(-62135596800000000), "0001-01-01 00:00:00.000000"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_ecto_moment m = elfs_ecto_moment_of(table[i].us), parsed;
        char text[64];
        snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d.%06d", m.year, m.month, m.day,
                 m.hour, m.minute, m.second, m.microsecond);
        assert_string_equal(text, table[i].text);
        assert_true(elfs_ecto_moment_parse(ELFS_ECTO_NAIVE_USEC, elfs_view_str(text), &parsed));
        assert_memory_equal(&m, &parsed, sizeof m);
    }
}

static void json(void **state) {
    (void)state;
    static const struct {
        const char *term;
        const char *json; /* NULL: refused */
    } table[] = {
        {"nil", "null"},
        {"true", "true"},
        {"null", "\"null\""},
        {"other", "\"other\""},
        {"-12", "-12"},
        {"1.0", "1.0"},
        {"<<\"a\\\"b\\\\c/\\n\">>", "\"a\\\"b\\\\c/\\n\""},
        {"<<1,31,127,9>>", "\"\\u0001\\u001F\x7f\\t\""},
        {"<<195,188>>", "\"\xc3\xbc\""},
        {"<<255>>", NULL},
        {"<<237,160,128>>", NULL},
        {"<<192,128>>", NULL},
        {"<<226,130>>", NULL},
        {"[]", "[]"},
        {"\"ab\"", "[97,98]"},
        {"[1, [2, []], #{}]", "[1,[2,[]],{}]"},
        {"#{b => 1, <<\"a\">> => 2, 3 => 4}", "{\"b\":1,\"a\":2,\"3\":4}"},
        {"#{1.5 => 1}", NULL},
        {"{1, 2}", NULL},
        {"[1 | 2]", NULL},
        {"fun a:b/1", NULL},
        {NOW, "\"2026-11-24T21:05:41\""},
        {UTC("41", "{0, 0}"), "\"2026-11-24T21:05:41Z\""},
        {"#{'__struct__' => 'Elixir.Decimal', sign => 1, coef => 150, exp => -2}", "\"1.50\""},
        {"#{'__struct__' => 'Elixir.Decimal', sign => 1, coef => 15, exp => 2}", NULL},
        {"#{'__struct__' => 'Elixir.Money'}", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view term = term_parse(table[i].term);
        struct elfs_error err = {.code = ELFS_OK};
        struct elfs_arena arena;
        struct elfs_buf buf;
        elfs_arena_init(&arena);
        elfs_buf_init(&buf, 4096);
        enum elfs_code code = elfs_ecto_json(&buf, term, &arena, &err);
        assert_int_equal(code == ELFS_OK, table[i].json != NULL);
        if (code == ELFS_OK) {
            struct elfs_view text = {buf.data, buf.len};
            if (!elfs_view_is(text, table[i].json)) fail_msg("%.*s", ELFS_VIEW_ARGS(text));
        } else {
            assert_int_equal(err.code, code);
        }
        elfs_buf_fini(&buf);
        elfs_arena_fini(&arena);
        exact_free(term);
    }
}

/* 63 levels are written, 65 are not. */
static void deep_json(void **state) {
    (void)state;
    for (size_t depth = 63; depth <= 65; depth += 2) {
        char text[256];
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        struct elfs_view term = term_parse(text);
        struct elfs_error err;
        struct elfs_arena arena;
        struct elfs_buf buf;
        elfs_arena_init(&arena);
        elfs_buf_init(&buf, 4096);
        assert_int_equal(elfs_ecto_json(&buf, term, &arena, &err),
                         depth < 64 ? ELFS_OK : ELFS_UNSUPPORTED);
        elfs_buf_fini(&buf);
        elfs_arena_fini(&arena);
        exact_free(term);
    }
}

static void inspected(void **state) {
    (void)state;
    static const struct {
        const char *term;
        const char *text;
    } table[] = {
        {"nil", "nil"},
        {"true", "true"},
        {"name", ":name"},
        {"valid", ":valid"},
        {"'valid?'", ":valid?"},
        {"'two words'", ":\"two words\""},
        {"'Elixir.My.User'", "My.User"},
        {"12", "12"},
        {"1.5", "1.5"},
        {"<<\"a\\\"b\\n#{x}\">>", "\"a\\\"b\\n\\#{x}\""},
        {"<<0,255>>", "<<0, 255>>"},
        {"<<>>", "\"\""},
        {"[1, a]", "[1, :a]"},
        {"{ok, <<\"x\">>}", "{:ok, \"x\"}"},
        {"#{a => 1}", "%{a: 1}"},
        {"#{a => 1, <<\"b\">> => 2}", "%{:a => 1, \"b\" => 2}"},
        {"#{'two words' => 1}", "%{\"two words\": 1}"},
        {"[{a, 1}, {'b?', {c, 2}}]", "[a: 1, b?: {:c, 2}]"},
        {"[{a, 1}, {'Elixir.B', 2}]", "[{:a, 1}, {B, 2}]"},
        {"[{a, 1}, b]", "[{:a, 1}, :b]"},
        {"[]", "[]"},
        {"#{<<\"a\">> => 1}", "%{\"a\" => 1}"},
        {NOW, "~N[2026-11-24 21:05:41]"},
        {UTC("41", "{5, 6}"), "~U[2026-11-24 21:05:41.000005Z]"},
        {"#{'__struct__' => 'Elixir.My.User', password => <<\"secret\">>}", "#My.User<...>"},
        {"[[[[[[1]]]]]]", "[[[[[...]]]]]"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view term = term_parse(table[i].term);
        struct elfs_arena arena;
        struct elfs_buf buf;
        elfs_arena_init(&arena);
        elfs_buf_init(&buf, 4096);
        elfs_ecto_inspect(&buf, term, &arena);
        struct elfs_view text = {buf.data, buf.len};
        if (!elfs_view_is(text, table[i].text))
            fail_msg("%s: %.*s", table[i].text, ELFS_VIEW_ARGS(text));
        elfs_buf_fini(&buf);
        elfs_arena_fini(&arena);
        exact_free(term);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats), cmocka_unit_test(uuids),     cmocka_unit_test(moments),
        cmocka_unit_test(json),   cmocka_unit_test(deep_json), cmocka_unit_test(inspected),
    };
    return cmocka_run_group_tests_name("ecto_text", tests, NULL, NULL);
}
