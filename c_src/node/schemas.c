/* schemas - see schemas.h.
 *
 * A question's reference has the words {counter, the entry's id, the query}: so an answer finds its place without a
 * table of questions.
 */
#include "node/schemas.h"

#include "base/alloc.h"
#include "codec/frame.h"
#include "codec/ref.h"
#include "node/repo_request.h"

#define FIRST_WORD_MASK 0x3FFFF

static void entry_free(struct elfs_schema_entry *entry) {
    elfs_list_remove(&entry->link);
    elfs_arena_fini(&entry->arena);
    elfs_free(entry);
}

void elfs_schemas_put(struct elfs_schema_entry *entry) {
    if (--entry->users == 0 && elfs_list_empty(&entry->link)) entry_free(entry);
}

/* [Ref, Schema, Function, Args] to erpc:execute_call/4. */
static enum elfs_code ask(struct elfs_conn *conn, struct elfs_schema_entry *entry,
                          enum elfs_ecto_query query) {
    struct elfs_node *node = conn->node;
    struct elfs_buf *out = elfs_conn_out(conn);
    uint32_t words[3] = {node->next_token++ & FIRST_WORD_MASK, entry->id, (uint32_t)query};
    const char *argument = elfs_ecto_query_argument(query);
    struct elfs_view pid = elfs_node_new_pid(node);
    size_t mark = elfs_dist_open_erpc(out, &node->identity, words, pid);
    elfs_put_atom_view(out, entry->module);
    elfs_put_atom(out, elfs_ecto_query_function(query));
    elfs_put_list_header(out, argument ? 1 : 0);
    if (argument) elfs_put_atom(out, argument);
    elfs_put_nil(out);
    return elfs_dist_close_erpc(out, mark);
}

static struct elfs_schema_entry *entry_new(struct elfs_conn *conn, struct elfs_view module) {
    struct elfs_schema_entry *entry = elfs_calloc(1, sizeof *entry);
    if (!entry) return NULL;
    elfs_arena_init(&entry->arena);
    elfs_list_init(&entry->link);
    elfs_list_init(&entry->waiting);
    entry->conn = conn;
    entry->module.data = elfs_arena_copy(&entry->arena, module.data, module.len);
    entry->module.len = module.len;
    if (!entry->module.data) {
        entry_free(entry);
        return NULL;
    }
    entry->id = conn->node->next_schema++;
    entry->asking = true;
    entry->missing = ELFS_ECTO_QUERY_COUNT;
    entry->deadline_ms = conn->node->now_ms + ELFS_ASK_MS;
    entry->users = 1; /* ours: a write may fail and close the connection */
    conn->schema_count++;
    elfs_list_push_back(&conn->schemas, &entry->link);
    for (int query = 0; query < ELFS_ECTO_QUERY_COUNT && !conn->closed; query++)
        elfs_conn_wrote(conn, ask(conn, entry, (enum elfs_ecto_query)query));
    bool closed = conn->closed;
    elfs_schemas_put(entry);
    return closed ? NULL : entry;
}

struct elfs_schema_entry *elfs_schemas_find(const struct elfs_conn *conn, struct elfs_view module) {
    for (struct elfs_list *l = conn->schemas.next; l != &conn->schemas; l = l->next) {
        struct elfs_schema_entry *e = ELFS_CONTAINER_OF(l, struct elfs_schema_entry, link);
        if (elfs_view_equal(e->module, module)) return e;
    }
    return NULL;
}

struct elfs_schema_entry *elfs_schemas_get(struct elfs_conn *conn, struct elfs_view module,
                                           struct elfs_list *waiting) {
    struct elfs_schema_entry *entry = elfs_schemas_find(conn, module);
    if (!entry && conn->schema_count < ELFS_SCHEMAS_MAX) entry = entry_new(conn, module);
    if (!entry) return NULL;
    entry->users++;
    if (entry->asking) elfs_list_push_back(&entry->waiting, waiting);
    return entry;
}

static void go_on(struct elfs_schema_entry *entry) {
    entry->users++; /* those who wait may be the last users, and may close the connection */
    entry->asking = false;
    for (struct elfs_list *l; (l = elfs_list_pop_front(&entry->waiting));)
        elfs_repo_request_continue(l);
    elfs_schemas_put(entry);
}

static void settle(struct elfs_schema_entry *entry, bool complete) {
    entry->late = false;
    entry->known = complete &&
                   elfs_ecto_schema_read(&entry->answers, &entry->arena, &entry->schema) == ELFS_OK;
    go_on(entry);
}

static void give_up(struct elfs_schema_entry *entry) {
    entry->late = entry->heard;
    go_on(entry);
}

/* The value of {Ref, return, Value}; empty for anything else. */
static struct elfs_view returned(struct elfs_view reason) {
    struct elfs_reader r = elfs_reader_of(reason);
    size_t arity;
    struct elfs_view word;
    struct elfs_view value = ELFS_VIEW_NONE;
    if (elfs_term_tuple(&r, &arity) == ELFS_OK && arity == 3 &&
        elfs_term_skip(&r, NULL) == ELFS_OK && elfs_term_atom(&r, &word) == ELFS_OK &&
        elfs_view_is(word, "return"))
        elfs_term_skip(&r, &value);
    return value;
}

static void on_end(struct elfs_schema_entry *entry, uint32_t query, struct elfs_view reason) {
    struct elfs_view value = returned(reason);
    struct elfs_view *at = &entry->answers.at[query];
    if (at->data) return;
    at->data = value.len > 0 ? elfs_arena_copy(&entry->arena, value.data, value.len) : NULL;
    at->len = value.len;
    if (!at->data) {
        settle(entry, false);
    } else if (--entry->missing == 0) {
        settle(entry, true);
    }
}

bool elfs_schemas_answer(struct elfs_conn *conn, const struct elfs_dist_msg *msg) {
    uint32_t words[3];
    bool reply = msg->op == ELFS_DIST_SPAWN_REPLY;
    if (!elfs_ref_is_ours(msg->ref, &conn->node->identity, words)) return false;
    for (struct elfs_list *l = conn->schemas.next; l != &conn->schemas; l = l->next) {
        struct elfs_schema_entry *entry = ELFS_CONTAINER_OF(l, struct elfs_schema_entry, link);
        if (entry->id != words[1] || words[2] >= ELFS_ECTO_QUERY_COUNT) continue;
        struct elfs_reader r = elfs_reader_of(msg->from);
        struct elfs_view refusal;
        bool refused = reply && elfs_term_atom(&r, &refusal) == ELFS_OK;
        if (reply && !refused) entry->heard = true;
        if (!reply || refused) on_end(entry, words[2], msg->reason);
        return true;
    }
    return reply;
}

void elfs_schemas_tick(struct elfs_conn *conn) {
    for (struct elfs_list *l = conn->schemas.next, *next; l != &conn->schemas; l = next) {
        next = l->next;
        struct elfs_schema_entry *entry = ELFS_CONTAINER_OF(l, struct elfs_schema_entry, link);
        if (entry->asking && conn->node->now_ms >= entry->deadline_ms) give_up(entry);
        if (conn->closed) return;
    }
}

void elfs_schemas_conn_gone(struct elfs_conn *conn) {
    for (struct elfs_list *l; (l = elfs_list_pop_front(&conn->schemas));) {
        struct elfs_schema_entry *entry = ELFS_CONTAINER_OF(l, struct elfs_schema_entry, link);
        if (entry->users == 0) entry_free(entry);
    }
}
