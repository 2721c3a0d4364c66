/* ecto: values read from JSON, cast as Ecto.Type.cast/2 does. */
#include "ecto/cast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ecto_terms.h"
#include "fail_alloc.h"
#include "term_text.h"
#include "vectors.h"

#define DATE                                                                                       \
    "#{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', year => 2026, month => "  \
    "11, day => 24}"
#define TIME(microsecond)                                                                          \
    "#{'__struct__' => 'Elixir.Time', calendar => 'Elixir.Calendar.ISO', hour => 21, minute => "   \
    "5, second => 41, microsecond => " microsecond "}"
#define DECIMAL(sign, coef, exp)                                                                   \
    "#{'__struct__' => 'Elixir.Decimal', sign => " sign ", coef => " coef ", exp => " exp "}"
#define ENUM(params) "{parameterized, {'Elixir.Ecto.Enum', #{" params "}}}"
#define TEXTS                                                                                      \
    ENUM("embed_as => self, on_cast => #{<<\"a\">> => a, <<\"b\">> => b}, on_load => "             \
         "#{<<\"A\">> => a, <<\"2\">> => b}")
#define INTEGERS                                                                                   \
    ENUM("embed_as => self, on_cast => #{<<\"a\">> => a, <<\"b\">> => b}, on_load => #{1 => a, "   \
         "2 => b}")
#define DUMPED ENUM("embed_as => dump, on_cast => #{<<\"a\">> => a}, on_load => #{1 => a}")
#define UUID "<<\"00112233-4455-6677-8899-aabbccddeeff\">>"

struct row {
    const char *type;
    const char *value;
    const char *cast; /* NULL: refused */
};

static void check(const struct row *row) {
    struct elfs_view value = term_parse(row->value), type_term = term_parse(row->type), cast;
    struct elfs_ecto_type type = elfs_ecto_type_read(type_term);
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    assert_true(elfs_ecto_can_cast(&type));
    enum elfs_code code = elfs_ecto_cast(&type, value, &arena, &cast);
    if (code != (row->cast ? ELFS_OK : ELFS_BADARG))
        fail_msg("%s as %s: %s", row->value, row->type, elfs_code_name(code));
    if (row->cast) {
        char *got = term_print(cast);
        if (strstr(row->cast, "16#")) {
            assert_string_equal(got, row->cast);
        } else {
            assert_term(cast, row->cast);
        }
        (free)(got);
    }
    elfs_arena_fini(&arena);
    exact_free(type_term);
    exact_free(value);
}

static void check_all(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) check(&rows[i]);
}

static void numbers(void **state) {
    (void)state;
    static const struct row table[] = {
        {"integer", "5", "5"},
        {"integer", "<<\"5\">>", "5"},
        {"integer", "<<\"+5\">>", "5"},
        {"integer", "<<\"-7\">>", "-7"},
        {"integer", "<<\"007\">>", "7"},
        {"integer", "<<\"18446744073709551616\">>", "16#010000000000000000"},
        {"integer", "<<\"1111111111111111111111111111111\">>", "16#0E063191CAF8F3B304471C71C7"},
        {"integer", "<<\"11111111111111111111111111111111\">>", NULL},
        {"integer", "<<\"1.0\">>", NULL},
        {"integer", "<<\" 5\">>", NULL},
        {"integer", "<<\"5 \">>", NULL},
        {"integer", "<<\"1_000\">>", NULL},
        {"integer", "<<\"0x1\">>", NULL},
        {"integer", "<<\"-\">>", NULL},
        {"integer", "<<\"+-1\">>", NULL},
        {"integer", "<<>>", NULL},
        {"integer", "5.0", NULL},
        {"integer", "true", NULL},
        {"integer", "nil", "nil"},
        {"id", "<<\"12\">>", "12"},
        {"id", "1.5", NULL},
        {"float", "1", "1.0"},
        {"float", "1.5", "1.5"},
        {"float", "<<\"1\">>", "1.0"},
        {"float", "<<\"1.5\">>", "1.5"},
        {"float", "<<\"-1.5e3\">>", "-1500.0"},
        {"float", "<<\"1.5e+2\">>", "150.0"},
        {"float", "<<\"125.0E-3\">>", "0.125"},
        {"float", "<<\"+2.0\">>", "2.0"},
        {"float", "<<\"1e5\">>", "100000.0"},
        {"float", "<<\"-15E-3\">>", "-0.015"},
        {"float", "<<\"1.\">>", NULL},
        {"float", "<<\".5\">>", NULL},
        {"float", "<<\"1.5e\">>", NULL},
        {"float", "<<\"1.5x\">>", NULL},
        {"float", "<<\"1.5 \">>", NULL},
        {"float", "<<\"inf\">>", NULL},
        {"float", "<<\"nan\">>", NULL},
        {"float", "<<\"0x1p3\">>", NULL},
        {"float", "<<>>", NULL},
        {"float", "true", NULL},
        {"decimal", "<<\"1.50\">>", DECIMAL("1", "150", "-2")},
        {"decimal", "<<\"+1\">>", DECIMAL("1", "1", "0")},
        {"decimal", "<<\"-0\">>", DECIMAL("-1", "0", "0")},
        {"decimal", "<<\"1E+3\">>", DECIMAL("1", "1", "3")},
        {"decimal", "<<\"1e-3\">>", DECIMAL("1", "1", "-3")},
        {"decimal", "<<\".5\">>", DECIMAL("1", "5", "-1")},
        {"decimal", "<<\"5.\">>", DECIMAL("1", "5", "0")},
        {"decimal", "7", DECIMAL("1", "7", "0")},
        {"decimal", "1.5", DECIMAL("1", "15", "-1")},
        {"decimal", "<<\"1.5x\">>", NULL},
        {"decimal", "<<\" 1\">>", NULL},
        {"decimal", "<<\"NaN\">>", NULL},
        {"decimal", "<<\"Infinity\">>", NULL},
        {"decimal", "<<>>", NULL},
        {"decimal", "true", NULL},
    };
    check_all(table, sizeof table / sizeof *table);
}

