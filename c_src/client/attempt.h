/* attempt - one try of a request: find a node, send, wait, understand. Internal; the client's thread.
 */
#ifndef ELFS_CLIENT_ATTEMPT_H
#define ELFS_CLIENT_ATTEMPT_H

#include "client/client.h"
#include "client/retry.h"

/* Tries it until the deadline. any_node: the first node that can be reached will do. *reply, whose
 * views are valid until the client is used again, is set when the answer is DONE, REFUSED, DECIDED,
 * NOT_NOW or UNKNOWN; err is filled else. */
enum elfs_client_attempt elfs_client_try(struct elfs_client *client,
                                         const struct elfs_client_request *request, bool any_node,
                                         int64_t deadline_ms, struct elfs_client_reply *reply,
                                         struct elfs_error *err);

#endif
