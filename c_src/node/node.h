/* node - the C node: its state and its loop.
 *
 * One thread, the loop's, owns everything below: sockets, connections, requests, transactions'
 * registry. It never blocks but in the poller. Writers and readers of the databases are threads of
 * the store; what they finish comes back through the mailbox. Handshakes and EPMD have threads of
 * their own and report through the same wake-up.
 *
 * One turn of the loop: wait; read sockets and dispatch frames; take what the threads finished;
 * hand new jobs to the stores; write what there is to write; look at the clocks; free what was
 * closed.
 */
#ifndef ELFS_NODE_NODE_H
#define ELFS_NODE_NODE_H

#include "base/list.h"
#include "codec/put.h"
#include "node/closer.h"
#include "node/database.h"
#include "node/epmd.h"
#include "node/handshake.h"
#include "node/litefs.h"
#include "node/options.h"
#include "node/poller.h"
#include "node/wake.h"
#include "store/store.h"

#define ELFS_READ_SIZE 65536
#define ELFS_ENDED_MAX 64

/* A node that we connect to. */
struct elfs_dial {
    const char *node;
    int64_t next_ms;
    int64_t wait_ms;
    bool under_way;
};

/* An interactive transaction that has ended, kept to explain a late use of its token. */
struct elfs_ended_tx {
    uint32_t words[3];
    enum elfs_tx_end end;
};

struct elfs_node {
    const struct elfs_options *options;
    struct elfs_identity identity;
    struct elfs_poller *poller;
    struct elfs_wake wake;
    struct elfs_watch wake_watch;
    struct elfs_mailbox mailbox;
    struct elfs_handshakes *handshakes;
    struct elfs_watch listener;
    int64_t listener_paused_until_ms; /* after running out of descriptors; 0 if not paused */
    struct elfs_epmd *epmd;
    struct elfs_litefs litefs;
    bool was_primary; /* of the managed databases, as last followed */
    uint64_t turns;   /* of litefs's state, as last followed */
    struct elfs_closer closer;
    struct elfs_database *databases;
    size_t database_count;
    struct elfs_dial dials[ELFS_PEERS_MAX + 1]; /* of --connect, and then one for the primary */
    char wanted[ELFS_NODE_NAME_MAX];            /* the primary's node, as a replica; or empty */

    struct elfs_list conns; /* struct elfs_conn */
    struct elfs_list dirty; /* those with output to write in this turn */
    struct elfs_list held;  /* those with output that may wait a moment, oldest first */
    struct elfs_list dead;  /* closed in this turn; freed at its end */
    int64_t conn_count;
    uint64_t established; /* handshake sequence numbers seen so far; see peers.c */

    struct elfs_list orphans; /* requests whose connection is gone */
    int64_t in_flight;        /* requests with a store */
    struct elfs_list txns;    /* struct elfs_txn */
    struct elfs_ended_tx ended[ELFS_ENDED_MAX];
    size_t ended_next;
    uint32_t pid_num;
    uint32_t pid_serial;
    uint32_t next_token;
    uint32_t next_schema;

    int64_t now_ms; /* of this turn */
    int64_t started_ms;
    int64_t next_tick_ms;
    bool stopping;
    int64_t flush_deadline_ms;
    struct elfs_buf scratch;
    uint8_t read_buf[ELFS_READ_SIZE];
};

/* Starts everything, serves until SIGTERM or SIGINT, stops everything. Returns ELFS_OK after an
 * orderly stop; otherwise what kept it from starting, with err filled. */
enum elfs_code elfs_node_run(const struct elfs_options *options, const char *cookie,
                             struct elfs_error *err);

/* The database of that name (without "Elixir."), or NULL. */
struct elfs_database *elfs_node_database(struct elfs_node *node, struct elfs_view name);

/* A pid for a new process of ours, as a whole term in node->scratch: valid until the next call. */
struct elfs_view elfs_node_new_pid(struct elfs_node *node);

#endif