static void booleans_and_texts(void **state) {
    (void)state;
    static const struct row table[] = {
        {"boolean", "true", "true"},
        {"boolean", "false", "false"},
        {"boolean", "<<\"true\">>", "true"},
        {"boolean", "<<\"1\">>", "true"},
        {"boolean", "<<\"false\">>", "false"},
        {"boolean", "<<\"0\">>", "false"},
        {"boolean", "<<\"TRUE\">>", NULL}, /* which load takes, as it does 1 */
        {"boolean", "1", NULL},
        {"boolean", "0", NULL},
        {"boolean", "<<\"yes\">>", NULL},
        {"boolean", "nil", "nil"},
        {"string", "<<>>", "<<>>"},
        {"string", "<<\"x\">>", "<<\"x\">>"},
        {"string", "1", NULL},
        {"string", "true", NULL},
        {"string", "#{}", NULL},
        {"binary", "<<\"x\">>", "<<\"x\">>"},
        {"binary", "1", NULL},
        {"any", "[1, #{}]", "[1, #{}]"},
        {"binary_id", "<<\"x\">>", "<<\"x\">>"},
        {"binary_id", "<<\"0123456789abcdef\">>", "<<\"0123456789abcdef\">>"},
        {"binary_id", "1", NULL},
        {"'Elixir.Ecto.UUID'", "<<\"00112233-4455-6677-8899-aAbBcCdDeEfF\">>", UUID},
        {"'Elixir.Ecto.UUID'", "<<\"0123456789abcdef\">>",
         "<<\"30313233-3435-3637-3839-616263646566\">>"},
        {"'Elixir.Ecto.UUID'", "<<\"00112233445566778899aabbccddeeff\">>", NULL},
        {"'Elixir.Ecto.UUID'", "<<>>", NULL},
        {"'Elixir.Ecto.UUID'", "1", NULL},
    };
    check_all(table, sizeof table / sizeof *table);
}

