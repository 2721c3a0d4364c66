/* ecto: every stored form, by type and without one, and the way back. */
#include "ecto/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ecto/load.h"
#include "ecto_terms.h"
#include "term_text.h"
#include "vectors.h"

#define DATE                                                                                       \
    "#{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', year => 2026, month => "  \
    "11, day => 24}"
#define TIME(microsecond)                                                                          \
    "#{'__struct__' => 'Elixir.Time', calendar => 'Elixir.Calendar.ISO', hour => 21, minute => "   \
    "5, "                                                                                          \
    "second => 41, microsecond => " microsecond "}"
#define DECIMAL(sign, coef, exp)                                                                   \
    "#{'__struct__' => 'Elixir.Decimal', sign => " sign ", coef => " coef ", exp => " exp "}"
#define ENUM                                                                                       \
    "{parameterized, {'Elixir.Ecto.Enum', #{on_dump => #{a => <<\"A\">>, b => 2}, on_load => "     \
    "#{<<\"A\">> => a, 2 => b}}}}"
#define OLD_ENUM "{parameterized, 'Elixir.Ecto.Enum', #{on_dump => #{a => <<\"A\">>}}}"
#define DUMPED_ENUM                                                                                \
    "{parameterized, {'Elixir.Ecto.Enum', #{embed_as => dump, on_dump => #{a => 1}, on_load => "   \
    "#{1 => a}}}}"
#define UUID "<<\"00112233-4455-6677-8899-aAbBcCdDeEfF\">>"
#define UUID_BYTES "<<0,17,34,51,68,85,102,119,136,153,170,187,204,221,238,255>>"
#define UNKNOWN_EMBED(cardinality)                                                                 \
    "{embed, #{cardinality => " cardinality ", related => 'Elixir.My.Card'}}"
#define MONEY "#{'__struct__' => 'Elixir.Money', amount => 1}"

struct dump {
    const char *type; /* NULL: not known */
    const char *declared;
    const char *term;
    enum elfs_code code;
    const char *stored; /* 1, 'text' or x'00' */
};

static void show(const struct elfs_value *value, char *out, size_t size) {
    struct elfs_view b = value->bytes;
    int n = 0;
    switch (value->type) {
    case ELFS_NULL: snprintf(out, size, "NULL"); break;
    case ELFS_INTEGER: snprintf(out, size, "%lld", (long long)value->integer); break;
    case ELFS_REAL: snprintf(out, size, "%g", value->real); break;
    case ELFS_TEXT: snprintf(out, size, "'%.*s'", ELFS_VIEW_ARGS(b)); break;
    case ELFS_BLOB:
        n = snprintf(out, size, "x'");
        for (size_t i = 0; i < b.len; i++)
            n += snprintf(out + n, size - (size_t)n, "%02x", b.data[i]);
        snprintf(out + n, size - (size_t)n, "'");
        break;
    }
}

static const struct elfs_ecto_schemas none; /* embedded schemas are not known */

static void check_dump(const struct dump *d) {
    struct elfs_view term = term_parse(d->term), type_term = ELFS_VIEW_NONE;
    struct elfs_ecto_column column = {.type = elfs_view_str(d->declared)};
    struct elfs_value value;
    struct elfs_error err = {.code = ELFS_OK};
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    if (d->type) type_term = term_parse(d->type);
    struct elfs_ecto_type type = elfs_ecto_type_read(type_term);
    enum elfs_code code = elfs_ecto_dump(&type, term, &column, &none, &arena, &value, &err);
    if (code != d->code)
        fail_msg("%s as %s: %s %s", d->term, d->type ? d->type : "-", elfs_code_name(code),
                 err.message);
    if (code == ELFS_OK) {
        char text[512];
        show(&value, text, sizeof text);
        if (strcmp(text, d->stored) != 0) fail_msg("%s: %s, not %s", d->term, text, d->stored);
    } else if (code != ELFS_BADARG) {
        assert_true(err.message[0] != '\0');
    }
    elfs_arena_fini(&arena);
    exact_free(term);
    if (d->type) exact_free(type_term);
}

