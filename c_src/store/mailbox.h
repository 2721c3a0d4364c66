/* mailbox - brings jobs and ended transactions from the workers back to the loop.
 *
 * A locked list and a callback that wakes the loop, called once when the mailbox becomes non-empty.
 */
#ifndef ELFS_STORE_MAILBOX_H
#define ELFS_STORE_MAILBOX_H

#include <pthread.h>

#include "store/job.h"

struct elfs_mailbox {
    pthread_mutex_t lock;
    struct elfs_list jobs;
    struct elfs_list ended; /* struct elfs_tx */
    void (*wake)(void *arg);
    void *arg;
};

/* wake may be called from any worker; it must not block and must not call back into the mailbox. */
enum elfs_code elfs_mailbox_init(struct elfs_mailbox *box, void (*wake)(void *arg), void *arg);
void elfs_mailbox_fini(struct elfs_mailbox *box);

/* Worker: hands over all jobs of the list at once (it is empty afterwards), and an ended
 * transaction (may be NULL). */
void elfs_mailbox_post(struct elfs_mailbox *box, struct elfs_list *jobs, struct elfs_tx *ended);

/* Loop: takes everything there is; both lists are initialised by the call. The jobs of a
 * transaction come before its end: handle jobs first. */
void elfs_mailbox_take(struct elfs_mailbox *box, struct elfs_list *jobs, struct elfs_list *ended);

#endif
