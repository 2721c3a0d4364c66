/* tables - the columns of tables, as Repo calls need them, kept by schema version.
 *
 * Read by the database's reader (PRAGMA table_xinfo). A statement that was made with an entry's columns carries its
 * schema version (store/job.h); when that is found to be stale the entry is dropped and read anew. Loop's thread
 * only.
 */
#ifndef ELFS_NODE_TABLES_H
#define ELFS_NODE_TABLES_H

#include "base/arena.h"
#include "ecto/table.h"
#include "node/database.h"

#define ELFS_TABLES_MAX 256

struct elfs_table_entry {
    struct elfs_list link; /* on db->tables, while it is current */
    struct elfs_view name;
    int64_t schema_version;
    struct elfs_ecto_table table;
    struct elfs_error error; /* code ELFS_OK, or why the columns could not be read */
    bool loading;
    struct elfs_list waiting; /* of those who called elfs_tables_get and got a loading one */
    int users;
    struct elfs_arena arena;
};

/* The entry of this table, with one more user; loading: `waiting` is on its list and `ready` is called for each of
 * them when it is there. NULL: out of memory. */
struct elfs_table_entry *elfs_tables_get(struct elfs_database *db, struct elfs_view name,
                                         struct elfs_list *waiting);

/* One user less. */
void elfs_tables_put(struct elfs_table_entry *entry);

/* The entry is no longer true: the next get reads anew. */
void elfs_tables_drop(struct elfs_table_entry *entry);

/* All of them (the node ends). */
void elfs_tables_fini(struct elfs_database *db);

/* All that is known: the same schema version may be another schema's now. */
void elfs_tables_forget(struct elfs_database *db);

#endif
