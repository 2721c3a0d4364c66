/* closer - see closer.h. */
#include "node/closer.h"

#include "base/alloc.h"

struct closing {
    struct elfs_closer *closer;
    struct elfs_store *store;
};

enum elfs_code elfs_closer_init(struct elfs_closer *closer) {
    closer->closing = 0;
    if (pthread_mutex_init(&closer->lock, NULL) != 0) return ELFS_SYSTEM;
    if (pthread_cond_init(&closer->idle, NULL) == 0) return ELFS_OK;
    pthread_mutex_destroy(&closer->lock);
    return ELFS_SYSTEM;
}

void elfs_closer_fini(struct elfs_closer *closer) {
    pthread_mutex_lock(&closer->lock);
    while (closer->closing > 0) pthread_cond_wait(&closer->idle, &closer->lock);
    pthread_mutex_unlock(&closer->lock);
    pthread_cond_destroy(&closer->idle);
    pthread_mutex_destroy(&closer->lock);
}

bool elfs_closer_busy(struct elfs_closer *closer) {
    pthread_mutex_lock(&closer->lock);
    bool busy = closer->closing > 0;
    pthread_mutex_unlock(&closer->lock);
    return busy;
}

static void *run(void *arg) {
    struct closing *closing = arg;
    struct elfs_closer *closer = closing->closer;
    elfs_store_stop(closing->store);
    elfs_free(closing);
    pthread_mutex_lock(&closer->lock);
    closer->closing--;
    pthread_cond_signal(&closer->idle);
    pthread_mutex_unlock(&closer->lock);
    return NULL;
}

void elfs_closer_stop(struct elfs_closer *closer, struct elfs_store *store) {
    pthread_t thread;
    struct closing *closing = elfs_malloc(sizeof *closing);
    if (!closing) {
        elfs_store_stop(store);
        return;
    }
    *closing = (struct closing){closer, store};
    pthread_mutex_lock(&closer->lock);
    closer->closing++;
    pthread_mutex_unlock(&closer->lock);
    if (pthread_create(&thread, NULL, run, closing) == 0) {
        pthread_detach(thread);
    } else {
        run(closing);
    }
}
