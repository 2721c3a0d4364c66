/* struct_text - see struct_text.h.
 *
 * A struct is a map with the key __struct__. Its fields come in any order: one pass collects those
 * that any of our structs has, then the struct's own function reads what it needs.
 */
#include "codec/struct_text.h"

#include "codec/decimal_text.h"

#define FIELDS(X)                                                                                  \
    X(STRUCT, "__struct__")                                                                        \
    X(CALENDAR, "calendar")                                                                        \
    X(YEAR, "year")                                                                                \
    X(MONTH, "month")                                                                              \
    X(DAY, "day")                                                                                  \
    X(HOUR, "hour")                                                                                \
    X(MINUTE, "minute")                                                                            \
    X(SECOND, "second")                                                                            \
    X(MICROSECOND, "microsecond")                                                                  \
    X(TIME_ZONE, "time_zone")                                                                      \
    X(UTC_OFFSET, "utc_offset")                                                                    \
    X(STD_OFFSET, "std_offset")                                                                    \
    X(SIGN, "sign")                                                                                \
    X(COEF, "coef")                                                                                \
    X(EXP, "exp")

enum field {
#define X(id, name) id,
    FIELDS(X) FIELD_COUNT
#undef X
};

static const char *const field_names[] = {
#define X(id, name) [id] = name,
    FIELDS(X)
#undef X
};

static const uint8_t field_lengths[] = {
#define X(id, name) [id] = sizeof name - 1,
    FIELDS(X)
#undef X
};

/* The value terms; empty where the map has no such key. */
struct fields {
    struct elfs_view at[FIELD_COUNT];
};

/* The longest is -9999-12-31T23:59:59.999999. */
struct text {
    char bytes[32];
    size_t len;
};

/* Which field it is; FIELD_COUNT for none that we know. */
static size_t find(struct elfs_view name) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (name.len == field_lengths[i] && memcmp(name.data, field_names[i], name.len) == 0)
            return i;
    }
    return FIELD_COUNT;
}

static enum elfs_code collect(struct elfs_view map, struct fields *fields) {
    struct elfs_reader r = elfs_reader_of(map);
    size_t pairs;
    enum elfs_code code = elfs_term_map(&r, &pairs);
    for (; code == ELFS_OK && pairs > 0; pairs--) {
        struct elfs_view value, name = ELFS_VIEW_NONE;
        code = elfs_term_atom(&r, &name);
        if (code == ELFS_BADARG) code = elfs_term_skip(&r, NULL);
        if (code == ELFS_OK) code = elfs_term_skip(&r, &value);
        if (code != ELFS_OK) return code;
        size_t field = find(name);
        if (field < FIELD_COUNT) fields->at[field] = value;
    }
    return code;
}

static enum elfs_code bad_field(enum field field, struct elfs_error *err) {
    return elfs_fail(err, ELFS_INVALID_PARAMETER, "the struct's %s is missing or out of range",
                     field_names[field]);
}

static enum elfs_code int_field(const struct fields *fields, enum field field, int64_t min,
                                int64_t max, int64_t *value, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(fields->at[field]);
    if (elfs_term_int64(&r, value) != ELFS_OK || *value < min || *value > max)
        return bad_field(field, err);
    return ELFS_OK;
}

static bool atom_field_is(const struct fields *fields, enum field field, const char *text) {
    struct elfs_reader r = elfs_reader_of(fields->at[field]);
    struct elfs_view atom;
    return elfs_term_atom(&r, &atom) == ELFS_OK && elfs_view_is(atom, text);
}

static void put_char(struct text *text, char c) { text->bytes[text->len++] = c; }

static void put_number(struct text *text, int64_t value, size_t digits) {
    text->len += digits;
    for (size_t i = 1; i <= digits; i++, value /= 10)
        text->bytes[text->len - i] = (char)('0' + value % 10);
}

static int64_t days_in_month(int64_t year, int64_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (leap && month == 2);
}

/* YYYY-MM-DD, with a minus for the years before 0. */
static enum elfs_code put_date(const struct fields *fields, struct text *text,
                               struct elfs_error *err) {
    int64_t year, month, day;
    enum elfs_code code = int_field(fields, YEAR, -9999, 9999, &year, err);
    if (code == ELFS_OK) code = int_field(fields, MONTH, 1, 12, &month, err);
    if (code == ELFS_OK) code = int_field(fields, DAY, 1, days_in_month(year, month), &day, err);
    if (code != ELFS_OK) return code;
    if (year < 0) put_char(text, '-');
    put_number(text, year < 0 ? -year : year, 4);
    put_char(text, '-');
    put_number(text, month, 2);
    put_char(text, '-');
    put_number(text, day, 2);
    return ELFS_OK;
}

