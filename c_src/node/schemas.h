/* schemas - asks a caller's node about its Ecto schemas, and keeps the answers.
 *
 * Schema:'__schema__'(...) is called by erpc over the connection that the Repo call came by: a SPAWN_REQUEST of
 * ours, answered as ours are (erpc.erl). All questions of one schema go at once. The answers are kept until the
 * node disconnects. A node that answers otherwise than Ecto, or that cannot be asked (it never says that it has
 * started the process: a C program), has no answer: the call goes on without. One that has and is slower than
 * ELFS_ASK_MS would answer: the call is refused, since what it would be without is not Ecto's; answers that come later
 * serve later calls. Loop's thread only.
 */
#ifndef ELFS_NODE_SCHEMAS_H
#define ELFS_NODE_SCHEMAS_H

#include "base/arena.h"
#include "codec/dist.h"
#include "ecto/schema.h"
#include "node/conn.h"

#define ELFS_ASK_MS 2000
#define ELFS_SCHEMAS_MAX 512 /* of one connection; further ones have no answer */

struct elfs_schema_entry {
    struct elfs_list link; /* on conn->schemas; off it when the connection is gone */
    struct elfs_conn *conn;
    struct elfs_view module; /* text */
    bool asking;
    bool known; /* schema is valid */
    bool heard; /* a process was started to answer */
    bool late;  /* it has not, in time */
    uint32_t id;
    int missing; /* answers */
    int64_t deadline_ms;
    struct elfs_ecto_answers answers;
    struct elfs_ecto_schema schema;
    struct elfs_list waiting;
    int users;
    struct elfs_arena arena;
};

/* The entry of this schema, with one more user; asking: `waiting` is on its list. NULL: no answer can be had. */
struct elfs_schema_entry *elfs_schemas_get(struct elfs_conn *conn, struct elfs_view module,
                                           struct elfs_list *waiting);
void elfs_schemas_put(struct elfs_schema_entry *entry);

/* The entry of a schema that has been asked for over this connection, or NULL. It lives as long as the connection. */
struct elfs_schema_entry *elfs_schemas_find(const struct elfs_conn *conn, struct elfs_view module);

/* A SPAWN_REPLY or the end of a process of the peer: true if it was about a question of ours. */
bool elfs_schemas_answer(struct elfs_conn *conn, const struct elfs_dist_msg *msg);

/* Gives up on questions that were not answered in time. */
void elfs_schemas_tick(struct elfs_conn *conn);

/* The connection is gone; those who wait have been taken off. */
void elfs_schemas_conn_gone(struct elfs_conn *conn);

#endif
