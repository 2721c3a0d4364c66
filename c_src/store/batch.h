/* batch - which waiting jobs go into one transaction.
 *
 * PURE. When the writer becomes free it takes what is waiting, in order, until the policy says stop; what
 * comes later is the next group, unless the group gathers (gather.h). An interactive transaction is a group
 * of its own.
 */
#ifndef ELFS_STORE_BATCH_H
#define ELFS_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elfs_batch_limits {
    size_t max_jobs;  /* at least 1 */
    size_t max_bytes; /* of jobs and their results; a single larger job still goes, alone */
    int64_t max_us;   /* no further job starts when the group has run so long; keeps the latency of
                         the   group's first jobs in bounds */
};

/* The group under way. */
struct elfs_batch {
    size_t jobs;
    size_t bytes;
    int64_t started_us;
    bool closed; /* by a job that shares a transaction with no other */
};

/* True if a job that holds `bytes` bytes may join now. `alone`: it shares a transaction
 * with no other. */
bool elfs_batch_admits(const struct elfs_batch_limits *limits, const struct elfs_batch *batch,
                       size_t bytes, bool alone, int64_t now_us);

/* Counts the job in. */
void elfs_batch_add(struct elfs_batch *batch, size_t bytes, bool alone);

/* Counts in what a job of the group has returned: results wait for COMMIT, so they are bounded too. */
void elfs_batch_grow(struct elfs_batch *batch, size_t bytes);

#endif
