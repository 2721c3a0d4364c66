/* reports - see reports.h. */
#include "node/reports.h"

#include "base/alloc.h"
#include "codec/frame.h"
#include "codec/result.h"
#include "node/peers.h"

struct elfs_report *elfs_report_of(struct elfs_conn *conn, const struct elfs_database *db,
                                   bool make) {
    struct elfs_node *node = conn->node;
    if (!conn->reports && make)
        conn->reports = elfs_calloc(node->database_count, sizeof *conn->reports);
    return conn->reports ? &conn->reports[db - node->databases] : NULL;
}

enum elfs_code elfs_report_read(struct elfs_node *node, struct elfs_view message,
                                struct elfs_database **db, struct elfs_position *position) {
    struct elfs_reader r = elfs_reader_of(message);
    struct elfs_view word, repo;
    size_t arity;
    *position = (struct elfs_position){.known = true};
    if (elfs_term_tuple(&r, &arity) != ELFS_OK || arity != 3 ||
        elfs_term_atom(&r, &word) != ELFS_OK || !elfs_view_is(word, "position") ||
        elfs_term_binary(&r, &repo) != ELFS_OK || elfs_term_tuple(&r, &arity) != ELFS_OK ||
        arity != 2 || elfs_term_uint64(&r, &position->txid) != ELFS_OK ||
        elfs_term_uint64(&r, &position->checksum) != ELFS_OK)
        return ELFS_MALFORMED;
    *db = elfs_node_database(node, repo);
    return *db ? ELFS_OK : ELFS_MALFORMED;
}

static enum elfs_code put_report(struct elfs_buf *out, struct elfs_node *node,
                                 const struct elfs_database *db,
                                 const struct elfs_position *position) {
    size_t mark = elfs_dist_open_reg_send(out, elfs_node_new_pid(node), ELFS_REPORTS_NAME);
    elfs_put_tuple_header(out, 3);
    elfs_put_atom(out, "position");
    elfs_put_binary(out, db->name);
    elfs_position_put(out, position);
    return elfs_frame_close(out, mark);
}

static bool is_same(struct elfs_position a, struct elfs_position b) {
    return a.known == b.known && a.txid == b.txid && a.checksum == b.checksum;
}

static void send_one(struct elfs_database *db, struct elfs_conn *conn) {
    struct elfs_position position = elfs_litefs_position(&db->node->litefs, db->path);
    struct elfs_report *report = elfs_report_of(conn, db, true);
    if (!position.known || !report || is_same(report->sent, position)) return;
    report->sent = position;
    elfs_conn_wrote(conn, put_report(elfs_conn_out(conn), db->node, db, &position));
}

void elfs_reports_send(struct elfs_node *node) {
    if (node->litefs.state.role != ELFS_ROLE_REPLICA || node->stopping) return;
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        struct elfs_view primary = elfs_database_primary(db);
        if (!db->managed || primary.len == 0) continue;
        struct elfs_conn *conn = elfs_peers_find(node, primary);
        if (conn) {
            send_one(db, conn);
        } else {
            elfs_peers_want(node, primary);
        }
    }
}
