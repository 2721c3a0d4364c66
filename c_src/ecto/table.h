/* table - the columns of a table, as the database tells them.
 *
 * PURE. The node reads them with PRAGMA table_xinfo and keeps them by schema version.
 */
#ifndef ELFS_ECTO_TABLE_H
#define ELFS_ECTO_TABLE_H

#include "base/view.h"

struct elfs_ecto_column {
    struct elfs_view name;
    struct elfs_view type; /* as declared; may be empty */
    bool not_null;
    bool has_default;
    int pk; /* its place in the primary key, from 1; 0: not in it */
};

/* Without columns: there is no such table. */
struct elfs_ecto_table {
    const struct elfs_ecto_column *columns;
    size_t count;
    bool rowid_key; /* the one column of its key is INTEGER PRIMARY KEY: SQLite makes the value */
};

/* The column of this name, as SQLite compares names (ASCII letters of either case); or NULL. */
const struct elfs_ecto_column *elfs_ecto_column_find(const struct elfs_ecto_table *table,
                                                     struct elfs_view name);

/* True if the declared type has this word in it, which is in lower case. */
bool elfs_ecto_column_mentions(const struct elfs_ecto_column *column, const char *word);

/* Declared with BLOB in its type: there ecto_sqlite3 keeps binaries, and binary ids raw. */
bool elfs_ecto_column_is_blob(const struct elfs_ecto_column *column);

#endif
