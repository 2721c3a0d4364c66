/* dead_mount - surviving a LiteFS that dies while SQLite has one of its files mapped. Internal, but for install.
 *
 * SQLite maps the database's -shm file. When LiteFS has died the kernel cannot bring a page of it any more, and who
 * touches that page is sent SIGBUS, which ends the process. Instead the page becomes an empty one, and SQLite goes on to
 * its next error: nothing can be read from a dead mount or written to it, and it never comes back to life
 * (the next LiteFS makes a mount of its own).
 *
 * Any other SIGBUS ends the process as ever: of a thread that has not said which folder it works in, or while
 * that folder's mount is alive, where an empty page in the place of SQLite's own could damage the database.
 */
#ifndef ELFS_STORE_DEAD_MOUNT_H
#define ELFS_STORE_DEAD_MOUNT_H

#include <stdbool.h>

/* Handles SIGBUS for the whole process, once. is_dead: async-signal-safe; NULL: asks the mount. */
void elfs_dead_mount_install(bool (*is_dead)(int folder));

/* The folder that a file is in, opened; -1 if it cannot be. The caller closes it. */
int elfs_dead_mount_folder(const char *path);

/* True if the folder's mount is dead. A LiteFS that hangs keeps the caller waiting. */
bool elfs_dead_mount_is(int folder);

/* The calling thread works in that folder from now on; -1: in none. Returns the one before. SIGBUS must not be blocked. */
int elfs_dead_mount_enter(int folder);

#endif
