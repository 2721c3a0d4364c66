/* client - what a client holds. Internal; see ecto_litefs.h.
 */
#ifndef ELFS_CLIENT_CLIENT_H
#define ELFS_CLIENT_CLIENT_H

#include "client/link.h"
#include "client/reply.h"
#include "client/request.h"

#define ELFS_CLIENT_NODES_MAX 64
#define ELFS_CLIENT_TIMEOUT_MAX_MS (INT64_C(24) * 3600 * 1000) /* a day */

/* 8 random bytes, made once, then a counter, big-endian: the keys of one client lie side by side in
 * the node's table. */
#define ELFS_CLIENT_OWN_KEY 16

struct elfs_client {
    ei_cnode self; /* our name, cookie and creation */
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    size_t max_frame;
    /* One for each node of the configuration, in its order, and one for a primary that is not
     * among them. */
    struct elfs_client_link *links;
    size_t count; /* without that one */
    /* Where the last request found it; NULL: not known. */
    struct elfs_client_link *primary;
    uint8_t prefix[ELFS_CLIENT_OWN_KEY / 2];
    uint64_t keys;   /* made so far */
    uint64_t calls;  /* sent so far: each has a process of its own, so that no late answer is taken
                        for another's */
    uint64_t random; /* a start for the pauses' jitter */
};

/* A request on its way: sent once, on one link. */
struct elfs_client_exchange {
    struct elfs_client_link *link;
    uint8_t pid[ELFS_CLIENT_NODE_MAX + 32];
    size_t pid_len;
};

/* Connects the link if it must and sends the request there, to be answered by the
 * deadline. ELFS_CLOSED, ELFS_TIMEOUT, with err: it was not sent, or not whole. ELFS_LIMIT,
 * ELFS_NOMEM: nor can it be. */
enum elfs_code elfs_client_send(struct elfs_client *client, struct elfs_client_link *link,
                                const struct elfs_client_request *request, int64_t deadline_ms,
                                struct elfs_client_exchange *exchange, struct elfs_error *err);

/* Waits for the answer. *reply's views are valid until the link is used again. ELFS_AGAIN: not yet.
 * With err, and the link closed: ELFS_CLOSED, ELFS_MALFORMED, ELFS_LIMIT, ELFS_NOMEM. */
enum elfs_code elfs_client_await(struct elfs_client_exchange *exchange, int64_t deadline_ms,
                                 struct elfs_client_reply *reply, struct elfs_error *err);

#endif
