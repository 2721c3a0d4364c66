/* fault_vfs - SQLite's default VFS with writes and syncs that fail on demand.
 *
 * fault_vfs_install makes it the default VFS, so that whatever is opened from then on uses it; it
 * stays installed until the program ends. The faults are armed and disarmed from any thread.
 */
#ifndef ELFS_TESTS_FAULT_VFS_H
#define ELFS_TESTS_FAULT_VFS_H

enum fault_op { FAULT_WRITE, FAULT_SYNC, FAULT_OPS };

void fault_vfs_install(void);

/* The n-th call (1 is the next) of op on a file whose name ends in suffix, and all after it, return
 * the SQLite result code rc without doing anything. One fault is armed at a time. */
void fault_vfs_arm(enum fault_op op, const char *suffix, int n, int rc);

/* How often the armed fault has struck; disarms it. */
int fault_vfs_disarm(void);

#endif
