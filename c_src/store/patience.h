/* patience - a store's own VFS: SQLite's, with pauses that can be ended. Internal.
 *
 * SQLite pauses where a lock is taken, and takes any failure to lock for that: on a LiteFS that has died it goes
 * on trying for ten seconds and more, a few pauses after one another, before it says so. When
 * the patience has ended there are no pauses, and it comes to its end at once. It may have a limit from
 * the start.
 */
#ifndef ELFS_STORE_PATIENCE_H
#define ELFS_STORE_PATIENCE_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"

struct elfs_patience {
    sqlite3_vfs vfs;
    char name[48];           /* for sqlite3_open_v2 */
    _Atomic int64_t left_us; /* of all pauses together; 0: ended */
};

#define ELFS_PATIENCE_FOREVER INT64_MAX

/* limit_us: of all pauses of its connections together. Must stay where it is until fini, after which no
 * connection may use it. */
enum elfs_code elfs_patience_init(struct elfs_patience *patience, int64_t limit_us,
                                  struct elfs_error *err);
void elfs_patience_fini(struct elfs_patience *patience);

/* All pauses from now on together last so long at most; with 0 the pause that a thread is in ends as well. Any
 * thread. */
void elfs_patience_limit(struct elfs_patience *patience, int64_t limit_us);

#endif
