/* request - what a client asks a C node, and its bytes.
 *
 * PURE. Source: rpc.erl: {Pid, {call, Module, Function, Args, GroupLeader}} sent to `rex`, as ei_rpc
 * sends it. The functions are those of docs/api.md.
 */
#ifndef ELFS_CLIENT_REQUEST_H
#define ELFS_CLIENT_REQUEST_H

#include "base/buf.h"
#include "client/ecto_litefs.h"

enum elfs_client_function {
    ELFS_CLIENT_QUERY,
    ELFS_CLIENT_QUERY_MANY,
    ELFS_CLIENT_TRANSACTION,
    ELFS_CLIENT_RESOLVE,
    ELFS_CLIENT_POSITION,
    ELFS_CLIENT_GET_PRIMARY,
};

/* Borrowed, all of it. */
struct elfs_client_request {
    enum elfs_client_function function;
    const char *repo;
    const struct elfs_client_statement *statements;
    size_t count;           /* QUERY, QUERY_MANY: 1 */
    size_t set_count;       /* QUERY_MANY */
    struct elfs_view key;   /* empty: none; RESOLVE has one */
    unsigned ack_replicas;  /* 0: answered without them */
    int64_t ack_timeout_ms; /* at most; 0: as long as there is time */
};

/* What can be seen without a node: a missing text, a value of no type or that is not finite, a key
 * too long. ELFS_BADARG. */
enum elfs_code elfs_client_request_check(const struct elfs_client_request *request,
                                         struct elfs_error *err);

/* Appends the frame. pid: our process, a whole term, that the answer is to come to. left_ms: the
 * time that is left for the whole; what the node may use is less, since a node that gives up before
 * we do says so, and we know that nothing was written. ELFS_NOMEM, ELFS_LIMIT: larger than buf may get; nothing is
 * appended then. */
enum elfs_code elfs_client_request_put(struct elfs_buf *buf,
                                       const struct elfs_client_request *request,
                                       struct elfs_view pid, int64_t left_ms);

#endif
