/* tracker_row - see tracker_row.h. */
#include "store/tracker_row.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/dead_mount.h"
#include "store/patience.h"

#define BUSY_TIMEOUT_MS 50
/* SQLite's own pauses are not in the busy timeout: where this process has the database of a dead LiteFS
 * open as well, it would try for ten seconds. */
#define PATIENCE_US 100000

/* A letter, a digit, or one of the others. */
static bool is_name_byte(uint8_t c, const char *others) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(others, c));
}

bool elfs_is_node_name(struct elfs_view name) {
    size_t at = 0;
    if (name.len >= ELFS_TRACKER_NODE_SIZE) return false;
    while (at < name.len && is_name_byte(name.data[at], "_-")) at++;
    if (at == 0 || at + 1 >= name.len || name.data[at] != '@') return false;
    for (size_t i = at + 1; i < name.len; i++) {
        if (!is_name_byte(name.data[i], "._-:")) return false;
    }
    return true;
}

static enum elfs_code fail_sqlite(struct elfs_error *err, sqlite3 *db, const char *path) {
    int rc = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    elfs_fail(err, ELFS_SQLITE, "%s: %s", path, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
    if (err) err->sqlite_code = rc;
    return ELFS_SQLITE;
}

/* The row that the statement stands on. */
static enum elfs_code take_row(sqlite3_stmt *stmt, char node[ELFS_TRACKER_NODE_SIZE],
                               int64_t *updated_at, struct elfs_error *err) {
    if (sqlite3_column_type(stmt, 0) != SQLITE_TEXT ||
        sqlite3_column_type(stmt, 1) != SQLITE_INTEGER)
        return elfs_fail(err, ELFS_MALFORMED, "the tracker row has values of other types");
    struct elfs_view name = {sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0)};
    if (!name.data) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    if (!elfs_is_node_name(name))
        return elfs_fail(err, ELFS_MALFORMED, "the tracker row holds no node name");
    memcpy(node, name.data, name.len);
    node[name.len] = '\0';
    *updated_at = sqlite3_column_int64(stmt, 1);
    return ELFS_OK;
}

static enum elfs_code select_row(sqlite3 *db, const char *path, const char *table,
                                 char node[ELFS_TRACKER_NODE_SIZE], int64_t *updated_at,
                                 struct elfs_error *err) {
    sqlite3_stmt *stmt = NULL;
    enum elfs_code code;
    char *sql =
        sqlite3_mprintf("SELECT node_name, updated_at FROM main.\"%w\" WHERE id = 1", table);
    if (!sql) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        code = fail_sqlite(err, db, path);
        /* the table is there: it is another one's */
        if (sqlite3_errcode(db) == SQLITE_ERROR) code = ELFS_MALFORMED;
        goto out;
    }
    switch (sqlite3_step(stmt)) {
    case SQLITE_ROW: code = take_row(stmt, node, updated_at, err); break;
    case SQLITE_DONE: code = ELFS_OK; break;
    default: code = fail_sqlite(err, db, path); break;
    }
out:
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    return code;
}

/* SQLITE_OK, SQLITE_ERROR (no such table) or another code: the first thing that reads the file. */
static int find_table(sqlite3 *db, const char *table) {
    return sqlite3_table_column_metadata(db, "main", table, NULL, NULL, NULL, NULL, NULL, NULL);
}

enum elfs_code elfs_tracker_row_read(const char *path, const char *table,
                                     char node[ELFS_TRACKER_NODE_SIZE], int64_t *updated_at,
                                     struct elfs_error *err) {
    enum elfs_code code = ELFS_OK;
    struct stat st;
    struct elfs_patience patience;
    sqlite3 *db = NULL;
    node[0] = '\0';
    *updated_at = 0;
    if (stat(path, &st) != 0) return ELFS_OK;
    if (!S_ISREG(st.st_mode)) return elfs_fail(err, ELFS_MALFORMED, "%s is no file", path);
    code = elfs_patience_init(&patience, PATIENCE_US, err);
    if (code != ELFS_OK) return code;
    int folder = elfs_dead_mount_folder(path);
    int before = elfs_dead_mount_enter(folder);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, patience.name) !=
        SQLITE_OK) {
        code = fail_sqlite(err, db, path);
        goto out;
    }
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    switch (find_table(db, table)) {
    case SQLITE_OK: code = select_row(db, path, table, node, updated_at, err); break;
    case SQLITE_ERROR: break;
    default: code = fail_sqlite(err, db, path); break;
    }
out:
    sqlite3_close(db);
    elfs_dead_mount_enter(before);
    if (folder >= 0) close(folder);
    elfs_patience_fini(&patience);
    return code;
}
