/* db - see db.h. */
#include "store/db.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "store/sqlite_error.h"

/* faccessat asks for the effective user, as open(2) does. */
static bool may(const char *path, int mode) {
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* SQLite tries several ways to open a file; the system's reason for the last says little. */
static const char *hint_for_path(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) + 1 : 1;
    snprintf(folder, sizeof folder, "%.*s", len, slash ? path : ".");
    if (!may(folder, F_OK)) return "its folder does not exist, or may not be entered: create it";
    if (!may(folder, W_OK | X_OK)) {
        return "this user may not write to its folder, where SQLite also makes -wal and -shm files";
    }
    if (may(path, F_OK) && !may(path, R_OK | W_OK)) return "this user may not write to it";
    return "check that it is an ordinary file";
}

static const char *hint_for(int rc, const char *path) {
    switch (rc & 0xFF) {
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return hint_for_path(path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return "give the path of an SQLite database, or of a file that does not exist yet";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another program keeps it locked: end that program, or wait for it";
    case SQLITE_NOMEM: return "there is not enough memory";
    default: return "check the disk and what is mounted there";
    }
}

/* SQLite's last error, with the path and what to do. */
static enum elfs_code open_fail(const struct elfs_db *db, const char *path,
                                struct elfs_error *err) {
    int rc = sqlite3_extended_errcode(db->handle);
    elfs_fail(err, ELFS_SQLITE, "cannot use the database %s: %s: %s", path,
              sqlite3_errmsg(db->handle), hint_for(rc, path));
    if (err) err->sqlite_code = rc;
    return ELFS_SQLITE;
}

/* What the connection may do, whatever the SQL says. TRUSTED_SCHEMA stays on: without it triggers
 * cannot keep an FTS5 index up to date (SQLite 3.40), which is ordinary use, and it would protect
 * nothing here, since we register no functions of our own and the guard refuses the harmful ones in
 * triggers and views as well. */
static void restrict_connection(sqlite3 *handle, int max_value) {
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, max_value);
}

static int keep_first_column(void *arg, int columns, char **values, char **names) {
    char *text = arg;
    (void)names;
    if (columns > 0 && values[0]) snprintf(text, 16, "%s", values[0]);
    return 0;
}

static enum elfs_code set_wal(struct elfs_db *db, const char *path, struct elfs_error *err) {
    char mode[16] = "";
    if (sqlite3_db_readonly(db->handle, "main") == 1) {
        return elfs_fail(err, ELFS_SYSTEM, "cannot use the database %s: it is read-only: %s", path,
                         hint_for(SQLITE_READONLY, path));
    }
    if (sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", keep_first_column, mode, NULL) !=
        SQLITE_OK) {
        return open_fail(db, path, err);
    }
    if (sqlite3_stricmp(mode, "wal") == 0) return ELFS_OK;
    return elfs_fail(err, ELFS_SYSTEM,
                     "cannot use the database %s: its journal mode stays '%s' instead of 'wal': "
                     "give a file on a local disk, or on LiteFS",
                     path, mode);
}

/* In place of SQLite's own hook, which makes its checkpoints. */
static int on_commit_to_wal(void *arg, sqlite3 *handle, const char *schema, int pages) {
    struct elfs_db *db = arg;
    db->wrote = true;
    if (db->checkpoint) elfs_checkpoint_after_commit(db->checkpoint, handle, schema, pages);
    return SQLITE_OK; /* the commit has happened, whatever the checkpoint said */
}

static enum elfs_code configure(struct elfs_db *db, const struct elfs_store_config *config,
                                enum elfs_db_role role, struct elfs_error *err) {
    enum elfs_code code = ELFS_OK;
    const char *synchronous = config->synchronous == ELFS_SYNC_FULL ? "PRAGMA synchronous=FULL"
                                                                    : "PRAGMA synchronous=NORMAL";
    sqlite3_busy_timeout(db->handle, config->busy_timeout_ms);
    if (role == ELFS_DB_WRITER) code = set_wal(db, config->path, err);
    if (code != ELFS_OK) return code;
    if (role == ELFS_DB_WRITER) sqlite3_wal_hook(db->handle, on_commit_to_wal, db);
    if (sqlite3_exec(db->handle, synchronous, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db->handle, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL) !=
            SQLITE_OK) {
        return open_fail(db, config->path, err);
    }
    return ELFS_OK;
}

enum elfs_code elfs_db_open(struct elfs_db *db, const struct elfs_store_config *config,
                            enum elfs_db_role role, struct elfs_error *err) {
    int flags = SQLITE_OPEN_NOMUTEX;
    flags |=
        role == ELFS_DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    enum elfs_code code = ELFS_OK;
    *db = (struct elfs_db){.checkpoint = config->checkpoint};
    if (sqlite3_open_v2(config->path, &db->handle, flags, config->vfs) != SQLITE_OK) {
        code = open_fail(db, config->path, err);
        goto close;
    }
    restrict_connection(db->handle, config->max_value);
    elfs_guard_install(&db->guard, db->handle);
    elfs_watch_install(&db->watch, db->handle);
    code = configure(db, config, role, err);
    if (code != ELFS_OK) goto close;
    if (sqlite3_prepare_v3(db->handle, "PRAGMA schema_version", -1, SQLITE_PREPARE_PERSISTENT,
                           &db->schema_version, NULL) != SQLITE_OK ||
        sqlite3_prepare_v3(db->handle, "PRAGMA data_version", -1, SQLITE_PREPARE_PERSISTENT,
                           &db->data_version, NULL) != SQLITE_OK) {
        code = open_fail(db, config->path, err);
        goto close;
    }
    size_t capacity = config->statement_cache > 0 ? (size_t)config->statement_cache : 1;
    code = elfs_stmt_cache_init(&db->cache, db->handle, &db->guard, capacity);
    if (code == ELFS_OK) return ELFS_OK;
    elfs_fail(err, code, "out of memory");

close:
    sqlite3_finalize(db->schema_version);
    sqlite3_finalize(db->data_version);
    sqlite3_close(db->handle);
    return code;
}

void elfs_db_follow(struct elfs_db *db, const struct elfs_fence *fence) {
    uint64_t turn = fence ? fence->turn(fence) : db->turn;
    if (turn == db->turn) return;
    db->turn = turn;
    db->guard.internal = true;
    sqlite3_exec(db->handle, "PRAGMA writable_schema=RESET", NULL, NULL, NULL);
    db->guard.internal = false;
}

void elfs_db_close(struct elfs_db *db) {
    elfs_stmt_cache_fini(&db->cache);
    sqlite3_finalize(db->schema_version);
    sqlite3_finalize(db->data_version);
    sqlite3_close(db->handle);
}
