/* commit - what a result of COMMIT says about the transaction.
 *
 * PURE. Source: SQLite's result codes, the WAL file format (a transaction counts once its commit
 * frame is readable on disk), and LiteFS 0.5: SQLITE_IOERR_WRITE at COMMIT means refused and
 * rolled back.
 */
#ifndef ELFS_STORE_COMMIT_H
#define ELFS_STORE_COMMIT_H

enum elfs_verdict {
    ELFS_COMMITTED,
    ELFS_NOT_COMMITTED, /* surely not: busy, constraint, full, read-only, a write that failed, ...
                         */
    ELFS_IN_DOUBT,      /* the commit frame may be on disk: a failed fsync and other I/O errors */
};

/* rc is the extended result code of COMMIT. */
enum elfs_verdict elfs_commit_verdict(int rc);

#endif
