/* fault_vfs - SQLite's default VFS with writes and syncs that fail on demand, and are counted.
 *
 * fault_vfs_install makes it the default VFS, so that whatever is opened from then on uses it; it
 * stays installed until the program ends. The faults are armed and disarmed from any thread.
 */
#ifndef ELFS_TESTS_FAULT_VFS_H
#define ELFS_TESTS_FAULT_VFS_H

#include <stdbool.h>

enum fault_op { FAULT_WRITE, FAULT_SYNC, FAULT_OPS };

void fault_vfs_install(void);

/* The n-th call (1 is the next) of op on a file whose name ends in suffix returns the SQLite result
 * code rc without doing anything. One fault is armed at a time, and strikes once. */
void fault_vfs_arm(enum fault_op op, const char *suffix, int n, int rc);

/* True if the armed fault has struck; disarms it. */
bool fault_vfs_disarm(void);

/* Counts the writes to files whose name ends in suffix from now on. While no other thread writes. */
void fault_vfs_count(const char *suffix);
int fault_vfs_counted(void);

#endif
