/* guard - refuses what a job may not do in SQL, with a sentence that says what to do instead.
 *
 * An SQLite authorizer, so it sees what a statement does and not how it is written, also in views
 * and triggers; VACUUM alone is known by its first word. SQLite's own answer would be "not
 * authorized"; the guard keeps the reason and elfs_guard_fail turns it into ELFS_UNSUPPORTED.
 * Internal.
 */
#ifndef ELFS_STORE_GUARD_H
#define ELFS_STORE_GUARD_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/view.h"

struct elfs_guard {
    bool internal; /* the store itself prepares or runs something: everything is allowed */
    /* what the statements prepared since elfs_guard_reset do */
    bool savepoint; /* SAVEPOINT, RELEASE or ROLLBACK TO */
    bool inserts;   /* INSERT of its own, not by a trigger */
    char reason[256];
};

/* Installs the guard, which must outlive the connection, with `internal` set. */
void elfs_guard_install(struct elfs_guard *guard, sqlite3 *handle);

void elfs_guard_reset(struct elfs_guard *guard);

/* What needs no SQLite to be refused: VACUUM. */
enum elfs_code elfs_guard_check_text(struct elfs_view sql, struct elfs_error *err);

/* The error of a savepoint statement outside an interactive transaction. */
enum elfs_code elfs_guard_fail_savepoint(struct elfs_error *err);

/* The connection's last error: ELFS_UNSUPPORTED with the guard's reason, or ELFS_SQLITE. */
enum elfs_code elfs_guard_fail(const struct elfs_guard *guard, sqlite3 *handle,
                               struct elfs_error *err);

#endif
