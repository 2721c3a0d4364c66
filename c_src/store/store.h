/* store - one database: a writer thread, a reader thread, and their queues.
 *
 * The writer owns the write connection and runs groups of jobs in one transaction each, every job
 * under its own savepoint; jobs go back to the mailbox only after COMMIT and its verdict. The
 * reader owns a read-only connection, so that reads never wait for writes. Neither connection is
 * ever touched by another thread.
 *
 * What a job may not do (ELFS_UNSUPPORTED, nothing written): ATTACH, DETACH, VACUUM, TEMP objects,
 * load_extension, fts3_tokenizer, a PRAGMA that is not on the list of harmless ones, BEGIN, COMMIT, ROLLBACK.
 * SAVEPOINT, RELEASE and ROLLBACK TO are for jobs of an interactive transaction only.
 */
#ifndef ELFS_STORE_STORE_H
#define ELFS_STORE_STORE_H

#include "store/batch.h"
#include "store/fence.h"
#include "store/job.h"
#include "store/mailbox.h"

enum elfs_synchronous { ELFS_SYNC_NORMAL, ELFS_SYNC_FULL };

/* Defaults: elfs_store_config_default. */
struct elfs_store_config {
    const char *path;
    enum elfs_synchronous synchronous;  /* FULL */
    int busy_timeout_ms;                /* 5,000 */
    int statement_cache;                /* 128 statements a connection */
    int max_value;                      /* bytes of a value, a row, an SQL text: 65 MiB */
    const char *vfs;                    /* SQLite's, by name; NULL. The store sets its own */
    int folder;                         /* the store's own: see dead_mount.h */
    struct elfs_checkpoint *checkpoint; /* the store's own */
    bool read_only;                     /* no writer: the file must exist, and is only read */
    int64_t keep_requests;              /* results of requests with a key: 100,000 at most */
    int64_t keep_requests_ms;           /* for 3,600,000 at most */
    struct elfs_fence *fence;           /* NULL: none; must outlive the store */
    struct elfs_batch_limits batch;     /* 1,024 jobs, 16 MiB, 50,000 us */
};

void elfs_store_config_default(struct elfs_store_config *config);

struct elfs_store;

/* Opens (creating the file if needed), configures and checks both connections, then starts the
 * threads. The error names the path and what to do. box must outlive the store. Loop's thread. */
enum elfs_code elfs_store_start(const struct elfs_store_config *config, struct elfs_mailbox *box,
                                struct elfs_store **store, struct elfs_error *err);

/* Hands the jobs of the list over, in order (it is empty afterwards). A job without tx whose
 * statement looks read-only goes to the reader unless `write` is set; a job with tx goes to that
 * transaction; the rest waits for the writer (ELFS_NOT_PRIMARY without one). Every job comes back
 * through the mailbox exactly once. */
void elfs_store_submit(struct elfs_store *store, struct elfs_list *jobs);

/* The transaction is rolled back at once; a statement of it that runs is interrupted. Harmless when
 * it has ended already (the mailbox has it on its way). */
void elfs_store_abort_tx(struct elfs_store *store, struct elfs_tx *tx);

/* True if the mount that it was opened on has died; another LiteFS may have mounted since. */
bool elfs_store_is_lost(const struct elfs_store *store);

/* What waits for locks on the file waits so long at most from now on, all of it together: 0 where the file is gone
 * for good (its LiteFS has died). To be followed by elfs_store_stop, which then does not take long. */
void elfs_store_hurry(struct elfs_store *store, int64_t wait_ms);

/* Finishes and commits what is queued, rolls an open interactive transaction back (after the jobs
 * of it that are queued), joins both threads, closes, frees. Everything has been posted to the
 * mailbox when it returns. Jobs submitted during the stop are a bug. */
void elfs_store_stop(struct elfs_store *store);

/* Opens the database as elfs_store_start does, reports what is wrong with it, and closes it again.
 */
enum elfs_code elfs_store_check(const struct elfs_store_config *config, struct elfs_error *err);

#endif