/* {Value, Precision}: the first Precision of its six digits. */
static enum elfs_code put_microsecond(const struct fields *fields, struct text *text,
                                      struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(fields->at[MICROSECOND]);
    size_t arity;
    int64_t value, precision;
    if (elfs_term_tuple(&r, &arity) != ELFS_OK || arity != 2 ||
        elfs_term_int64(&r, &value) != ELFS_OK || elfs_term_int64(&r, &precision) != ELFS_OK ||
        value < 0 || value > 999999 || precision < 0 || precision > 6)
        return bad_field(MICROSECOND, err);
    if (precision == 0) return ELFS_OK;
    put_char(text, '.');
    put_number(text, value, 6);
    text->len -= (size_t)(6 - precision);
    return ELFS_OK;
}

/* HH:MM:SS[.ffffff] */
static enum elfs_code put_time(const struct fields *fields, struct text *text,
                               struct elfs_error *err) {
    int64_t hour, minute, second;
    enum elfs_code code = int_field(fields, HOUR, 0, 23, &hour, err);
    if (code == ELFS_OK) code = int_field(fields, MINUTE, 0, 59, &minute, err);
    if (code == ELFS_OK) code = int_field(fields, SECOND, 0, 59, &second, err);
    if (code != ELFS_OK) return code;
    put_number(text, hour, 2);
    put_char(text, ':');
    put_number(text, minute, 2);
    put_char(text, ':');
    put_number(text, second, 2);
    return put_microsecond(fields, text, err);
}

static enum elfs_code put_naive(const struct fields *fields, struct text *text,
                                struct elfs_error *err) {
    enum elfs_code code = put_date(fields, text, err);
    if (code != ELFS_OK) return code;
    put_char(text, 'T');
    return put_time(fields, text, err);
}

static enum elfs_code put_utc(const struct fields *fields, struct text *text,
                              struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(fields->at[TIME_ZONE]);
    struct elfs_view zone;
    int64_t zero;
    if (elfs_term_binary(&r, &zone) != ELFS_OK || !elfs_view_is(zone, "Etc/UTC"))
        return elfs_fail(err, ELFS_INVALID_PARAMETER, "the DateTime is not in UTC");
    enum elfs_code code = int_field(fields, UTC_OFFSET, 0, 0, &zero, err);
    if (code == ELFS_OK) code = int_field(fields, STD_OFFSET, 0, 0, &zero, err);
    return code == ELFS_OK ? put_naive(fields, text, err) : code;
}

static enum elfs_code
calendar_text(const struct fields *fields,
              enum elfs_code (*put)(const struct fields *, struct text *, struct elfs_error *),
              struct elfs_arena *arena, struct elfs_view *text, struct elfs_error *err) {
    struct text out = {.len = 0};
    if (!atom_field_is(fields, CALENDAR, "Elixir.Calendar.ISO"))
        return elfs_fail(err, ELFS_INVALID_PARAMETER, "only Calendar.ISO can be bound");
    enum elfs_code code = put(fields, &out, err);
    if (code != ELFS_OK) return code;
    const uint8_t *copy = elfs_arena_copy(arena, out.bytes, out.len);
    if (!copy) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    *text = (struct elfs_view){copy, out.len};
    return ELFS_OK;
}

enum elfs_code elfs_struct_text(struct elfs_view term, struct elfs_arena *arena,
                                struct elfs_view *text, struct elfs_error *err) {
    static const struct {
        const char *name;
        enum elfs_code (*put)(const struct fields *, struct text *, struct elfs_error *);
    } structs[] = {
        {"Elixir.Date", put_date},
        {"Elixir.Time", put_time},
        {"Elixir.NaiveDateTime", put_naive},
        {"Elixir.DateTime", put_utc},
    };
    struct fields fields = {0};
    enum elfs_code code = collect(term, &fields);
    if (code != ELFS_OK) return code;
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++) {
        if (atom_field_is(&fields, STRUCT, structs[i].name))
            return calendar_text(&fields, structs[i].put, arena, text, err);
    }
    if (atom_field_is(&fields, STRUCT, "Elixir.Decimal"))
        return elfs_decimal_text(fields.at[SIGN], fields.at[COEF], fields.at[EXP], arena, text,
                                 err);
    return ELFS_BADARG;
}
