/* worker - a thread and the jobs that wait for it. Internal.
 *
 * The loop hands jobs over under the lock and signals; the worker takes all there is under one lock
 * and works through it without. Jobs of interactive transactions wait on a list of their own, since
 * they overtake the rest while their transaction is open.
 */
#ifndef ELFS_STORE_WORKER_H
#define ELFS_STORE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

struct elfs_worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the worker: a job, an abort, or the stop */
    struct elfs_list jobs;
    struct elfs_list tx_jobs;
    bool stopping;
};

enum elfs_code elfs_worker_init(struct elfs_worker *worker, struct elfs_error *err);
void elfs_worker_fini(struct elfs_worker *worker);

/* Starts the thread, with all signals blocked: they are the loop's. */
enum elfs_code elfs_worker_start(struct elfs_worker *worker, void *(*main)(void *arg), void *arg,
                                 struct elfs_error *err);

/* Loop: asks the thread to stop when its work is done, and waits for its end. */
void elfs_worker_stop(struct elfs_worker *worker);

/* Loop: hands over all jobs of both lists. */
void elfs_worker_submit(struct elfs_worker *worker, struct elfs_list *jobs,
                        struct elfs_list *tx_jobs);

/* Loop: makes a waiting worker look again. */
void elfs_worker_wake(struct elfs_worker *worker);

/* Worker: waits for a job if `wait`, then appends all there are to the two lists. False: nothing
 * came, and nothing will. */
bool elfs_worker_take(struct elfs_worker *worker, bool wait, struct elfs_list *jobs,
                      struct elfs_list *tx_jobs);

/* Worker: the same, but waits at most until the clock (elfs_clock_us) shows the deadline. */
bool elfs_worker_take_until(struct elfs_worker *worker, int64_t deadline_us, struct elfs_list *jobs,
                            struct elfs_list *tx_jobs);

/* Worker, holding the lock: waits for a change until the clock (elfs_clock_ms) shows deadline. */
void elfs_worker_wait_until(struct elfs_worker *worker, int64_t deadline);

#endif
