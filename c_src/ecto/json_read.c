/* json_read - see json_read.h. Recursion is bounded by ELFS_JSON_DEPTH_MAX. */
#include "ecto/json_read.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "codec/put.h"
#include "ecto/integer.h"
#include "ecto/make.h"

struct reader {
    struct elfs_json json;
    struct elfs_arena *arena;
    struct elfs_buf buf; /* the term */
};

static enum elfs_code put_value(struct reader *r, int at);

static struct elfs_view bytes_of(const struct reader *r, int at) {
    const struct elfs_json_token *token = &r->json.tokens[at];
    return (struct elfs_view){(const uint8_t *)r->json.text + token->start,
                              (size_t)(token->end - token->start)};
}

static enum elfs_code read_string(struct reader *r, int at, struct elfs_view *text) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    enum elfs_code code = elfs_json_text(&r->json, at, &buf);
    if (code == ELFS_OK) code = buf.status;
    *text = elfs_ecto_take(&buf, r->arena);
    return code == ELFS_OK && !text->data ? ELFS_NOMEM : code;
}

static enum elfs_code put_string(struct reader *r, int at) {
    struct elfs_view text;
    enum elfs_code code = read_string(r, at, &text);
    elfs_put_binary(&r->buf, text);
    return code;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static struct elfs_view trimmed(struct elfs_view text) {
    while (text.len > 0 && is_space(text.data[0]))
        text = (struct elfs_view){text.data + 1, text.len - 1};
    while (text.len > 0 && is_space(text.data[text.len - 1])) text.len--;
    return text;
}

/* strtod takes what JSON calls a number, and wants its end marked. */
static enum elfs_code put_float(struct reader *r, struct elfs_view text) {
    char *copy = elfs_arena_alloc(r->arena, text.len + 1);
    if (!copy) return ELFS_NOMEM;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, NULL);
    if (!isfinite(value)) return ELFS_BADARG;
    elfs_put_float(&r->buf, value);
    return ELFS_OK;
}

static enum elfs_code put_primitive(struct reader *r, int at) {
    struct elfs_view text = bytes_of(r, at);
    bool negative = text.data[0] == '-';
    if (elfs_json_is(&r->json, at, "null")) {
        elfs_put_atom(&r->buf, "nil");
    } else if (elfs_json_is(&r->json, at, "true") || elfs_json_is(&r->json, at, "false")) {
        elfs_put_atom_view(&r->buf, text);
    } else if (memchr(text.data, '.', text.len) || memchr(text.data, 'e', text.len) ||
               memchr(text.data, 'E', text.len)) {
        return put_float(r, text);
    } else {
        return elfs_put_digits(&r->buf, negative,
                               (struct elfs_view){text.data + negative, text.len - negative});
    }
    return ELFS_OK;
}

static enum elfs_code put_array(struct reader *r, int at) {
    const struct elfs_json_token *tokens = r->json.tokens;
    size_t count = 0;
    enum elfs_code code = ELFS_OK;
    for (int i = at + 1; i < tokens[at].next; i = tokens[i].next) count++;
    elfs_put_list_header(&r->buf, count);
    for (int i = at + 1; code == ELFS_OK && i < tokens[at].next; i = tokens[i].next)
        code = put_value(r, i);
    elfs_put_nil(&r->buf);
    return code;
}

struct member {
    struct elfs_view key;
    int value; /* its token */
};

static int by_key(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    size_t common = x->key.len < y->key.len ? x->key.len : y->key.len;
    int order = common ? memcmp(x->key.data, y->key.data, common) : 0;
    if (order == 0) order = (x->key.len > y->key.len) - (x->key.len < y->key.len);
    return order ? order : (x->value > y->value) - (x->value < y->value);
}

/* Sorted, and each key once: a BEAM drops a connection that brings a map with a key twice. */
static enum elfs_code read_members(struct reader *r, int at, struct member **members,
                                   size_t *count) {
    const struct elfs_json_token *tokens = r->json.tokens;
    size_t n = 0, kept = 0;
    for (int i = at + 1; i < tokens[at].next; i = tokens[i + 1].next) n++;
    *members = elfs_arena_array(r->arena, n, sizeof **members);
    if (!*members) return ELFS_NOMEM;
    n = 0;
    for (int i = at + 1; i < tokens[at].next; i = tokens[i + 1].next) {
        enum elfs_code code = read_string(r, i, &(*members)[n].key);
        if (code != ELFS_OK) return code;
        (*members)[n++].value = i + 1;
    }
    qsort(*members, n, sizeof **members, by_key);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !elfs_view_equal((*members)[kept - 1].key, (*members)[i].key))
            (*members)[kept++] = (*members)[i];
    }
    *count = kept;
    return ELFS_OK;
}

static enum elfs_code put_object(struct reader *r, int at) {
    struct member *members;
    size_t count;
    enum elfs_code code = read_members(r, at, &members, &count);
    if (code != ELFS_OK) return code;
    elfs_put_map_header(&r->buf, count);
    for (size_t i = 0; code == ELFS_OK && i < count; i++) {
        elfs_put_binary(&r->buf, members[i].key);
        code = put_value(r, members[i].value);
    }
    return code;
}

static enum elfs_code put_value(struct reader *r, int at) {
    switch (r->json.tokens[at].kind) {
    case ELFS_JSON_OBJECT: return put_object(r, at);
    case ELFS_JSON_ARRAY: return put_array(r, at);
    case ELFS_JSON_STRING: return put_string(r, at);
    default: return put_primitive(r, at);
    }
}

enum elfs_code elfs_ecto_json_read(struct elfs_view text, struct elfs_arena *arena,
                                   struct elfs_view *term) {
    struct reader r = {.arena = arena};
    *term = ELFS_VIEW_NONE;
    if (elfs_view_is(trimmed(text), "null")) { /* jsmn takes no primitive alone */
        *term = elfs_ecto_make_atom("nil", arena);
        return term->len ? ELFS_OK : ELFS_NOMEM;
    }
    elfs_buf_init(&r.buf, SIZE_MAX);
    enum elfs_code code = elfs_json_parse(text, INT_MAX, arena, &r.json);
    if (code == ELFS_OK) code = put_value(&r, 0);
    if (code == ELFS_OK) code = r.buf.status;
    *term = elfs_ecto_take(&r.buf, arena);
    if (code == ELFS_OK && term->len == 0) return ELFS_NOMEM;
    return code == ELFS_OK || code == ELFS_NOMEM ? code : ELFS_BADARG;
}
