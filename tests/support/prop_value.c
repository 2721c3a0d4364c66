/* prop_value - see prop_value.h. Floats and decimals are in prop_number.c, lists and maps in prop_json.c. */
#include "prop_value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "prop_json.h"
#include "prop_number.h"

#define ENUM_OF(pairs, back)                                                                       \
    "{parameterized, {'Elixir.Ecto.Enum', #{on_dump => #{" pairs "}, on_load => #{" back "}}}}"
#define ENUM_TEXT                                                                                  \
    ENUM_OF("red => <<\"R\">>, blue => <<\"blue\">>", "<<\"R\">> => red, <<\"blue\">> => blue")
#define ENUM_INTEGER ENUM_OF("low => 1, high => 300", "1 => low, 300 => high")

static const struct {
    const char *text;
    const char *declared;
    bool loads;
    bool binds;
} types[PROP_TYPES] = {
    [PROP_ID] = {"id", "INTEGER", true, true},
    [PROP_INTEGER] = {"integer", "INTEGER", true, true},
    [PROP_STRING] = {"string", "TEXT", true, true},
    [PROP_DATE] = {"date", "TEXT", true, true},
    [PROP_BOOLEAN] = {"boolean", "INTEGER", true, true},
    [PROP_FLOAT] = {"float", "NUMERIC", true, true},
    [PROP_DECIMAL] = {"decimal", "DECIMAL", true, true},
    [PROP_DECIMAL_TEXT] = {"decimal", "TEXT", true, true},
    [PROP_TIME] = {"time", "TEXT", true, true},
    [PROP_TIME_USEC] = {"time_usec", "TEXT", true, true},
    [PROP_NAIVE] = {"naive_datetime", "TEXT", true, true},
    [PROP_NAIVE_USEC] = {"naive_datetime_usec", "TEXT", true, true},
    [PROP_UTC] = {"utc_datetime", "TEXT", true, false},
    [PROP_UTC_USEC] = {"utc_datetime_usec", "TEXT", true, false},
    [PROP_MAP] = {"map", "TEXT", true, false},
    [PROP_MAP_OF] = {"{map, integer}", "TEXT", true, false},
    [PROP_STRINGS] = {"{array, string}", "TEXT", true, false},
    [PROP_INTEGERS] = {"{array, integer}", "TEXT", true, false},
    [PROP_BOOLEANS] = {"{array, boolean}", "TEXT", true, false},
    [PROP_DATES] = {"{array, date}", "TEXT", true, false},
    [PROP_ENUMS] = {"{array, " ENUM_TEXT "}", "TEXT", true, false},
    [PROP_BINARY] = {"binary", "BLOB", true, false},
    [PROP_UUID] = {"'Elixir.Ecto.UUID'", "TEXT", true, true},
    [PROP_BINARY_ID] = {"binary_id", "TEXT", true, true},
    [PROP_BINARY_ID_RAW] = {"binary_id", "BLOB", true, false},
    [PROP_ENUM] = {ENUM_TEXT, "TEXT", true, false},
    [PROP_ENUM_INTEGER] = {ENUM_INTEGER, "INTEGER", true, false},
    [PROP_LISTS] = {"{array, {array, integer}}", "TEXT", true, false},
    [PROP_CUSTOM] = {"'Elixir.My.Money'", "TEXT", false, false},
};

const char *prop_type_text(enum prop_type type) { return types[type].text; }
const char *prop_type_declared(enum prop_type type) { return types[type].declared; }
bool prop_type_loads(enum prop_type type) { return types[type].loads; }
bool prop_type_binds(enum prop_type type) { return types[type].binds; }

const char *prop_stored(struct elfs_arena *arena, const char *class, const void *bytes,
                        size_t len) {
    const uint8_t *at = bytes;
    char *out = elfs_arena_alloc(arena, strlen(class) + 2 + len * 4);
    size_t n = (size_t)sprintf(out, "%s ", class);
    for (size_t i = 0; i < len; i++)
        n += (size_t)sprintf(
            out + n, at[i] >= ' ' && at[i] != '\\' && at[i] < 127 ? "%c" : "\\x%02x", at[i]);
    out[n] = '\0';
    return out;
}

const char *prop_binary(struct elfs_arena *arena, const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    struct prop_list list;
    prop_list_init(&list, arena, ",");
    for (size_t i = 0; i < len; i++) prop_list_add(&list, "%d", at[i]);
    return prop_text(arena, "<<%s>>", list.text);
}

static const char *stored_text(struct elfs_arena *arena, const char *text) {
    return prop_stored(arena, "text", text, strlen(text));
}

