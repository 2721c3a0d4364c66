/* gather - how long an open group waits for company before its COMMIT.
 *
 * PURE. Where a COMMIT is dear, as on LiteFS or a slow disk, callers that have just been answered are back with their
 * next requests long before the next COMMIT would be over. A group that leaves without them makes them wait for all
 * of it, and for the one after it: two half groups take turns. So a group takes in what comes while it runs, and
 * waits for as many jobs as there seem to be callers, but no longer than a part of what a COMMIT takes, and 5 ms. A
 * caller that is alone never waits. Where waiting brings little it is left off for a while.
 */
#ifndef ELFS_STORE_GATHER_H
#define ELFS_STORE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is a good beginning. */
struct elfs_gather {
    size_t callers;     /* seen last: jobs that were answered, and those that waited meanwhile */
    int64_t commit_us;  /* what a COMMIT takes, as of late */
    unsigned leave_out; /* so many groups do not wait */
    unsigned futile;    /* waits in a row that brought little */
};

/* Is a COMMIT dear enough that the open group takes in what comes? */
bool elfs_gather_pays(const struct elfs_gather *gather);

/* Microseconds that a group of so many jobs may wait in all; 0: not at all. */
int64_t elfs_gather_wait_us(const struct elfs_gather *gather, size_t jobs);

/* A group has waited: it had so many jobs before, and so many joined. */
void elfs_gather_waited(struct elfs_gather *gather, size_t had, size_t joined);

/* A group was answered; `waiting` jobs were there for the next one by then. */
void elfs_gather_answered(struct elfs_gather *gather, int64_t commit_us, size_t answered,
                          size_t waiting);

#endif
