/* interactive - an interactive transaction, from its BEGIN to its end. See writer.h.
 *
 * The writer serves this transaction's jobs alone and waits between them. It ends by COMMIT or
 * ROLLBACK, when SQLite rolls it back, or from outside: by its abort flag, its total deadline, its
 * idle deadline or the stop, looked at in this order before each job. Jobs that are queued keep it
 * from being idle, and run before a stop.
 */
#include "base/clock.h"
#include "store/commit.h"
#include "store/outcome.h"
#include "store/sql_text.h"
#include "store/writer.h"

static bool has_tx_jobs(const struct elfs_writer *writer) {
    return !elfs_list_empty(&writer->tx_jobs) || !elfs_list_empty(&writer->worker.tx_jobs);
}

static enum elfs_tx_end due(const struct elfs_writer *writer, struct elfs_tx *tx, int64_t now) {
    enum elfs_tx_end end = elfs_tx_due(tx, now);
    if (end != ELFS_TX_OPEN || has_tx_jobs(writer)) return end;
    if (now >= tx->idle_deadline) return ELFS_TX_IDLE;
    return writer->worker.stopping ? ELFS_TX_STOPPED : ELFS_TX_OPEN;
}

/* Waits until there is a job in writer->tx_jobs, or a reason to end the transaction. */
static enum elfs_tx_end wait_for_job(struct elfs_writer *writer, struct elfs_tx *tx) {
    struct elfs_worker *worker = &writer->worker;
    int64_t deadline =
        tx->idle_deadline < tx->total_deadline ? tx->idle_deadline : tx->total_deadline;
    enum elfs_tx_end end;
    pthread_mutex_lock(&worker->lock);
    while ((end = due(writer, tx, elfs_clock_ms())) == ELFS_TX_OPEN && !has_tx_jobs(writer)) {
        elfs_worker_wait_until(worker, deadline);
    }
    elfs_list_append_all(&writer->tx_jobs, &worker->tx_jobs);
    pthread_mutex_unlock(&worker->lock);
    return end;
}

static enum elfs_tx_end commit(struct elfs_writer *writer, struct elfs_job *job) {
    if (job->key.len > 0 && elfs_ledger_keep(&writer->ledger, job) != ELFS_OK) {
        elfs_writer_rollback(writer);
        elfs_job_settle(job, ELFS_JOB_FAILED);
        return ELFS_TX_COMMIT_FAILED;
    }
    switch (elfs_writer_commit(writer, &job->position, &job->error)) {
    case ELFS_COMMITTED:
        job->wrote = writer->db.wrote;
        elfs_job_settle(job, ELFS_JOB_DONE);
        return ELFS_TX_COMMITTED;
    case ELFS_NOT_COMMITTED: elfs_job_settle(job, ELFS_JOB_FAILED); break;
    case ELFS_IN_DOUBT: elfs_job_settle(job, ELFS_JOB_UNKNOWN); break;
    }
    return ELFS_TX_COMMIT_FAILED;
}

/* SAVEPOINT and its kin move the transaction's own savepoints: ours around them would hide those.
 */
static bool moves_savepoints(const struct elfs_job *job) {
    if (job->kind != ELFS_JOB_QUERY) return false;
    struct elfs_view word = elfs_sql_first_word(job->statements[0].sql);
    return elfs_sql_word_is(word, "SAVEPOINT") || elfs_sql_word_is(word, "RELEASE") ||
           elfs_sql_word_is(word, "ROLLBACK");
}

