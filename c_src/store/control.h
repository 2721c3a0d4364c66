/* control - the writer's own statements: BEGIN, COMMIT and so on, prepared once. Internal. */
#ifndef ELFS_STORE_CONTROL_H
#define ELFS_STORE_CONTROL_H

#include "store/db.h"

enum elfs_control_verb {
    ELFS_BEGIN, /* IMMEDIATE: takes the write lock, or fails here and not in the middle */
    ELFS_COMMIT,
    ELFS_ROLLBACK,
    ELFS_SAVEPOINT, /* one name, never nested */
    ELFS_RELEASE,
    ELFS_ROLLBACK_TO,
    ELFS_CONTROL_VERBS
};

struct elfs_control {
    struct elfs_db *db;
    sqlite3_stmt *statements[ELFS_CONTROL_VERBS];
};

/* fini also after init has failed. */
enum elfs_code elfs_control_init(struct elfs_control *control, struct elfs_db *db,
                                 struct elfs_error *err);
void elfs_control_fini(struct elfs_control *control);

/* SQLite's extended result code; 0 is success. Fills err (may be NULL) otherwise. */
int elfs_control_run(struct elfs_control *control, enum elfs_control_verb verb,
                     struct elfs_error *err);

#endif
