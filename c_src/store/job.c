/* job - see job.h. */
#include "store/job.h"

void elfs_tx_init(struct elfs_tx *tx, int64_t idle_ms, int64_t total_ms) {
    elfs_list_init(&tx->link);
    tx->idle_ms = idle_ms;
    tx->total_ms = total_ms;
    atomic_init(&tx->abort, false);
    tx->end = ELFS_TX_OPEN;
}

const char *elfs_tx_end_text(enum elfs_tx_end end) {
    switch (end) {
    case ELFS_TX_OPEN: return "it has not ended";
    case ELFS_TX_COMMITTED: return "it was committed";
    case ELFS_TX_ROLLED_BACK: return "it was rolled back";
    case ELFS_TX_COMMIT_FAILED: return "its commit failed";
    case ELFS_TX_IDLE: return "its idle deadline passed";
    case ELFS_TX_TOTAL: return "its total deadline passed";
    case ELFS_TX_ABORTED: return "it was aborted: its owner is gone";
    case ELFS_TX_BY_SQLITE: return "SQLite rolled it back when a statement failed";
    case ELFS_TX_STOPPED: return "the database was closed";
    }
    return "";
}

bool elfs_job_cancel(struct elfs_job *job) {
    int stage = ELFS_JOB_WAITING;
    return atomic_compare_exchange_strong(&job->stage, &stage, ELFS_JOB_CANCELLED) ||
           stage == ELFS_JOB_CANCELLED;
}

bool elfs_job_start(struct elfs_job *job) {
    int stage = ELFS_JOB_WAITING;
    return atomic_compare_exchange_strong(&job->stage, &stage, ELFS_JOB_STARTED);
}

void elfs_job_settle(struct elfs_job *job, enum elfs_job_outcome outcome) {
    job->outcome = outcome;
    if (job->sink && outcome != ELFS_JOB_DONE) job->sink->reset(job->sink);
}

void elfs_job_fail(struct elfs_job *job, const struct elfs_error *error) {
    job->error = *error;
    elfs_job_settle(job, ELFS_JOB_FAILED);
}
