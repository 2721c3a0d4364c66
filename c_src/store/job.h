/* job - one request to a database, and the interactive transaction it may belong to.
 *
 * A job is the only thing that crosses threads, and has one owner at a time: the loop makes it and
 * submits it, a worker (writer or reader) runs it, the mailbox brings it back. The exceptions are
 * the atomics, which the loop may touch at any time: elfs_job_cancel and elfs_store_abort_tx.
 */
#ifndef ELFS_STORE_JOB_H
#define ELFS_STORE_JOB_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/position.h"
#include "base/sink.h"
#include "base/value.h"

enum elfs_job_kind {
    ELFS_JOB_QUERY,       /* one statement */
    ELFS_JOB_MANY,        /* one statement, several parameter sets: all or nothing */
    ELFS_JOB_TRANSACTION, /* several statements: all or nothing */
    ELFS_JOB_BEGIN,       /* opens tx */
    ELFS_JOB_COMMIT,      /* commits tx */
    ELFS_JOB_ROLLBACK,    /* rolls tx back */
    ELFS_JOB_RESOLVE,     /* has the request with this key run? If not, it never will (ledger.h) */
};

enum elfs_tx_end {
    ELFS_TX_OPEN,          /* not ended */
    ELFS_TX_COMMITTED,     /* by commit */
    ELFS_TX_ROLLED_BACK,   /* by rollback */
    ELFS_TX_COMMIT_FAILED, /* COMMIT failed; rolled back */
    ELFS_TX_IDLE,          /* its idle deadline passed; rolled back */
    ELFS_TX_TOTAL,         /* its total deadline passed; rolled back */
    ELFS_TX_ABORTED,       /* elfs_store_abort_tx; rolled back */
    ELFS_TX_BY_SQLITE, /* SQLite rolled it back itself (ON CONFLICT ROLLBACK, a full disk, ...) */
    ELFS_TX_STOPPED,   /* the store was stopped; rolled back */
};

/* An interactive transaction. The loop allocates it (zeroed, then elfs_tx_init), passes it with the
 * BEGIN job, and may free it only after that job came back failed or dropped, or after the mailbox
 * brought the transaction itself back (`ended`). Deadlines are set before BEGIN and not changed.
 * Its jobs are submitted after BEGIN came back done. One that was submitted while the end was on
 * its way comes back failed after the end: by then job->tx may point at nothing. */
struct elfs_tx {
    struct elfs_list link; /* for the mailbox */
    int64_t idle_ms;       /* rolled back when no job of it came for so long */
    int64_t total_ms;      /* rolled back so long after BEGIN */
    atomic_bool abort;
    enum elfs_tx_end end; /* set by the writer before it hands the transaction back */
    /* the writer's own */
    int64_t idle_deadline;
    int64_t total_deadline;
};

void elfs_tx_init(struct elfs_tx *tx, int64_t idle_ms, int64_t total_ms);

/* Text for a person: "its idle deadline passed". Static. */
const char *elfs_tx_end_text(enum elfs_tx_end end);

enum elfs_job_outcome {
    ELFS_JOB_DONE,    /* committed (in an interactive transaction: executed) */
    ELFS_JOB_FAILED,  /* nothing written; error says why, failed_index where */
    ELFS_JOB_UNKNOWN, /* COMMIT failed in a way that does not tell; error says how */
    ELFS_JOB_DROPPED, /* cancelled before it started; nobody waits for it */
    ELFS_JOB_REROUTE, /* the reader found that it writes: submit it again with `write` set */
};

enum { ELFS_JOB_WAITING, ELFS_JOB_STARTED, ELFS_JOB_CANCELLED };

struct elfs_job {
    struct elfs_list link;
    /* The submitter's own: what whoever takes the mailbox does with it. */
    void (*finished)(struct elfs_job *job, void *arg);
    enum elfs_job_kind kind;
    bool write; /* never to the reader */
    const struct elfs_statement *statements;
    size_t count;
    const struct elfs_params *sets; /* MANY */
    size_t set_count;
    struct elfs_tx *tx;     /* NULL: a transaction of its own */
    struct elfs_view key;   /* runs once (ledger.h); empty: as often as it is sent. Of a tx: BEGIN's
                               and COMMIT's */
    int64_t schema_version; /* the statement was made for this one: with another it fails with
                               ELFS_STALE_SCHEMA and does nothing; 0: any */
    int64_t timeout_ms;     /* for the whole job, from its start */
    size_t cost;            /* bytes it holds, for the batch policy */
    struct elfs_sink *sink; /* may be NULL for BEGIN, COMMIT, ROLLBACK */
    _Atomic int stage;      /* ELFS_JOB_WAITING when submitted */
    /* the outcome, valid when the mailbox brings it back */
    enum elfs_job_outcome outcome;
    /* MANY, TRANSACTION: the failed set or statement, from 1; 0 if it was none */
    size_t failed_index;
    struct elfs_error error;
    struct elfs_position position; /* DONE, after a COMMIT: the database's position */
    /* DONE, after a COMMIT: it wrote pages, as the fence has confirmed: the position is its own */
    bool wrote;
    /* DONE: it had run before, and this is its result of then; RESOLVE: it has run */
    bool repeated;
};

/* Loop: gives the job up if it has not started. True: it will not run (and comes back DROPPED). */
bool elfs_job_cancel(struct elfs_job *job);

/* Worker: true if the job may start, false if it was cancelled. */
bool elfs_job_start(struct elfs_job *job);

#endif
