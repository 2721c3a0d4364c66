/* sqlite_error - SQLite's last error as ours. Internal. */
#ifndef ELFS_STORE_SQLITE_ERROR_H
#define ELFS_STORE_SQLITE_ERROR_H

#include <sqlite3.h>

#include "base/error.h"

/* ELFS_SQLITE with the connection's extended result code and message. */
enum elfs_code elfs_sqlite_fail(struct elfs_error *err, sqlite3 *handle);

#endif
