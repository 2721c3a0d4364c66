/* load - see load.h. */
#include "ecto/load.h"

#include <stdio.h>

#include "codec/put.h"
#include "ecto/cast.h"
#include "ecto/each.h"
#include "ecto/embed_load.h"
#include "ecto/float_text.h"
#include "ecto/integer.h"
#include "ecto/json_read.h"
#include "ecto/make.h"
#include "ecto/moment.h"
#include "ecto/peek.h"
#include "ecto/uuid.h"

bool elfs_ecto_can_load(const struct elfs_ecto_type *type,
                        const struct elfs_ecto_schemas *schemas) {
    struct elfs_ecto_type of = {.kind = ELFS_ECTO_UNTYPED};
    if (type->kind <= ELFS_ECTO_UTC_USEC || type->kind == ELFS_ECTO_ENUM) return true;
    if (type->kind == ELFS_ECTO_EMBED) return elfs_ecto_can_load_embed(type, schemas);
    if (type->kind == ELFS_ECTO_MAP_OF) return elfs_ecto_can_cast(type);
    while (type->kind == ELFS_ECTO_ARRAY) {
        of = elfs_ecto_type_read(type->detail);
        type = &of;
    }
    return of.kind <= ELFS_ECTO_UTC_USEC || of.kind == ELFS_ECTO_ENUM ||
           (of.kind == ELFS_ECTO_MAP_OF && elfs_ecto_can_cast(&of));
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
    *loaded = value;
    if (elfs_ecto_is_atom(value, "true") || elfs_ecto_is_atom(value, "false")) return ELFS_OK;
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

enum elfs_code elfs_ecto_load_raw_id(struct elfs_view value, struct elfs_arena *arena,
                                     struct elfs_view *loaded) {
    struct elfs_view bytes = elfs_ecto_binary(value);
    struct elfs_buf buf;
    char text[ELFS_UUID_TEXT];
    *loaded = value;
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    if (bytes.len != 16) return same(value, ELFS_TERM_BINARY, loaded);
    elfs_uuid_text(bytes.data, text);
    elfs_buf_init(&buf, 64);
    elfs_put_binary(&buf, (struct elfs_view){(const uint8_t *)text, sizeof text});
    return made(elfs_ecto_take(&buf, arena), loaded);
}

static enum elfs_code put_decimal(struct elfs_buf *buf, bool negative, struct elfs_view digits,
                                  int64_t exponent) {
    elfs_put_map_header(buf, 4);
    elfs_put_atom(buf, "__struct__");
    elfs_put_atom(buf, "Elixir.Decimal");
    elfs_put_atom(buf, "sign");
    elfs_put_int64(buf, negative ? -1 : 1);
    elfs_put_atom(buf, "coef");
    enum elfs_code code = elfs_put_digits(buf, false, digits);
    elfs_put_atom(buf, "exp");
    elfs_put_int64(buf, exponent);
    return code;
}

static bool read_exponent(struct elfs_view text, int64_t *exponent) {
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t start = negative || (text.len > 0 && text.data[0] == '+');
    if (text.len == start || text.len - start > 9) return false;
    for (size_t i = start; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *exponent = *exponent * 10 + (text.data[i] - '0');
    }
    if (negative) *exponent = -*exponent;
    return true;
}

/* [-]digits[.digits][E[sign]digits]; a Decimal keeps its zeros. False if it is something else. */
static bool put_decimal_text(struct elfs_buf *buf, struct elfs_view text) {
    char digits[ELFS_DIGITS_MAX];
    size_t count = 0, fraction = 0, i;
    int64_t exponent = 0;
    bool negative = text.len > 0 && text.data[0] == '-', point = false;
    for (i = negative || (text.len > 0 && text.data[0] == '+'); i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == 'e' || c == 'E') break;
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || count == sizeof digits) return false;
        digits[count++] = (char)c;
        fraction += point;
    }
    if (i < text.len &&
        !read_exponent((struct elfs_view){text.data + i + 1, text.len - i - 1}, &exponent))
        return false;
    return put_decimal(buf, negative, (struct elfs_view){(const uint8_t *)digits, count},
                       exponent - (int64_t)fraction) == ELFS_OK;
}

static bool put_decimal_float(struct elfs_buf *buf, double value) {
    char text[ELFS_FLOAT_TEXT_MAX];
    size_t len = elfs_float_text(value, text);
    const char *power = memchr(text, 'e', len);
    if (!power) return put_decimal_text(buf, (struct elfs_view){(const uint8_t *)text, len});
    struct elfs_float_digits d;
    elfs_float_digits(value, &d);
    return put_decimal(buf, value < 0, (struct elfs_view){(const uint8_t *)d.digits, d.count},
                       d.exponent) == ELFS_OK;
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

/* For elfs_ecto_each. */
struct element {
    struct elfs_ecto_type type;
    const struct elfs_ecto_schemas *schemas;
    struct elfs_arena *arena;
};

static enum elfs_code load_element(void *arg, struct elfs_view item, struct elfs_view *loaded) {
    const struct element *element = arg;
    return elfs_ecto_load(&element->type, item, element->schemas, element->arena, loaded);
}

static enum elfs_code load_array(const struct elfs_ecto_type *type, struct elfs_view value,
                                 const struct elfs_ecto_schemas *schemas, struct elfs_arena *arena,
                                 struct elfs_view *loaded) {
    struct element element = {elfs_ecto_type_read(type->detail), schemas, arena};
    return elfs_ecto_each(value, load_element, &element, arena, loaded);
}

/* Text is JSON; in a list of lists or maps it has been read already. */
static enum elfs_code load_json(const struct elfs_ecto_type *type, struct elfs_view value,
                                const struct elfs_ecto_schemas *schemas, struct elfs_arena *arena,
                                struct elfs_view *loaded) {
    if (elfs_ecto_is(value, ELFS_TERM_BINARY)) {
        enum elfs_code code = elfs_ecto_json_read(elfs_ecto_binary(value), arena, &value);
        if (code != ELFS_OK) return code;
    }
    if (type->kind == ELFS_ECTO_EMBED)
        return elfs_ecto_load_embed(type, value, schemas, arena, loaded);
    *loaded = value;
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    if (type->kind == ELFS_ECTO_MAP) return same(value, ELFS_TERM_MAP, loaded);
    if (type->kind == ELFS_ECTO_MAP_OF) return elfs_ecto_cast(type, value, arena, loaded);
    return load_array(type, value, schemas, arena, loaded);
}

enum elfs_code elfs_ecto_load(const struct elfs_ecto_type *type, struct elfs_view value,
                              const struct elfs_ecto_schemas *schemas, struct elfs_arena *arena,
                              struct elfs_view *loaded) {
    *loaded = value;
    if (elfs_ecto_type_is_json(type)) return load_json(type, value, schemas, arena, loaded);
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    switch (type->kind) {
    case ELFS_ECTO_ID:
    case ELFS_ECTO_INTEGER: return same(value, ELFS_TERM_INTEGER, loaded);
    case ELFS_ECTO_STRING:
    case ELFS_ECTO_BINARY:
    case ELFS_ECTO_BINARY_ID:
    case ELFS_ECTO_UUID: return same(value, ELFS_TERM_BINARY, loaded);
    case ELFS_ECTO_FLOAT: return load_float(value, arena, loaded);
    case ELFS_ECTO_BOOLEAN: return load_boolean(value, arena, loaded);
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
