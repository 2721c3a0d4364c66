/* reader - see reader.h. */
#include "store/reader.h"

#include "store/checkpoint.h"
#include "store/dead_mount.h"
#include "store/exec.h"
#include "store/outcome.h"

enum elfs_code elfs_reader_init(struct elfs_reader_thread *reader,
                                const struct elfs_store_config *config, struct elfs_mailbox *box,
                                struct elfs_error *err) {
    *reader =
        (struct elfs_reader_thread){.box = box, .fence = config->fence, .folder = config->folder};
    enum elfs_code code = elfs_worker_init(&reader->worker, err);
    if (code != ELFS_OK) return code;
    code = elfs_db_open(&reader->db, config, ELFS_DB_READER, err);
    if (code != ELFS_OK) {
        elfs_worker_fini(&reader->worker);
        return code;
    }
    reader->db.guard.internal = false;
    return ELFS_OK;
}

void elfs_reader_fini(struct elfs_reader_thread *reader) {
    elfs_db_close(&reader->db);
    elfs_worker_fini(&reader->worker);
}

static enum elfs_job_outcome run(struct elfs_reader_thread *reader, struct elfs_job *job) {
    bool reads = false;
    elfs_db_follow(&reader->db, reader->fence);
    enum elfs_code code =
        elfs_exec_reads_only(&reader->db, job->statements[0].sql, &reads, &job->error);
    /* Rerouted as it came: it has not started, and may still be cancelled. */
    if (code == ELFS_OK && !reads) return ELFS_JOB_REROUTE;
    if (!elfs_job_start(job)) return ELFS_JOB_DROPPED;
    if (code == ELFS_OK) code = elfs_exec_job(&reader->db, job);
    return code == ELFS_OK ? ELFS_JOB_DONE : ELFS_JOB_FAILED;
}

static void *reader_main(void *arg) {
    struct elfs_reader_thread *reader = arg;
    struct elfs_list jobs;
    struct elfs_list none;
    elfs_list_init(&jobs);
    elfs_list_init(&none);
    elfs_dead_mount_enter(reader->folder);
    while (elfs_worker_take(&reader->worker, true, &jobs, &none)) {
        struct elfs_list *link;
        while ((link = elfs_list_pop_front(&jobs))) {
            struct elfs_job *job = ELFS_CONTAINER_OF(link, struct elfs_job, link);
            struct elfs_list one;
            elfs_checkpoint_read_begins(reader->db.checkpoint);
            elfs_job_settle(job, run(reader, job));
            elfs_checkpoint_read_ended(reader->db.checkpoint);
            elfs_list_init(&one);
            elfs_list_push_back(&one, link);
            elfs_mailbox_post(reader->box, &one, NULL);
        }
    }
    return NULL;
}

enum elfs_code elfs_reader_start(struct elfs_reader_thread *reader, struct elfs_error *err) {
    return elfs_worker_start(&reader->worker, reader_main, reader, err);
}

void elfs_reader_stop(struct elfs_reader_thread *reader) { elfs_worker_stop(&reader->worker); }
