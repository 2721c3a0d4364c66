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

struct elfs_request {
    struct elfs_job job;
    struct elfs_list link;
    struct elfs_conn *conn; /* NULL once it is gone */
    struct elfs_database *db;
    struct elfs_call call; /* views into arena */
    struct elfs_view pid;  /* our process of the call, in arena */
    enum elfs_op_kind op;
    bool abandoned; /* the caller no longer waits */
    struct elfs_txn *txn;
    struct elfs_arena arena;
    struct elfs_result result;
};

/* Runs a call that came in frame; pid is the process that stands for it (in node->scratch). */
void elfs_request_call(struct elfs_conn *conn, struct elfs_view frame, const struct elfs_call *call,
                       struct elfs_view pid);

/* The caller of the process pid gave up (DEMONITOR_P): what has not started never will. */
void elfs_request_abandon(struct elfs_conn *conn, struct elfs_view pid);

/* The connection is gone: all its callers gave up, but casts still run. */
void elfs_requests_conn_gone(struct elfs_conn *conn);

#endif
