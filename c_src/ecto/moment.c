/* moment - see moment.h. */
#include "ecto/moment.h"

#include "codec/put.h"
#include "ecto/make.h"
#include "ecto/peek.h"

#define US_A_DAY INT64_C(86400000000)

static bool has_date(enum elfs_ecto_kind kind) {
    return kind != ELFS_ECTO_TIME && kind != ELFS_ECTO_TIME_USEC;
}

static bool has_time(enum elfs_ecto_kind kind) { return kind != ELFS_ECTO_DATE; }

static bool is_usec(enum elfs_ecto_kind kind) {
    return kind == ELFS_ECTO_TIME_USEC || kind == ELFS_ECTO_NAIVE_USEC ||
           kind == ELFS_ECTO_UTC_USEC;
}

static bool is_utc(enum elfs_ecto_kind kind) {
    return kind == ELFS_ECTO_UTC || kind == ELFS_ECTO_UTC_USEC;
}

/* Days since 1970-01-01 to a date, by eras of 400 years that begin on the first of March. */
static void set_date(struct elfs_ecto_moment *m, int64_t days) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day = days - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March on */
    m->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    m->month = (int)(month < 10 ? month + 3 : month - 9);
    m->year = (int)(year + era * 400 + (m->month <= 2));
}

struct elfs_ecto_moment elfs_ecto_moment_of(int64_t unix_us) {
    struct elfs_ecto_moment m;
    int64_t days = unix_us / US_A_DAY, rest = unix_us % US_A_DAY;
    if (rest < 0) {
        rest += US_A_DAY;
        days--;
    }
    set_date(&m, days);
    m.microsecond = (int)(rest % 1000000);
    rest /= 1000000;
    m.second = (int)(rest % 60);
    m.minute = (int)(rest / 60 % 60);
    m.hour = (int)(rest / 3600);
    return m;
}

struct cursor {
    const uint8_t *at;
    size_t left;
};

static bool take(struct cursor *c, char expected) {
    if (c->left == 0 || *c->at != (uint8_t)expected) return false;
    c->at++;
    c->left--;
    return true;
}

/* Exactly so many digits. */
static bool number(struct cursor *c, size_t digits, int min, int max, int *value) {
    *value = 0;
    if (c->left < digits) return false;
    for (size_t i = 0; i < digits; i++) {
        if (c->at[i] < '0' || c->at[i] > '9') return false;
        *value = *value * 10 + (c->at[i] - '0');
    }
    c->at += digits;
    c->left -= digits;
    return *value >= min && *value <= max;
}

static int days_in(int year, int month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (leap && month == 2);
}

static bool parse_date(struct cursor *c, struct elfs_ecto_moment *m) {
    bool negative = take(c, '-');
    if (!number(c, 4, 0, 9999, &m->year) || !take(c, '-') || !number(c, 2, 1, 12, &m->month) ||
        !take(c, '-'))
        return false;
    if (negative) m->year = -m->year;
    return number(c, 2, 1, days_in(m->year, m->month), &m->day);
}

/* The digits after the sixth are cut off, as Calendar.ISO does. */
static bool parse_fraction(struct cursor *c, int *microsecond) {
    int digit, scale = 100000;
    *microsecond = 0;
    if (!take(c, '.')) return true;
    if (!number(c, 1, 0, 9, &digit)) return false;
    do {
        *microsecond += digit * scale;
        scale /= 10;
    } while (c->left > 0 && *c->at != 'Z' && number(c, 1, 0, 9, &digit));
    return true;
}

static bool parse_time(struct cursor *c, struct elfs_ecto_moment *m) {
    return number(c, 2, 0, 23, &m->hour) && take(c, ':') && number(c, 2, 0, 59, &m->minute) &&
           take(c, ':') && number(c, 2, 0, 59, &m->second) && parse_fraction(c, &m->microsecond);
}

bool elfs_ecto_moment_parse(enum elfs_ecto_kind kind, struct elfs_view text,
                            struct elfs_ecto_moment *moment) {
    struct cursor c = {text.data, text.len};
    *moment = (struct elfs_ecto_moment){0};
    if (has_date(kind) && !parse_date(&c, moment)) return false;
    if (has_date(kind) && has_time(kind) && !take(&c, 'T') && !take(&c, ' ')) return false;
    if (has_time(kind) && !parse_time(&c, moment)) return false;
    if (has_date(kind) && has_time(kind)) take(&c, 'Z');
    return c.left == 0;
}

static void put_field(struct elfs_buf *buf, const char *name, int value) {
    elfs_put_atom(buf, name);
    elfs_put_int64(buf, value);
}

static void put_atom_field(struct elfs_buf *buf, const char *name, const char *value) {
    elfs_put_atom(buf, name);
    elfs_put_atom(buf, value);
}

static void put_time(struct elfs_buf *buf, enum elfs_ecto_kind kind,
                     const struct elfs_ecto_moment *m) {
    put_field(buf, "hour", m->hour);
    put_field(buf, "minute", m->minute);
    put_field(buf, "second", m->second);
    elfs_put_atom(buf, "microsecond");
    elfs_put_tuple_header(buf, 2);
    elfs_put_int64(buf, is_usec(kind) ? m->microsecond : 0);
    elfs_put_int64(buf, is_usec(kind) ? 6 : 0);
}

static void put_zone(struct elfs_buf *buf) {
    elfs_put_atom(buf, "time_zone");
    elfs_put_binary_str(buf, "Etc/UTC");
    elfs_put_atom(buf, "zone_abbr");
    elfs_put_binary_str(buf, "UTC");
    put_field(buf, "utc_offset", 0);
    put_field(buf, "std_offset", 0);
}

static const char *struct_name(enum elfs_ecto_kind kind) {
    if (!has_date(kind)) return "Elixir.Time";
    if (!has_time(kind)) return "Elixir.Date";
    return is_utc(kind) ? "Elixir.DateTime" : "Elixir.NaiveDateTime";
}

struct elfs_view elfs_ecto_moment_term(enum elfs_ecto_kind kind, const struct elfs_ecto_moment *m,
                                       struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_map_header(&buf, 2U + (has_date(kind) ? 3 : 0) + (has_time(kind) ? 4 : 0) +
                                  (is_utc(kind) ? 4 : 0));
    put_atom_field(&buf, "__struct__", struct_name(kind));
    put_atom_field(&buf, "calendar", "Elixir.Calendar.ISO");
    if (has_date(kind)) {
        put_field(&buf, "year", m->year);
        put_field(&buf, "month", m->month);
        put_field(&buf, "day", m->day);
    }
    if (has_time(kind)) put_time(&buf, kind, m);
    if (is_utc(kind)) put_zone(&buf);
    return elfs_ecto_take(&buf, arena);
}
