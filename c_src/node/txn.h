/* txn - the loop's side of interactive transactions: tokens, owners, monitors.
 *
 * A token is a reference that we make; it works for the process that called 'begin', over the
 * connection it called from. That process is monitored: when it dies or its connection closes, the
 * transaction is rolled back at once. (Callers through `rex`, C programs on ei, are not monitored,
 * since ei gives up on a connection that brings it a monitor; their connection stands for them.)
 * Loop's thread only.
 */
#ifndef ELFS_NODE_TXN_H
#define ELFS_NODE_TXN_H

#include "node/request.h"

struct elfs_txn {
    struct elfs_tx tx;     /* the store's part */
    struct elfs_list link; /* on node->txns */
    struct elfs_node *node;
    struct elfs_database *db;
    struct elfs_store *store; /* it was begun on; NULL once that is being closed, which ends it */
    struct elfs_conn *conn;   /* the owner's; NULL once it is gone */
    uint32_t words[3];        /* the token, which is also the monitor's reference */
    bool open;                /* 'begin' has returned */
    bool monitored;
    struct elfs_view owner; /* pids as whole terms */
    struct elfs_view pid;
    struct elfs_view key; /* what it is known by once it is committed; may be empty */
    uint8_t *terms;       /* the bytes of these three */
    int ack_replicas;     /* for its commit: acks.h */
    int64_t ack_timeout_ms;
};

/* A transaction for a 'begin' of this request; NULL when out of memory. */
struct elfs_txn *elfs_txn_new(struct elfs_request *req, int64_t idle_ms, int64_t total_ms);

/* 'begin' failed: there is no transaction. */
void elfs_txn_discard(struct elfs_txn *txn);

/* 'begin' succeeded: watches the owner. The transaction is rolled back at once if the owner has
 * gone meanwhile or no longer waits for its token (wanted false), or this host is not the primary any more. */
void elfs_txn_opened(struct elfs_txn *txn, bool wanted);

/* The transaction that this token names, if it is open and belongs to this caller; otherwise NULL,
 * with err saying why. */
struct elfs_txn *elfs_txn_find(struct elfs_conn *conn, struct elfs_view caller,
                               struct elfs_view token, const struct elfs_database *db,
                               struct elfs_error *err);

/* Appends the token. */
void elfs_txn_put_token(struct elfs_buf *buf, const struct elfs_txn *txn);

/* The store has ended it (the mailbox brought it): unwatches the owner, frees. */
void elfs_txn_ended(struct elfs_node *node, struct elfs_tx *tx);

/* The monitor with this reference fired. */
void elfs_txns_owner_down(struct elfs_conn *conn, struct elfs_view ref);

/* The connection is gone, and all owners behind it. */
void elfs_txns_conn_gone(struct elfs_conn *conn);

/* Rolls back those of one database (it is closed, or this host is no longer its primary). */
void elfs_txns_abort_of(const struct elfs_database *db);

/* Its store is to be closed by another thread, which ends them: nobody may ask that store for anything any more. */
void elfs_txns_store_gone(const struct elfs_database *db);

/* Rolls all of them back (the node stops). */
void elfs_txns_abort_all(struct elfs_node *node);

#endif
