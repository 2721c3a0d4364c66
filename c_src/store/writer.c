/* writer - see writer.h. */
#include "store/writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/commit.h"
#include "store/dead_mount.h"
#include "store/exec.h"
#include "store/outcome.h"
#include "store/read_lock.h"
#include "store/wal_file.h"

/* Without a job for so long, what the connection keeps of SQLite's locks is given back. */
#define IDLE_US 5000

enum elfs_code elfs_writer_init(struct elfs_writer *writer, const struct elfs_store_config *config,
                                struct elfs_mailbox *box, struct elfs_error *err) {
    *writer = (struct elfs_writer){.limits = config->batch,
                                   .box = box,
                                   .fence = config->fence,
                                   .data_version = -1,
                                   .folder = config->folder};
    elfs_list_init(&writer->backlog);
    elfs_list_init(&writer->tx_jobs);
    enum elfs_code code = elfs_worker_init(&writer->worker, err);
    if (code != ELFS_OK) return code;
    code = elfs_db_open(&writer->db, config, ELFS_DB_WRITER, err);
    if (code != ELFS_OK) goto fini_worker;
    code = elfs_control_init(&writer->control, &writer->db, err);
    if (code != ELFS_OK) goto fini_control;
    if (config->fence)
        code = elfs_read_lock_keep(writer->db.handle); /* elsewhere locks cost nothing */
    if (code != ELFS_OK) {
        elfs_fail(err, code, "out of memory");
        goto fini_control;
    }
    elfs_ledger_init(&writer->ledger, &writer->db, config->keep_requests, config->keep_requests_ms);
    writer->db.guard.internal = false;
    return ELFS_OK;

fini_control:
    elfs_control_fini(&writer->control);
    elfs_db_close(&writer->db);
fini_worker:
    elfs_worker_fini(&writer->worker);
    return code;
}

void elfs_writer_fini(struct elfs_writer *writer) {
    elfs_ledger_fini(&writer->ledger);
    elfs_control_fini(&writer->control);
    elfs_db_close(&writer->db);
    if (writer->fence) writer->fence->ended(writer->fence);
    elfs_worker_fini(&writer->worker);
}

static void post_late(struct elfs_writer *writer) {
    struct elfs_list late;
    elfs_list_init(&late);
    elfs_writer_refuse_late(writer, NULL, &late);
    elfs_mailbox_post(writer->box, &late, NULL);
}

/* Waits for a job if there is none. False: nothing came. */
static bool take(struct elfs_writer *writer, bool idle) {
    struct elfs_worker *worker = &writer->worker;
    if (idle && writer->fence) {
        int64_t until_us = elfs_clock_us() + IDLE_US;
        if (elfs_worker_take_until(worker, until_us, &writer->backlog, &writer->tx_jobs))
            return true;
        elfs_read_lock_drop(writer->db.handle);
    }
    return elfs_worker_take(worker, idle, &writer->backlog, &writer->tx_jobs);
}

static void *writer_main(void *arg) {
    struct elfs_writer *writer = arg;
    elfs_dead_mount_enter(writer->folder);
    for (;;) {
        bool idle = elfs_list_empty(&writer->backlog) && elfs_list_empty(&writer->tx_jobs);
        bool took = take(writer, idle);
        if (!took && idle) return NULL;
        post_late(writer);
        if (elfs_list_empty(&writer->backlog)) continue;
        struct elfs_job *first = ELFS_CONTAINER_OF(writer->backlog.next, struct elfs_job, link);
        if (first->kind == ELFS_JOB_BEGIN) {
            elfs_list_remove(&first->link);
            elfs_interactive_serve(writer, first);
        } else {
            elfs_group_serve(writer);
        }
    }
}

enum elfs_code elfs_writer_start(struct elfs_writer *writer, struct elfs_error *err) {
    return elfs_worker_start(&writer->worker, writer_main, writer, err);
}

void elfs_writer_stop(struct elfs_writer *writer) { elfs_worker_stop(&writer->worker); }

/* In a group a deferred foreign key must not wait for COMMIT, which would then fail for all. An
 * interactive transaction may leave it open until its own COMMIT. */
