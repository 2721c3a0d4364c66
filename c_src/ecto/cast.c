/* cast - see cast.h. Recursion is bounded: a type that came in a term is no deeper than the value. */
#include "ecto/cast.h"

#include <math.h>
#include <stdlib.h>

#include "codec/put.h"
#include "ecto/each.h"
#include "ecto/integer.h"
#include "ecto/load.h"
#include "ecto/make.h"
#include "ecto/moment.h"
#include "ecto/peek.h"
#include "ecto/uuid.h"

#define NUMBER_TEXT_MAX 64

bool elfs_ecto_can_cast(const struct elfs_ecto_type *type) {
    struct elfs_ecto_type t = *type;
    while (t.kind == ELFS_ECTO_ARRAY || t.kind == ELFS_ECTO_MAP_OF)
        t = elfs_ecto_type_read(t.detail);
    if (t.kind == ELFS_ECTO_ENUM) return !elfs_ecto_enum_is_dumped(&t);
    return t.kind <= ELFS_ECTO_UTC_USEC;
}

static enum elfs_code taken(struct elfs_buf *buf, enum elfs_code code, struct elfs_arena *arena,
                            struct elfs_view *cast) {
    *cast = elfs_ecto_take(buf, arena);
    if (code != ELFS_OK) return code;
    return cast->len > 0 ? ELFS_OK : ELFS_NOMEM;
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static size_t digits(struct elfs_view text, size_t at) {
    size_t n = 0;
    while (at + n < text.len && is_digit(text.data[at + n])) n++;
    return n;
}

static size_t sign(struct elfs_view text, size_t at) {
    return at < text.len && (text.data[at] == '-' || text.data[at] == '+');
}

/* Integer.parse/1, all of it. */
static enum elfs_code cast_integer_text(struct elfs_view text, struct elfs_arena *arena,
                                        struct elfs_view *cast) {
    struct elfs_buf buf;
    size_t start = sign(text, 0);
    if (text.len >= 32) return ELFS_BADARG;
    elfs_buf_init(&buf, NUMBER_TEXT_MAX);
    return taken(&buf,
                 elfs_put_digits(&buf, start && text.data[0] == '-',
                                 (struct elfs_view){text.data + start, text.len - start}),
                 arena, cast);
}

/* Float.parse/1, all of it: [sign]digits[.digits][e[sign]digits]. */
static bool is_float_text(struct elfs_view text) {
    size_t at = sign(text, 0), n = digits(text, at);
    if (n == 0) return false;
    at += n;
    if (at < text.len && text.data[at] == '.') {
        n = digits(text, at + 1);
        if (n == 0) return false;
        at += 1 + n;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at += 1 + sign(text, at + 1);
        n = digits(text, at);
        if (n == 0) return false;
        at += n;
    }
    return at == text.len;
}

static enum elfs_code cast_float_text(struct elfs_view text, struct elfs_arena *arena,
                                      struct elfs_view *cast) {
    char copy[NUMBER_TEXT_MAX];
    struct elfs_buf buf;
    if (text.len >= sizeof copy || !is_float_text(text)) return ELFS_BADARG;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, NULL);
    if (!isfinite(value)) return ELFS_BADARG;
    elfs_buf_init(&buf, NUMBER_TEXT_MAX);
    elfs_put_float(&buf, value);
    return taken(&buf, ELFS_OK, arena, cast);
}

static enum elfs_code cast_boolean(struct elfs_view value, struct elfs_arena *arena,
                                   struct elfs_view *cast) {
    struct elfs_view text = elfs_ecto_binary(value);
    bool yes = elfs_view_is(text, "true") || elfs_view_is(text, "1");
    bool no = elfs_view_is(text, "false") || elfs_view_is(text, "0");
    *cast = value;
    if (elfs_ecto_is_atom(value, "true") || elfs_ecto_is_atom(value, "false")) return ELFS_OK;
    if (!yes && !no) return ELFS_BADARG;
    *cast = elfs_ecto_make_atom(yes ? "true" : "false", arena);
    return cast->len > 0 ? ELFS_OK : ELFS_NOMEM;
}

static enum elfs_code cast_uuid(struct elfs_view value, struct elfs_arena *arena,
                                struct elfs_view *cast) {
    struct elfs_view bytes = elfs_ecto_binary(value);
    uint8_t raw[16];
    char text[ELFS_UUID_TEXT];
    if (bytes.len == sizeof raw) {
        memcpy(raw, bytes.data, sizeof raw);
    } else if (!elfs_uuid_parse(bytes, raw)) {
        return ELFS_BADARG;
    }
    elfs_uuid_text(raw, text);
    *cast = elfs_ecto_make_binary((struct elfs_view){(const uint8_t *)text, sizeof text}, arena);
    return cast->len > 0 ? ELFS_OK : ELFS_NOMEM;
}

