/* JSON: what RFC 8259 allows and nothing else; strings; limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "vectors.h"

#define MOST 256

static struct elfs_json json;
static struct elfs_arena arena;

/* Parses on a block of the exact size; the tokens' text stays valid until the next call. */
static enum elfs_code parse_bytes(struct elfs_view bytes) {
    static struct elfs_view copy;
    if (copy.data) exact_free(copy);
    copy = exact_copy(bytes);
    elfs_arena_fini(&arena);
    return elfs_json_parse(copy, MOST, &arena, &json);
}

static enum elfs_code parse(const char *text) { return parse_bytes(elfs_view_str(text)); }

static void takes_json(void **state) {
    (void)state;
    static const char *const good[] = {
        "{}",
        "[]",
        " { } ",
        "{\"a\":1}",
        "{\"a\" : [1, -2.5e+3 ,0, -0, 0.1, 1E5, 10] , \"b\":{\"c\":null}}",
        "[true,false,null,\"\"]",
        "\"text\"",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"]",
        "[\"h\xC3\xB6 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F\"]",
        "\t\r\n[1]\n",
        "[[[[1],[2]],{\"x\":{}}]]",
        "{\"a\":{\"b\":1},\"c\":[{}]}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        enum elfs_code code = parse(good[i]);
        if (code != ELFS_OK) fail_msg("%s: %s", good[i], elfs_code_name(code));
    }
}

/* Most of these are taken by jsmn. */
static void refuses_everything_else(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{]",
        "[}",
        "{}{}",
        "[] []",
        "{},",
        ",",
        ":",
        "[1,,2]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{,\"a\":1}",
        "{\"a\":1:2}",
        "{\"a\",\"b\"}",
        "{1:2}",
        "{a:1}",
        "{\"a\":b}",
        "{null:1}",
        "{[]:1}",
        "[\"a\":1]",
        "[01]",
        "[-]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[1e+]",
        "[+1]",
        "[0x10]",
        "[1.e5]",
        "[--1]",
        "[1-2]",
        "[tru]",
        "[truee]",
        "[nul]",
        "[True]",
        "[NaN]",
        "[Infinity]",
        "['a']",
        "[\"a]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\u12g4\"]",
        "[\"a\nb\"]",
        "[\"\t\"]",
        "[\"\x01\"]",
        "[\"\xFF\"]",
        "[\"\xC3\"]",
        "[\"\xC0\x80\"]",
        "[\"\xED\xA0\x80\"]",
        "[\"\xF4\x90\x80\x80\"]",
        "[\"\xE2\x82\"]",
        "[\"\xF0\x80\x80\x80\"]",
        "[\"\xE0\x80\x80\"]",
        "1",
        "true",
        "[1]x",
        "x[1]",
        "{\"a\":1}}",
        "[1]]",
        "\xEF\xBB\xBF{}",
        "[1]/**/",
        "{\"a\":\"b\"\"c\"}",
        "[\"a\"\"b\"]",
        "{\"a\":{}\"b\":1}",
        "[{}{}]",
        "[[],]",
        "{\"a\":[}",
        "{\"a\"::1}",
        "[\"\\\"]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum elfs_code code = parse(bad[i]);
        if (code != ELFS_MALFORMED) fail_msg("%s: %s", bad[i], elfs_code_name(code));
    }
    assert_int_equal(parse_bytes((struct elfs_view){(const uint8_t *)"[1]\0", 4}), ELFS_MALFORMED);
    assert_int_equal(parse_bytes((struct elfs_view){(const uint8_t *)"[\"\0\"]", 5}),
                     ELFS_MALFORMED);
}

static void refuse(struct elfs_view prefix) {
    assert_int_equal(elfs_json_parse(prefix, MOST, &arena, &json), ELFS_MALFORMED);
}

static void every_truncation(void **state) {
    (void)state;
    prefixes_each(elfs_view_str("{\"a\":[1,-2.5e+3,true,null],\"\\u00e9\":{\"c\":\"h\xC3\xB6\"}}"),
                  refuse);
}

