/* reports - C nodes tell each other where their copies stand.
 *
 * A replica's node keeps a connection to its primary's node, which the tracker row names, and sends
 * it the position of each database after each transaction that LiteFS has applied:
 *
 *   to the name ecto_litefs    {position, Repo :: binary(), {Txid, Checksum}}
 *
 * What the primary makes of them: acks.h. Loop's thread only.
 */
#ifndef ELFS_NODE_REPORTS_H
#define ELFS_NODE_REPORTS_H

#include "codec/dist.h"
#include "node/conn.h"
#include "node/database.h"

#define ELFS_REPORTS_NAME "ecto_litefs"

/* Of one database, between us and the node of a connection. */
struct elfs_report {
    struct elfs_position heard; /* what the peer said last */
    uint64_t confirmed_txid;    /* the newest of its words that is of our history; 0: none */
    struct elfs_position sent;  /* what we said last */
};

/* The connection's report for the database; NULL: none yet, or, with make, no memory. */
struct elfs_report *elfs_report_of(struct elfs_conn *conn, const struct elfs_database *db,
                                   bool make);

/* Reads a message; *db is the database it is about. ELFS_MALFORMED: it is no such message, or of a
 * database that is not served here. */
enum elfs_code elfs_report_read(struct elfs_node *node, struct elfs_view message,
                                struct elfs_database **db, struct elfs_position *position);

/* As a replica: dials the primary's node, and tells it what is new. */
void elfs_reports_send(struct elfs_node *node);

#endif
