/* json - see json.h. Recursion is bounded by DEPTH_MAX. */
#include "ecto/json.h"

#include <stdio.h>

#include "codec/struct_text.h"
#include "ecto/float_text.h"
#include "ecto/make.h"
#include "ecto/peek.h"

#define DEPTH_MAX 64

struct writer {
    struct elfs_buf *buf;
    struct elfs_arena *arena;
    struct elfs_error *err;
};

static enum elfs_code invalid(struct elfs_error *err, const char *what) {
    return elfs_fail(err, ELFS_INVALID_PARAMETER, "%s", what);
}

static enum elfs_code put_string(struct elfs_buf *buf, struct elfs_view text,
                                 struct elfs_error *err) {
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    if (!elfs_utf8_is_valid(text)) return invalid(err, "a text in JSON is not UTF-8");
    elfs_buf_put_u8(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        const char *escaped = c ? strchr(plain, c) : NULL;
        if (escaped) {
            elfs_buf_put_u8(buf, '\\');
            elfs_buf_put_u8(buf, (uint8_t)letters[escaped - plain]);
        } else if (c < 0x20) {
            char code[8];
            snprintf(code, sizeof code, "\\u%04X", c);
            elfs_buf_append(buf, code, 6);
        } else {
            elfs_buf_put_u8(buf, c);
        }
    }
    elfs_buf_put_u8(buf, '"');
    return ELFS_OK;
}

static void put_int(struct elfs_buf *buf, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    elfs_ecto_puts(buf, text);
}

static void put_float(struct elfs_buf *buf, double value) {
    char text[ELFS_FLOAT_TEXT_MAX];
    elfs_float_text(value, text);
    elfs_ecto_puts(buf, text);
}

enum elfs_code elfs_ecto_json_value(struct elfs_buf *buf, const struct elfs_value *value,
                                    struct elfs_error *err) {
    switch (value->type) {
    case ELFS_NULL: elfs_ecto_puts(buf, "null"); return ELFS_OK;
    case ELFS_INTEGER: put_int(buf, value->integer); return ELFS_OK;
    case ELFS_REAL: put_float(buf, value->real); return ELFS_OK;
    case ELFS_TEXT: return put_string(buf, value->bytes, err);
    case ELFS_BLOB: break;
    }
    return invalid(err, "a binary cannot be an element of a JSON list");
}

static enum elfs_code put_term(struct writer *w, struct elfs_view term, int depth);

static enum elfs_code put_number(struct writer *w, struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    int64_t integer;
    double real;
    if (elfs_term_float(&r, &real) == ELFS_OK) {
        put_float(w->buf, real);
    } else if (elfs_term_int64(&r, &integer) == ELFS_OK) {
        put_int(w->buf, integer);
    } else {
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "an integer in JSON does not fit 64 bits");
    }
    return ELFS_OK;
}

static enum elfs_code put_atom(struct writer *w, struct elfs_view term) {
    struct elfs_view text = elfs_ecto_atom(term);
    if (elfs_view_is(text, "nil")) {
        elfs_ecto_puts(w->buf, "null");
    } else if (elfs_view_is(text, "true") || elfs_view_is(text, "false")) {
        elfs_buf_append_view(w->buf, text);
    } else {
        return put_string(w->buf, text, w->err);
    }
    return ELFS_OK;
}

static enum elfs_code put_list(struct writer *w, struct elfs_view term, int depth) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    enum elfs_code code = ELFS_OK;
    elfs_buf_put_u8(w->buf, '[');
    elfs_ecto_list_begin(term, &list);
    for (bool first = true; code == ELFS_OK && elfs_ecto_list_next(&list, &item); first = false) {
        if (!first) elfs_buf_put_u8(w->buf, ',');
        code = put_term(w, item, depth);
    }
    if (code == ELFS_OK && list.improper) return invalid(w->err, "an improper list is not JSON");
    elfs_buf_put_u8(w->buf, ']');
    return code;
}

