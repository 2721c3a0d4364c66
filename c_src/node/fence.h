/* fence - the store's fence on a LiteFS mount (store/fence.h).
 *
 * Source: LiteFS 0.5. It commits what SQLite has committed when SQLite releases the write lock, and
 * ends itself instead if it is not the primary (any more) then. So a COMMIT that wrote pages counts when the
 * database's -pos file shows a later transaction than before it, and the handle by which it is read belongs to the
 * mount that the database was opened on: one that has died since tells nothing. A role that was lost and has come back
 * meanwhile is another reign, in which what was committed before it may be gone.
 */
#ifndef ELFS_NODE_FENCE_H
#define ELFS_NODE_FENCE_H

#include "node/litefs.h"
#include "store/fence.h"

struct elfs_litefs_fence {
    struct elfs_fence fence;
    const struct elfs_litefs *litefs;
    char *pos_file;            /* owned */
    int pos_fd;                /* -1: not open; the writer's */
    struct elfs_position last; /* before the transaction; the writer's */
    uint64_t turn;             /* that it began in; the writer's */
};

/* ELFS_NOMEM. path is the database's. */
enum elfs_code elfs_litefs_fence_init(struct elfs_litefs_fence *fence,
                                      const struct elfs_litefs *litefs, const char *path);
void elfs_litefs_fence_fini(struct elfs_litefs_fence *fence);

#endif
