/* control - see control.h. */
#include "store/control.h"

#include "store/sqlite_error.h"

static const char *const texts[ELFS_CONTROL_VERBS] = {
    [ELFS_BEGIN] = "BEGIN IMMEDIATE",    [ELFS_COMMIT] = "COMMIT",
    [ELFS_ROLLBACK] = "ROLLBACK",        [ELFS_SAVEPOINT] = "SAVEPOINT elfs_job",
    [ELFS_RELEASE] = "RELEASE elfs_job", [ELFS_ROLLBACK_TO] = "ROLLBACK TO elfs_job",
};

enum elfs_code elfs_control_init(struct elfs_control *control, struct elfs_db *db,
                                 struct elfs_error *err) {
    *control = (struct elfs_control){.db = db};
    for (int verb = 0; verb < ELFS_CONTROL_VERBS; verb++) {
        int rc = sqlite3_prepare_v3(db->handle, texts[verb], -1, SQLITE_PREPARE_PERSISTENT,
                                    &control->statements[verb], NULL);
        if (rc != SQLITE_OK) return elfs_sqlite_fail(err, db->handle);
    }
    return ELFS_OK;
}

void elfs_control_fini(struct elfs_control *control) {
    for (int verb = 0; verb < ELFS_CONTROL_VERBS; verb++) {
        sqlite3_finalize(control->statements[verb]);
    }
}

int elfs_control_run(struct elfs_control *control, enum elfs_control_verb verb,
                     struct elfs_error *err) {
    sqlite3_stmt *handle = control->statements[verb];
    struct elfs_guard *guard = &control->db->guard;
    guard->internal = true; /* SQLite may prepare the statement anew */
    int rc = sqlite3_step(handle);
    if (rc != SQLITE_DONE) elfs_sqlite_fail(err, control->db->handle);
    sqlite3_reset(handle);
    guard->internal = false;
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
