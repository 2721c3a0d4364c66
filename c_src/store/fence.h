/* fence - may a database be written here, and did a COMMIT count?
 *
 * On LiteFS only the primary's writes survive, and COMMIT returning OK is not yet an acknowledgement: LiteFS
 * commits when SQLite releases the write lock, so afterwards the database's position must have advanced and
 * this host must still be primary. The store asks; who implements the fence knows LiteFS. Writer's thread.
 */
#ifndef ELFS_STORE_FENCE_H
#define ELFS_STORE_FENCE_H

#include "base/error.h"
#include "base/position.h"

struct elfs_fence {
    /* Before BEGIN, and asked often: as far as is known without asking LiteFS. ELFS_OK, or
     * ELFS_NOT_PRIMARY with err filled: nothing has been touched. */
    enum elfs_code (*before)(struct elfs_fence *self, struct elfs_error *err);
    /* After BEGIN, with the write lock. undisturbed: nobody else has committed since `after` was
     * asked last. */
    void (*begun)(struct elfs_fence *self, bool undisturbed);
    /* SQLite refused a COMMIT. ELFS_NOT_PRIMARY with err filled if that is because this host is not
     * the primary, else ELFS_OK. */
    enum elfs_code (*explain)(struct elfs_fence *self, struct elfs_error *err);
    /* After COMMIT returned OK; changed: the transaction wrote pages. ELFS_OK with the position, or
     * ELFS_UNKNOWN with err filled. */
    enum elfs_code (*after)(struct elfs_fence *self, bool changed, struct elfs_position *position,
                            struct elfs_error *err);
    /* The writer closes its database: nothing of it may stay open. */
    void (*ended)(struct elfs_fence *self);
    /* Any thread: changes with the role. Under another number the file may have become another history's
     * since, page by page and without SQLite's doing. */
    uint64_t (*turn)(const struct elfs_fence *self);
};

#endif
