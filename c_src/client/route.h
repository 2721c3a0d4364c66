/* route - which node is the primary? Internal; the client's thread. */
#ifndef ELFS_CLIENT_ROUTE_H
#define ELFS_CLIENT_ROUTE_H

#include "client/client.h"
#include "client/retry.h"

/* Asks the nodes in their order, all but one (`skip` may be NULL), who the primary of repo is, until
 * one names it: that is client->primary then. ELFS_ATTEMPT_DONE; with err filled:
 * ELFS_ATTEMPT_NO_PRIMARY, ELFS_ATTEMPT_UNREACHABLE, ELFS_ATTEMPT_REFUSED (none that answers serves
 * the repo; *reply is the last such answer). A node has connect_timeout_ms to answer. err stays as it
 * was when there was no time to ask anybody. */
enum elfs_client_attempt elfs_client_find_primary(struct elfs_client *client, const char *repo,
                                                  const struct elfs_client_link *skip,
                                                  int64_t deadline_ms,
                                                  struct elfs_client_reply *reply,
                                                  struct elfs_error *err);

/* Remembers what a node has said. */
void elfs_client_set_primary(struct elfs_client *client, struct elfs_view node);

#endif
