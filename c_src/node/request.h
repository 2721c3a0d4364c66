/* request - a call from its frame to its answer.
 *
 * A call is answered at once (a builtin, bad arguments, a full queue) or becomes a request: one
 * block that holds a copy of its frame, the job for the store, and the encoded result. A request is
 * on its connection's list until the mailbox brings its job back; when the connection goes first it
 * moves to node->orphans, and its answer is thrown away. Loop's thread only, but for what job.h
 * says of the job.
 */
#ifndef ELFS_NODE_REQUEST_H
#define ELFS_NODE_REQUEST_H

#include "base/arena.h"
#include "codec/call.h"
#include "codec/op.h"
#include "codec/result.h"
#include "node/conn.h"

struct elfs_txn;
struct elfs_repo_request;

struct elfs_request {
    struct elfs_job job;
    bool submitted; /* the job is with a store, or on its way there */
    bool counted;   /* among what waits for the database: elfs_request_count */
    int64_t counted_bytes;
    struct elfs_repo_request *repo; /* a Repo call (repo_request.h), in arena; else NULL */
    struct elfs_list link;
    struct elfs_conn *conn; /* NULL once it is gone */
    struct elfs_database *db;
    struct elfs_call call; /* views into arena */
    struct elfs_view pid;  /* our process of the call, in arena */
    enum elfs_op_kind op;
    bool abandoned; /* the caller no longer waits */
    struct elfs_txn *txn;
    int ack_replicas; /* acks.h; 0: none are waited for */
    int64_t ack_timeout_ms;
    int64_t ack_deadline_ms;
    int acked;
    struct elfs_list ack_link; /* on db->awaiting */
    struct elfs_arena arena;
    struct elfs_result result;
};

/* Runs a call that came in frame; pid is the process that stands for it (in node->scratch). */
void elfs_request_call(struct elfs_conn *conn, struct elfs_view frame, const struct elfs_call *call,
                       struct elfs_view pid);

/* What Repo calls share with the others. */

/* Checks that this host may write the database and that its queue has room; ELFS_NOT_PRIMARY, ELFS_UNAVAILABLE or
 * ELFS_BUSY. `ends`: it ends a transaction, which is always let through. */
enum elfs_code elfs_request_admit(struct elfs_request *req, bool writes, bool ends,
                                  struct elfs_error *err);

/* Counts it among what waits for its database, with what it holds now, until its job is back or it is freed. */
void elfs_request_count(struct elfs_request *req);

/* Puts the job among those of this turn. */
void elfs_request_submit(struct elfs_request *req);

/* Counts the request out, whose job has come back, and takes the request off its connection's list. True if its caller still
 * waits for the answer. */
bool elfs_request_returned(struct elfs_request *req);

void elfs_request_free(struct elfs_request *req);

/* The caller of the process pid gave up (DEMONITOR_P): what has not started never will. */
void elfs_request_abandon(struct elfs_conn *conn, struct elfs_view pid);

/* The connection is gone: all its callers gave up, but casts still run. */
void elfs_requests_conn_gone(struct elfs_conn *conn);

#endif
