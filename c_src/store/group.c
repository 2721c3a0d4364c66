/* group - group commit: one transaction for all jobs that wait. See writer.h.
 *
 *   BEGIN IMMEDIATE
 *     for each job: SAVEPOINT, its statements, RELEASE (or ROLLBACK TO, RELEASE: it fails alone)
 *     where a COMMIT is dear: the jobs that have come meanwhile, or come soon (gather.h)
 *   COMMIT
 *   verdict, and only then all jobs of the group go back at once
 *
 * Some failures make SQLite roll the whole transaction back: ON CONFLICT ROLLBACK, RAISE(ROLLBACK),
 * a write that is interrupted, a full disk. The job that did it fails alone: nothing of the jobs
 * before it was committed or told to anybody, so they run again in a new transaction, which is then
 * committed without taking in more jobs. So a job runs twice at most, unless a second run fails
 * where the first did not; that job fails too, and each further round has one job less.
 */
#include "base/clock.h"
#include "store/commit.h"
#include "store/outcome.h"
#include "store/writer.h"

struct group {
    struct elfs_writer *writer;
    struct elfs_list jobs; /* in order; with their outcomes as they are before COMMIT */
    struct elfs_batch batch;
    size_t done;           /* jobs that will have happened if COMMIT succeeds */
    int64_t wait_until_us; /* 0: has not waited for company */
    size_t had;            /* jobs before it waited */
    struct elfs_error error;
};

static bool rolled_back(const struct group *group) {
    return sqlite3_get_autocommit(group->writer->db.handle);
}

static bool begin(struct group *group) { return elfs_writer_begin(group->writer, &group->error); }

/* only: the job has the transaction to itself. Then it needs no savepoint, which would make SQLite
 * copy each page before it is changed: if it fails, nothing was done, and all is rolled back. */
static void run(struct group *group, struct elfs_job *job, bool only) {
    if (only) {
        elfs_writer_run_bare(group->writer, job);
    } else {
        elfs_writer_run_job(group->writer, job);
    }
    if (job->outcome == ELFS_JOB_DONE) group->done++;
}

/* Gives the jobs that were done another outcome, with the group's error. */
static void undo_done(struct group *group, enum elfs_job_outcome outcome) {
    for (struct elfs_list *l = group->jobs.next; l != &group->jobs; l = l->next) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        if (job->outcome != ELFS_JOB_DONE) continue;
        job->error = group->error;
        elfs_job_settle(job, outcome);
    }
    group->done = 0;
}

/* Runs the jobs that were done once more. False: SQLite rolled back again. */
static bool run_done_again(struct group *group) {
    group->done = 0;
    if (!begin(group)) {
        undo_done(group, ELFS_JOB_FAILED);
        return true;
    }
    for (struct elfs_list *l = group->jobs.next; l != &group->jobs; l = l->next) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        if (job->outcome != ELFS_JOB_DONE) continue;
        job->sink->reset(job->sink);
        run(group, job, false);
        if (rolled_back(group)) return false;
    }
    return true;
}

/* After SQLite has rolled back. No job was done: there is nothing to run, and no need to begin. */
static void recover(struct group *group) {
    bool finished = group->done == 0;
    while (!finished) finished = run_done_again(group);
}

static void tell_position(struct group *group, const struct elfs_position *position) {
    for (struct elfs_list *l = group->jobs.next; l != &group->jobs; l = l->next) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        job->position = *position;
        job->wrote = group->writer->db.wrote;
    }
}

/* How many jobs wait for the next group, as far as one goes. */
static size_t count_waiting(struct elfs_writer *writer) {
    size_t count = 0;
    elfs_worker_take(&writer->worker, false, &writer->backlog, &writer->tx_jobs);
    for (struct elfs_list *l = writer->backlog.next;
         l != &writer->backlog && count < writer->limits.max_jobs; l = l->next)
        count++;
    return count;
}