/* Runs a job of the transaction. Returns how that ended it, or ELFS_TX_OPEN. */
static enum elfs_tx_end run(struct elfs_writer *writer, struct elfs_job *job) {
    if (!elfs_job_start(job)) {
        elfs_job_settle(job, ELFS_JOB_DROPPED);
        return ELFS_TX_OPEN;
    }
    if (job->kind == ELFS_JOB_COMMIT) return commit(writer, job);
    if (job->kind == ELFS_JOB_ROLLBACK) {
        elfs_writer_rollback(writer);
        elfs_job_settle(job, ELFS_JOB_DONE);
        return ELFS_TX_ROLLED_BACK;
    }
    if (moves_savepoints(job)) {
        elfs_writer_run_bare(writer, job);
    } else {
        elfs_writer_run_job(writer, job);
    }
    if (!sqlite3_get_autocommit(writer->db.handle)) return ELFS_TX_OPEN;
    /* An interrupted write ends the transaction as much as ON CONFLICT ROLLBACK does; what
     * interrupted it is the better reason. */
    enum elfs_tx_end end = elfs_tx_due(job->tx, elfs_clock_ms());
    return end != ELFS_TX_OPEN ? end : ELFS_TX_BY_SQLITE;
}

/* Serves jobs until the transaction ends. The job that ended it, if one did, is left in `jobs`. */
static enum elfs_tx_end serve_jobs(struct elfs_writer *writer, struct elfs_tx *tx,
                                   struct elfs_list *jobs) {
    for (;;) {
        enum elfs_tx_end end = wait_for_job(writer, tx);
        if (end != ELFS_TX_OPEN) return end;
        elfs_writer_refuse_late(writer, tx, jobs);
        struct elfs_list *link = elfs_list_pop_front(&writer->tx_jobs);
        if (link) {
            end = run(writer, ELFS_CONTAINER_OF(link, struct elfs_job, link));
            elfs_list_push_back(jobs, link);
            tx->idle_deadline = elfs_deadline(elfs_clock_ms(), tx->idle_ms);
        }
        if (end != ELFS_TX_OPEN) return end;
        elfs_mailbox_post(writer->box, jobs, NULL);
    }
}

/* Hands the transaction back. It belongs to the loop from the post on. */
static void finish(struct elfs_writer *writer, struct elfs_tx *tx, enum elfs_tx_end end,
                   struct elfs_list *jobs) {
    elfs_writer_rollback(writer);
    tx->end = end;
    writer->ended_tx = tx;
    writer->ended_how = end;
    elfs_worker_take(&writer->worker, false, &writer->backlog, &writer->tx_jobs);
    elfs_writer_refuse_late(writer, NULL, jobs);
    elfs_mailbox_post(writer->box, jobs, tx);
}

/* A transaction with this key must not have been committed before, nor given up. */
static bool check_key(struct elfs_writer *writer, struct elfs_job *begin) {
    bool found = false;
    if (begin->key.len == 0) return true;
    enum elfs_code code = elfs_ledger_find(&writer->ledger, begin, &found);
    if (code == ELFS_OK && !found) return true;
    if (code != ELFS_OK) {
        elfs_writer_rollback(writer);
    } else if (elfs_writer_commit(writer, &begin->position, &begin->error) == ELFS_COMMITTED) {
        elfs_fail(&begin->error, ELFS_ALREADY_COMMITTED,
                  "the transaction with this key was committed before");
    }
    return false;
}

void elfs_interactive_serve(struct elfs_writer *writer, struct elfs_job *begin) {
    struct elfs_tx *tx = begin->tx;
    struct elfs_list jobs;
    elfs_list_init(&jobs);
    elfs_list_push_back(&jobs, &begin->link);
    enum elfs_job_outcome outcome = ELFS_JOB_DROPPED;
    if (elfs_job_start(begin)) {
        bool begun = elfs_writer_begin(writer, &begin->error) && check_key(writer, begin);
        outcome = begun ? ELFS_JOB_DONE : ELFS_JOB_FAILED;
    }
    int64_t now = elfs_clock_ms();
    tx->idle_deadline = elfs_deadline(now, tx->idle_ms);
    tx->total_deadline = elfs_deadline(now, tx->total_ms);
    elfs_job_settle(begin, outcome);
    elfs_mailbox_post(writer->box, &jobs, NULL);
    if (outcome != ELFS_JOB_DONE) return;
    enum elfs_tx_end end = serve_jobs(writer, tx, &jobs);
    finish(writer, tx, end, &jobs);
}
