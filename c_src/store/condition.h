/* condition - condition variables that wait by the clock of base/clock.h, which nobody sets. Internal. */
#ifndef ELFS_STORE_CONDITION_H
#define ELFS_STORE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* 0, or an errno. Destroyed by pthread_cond_destroy. */
int elfs_condition_init(pthread_cond_t *condition);

/* Holding the lock. False: the clock (elfs_clock_us) shows until_us. */
bool elfs_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us);

#endif
