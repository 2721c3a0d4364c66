/* worker - see worker.h. */
#include "store/worker.h"

#include <signal.h>
#include <string.h>

#include "store/condition.h"

static enum elfs_code system_fail(struct elfs_error *err, const char *what, int number) {
    return elfs_fail(err, ELFS_SYSTEM, "%s: %s", what, strerror(number));
}

enum elfs_code elfs_worker_init(struct elfs_worker *worker, struct elfs_error *err) {
    elfs_list_init(&worker->jobs);
    elfs_list_init(&worker->tx_jobs);
    worker->stopping = false;
    int rc = pthread_mutex_init(&worker->lock, NULL);
    if (rc != 0) return system_fail(err, "cannot make a lock", rc);
    rc = elfs_condition_init(&worker->changed);
    if (rc == 0) return ELFS_OK;
    pthread_mutex_destroy(&worker->lock);
    return system_fail(err, "cannot make a condition variable", rc);
}

void elfs_worker_fini(struct elfs_worker *worker) {
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
}

enum elfs_code elfs_worker_start(struct elfs_worker *worker, void *(*main)(void *arg), void *arg,
                                 struct elfs_error *err) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a thread's own affair: see dead_mount.h */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&worker->thread, NULL, main, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) return system_fail(err, "cannot start a thread", rc);
    return ELFS_OK;
}

void elfs_worker_stop(struct elfs_worker *worker) {
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_mutex_unlock(&worker->lock);
    pthread_cond_signal(&worker->changed);
    pthread_join(worker->thread, NULL);
}

void elfs_worker_submit(struct elfs_worker *worker, struct elfs_list *jobs,
                        struct elfs_list *tx_jobs) {
    if (elfs_list_empty(jobs) && elfs_list_empty(tx_jobs)) return;
    pthread_mutex_lock(&worker->lock);
    elfs_list_append_all(&worker->jobs, jobs);
    elfs_list_append_all(&worker->tx_jobs, tx_jobs);
    pthread_mutex_unlock(&worker->lock);
    pthread_cond_signal(&worker->changed);
}

void elfs_worker_wake(struct elfs_worker *worker) {
    /* With the lock: between the worker's look and its wait the signal would be lost. */
    pthread_mutex_lock(&worker->lock);
    pthread_mutex_unlock(&worker->lock);
    pthread_cond_signal(&worker->changed);
}

static bool has_jobs(const struct elfs_worker *worker) {
    return !elfs_list_empty(&worker->jobs) || !elfs_list_empty(&worker->tx_jobs);
}

/* Holding the lock; gives it back. */
static bool take(struct elfs_worker *worker, struct elfs_list *jobs, struct elfs_list *tx_jobs) {
    bool took = has_jobs(worker);
    elfs_list_append_all(jobs, &worker->jobs);
    elfs_list_append_all(tx_jobs, &worker->tx_jobs);
    pthread_mutex_unlock(&worker->lock);
    return took;
}

bool elfs_worker_take(struct elfs_worker *worker, bool wait, struct elfs_list *jobs,
                      struct elfs_list *tx_jobs) {
    pthread_mutex_lock(&worker->lock);
    while (wait && !has_jobs(worker) && !worker->stopping) {
        pthread_cond_wait(&worker->changed, &worker->lock);
    }
    return take(worker, jobs, tx_jobs);
}

bool elfs_worker_take_until(struct elfs_worker *worker, int64_t deadline_us, struct elfs_list *jobs,
                            struct elfs_list *tx_jobs) {
    bool in_time = true;
    pthread_mutex_lock(&worker->lock);
    while (in_time && !has_jobs(worker) && !worker->stopping) {
        in_time = elfs_condition_wait_until(&worker->changed, &worker->lock, deadline_us);
    }
    return take(worker, jobs, tx_jobs);
}

void elfs_worker_wait_until(struct elfs_worker *worker, int64_t deadline) {
    elfs_condition_wait_until(&worker->changed, &worker->lock, deadline * 1000);
}
