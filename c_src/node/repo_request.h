/* repo_request - a Repo call on an Ecto struct or changeset, from its arguments to its answer.
 *
 * Follows the steps of ecto/repo_call.h: what is asked; what the caller's node knows of the schema (schemas.h); the
 * table's columns (tables.h); the statement; its run, as any request's; the answer. Where a step has to wait the
 * request stays on its connection's list, and goes with it. A statement that was made with columns that are no
 * longer true is made anew.
 */
#ifndef ELFS_NODE_REPO_REQUEST_H
#define ELFS_NODE_REPO_REQUEST_H

#include "ecto/repo_call.h"
#include "node/request.h"

struct elfs_repo_request;

/* Takes the request. A call that is no Repo call, a function of a served Repo's or EctoLiteFS's closure for one, is
 * answered as undefined. */
void elfs_repo_request_start(struct elfs_conn *conn, struct elfs_request *req);

/* What it waited for is there; waiting is what it had put on a list, and is off it. */
void elfs_repo_request_continue(struct elfs_list *waiting);

/* Lets go of tables and schemas; takes it off the lists it waits on. */
void elfs_repo_request_fini(struct elfs_repo_request *repo);

#endif
