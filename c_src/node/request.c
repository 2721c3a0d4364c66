/* request - see request.h. */
#include "node/request.h"

#include "base/alloc.h"
#include "node/acks.h"
#include "node/reply.h"
#include "node/repo_request.h"
#include "node/txn.h"
#include "store/sql_text.h"

static int64_t at_most(int64_t given, int64_t limit) {
    return given > 0 && given < limit ? given : limit;
}

static void uncount(struct elfs_request *req) {
    if (!req->db || !req->counted) return; /* one that names no database waits for none */
    req->db->queued--;
    req->db->queued_bytes -= req->counted_bytes;
    req->counted = false;
    req->counted_bytes = 0;
}

void elfs_request_count(struct elfs_request *req) {
    uncount(req);
    req->job.cost = sizeof *req + req->arena.total;
    req->db->queued++;
    req->db->queued_bytes += (int64_t)req->job.cost;
    req->counted = true;
    req->counted_bytes = (int64_t)req->job.cost;
}

void elfs_request_free(struct elfs_request *req) {
    uncount(req);
    if (req->repo) elfs_repo_request_fini(req->repo);
    elfs_list_remove(&req->link);
    elfs_list_remove(&req->ack_link);
    elfs_result_fini(&req->result);
    elfs_arena_fini(&req->arena);
    elfs_free(req);
}

/* Moves a view from the frame into its copy; views elsewhere or nowhere stay. */
static void rebase(struct elfs_view *view, struct elfs_view frame, const uint8_t *copy) {
    if (view->data >= frame.data && view->data < frame.data + frame.len)
        view->data = copy + (view->data - frame.data);
}

/* A request with its own copy of the frame, so that it can outlive this turn; NULL: out of memory.
 */
static struct elfs_request *request_new(struct elfs_conn *conn, struct elfs_view frame,
                                        const struct elfs_call *call, struct elfs_view pid) {
    struct elfs_request *req = elfs_calloc(1, sizeof *req);
    if (!req) return NULL;
    elfs_arena_init(&req->arena);
    elfs_result_init(&req->result, (size_t)conn->node->options->max_result);
    elfs_list_init(&req->link);
    elfs_list_init(&req->ack_link);
    elfs_list_init(&req->job.link);
    const uint8_t *copy = elfs_arena_copy(&req->arena, frame.data, frame.len);
    req->pid.data = elfs_arena_copy(&req->arena, pid.data, pid.len);
    if (!copy || !req->pid.data) {
        elfs_request_free(req);
        return NULL;
    }
    req->pid.len = pid.len;
    req->conn = conn;
    req->call = *call;
    rebase(&req->call.req_id, frame, copy);
    rebase(&req->call.caller, frame, copy);
    rebase(&req->call.tag, frame, copy);
    rebase(&req->call.module, frame, copy);
    rebase(&req->call.function, frame, copy);
    rebase(&req->call.args, frame, copy);
    rebase(&req->call.mfa, frame, copy);
    return req;
}

/* The caller's first argument, as it gave it. */
static struct elfs_view first_argument(const struct elfs_request *req) {
    struct elfs_reader r = elfs_reader_of(req->call.args);
    struct elfs_items items;
    struct elfs_view repo = ELFS_VIEW_NONE;
    if (elfs_term_items_begin(&r, &items) == ELFS_OK) elfs_term_items_next(&r, &items, &repo);
    return repo;
}

static void count_outcome(struct elfs_database *db, const struct elfs_job *job) {
    if (job->outcome == ELFS_JOB_DONE) db->done++;
    if (job->outcome == ELFS_JOB_FAILED || job->outcome == ELFS_JOB_UNKNOWN) db->failed++;
}

static enum elfs_code check_primary(const struct elfs_database *db, struct elfs_error *err) {
    if (elfs_database_is_primary(db)) return ELFS_OK;
    return elfs_fail(err, ELFS_NOT_PRIMARY, "this host is not the primary");
}

/* A statement that looked like reading writes: to the writer with it, if this host may write. True if it
 * has gone there. */
static bool reroute(struct elfs_database *db, struct elfs_job *job) {
    if (check_primary(db, &job->error) != ELFS_OK) {
        job->outcome = elfs_job_start(job) ? ELFS_JOB_FAILED : ELFS_JOB_DROPPED;
        return false;
    }
    job->write = true;
    elfs_list_push_back(&db->pending, &job->link);
    return true;
}

void elfs_request_submit(struct elfs_request *req) {
    req->submitted = true;
    elfs_request_count(req);
    elfs_list_push_back(&req->db->pending, &req->job.link);
    req->db->node->in_flight++;
}

