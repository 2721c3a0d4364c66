/* listeners - see listeners.h. */
#include "node/listeners.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/dist.h"
#include "codec/frame.h"

static struct elfs_view *slot_of(struct elfs_conn *conn, const struct elfs_database *db) {
    return &conn->listeners[db - conn->node->databases];
}

static enum elfs_code put_news(struct elfs_buf *out, const struct elfs_database *db,
                               struct elfs_view pid) {
    size_t mark = elfs_dist_open_send(out, pid);
    elfs_put_tuple_header(out, 4);
    elfs_put_atom(out, "ecto_litefs");
    elfs_put_atom(out, "primary");
    elfs_put_binary(out, db->name);
    elfs_put_atom_view(out, db->node->identity.node);
    return elfs_frame_close(out, mark);
}

static void tell(struct elfs_conn *conn, const struct elfs_database *db) {
    struct elfs_view pid = conn->listeners ? *slot_of(conn, db) : ELFS_VIEW_NONE;
    if (pid.len > 0 && !conn->closed) elfs_conn_wrote(conn, put_news(elfs_conn_out(conn), db, pid));
}

/* Without the memory for it the row has to do. */
static void keep(struct elfs_conn *conn, const struct elfs_database *db, struct elfs_view pid) {
    if (!conn->listeners)
        conn->listeners = elfs_calloc(conn->node->database_count, sizeof *conn->listeners);
    uint8_t *copy = conn->listeners ? elfs_malloc(pid.len) : NULL;
    if (!copy) return;
    memcpy(copy, pid.data, pid.len);
    elfs_free((uint8_t *)slot_of(conn, db)->data);
    *slot_of(conn, db) = (struct elfs_view){copy, pid.len};
}

bool elfs_listeners_take(struct elfs_conn *conn, struct elfs_view message) {
    struct elfs_reader r = elfs_reader_of(message);
    struct elfs_view word, repo, pid;
    size_t arity;
    if (elfs_term_tuple(&r, &arity) != ELFS_OK || arity != 3 ||
        elfs_term_atom(&r, &word) != ELFS_OK || !elfs_view_is(word, "listen"))
        return false;
    if (elfs_term_binary(&r, &repo) != ELFS_OK || elfs_term_pid(&r, &pid) != ELFS_OK) return true;
    struct elfs_database *db = elfs_node_database(conn->node, repo);
    if (!db) return true;
    keep(conn, db, pid);
    if (db->writable && elfs_database_is_primary(db)) tell(conn, db);
    return true;
}

void elfs_listeners_tell(struct elfs_database *db) {
    for (struct elfs_list *l = db->node->conns.next, *next; l != &db->node->conns; l = next) {
        next = l->next;
        tell(ELFS_CONTAINER_OF(l, struct elfs_conn, link), db);
    }
}

void elfs_listeners_fini(struct elfs_conn *conn) {
    for (size_t i = 0; conn->listeners && i < conn->node->database_count; i++)
        elfs_free((uint8_t *)conn->listeners[i].data);
    elfs_free(conn->listeners);
}
