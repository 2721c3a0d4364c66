/* event - see event.h. */
#include "detect/event.h"

#include "base/json.h"

/* Far above any event: keys count. */
#define VALUES_MAX 256

/* The string under key; ELFS_MALFORMED if it is missing, no string, or longer than any name. */
static enum elfs_code get_string(const struct elfs_json *json, int object, const char *key,
                                 char *to, size_t size) {
    int at;
    if (elfs_json_get(json, object, key, &at) != ELFS_OK || at < 0) return ELFS_MALFORMED;
    return elfs_json_string(json, at, to, size) == ELFS_OK ? ELFS_OK : ELFS_MALFORMED;
}

static enum elfs_code get_hex64(const struct elfs_json *json, int object, const char *key,
                                uint64_t *value) {
    char text[32];
    enum elfs_code code = get_string(json, object, key, text, sizeof text);
    return code == ELFS_OK ? elfs_hex64_parse(elfs_view_str(text), value) : code;
}

static enum elfs_code get_bool(const struct elfs_json *json, int object, const char *key,
                               bool *value) {
    int at;
    if (elfs_json_get(json, object, key, &at) != ELFS_OK || at < 0) return ELFS_MALFORMED;
    return elfs_json_bool(json, at, value) == ELFS_OK ? ELFS_OK : ELFS_MALFORMED;
}

/* LiteFS leaves hostname out, or empty, when it knows none. */
static enum elfs_code get_hostname(const struct elfs_json *json, int object,
                                   char hostname[ELFS_HOSTNAME_SIZE]) {
    char text[ELFS_HOSTNAME_SIZE];
    int at;
    hostname[0] = '\0';
    if (elfs_json_get(json, object, "hostname", &at) != ELFS_OK) return ELFS_MALFORMED;
    if (at < 0) return ELFS_OK;
    if (elfs_json_string(json, at, text, sizeof text) != ELFS_OK) return ELFS_MALFORMED;
    if (text[0] == '\0') return ELFS_OK;
    return elfs_name_copy(hostname, ELFS_HOSTNAME_SIZE, elfs_view_str(text));
}

static enum elfs_code read_claim(const struct elfs_json *json, int data, struct elfs_claim *claim) {
    enum elfs_code code = get_bool(json, data, "isPrimary", &claim->is_primary);
    return code == ELFS_OK ? get_hostname(json, data, claim->hostname) : code;
}

static enum elfs_code read_tx(const struct elfs_json *json, int data, struct elfs_event *event) {
    char name[ELFS_DATABASE_SIZE];
    enum elfs_code code = get_string(json, 0, "db", name, sizeof name);
    if (code == ELFS_OK)
        code = elfs_name_copy(event->database, sizeof event->database, elfs_view_str(name));
    if (code == ELFS_OK) code = get_hex64(json, data, "txID", &event->txid);
    if (code == ELFS_OK) code = get_hex64(json, data, "postApplyChecksum", &event->checksum);
    return code;
}

static enum elfs_event_type type_of(const char *name) {
    if (strcmp(name, "init") == 0) return ELFS_EVENT_INIT;
    if (strcmp(name, "primaryChange") == 0) return ELFS_EVENT_CHANGE;
    if (strcmp(name, "tx") == 0) return ELFS_EVENT_TX;
    return ELFS_EVENT_OTHER;
}

static enum elfs_code read_event(const struct elfs_json *json, struct elfs_event *event) {
    char type[64];
    int at, data;
    if (elfs_json_get(json, 0, "type", &at) != ELFS_OK || at < 0) return ELFS_MALFORMED;
    enum elfs_code code = elfs_json_string(json, at, type, sizeof type);
    if (code == ELFS_LIMIT) return ELFS_OK; /* a type that we do not know */
    if (code != ELFS_OK) return ELFS_MALFORMED;
    event->type = type_of(type);
    if (event->type == ELFS_EVENT_OTHER) return ELFS_OK;
    if (elfs_json_get(json, 0, "data", &data) != ELFS_OK || data < 0) return ELFS_MALFORMED;
    return event->type == ELFS_EVENT_TX ? read_tx(json, data, event)
                                        : read_claim(json, data, &event->claim);
}

enum elfs_code elfs_event_parse(struct elfs_view line, struct elfs_event *event) {
    struct elfs_json json;
    struct elfs_arena arena;
    *event = (struct elfs_event){.type = ELFS_EVENT_OTHER};
    elfs_arena_init(&arena);
    enum elfs_code code = elfs_json_parse(line, VALUES_MAX, &arena, &json);
    if (code == ELFS_OK) code = read_event(&json, event);
    elfs_arena_fini(&arena);
    return code;
}

static enum elfs_code read_info(const struct elfs_json *json, struct elfs_claim *claim) {
    int primary;
    enum elfs_code code = get_bool(json, 0, "isPrimary", &claim->is_primary);
    if (code != ELFS_OK) return code;
    if (elfs_json_get(json, 0, "primary", &primary) != ELFS_OK) return ELFS_MALFORMED;
    return primary < 0 ? ELFS_OK : get_hostname(json, primary, claim->hostname);
}

enum elfs_code elfs_info_parse(struct elfs_view body, struct elfs_claim *claim) {
    struct elfs_json json;
    struct elfs_arena arena;
    *claim = (struct elfs_claim){.is_primary = false};
    elfs_arena_init(&arena);
    enum elfs_code code = elfs_json_parse(body, VALUES_MAX, &arena, &json);
    if (code == ELFS_OK) code = read_info(&json, claim);
    elfs_arena_fini(&arena);
    return code;
}