bool elfs_request_returned(struct elfs_request *req) {
    struct elfs_database *db = req->db;
    const struct elfs_job *job = &req->job;
    req->submitted = false;
    /* Whatever becomes of the connection, the request is its caller's now. */
    elfs_list_remove(&req->link);
    if (job->outcome == ELFS_JOB_DONE && job->position.known && elfs_database_is_primary(db)) {
        db->committed = job->position;
        /* The position behind a COMMIT that wrote nothing may be the next primary's, of whom we have not heard yet. */
        if (job->wrote) elfs_acks_committed(db, job->position);
    }
    uncount(req);
    db->node->in_flight--;
    count_outcome(db, job);
    /* Others that waited for this commit may just have been answered, and the connection be closed for it. */
    bool there = req->conn && !req->conn->closed;
    return there && !req->abandoned && job->outcome != ELFS_JOB_DROPPED;
}

static void on_finished(struct elfs_job *job, void *arg) {
    struct elfs_request *req = ELFS_CONTAINER_OF(job, struct elfs_request, job);
    (void)arg;
    if (job->outcome == ELFS_JOB_REROUTE && reroute(req->db, job)) return;
    bool waits = elfs_request_returned(req);
    if (waits && job->outcome == ELFS_JOB_DONE && req->ack_replicas > 0) {
        elfs_acks_wait(req);
        return;
    }
    if (waits) elfs_conn_wrote(req->conn, elfs_reply_job(elfs_conn_out(req->conn), req));
    if (req->op == ELFS_OP_BEGIN) {
        if (job->outcome == ELFS_JOB_DONE) {
            elfs_txn_opened(req->txn, waits && !elfs_reply_is_unwanted(&req->call));
        } else {
            elfs_txn_discard(req->txn);
        }
    }
    elfs_request_free(req);
}

static void fill_job(struct elfs_request *req, const struct elfs_op *op) {
    static const enum elfs_job_kind kinds[] = {
        [ELFS_OP_QUERY] = ELFS_JOB_QUERY,     [ELFS_OP_QUERY_MANY] = ELFS_JOB_MANY,
        [ELFS_OP_BEGIN] = ELFS_JOB_BEGIN,     [ELFS_OP_TRANSACTION] = ELFS_JOB_TRANSACTION,
        [ELFS_OP_COMMIT] = ELFS_JOB_COMMIT,   [ELFS_OP_ROLLBACK] = ELFS_JOB_ROLLBACK,
        [ELFS_OP_RESOLVE] = ELFS_JOB_RESOLVE,
    };
    const struct elfs_options *options = req->conn->node->options;
    struct elfs_job *job = &req->job;
    job->kind = kinds[op->kind];
    job->statements = op->statements;
    job->count = op->count;
    job->sets = op->sets;
    job->set_count = op->set_count;
    job->key = op->options.key;
    job->timeout_ms = at_most(op->options.timeout_ms, options->statement_timeout_ms);
    job->sink = &req->result.sink;
    job->finished = on_finished;
}

/* As far as can be seen without SQLite; the reader finds the rest. */
static bool writes(const struct elfs_op *op) {
    switch (op->kind) {
    case ELFS_OP_QUERY: return !elfs_sql_looks_read_only(op->statements[0].sql);
    case ELFS_OP_QUERY_MANY:
    case ELFS_OP_TRANSACTION:
    case ELFS_OP_RESOLVE:
    case ELFS_OP_BEGIN: return true;
    default: return false;
    }
}

enum elfs_code elfs_request_admit(struct elfs_request *req, bool writes, bool ends,
                                  struct elfs_error *err) {
    const struct elfs_options *options = req->conn->node->options;
    const struct elfs_database *db = req->db;
    enum elfs_code code = writes ? check_primary(db, err) : ELFS_OK;
    if (code != ELFS_OK) return code;
    if (!db->store) return elfs_database_unavailable(db, err);
    int64_t bytes = (int64_t)(sizeof *req + req->arena.total);
    /* Ending a transaction makes room. */
    if (!ends && (db->queued - req->counted >= options->max_queue ||
                  db->queued_bytes - req->counted_bytes + bytes > options->max_queue_bytes))
        return elfs_fail(err, ELFS_BUSY, "the queue is full");
    return ELFS_OK;
}

