/* writer - the thread that owns the write connection. Internal.
 *
 *   loop ── submit ──► worker.jobs ───► backlog ─► group (group.c): one transaction, many jobs
 *                      worker.tx_jobs ► tx_jobs ─► interactive transaction (interactive.c)
 *   loop ◄── mailbox ◄────────────────── after COMMIT and its verdict
 *
 * One turn serves either a group or an interactive transaction, whichever is first in the backlog.
 * A job for a transaction that is not open can only be for one that has ended while the job was on
 * its way. The loop may have freed that transaction by then, so the writer compares the pointer but
 * never follows it; a BEGIN that gets the same address was submitted later, and the late job is
 * turned away in the same turn in which that BEGIN is taken, or before.
 */
#ifndef ELFS_STORE_WRITER_H
#define ELFS_STORE_WRITER_H

#include "store/control.h"
#include "store/db.h"
#include "store/gather.h"
#include "store/ledger.h"
#include "store/worker.h"

struct elfs_writer {
    struct elfs_worker worker;
    struct elfs_db db;
    struct elfs_control control;
    struct elfs_ledger ledger;
    struct elfs_batch_limits limits;
    struct elfs_mailbox *box;
    struct elfs_fence *fence; /* or NULL */
    int64_t data_version;     /* as last seen, for the fence */
    int folder;               /* see dead_mount.h; borrowed */
    /* the thread's own */
    struct elfs_list backlog;
    struct elfs_list tx_jobs;
    struct elfs_gather gather;
    const struct elfs_tx *ended_tx; /* the last one, for the words in late jobs' errors */
    enum elfs_tx_end ended_how;
};

/* Opens the database; starts and ends (stop) the thread; closes. The loop's thread. */
enum elfs_code elfs_writer_init(struct elfs_writer *writer, const struct elfs_store_config *config,
                                struct elfs_mailbox *box, struct elfs_error *err);
void elfs_writer_fini(struct elfs_writer *writer);
enum elfs_code elfs_writer_start(struct elfs_writer *writer, struct elfs_error *err);
void elfs_writer_stop(struct elfs_writer *writer);

/* Runs a started job under a savepoint inside the open transaction; a failed job leaves nothing
 * behind. Its outcome is ELFS_JOB_DONE or ELFS_JOB_FAILED. When SQLite has rolled the whole
 * transaction back (sqlite3_get_autocommit), the job has failed. */
void elfs_writer_run_job(struct elfs_writer *writer, struct elfs_job *job);

/* The same without a savepoint: what a failed job did before it failed is still there. */
void elfs_writer_run_bare(struct elfs_writer *writer, struct elfs_job *job);

/* Asks the fence, then begins. False with err filled: no transaction is open. */
bool elfs_writer_begin(struct elfs_writer *writer, struct elfs_error *err);

/* Settles the open transaction's COMMIT and asks the fence whether it counts: ELFS_COMMITTED with the
 * database's position, or not, with err filled (ELFS_UNKNOWN when in doubt). No transaction is open
 * afterwards. */
enum elfs_verdict elfs_writer_commit(struct elfs_writer *writer, struct elfs_position *position,
                                     struct elfs_error *err);

/* Rolls back if a transaction is open. */
void elfs_writer_rollback(struct elfs_writer *writer);

/* Fails every job of writer->tx_jobs that is not of `open` (NULL: every one) into `jobs`. */
void elfs_writer_refuse_late(struct elfs_writer *writer, const struct elfs_tx *open,
                             struct elfs_list *jobs);

/* One turn: all that may share a transaction, from the front of the backlog (not empty). group.c */
void elfs_group_serve(struct elfs_writer *writer);

/* One turn: the BEGIN job, taken off the backlog, until its transaction has ended. interactive.c */
void elfs_interactive_serve(struct elfs_writer *writer, struct elfs_job *begin);

#endif
