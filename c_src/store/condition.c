/* condition - see condition.h. */
#include "store/condition.h"

#include <time.h>

int elfs_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attr;
    int rc = pthread_condattr_init(&attr);
    if (rc != 0) return rc;
    rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (rc == 0) rc = pthread_cond_init(condition, &attr);
    pthread_condattr_destroy(&attr);
    return rc;
}

bool elfs_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us) {
    struct timespec at = {.tv_sec = (time_t)(until_us / 1000000),
                          .tv_nsec = (long)(until_us % 1000000) * 1000};
    return pthread_cond_timedwait(condition, lock, &at) == 0;
}