static void moments(void **state) {
    (void)state;
    static const struct row table[] = {
        {"date", "<<\"2026-11-24\">>", DATE},
        {"date", "<<\"2026-11-24T21:05:41\">>", DATE},
        {"date", "<<\"2026-11-24 21:05:41.5\">>", DATE},
        {"date", "<<\"2026-11-24T21:05:41Z\">>", DATE},
        {"date", "<<\"2026-11-24T21:05\">>", NULL},
        {"date", "<<\"2026-11-24T24:00:00\">>", NULL},
        {"date", "<<\"2026-11-24x\">>", NULL},
        {"date", "<<\"2026-02-30\">>", NULL},
        {"date", "<<>>", NULL},
        {"date", "5", NULL},
        {"date", "nil", "nil"},
        {"time", "<<\"21:05:41\">>", TIME("{0, 0}")},
        {"time", "<<\"21:05:41.5\">>", TIME("{0, 0}")},
        {"time", "<<\"24:00:00\">>", NULL},
        {"time", "5", NULL},
        {"time_usec", "<<\"21:05:41\">>", TIME("{0, 6}")},
        {"time_usec", "<<\"21:05:41.5\">>", TIME("{500000, 6}")},
        {"naive_datetime", "<<\"2026-11-24T21:05:41\">>", NAIVE("41", "{0, 0}")},
        {"naive_datetime", "<<\"2026-11-24 21:05:41.9\">>", NAIVE("41", "{0, 0}")},
        {"naive_datetime", "<<\"2026-11-24T21:05:41Z\">>", NAIVE("41", "{0, 0}")},
        {"naive_datetime", "<<\"2026-11-24\">>", NULL},
        {"naive_datetime", "<<>>", NULL},
        {"naive_datetime", "5", NULL},
        {"naive_datetime_usec", "<<\"2026-11-24T21:05:41.000009\">>", NAIVE("41", "{9, 6}")},
        {"naive_datetime_usec", "<<\"2026-11-24T21:05:41\">>", NAIVE("41", "{0, 6}")},
        {"utc_datetime", "<<\"2026-11-24T21:05:41Z\">>", UTC("41", "{0, 0}")},
        {"utc_datetime", "<<\"2026-11-24T21:05:41\">>", UTC("41", "{0, 0}")},
        {"utc_datetime", "<<\"2026-11-24T21:05:41.5Z\">>", UTC("41", "{0, 0}")},
        {"utc_datetime", "<<\"2026-11-24T21:05:41-00:00\">>", NULL},
        {"utc_datetime", "<<\"soon\">>", NULL},
        {"utc_datetime_usec", "<<\"2026-11-24T21:05:41.5Z\">>", UTC("41", "{500000, 6}")},
    };
    check_all(table, sizeof table / sizeof *table);
}

/* Forms that Jason does not write, and that Ecto.Type.cast takes: refused, so that Ecto decides. */
static void what_only_ecto_takes(void **state) {
    (void)state;
    static const struct row table[] = {
        {"float", "<<\"1111111111111111111111111111111111111111111111111111111111111111111\">>",
         NULL},
        {"date", "#{<<\"year\">> => 2026, <<\"month\">> => 11, <<\"day\">> => 24}", NULL},
        {"time", "<<\"21:05\">>", NULL},
        {"time", "<<\"T21:05:41\">>", NULL},
        {"time", "#{<<\"hour\">> => 21, <<\"minute\">> => 5}", NULL},
        {"naive_datetime", "<<\"2026-11-24T21:05\">>", NULL},
        {"naive_datetime", "<<\"2026-11-24T21:05:41+01:00\">>", NULL},
        {"utc_datetime", "<<\"2026-11-24T21:05\">>", NULL},
        {"utc_datetime", "<<\"2026-11-24T21:05:41+01:00\">>", NULL},
    };
    check_all(table, sizeof table / sizeof *table);
}

static void enums(void **state) {
    (void)state;
    static const struct row table[] = {
        {TEXTS, "<<\"A\">>", "a"},
        {TEXTS, "<<\"2\">>", "b"},
        {TEXTS, "<<\"a\">>", "a"},
        {TEXTS, "<<\"b\">>", "b"},
        {TEXTS, "<<\"B\">>", NULL},
        {TEXTS, "<<>>", NULL},
        {TEXTS, "2", NULL},
        {TEXTS, "true", NULL},
        {TEXTS, "nil", "nil"},
        {INTEGERS, "1", "a"},
        {INTEGERS, "2", "b"},
        {INTEGERS, "<<\"a\">>", "a"},
        {INTEGERS, "3", NULL},
        {INTEGERS, "1.0", NULL},
        {INTEGERS, "<<\"1\">>", NULL},
        {"{array, " TEXTS "}", "[<<\"A\">>, <<\"b\">>, nil]", "[a, b, nil]"},
        {"{array, " TEXTS "}", "[<<\"z\">>]", NULL},
        {"{map, " INTEGERS "}", "#{<<\"k\">> => 2}", "#{<<\"k\">> => b}"},
    };
    check_all(table, sizeof table / sizeof *table);
}

