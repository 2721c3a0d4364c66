/* commit - see commit.h.
 *
 * Only what SQLite returns before it writes the commit frame, or when writing it failed, is sure.
 * What can come after the frame is on disk is not: a failed fsync, and also SQLITE_NOMEM and the
 * SHM errors, since the wal-index is extended after the frames are written.
 */
#include "store/commit.h"

#include <sqlite3.h>

enum elfs_verdict elfs_commit_verdict(int rc) {
    if (rc == SQLITE_IOERR_WRITE) return ELFS_NOT_COMMITTED;
    switch (rc & 0xFF) {
    case SQLITE_OK: return ELFS_COMMITTED;
    case SQLITE_ERROR: /* no transaction is active */
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT:
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT: return ELFS_NOT_COMMITTED;
    default: return ELFS_IN_DOUBT;
    }
}