static enum elfs_code check_deferred_keys(struct elfs_writer *writer, struct elfs_job *job) {
    int open = 0;
    int high = 0;
    if (job->tx) return ELFS_OK;
    sqlite3_db_status(writer->db.handle, SQLITE_DBSTATUS_DEFERRED_FKS, &open, &high, 0);
    if (open == 0) return ELFS_OK;
    elfs_fail(&job->error, ELFS_SQLITE, "FOREIGN KEY constraint failed");
    job->error.sqlite_code = SQLITE_CONSTRAINT_FOREIGNKEY;
    return ELFS_SQLITE;
}

/* Takes back what the job did since its savepoint. If even that fails, the transaction is beyond
 * repair: no part of it may be committed. */
static void undo_job(struct elfs_writer *writer) {
    if (sqlite3_get_autocommit(writer->db.handle)) return;
    if (elfs_control_run(&writer->control, ELFS_ROLLBACK_TO, NULL) == SQLITE_OK &&
        elfs_control_run(&writer->control, ELFS_RELEASE, NULL) == SQLITE_OK) {
        return;
    }
    elfs_writer_rollback(writer);
}

static enum elfs_code execute(struct elfs_writer *writer, struct elfs_job *job) {
    enum elfs_code code = elfs_exec_job(&writer->db, job);
    return code == ELFS_OK ? check_deferred_keys(writer, job) : code;
}

static enum elfs_code try_job(struct elfs_writer *writer, struct elfs_job *job) {
    struct elfs_ledger *ledger = &writer->ledger;
    job->repeated = false;
    if (job->kind == ELFS_JOB_RESOLVE) return elfs_ledger_resolve(ledger, job, &job->repeated);
    if (job->tx || job->key.len == 0) return execute(writer, job);
    enum elfs_code code = elfs_ledger_find(ledger, job, &job->repeated);
    if (code != ELFS_OK || job->repeated) return code;
    code = execute(writer, job);
    return code == ELFS_OK ? elfs_ledger_keep(ledger, job) : code;
}

/* What did not happen because this host is no longer the primary is better told as that: the client knows where
 * to go then. */
static void explain_refusal(struct elfs_writer *writer, struct elfs_error *err) {
    struct elfs_error reason;
    if (writer->fence && writer->fence->explain(writer->fence, &reason) != ELFS_OK) *err = reason;
}

/* The same for what SQLite says of a file that LiteFS has taken away or does not let it write: it takes a lock that
 * cannot be asked for as one that is held. */
static void explain_failure(struct elfs_writer *writer, struct elfs_error *err) {
    if (err->code != ELFS_SQLITE) return;
    switch (err->sqlite_code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL: explain_refusal(writer, err); break;
    default: break;
    }
}

void elfs_writer_run_bare(struct elfs_writer *writer, struct elfs_job *job) {
    enum elfs_code code = try_job(writer, job);
    if (code != ELFS_OK) explain_failure(writer, &job->error);
    elfs_job_settle(job, code == ELFS_OK ? ELFS_JOB_DONE : ELFS_JOB_FAILED);
}

void elfs_writer_run_job(struct elfs_writer *writer, struct elfs_job *job) {
    struct elfs_control *control = &writer->control;
    bool ok = elfs_control_run(control, ELFS_SAVEPOINT, &job->error) == SQLITE_OK;
    if (ok) {
        ok = try_job(writer, job) == ELFS_OK &&
             elfs_control_run(control, ELFS_RELEASE, &job->error) == SQLITE_OK;
        if (!ok) undo_job(writer);
    }
    if (!ok) explain_failure(writer, &job->error);
    elfs_job_settle(job, ok ? ELFS_JOB_DONE : ELFS_JOB_FAILED);
}

/* In the transaction, in which it stays as it is. True if another connection has committed since the
 * last time, or it cannot be told. */
static bool is_disturbed(struct elfs_writer *writer) {
    sqlite3_stmt *stmt = writer->db.data_version;
    int64_t version = -1;
    writer->db.guard.internal = true;
    if (sqlite3_step(stmt) == SQLITE_ROW) version = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    writer->db.guard.internal = false;
    bool disturbed = version == -1 || version != writer->data_version;
    writer->data_version = version;
    return disturbed;
}

/* SQLite goes on writing to a file that has been deleted, or has another in its place: what is written there nobody
 * else sees. (On LiteFS the fence knows more.) */
