/* backoff - how long to wait before the next try of something that failed.
 *
 * PURE. 100 ms, doubled with each failure up to a second, then each wait is a random time between
 * its half and its whole (but no less than 100 ms), so that the clients of one server do not come
 * back together. Not longer: the server is LiteFS on this host, where a try costs next to nothing,
 * and until it is found to be back this host serves nothing of its databases.
 */
#ifndef ELFS_DETECT_BACKOFF_H
#define ELFS_DETECT_BACKOFF_H

#include <stdint.h>

#define ELFS_BACKOFF_MIN_MS 100
#define ELFS_BACKOFF_MAX_MS 1000

struct elfs_backoff {
    int64_t wait_ms; /* 0 before the first failure */
};

/* The wait after one more failure; random is any 32 random bits. */
int64_t elfs_backoff_next(struct elfs_backoff *backoff, uint32_t random);

/* It worked. */
void elfs_backoff_reset(struct elfs_backoff *backoff);

#endif