static enum elfs_code put_key(struct writer *w, struct elfs_view key) {
    struct elfs_reader r = elfs_reader_of(key);
    int64_t integer;
    if (elfs_ecto_is(key, ELFS_TERM_ATOM)) return put_string(w->buf, elfs_ecto_atom(key), w->err);
    if (elfs_ecto_is(key, ELFS_TERM_BINARY))
        return put_string(w->buf, elfs_ecto_binary(key), w->err);
    if (elfs_term_int64(&r, &integer) != ELFS_OK)
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "a key in JSON is no atom, binary or integer");
    elfs_buf_put_u8(w->buf, '"');
    put_int(w->buf, integer);
    elfs_buf_put_u8(w->buf, '"');
    return ELFS_OK;
}

/* Jason writes a DateTime with its Z, and a Decimal in scientific notation where its exponent is
 * positive or the number very small: that we leave to Jason. */
static enum elfs_code put_struct(struct writer *w, struct elfs_view term) {
    struct elfs_view text;
    struct elfs_reader r = elfs_reader_of(elfs_ecto_key(term, "exp"));
    int64_t exponent;
    enum elfs_code code = elfs_struct_text(term, w->arena, &text, w->err);
    if (code == ELFS_BADARG)
        return elfs_fail(w->err, ELFS_UNSUPPORTED,
                         "how a struct in a map becomes JSON only the application knows: use the "
                         "middleware of ecto_litefs");
    if (code != ELFS_OK) return code;
    if (elfs_term_int64(&r, &exponent) == ELFS_OK && (exponent > 0 || exponent < -6))
        return elfs_fail(w->err, ELFS_UNSUPPORTED,
                         "a Decimal in a map that Jason would write in scientific notation");
    elfs_buf_put_u8(w->buf, '"');
    elfs_buf_append_view(w->buf, text);
    if (elfs_view_is(elfs_ecto_struct(term), "Elixir.DateTime")) elfs_buf_put_u8(w->buf, 'Z');
    elfs_buf_put_u8(w->buf, '"');
    return ELFS_OK;
}

static enum elfs_code put_map(struct writer *w, struct elfs_view term, int depth) {
    struct elfs_reader r = elfs_reader_of(term);
    size_t pairs;
    if (elfs_ecto_key(term, "__struct__").len > 0) return put_struct(w, term);
    enum elfs_code code = elfs_term_map(&r, &pairs);
    elfs_buf_put_u8(w->buf, '{');
    for (size_t i = 0; code == ELFS_OK && i < pairs; i++) {
        struct elfs_view key, value;
        if (i > 0) elfs_buf_put_u8(w->buf, ',');
        code = elfs_term_skip(&r, &key);
        if (code == ELFS_OK) code = elfs_term_skip(&r, &value);
        if (code == ELFS_OK) code = put_key(w, key);
        elfs_buf_put_u8(w->buf, ':');
        if (code == ELFS_OK) code = put_term(w, value, depth);
    }
    elfs_buf_put_u8(w->buf, '}');
    return code;
}

static enum elfs_code put_term(struct writer *w, struct elfs_view term, int depth) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_peek(&r, &kind);
    if (code != ELFS_OK) return code;
    if (depth == DEPTH_MAX)
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "JSON of more than %d levels", DEPTH_MAX);
    switch (kind) {
    case ELFS_TERM_INTEGER:
    case ELFS_TERM_FLOAT: return put_number(w, term);
    case ELFS_TERM_ATOM: return put_atom(w, term);
    case ELFS_TERM_BINARY: return put_string(w->buf, elfs_ecto_binary(term), w->err);
    case ELFS_TERM_LIST:
    case ELFS_TERM_STRING:
    case ELFS_TERM_NIL: return put_list(w, term, depth + 1);
    case ELFS_TERM_MAP: return put_map(w, term, depth + 1);
    default: return invalid(w->err, "a term that JSON cannot hold");
    }
}

enum elfs_code elfs_ecto_json(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                              struct elfs_error *err) {
    struct writer w = {buf, arena, err};
    enum elfs_code code = put_term(&w, term, 0);
    return code == ELFS_OK ? buf->status : code;
}
