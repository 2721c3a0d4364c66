/* db - a connection, set up as every connection of a store is. Internal.
 *
 * Opened and closed by the loop's thread while no other runs on it; used by one worker in between,
 * so that SQLite needs no lock of its own (NOMUTEX).
 */
#ifndef ELFS_STORE_DB_H
#define ELFS_STORE_DB_H

#include "store/guard.h"
#include "store/stmt_cache.h"
#include "store/store.h"
#include "store/watch.h"

struct elfs_db {
    sqlite3 *handle;
    struct elfs_guard guard;
    struct elfs_watch watch;
    struct elfs_stmt_cache cache;
    struct elfs_checkpoint *checkpoint; /* borrowed; or NULL: none are made */
    sqlite3_stmt *schema_version;       /* PRAGMA schema_version */
    sqlite3_stmt *data_version; /* PRAGMA data_version: changes with the commits of others */
    bool wrote;                 /* set by each COMMIT that wrote pages; the writer's to clear */
    uint64_t turn;              /* of the fence, when the schema was last forgotten */
};

enum elfs_db_role {
    ELFS_DB_WRITER, /* creates the file, puts it into WAL mode */
    ELFS_DB_READER, /* read-only; opened after a writer was */
};

/* The guard still lets everything pass afterwards (db->guard.internal): the caller ends that when
 * it has prepared its own statements. Nothing to close when it fails. */
enum elfs_code elfs_db_open(struct elfs_db *db, const struct elfs_store_config *config,
                            enum elfs_db_role role, struct elfs_error *err);
void elfs_db_close(struct elfs_db *db);

/* In no transaction: forgets the schema if the fence's turn is another one. SQLite takes a schema for the one that
 * it knows when its schema_version is the same, but that only counts: another history that has made as many changes has
 * the same one, with other tables in other places. fence may be NULL. */
void elfs_db_follow(struct elfs_db *db, const struct elfs_fence *fence);

#endif
