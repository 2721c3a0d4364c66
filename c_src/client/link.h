/* link - a client's connection to one C node.
 *
 * ei shakes hands; from then on we read and write frames ourselves, every step with a deadline, every
 * byte checked (codec/). The client's thread. Deadlines are moments of base/clock.h.
 */
#ifndef ELFS_CLIENT_LINK_H
#define ELFS_CLIENT_LINK_H

#include <ei.h>

#include "base/buf.h"
#include "client/ecto_litefs.h"

struct elfs_client_link {
    char node[ELFS_CLIENT_NODE_MAX];
    int fd;             /* -1: not connected */
    struct elfs_buf in; /* what has been read and not yet used */
    size_t used;        /* of that, the frame whose message was given out last */
};

/* A link to nobody, that takes answers of at most max bytes. */
void elfs_client_link_init(struct elfs_client_link *link, size_t max);

/* Closes it. It may be opened again. */
void elfs_client_link_close(struct elfs_client_link *link);

/* Connects to link->node: its host's EPMD, then ei's handshake. Does nothing if it is connected and
 * the node has not closed meanwhile; answers the node's ticks then. ELFS_CLOSED, ELFS_TIMEOUT, with
 * err: there is no connection. */
enum elfs_code elfs_client_link_open(struct elfs_client_link *link, ei_cnode *self,
                                     int64_t deadline_ms, struct elfs_error *err);

/* Sends frames. ELFS_CLOSED, with err: not all of it was sent. Closes the link then. */
enum elfs_code elfs_client_link_send(struct elfs_client_link *link, struct elfs_view frames,
                                     int64_t deadline_ms, struct elfs_error *err);

/* Waits for the next message to the process pid (a whole term), answering ticks and leaving out
 * what is for others. *message is a checked term and valid until the link is used again. ELFS_AGAIN: the
 * deadline passed, and it may be called again. With err, and the link closed: ELFS_CLOSED,
 * ELFS_MALFORMED, ELFS_LIMIT, ELFS_NOMEM. */
enum elfs_code elfs_client_link_receive(struct elfs_client_link *link, struct elfs_view pid,
                                        int64_t deadline_ms, struct elfs_view *message,
                                        struct elfs_error *err);

#endif
