/* acks - see acks.h. */
#include "node/acks.h"

#include "node/reply.h"
#include "node/reports.h"

#define NEVER INT64_MAX

static int count_replicas(const struct elfs_database *db, uint64_t txid) {
    struct elfs_list *conns = &db->node->conns;
    int count = 0;
    for (struct elfs_list *l = conns->next; l != conns; l = l->next) {
        const struct elfs_report *report =
            elfs_report_of(ELFS_CONTAINER_OF(l, struct elfs_conn, link), db, false);
        if (report && report->confirmed_txid >= txid) count++;
    }
    return count;
}

/* The request is off db->awaiting, and gone afterwards. */
static void answer(struct elfs_request *req, int acked) {
    req->acked = acked;
    elfs_list_remove(&req->link);
    elfs_conn_wrote(req->conn, elfs_reply_job(elfs_conn_out(req->conn), req));
    elfs_request_free(req);
}

/* Those whose deadline is after now_ms, and who have not enough yet, go on waiting. The list is
 * taken apart first: an answer may close its connection, which takes others off whatever list they
 * are on. */
static void settle(struct elfs_database *db, int64_t now_ms) {
    struct elfs_list all;
    uint64_t txid = 0;
    int acked = 0;
    bool counted = false;
    elfs_list_init(&all);
    elfs_list_append_all(&all, &db->awaiting);
    db->ack_deadline_ms = NEVER;
    for (struct elfs_list *l; (l = elfs_list_pop_front(&all));) {
        struct elfs_request *req = ELFS_CONTAINER_OF(l, struct elfs_request, ack_link);
        if (!counted || req->job.position.txid != txid) {
            txid = req->job.position.txid;
            acked = count_replicas(db, txid);
            counted = true;
        }
        if (acked >= req->ack_replicas || req->ack_deadline_ms <= now_ms) {
            answer(req, acked);
            continue;
        }
        elfs_list_push_back(&db->awaiting, l);
        if (req->ack_deadline_ms < db->ack_deadline_ms) db->ack_deadline_ms = req->ack_deadline_ms;
    }
}

/* The peer's last word may have come before we knew the position that it names. */
static void confirm(const struct elfs_database *db, struct elfs_report *report) {
    if (report->heard.txid > report->confirmed_txid &&
        elfs_history_has(&db->history, report->heard))
        report->confirmed_txid = report->heard.txid;
}

void elfs_acks_committed(struct elfs_database *db, struct elfs_position position) {
    struct elfs_list *conns = &db->node->conns;
    if (!db->managed || elfs_history_has(&db->history, position)) return;
    if (elfs_history_add(&db->history, position) != ELFS_OK) return; /* it will not be counted */
    for (struct elfs_list *l = conns->next; l != conns; l = l->next) {
        struct elfs_report *report =
            elfs_report_of(ELFS_CONTAINER_OF(l, struct elfs_conn, link), db, false);
        if (report) confirm(db, report);
    }
    if (!elfs_list_empty(&db->awaiting)) settle(db, db->node->now_ms);
}

static void answer_unknown(struct elfs_request *req) {
    req->job.outcome = ELFS_JOB_UNKNOWN;
    elfs_fail(&req->job.error, ELFS_UNKNOWN,
              "COMMIT returned, but this host has stopped being the primary before enough "
              "replicas had the change: it may or may not survive");
    answer(req, 0);
}

void elfs_acks_wait(struct elfs_request *req) {
    struct elfs_database *db = req->db;
    if (!db->managed || !req->job.position.known || db->node->stopping) {
        answer(req, 0); /* there is no LiteFS to replicate it, or no time */
        return;
    }
    if (!elfs_database_is_primary(db)) { /* elfs_acks_forget has been, or is to come */
        answer_unknown(req);
        return;
    }
    req->ack_deadline_ms = db->node->now_ms + req->ack_timeout_ms;
    elfs_list_push_back(&req->conn->requests, &req->link);
    elfs_list_push_back(&db->awaiting, &req->ack_link);
    settle(db, db->node->now_ms);
}

void elfs_acks_report(struct elfs_conn *conn, struct elfs_view message) {
    struct elfs_database *db;
    struct elfs_position position;
    if (elfs_report_read(conn->node, message, &db, &position) != ELFS_OK) return;
    struct elfs_report *report = elfs_report_of(conn, db, true);
    if (!report) return; /* no memory: it is not counted */
    report->heard = position;
    confirm(db, report);
    if (!elfs_list_empty(&db->awaiting)) settle(db, conn->node->now_ms);
}

int64_t elfs_acks_tick(struct elfs_node *node) {
    int64_t next_ms = NEVER;
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (elfs_list_empty(&db->awaiting)) continue;
        if (db->ack_deadline_ms <= node->now_ms) settle(db, node->now_ms);
        if (!elfs_list_empty(&db->awaiting) && db->ack_deadline_ms < next_ms)
            next_ms = db->ack_deadline_ms;
    }
    return next_ms == NEVER ? -1 : next_ms - node->now_ms;
}

void elfs_acks_forget(struct elfs_database *db) {
    struct elfs_list *conns = &db->node->conns, all;
    elfs_history_clear(&db->history);
    for (struct elfs_list *l = conns->next; l != conns; l = l->next) {
        struct elfs_report *report =
            elfs_report_of(ELFS_CONTAINER_OF(l, struct elfs_conn, link), db, false);
        if (report) report->confirmed_txid = 0;
    }
    elfs_list_init(&all);
    elfs_list_append_all(&all, &db->awaiting);
    for (struct elfs_list *l; (l = elfs_list_pop_front(&all));)
        answer_unknown(ELFS_CONTAINER_OF(l, struct elfs_request, ack_link));
}

void elfs_acks_settle_all(struct elfs_node *node) {
    for (size_t i = 0; i < node->database_count; i++) settle(&node->databases[i], NEVER);
}
