/* gather - see gather.h. */
#include "store/gather.h"

#define DEAR_US 500   /* less than that a caller is not back in */
#define PART 4        /* of a COMMIT: the most that a wait may cost */
#define MOST_US 5000  /* and so much, after a COMMIT that hung */
#define FUTILE_MOST 5 /* after so many, every 32nd group tries again */
#define WORTH 4       /* a wait is worth it if it brings a group this part of it more */
#define MEMORY 4      /* how many COMMITs the average remembers, about */

bool elfs_gather_pays(const struct elfs_gather *gather) { return gather->commit_us >= DEAR_US; }

int64_t elfs_gather_wait_us(const struct elfs_gather *gather, size_t jobs) {
    if (!elfs_gather_pays(gather) || gather->leave_out > 0 || jobs >= gather->callers) return 0;
    int64_t part_us = gather->commit_us / PART;
    return part_us < MOST_US ? part_us : MOST_US;
}

void elfs_gather_waited(struct elfs_gather *gather, size_t had, size_t joined) {
    if (joined * WORTH >= had) {
        gather->futile = 0;
        return;
    }
    if (gather->futile < FUTILE_MOST) gather->futile++;
    gather->leave_out = 1U << gather->futile;
}

void elfs_gather_answered(struct elfs_gather *gather, int64_t commit_us, size_t answered,
                          size_t waiting) {
    if (gather->commit_us == 0) gather->commit_us = commit_us;
    gather->commit_us += (commit_us - gather->commit_us) / MEMORY;
    gather->callers = answered + waiting;
    if (gather->leave_out > 0) gather->leave_out--;
}