static enum elfs_code cast_date(const struct elfs_ecto_type *type, struct elfs_view value,
                                struct elfs_arena *arena, struct elfs_view *cast) {
    struct elfs_view text = elfs_ecto_binary(value);
    enum elfs_code code = elfs_ecto_load(type, value, NULL, arena, cast);
    if (code != ELFS_BADARG || text.len <= 10) return code;
    struct elfs_ecto_moment moment;
    if (!elfs_ecto_moment_parse(ELFS_ECTO_NAIVE, text, &moment)) return ELFS_BADARG;
    *cast = elfs_ecto_moment_term(ELFS_ECTO_DATE, &moment, arena);
    return cast->len > 0 ? ELFS_OK : ELFS_NOMEM;
}

/* What the mapping has for it; a value that is stored otherwise may be given by its name. */
static enum elfs_code cast_enum(const struct elfs_ecto_type *type, struct elfs_view value,
                                struct elfs_arena *arena, struct elfs_view *cast) {
    enum elfs_code code = elfs_ecto_load(type, value, NULL, arena, cast);
    if (code != ELFS_BADARG) return code;
    struct elfs_reader r = elfs_reader_of(elfs_ecto_key(type->detail, "on_cast"));
    size_t pairs;
    if (elfs_term_map(&r, &pairs) != ELFS_OK) return ELFS_BADARG;
    for (; pairs > 0; pairs--) {
        struct elfs_view key, atom;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &atom) != ELFS_OK) break;
        if (!elfs_ecto_is(key, ELFS_TERM_BINARY) || !elfs_ecto_is(value, ELFS_TERM_BINARY) ||
            !elfs_view_equal(elfs_ecto_binary(key), elfs_ecto_binary(value)))
            continue;
        *cast = atom;
        return ELFS_OK;
    }
    return ELFS_BADARG;
}

/* For elfs_ecto_each. */
struct element {
    struct elfs_ecto_type type;
    struct elfs_arena *arena;
};

static enum elfs_code cast_element(void *arg, struct elfs_view item, struct elfs_view *cast) {
    const struct element *element = arg;
    return elfs_ecto_cast(&element->type, item, element->arena, cast);
}

static enum elfs_code cast_array(const struct elfs_ecto_type *type, struct elfs_view value,
                                 struct elfs_arena *arena, struct elfs_view *cast) {
    struct element element = {elfs_ecto_type_read(type->detail), arena};
    return elfs_ecto_each(value, cast_element, &element, arena, cast);
}

static enum elfs_code cast_map(const struct elfs_ecto_type *type, struct elfs_view value,
                               struct elfs_arena *arena, struct elfs_view *cast) {
    struct elfs_ecto_type of = elfs_ecto_type_read(type->detail);
    struct elfs_reader r = elfs_reader_of(value);
    struct elfs_view key, item, one;
    struct elfs_buf buf;
    size_t pairs;
    if (elfs_term_map(&r, &pairs) != ELFS_OK) return ELFS_BADARG;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_map_header(&buf, pairs);
    enum elfs_code code = ELFS_OK;
    for (; code == ELFS_OK && pairs > 0; pairs--) {
        code = elfs_term_skip(&r, &key);
        if (code == ELFS_OK) code = elfs_term_skip(&r, &item);
        if (code == ELFS_OK) code = elfs_ecto_cast(&of, item, arena, &one);
        if (code != ELFS_OK) break;
        elfs_buf_append_view(&buf, key);
        elfs_buf_append_view(&buf, one);
    }
    return taken(&buf, code, arena, cast);
}

enum elfs_code elfs_ecto_cast(const struct elfs_ecto_type *type, struct elfs_view value,
                              struct elfs_arena *arena, struct elfs_view *cast) {
    struct elfs_view text = elfs_ecto_binary(value);
    *cast = value;
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    switch (type->kind) {
    case ELFS_ECTO_ID:
    case ELFS_ECTO_INTEGER:
        if (text.len > 0) return cast_integer_text(text, arena, cast);
        break;
    case ELFS_ECTO_FLOAT:
        if (text.len > 0) return cast_float_text(text, arena, cast);
        break;
    case ELFS_ECTO_BOOLEAN: return cast_boolean(value, arena, cast);
    case ELFS_ECTO_BINARY_ID: return elfs_ecto_is(value, ELFS_TERM_BINARY) ? ELFS_OK : ELFS_BADARG;
    case ELFS_ECTO_UUID: return cast_uuid(value, arena, cast);
    case ELFS_ECTO_MAP: return elfs_ecto_is(value, ELFS_TERM_MAP) ? ELFS_OK : ELFS_BADARG;
    case ELFS_ECTO_DATE: return cast_date(type, value, arena, cast);
    case ELFS_ECTO_ENUM: return cast_enum(type, value, arena, cast);
    case ELFS_ECTO_ARRAY: return cast_array(type, value, arena, cast);
    case ELFS_ECTO_MAP_OF: return cast_map(type, value, arena, cast);
    default: break;
    }
    return elfs_ecto_load(type, value, NULL, arena, cast);
}
