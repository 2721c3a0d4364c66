/* port_proto - see port_proto.h: the writers. */
#include "app/port_proto.h"

static void put_text_or_nil(struct elfs_buf *buf, const char *text) {
    if (text[0] != '\0')
        elfs_put_binary_str(buf, text);
    else
        elfs_put_atom(buf, "nil");
}

static void put_tag(struct elfs_buf *buf, struct elfs_view tag) {
    if (tag.len > 0)
        elfs_buf_append_view(buf, tag);
    else
        elfs_put_atom(buf, "undefined");
}

/* #{enabled, says, age}: says is an atom, or the row's node name. */
static void put_source(struct elfs_buf *buf, bool enabled, const char *atom, const char *node,
                       int64_t at_ms, int64_t now_ms) {
    elfs_put_map_header(buf, 3);
    elfs_put_atom(buf, "enabled");
    elfs_put_atom(buf, enabled ? "true" : "false");
    elfs_put_atom(buf, "says");
    if (node[0] != '\0')
        elfs_put_binary_str(buf, node);
    else
        elfs_put_atom(buf, atom);
    elfs_put_atom(buf, "age");
    if (at_ms < 0)
        elfs_put_atom(buf, "nil");
    else
        elfs_put_int64(buf, now_ms > at_ms ? now_ms - at_ms : 0);
}

static void put_positions(struct elfs_buf *buf, const struct elfs_positions *positions) {
    elfs_put_map_header(buf, positions->count);
    for (size_t i = 0; i < positions->count; i++) {
        const struct elfs_db_position *item = &positions->items[i];
        elfs_put_binary_str(buf, item->database);
        elfs_put_tuple_header(buf, 2);
        elfs_put_uint64(buf, item->txid);
        elfs_put_uint64(buf, item->checksum);
    }
}

static void put_sources(struct elfs_buf *buf, const struct elfs_detect_state *s, int64_t now_ms) {
    elfs_put_map_header(buf, 3);
    elfs_put_atom(buf, "file");
    put_source(buf, s->file.enabled, elfs_role_name(s->file.says), "", s->file.at_ms, now_ms);
    elfs_put_atom(buf, "stream");
    put_source(buf, s->stream.enabled, elfs_role_name(s->stream.says), "", s->stream.at_ms, now_ms);
    elfs_put_atom(buf, "row");
    put_source(buf, s->row_enabled, "unknown", s->row_node, s->row_at_ms, now_ms);
}

/* The protocol has one word for a mount that cannot be looked at, whatever the reason. */
static const char *mount_atom(enum elfs_mount mount) {
    return elfs_mount_name(mount == ELFS_MOUNT_UNKNOWN ? ELFS_MOUNT_DEAD : mount);
}

static void put_state(struct elfs_buf *buf, const struct elfs_detect_state *s, int64_t now_ms) {
    elfs_put_map_header(buf, 7);
    elfs_put_atom(buf, "role");
    elfs_put_atom(buf, elfs_role_name(s->role));
    elfs_put_atom(buf, "hostname");
    put_text_or_nil(buf, s->hostname);
    elfs_put_atom(buf, "node");
    put_text_or_nil(buf, s->node);
    elfs_put_atom(buf, "mount");
    elfs_put_atom(buf, mount_atom(s->mount));
    elfs_put_atom(buf, "lag");
    if (s->lag_known)
        elfs_put_int64(buf, s->lag_ms);
    else
        elfs_put_atom(buf, "nil");
    elfs_put_atom(buf, "positions");
    put_positions(buf, &s->positions);
    elfs_put_atom(buf, "sources");
    put_sources(buf, s, now_ms);
}

static void open_tuple(struct elfs_buf *buf, size_t arity, const char *name) {
    elfs_put_version(buf);
    elfs_put_tuple_header(buf, arity);
    elfs_put_atom(buf, name);
}

void elfs_port_put_configured(struct elfs_buf *buf, struct elfs_view tag) {
    open_tuple(buf, 2, "configured");
    put_tag(buf, tag);
}

void elfs_port_put_error(struct elfs_buf *buf, struct elfs_view tag, const char *message) {
    open_tuple(buf, 3, "error");
    put_tag(buf, tag);
    elfs_put_binary_str(buf, message);
}

void elfs_port_put_answer(struct elfs_buf *buf, const char *name, struct elfs_view tag,
                          const struct elfs_detect_state *state, int64_t now_ms) {
    open_tuple(buf, 3, name);
    put_tag(buf, tag);
    put_state(buf, state, now_ms);
}

void elfs_port_put_change(struct elfs_buf *buf, const struct elfs_detect_state *state,
                          int64_t now_ms) {
    open_tuple(buf, 2, "change");
    put_state(buf, state, now_ms);
}

void elfs_port_put_position(struct elfs_buf *buf, const struct elfs_db_position *position) {
    open_tuple(buf, 4, "position");
    elfs_put_binary_str(buf, position->database);
    elfs_put_uint64(buf, position->txid);
    elfs_put_uint64(buf, position->checksum);
}

void elfs_port_put_state(struct elfs_buf *buf, const struct elfs_detect_state *state,
                         int64_t now_ms) {
    elfs_put_version(buf);
    put_state(buf, state, now_ms);
}