static void check_dumps(const struct dump *table, size_t count) {
    for (size_t i = 0; i < count; i++) check_dump(&table[i]);
}

static void stored_by_type(void **state) {
    (void)state;
    static const struct dump table[] = {
        {"integer", "INTEGER", "-5", ELFS_OK, "-5"},
        {"integer", "INTEGER", "5.0", ELFS_BADARG, NULL},
        {"id", "INTEGER", "7", ELFS_OK, "7"},
        {"id", "INTEGER", "<<\"7\">>", ELFS_BADARG, NULL},
        {"float", "NUMERIC", "1.5", ELFS_OK, "1.5"},
        {"float", "NUMERIC", "1", ELFS_BADARG, NULL},
        {"boolean", "INTEGER", "true", ELFS_OK, "1"},
        {"boolean", "INTEGER", "false", ELFS_OK, "0"},
        {"boolean", "INTEGER", "1", ELFS_BADARG, NULL},
        {"boolean", "INTEGER", "maybe", ELFS_BADARG, NULL},
        {"string", "TEXT", "<<\"text\">>", ELFS_OK, "'text'"},
        {"string", "TEXT", "<<>>", ELFS_OK, "''"},
        {"string", "BLOB", "<<\"text\">>", ELFS_OK, "'text'"},
        {"string", "TEXT", "text", ELFS_BADARG, NULL},
        {"binary", "BLOB", "<<0,255>>", ELFS_OK, "x'00ff'"},
        {"binary", "TEXT", "<<\"a\">>", ELFS_OK, "x'61'"},
        {"binary", "BLOB", "[1]", ELFS_BADARG, NULL},
        {"decimal", "DECIMAL", DECIMAL("-1", "1230", "-2"), ELFS_OK, "'-12.30'"},
        {"decimal", "DECIMAL", "12", ELFS_OK, "'12'"},
        {"decimal", "DECIMAL", "0.1", ELFS_OK, "'0.1'"},
        {"decimal", "DECIMAL", "100.0", ELFS_OK, "'100.0'"},
        {"decimal", "DECIMAL", "1.0e300", ELFS_UNSUPPORTED, NULL},
        {"decimal", "DECIMAL", "<<\"1\">>", ELFS_BADARG, NULL},
        {"decimal", "DECIMAL", DECIMAL("1", "'NaN'", "0"), ELFS_INVALID_PARAMETER, NULL},
        {"date", "TEXT", DATE, ELFS_OK, "'2026-11-24'"},
        {"date", "TEXT", NOW, ELFS_BADARG, NULL},
        {"time", "TEXT", TIME("{0, 0}"), ELFS_OK, "'21:05:41'"},
        {"time", "TEXT", TIME("{0, 6}"), ELFS_BADARG, NULL},
        {"time_usec", "TEXT", TIME("{42, 6}"), ELFS_OK, "'21:05:41.000042'"},
        {"time_usec", "TEXT", TIME("{42, 3}"), ELFS_BADARG, NULL},
        {"naive_datetime", "TEXT", NOW, ELFS_OK, "'2026-11-24T21:05:41'"},
        {"naive_datetime", "TEXT", NAIVE("41", "{1, 6}"), ELFS_BADARG, NULL},
        {"naive_datetime", "TEXT", UTC("41", "{0, 0}"), ELFS_BADARG, NULL},
        {"naive_datetime_usec", "TEXT", NAIVE("41", "{1, 6}"), ELFS_OK,
         "'2026-11-24T21:05:41.000001'"},
        {"naive_datetime_usec", "TEXT", NOW, ELFS_BADARG, NULL},
        {"utc_datetime", "TEXT", UTC("41", "{0, 0}"), ELFS_OK, "'2026-11-24T21:05:41Z'"},
        {"utc_datetime_usec", "TEXT", UTC("41", "{7, 6}"), ELFS_OK,
         "'2026-11-24T21:05:41.000007Z'"},
        {"utc_datetime", "TEXT", NOW, ELFS_BADARG, NULL},
        {"map", "TEXT", "#{a => #{<<\"b\">> => [1, nil]}}", ELFS_OK, "'{\"a\":{\"b\":[1,null]}}'"},
        {"map", "TEXT", "[]", ELFS_BADARG, NULL},
        {"map", "TEXT", MONEY, ELFS_UNSUPPORTED, NULL},
        {"map", "TEXT", DATE, ELFS_OK, "'\"2026-11-24\"'"},
        {"{map, string}", "TEXT", MONEY, ELFS_UNSUPPORTED, NULL},
        {"{map, string}", "TEXT", "[1]", ELFS_OK, "'[1]'"},
        {"{map, string}", "TEXT", "<<\"x\">>", ELFS_OK, "'x'"},
        {"{map, string}", "TEXT", "{1}", ELFS_BADARG, NULL},
        {"map", "TEXT", "#{a => " MONEY "}", ELFS_UNSUPPORTED, NULL},
        {"map", "TEXT", "#{a => {1}}", ELFS_INVALID_PARAMETER, NULL},
        {"{map, string}", "TEXT", "#{a => <<\"x\">>}", ELFS_OK, "'{\"a\":\"x\"}'"},
        {"{map, decimal}", "TEXT", "#{a => " DECIMAL("1", "15", "-1") "}", ELFS_OK,
         "'{\"a\":\"1.5\"}'"},
        {"{map, " ENUM "}", "TEXT", "#{a => a}", ELFS_UNSUPPORTED, NULL},
        {"{array, string}", "TEXT", "[<<\"x\">>, nil]", ELFS_OK, "'[\"x\",null]'"},
        {"{array, integer}", "TEXT", "\"\001\002\"", ELFS_OK, "'[1,2]'"},
        {"{array, integer}", "TEXT", "[]", ELFS_OK, "'[]'"},
        {"{array, boolean}", "TEXT", "[true, false]", ELFS_OK, "'[1,0]'"},
        {"{array, decimal}", "TEXT", "[" DECIMAL("1", "15", "-1") "]", ELFS_OK, "'[\"1.5\"]'"},
        {"{array, date}", "TEXT", "[" DATE "]", ELFS_OK, "'[\"2026-11-24\"]'"},
        {"{array, utc_datetime}", "TEXT", "[" UTC("41", "{0, 0}") "]", ELFS_OK,
         "'[\"2026-11-24T21:05:41Z\"]'"},
        {"{array, " ENUM "}", "TEXT", "[b, a]", ELFS_OK, "'[2,\"A\"]'"},
        {"{array, any}", "TEXT", "[true, nil, a, 1, [<<\"x\">>], " UTC("41", "{0, 0}") "]", ELFS_OK,
         "'[true,null,\"a\",1,[\"x\"],\"2026-11-24T21:05:41Z\"]'"},
        {"{array, map}", "TEXT", "[#{a => 1}, nil]", ELFS_OK, "'[\"{\\\"a\\\":1}\",null]'"},
        {"{array, {map, string}}", "TEXT", "[nil]", ELFS_OK, "'[null]'"},
        {"{array, any}", "TEXT", "[1 | 2]", ELFS_INVALID_PARAMETER, NULL},
        {"{array, integer}", "TEXT", "[<<\"x\">>]", ELFS_BADARG, NULL},
        {"{array, integer}", "TEXT", "[1 | 2]", ELFS_BADARG, NULL},
        {"{array, binary}", "TEXT", "[<<\"x\">>]", ELFS_INVALID_PARAMETER, NULL},
        {"{array, {array, integer}}", "TEXT", "[[1]]", ELFS_UNSUPPORTED, NULL},
        {ENUM, "TEXT", "a", ELFS_OK, "'A'"},
        {ENUM, "TEXT", "b", ELFS_OK, "2"},
        {ENUM, "TEXT", "c", ELFS_BADARG, NULL},
        {ENUM, "TEXT", "<<\"A\">>", ELFS_BADARG, NULL},
        {OLD_ENUM, "TEXT", "a", ELFS_OK, "'A'"},
        {"binary_id", "TEXT", UUID, ELFS_OK, "'00112233-4455-6677-8899-aAbBcCdDeEfF'"},
        {"'Elixir.Ecto.UUID'", "TEXT", UUID, ELFS_OK, "'00112233-4455-6677-8899-aAbBcCdDeEfF'"},
        {"'Elixir.Ecto.UUID'", "TEXT", "5", ELFS_UNSUPPORTED, NULL},
        {"{array, 'Elixir.Ecto.UUID'}", "TEXT", "[5]", ELFS_UNSUPPORTED, NULL},
        {"'Elixir.Ecto.UUID'", "BLOB", "5", ELFS_BADARG, NULL},
        {"binary_id", "TEXT", "5", ELFS_BADARG, NULL},
        {"binary_id", "BLOB", "<<\"not a uuid\">>", ELFS_BADARG, NULL},
        {"any", "TEXT", "some_atom", ELFS_OK, "'some_atom'"},
        {"any", "TEXT", "{blob, <<1>>}", ELFS_OK, "x'01'"},
        {"'Elixir.My.Type'", "TEXT", "1", ELFS_UNSUPPORTED, NULL},
        {"{parameterized, {'Elixir.My.Type', #{}}}", "TEXT", "nil", ELFS_UNSUPPORTED, NULL},
        {"'Elixir.My.Type'", "TEXT", "nil", ELFS_UNSUPPORTED, NULL},
        {"{array, 'Elixir.My.Type'}", "TEXT", "[nil]", ELFS_OK, "'[null]'"},
        {"duration", "TEXT", "nil", ELFS_OK, "NULL"},
        {"string", "TEXT", "nil", ELFS_OK, "NULL"},
        {ENUM, "TEXT", "nil", ELFS_OK, "NULL"},
        {"map", "TEXT", "nil", ELFS_OK, "'null'"},
        {"{map, string}", "TEXT", "nil", ELFS_OK, "'null'"},
        {"{array, string}", "TEXT", "nil", ELFS_OK, "'null'"},
        {UNKNOWN_EMBED("one"), "TEXT", "nil", ELFS_OK, "'null'"},
        {UNKNOWN_EMBED("one"), "TEXT", "#{}", ELFS_UNSUPPORTED, NULL},
        {UNKNOWN_EMBED("many"), "TEXT", "[]", ELFS_UNSUPPORTED, NULL},
        {"{embed, #{}}", "TEXT", "#{}", ELFS_BADARG, NULL},
        {"{embed, #{cardinality => few, related => 'Elixir.My.Card'}}", "TEXT", "[]", ELFS_BADARG,
         NULL},
        {"{assoc, #{}}", "TEXT", "#{}", ELFS_UNSUPPORTED, NULL},
    };
    check_dumps(table, sizeof table / sizeof *table);
}

