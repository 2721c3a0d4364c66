/* term_head - see term_head.h. Layouts: erl_ext_dist; all numbers are big-endian, the digits of big
 * integers excepted.
 *
 * Every step goes through take(), which compares with what is left; a count of nested terms is
 * compared with it too, since each of them needs a byte at least.
 */
#include "codec/term_head.h"

static const uint8_t kinds[256] = {
#define K(kind) (uint8_t)((kind) + 1)
    [ELFS_TAG_NEW_FLOAT] = K(ELFS_TERM_FLOAT),
    [ELFS_TAG_BIT_BINARY] = K(ELFS_TERM_BITSTRING),
    [ELFS_TAG_NEW_PID] = K(ELFS_TERM_PID),
    [ELFS_TAG_NEW_PORT] = K(ELFS_TERM_PORT),
    [ELFS_TAG_NEWER_REFERENCE] = K(ELFS_TERM_REF),
    [ELFS_TAG_SMALL_INTEGER] = K(ELFS_TERM_INTEGER),
    [ELFS_TAG_INTEGER] = K(ELFS_TERM_INTEGER),
    [ELFS_TAG_ATOM] = K(ELFS_TERM_ATOM),
    [ELFS_TAG_REFERENCE] = K(ELFS_TERM_REF),
    [ELFS_TAG_PORT] = K(ELFS_TERM_PORT),
    [ELFS_TAG_PID] = K(ELFS_TERM_PID),
    [ELFS_TAG_SMALL_TUPLE] = K(ELFS_TERM_TUPLE),
    [ELFS_TAG_LARGE_TUPLE] = K(ELFS_TERM_TUPLE),
    [ELFS_TAG_NIL] = K(ELFS_TERM_NIL),
    [ELFS_TAG_STRING] = K(ELFS_TERM_STRING),
    [ELFS_TAG_LIST] = K(ELFS_TERM_LIST),
    [ELFS_TAG_BINARY] = K(ELFS_TERM_BINARY),
    [ELFS_TAG_SMALL_BIG] = K(ELFS_TERM_INTEGER),
    [ELFS_TAG_LARGE_BIG] = K(ELFS_TERM_INTEGER),
    [ELFS_TAG_NEW_FUN] = K(ELFS_TERM_FUN),
    [ELFS_TAG_EXPORT] = K(ELFS_TERM_EXPORT),
    [ELFS_TAG_NEW_REFERENCE] = K(ELFS_TERM_REF),
    [ELFS_TAG_SMALL_ATOM] = K(ELFS_TERM_ATOM),
    [ELFS_TAG_MAP] = K(ELFS_TERM_MAP),
    [ELFS_TAG_ATOM_UTF8] = K(ELFS_TERM_ATOM),
    [ELFS_TAG_SMALL_ATOM_UTF8] = K(ELFS_TERM_ATOM),
    [ELFS_TAG_V4_PORT] = K(ELFS_TERM_PORT),
#undef K
};

enum elfs_code elfs_term_peek(const struct elfs_reader *r, enum elfs_term_kind *kind) {
    if (elfs_reader_left(r) < 1 || kinds[*r->pos] == 0) return ELFS_MALFORMED;
    *kind = (enum elfs_term_kind)(kinds[*r->pos] - 1);
    return ELFS_OK;
}

static bool take(struct elfs_reader *r, size_t n, struct elfs_view *bytes) {
    if (n > elfs_reader_left(r)) return false;
    *bytes = (struct elfs_view){r->pos, n};
    r->pos += n;
    return true;
}

static bool take_number(struct elfs_reader *r, size_t width, size_t *value) {
    struct elfs_view bytes;
    if (!take(r, width, &bytes)) return false;
    *value = 0;
    for (size_t i = 0; i < width; i++) *value = *value << 8 | bytes.data[i];
    return true;
}

/* A length of `width` bytes and as many bytes. */
static bool take_counted(struct elfs_reader *r, size_t width, struct elfs_view *bytes) {
    size_t n;
    return take_number(r, width, &n) && take(r, n, bytes);
}

/* A count of `width` bytes for `each` terms, and `more` terms beside them. */
static bool take_nested(struct elfs_reader *r, size_t width, size_t each, size_t more,
                        struct elfs_term_head *head) {
    if (!take_number(r, width, &head->count)) return false;
    size_t left = elfs_reader_left(r);
    if (more > left || head->count > (left - more) / each) return false;
    head->nested = head->count * each + more;
    return true;
}

static bool take_big(struct elfs_reader *r, size_t width, struct elfs_term_head *head) {
    size_t n, sign;
    if (!take_number(r, width, &n) || !take_number(r, 1, &sign) || sign > 1) return false;
    head->sign = (uint8_t)sign;
    return take(r, n, &head->bytes);
}

/* An exponent of all ones is an infinity or not a number. */
static bool take_float(struct elfs_reader *r, struct elfs_term_head *head) {
    if (!take(r, 8, &head->bytes)) return false;
    const uint8_t *b = head->bytes.data;
    return !((b[0] & 0x7F) == 0x7F && (b[1] & 0xF0) == 0xF0);
}

