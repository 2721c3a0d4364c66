/* patience - see patience.h. */
#include "store/patience.h"

#include <stdio.h>

#include "base/list.h"

/* Pauses are made of such pieces. */
#define PIECE_US 5000

/* False: it has ended. */
static bool take(struct elfs_patience *patience, int piece_us) {
    int64_t left = atomic_load(&patience->left_us);
    if (left == ELFS_PATIENCE_FOREVER) return true;
    if (left < piece_us) return false;
    /* whoever ends it meanwhile wins */
    atomic_compare_exchange_strong(&patience->left_us, &left, left - piece_us);
    return true;
}

static int pause_in_pieces(sqlite3_vfs *vfs, int microseconds) {
    struct elfs_patience *patience = ELFS_CONTAINER_OF(vfs, struct elfs_patience, vfs);
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    for (int left = microseconds; left > 0; left -= PIECE_US) {
        int piece = left < PIECE_US ? left : PIECE_US;
        if (!take(patience, piece)) break;
        base->xSleep(base, piece);
    }
    return microseconds;
}

enum elfs_code elfs_patience_init(struct elfs_patience *patience, int64_t limit_us,
                                  struct elfs_error *err) {
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    if (!base) return elfs_fail(err, ELFS_SYSTEM, "SQLite has no access to files");
    patience->vfs = *base;
    snprintf(patience->name, sizeof patience->name, "elfs-%p", (void *)patience);
    patience->vfs.pNext = NULL;
    patience->vfs.zName = patience->name;
    patience->vfs.xSleep = pause_in_pieces;
    atomic_init(&patience->left_us, limit_us);
    if (sqlite3_vfs_register(&patience->vfs, 0) == SQLITE_OK) return ELFS_OK;
    return elfs_fail(err, ELFS_NOMEM, "out of memory");
}

void elfs_patience_fini(struct elfs_patience *patience) { sqlite3_vfs_unregister(&patience->vfs); }

void elfs_patience_limit(struct elfs_patience *patience, int64_t limit_us) {
    atomic_store(&patience->left_us, limit_us);
}
