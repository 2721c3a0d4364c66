/* wal_file - SQLite's WAL file, which a COMMIT writes in few large pieces. Internal.
 *
 * For each page of a transaction SQLite writes a frame in two pieces, 24 bytes and the page. On LiteFS each write is
 * a way through FUSE and back, of which a COMMIT is made. Between elfs_wal_hold and elfs_wal_settle pieces that
 * follow one another are put together, and written before anything else is done with the file: before its sync.
 *
 * Only for connections with synchronous=FULL, whose COMMIT syncs the WAL before its frames count (wal.c, walFrames):
 * nothing that another connection may look at is held back. With NORMAL it would be. Outside of COMMIT, when SQLite
 * writes pages for which it has no room, nothing is held: such frames may be rolled back, and another program's be in
 * their place by the time that they were written. SQLite syncs the file's header before any frame, so that it goes
 * by itself, as LiteFS wants it.
 */
#ifndef ELFS_STORE_WAL_FILE_H
#define ELFS_STORE_WAL_FILE_H

#include <sqlite3.h>

/* Has the VFS, a copy of SQLite's default one by which no file is open yet, open WAL files so. */
void elfs_wal_file_install(sqlite3_vfs *vfs);

/* Around the COMMIT of a connection that uses such a VFS; harmless for others. */
void elfs_wal_hold(sqlite3 *handle);
void elfs_wal_settle(sqlite3 *handle);

#endif