/* BIT_BINARY_EXT: [length:4][bits of the last byte:1][bytes]. */
static bool take_bits(struct elfs_reader *r, struct elfs_term_head *head) {
    size_t n, bits;
    if (!take_number(r, 4, &n) || !take_number(r, 1, &bits)) return false;
    if (bits > 8 || (n == 0) != (bits == 0)) return false;
    return take(r, n, &head->bytes);
}

static bool take_atom(struct elfs_reader *r, struct elfs_view *text) {
    size_t tag;
    if (!take_number(r, 1, &tag)) return false;
    switch (tag) {
    case ELFS_TAG_ATOM:
    case ELFS_TAG_ATOM_UTF8: return take_counted(r, 2, text);
    case ELFS_TAG_SMALL_ATOM:
    case ELFS_TAG_SMALL_ATOM_UTF8: return take_counted(r, 1, text);
    default: return false;
    }
}

/* [node: an atom][rest], what pids and ports are made of. The rest is their id, a serial (pids), and
 * their creation. */
static bool take_node_and(struct elfs_reader *r, size_t rest) {
    struct elfs_view skipped;
    return take_atom(r, &skipped) && take(r, rest, &skipped);
}

/* [words:2][node: an atom][creation][4 bytes a word]; a BEAM takes at most five words. */
static bool take_ref(struct elfs_reader *r, size_t creation) {
    size_t words;
    return take_number(r, 2, &words) && words >= 1 && words <= 5 &&
           take_node_and(r, creation + 4 * words);
}

/* EXPORT_EXT: [module: an atom][function: an atom][arity: SMALL_INTEGER_EXT]. */
static bool take_export(struct elfs_reader *r) {
    struct elfs_view module, function;
    size_t tag, arity;
    return take_atom(r, &module) && take_atom(r, &function) && take_number(r, 1, &tag) &&
           tag == ELFS_TAG_SMALL_INTEGER && take_number(r, 1, &arity);
}

/* NEW_FUN_EXT: [size:4][arity:1][uniq:16][index:4][free:4] and the terms module, old index, old
 * uniq, pid, and the free variables. size counts itself and all that follows it. */
static bool take_fun(struct elfs_reader *r, struct elfs_term_head *head) {
    const size_t terms = 4;
    struct elfs_reader whole = *r;
    size_t size;
    struct elfs_view skipped;
    if (!take_number(r, 4, &size) || !take(&whole, size, &head->bytes)) return false;
    struct elfs_reader body = {r->pos, whole.pos};
    if (size < 4 || !take(&body, 1 + 16 + 4, &skipped) || !take_nested(&body, 4, 1, terms, head))
        return false;
    r->pos = body.pos;
    return true;
}

static bool take_body(struct elfs_reader *r, struct elfs_term_head *head) {
    switch (head->tag) {
    case ELFS_TAG_SMALL_INTEGER: return take(r, 1, &head->bytes);
    case ELFS_TAG_INTEGER: return take(r, 4, &head->bytes);
    case ELFS_TAG_SMALL_BIG: return take_big(r, 1, head);
    case ELFS_TAG_LARGE_BIG: return take_big(r, 4, head);
    case ELFS_TAG_NEW_FLOAT: return take_float(r, head);
    case ELFS_TAG_ATOM:
    case ELFS_TAG_ATOM_UTF8:
    case ELFS_TAG_STRING: return take_counted(r, 2, &head->bytes);
    case ELFS_TAG_SMALL_ATOM:
    case ELFS_TAG_SMALL_ATOM_UTF8: return take_counted(r, 1, &head->bytes);
    case ELFS_TAG_BINARY: return take_counted(r, 4, &head->bytes);
    case ELFS_TAG_BIT_BINARY: return take_bits(r, head);
    case ELFS_TAG_NIL: return true;
    case ELFS_TAG_SMALL_TUPLE: return take_nested(r, 1, 1, 0, head);
    case ELFS_TAG_LARGE_TUPLE: return take_nested(r, 4, 1, 0, head);
    case ELFS_TAG_LIST: return take_nested(r, 4, 1, 1, head);
    case ELFS_TAG_MAP: return take_nested(r, 4, 2, 0, head);
    case ELFS_TAG_PID: return take_node_and(r, 9);
    case ELFS_TAG_NEW_PID: return take_node_and(r, 12);
    case ELFS_TAG_PORT:
    case ELFS_TAG_REFERENCE: return take_node_and(r, 5);
    case ELFS_TAG_NEW_PORT: return take_node_and(r, 8);
    case ELFS_TAG_V4_PORT: return take_node_and(r, 12);
    case ELFS_TAG_NEW_REFERENCE: return take_ref(r, 1);
    case ELFS_TAG_NEWER_REFERENCE: return take_ref(r, 4);
    case ELFS_TAG_EXPORT: return take_export(r);
    case ELFS_TAG_NEW_FUN: return take_fun(r, head);
    default: return false;
    }
}

enum elfs_code elfs_term_head(struct elfs_reader *r, struct elfs_term_head *head) {
    *head = (struct elfs_term_head){0};
    struct elfs_reader at = *r;
    enum elfs_code code = elfs_term_peek(&at, &head->kind);
    if (code != ELFS_OK) return code;
    head->tag = *at.pos++;
    if (!take_body(&at, head)) return ELFS_MALFORMED;
    *r = at;
    return ELFS_OK;
}
