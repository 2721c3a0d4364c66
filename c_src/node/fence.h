/* fence - the store's fence on a LiteFS mount (store/fence.h).
 *
 * Source: the LiteFS facts. A host is primary when the detector says so and no .primary file is there; a
 * COMMIT that wrote pages counts when the database's -pos file shows a later transaction than before it.
 */
#ifndef ELFS_NODE_FENCE_H
#define ELFS_NODE_FENCE_H

#include "node/litefs.h"
#include "store/fence.h"

struct elfs_litefs_fence {
    struct elfs_fence fence;
    const struct elfs_litefs *litefs;
    char *pos_file;            /* owned */
    struct elfs_position last; /* before the transaction; the writer's */
};

/* ELFS_NOMEM. path is the database's. */
enum elfs_code elfs_litefs_fence_init(struct elfs_litefs_fence *fence,
                                      const struct elfs_litefs *litefs, const char *path);
void elfs_litefs_fence_fini(struct elfs_litefs_fence *fence);

#endif
