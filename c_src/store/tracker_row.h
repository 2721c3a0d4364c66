/* tracker_row - reads EctoLiteFS's tracker row: the name of the node that is primary.
 *
 *   CREATE TABLE _ecto_litefs_primary (id INTEGER PRIMARY KEY CHECK (id = 1),
 *                                      node_name TEXT NOT NULL, updated_at INTEGER NOT NULL)
 *
 * Opens the database read-only, reads and closes: no handle stays open, since one would keep LiteFS
 * from unmounting. Any thread; but a process that has the database open through another copy of
 * SQLite must not call it: closing the file would drop that copy's locks (POSIX record locks belong
 * to the process).
 */
#ifndef ELFS_STORE_TRACKER_ROW_H
#define ELFS_STORE_TRACKER_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/view.h"

/* Erlang's limit for an atom, and the NUL. */
#define ELFS_TRACKER_NODE_SIZE 256

/* ELFS_OK: node is the row's node name, or empty if there is no row yet (no such file, table or
 * row). ELFS_MALFORMED: there is one, and it is not what it should be (other columns or types, no
 * node name). ELFS_SQLITE: SQLite could not read it (no database, locked for longer than 50 ms,
 * ...). In these cases node is empty. */
enum elfs_code elfs_tracker_row_read(const char *path, const char *table,
                                     char node[ELFS_TRACKER_NODE_SIZE], int64_t *updated_at,
                                     struct elfs_error *err);

/* True for NAME@HOST as Erlang builds node names, in ASCII: letters, digits, '_' and '-', then
 * letters, digits and "._-:". */
bool elfs_is_node_name(struct elfs_view name);

#endif
