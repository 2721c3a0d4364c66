/* bind - parameters into a prepared statement. Internal. */
#ifndef ELFS_STORE_BIND_H
#define ELFS_STORE_BIND_H

#include <sqlite3.h>

#include "base/error.h"
#include "base/value.h"

/* Binds the parameters; texts and blobs are not copied and must outlive the run.
 * ELFS_INVALID_PARAMETER: their number or names are not the statement's; ELFS_NOMEM, ELFS_SQLITE.
 */
enum elfs_code elfs_bind(sqlite3_stmt *handle, const struct elfs_params *params,
                         struct elfs_error *err);

#endif