static bool is_in_place(struct elfs_writer *writer, struct elfs_error *err) {
    sqlite3 *handle = writer->db.handle;
    int moved = 0;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (!moved) return true;
    elfs_fail(err, ELFS_UNAVAILABLE,
              "the file %s was removed or replaced while the node had it open: restart the node",
              sqlite3_db_filename(handle, "main"));
    return false;
}

bool elfs_writer_begin(struct elfs_writer *writer, struct elfs_error *err) {
    struct elfs_fence *fence = writer->fence;
    if (fence && fence->before(fence, err) != ELFS_OK) return false;
    if (!fence && !is_in_place(writer, err)) return false;
    elfs_db_follow(&writer->db, fence);
    writer->db.wrote = false;
    if (elfs_control_run(&writer->control, ELFS_BEGIN, err) != SQLITE_OK) {
        explain_failure(writer, err);
        return false;
    }
    if (fence) fence->begun(fence, !is_disturbed(writer));
    return true;
}

static enum elfs_verdict check_fence(struct elfs_writer *writer, struct elfs_position *position,
                                     struct elfs_error *err) {
    struct elfs_fence *fence = writer->fence;
    *position = (struct elfs_position){.known = false};
    if (!fence || fence->after(fence, writer->db.wrote, position, err) == ELFS_OK)
        return ELFS_COMMITTED;
    elfs_log(ELFS_LOG_WARNING, "commit_not_confirmed", "path=s message=s",
             sqlite3_db_filename(writer->db.handle, "main"), err->message);
    return ELFS_IN_DOUBT;
}

enum elfs_verdict elfs_writer_commit(struct elfs_writer *writer, struct elfs_position *position,
                                     struct elfs_error *err) {
    elfs_wal_hold(writer->db.handle);
    int rc = elfs_control_run(&writer->control, ELFS_COMMIT, err);
    elfs_wal_settle(writer->db.handle);
    enum elfs_verdict verdict = elfs_commit_verdict(rc);
    if (verdict == ELFS_COMMITTED) {
        verdict = check_fence(writer, position, err);
        elfs_ledger_committed(&writer->ledger, verdict, writer->db.wrote);
        return verdict;
    }
    elfs_ledger_committed(&writer->ledger, verdict, false);
    if (verdict == ELFS_IN_DOUBT) {
        elfs_fail(err, ELFS_UNKNOWN,
                  "COMMIT failed (%s): the change may or may not be in the database",
                  sqlite3_errmsg(writer->db.handle));
        err->sqlite_code = rc;
    }
    /* A deferred foreign key is the client's affair, anything else the operator's. */
    if ((rc & 0xFF) != SQLITE_CONSTRAINT) {
        elfs_log(ELFS_LOG_ERROR, "commit_failed", "path=s sqlite_code=d in_doubt=d message=s",
                 sqlite3_db_filename(writer->db.handle, "main"), rc, verdict == ELFS_IN_DOUBT,
                 err->message);
    }
    elfs_writer_rollback(writer);
    if (verdict == ELFS_NOT_COMMITTED) explain_refusal(writer, err);
    return verdict;
}

void elfs_writer_rollback(struct elfs_writer *writer) {
    if (sqlite3_get_autocommit(writer->db.handle)) return;
    elfs_control_run(&writer->control, ELFS_ROLLBACK, NULL);
}

void elfs_writer_refuse_late(struct elfs_writer *writer, const struct elfs_tx *open,
                             struct elfs_list *jobs) {
    struct elfs_list *link = writer->tx_jobs.next;
    while (link != &writer->tx_jobs) {
        struct elfs_job *job = ELFS_CONTAINER_OF(link, struct elfs_job, link);
        link = link->next;
        if (open && job->tx == open) continue;
        elfs_list_remove(&job->link);
        elfs_list_push_back(jobs, &job->link);
        if (!elfs_job_start(job)) {
            elfs_job_settle(job, ELFS_JOB_DROPPED);
            continue;
        }
        bool last = job->tx == writer->ended_tx;
        elfs_tx_fail(&job->error, last ? writer->ended_how : ELFS_TX_OPEN);
        elfs_job_settle(job, ELFS_JOB_FAILED);
    }
}
