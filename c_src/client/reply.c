/* reply - see reply.h. Each reader takes a term from the cursor, or leaves it and says ELFS_BADARG
 * or ELFS_MALFORMED, as codec/term.h does. */
#include "client/reply.h"

/* A tuple of two whose first element is an atom; the cursor stands at the second. */
static enum elfs_code read_tagged(struct elfs_reader *r, struct elfs_view *tag) {
    struct elfs_reader at = *r;
    size_t arity;
    enum elfs_code code = elfs_term_tuple(&at, &arity);
    if (code == ELFS_OK && arity != 2) code = ELFS_BADARG;
    if (code == ELFS_OK) code = elfs_term_atom(&at, tag);
    if (code == ELFS_OK) *r = at;
    return code;
}

/* An atom, nil as an empty text. */
static enum elfs_code read_node(struct elfs_reader *r, struct elfs_view *node) {
    enum elfs_code code = elfs_term_atom(r, node);
    if (code == ELFS_OK && elfs_view_is(*node, "nil")) *node = ELFS_VIEW_NONE;
    return code;
}

/* #{code => Atom, message => Binary, extended_code => Integer}, in any order, with others. */
static enum elfs_code read_error_map(struct elfs_reader *r, struct elfs_client_reply *reply) {
    size_t pairs;
    enum elfs_code code = elfs_term_map(r, &pairs);
    for (size_t i = 0; code == ELFS_OK && i < pairs; i++) {
        struct elfs_view key;
        int64_t number = 0;
        code = elfs_term_atom(r, &key);
        if (code != ELFS_OK) break;
        if (elfs_view_is(key, "code")) {
            code = elfs_term_atom(r, &reply->name);
        } else if (elfs_view_is(key, "message")) {
            code = elfs_term_binary(r, &reply->message);
        } else if (elfs_view_is(key, "extended_code")) {
            code = elfs_term_int64(r, &number);
            if (code == ELFS_OK && (number < 0 || number > INT32_MAX)) code = ELFS_MALFORMED;
            reply->extended_code = (int)number;
        } else {
            code = elfs_term_skip(r, NULL);
        }
    }
    return code == ELFS_OK && reply->name.len == 0 ? ELFS_MALFORMED : code;
}

/* {not_primary, Node}, {unknown, Message}, {unknown_repo, Repo}, {unsupported, Message}. */
static enum elfs_code read_error_tuple(struct elfs_reader *r, struct elfs_client_reply *reply) {
    struct elfs_view tag;
    enum elfs_code code = read_tagged(r, &tag);
    if (code != ELFS_OK) return code;
    if (elfs_view_is(tag, "not_primary")) {
        reply->kind = ELFS_REPLY_NOT_PRIMARY;
        return read_node(r, &reply->node);
    }
    if (elfs_view_is(tag, "unknown")) reply->kind = ELFS_REPLY_UNKNOWN;
    reply->name = tag;
    if (elfs_term_binary(r, &reply->message) == ELFS_OK) return ELFS_OK;
    if (elfs_term_atom(r, &reply->message) == ELFS_OK) return ELFS_OK;
    return elfs_term_skip(r, NULL);
}

static enum elfs_code read_error(struct elfs_reader *r, struct elfs_client_reply *reply) {
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_peek(r, &kind);
    if (code != ELFS_OK) return code;
    switch (kind) {
    case ELFS_TERM_ATOM: return elfs_term_atom(r, &reply->name);
    case ELFS_TERM_MAP: return read_error_map(r, reply);
    case ELFS_TERM_TUPLE: return read_error_tuple(r, reply);
    default: return ELFS_MALFORMED;
    }
}

/* {Index, Error} or Error. */
static enum elfs_code read_indexed(struct elfs_reader *r, struct elfs_client_reply *reply) {
    struct elfs_reader at = *r;
    size_t arity;
    int64_t index = 0;
    if (elfs_term_tuple(&at, &arity) != ELFS_OK || arity != 2 ||
        elfs_term_int64(&at, &index) != ELFS_OK)
        return read_error(r, reply);
    if (index < 1) return ELFS_MALFORMED;
    reply->index = (size_t)index;
    *r = at;
    return read_error(r, reply);
}

