/* sqlite_error - see sqlite_error.h. */
#include "store/sqlite_error.h"

enum elfs_code elfs_sqlite_fail(struct elfs_error *err, sqlite3 *handle) {
    elfs_fail(err, ELFS_SQLITE, "%s", sqlite3_errmsg(handle));
    if (err) err->sqlite_code = sqlite3_extended_errcode(handle);
    return ELFS_SQLITE;
}
