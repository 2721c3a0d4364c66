/* op_options - see op_options.h. */
#include "codec/op_options.h"

static const struct {
    unsigned bit;
    const char *name;
} names[] = {
    {ELFS_OPTION_TX, "tx"},
    {ELFS_OPTION_TIMEOUT, "timeout"},
    {ELFS_OPTION_IDLE_TIMEOUT, "idle_timeout"},
    {ELFS_OPTION_TOTAL_TIMEOUT, "total_timeout"},
    {ELFS_OPTION_KEY, "key"},
    {ELFS_OPTION_ACK, "ack"},
    {ELFS_OPTION_ACK_TIMEOUT, "ack_timeout"},
};

static bool is_atom(struct elfs_view term, const char *text) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view atom;
    return elfs_term_atom(&r, &atom) == ELFS_OK && elfs_view_is(atom, text);
}

/* Of any size: what is longer than we can count is longer than the node allows anyway. */
static enum elfs_code read_time(struct elfs_view term, const char *name, int64_t *ms,
                                struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view magnitude;
    uint8_t scratch[8];
    int sign;
    if (is_atom(term, "infinity")) return ELFS_OK;
    enum elfs_code code = elfs_term_integer(&r, &sign, &magnitude, scratch);
    if (code == ELFS_MALFORMED) return code;
    if (code != ELFS_OK || sign || magnitude.len == 0)
        return elfs_fail(err, ELFS_INVALID_OPTION,
                         "the option %s takes milliseconds, an integer from 1 on, or infinity",
                         name);
    r = elfs_reader_of(term);
    if (elfs_term_int64(&r, ms) != ELFS_OK) *ms = INT64_MAX;
    return ELFS_OK;
}

static enum elfs_code read_tx(struct elfs_view term, struct elfs_view *tx, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_code code = elfs_term_ref(&r, tx);
    if (code != ELFS_BADARG) return code;
    return elfs_fail(err, ELFS_INVALID_OPTION, "the option tx takes what 'begin' returned");
}

enum elfs_code elfs_op_key(struct elfs_view term, struct elfs_view *key, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_code code = elfs_term_binary(&r, key);
    if (code == ELFS_MALFORMED) return code;
    if (code == ELFS_OK && key->len >= 1 && key->len <= ELFS_KEY_MAX) return code;
    return elfs_fail(err, ELFS_INVALID_OPTION, "a key is a binary of 1 to %d bytes", ELFS_KEY_MAX);
}

/* local, or {replicas, K}. */
static enum elfs_code read_ack(struct elfs_view term, int *replicas, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view word;
    size_t arity;
    int64_t count;
    *replicas = 0;
    if (is_atom(term, "local")) return ELFS_OK;
    if (elfs_term_tuple(&r, &arity) == ELFS_OK && arity == 2 &&
        elfs_term_atom(&r, &word) == ELFS_OK && elfs_view_is(word, "replicas") &&
        elfs_term_int64(&r, &count) == ELFS_OK && count >= 1 && count <= ELFS_ACK_REPLICAS_MAX) {
        *replicas = (int)count;
        return ELFS_OK;
    }
    return elfs_fail(err, ELFS_INVALID_OPTION,
                     "the option ack takes local or {replicas, K}, K from 1 to %d",
                     ELFS_ACK_REPLICAS_MAX);
}

static enum elfs_code read_value(unsigned bit, const char *name, struct elfs_view term,
                                 struct elfs_op_options *options, struct elfs_error *err) {
    if (is_atom(term, "nil") || is_atom(term, "undefined")) return ELFS_OK;
    switch (bit) {
    case ELFS_OPTION_TX: return read_tx(term, &options->tx, err);
    case ELFS_OPTION_KEY: return elfs_op_key(term, &options->key, err);
    case ELFS_OPTION_ACK: return read_ack(term, &options->ack_replicas, err);
    case ELFS_OPTION_ACK_TIMEOUT: return read_time(term, name, &options->ack_timeout_ms, err);
    case ELFS_OPTION_TIMEOUT: return read_time(term, name, &options->timeout_ms, err);
    case ELFS_OPTION_IDLE_TIMEOUT: return read_time(term, name, &options->idle_timeout_ms, err);
    default: return read_time(term, name, &options->total_timeout_ms, err);
    }
}

struct parse {
    unsigned allowed;
    unsigned given;
    struct elfs_op_options *options;
    struct elfs_error *err;
};

static enum elfs_code read_option(struct parse *p, struct elfs_view key, struct elfs_view value) {
    struct elfs_reader r = elfs_reader_of(key);
    struct elfs_view name;
    if (elfs_term_atom(&r, &name) != ELFS_OK)
        return elfs_fail(p->err, ELFS_INVALID_OPTION, "the name of an option is an atom");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned bit = names[i].bit;
        if (!(bit & p->allowed) || !elfs_view_is(name, names[i].name)) continue;
        if (bit & p->given) return ELFS_OK;
        p->given |= bit;
        return read_value(bit, names[i].name, value, p->options, p->err);
    }
    return elfs_fail(p->err, ELFS_INVALID_OPTION, "unknown option: %.*s", ELFS_VIEW_ARGS(name));
}

static enum elfs_code read_map(struct parse *p, struct elfs_reader *r) {
    size_t pairs;
    enum elfs_code code = elfs_term_map(r, &pairs);
    for (; code == ELFS_OK && pairs > 0; pairs--) {
        struct elfs_view key, value;
        code = elfs_term_skip(r, &key);
        if (code == ELFS_OK) code = elfs_term_skip(r, &value);
        if (code == ELFS_OK) code = read_option(p, key, value);
    }
    return code;
}

/* {Key, Value}, Key an atom; anything else makes the list no keyword list. */
static enum elfs_code split_pair(struct elfs_view pair, struct elfs_view *key,
                                 struct elfs_view *value) {
    struct elfs_reader r = elfs_reader_of(pair);
    size_t arity;
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_tuple(&r, &arity);
    if (code != ELFS_OK) return code;
    if (arity != 2) return ELFS_BADARG;
    code = elfs_term_peek(&r, &kind);
    if (code == ELFS_OK && kind != ELFS_TERM_ATOM) code = ELFS_BADARG;
    if (code == ELFS_OK) code = elfs_term_skip(&r, key);
    return code == ELFS_OK ? elfs_term_skip(&r, value) : code;
}

static enum elfs_code read_list(struct parse *p, struct elfs_reader *r) {
    struct elfs_items items;
    enum elfs_code code = elfs_term_items_begin(r, &items);
    if (code != ELFS_OK) return code;
    while (items.left > 0) {
        struct elfs_view pair, key, value;
        code = elfs_term_items_next(r, &items, &pair);
        if (code == ELFS_OK) code = split_pair(pair, &key, &value);
        if (code == ELFS_OK) code = read_option(p, key, value);
        if (code != ELFS_OK) return code;
    }
    return elfs_term_items_end(r, &items);
}

enum elfs_code elfs_op_options(struct elfs_view term, unsigned allowed,
                               struct elfs_op_options *options, struct elfs_error *err) {
    struct parse p = {.allowed = allowed, .options = options, .err = err};
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_peek(&r, &kind);
    if (code != ELFS_OK) return code;
    return kind == ELFS_TERM_MAP ? read_map(&p, &r) : read_list(&p, &r);
}
