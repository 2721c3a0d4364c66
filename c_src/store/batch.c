/* batch - see batch.h. */
#include "store/batch.h"

bool elfs_batch_admits(const struct elfs_batch_limits *limits, const struct elfs_batch *batch,
                       size_t bytes, bool alone, int64_t now_us) {
    if (batch->jobs == 0) return true;
    if (alone || batch->closed || batch->jobs >= limits->max_jobs) return false;
    if (batch->bytes > limits->max_bytes || bytes > limits->max_bytes - batch->bytes) return false;
    return now_us - batch->started_us < limits->max_us;
}

void elfs_batch_add(struct elfs_batch *batch, size_t bytes, bool alone) {
    batch->closed = alone;
    batch->jobs++;
    batch->bytes += bytes;
}

void elfs_batch_grow(struct elfs_batch *batch, size_t bytes) { batch->bytes += bytes; }
