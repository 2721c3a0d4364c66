/* conn - one connection to a peer node, after the handshake.
 *
 * Reads whole frames and hands them to dispatch; collects output and writes it once a turn.
 * Back-pressure: a peer that leaves more than ELFS_OUTPUT_HIGH bytes unread is not read from until
 * it has caught up, and is dropped past --max-output. Loop's thread only.
 */
#ifndef ELFS_NODE_CONN_H
#define ELFS_NODE_CONN_H

#include "node/node.h"

#define ELFS_OUTPUT_HIGH (1024 * 1024)
#define ELFS_HOLD_MS 20

struct elfs_conn {
    struct elfs_list link;  /* on node->conns, then on node->dead */
    struct elfs_list dirty; /* on node->dirty */
    struct elfs_list held;  /* on node->held */
    int64_t held_until_ms;
    struct elfs_watch watch;
    struct elfs_node *node;
    char *name;
    bool dialled;
    bool closed;
    bool read_paused;
    uint64_t established; /* the newest handshake that had begun when this one was established */
    struct elfs_buf in;   /* the start of a frame that is not whole yet */
    struct elfs_buf out;
    size_t out_sent;
    int64_t heard_ms; /* when bytes last came, and last went */
    int64_t spoke_ms;
    struct elfs_list requests; /* struct elfs_request */
    struct elfs_list schemas;  /* struct elfs_schema_entry */
    size_t schema_count;
    struct elfs_report *reports; /* one a database; NULL before the first; owned */
    struct elfs_view *listeners; /* a pid a database, each owned; NULL before the first */
};

/* Takes fd (closed if this fails) and starts to read. NULL: out of memory, or the poller failed. */
struct elfs_conn *elfs_conn_new(struct elfs_node *node, int fd, const char *name);

/* Closes and logs, lets go of its requests and transactions; the block is freed at the end of the
 * turn. Harmless when closed already. */
void elfs_conn_close(struct elfs_conn *conn, const char *reason);

/* The buffer to append whole frames to; it is written at the end of the turn. */
struct elfs_buf *elfs_conn_out(struct elfs_conn *conn);

/* The same, for output that may wait a moment for what follows it: it goes with the connection's next output,
 * or by itself ELFS_HOLD_MS later. */
struct elfs_buf *elfs_conn_out_held(struct elfs_conn *conn);

/* Writes what was held for long enough. The time until the next is due, or -1. */
int64_t elfs_conns_release(struct elfs_node *node);

/* What a frame writer returned: a frame that could not be appended closes the connection, since its
 * caller would wait for ever. */
void elfs_conn_wrote(struct elfs_conn *conn, enum elfs_code code);

/* Writes what the socket takes. */
void elfs_conn_flush(struct elfs_conn *conn);

/* Sends a tick if nothing was sent for a quarter of the tick time; closes if nothing came for all
 * of it. */
void elfs_conn_tick(struct elfs_conn *conn, int64_t now_ms, int64_t tick_ms);

/* No more is read from this peer (a node that stops). */
void elfs_conn_stop_reading(struct elfs_conn *conn);

void elfs_conn_free(struct elfs_conn *conn);

#endif
