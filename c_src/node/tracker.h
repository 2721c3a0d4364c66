/* tracker - writes the tracker row: the primary's node name, where EctoLiteFS's nodes look for it.
 *
 * Source: EctoLiteFS 1.0's table, so that mixed clusters agree (store/tracker_row.h has its columns). The row is
 * written through the database's own writer, as a job like any other. Loop's thread only.
 */
#ifndef ELFS_NODE_TRACKER_H
#define ELFS_NODE_TRACKER_H

#include "node/database.h"

/* Starts to write our own name; db->row_due is cleared when it has been written, and set again for a later
 * try when it could not be. */
void elfs_tracker_write(struct elfs_database *db);

#endif
