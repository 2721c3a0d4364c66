/* mount - looks at LiteFS's mount once.
 *
 * Opens, reads and closes: no handle stays open, since one would keep LiteFS from unmounting. Files
 * may come and go between two steps; each step takes what it finds. A LiteFS that hangs (stopped,
 * not dead) makes these calls hang too, as it does every other that touches the mount. Any thread.
 */
#ifndef ELFS_DETECT_MOUNT_H
#define ELFS_DETECT_MOUNT_H

#include "detect/state.h"

/* Whether an open folder lies on a FUSE file system: 0 and *is_fuse, or an errno. */
typedef int elfs_is_fuse_fn(int dir_fd, bool *is_fuse);

struct elfs_mount_place {
    const char *dir;
    const char *primary_file; /* its name in dir */
    elfs_is_fuse_fn *is_fuse; /* elfs_mount_is_fuse; a stand-in in tests */
};

/* What statfs says; never FUSE where the system has no such type. */
int elfs_mount_is_fuse(int dir_fd, bool *is_fuse);

void elfs_mount_read(const struct elfs_mount_place *place, struct elfs_reading *reading);

#endif
