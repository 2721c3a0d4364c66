/* fail_alloc - an allocator for tests that fails the n-th allocation and counts what is not freed.
 */
#ifndef ELFS_TESTS_FAIL_ALLOC_H
#define ELFS_TESTS_FAIL_ALLOC_H

#include <stdbool.h>

/* Installs the allocator. The n-th allocation from now (1 is the next) and all after it until
 * fail_alloc_stop() fail; 0 never fails. Resets the counts. */
void fail_alloc_start(long n);

/* Restores the C library's allocator. True if an allocation was made to fail since the start. */
bool fail_alloc_stop(void);

/* Blocks allocated since the start and not freed yet (a leak, at the end of a scenario). */
long fail_alloc_live(void);

/* Runs scenario(arg) with the 1st, 2nd, ... allocation failing until it passes without a failure.
 * The scenario cleans up after itself in both cases; ok says whether it succeeded. Asserts (cmocka)
 * that it reports failure whenever an allocation failed, success when none did, and leaks nothing.
 */
void fail_alloc_each(bool (*scenario)(void *arg), void *arg);

/* The same with that one allocation failing and no other: what goes on without it is not hidden by
 * the next one. */
void fail_alloc_each_once(bool (*scenario)(void *arg), void *arg);

#endif
