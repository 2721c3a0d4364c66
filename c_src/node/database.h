/* database - a served database: its store, its role, its queue.
 *
 * A database in LiteFS's folder is LiteFS's (`managed`): it may be written while this host is primary, is only
 * read on a replica, and is not opened at all while nothing is mounted, since SQLite would then make a file
 * under the mountpoint. Any other is this host's own and is always written here. Loop's thread only.
 */
#ifndef ELFS_NODE_DATABASE_H
#define ELFS_NODE_DATABASE_H

#include "node/fence.h"
#include "node/history.h"
#include "store/store.h"

struct elfs_node;

struct elfs_database {
    struct elfs_node *node;
    struct elfs_view name;
    const char *path;
    bool managed;
    bool writable;            /* the store has a writer */
    struct elfs_store *store; /* NULL while it cannot be used */
    bool lost; /* its mount died: no store of it may be left when the next one is opened */
    struct elfs_litefs_fence fence;
    int64_t retry_ms; /* when to try again to open it, or to write the tracker row; 0: not */
    bool row_due;     /* this host became primary and has not written its name yet */
    char problem[ELFS_ERROR_TEXT_MAX]; /* why it is not open; logged once */
    struct elfs_position committed;    /* after the newest acknowledged COMMIT */
    struct elfs_history history;       /* as primary: acks.h */
    struct elfs_list awaiting;         /* requests that wait for replicas */
    int64_t ack_deadline_ms;           /* the first of theirs */
    struct elfs_list pending;          /* jobs of this turn */
    struct elfs_list tables;           /* struct elfs_table_entry */
    int64_t queued;                    /* requests that wait for it or run: request.h */
    int64_t queued_bytes;
    int64_t done;
    int64_t failed;
    int64_t transactions; /* interactive ones that are open */
};

/* Makes node->databases out of the options and opens those that are this host's own; the others follow what
 * LiteFS says. The error is that of a database that should have opened. */
enum elfs_code elfs_databases_init(struct elfs_node *node, struct elfs_error *err);

/* The node stops: another program's lock holds up what is queued once, and not each group of it anew. */
void elfs_databases_hurry(struct elfs_node *node);

/* Closes all and waits for it; jobs still queued have been answered. */
void elfs_databases_fini(struct elfs_node *node);

/* LiteFS's state has changed: opens, reopens or closes; rolls interactive transactions back where this host
 * is no longer primary; writes the tracker row where it has become so. */
void elfs_databases_follow(struct elfs_node *node);

/* LiteFS has announced transactions: as the primary, ours and those of others on this host. */
void elfs_databases_moved(struct elfs_node *node);

/* Tries again what did not work. */
void elfs_databases_tick(struct elfs_node *node);

/* Hands the jobs of this turn to the stores; those of a database that has none fail. */
void elfs_databases_submit(struct elfs_node *node);

/* True if this host may write it, as far as is known. */
bool elfs_database_is_primary(const struct elfs_database *db);

/* The node name of its primary: ours, the one in the tracker row, or empty. */
struct elfs_view elfs_database_primary(const struct elfs_database *db);

/* Where it stands. */
struct elfs_position elfs_database_position(struct elfs_database *db);

/* ELFS_UNAVAILABLE, and why it is not open. */
enum elfs_code elfs_database_unavailable(const struct elfs_database *db, struct elfs_error *err);

#endif
