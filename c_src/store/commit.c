/* commit - see commit.h.
 *
 * Only what SQLite returns before it writes the commit frame, or when writing it failed, is sure.
 * What can come after the frame is on disk is not: a failed fsync, and also SQLITE_NOMEM and the
 * SHM errors, since the wal-index is extended after the frames are written.
 */
#include "store/commit.h"

/* SQLite's result codes, which never change; as numbers, so that this file needs no header of SQLite.
 * A unit test compares the verdicts with it. */
enum {
    RC_OK = 0,
    RC_ERROR = 1,
    RC_BUSY = 5,
    RC_LOCKED = 6,
    RC_READONLY = 8,
    RC_INTERRUPT = 9,
    RC_FULL = 13,
    RC_CONSTRAINT = 19,
    RC_IOERR_WRITE = 778,
};

enum elfs_verdict elfs_commit_verdict(int rc) {
    if (rc == RC_IOERR_WRITE) return ELFS_NOT_COMMITTED;
    switch (rc & 0xFF) {
    case RC_OK: return ELFS_COMMITTED;
    case RC_ERROR: /* no transaction is active */
    case RC_BUSY:
    case RC_LOCKED:
    case RC_CONSTRAINT:
    case RC_FULL:
    case RC_READONLY:
    case RC_INTERRUPT: return ELFS_NOT_COMMITTED;
    default: return ELFS_IN_DOUBT;
    }
}