static void lists_and_maps(void **state) {
    (void)state;
    static const struct row table[] = {
        {"map", "#{}", "#{}"},
        {"map", "#{<<\"a\">> => [1]}", "#{<<\"a\">> => [1]}"},
        {"map", "[]", NULL},
        {"map", "<<\"x\">>", NULL},
        {"map", "nil", "nil"},
        {"{array, integer}", "[]", "[]"},
        {"{array, integer}", "[1, <<\"2\">>, nil]", "[1, 2, nil]"},
        {"{array, integer}", "[1, <<\"x\">>]", NULL},
        {"{array, integer}", "\"\001\002\"", "[1, 2]"},
        {"{array, integer}", "#{}", NULL},
        {"{array, integer}", "<<\"x\">>", NULL},
        {"{array, integer}", "nil", "nil"},
        {"{array, {array, date}}", "[[<<\"2026-11-24\">>], []]", "[[" DATE "], []]"},
        {"{array, {array, date}}", "[<<\"2026-11-24\">>]", NULL},
        {"{map, float}", "#{}", "#{}"},
        {"{map, float}", "#{<<\"a\">> => 1, <<\"b\">> => <<\"2.5\">>, <<\"c\">> => nil}",
         "#{<<\"a\">> => 1.0, <<\"b\">> => 2.5, <<\"c\">> => nil}"},
        {"{map, float}", "#{<<\"a\">> => <<\"x\">>}", NULL},
        {"{map, float}", "[]", NULL},
        {"{map, float}", "nil", "nil"},
        {"{map, {map, boolean}}", "#{<<\"a\">> => #{<<\"b\">> => <<\"1\">>}}",
         "#{<<\"a\">> => #{<<\"b\">> => true}}"},
        {"{map, {map, boolean}}", "#{<<\"a\">> => 1}", NULL},
        {"{map, {array, decimal}}", "#{<<\"a\">> => [<<\"1.50\">>]}",
         "#{<<\"a\">> => [" DECIMAL("1", "150", "-2") "]}"},
    };
    check_all(table, sizeof table / sizeof *table);
}

static void what_cannot_be_cast(void **state) {
    (void)state;
    static const char *const types[] = {
        DUMPED,
        "{array, " DUMPED "}",
        "{map, " DUMPED "}",
        "'Elixir.My.Type'",
        "{array, 'Elixir.My.Type'}",
        "{map, {array, 'Elixir.My.Type'}}",
        "{parameterized, {'Elixir.My.Type', #{}}}",
        "{embed, #{cardinality => one, related => 'Elixir.My.Card'}}",
        "{array, {embed, #{cardinality => one, related => 'Elixir.My.Card'}}}",
        "{assoc, #{}}",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct elfs_view term = term_parse(types[i]);
        struct elfs_ecto_type type = elfs_ecto_type_read(term);
        if (elfs_ecto_can_cast(&type)) fail_msg("%s", types[i]);
        exact_free(term);
    }
}

/* An arena allocates in blocks: with `used` bytes of the first one gone it is other places that
 * meet the end of a block. */
struct scenario {
    struct elfs_ecto_type type;
    struct elfs_view value;
    size_t used;
};

static bool casts(void *arg) {
    const struct scenario *s = arg;
    struct elfs_view cast;
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    enum elfs_code code = ELFS_NOMEM;
    if (elfs_arena_alloc(&arena, s->used)) code = elfs_ecto_cast(&s->type, s->value, &arena, &cast);
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    elfs_arena_fini(&arena);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"{map, {array, integer}}", "#{<<\"a\">> => [1, <<\"2\">>], <<\"b\">> => []}"},
        {"{array, float}", "[1, <<\"2.5\">>]"},
        {"{array, decimal}", "[<<\"1.50\">>, 1.5]"},
        {"{array, boolean}", "[<<\"1\">>, true]"},
        {"{array, utc_datetime}", "[<<\"2026-11-24T21:05:41Z\">>]"},
        {"date", "<<\"2026-11-24T21:05:41\">>"},
        {"'Elixir.Ecto.UUID'", UUID},
        {TEXTS, "<<\"b\">>"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view type = term_parse(table[i][0]);
        struct scenario s = {.type = elfs_ecto_type_read(type), .value = term_parse(table[i][1])};
        for (s.used = 1; s.used <= 1000; s.used++) fail_alloc_each(casts, &s);
        exact_free(s.value);
        exact_free(type);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(booleans_and_texts),
        cmocka_unit_test(moments),
        cmocka_unit_test(what_only_ecto_takes),
        cmocka_unit_test(enums),
        cmocka_unit_test(lists_and_maps),
        cmocka_unit_test(what_cannot_be_cast),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("ecto_cast", tests, NULL, NULL);
}
