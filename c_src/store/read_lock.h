/* read_lock - a reader's lock in SQLite's WAL-index, kept from one write to the next. Internal.
 *
 * A transaction takes its read lock in three steps (wal.c, walTryBeginRead): a read mark exclusively, to write into it
 * which frame is the newest; gives that back; takes it shared; and gives that back at its end. On LiteFS each is a way
 * through FUSE and back, four of the six that the locks of a write take. A connection that keeps the last one needs none
 * of them for its next transaction: told that the marks are in use (SQLITE_BUSY), as they may be at any time, SQLite takes
 * the largest mark that is there, whose lock this connection has already.
 *
 * A mark that is behind the newest frame is sound. It keeps checkpoints from going past it and the WAL from beginning
 * anew (The WAL-Index File Format, "WAL Locks"), only for longer than need be. So the lock is given back when it has been
 * kept for ELFS_READ_LOCK_MS, by a transaction that does not write, by one that does not get the write lock, before a
 * checkpoint of the connection's own, and when its owner says that there is nothing to do.
 *
 * Thread: the connection's.
 */
#ifndef ELFS_STORE_READ_LOCK_H
#define ELFS_STORE_READ_LOCK_H

#include <sqlite3.h>

#include "base/error.h"

#define ELFS_READ_LOCK_MS 20

/* From now on the connection, which is in no transaction, keeps its lock. ELFS_NOMEM. Harmless where there are no locks
 * of a WAL-index. */
enum elfs_code elfs_read_lock_keep(sqlite3 *handle);

/* Gives back what is kept: to be called when nothing is written for a moment. Harmless otherwise. */
void elfs_read_lock_drop(sqlite3 *handle);

#endif
