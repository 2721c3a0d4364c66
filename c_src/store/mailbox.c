/* mailbox - see mailbox.h. */
#include "store/mailbox.h"

#include "base/error.h"

enum elfs_code elfs_mailbox_init(struct elfs_mailbox *box, void (*wake)(void *arg), void *arg) {
    elfs_list_init(&box->jobs);
    elfs_list_init(&box->ended);
    box->wake = wake;
    box->arg = arg;
    return pthread_mutex_init(&box->lock, NULL) == 0 ? ELFS_OK : ELFS_SYSTEM;
}

void elfs_mailbox_fini(struct elfs_mailbox *box) { pthread_mutex_destroy(&box->lock); }

void elfs_mailbox_post(struct elfs_mailbox *box, struct elfs_list *jobs, struct elfs_tx *ended) {
    if (elfs_list_empty(jobs) && !ended) return;
    pthread_mutex_lock(&box->lock);
    bool was_empty = elfs_list_empty(&box->jobs) && elfs_list_empty(&box->ended);
    elfs_list_append_all(&box->jobs, jobs);
    if (ended) elfs_list_push_back(&box->ended, &ended->link);
    pthread_mutex_unlock(&box->lock);
    if (was_empty) box->wake(box->arg);
}

void elfs_mailbox_take(struct elfs_mailbox *box, struct elfs_list *jobs, struct elfs_list *ended) {
    elfs_list_init(jobs);
    elfs_list_init(ended);
    pthread_mutex_lock(&box->lock);
    elfs_list_append_all(jobs, &box->jobs);
    elfs_list_append_all(ended, &box->ended);
    pthread_mutex_unlock(&box->lock);
}