/* {badrpc, {'EXIT', {Reason, Stack}}}: nothing ran. An empty name: what we do not understand. */
static enum elfs_code read_badrpc(struct elfs_reader *r, struct elfs_client_reply *reply) {
    struct elfs_reader at = *r;
    struct elfs_view tag;
    if (read_tagged(&at, &tag) == ELFS_OK && elfs_view_is(tag, "EXIT") &&
        read_tagged(&at, &reply->name) == ELFS_OK && reply->name.len > 0)
        return elfs_term_skip(r, NULL);
    return ELFS_MALFORMED;
}

static enum elfs_code read_reply(struct elfs_reader *r, struct elfs_client_reply *reply) {
    struct elfs_view tag;
    enum elfs_code code = read_tagged(r, &tag);
    if (code != ELFS_OK) return code;
    if (elfs_view_is(tag, "ok")) return elfs_term_skip(r, &reply->value);
    reply->kind = ELFS_REPLY_REFUSED;
    if (elfs_view_is(tag, "error")) return read_indexed(r, reply);
    if (elfs_view_is(tag, "badrpc")) return read_badrpc(r, reply);
    return ELFS_MALFORMED;
}

enum elfs_code elfs_client_reply_read(struct elfs_view message, struct elfs_client_reply *reply) {
    struct elfs_reader r = elfs_reader_of(message);
    struct elfs_view rex;
    *reply = (struct elfs_client_reply){.kind = ELFS_REPLY_OK};
    if (read_tagged(&r, &rex) != ELFS_OK || !elfs_view_is(rex, "rex")) return ELFS_MALFORMED;
    if (read_reply(&r, reply) != ELFS_OK || elfs_reader_left(&r) != 0) return ELFS_MALFORMED;
    return ELFS_OK;
}

enum elfs_code elfs_client_reply_node(struct elfs_view value, struct elfs_view *node) {
    struct elfs_reader r = elfs_reader_of(value);
    bool sound = read_node(&r, node) == ELFS_OK && elfs_reader_left(&r) == 0;
    return sound ? ELFS_OK : ELFS_MALFORMED;
}

/* 64 bits without a sign: more than elfs_term_int64 takes. */
static enum elfs_code read_uint64(struct elfs_reader *r, uint64_t *value) {
    uint8_t scratch[8];
    struct elfs_view magnitude;
    int sign;
    enum elfs_code code = elfs_term_integer(r, &sign, &magnitude, scratch);
    if (code != ELFS_OK) return code;
    if (sign != 0 || magnitude.len > 8) return ELFS_MALFORMED;
    *value = 0;
    for (size_t i = magnitude.len; i > 0; i--) *value = *value << 8 | magnitude.data[i - 1];
    return ELFS_OK;
}

enum elfs_code elfs_client_reply_position(struct elfs_view value, struct elfs_position *position) {
    struct elfs_reader r = elfs_reader_of(value);
    struct elfs_view nil;
    size_t arity;
    *position = (struct elfs_position){.known = false};
    if (elfs_term_atom(&r, &nil) == ELFS_OK)
        return elfs_view_is(nil, "nil") ? ELFS_OK : ELFS_MALFORMED;
    if (elfs_term_tuple(&r, &arity) != ELFS_OK || arity != 2 ||
        read_uint64(&r, &position->txid) != ELFS_OK ||
        read_uint64(&r, &position->checksum) != ELFS_OK)
        return ELFS_MALFORMED;
    position->known = true;
    return ELFS_OK;
}

/* #{outcome => committed | aborted, position => _} */
enum elfs_code elfs_client_reply_outcome(struct elfs_view value, bool *committed) {
    struct elfs_reader r = elfs_reader_of(value);
    struct elfs_view key, outcome = ELFS_VIEW_NONE;
    size_t pairs;
    enum elfs_code code = elfs_term_map(&r, &pairs);
    for (size_t i = 0; code == ELFS_OK && i < pairs; i++) {
        code = elfs_term_atom(&r, &key);
        if (code != ELFS_OK) break;
        code =
            elfs_view_is(key, "outcome") ? elfs_term_atom(&r, &outcome) : elfs_term_skip(&r, NULL);
    }
    *committed = elfs_view_is(outcome, "committed");
    bool sound = code == ELFS_OK && (*committed || elfs_view_is(outcome, "aborted"));
    return sound ? ELFS_OK : ELFS_MALFORMED;
}