static void limits(void **state) {
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < ELFS_JSON_DEPTH_MAX; i++) strcat(text, "[");
    for (int i = 0; i < ELFS_JSON_DEPTH_MAX; i++) strcat(text, "]");
    assert_int_equal(parse(text), ELFS_OK);
    char deeper[4096];
    snprintf(deeper, sizeof deeper, "[%.4000s]", text);
    assert_int_equal(parse(deeper), ELFS_LIMIT);
    strcpy(text, "[1");
    for (int i = 2; i < MOST; i++) strcat(text, ",1");
    strcat(text, "]");
    assert_int_equal(parse(text), ELFS_OK);
    assert_int_equal(json.count, MOST);
    text[strlen(text) - 1] = '\0';
    strcat(text, ",1]");
    assert_int_equal(parse(text), ELFS_LIMIT);
    assert_int_equal(
        elfs_json_parse((struct elfs_view){(const uint8_t *)text, ELFS_JSON_TEXT_MAX + 1}, MOST,
                        &arena, &json),
        ELFS_LIMIT);
}

static void keys(void **state) {
    (void)state;
    int at;
    bool yes;
    assert_int_equal(parse("{\"x\":{\"a\":[1,{\"b\":2}]},\"b\":true,\"\\u0063\":false}"), ELFS_OK);
    assert_int_equal(elfs_json_get(&json, 0, "b", &at), ELFS_OK);
    assert_int_equal(elfs_json_bool(&json, at, &yes), ELFS_OK);
    assert_true(yes);
    assert_int_equal(elfs_json_get(&json, 0, "c", &at), ELFS_OK);
    assert_int_equal(elfs_json_bool(&json, at, &yes), ELFS_OK);
    assert_false(yes);
    assert_int_equal(elfs_json_get(&json, 0, "a", &at), ELFS_OK);
    assert_int_equal(at, -1);
    assert_int_equal(elfs_json_get(&json, 0, "x", &at), ELFS_OK);
    assert_int_equal(elfs_json_bool(&json, at, &yes), ELFS_BADARG);
    int inner;
    assert_int_equal(elfs_json_get(&json, at, "a", &inner), ELFS_OK);
    assert_int_equal(elfs_json_get(&json, inner, "b", &at), ELFS_BADARG);
    assert_int_equal(parse("{\"a\":1,\"b\":2,\"a\":1}"), ELFS_OK);
    assert_int_equal(elfs_json_get(&json, 0, "a", &at), ELFS_BADARG);
    assert_int_equal(elfs_json_get(&json, 0, "b", &at), ELFS_OK);
    assert_int_equal(elfs_json_bool(&json, at, &yes), ELFS_BADARG);
}

static void strings(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum elfs_code code;
        const char *value;
    } cases[] = {
        {"\"plain\"", ELFS_OK, "plain"},
        {"\"\"", ELFS_OK, ""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", ELFS_OK, "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", ELFS_OK,
         "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"\"\\uFFFF\\udbff\\udfff\"", ELFS_OK, "\xEF\xBF\xBF\xF4\x8F\xBF\xBF"},
        {"\"\\u0000\"", ELFS_BADARG, ""},
        {"\"a\\ud83d\"", ELFS_BADARG, ""},
        {"\"\\ud83dx\\ude00\"", ELFS_BADARG, ""},
        {"\"\\ud83d\\u0041\"", ELFS_BADARG, ""},
        {"\"\\ude00\\ud83d\"", ELFS_BADARG, ""},
        {"\"123456789012345\"", ELFS_OK, "123456789012345"},
        {"\"1234567890123456\"", ELFS_LIMIT, ""},
        {"\"12345678901234\\u00e9\"", ELFS_LIMIT, ""},
        {"[1]", ELFS_BADARG, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[16];
        assert_int_equal(parse(cases[i].json), ELFS_OK);
        assert_int_equal(elfs_json_string(&json, 0, value, sizeof value), cases[i].code);
        assert_string_equal(value, cases[i].value);
    }
}

static void texts(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum elfs_code code;
        struct elfs_view text;
    } cases[] = {
        {"\"a\\u0000\\ud83d\\ude00\"", ELFS_OK, {(const uint8_t *)"a\0\xF0\x9F\x98\x80", 6}},
        {"\"\"", ELFS_OK, {NULL, 0}},
        {"\"\\ud83d\"", ELFS_BADARG, {NULL, 0}},
        {"[1]", ELFS_BADARG, {NULL, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct elfs_buf buf;
        elfs_buf_init(&buf, SIZE_MAX);
        assert_int_equal(parse(cases[i].json), ELFS_OK);
        assert_int_equal(elfs_json_text(&json, 0, &buf), cases[i].code);
        assert_true(elfs_view_equal((struct elfs_view){buf.data, buf.len}, cases[i].text));
        elfs_buf_fini(&buf);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_json),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(limits),
        cmocka_unit_test(keys),
        cmocka_unit_test(strings),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