/* Checks that it may run, and finds or makes the transaction. */
static enum elfs_code admit(struct elfs_request *req, const struct elfs_op *op,
                            struct elfs_error *err) {
    const struct elfs_options *options = req->conn->node->options;
    bool ends = op->kind == ELFS_OP_COMMIT || op->kind == ELFS_OP_ROLLBACK;
    struct elfs_view token = ends ? op->tx : op->options.tx;
    if (token.len > 0) {
        req->txn = elfs_txn_find(req->conn, req->call.caller, token, req->db, err);
        if (!req->txn) return ELFS_NO_TRANSACTION;
    }
    enum elfs_code code = elfs_request_admit(req, !req->txn && writes(op), ends, err);
    if (code != ELFS_OK) return code;
    if (op->kind == ELFS_OP_BEGIN) {
        req->txn =
            elfs_txn_new(req, at_most(op->options.idle_timeout_ms, options->tx_idle_timeout_ms),
                         at_most(op->options.total_timeout_ms, options->tx_total_timeout_ms));
        if (!req->txn) return elfs_fail(err, ELFS_NOMEM, "out of memory");
        req->txn->ack_replicas = op->options.ack_replicas;
        req->txn->ack_timeout_ms =
            at_most(op->options.ack_timeout_ms, options->statement_timeout_ms);
    }
    req->job.tx = req->txn ? &req->txn->tx : NULL;
    if (op->kind == ELFS_OP_COMMIT && req->txn) {
        req->job.key = req->txn->key; /* read only while the transaction is open, and so there */
        req->ack_replicas = req->txn->ack_replicas;
        req->ack_timeout_ms = req->txn->ack_timeout_ms;
    } else if (op->kind != ELFS_OP_BEGIN) {
        req->ack_replicas = op->options.ack_replicas;
        req->ack_timeout_ms = at_most(op->options.ack_timeout_ms, options->statement_timeout_ms);
    }
    return ELFS_OK;
}

/* Turns the call into a job of this turn, or answers it. */
static void start(struct elfs_conn *conn, struct elfs_request *req) {
    struct elfs_op op;
    struct elfs_error *err = &req->job.error;
    enum elfs_code code = elfs_op_parse(req->call.function, req->call.args, &req->arena, &op, err);
    if (code == ELFS_UNDEF || code == ELFS_BADARG) {
        elfs_conn_wrote(conn, elfs_reply_raise(elfs_conn_out(conn), &req->call, req->pid,
                                               elfs_code_name(code)));
        goto answered;
    }
    if (code != ELFS_OK) goto failed;
    req->op = op.kind;
    if (op.kind == ELFS_OP_INFO) {
        elfs_conn_wrote(conn,
                        elfs_reply_info(elfs_conn_out(conn), &req->call, req->pid, conn->node));
        goto answered;
    }
    req->db = elfs_node_database(conn->node, op.repo);
    if (!req->db) {
        elfs_conn_wrote(conn, elfs_reply_unknown_repo(elfs_conn_out(conn), &req->call, req->pid,
                                                      first_argument(req)));
        goto answered;
    }
    if (elfs_reply_is_state(op.kind)) {
        elfs_conn_wrote(conn, elfs_reply_state(elfs_conn_out(conn), req));
        goto answered;
    }
    fill_job(req, &op);
    code = admit(req, &op, err);
    if (code != ELFS_OK) goto failed;
    elfs_list_push_back(&conn->requests, &req->link);
    elfs_request_submit(req);
    return;

failed:
    elfs_conn_wrote(conn, elfs_reply_error(elfs_conn_out(conn), req, op.failed_index));
answered:
    elfs_request_free(req);
}

/* erlang:node/0, for the usual liveness probe. */
static bool is_node_name(const struct elfs_call *call) {
    return elfs_view_is(call->module, "erlang") && elfs_view_is(call->function, "node") &&
           call->args.len == 1; /* NIL_EXT */
}

void elfs_request_call(struct elfs_conn *conn, struct elfs_view frame, const struct elfs_call *call,
                       struct elfs_view pid) {
    if (is_node_name(call)) {
        elfs_conn_wrote(conn, elfs_reply_node_name(elfs_conn_out(conn), call, pid, conn->node));
        return;
    }
    struct elfs_request *req = request_new(conn, frame, call, pid);
    if (!req) {
        elfs_conn_close(conn, "out_of_memory");
    } else if (elfs_view_is(call->module, "ecto_litefs")) {
        start(conn, req);
    } else {
        elfs_repo_request_start(conn, req);
    }
}

void elfs_request_abandon(struct elfs_conn *conn, struct elfs_view pid) {
    for (struct elfs_list *l = conn->requests.next; l != &conn->requests; l = l->next) {
        struct elfs_request *req = ELFS_CONTAINER_OF(l, struct elfs_request, link);
        if (!elfs_view_equal(req->pid, pid)) continue;
        req->abandoned = true;
        if (req->submitted) {
            elfs_job_cancel(&req->job);
        } else {
            elfs_request_free(req); /* a Repo call that still waits for what it needs to know */
        }
        return;
    }
}

void elfs_requests_conn_gone(struct elfs_conn *conn) {
    for (struct elfs_list *l; (l = elfs_list_pop_front(&conn->requests));) {
        struct elfs_request *req = ELFS_CONTAINER_OF(l, struct elfs_request, link);
        if (!req->submitted) {
            elfs_request_free(req);
            continue;
        }
        req->conn = NULL;
        req->abandoned = true;
        if (!elfs_reply_is_unwanted(&req->call)) elfs_job_cancel(&req->job);
        elfs_list_push_back(&conn->node->orphans, &req->link);
    }
}
