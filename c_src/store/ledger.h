/* ledger - the keys of requests that have run, with their results. Internal; the writer's thread.
 *
 *   CREATE TABLE _ecto_litefs_requests (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
 *                                       at INTEGER NOT NULL, result BLOB)
 *
 * A request with a key leaves its key and its result in the same transaction as what it wrote, so
 * that LiteFS replicates all three or none, and a repeat finds the result at whichever node is the
 * primary by then. `at` is in seconds since 1970. A result that is NULL is a grave: the request had
 * not run when somebody asked for its outcome, and never will.
 *
 * Rows are appended by id and go from the low end: those that are older than the limit, and those
 * before the newest so many. Keys of one client that begin alike lie side by side in the index, so
 * that a row changes few pages.
 *
 * That a row is in the file does not say that its commit counts: LiteFS may not have confirmed it,
 * and its caller was told `unknown`. While there may be such a one (`doubt`) a repeat writes its row
 * again: then its own COMMIT, whose confirmation covers those before it, decides what it is told.
 */
#ifndef ELFS_STORE_LEDGER_H
#define ELFS_STORE_LEDGER_H

#include "store/commit.h"
#include "store/db.h"
#include "store/job.h"

struct elfs_ledger {
    struct elfs_db *db;
    sqlite3_stmt *find, *keep, *touch, *trim; /* NULL before the first key */
    int64_t keep_count;
    int64_t keep_s;
    unsigned kept; /* since the last trim */
    bool doubt;    /* from the start, and from an unknown outcome until a confirmed commit */
};

/* keep_count: at least 1; keep_ms: how long a row stays at least. */
void elfs_ledger_init(struct elfs_ledger *ledger, struct elfs_db *db, int64_t keep_count,
                      int64_t keep_ms);
void elfs_ledger_fini(struct elfs_ledger *ledger);

/* A COMMIT has come to this; wrote: it wrote pages. */
void elfs_ledger_committed(struct elfs_ledger *ledger, enum elfs_verdict verdict, bool wrote);

/* All below run in the open transaction, and make the table if there is none. */

/* Looks job->key up. Found: *found, and the stored result is in job->sink, if it has one. Fails,
 * with job->error: ELFS_ABORTED for a grave, ELFS_INVALID_OPTION if the result cannot be of such a
 * job, SQLite's errors. */
enum elfs_code elfs_ledger_find(struct elfs_ledger *ledger, struct elfs_job *job, bool *found);

/* Stores job->key with what job->sink holds. */
enum elfs_code elfs_ledger_keep(struct elfs_ledger *ledger, struct elfs_job *job);

/* Has the request with job->key run? If not, it never will: digs its grave. */
enum elfs_code elfs_ledger_resolve(struct elfs_ledger *ledger, struct elfs_job *job,
                                   bool *committed);

#endif