static void stored_without_a_type(void **state) {
    (void)state;
    static const struct dump table[] = {
        {NULL, "INTEGER", "5", ELFS_OK, "5"},
        {NULL, "REAL", "5.5", ELFS_OK, "5.5"},
        {NULL, "TEXT", "<<\"text\">>", ELFS_OK, "'text'"},
        {NULL, "", "<<\"text\">>", ELFS_OK, "'text'"},
        {NULL, "BLOB", "<<\"text\">>", ELFS_OK, "x'74657874'"},
        {NULL, "blob NOT NULL", "<<255>>", ELFS_OK, "x'ff'"},
        {NULL, "TEXT", "<<255>>", ELFS_UNSUPPORTED, NULL},
        {NULL, "BLOB", UUID, ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", UUID, ELFS_OK, "'00112233-4455-6677-8899-aAbBcCdDeEfF'"},
        {NULL, "INTEGER", "true", ELFS_OK, "1"},
        {NULL, "TEXT", "published", ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", NOW, ELFS_OK, "'2026-11-24T21:05:41'"},
        {NULL, "TEXT", UTC("41", "{0, 0}"), ELFS_OK, "'2026-11-24T21:05:41Z'"},
        {NULL, "TEXT", DATE, ELFS_OK, "'2026-11-24'"},
        {NULL, "DECIMAL", DECIMAL("1", "5", "0"), ELFS_OK, "'5'"},
        {NULL, "TEXT", "#{a => 1}", ELFS_OK, "'{\"a\":1}'"},
        {NULL, "TEXT", "[<<\"a\">>, 1, nil]", ELFS_OK, "'[\"a\",1,null]'"},
        {NULL, "TEXT", "[#{a => true}]", ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", "[]", ELFS_OK, "'[]'"},
        {NULL, "TEXT", "[1, a]", ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", "[true]", ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", "[[1]]", ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", MONEY, ELFS_UNSUPPORTED, NULL},
        {NULL, "TEXT", "{1}", ELFS_INVALID_PARAMETER, NULL},
        {NULL, "TEXT", "nil", ELFS_OK, "NULL"},
    };
    check_dumps(table, sizeof table / sizeof *table);
}

/* Bound as text, as exqlite binds them, and raw. */
static void ids_in_a_blob_column(void **state) {
    (void)state;
    static const char *const types[] = {"binary_id", "'Elixir.Ecto.UUID'"};
    for (size_t i = 0; i < 2; i++) {
        struct elfs_view term = term_parse(UUID), type_term = term_parse(types[i]);
        struct elfs_view bytes = term_parse(UUID_BYTES);
        struct elfs_ecto_column column = {.type = elfs_view_str("BLOB")};
        struct elfs_ecto_type type = elfs_ecto_type_read(type_term);
        struct elfs_value value;
        struct elfs_arena arena;
        elfs_arena_init(&arena);
        assert_int_equal(elfs_ecto_dump(&type, term, &column, &none, &arena, &value, NULL),
                         ELFS_OK);
        assert_int_equal(value.type, ELFS_TEXT);
        assert_int_equal(value.bytes.len, 16);
        assert_memory_equal(value.bytes.data, bytes.data + 5, 16);
        struct elfs_view loaded;
        assert_int_equal(elfs_ecto_load_raw_id(bytes, &arena, &loaded), ELFS_OK);
        assert_term(loaded, "<<\"00112233-4455-6677-8899-aabbccddeeff\">>");
        assert_int_equal(elfs_ecto_load_raw_id(term, &arena, &loaded), ELFS_OK);
        assert_term(loaded, UUID);
        elfs_arena_fini(&arena);
        exact_free(bytes);
        exact_free(type_term);
        exact_free(term);
    }
}

static void loaded(void **state) {
    (void)state;
    static const struct {
        const char *type;
        const char *value;
        const char *loaded; /* NULL: Ecto raises */
    } table[] = {
        {"integer", "5", "5"},
        {"integer", "<<\"5\">>", NULL},
        {"string", "<<\"x\">>", "<<\"x\">>"},
        {"string", "1", NULL},
        {"string", "nil", "nil"},
        {"binary", "<<255>>", "<<255>>"},
        {"any", "<<\"x\">>", "<<\"x\">>"},
        {"boolean", "1", "true"},
        {"boolean", "0", "false"},
        {"boolean", "<<\"TRUE\">>", "true"},
        {"boolean", "2", NULL},
        {"float", "1.5", "1.5"},
        {"float", "2", "2.0"},
        {"float", "<<\"x\">>", NULL},
        {"decimal", "<<\"-12.30\">>", DECIMAL("-1", "1230", "-2")},
        {"decimal", "12", DECIMAL("1", "12", "0")},
        {"decimal", "-7", DECIMAL("-1", "7", "0")},
        {"decimal", "1.5", DECIMAL("1", "15", "-1")},
        {"decimal", "100.0", DECIMAL("1", "1000", "-1")},
        {"decimal", "1.0e22", DECIMAL("1", "1", "22")},
        {"decimal", "-3.0e-8", DECIMAL("-1", "3", "-8")},
        {"decimal", "<<\"18446744073709551615\">>", NULL},
        {"decimal", "<<\"1.2.3\">>", NULL},
        {"decimal", "<<\"-\">>", NULL},
        {"decimal", "<<\"x\">>", NULL},
        {"date", "<<\"2026-11-24\">>", DATE},
        {"date", "<<\"2026-02-30\">>", NULL},
        {"date", "<<\"2026-11-24T\">>", NULL},
        {"time", "<<\"21:05:41.5\">>", TIME("{0, 0}")},
        {"time_usec", "<<\"21:05:41.5\">>", TIME("{500000, 6}")},
        {"time_usec", "<<\"21:05:41.1234567\">>", TIME("{123456, 6}")},
        {"time", "<<\"24:00:00\">>", NULL},
        {"time", "<<\"21:05\">>", NULL},
        {"naive_datetime", "<<\"2026-11-24T21:05:41\">>", NOW},
        {"naive_datetime", "<<\"2026-11-24 21:05:41.999\">>", NOW},
        {"naive_datetime_usec", "<<\"2026-11-24T21:05:41.000009\">>", NAIVE("41", "{9, 6}")},
        {"utc_datetime", "<<\"2026-11-24T21:05:41Z\">>", UTC("41", "{0, 0}")},
        {"utc_datetime_usec", "<<\"2026-11-24T21:05:41.5Z\">>", UTC("41", "{500000, 6}")},
        {"utc_datetime", "<<\"2026-11-24T21:05:41+01:00\">>", NULL},
        {"naive_datetime", "1795554341", NULL},
        {ENUM, "<<\"A\">>", "a"},
        {ENUM, "2", "b"},
        {ENUM, "<<\"B\">>", NULL},
        {"binary_id", UUID, UUID},
        {"binary_id", "<<\"0123456789abcdef\">>", "<<\"0123456789abcdef\">>"},
        {"'Elixir.Ecto.UUID'", UUID_BYTES, UUID_BYTES},
        {"{array, binary_id}", "<<\"[\\\"0123456789abcdef\\\"]\">>", "[<<\"0123456789abcdef\">>]"},
        {"map", "<<\"{\\\"a\\\":[1,null,true],\\\"b\\\":{}}\">>",
         "#{<<\"a\">> => [1, nil, true], <<\"b\">> => #{}}"},
        {"map", "<<\"null\">>", "nil"},
        {"map", "nil", "nil"},
        {"map", "<<\"[1]\">>", NULL},
        {"map", "<<\"{\">>", NULL},
        {"map", "1", NULL},
        {"{map, float}", "<<\"{\\\"a\\\":1,\\\"b\\\":\\\"2.5\\\",\\\"c\\\":null}\">>",
         "#{<<\"a\">> => 1.0, <<\"b\">> => 2.5, <<\"c\">> => nil}"},
        {"{map, integer}", "<<\"{\\\"a\\\":1.5}\">>", NULL},
        {"{map, integer}", "<<\"null\">>", "nil"},
        {"{map, integer}", "<<\"[]\">>", NULL},
        {"{map, {array, date}}", "<<\"{\\\"a\\\":[\\\"2026-11-24\\\"]}\">>",
         "#{<<\"a\">> => [" DATE "]}"},
        {"{array, string}", "<<\"[\\\"x\\\",null]\">>", "[<<\"x\">>, nil]"},
        {"{array, string}", "<<\"[]\">>", "[]"},
        {"{array, string}", "<<\"null\">>", "nil"},
        {"{array, string}", "<<\"[1]\">>", NULL},
        {"{array, string}", "<<\"{}\">>", NULL},
        {"{array, integer}", "<<\"[\\\"1\\\"]\">>", NULL}, /* loaded, not cast */
        {"{array, boolean}", "<<\"[1,0,true,\\\"FALSE\\\"]\">>", "[true, false, true, false]"},
        {"{array, decimal}", "<<\"[\\\"1.50\\\",2]\">>",
         "[" DECIMAL("1", "150", "-2") ", " DECIMAL("1", "2", "0") "]"},
        {"{array, utc_datetime}", "<<\"[\\\"2026-11-24T21:05:41Z\\\"]\">>",
         "[" UTC("41", "{0, 0}") "]"},
        {"{array, " ENUM "}", "<<\"[2,\\\"A\\\",null]\">>", "[b, a, nil]"},
        {"{array, " ENUM "}", "<<\"[3]\">>", NULL},
        {"{array, {array, integer}}", "<<\"[[1],[],null]\">>", "[[1], [], nil]"},
        {"{array, map}", "<<\"[{\\\"a\\\":1}]\">>", "[#{<<\"a\">> => 1}]"},
        {"{array, {map, date}}", "<<\"[{\\\"a\\\":\\\"2026-11-24\\\"}]\">>",
         "[#{<<\"a\">> => " DATE "}]"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view value = term_parse(table[i].value), type_term = term_parse(table[i].type);
        struct elfs_ecto_type type = elfs_ecto_type_read(type_term);
        struct elfs_view term;
        struct elfs_arena arena;
        elfs_arena_init(&arena);
        assert_true(elfs_ecto_can_load(&type, &none));
        enum elfs_code code = elfs_ecto_load(&type, value, &none, &arena, &term);
        bool big = strstr(table[i].value, "18446744073709551615") != NULL;
        if (big) {
            char *text = term_print(term);
            assert_non_null(strstr(text, "coef => 16#FFFFFFFFFFFFFFFF"));
            (free)(text);
        } else if (table[i].loaded) {
            if (code != ELFS_OK) fail_msg("%s as %s", table[i].value, table[i].type);
            assert_term(term, table[i].loaded);
        } else if (code != ELFS_BADARG) {
            fail_msg("%s as %s is loaded", table[i].value, table[i].type);
        }
        elfs_arena_fini(&arena);
        exact_free(type_term);
        exact_free(value);
    }
    static const char *const cannot[] = {
        UNKNOWN_EMBED("one"),
        UNKNOWN_EMBED("many"),
        "{embed, #{}}",
        "{parameterized, {'Elixir.Ecto.Embedded', #{cardinality => one, related => "
        "'Elixir.My.Card'}}}",
        "{assoc, #{}}",
        "'Elixir.My.Type'",
        "{parameterized, {'Elixir.My.Type', #{}}}",
        "{map, 'Elixir.My.Type'}",
        "{map, " UNKNOWN_EMBED("one") "}",
        "{map, " DUMPED_ENUM "}",
        "{array, 'Elixir.My.Type'}",
        "{array, {array, 'Elixir.My.Type'}}",
        "{array, {map, 'Elixir.My.Type'}}",
        "{array, " UNKNOWN_EMBED("one") "}",
    };
    for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++) {
        struct elfs_view term = term_parse(cannot[i]);
        struct elfs_ecto_type type = elfs_ecto_type_read(term);
        assert_false(elfs_ecto_can_load(&type, &none));
        exact_free(term);
    }
}

/* How often a schema was looked for. */
static size_t asked;

static const struct elfs_ecto_schema *find_any(void *arg, struct elfs_view module) {
    (void)module;
    asked++;
    return arg;
}

#define EMBED_OF(n)                                                                                \
    "f" n " => {f" n                                                                               \
    ", {parameterized, {'Elixir.Ecto.Embedded', #{cardinality => one, related => "                 \
    "'Elixir.My.M" n "'}}}, always}"

/* Each of nine embeds all of them: not one look for each way through them, of which there are a million. */
static void schemas_that_embed_each_other(void **state) {
    (void)state;
    struct elfs_view dump = term_parse(
        "#{" EMBED_OF("1") ", " EMBED_OF("2") ", " EMBED_OF("3") ", " EMBED_OF("4") ", " EMBED_OF(
            "5") ", " EMBED_OF("6") ", " EMBED_OF("7") ", " EMBED_OF("8") ", " EMBED_OF("9") "}");
    struct elfs_view term = term_parse(UNKNOWN_EMBED("one"));
    struct elfs_ecto_type type = elfs_ecto_type_read(term);
    struct elfs_ecto_schema schema = {.source = ELFS_VIEW_NONE};
    struct elfs_ecto_schemas schemas = {find_any, &schema};
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    assert_int_equal(elfs_ecto_map_read(dump, &arena, &schema.dump), ELFS_OK);
    assert_true(elfs_ecto_can_load(&type, &schemas));
    assert_true(asked <= 100);
    elfs_arena_fini(&arena);
    exact_free(term);
    exact_free(dump);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_by_type),
        cmocka_unit_test(stored_without_a_type),
        cmocka_unit_test(ids_in_a_blob_column),
        cmocka_unit_test(loaded),
        cmocka_unit_test(schemas_that_embed_each_other),
    };
    return cmocka_run_group_tests_name("ecto_types", tests, NULL, NULL);
}
