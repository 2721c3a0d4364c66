/* store - see store.h. Puts writer and reader together and routes jobs to them. */
#include "store/store.h"

#include <unistd.h>

#include "base/alloc.h"
#include "store/checkpoint.h"
#include "store/dead_mount.h"
#include "store/outcome.h"
#include "store/patience.h"
#include "store/reader.h"
#include "store/sql_text.h"
#include "store/wal_file.h"
#include "store/writer.h"

struct elfs_store {
    bool writes; /* there is a writer */
    struct elfs_mailbox *box;
    struct elfs_patience patience;
    struct elfs_checkpoint checkpoint;
    int folder; /* see dead_mount.h */
    struct elfs_writer writer;
    struct elfs_reader_thread reader;
};

void elfs_store_config_default(struct elfs_store_config *config) {
    *config = (struct elfs_store_config){
        .synchronous = ELFS_SYNC_FULL,
        .busy_timeout_ms = 5000,
        .statement_cache = 128,
        .max_value = 65 * 1024 * 1024,
        .keep_requests = 100000,
        .keep_requests_ms = 3600000,
        .batch = {.max_jobs = 1024, .max_bytes = 16777216, .max_us = 50000},
    };
}

static enum elfs_code start(struct elfs_store *made, const struct elfs_store_config *config,
                            struct elfs_error *err) {
    struct elfs_store_config own = *config;
    own.vfs = made->patience.name;
    own.folder = made->folder;
    own.checkpoint = &made->checkpoint;
    enum elfs_code code = ELFS_OK;
    if (made->writes) code = elfs_writer_init(&made->writer, &own, made->box, err);
    if (code != ELFS_OK) return code;
    code = elfs_reader_init(&made->reader, &own, made->box, err);
    if (code != ELFS_OK) goto fini_writer;
    if (made->writes) code = elfs_writer_start(&made->writer, err);
    if (code != ELFS_OK) goto fini_reader;
    code = elfs_reader_start(&made->reader, err);
    if (code == ELFS_OK) return ELFS_OK;

    if (made->writes) elfs_writer_stop(&made->writer);
fini_reader:
    elfs_reader_fini(&made->reader);
fini_writer:
    if (made->writes) elfs_writer_fini(&made->writer);
    return code;
}

enum elfs_code elfs_store_start(const struct elfs_store_config *config, struct elfs_mailbox *box,
                                struct elfs_store **store, struct elfs_error *err) {
    *store = NULL;
    struct elfs_store *made = elfs_malloc(sizeof *made);
    if (!made) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    made->writes = !config->read_only;
    made->box = box;
    enum elfs_code code = elfs_patience_init(&made->patience, ELFS_PATIENCE_FOREVER, err);
    if (code != ELFS_OK) goto free;
    code = elfs_checkpoint_init(&made->checkpoint, err);
    if (code != ELFS_OK) goto fini_patience;
    if (config->synchronous == ELFS_SYNC_FULL) elfs_wal_file_install(&made->patience.vfs);
    made->folder = elfs_dead_mount_folder(config->path);
    int before = elfs_dead_mount_enter(made->folder);
    code = start(made, config, err);
    elfs_dead_mount_enter(before);
    if (code != ELFS_OK) goto close_folder;
    *store = made;
    return ELFS_OK;

close_folder:
    if (made->folder >= 0) close(made->folder);
    elfs_checkpoint_fini(&made->checkpoint);
fini_patience:
    elfs_patience_fini(&made->patience);
free:
    elfs_free(made);
    return code;
}

static bool is_for_reader(const struct elfs_job *job) {
    return job->kind == ELFS_JOB_QUERY && !job->write &&
           elfs_sql_looks_read_only(job->statements[0].sql);
}

/* Without a writer. */
static void refuse(struct elfs_store *store, struct elfs_list *jobs) {
    struct elfs_error error;
    elfs_fail(&error, ELFS_NOT_PRIMARY, "the database is only read here");
    for (struct elfs_list *l = jobs->next; l != jobs; l = l->next) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        if (elfs_job_start(job)) {
            elfs_job_fail(job, &error);
        } else {
            elfs_job_settle(job, ELFS_JOB_DROPPED);
        }
    }
    elfs_mailbox_post(store->box, jobs, NULL);
}

void elfs_store_submit(struct elfs_store *store, struct elfs_list *jobs) {
    struct elfs_list writes;
    struct elfs_list of_tx;
    struct elfs_list reads;
    struct elfs_list none;
    elfs_list_init(&writes);
    elfs_list_init(&of_tx);
    elfs_list_init(&reads);
    elfs_list_init(&none);
    struct elfs_list *link;
    while ((link = elfs_list_pop_front(jobs))) {
        const struct elfs_job *job = ELFS_CONTAINER_OF(link, struct elfs_job, link);
        struct elfs_list *to = &writes;
        if (job->tx && job->kind != ELFS_JOB_BEGIN) {
            to = &of_tx;
        } else if (is_for_reader(job)) {
            to = &reads;
        }
        elfs_list_push_back(to, link);
    }
    if (store->writes) {
        elfs_worker_submit(&store->writer.worker, &writes, &of_tx);
    } else {
        elfs_list_append_all(&writes, &of_tx);
        refuse(store, &writes);
    }
    elfs_worker_submit(&store->reader.worker, &reads, &none);
}

void elfs_store_abort_tx(struct elfs_store *store, struct elfs_tx *tx) {
    atomic_store(&tx->abort, true);
    if (store->writes) elfs_worker_wake(&store->writer.worker);
}

bool elfs_store_is_lost(const struct elfs_store *store) {
    return store->folder >= 0 && elfs_dead_mount_is(store->folder);
}

void elfs_store_hurry(struct elfs_store *store, int64_t wait_ms) {
    elfs_patience_limit(&store->patience, wait_ms * 1000);
}

void elfs_store_stop(struct elfs_store *store) {
    if (store->writes) elfs_writer_stop(&store->writer);
    elfs_reader_stop(&store->reader);
    int before = elfs_dead_mount_enter(store->folder);
    elfs_reader_fini(&store->reader);
    if (store->writes) elfs_writer_fini(&store->writer); /* last: closing it checkpoints the WAL */
    elfs_dead_mount_enter(before);
    if (store->folder >= 0) close(store->folder);
    elfs_checkpoint_fini(&store->checkpoint);
    elfs_patience_fini(&store->patience);
    elfs_free(store);
}

enum elfs_code elfs_store_check(const struct elfs_store_config *config, struct elfs_error *err) {
    struct elfs_db writer;
    struct elfs_db reader;
    enum elfs_code code = ELFS_OK;
    if (!config->read_only) code = elfs_db_open(&writer, config, ELFS_DB_WRITER, err);
    if (code != ELFS_OK) return code;
    code = elfs_db_open(&reader, config, ELFS_DB_READER, err);
    if (code == ELFS_OK) elfs_db_close(&reader);
    if (!config->read_only) elfs_db_close(&writer);
    return code;
}