static void commit(struct group *group) {
    struct elfs_position position;
    struct elfs_writer *writer = group->writer;
    if (group->done == 0) {
        elfs_writer_rollback(writer);
        return;
    }
    int64_t began_us = elfs_clock_us();
    switch (elfs_writer_commit(writer, &position, &group->error)) {
    case ELFS_COMMITTED:
        tell_position(group, &position);
        elfs_gather_answered(&writer->gather, elfs_clock_us() - began_us, group->batch.jobs,
                             count_waiting(writer));
        break;
    case ELFS_NOT_COMMITTED: undo_done(group, ELFS_JOB_FAILED); break;
    case ELFS_IN_DOUBT: undo_done(group, ELFS_JOB_UNKNOWN); break;
    }
}

/* With others in its group a job runs under a savepoint, and SQLite keeps a copy of each page that it
 * changes; past 64 KiB it writes the copies to a file, which halves the rate of a bulk request. Such a one
 * gains nothing from company: its COMMIT is shared by its own rows. */
#define BULK 64

static bool is_alone(const struct elfs_job *job) {
    return job->kind == ELFS_JOB_BEGIN || job->set_count >= BULK || job->count >= BULK;
}

/* The next job of the backlog if it may join. */
static struct elfs_job *admit(struct group *group) {
    struct elfs_writer *writer = group->writer;
    struct elfs_batch *batch = &group->batch;
    if (elfs_list_empty(&writer->backlog)) return NULL;
    struct elfs_job *job = ELFS_CONTAINER_OF(writer->backlog.next, struct elfs_job, link);
    bool alone = is_alone(job);
    if (!elfs_batch_admits(&writer->limits, batch, job->cost, alone, elfs_clock_us())) return NULL;
    elfs_batch_add(batch, job->cost, alone);
    elfs_list_remove(&job->link);
    return job;
}

/* Runs the jobs of the backlog, as far as they may join. False: no further job may. */
static bool run_backlog(struct group *group, bool begun) {
    struct elfs_batch *batch = &group->batch;
    struct elfs_job *job;
    while ((job = admit(group))) {
        elfs_list_push_back(&group->jobs, &job->link);
        bool only = batch->jobs == 1 && (batch->closed || elfs_list_empty(&group->writer->backlog));
        if (!elfs_job_start(job)) {
            elfs_job_settle(job, ELFS_JOB_DROPPED);
        } else if (!begun) {
            elfs_job_fail(job, &group->error);
        } else {
            run(group, job, only);
            elfs_batch_grow(batch, job->sink->size(job->sink));
            if (rolled_back(group)) {
                recover(group);
                return false;
            }
            /* What it did may still be there: nobody may join it. */
            if (only && job->outcome != ELFS_JOB_DONE) return false;
        }
    }
    return begun && !batch->closed && elfs_list_empty(&group->writer->backlog);
}

/* More jobs for the backlog, where that pays: what has come meanwhile, or comes soon. */
static bool take_more(struct group *group) {
    struct elfs_writer *writer = group->writer;
    size_t jobs = group->batch.jobs;
    if (!elfs_gather_pays(&writer->gather)) return false;
    elfs_worker_take(&writer->worker, false, &writer->backlog, &writer->tx_jobs);
    if (!elfs_list_empty(&writer->backlog)) return true;
    int64_t wait_us = elfs_gather_wait_us(&writer->gather, jobs);
    if (wait_us == 0) return false;
    if (group->wait_until_us == 0) {
        group->wait_until_us = elfs_clock_us() + wait_us;
        group->had = jobs;
    }
    elfs_worker_take_until(&writer->worker, group->wait_until_us, &writer->backlog,
                           &writer->tx_jobs);
    return !elfs_list_empty(&writer->backlog);
}

void elfs_group_serve(struct elfs_writer *writer) {
    struct group group = {.writer = writer};
    elfs_list_init(&group.jobs);
    /* The clock starts after BEGIN: when it waited for another program's lock in vain, all that
     * wait here fail now, and not each after a wait of its own. */
    bool begun = begin(&group);
    group.batch.started_us = elfs_clock_us();
    while (run_backlog(&group, begun) && take_more(&group)) continue;
    if (group.wait_until_us != 0)
        elfs_gather_waited(&writer->gather, group.had, group.batch.jobs - group.had);
    commit(&group);
    elfs_mailbox_post(writer->box, &group.jobs, NULL);
}
