/* closer - stops stores away from the loop.
 *
 * Stopping a store waits for its threads, and those may hang in a LiteFS that is dead for many seconds. Each
 * stop has a short-lived thread of its own. Loop's thread.
 */
#ifndef ELFS_NODE_CLOSER_H
#define ELFS_NODE_CLOSER_H

#include <pthread.h>

#include "store/store.h"

struct elfs_closer {
    pthread_mutex_t lock;
    pthread_cond_t idle;
    int closing;
};

enum elfs_code elfs_closer_init(struct elfs_closer *closer);

/* Waits until all stores are stopped. */
void elfs_closer_fini(struct elfs_closer *closer);

/* True while a store is being stopped. */
bool elfs_closer_busy(struct elfs_closer *closer);

/* Takes the store. Without a thread to be had, the caller waits. */
void elfs_closer_stop(struct elfs_closer *closer, struct elfs_store *store);

#endif
