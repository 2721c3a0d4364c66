/* backoff - see backoff.h. */
#include "detect/backoff.h"

int64_t elfs_backoff_next(struct elfs_backoff *backoff, uint32_t random) {
    int64_t wait = backoff->wait_ms == 0 ? ELFS_BACKOFF_MIN_MS : backoff->wait_ms * 2;
    if (wait > ELFS_BACKOFF_MAX_MS) wait = ELFS_BACKOFF_MAX_MS;
    backoff->wait_ms = wait;
    int64_t least = wait / 2 < ELFS_BACKOFF_MIN_MS ? ELFS_BACKOFF_MIN_MS : wait / 2;
    return least + (int64_t)(random % (uint64_t)(wait - least + 1));
}

void elfs_backoff_reset(struct elfs_backoff *backoff) { backoff->wait_ms = 0; }
