/* state - see state.h. */
#include "detect/state.h"

struct elfs_db_position *elfs_positions_find(struct elfs_positions *positions,
                                             const char *database) {
    for (size_t i = 0; i < positions->count; i++) {
        if (strcmp(positions->items[i].database, database) == 0) return &positions->items[i];
    }
    return NULL;
}

struct elfs_db_position *elfs_positions_add(struct elfs_positions *positions,
                                            const char *database) {
    struct elfs_db_position *found = elfs_positions_find(positions, database);
    if (found || positions->count == ELFS_POSITIONS_MAX) return found;
    found = &positions->items[positions->count++];
    *found = (struct elfs_db_position){.txid = 0};
    memcpy(found->database, database, strlen(database) + 1);
    return found;
}
