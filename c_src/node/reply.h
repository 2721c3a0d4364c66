/* reply - answers as frames. Each function appends one whole frame, or nothing for a cast, and
 * returns what the frame writer returned. */
#ifndef ELFS_NODE_REPLY_H
#define ELFS_NODE_REPLY_H

#include "node/request.h"

/* True if nobody waits for an answer. */
static inline bool elfs_reply_is_unwanted(const struct elfs_call *call) {
    return call->style == ELFS_CALL_CAST || call->style == ELFS_CALL_REX_CAST;
}

/* {error, Term}, or {error, {Index, Term}} with an index, of req->job.error, which came before the job ran. */
enum elfs_code elfs_reply_error(struct elfs_buf *buf, const struct elfs_request *req, size_t index);

/* {error, {unknown_repo, Repo}}, Repo as the caller gave it (a whole term). */
enum elfs_code elfs_reply_unknown_repo(struct elfs_buf *buf, const struct elfs_call *call,
                                       struct elfs_view pid, struct elfs_view repo);

/* A raised error: "undef", "badarg". */
enum elfs_code elfs_reply_raise(struct elfs_buf *buf, const struct elfs_call *call,
                                struct elfs_view pid, const char *reason);

/* The node's name, as an atom. */
enum elfs_code elfs_reply_node_name(struct elfs_buf *buf, const struct elfs_call *call,
                                    struct elfs_view pid, const struct elfs_node *node);

/* The map of info/0. */
enum elfs_code elfs_reply_info(struct elfs_buf *buf, const struct elfs_call *call,
                               struct elfs_view pid, const struct elfs_node *node);

/* get_primary/1, 'is_primary?'/1 and position/1, by req->op. */
bool elfs_reply_is_state(enum elfs_op_kind kind);
enum elfs_code elfs_reply_state(struct elfs_buf *buf, const struct elfs_request *req);

/* What the finished job of req came to. */
enum elfs_code elfs_reply_job(struct elfs_buf *buf, const struct elfs_request *req);

#endif
