/* reply - see reply.h. The shapes are those of docs/api.md. */
#include "node/reply.h"

#include <sqlite3.h>

#include "codec/frame.h"
#include "node/txn.h"

static void put_tagged(struct elfs_buf *buf, const char *tag) {
    elfs_put_tuple_header(buf, 2);
    elfs_put_atom(buf, tag);
}

/* The node's name as an atom, or nil. */
static void put_node(struct elfs_buf *buf, struct elfs_view node) {
    if (node.len > 0) {
        elfs_put_atom_view(buf, node);
    } else {
        elfs_put_atom(buf, "nil");
    }
}

static void put_error(struct elfs_buf *buf, const struct elfs_request *req, size_t index) {
    const struct elfs_error *err = &req->job.error;
    put_tagged(buf, "error");
    if (err->code == ELFS_NOT_PRIMARY) {
        put_tagged(buf, "not_primary");
        put_node(buf, elfs_database_primary(req->db));
        return;
    }
    if (index > 0) {
        elfs_put_tuple_header(buf, 2);
        elfs_put_int64(buf, (int64_t)index);
    }
    elfs_error_put(buf, err);
}

enum elfs_code elfs_reply_error(struct elfs_buf *buf, const struct elfs_request *req,
                                size_t index) {
    if (elfs_reply_is_unwanted(&req->call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, &req->call, req->pid);
    put_error(buf, req, index);
    return elfs_frame_close(buf, mark);
}

enum elfs_code elfs_reply_unknown_repo(struct elfs_buf *buf, const struct elfs_call *call,
                                       struct elfs_view pid, struct elfs_view repo) {
    if (elfs_reply_is_unwanted(call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, call, pid);
    put_tagged(buf, "error");
    put_tagged(buf, "unknown_repo");
    elfs_buf_append_view(buf, repo);
    return elfs_frame_close(buf, mark);
}

enum elfs_code elfs_reply_raise(struct elfs_buf *buf, const struct elfs_call *call,
                                struct elfs_view pid, const char *reason) {
    return elfs_reply_is_unwanted(call) ? ELFS_OK : elfs_call_raise(buf, call, pid, reason);
}

enum elfs_code elfs_reply_node_name(struct elfs_buf *buf, const struct elfs_call *call,
                                    struct elfs_view pid, const struct elfs_node *node) {
    if (elfs_reply_is_unwanted(call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, call, pid);
    elfs_put_atom_view(buf, node->identity.node);
    return elfs_frame_close(buf, mark);
}

bool elfs_reply_is_state(enum elfs_op_kind kind) {
    return kind == ELFS_OP_GET_PRIMARY || kind == ELFS_OP_IS_PRIMARY || kind == ELFS_OP_POSITION;
}

enum elfs_code elfs_reply_state(struct elfs_buf *buf, const struct elfs_request *req) {
    if (elfs_reply_is_unwanted(&req->call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, &req->call, req->pid);
    struct elfs_position position;
    switch (req->op) {
    case ELFS_OP_GET_PRIMARY:
        put_tagged(buf, "ok");
        put_node(buf, elfs_database_primary(req->db));
        break;
    case ELFS_OP_IS_PRIMARY:
        elfs_put_atom(buf, elfs_database_is_primary(req->db) ? "true" : "false");
        break;
    default:
        position = elfs_database_position(req->db);
        put_tagged(buf, "ok");
        elfs_position_put(buf, &position);
        break;
    }
    return elfs_frame_close(buf, mark);
}

static const char *role_name(const struct elfs_database *db) {
    enum elfs_role role = db->managed ? db->node->litefs.state.role : ELFS_ROLE_PRIMARY;
    if (role == ELFS_ROLE_PRIMARY && !elfs_database_is_primary(db)) role = ELFS_ROLE_UNKNOWN;
    return elfs_role_name(role);
}

static void put_int_pair(struct elfs_buf *buf, const char *key, int64_t value) {
    elfs_put_atom(buf, key);
    elfs_put_int64(buf, value);
}

static void put_text_pair(struct elfs_buf *buf, const char *key, const char *value) {
    elfs_put_atom(buf, key);
    elfs_put_binary_str(buf, value);
}

enum elfs_code elfs_reply_info(struct elfs_buf *buf, const struct elfs_call *call,
                               struct elfs_view pid, const struct elfs_node *node) {
    if (elfs_reply_is_unwanted(call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, call, pid);
    elfs_put_map_header(buf, 6);
    elfs_put_atom(buf, "name");
    elfs_put_atom_view(buf, node->identity.node);
    put_text_pair(buf, "version", ELFS_VERSION);
    put_text_pair(buf, "sqlite_version", sqlite3_libversion());
    put_int_pair(buf, "uptime_ms", node->now_ms - node->started_ms);
    put_int_pair(buf, "connections", node->conn_count);
    elfs_put_atom(buf, "repos");
    elfs_put_map_header(buf, node->database_count);
    for (size_t i = 0; i < node->database_count; i++) {
        const struct elfs_database *db = &node->databases[i];
        elfs_put_binary(buf, db->name);
        elfs_put_map_header(buf, 8);
        put_text_pair(buf, "path", db->path);
        elfs_put_atom(buf, "role");
        elfs_put_atom(buf, role_name(db));
        elfs_put_atom(buf, "primary");
        put_node(buf, elfs_database_primary(db));
        put_int_pair(buf, "queued", db->queued);
        put_int_pair(buf, "queued_bytes", db->queued_bytes);
        put_int_pair(buf, "committed", db->done);
        put_int_pair(buf, "failed", db->failed);
        put_int_pair(buf, "transactions", db->transactions);
    }
    return elfs_frame_close(buf, mark);
}

static void put_success(struct elfs_buf *buf, const struct elfs_request *req) {
    const struct elfs_receipt receipt = {.position = req->job.position,
                                         .repeated = req->job.repeated,
                                         .counted = req->ack_replicas > 0,
                                         .acked = req->acked};
    switch (req->op) {
    case ELFS_OP_ROLLBACK: elfs_put_atom(buf, "ok"); break;
    case ELFS_OP_COMMIT:
        put_tagged(buf, "ok");
        elfs_receipt_put(buf, &receipt);
        break;
    case ELFS_OP_RESOLVE:
        put_tagged(buf, "ok");
        elfs_put_map_header(buf, 2);
        elfs_put_atom(buf, "outcome");
        elfs_put_atom(buf, req->job.repeated ? "committed" : "aborted");
        elfs_put_atom(buf, "position");
        elfs_position_put(buf, &receipt.position);
        break;
    case ELFS_OP_BEGIN:
        put_tagged(buf, "ok");
        elfs_txn_put_token(buf, req->txn);
        break;
    case ELFS_OP_TRANSACTION:
        put_tagged(buf, "ok");
        elfs_put_list_header(buf, req->result.count);
        for (size_t i = 0; i < req->result.count; i++)
            elfs_result_put(buf, &req->result, i, &receipt);
        elfs_put_nil(buf);
        break;
    default:
        put_tagged(buf, "ok");
        elfs_result_put(buf, &req->result, 0, &receipt);
        break;
    }
}

enum elfs_code elfs_reply_job(struct elfs_buf *buf, const struct elfs_request *req) {
    if (elfs_reply_is_unwanted(&req->call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, &req->call, req->pid);
    if (req->job.outcome == ELFS_JOB_DONE) {
        put_success(buf, req);
    } else {
        put_error(buf, req, req->job.failed_index);
    }
    return elfs_frame_close(buf, mark);
}
