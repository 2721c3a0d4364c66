/* load - see load.h. */
#include "ecto/load.h"

#include <stdio.h>

#include "codec/put.h"
#include "codec/term_head.h"
#include "ecto/float_text.h"
#include "ecto/make.h"
#include "ecto/moment.h"
#include "ecto/peek.h"
#include "ecto/uuid.h"

/* Of a decimal that can be loaded. */
#define DIGITS_MAX 600

bool elfs_ecto_can_load(const struct elfs_ecto_type *type) {
    return type->kind <= ELFS_ECTO_UTC_USEC ? type->kind != ELFS_ECTO_MAP
                                            : type->kind == ELFS_ECTO_ENUM;
}

static enum elfs_code made(struct elfs_view term, struct elfs_view *loaded) {
    *loaded = term;
    return term.len ? ELFS_OK : ELFS_NOMEM;
}

static enum elfs_code same(struct elfs_view value, enum elfs_term_kind kind,
                           struct elfs_view *loaded) {
    *loaded = value;
    return elfs_ecto_is(value, kind) ? ELFS_OK : ELFS_BADARG;
}

static enum elfs_code load_boolean(struct elfs_view value, struct elfs_arena *arena,
                                   struct elfs_view *loaded) {
    struct elfs_reader r = elfs_reader_of(value);
    struct elfs_view text = elfs_ecto_binary(value);
    int64_t integer = -1;
    elfs_term_int64(&r, &integer);
    bool yes = integer == 1 || elfs_view_is(text, "1") || elfs_view_is(text, "TRUE");
    bool no = integer == 0 || elfs_view_is(text, "0") || elfs_view_is(text, "FALSE");
    if (!yes && !no) return ELFS_BADARG;
    return made(elfs_ecto_make_atom(yes ? "true" : "false", arena), loaded);
}

static enum elfs_code load_float(struct elfs_view value, struct elfs_arena *arena,
                                 struct elfs_view *loaded) {
    struct elfs_reader r = elfs_reader_of(value);
    struct elfs_buf buf;
    int64_t integer;
    if (elfs_term_int64(&r, &integer) != ELFS_OK) return same(value, ELFS_TERM_FLOAT, loaded);
    elfs_buf_init(&buf, 16);
    elfs_put_float(&buf, (double)integer);
    return made(elfs_ecto_take(&buf, arena), loaded);
}

/* Text stays; 16 bytes, which a BLOB column holds, become text. */
static enum elfs_code load_id(struct elfs_view value, struct elfs_arena *arena,
                              struct elfs_view *loaded) {
    struct elfs_view bytes = elfs_ecto_binary(value);
    struct elfs_buf buf;
    char text[ELFS_UUID_TEXT];
    if (bytes.len != 16) return same(value, ELFS_TERM_BINARY, loaded);
    elfs_uuid_text(bytes.data, text);
    elfs_buf_init(&buf, 64);
    elfs_put_binary(&buf, (struct elfs_view){(const uint8_t *)text, sizeof text});
    return made(elfs_ecto_take(&buf, arena), loaded);
}

static void put_decimal(struct elfs_buf *buf, bool negative, struct elfs_view digits,
                        int64_t exponent) {
    uint8_t magnitude[UINT8_MAX] = {0}; /* base 256, little-endian: DIGITS_MAX digits fit */
    size_t len = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned carry = (unsigned)(digits.data[i] - '0');
        for (size_t k = 0; k < len; k++) {
            carry += magnitude[k] * 10U;
            magnitude[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry) magnitude[len++] = (uint8_t)carry;
    }
    elfs_put_map_header(buf, 4);
    elfs_put_atom(buf, "__struct__");
    elfs_put_atom(buf, "Elixir.Decimal");
    elfs_put_atom(buf, "sign");
    elfs_put_int64(buf, negative ? -1 : 1);
    elfs_put_atom(buf, "coef");
    if (len <= sizeof(uint64_t)) {
        uint64_t coefficient = 0;
        for (size_t i = len; i > 0; i--) coefficient = coefficient << 8 | magnitude[i - 1];
        elfs_put_uint64(buf, coefficient);
    } else {
        elfs_buf_put_u8(buf, ELFS_TAG_SMALL_BIG);
        elfs_buf_put_u8(buf, (uint8_t)len);
        elfs_buf_put_u8(buf, 0);
        elfs_buf_append(buf, magnitude, len);
    }
    elfs_put_atom(buf, "exp");
    elfs_put_int64(buf, exponent);
}

/* [-]digits[.digits], as stored; a Decimal keeps its zeros. False if it is something else. */
static bool put_decimal_text(struct elfs_buf *buf, struct elfs_view text) {
    char digits[DIGITS_MAX];
    size_t count = 0, fraction = 0, i = 0;
    bool negative = text.len > 0 && text.data[0] == '-', point = false;
    for (i = negative; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || count == sizeof digits) return false;
        digits[count++] = (char)c;
        fraction += point;
    }
    if (count == 0) return false;
    put_decimal(buf, negative, (struct elfs_view){(const uint8_t *)digits, count},
                -(int64_t)fraction);
    return true;
}

