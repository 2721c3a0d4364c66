/* acks - answers that wait until so many replicas have what was committed.
 *
 * The primary's side. A request with `ack => {replicas, K}` is answered when the nodes of K replicas
 * have reported its position, or one after it in this host's history (reports.h, history.h); at its
 * deadline with the number that have. It waits here after its COMMIT, on its connection's list, and
 * goes with the connection. A host that stops being primary meanwhile cannot promise anything any
 * more: the outcome is unknown then. Loop's thread only.
 */
#ifndef ELFS_NODE_ACKS_H
#define ELFS_NODE_ACKS_H

#include "node/request.h"

/* A commit was acknowledged, or LiteFS announced a transaction: this is of our history. */
void elfs_acks_committed(struct elfs_database *db, struct elfs_position position);

/* Takes a request that is done, and answers it in time. */
void elfs_acks_wait(struct elfs_request *req);

/* A message to ELFS_REPORTS_NAME. */
void elfs_acks_report(struct elfs_conn *conn, struct elfs_view message);

/* Answers those whose time is over. Milliseconds until the next is, or -1. */
int64_t elfs_acks_tick(struct elfs_node *node);

/* This host has become, or is not any more, the primary: what was reported is worth nothing. */
void elfs_acks_forget(struct elfs_database *db);

/* The node stops: all are answered now. */
void elfs_acks_settle_all(struct elfs_node *node);

#endif
