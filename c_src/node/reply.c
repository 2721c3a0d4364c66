/* reply - see reply.h. The shapes are those of docs/api.md. */
#include "node/reply.h"

#include <sqlite3.h>

#include "codec/frame.h"
#include "node/txn.h"

static void put_tagged(struct elfs_buf *buf, const char *tag) {
    elfs_put_tuple_header(buf, 2);
    elfs_put_atom(buf, tag);
}

static void put_error(struct elfs_buf *buf, size_t index, const struct elfs_error *err) {
    put_tagged(buf, "error");
    if (index > 0) {
        elfs_put_tuple_header(buf, 2);
        elfs_put_int64(buf, (int64_t)index);
    }
    elfs_error_put(buf, err);
}

enum elfs_code elfs_reply_error(struct elfs_buf *buf, const struct elfs_call *call,
                                struct elfs_view pid, size_t index, const struct elfs_error *err) {
    if (elfs_reply_is_unwanted(call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, call, pid);
    put_error(buf, index, err);
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
        elfs_put_map_header(buf, 6);
        put_text_pair(buf, "path", db->path);
        put_int_pair(buf, "queued", db->queued);
        put_int_pair(buf, "queued_bytes", db->queued_bytes);
        put_int_pair(buf, "committed", db->committed);
        put_int_pair(buf, "failed", db->failed);
        put_int_pair(buf, "transactions", db->transactions);
    }
    return elfs_frame_close(buf, mark);
}

static void put_success(struct elfs_buf *buf, const struct elfs_request *req) {
    static const struct elfs_position nowhere = {.known = false};
    switch (req->op) {
    case ELFS_OP_ROLLBACK: elfs_put_atom(buf, "ok"); break;
    case ELFS_OP_COMMIT:
        put_tagged(buf, "ok");
        elfs_put_map_header(buf, 1);
        elfs_put_atom(buf, "position");
        elfs_put_atom(buf, "nil");
        break;
    case ELFS_OP_BEGIN:
        put_tagged(buf, "ok");
        elfs_txn_put_token(buf, req->txn);
        break;
    case ELFS_OP_TRANSACTION:
        put_tagged(buf, "ok");
        elfs_put_list_header(buf, req->result.count);
        for (size_t i = 0; i < req->result.count; i++)
            elfs_result_put(buf, &req->result, i, &nowhere);
        elfs_put_nil(buf);
        break;
    default:
        put_tagged(buf, "ok");
        elfs_result_put(buf, &req->result, 0, &nowhere);
        break;
    }
}

enum elfs_code elfs_reply_job(struct elfs_buf *buf, const struct elfs_request *req) {
    if (elfs_reply_is_unwanted(&req->call)) return ELFS_OK;
    size_t mark = elfs_call_open_return(buf, &req->call, req->pid);
    if (req->job.outcome == ELFS_JOB_DONE) {
        put_success(buf, req);
    } else {
        put_error(buf, req->job.failed_index, &req->job.error);
    }
    return elfs_frame_close(buf, mark);
}