static bool put_decimal_float(struct elfs_buf *buf, double value) {
    char text[ELFS_FLOAT_TEXT_MAX];
    size_t len = elfs_float_text(value, text);
    const char *power = memchr(text, 'e', len);
    if (!power) return put_decimal_text(buf, (struct elfs_view){(const uint8_t *)text, len});
    struct elfs_float_digits d;
    elfs_float_digits(value, &d);
    if (d.count == 1) { /* 1.0e22 has two digits */
        d.digits[d.count++] = '0';
        d.exponent--;
    }
    put_decimal(buf, value < 0, (struct elfs_view){(const uint8_t *)d.digits, d.count}, d.exponent);
    return true;
}

static enum elfs_code load_decimal(struct elfs_view value, struct elfs_arena *arena,
                                   struct elfs_view *loaded) {
    struct elfs_reader r = elfs_reader_of(value);
    struct elfs_buf buf;
    int64_t integer;
    double real;
    bool ok;
    elfs_buf_init(&buf, SIZE_MAX);
    if (elfs_term_int64(&r, &integer) == ELFS_OK) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)integer);
        ok = put_decimal_text(&buf, elfs_view_str(text));
    } else if (elfs_term_float(&r, &real) == ELFS_OK) {
        ok = put_decimal_float(&buf, real);
    } else {
        ok = put_decimal_text(&buf, elfs_ecto_binary(value));
    }
    struct elfs_view term = elfs_ecto_take(&buf, arena);
    return ok ? made(term, loaded) : ELFS_BADARG;
}

static enum elfs_code load_moment(enum elfs_ecto_kind kind, struct elfs_view value,
                                  struct elfs_arena *arena, struct elfs_view *loaded) {
    struct elfs_ecto_moment moment;
    if (!elfs_ecto_moment_parse(kind, elfs_ecto_binary(value), &moment)) return ELFS_BADARG;
    return made(elfs_ecto_moment_term(kind, &moment, arena), loaded);
}

/* The mapping from what is stored to the atom: keys are binaries or integers, compared as terms of
 * one encoding. */
static bool same_stored(struct elfs_view a, struct elfs_view b) {
    struct elfs_reader x = elfs_reader_of(a), y = elfs_reader_of(b);
    int64_t i, k;
    if (elfs_term_int64(&x, &i) == ELFS_OK && elfs_term_int64(&y, &k) == ELFS_OK) return i == k;
    return elfs_ecto_is(a, ELFS_TERM_BINARY) && elfs_ecto_is(b, ELFS_TERM_BINARY) &&
           elfs_view_equal(elfs_ecto_binary(a), elfs_ecto_binary(b));
}

static enum elfs_code load_enum(const struct elfs_ecto_type *type, struct elfs_view value,
                                struct elfs_view *loaded) {
    struct elfs_reader r = elfs_reader_of(elfs_ecto_key(type->detail, "on_load"));
    size_t pairs;
    if (elfs_term_map(&r, &pairs) != ELFS_OK) return ELFS_BADARG;
    for (; pairs > 0; pairs--) {
        struct elfs_view stored, atom;
        if (elfs_term_skip(&r, &stored) != ELFS_OK || elfs_term_skip(&r, &atom) != ELFS_OK) break;
        if (!same_stored(stored, value)) continue;
        *loaded = atom;
        return ELFS_OK;
    }
    return ELFS_BADARG;
}

enum elfs_code elfs_ecto_load(const struct elfs_ecto_type *type, struct elfs_view value,
                              struct elfs_arena *arena, struct elfs_view *loaded) {
    *loaded = value;
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    switch (type->kind) {
    case ELFS_ECTO_ID:
    case ELFS_ECTO_INTEGER: return same(value, ELFS_TERM_INTEGER, loaded);
    case ELFS_ECTO_STRING:
    case ELFS_ECTO_BINARY: return same(value, ELFS_TERM_BINARY, loaded);
    case ELFS_ECTO_FLOAT: return load_float(value, arena, loaded);
    case ELFS_ECTO_BOOLEAN: return load_boolean(value, arena, loaded);
    case ELFS_ECTO_BINARY_ID:
    case ELFS_ECTO_UUID: return load_id(value, arena, loaded);
    case ELFS_ECTO_DECIMAL: return load_decimal(value, arena, loaded);
    case ELFS_ECTO_DATE:
    case ELFS_ECTO_TIME:
    case ELFS_ECTO_TIME_USEC:
    case ELFS_ECTO_NAIVE:
    case ELFS_ECTO_NAIVE_USEC:
    case ELFS_ECTO_UTC:
    case ELFS_ECTO_UTC_USEC: return load_moment(type->kind, value, arena, loaded);
    case ELFS_ECTO_ENUM: return load_enum(type, value, loaded);
    default: return ELFS_OK;
    }
}
