/* handshake - makes connections to other nodes, with ei, away from the loop.
 *
 * ei does the distribution handshake (erl_dist_protocol, "Distribution Handshake"), accepting and
 * connecting. Its calls block, so each handshake runs on a short-lived thread of its own, at most
 * max_handshakes at once, each with a deadline: a silent peer costs one slot for that long. Through
 * ei's socket callbacks we add the capability flags that ei does not announce (SPAWN and what
 * belongs to it), without which no BEAM sends us an erpc call.
 *
 * All functions are for the loop's thread. Finished handshakes are announced by the wake callback
 * and taken with elfs_handshakes_take.
 */
#ifndef ELFS_NODE_HANDSHAKE_H
#define ELFS_NODE_HANDSHAKE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

#define ELFS_NODE_NAME_MAX 512 /* with the NUL */

struct elfs_handshake_config {
    const char *name; /* "alive@host" */
    const char *cookie;
    uint32_t creation;
    bool hidden;
    int timeout_ms;
    int max_handshakes;
};

struct elfs_handshakes;

/* What came of one. fd is a non-blocking socket, to be closed with elfs_handshake_close, or -1. */
struct elfs_handshake {
    struct elfs_list link;
    bool dialled;
    uint64_t sequence; /* order in which handshakes were started */
    int fd;
    char name[ELFS_NODE_NAME_MAX]; /* the peer's node name; when dialled, whom we dialled */
    char address[32];              /* the peer's address when it came to us */
    const char *reason;            /* why it failed; static text */
};

/* config is copied, but not its strings. wake may be called from any thread. */
enum elfs_code elfs_handshakes_new(const struct elfs_handshake_config *config,
                                   void (*wake)(void *arg), void *arg, struct elfs_handshakes **out,
                                   struct elfs_error *err);

/* Cancels what is under way, waits for its threads, frees. */
void elfs_handshakes_free(struct elfs_handshakes *hs);

/* A listening socket (ei_xlisten): its descriptor, to be closed with elfs_handshake_close, or -1
 * with err filled. *port 0 takes any; it is set to the real one. */
int elfs_handshakes_listen(struct elfs_handshakes *hs, struct in_addr addr, uint16_t *port,
                           struct elfs_error *err);

/* The number of those under way, and of those that ended and were not taken yet. */
int elfs_handshakes_active(struct elfs_handshakes *hs);

/* Starts the handshake on an accepted socket; takes fd in any case. False: no slot or no thread. */
bool elfs_handshakes_accept(struct elfs_handshakes *hs, int fd, const struct sockaddr_in *from);

/* Looks node up in EPMD, connects and starts the handshake. False: no slot or no thread. */
bool elfs_handshakes_dial(struct elfs_handshakes *hs, const char *node);

/* Moves the finished handshakes to list (initialised by the call); free each with elfs_free. */
void elfs_handshakes_take(struct elfs_handshakes *hs, struct elfs_list *list);

/* Closes a socket that came from here. Any thread. */
void elfs_handshake_close(int fd);

/* Registers our name with EPMD (ei_publish). The descriptor that keeps the registration, or -1. */
int elfs_handshakes_publish(struct elfs_handshakes *hs, uint16_t port, int timeout_ms);

#endif
