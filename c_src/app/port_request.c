/* port_request - reads the messages of port_proto.h. A message is checked whole before anything of
 * it is used. */
#include "app/port_proto.h"
#include "base/alloc.h"
#include "codec/term.h"

#define POLL_INTERVAL_MAX_MS (24 * 60 * 60 * 1000)

enum key { PRIMARY_FILE, POLL_INTERVAL, EVENT_STREAM_URL, DATABASE, TABLE_NAME, KEYS };

static const char *const key_names[KEYS] = {"primary_file", "poll_interval", "event_stream_url",
                                            "database", "table_name"};

void elfs_port_config_fini(struct elfs_port_config *config) {
    elfs_free(config->primary_file);
    elfs_free(config->event_stream_url);
    elfs_free(config->database);
    elfs_free(config->table_name);
    *config = (struct elfs_port_config){.poll_interval_ms = 0};
}

static bool is_atom(struct elfs_view term, const char *text) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view atom;
    return elfs_term_atom(&r, &atom) == ELFS_OK && elfs_view_is(atom, text);
}

/* A binary that is not empty and holds no NUL, copied; or, where it may be missing, the atom `none`.
 */
static enum elfs_code take_text(struct elfs_view term, const char *key, const char *none,
                                char **text, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view bytes;
    if (none && is_atom(term, none)) return ELFS_OK;
    if (elfs_term_binary(&r, &bytes) != ELFS_OK || bytes.len == 0 ||
        memchr(bytes.data, '\0', bytes.len))
        return elfs_fail(err, ELFS_BADARG, "%s must be a binary%s%s", key, none ? " or " : "",
                         none ? none : "");
    *text = elfs_strndup((const char *)bytes.data, bytes.len);
    return *text ? ELFS_OK : elfs_fail(err, ELFS_NOMEM, "out of memory");
}

static enum elfs_code take_interval(struct elfs_view term, int64_t *ms, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    if (is_atom(term, "false")) return ELFS_OK;
    if (elfs_term_int64(&r, ms) == ELFS_OK && *ms >= 1 && *ms <= POLL_INTERVAL_MAX_MS)
        return ELFS_OK;
    return elfs_fail(err, ELFS_BADARG, "poll_interval must be false or 1 to %d milliseconds",
                     POLL_INTERVAL_MAX_MS);
}

static enum elfs_code take_value(enum key key, struct elfs_view term,
                                 struct elfs_port_config *config, struct elfs_error *err) {
    switch (key) {
    case PRIMARY_FILE: return take_text(term, key_names[key], NULL, &config->primary_file, err);
    case POLL_INTERVAL: return take_interval(term, &config->poll_interval_ms, err);
    case EVENT_STREAM_URL:
        return take_text(term, key_names[key], "false", &config->event_stream_url, err);
    case DATABASE: return take_text(term, key_names[key], "nil", &config->database, err);
    case TABLE_NAME: return take_text(term, key_names[key], NULL, &config->table_name, err);
    case KEYS: break;
    }
    return ELFS_BADARG;
}

static enum elfs_code take_pair(struct elfs_reader *r, unsigned *seen,
                                struct elfs_port_config *config, struct elfs_error *err) {
    struct elfs_view key = ELFS_VIEW_NONE, value;
    struct elfs_reader at = *r;
    if (elfs_term_skip(r, NULL) != ELFS_OK || elfs_term_skip(r, &value) != ELFS_OK)
        return elfs_fail(err, ELFS_BADARG, "not a term");
    if (elfs_term_atom(&at, &key) != ELFS_OK)
        return elfs_fail(err, ELFS_BADARG, "a key of the configuration is no atom");
    for (int i = 0; i < KEYS; i++) {
        if (!elfs_view_is(key, key_names[i])) continue;
        if (*seen & 1u << i) return elfs_fail(err, ELFS_BADARG, "%s is there twice", key_names[i]);
        *seen |= 1u << i;
        return take_value((enum key)i, value, config, err);
    }
    return elfs_fail(err, ELFS_BADARG, "unknown option %.*s", ELFS_VIEW_ARGS(key));
}

static enum elfs_code take_config(struct elfs_reader *r, struct elfs_port_config *config,
                                  struct elfs_error *err) {
    size_t pairs;
    unsigned seen = 0;
    if (elfs_term_map(r, &pairs) != ELFS_OK)
        return elfs_fail(err, ELFS_BADARG, "the configuration must be a map");
    for (size_t i = 0; i < pairs; i++) {
        enum elfs_code code = take_pair(r, &seen, config, err);
        if (code != ELFS_OK) return code;
    }
    for (int i = 0; i < KEYS; i++) {
        if (!(seen & 1u << i))
            return elfs_fail(err, ELFS_BADARG, "the option %s is missing", key_names[i]);
    }
    return ELFS_OK;
}

/* {Name, Tag} or {configure, Tag, Config}; the message is known to be one whole term. */
static enum elfs_code take_request(struct elfs_reader *r, struct elfs_port_request *request,
                                   struct elfs_error *err) {
    size_t arity;
    struct elfs_view name;
    if (elfs_term_tuple(r, &arity) != ELFS_OK || arity < 2 || elfs_term_atom(r, &name) != ELFS_OK ||
        elfs_term_skip(r, &request->tag) != ELFS_OK)
        return elfs_fail(err, ELFS_BADARG, "not a request");
    if (arity == 3 && elfs_view_is(name, "configure")) {
        request->kind = ELFS_PORT_CONFIGURE;
        enum elfs_code code = take_config(r, &request->config, err);
        if (code != ELFS_OK) elfs_port_config_fini(&request->config);
        return code;
    }
    if (arity == 2 && elfs_view_is(name, "state")) {
        request->kind = ELFS_PORT_STATE;
        return ELFS_OK;
    }
    if (arity == 2 && elfs_view_is(name, "refresh")) {
        request->kind = ELFS_PORT_REFRESH;
        return ELFS_OK;
    }
    return elfs_fail(err, ELFS_BADARG, "not a request: %.*s/%d", ELFS_VIEW_ARGS(name), (int)arity);
}

enum elfs_code elfs_port_parse(struct elfs_view message, struct elfs_port_request *request,
                               struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(message);
    *request = (struct elfs_port_request){.tag = ELFS_VIEW_NONE};
    if (elfs_term_version(&r) != ELFS_OK) return elfs_fail(err, ELFS_BADARG, "not a term");
    struct elfs_reader whole = r;
    if (elfs_term_skip(&whole, NULL) != ELFS_OK || elfs_reader_left(&whole) != 0)
        return elfs_fail(err, ELFS_BADARG, "not a term");
    return take_request(&r, request, err);
}