/* What is read back as it was given. */
static struct prop_value plain(const char *term, const char *stored) {
    return (struct prop_value){.term = term, .stored = stored, .loaded = term};
}

struct prop_value prop_nil(void) {
    return plain("nil", "null");
}

struct prop_value prop_nil_of(enum prop_type type) {
    bool json = (type >= PROP_MAP && type <= PROP_ENUMS) || type == PROP_LISTS;
    struct prop_value value = json ? plain("nil", "text null") : prop_nil();
    value.refused = type == PROP_CUSTOM; /* as long as its type is known */
    return value;
}

struct prop_value prop_integer(struct elfs_arena *arena, int64_t integer) {
    const char *text = prop_text(arena, "%lld", (long long)integer);
    struct prop_value value = plain(text, prop_text(arena, "integer %s", text));
    value.integer = integer;
    return value;
}

static struct prop_value make_integer(struct prop_random *r, struct elfs_arena *arena, bool few) {
    static const int64_t edges[] = {0, -1, 255, 256, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    if (few) return prop_integer(arena, prop_below(r, 5));
    if (prop_one_in(r, 3)) return prop_integer(arena, edges[prop_below(r, 8)]);
    return prop_integer(arena, (int64_t)prop_below(r, 2000) - 1000);
}

static struct prop_value make_string(struct prop_random *r, struct elfs_arena *arena, bool few) {
    static const char *const texts[] = {"a",
                                        "b",
                                        "A",
                                        "x@example.com",
                                        "",
                                        " ",
                                        "it's",
                                        "say \"so\"",
                                        "gr\xC3\xBC\xC3\x9F",
                                        "a\\b",
                                        "1.5",
                                        "a\nb\tc",
                                        "nil",
                                        "{blob}",
                                        "\x01\x7f",
                                        "\xE2\x82\xAC",
                                        "?1"};
    const char *text = texts[prop_below(r, few ? 5 : sizeof texts / sizeof *texts)];
    return plain(prop_binary(arena, text, strlen(text)), stored_text(arena, text));
}

static struct prop_value make_boolean(struct prop_random *r) {
    return prop_one_in(r, 2) ? plain("true", "integer 1") : plain("false", "integer 0");
}

static bool is_usec(enum prop_type type) {
    return type == PROP_TIME_USEC || type == PROP_NAIVE_USEC || type == PROP_UTC_USEC;
}

struct prop_value prop_moment(struct elfs_arena *arena, enum prop_type type, int64_t unix_us) {
    bool utc = type == PROP_UTC || type == PROP_UTC_USEC;
    bool time_only = type == PROP_TIME || type == PROP_TIME_USEC;
    time_t seconds = (time_t)(unix_us / 1000000);
    int usec = is_usec(type) ? (int)(unix_us % 1000000) : 0;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    char date[16], clock[16], fraction[16] = "";
    strftime(date, sizeof date, "%Y-%m-%d", &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    if (is_usec(type)) snprintf(fraction, sizeof fraction, ".%06d", usec);
    const char *day = time_only ? ""
                                : prop_text(arena, ", year => %d, month => %d, day => %d",
                                            tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    const char *hour =
        type == PROP_DATE
            ? ""
            : prop_text(arena, ", hour => %d, minute => %d, second => %d, microsecond => {%d, %d}",
                        tm.tm_hour, tm.tm_min, tm.tm_sec, usec, is_usec(type) ? 6 : 0);
    const char *zone =
        utc ? ", time_zone => <<\"Etc/UTC\">>, zone_abbr => <<\"UTC\">>, utc_offset => 0, "
              "std_offset => 0"
            : "";
    const char *name = type == PROP_DATE ? "Date"
                       : time_only       ? "Time"
                       : utc             ? "DateTime"
                                         : "NaiveDateTime";
    const char *text = type == PROP_DATE
                           ? date
                           : prop_text(arena, "%s%s%s%s%s", time_only ? "" : date,
                                       time_only ? "" : "T", clock, fraction, utc ? "Z" : "");
    return plain(
        prop_text(arena, "#{'__struct__' => 'Elixir.%s', calendar => 'Elixir.Calendar.ISO'%s%s%s}",
                  name, day, hour, zone),
        stored_text(arena, text));
}

static struct prop_value make_moment(struct prop_random *r, struct elfs_arena *arena,
                                     enum prop_type type, bool few) {
    int64_t day = few ? prop_below(r, 4) : prop_below(r, 40000);
    int64_t second = prop_below(r, 86400),
            usec = prop_one_in(r, 2) ? prop_below(r, 1000000) : prop_below(r, 10);
    return prop_moment(arena, type, (day * 86400 + second) * 1000000 + usec);
}

struct prop_value prop_uuid(struct elfs_arena *arena, enum prop_type type, uint8_t byte) {
    uint8_t raw[16];
    memset(raw, byte, sizeof raw);
    raw[6] = (uint8_t)(0x40 | (byte & 0x0f)); /* version 4 */
    raw[8] = (uint8_t)(0x80 | (byte & 0x3f)); /* variant of RFC 4122 */
    const char *text =
        prop_text(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                  raw[0], raw[1], raw[2], raw[3], raw[4], raw[5], raw[6], raw[7], raw[8], raw[9],
                  raw[10], raw[11], raw[12], raw[13], raw[14], raw[15]);
    struct prop_value value = plain(prop_text(arena, "<<\"%s\">>", text), stored_text(arena, text));
    if (type != PROP_BINARY_ID_RAW) return value;
    value.stored =
        prop_stored(arena, "text", raw, sizeof raw); /* bound as exqlite binds a binary */
    value.needs_type = true;
    return value;
}

static struct prop_value make_binary(struct prop_random *r, struct elfs_arena *arena) {
    static const char *const texts[] = {"", "a", "\xff\xfe", "text",
                                        "\x01\x02\x03\x04\x05\x06\x07\x08"};
    const char *text = texts[prop_below(r, 5)];
    size_t len = strlen(text) + prop_below(r, 2); /* with a zero byte, or without */
    const char *term = prop_binary(arena, text, len);
    return plain(term, prop_stored(arena, "blob", text, len));
}

static struct prop_value make_enum(struct prop_random *r, bool integers) {
    struct prop_value value;
    if (integers) {
        value = prop_one_in(r, 2) ? plain("low", "integer 1") : plain("high", "integer 300");
    } else {
        value = prop_one_in(r, 2) ? plain("red", "text R") : plain("blue", "text blue");
    }
    value.needs_type = true;
    return value;
}

static struct prop_value refused(const char *term) {
    struct prop_value value = plain(term, "null");
    value.refused = true;
    return value;
}

struct prop_value prop_value(struct prop_random *r, struct elfs_arena *arena, enum prop_type type,
                             bool few) {
    switch (type) {
    case PROP_ID: return prop_integer(arena, 1 + prop_below(r, 12));
    case PROP_INTEGER: return make_integer(r, arena, few);
    case PROP_STRING: return make_string(r, arena, few);
    case PROP_BOOLEAN: return make_boolean(r);
    case PROP_FLOAT: return prop_float(r, arena);
    case PROP_DECIMAL: return prop_decimal(r, arena, true);
    case PROP_DECIMAL_TEXT: return prop_decimal(r, arena, false);
    case PROP_BINARY: return make_binary(r, arena);
    case PROP_UUID:
    case PROP_BINARY_ID:
    case PROP_BINARY_ID_RAW: return prop_uuid(arena, type, (uint8_t)prop_below(r, few ? 8 : 256));
    case PROP_ENUM:
    case PROP_ENUM_INTEGER: return make_enum(r, type == PROP_ENUM_INTEGER);
    case PROP_CUSTOM: return refused("#{'__struct__' => 'Elixir.My.Money', amount => 1}");
    case PROP_LISTS: return refused("[[1]]");
    case PROP_MAP:
    case PROP_MAP_OF:
    case PROP_STRINGS:
    case PROP_INTEGERS:
    case PROP_BOOLEANS:
    case PROP_DATES:
    case PROP_ENUMS: return prop_json_value(r, arena, type);
    default: return make_moment(r, arena, type, few);
    }
}

/* A datetime of the wrong precision is an ArgumentError, what Ecto does not dump refused, anything else
 * a ChangeError. */
struct prop_value prop_wrong(struct prop_random *r, struct elfs_arena *arena, enum prop_type type) {
    static const enum prop_type other[PROP_TYPES] = {
        [PROP_TIME] = PROP_TIME_USEC,   [PROP_TIME_USEC] = PROP_TIME,
        [PROP_NAIVE] = PROP_NAIVE_USEC, [PROP_NAIVE_USEC] = PROP_NAIVE,
        [PROP_UTC] = PROP_UTC_USEC,     [PROP_UTC_USEC] = PROP_UTC};
    struct prop_value value = plain("{nope}", "null");
    value.raises = "'Elixir.Ecto.ChangeError'";
    value.refused = type == PROP_CUSTOM || type == PROP_UUID;
    if (other[type] != PROP_ID && prop_one_in(r, 2)) {
        value = make_moment(r, arena, other[type], false);
        value.raises = "'Elixir.ArgumentError'";
        value.moment = true;
    }
    return value;
}
