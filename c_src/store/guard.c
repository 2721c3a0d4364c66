/* guard - see guard.h. */
#include "store/guard.h"

#include <stdarg.h>
#include <stdio.h>

#include "store/sql_text.h"
#include "store/sqlite_error.h"

/* argument: also with one, where it says what to look at, or sets what is harmless to set. */
static const struct {
    const char *name;
    bool argument;
} pragmas[] = {
    {"application_id", true},   {"collation_list", false}, {"compile_options", false},
    {"data_version", false},    {"encoding", false},       {"foreign_key_check", true},
    {"foreign_key_list", true}, {"foreign_keys", false},   {"freelist_count", false},
    {"function_list", false},   {"index_info", true},      {"index_list", true},
    {"index_xinfo", true},      {"integrity_check", true}, {"journal_mode", false},
    {"module_list", false},     {"page_count", false},     {"page_size", false},
    {"pragma_list", false},     {"quick_check", true},     {"schema_version", false},
    {"synchronous", false},     {"table_info", true},      {"table_list", true},
    {"table_xinfo", true},      {"user_version", true},
};

static int refuse(struct elfs_guard *guard, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct elfs_guard *guard, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(guard->reason, sizeof guard->reason, format, args);
    va_end(args);
    return SQLITE_DENY;
}

static int check_pragma(struct elfs_guard *guard, const char *name, const char *argument) {
    for (size_t i = 0; i < sizeof pragmas / sizeof *pragmas; i++) {
        if (sqlite3_stricmp(name, pragmas[i].name) != 0) continue;
        if (!argument || pragmas[i].argument) return SQLITE_OK;
        return refuse(guard,
                      "PRAGMA %s may be read, not set: the node decides how it uses the database",
                      pragmas[i].name);
    }
    return refuse(guard,
                  "PRAGMA %.64s is refused: only those that read, user_version and application_id "
                  "may be used; settings of the connection belong in the node's options",
                  name);
}

/* What is created is written into a schema's own table; ANALYZE writes there as well. A temporary object
 * would live on the connection that all share: it could hide a table of the same name from every other
 * client, and the reader would not see it. */
static int check_schema_write(struct elfs_guard *guard, const char *schema) {
    if (!schema || sqlite3_stricmp(schema, "temp") != 0) return SQLITE_OK;
    return refuse(guard, "TEMP tables, views, indexes and triggers are refused: requests share the "
                         "connection; use an ordinary table, or WITH");
}

/* That a request runs once rests on it. */
static bool is_ledger(const char *name) {
    return name && sqlite3_stricmp(name, "_ecto_litefs_requests") == 0;
}

static int on_action(void *arg, int action, const char *a, const char *b, const char *schema,
                     const char *trigger) {
    struct elfs_guard *guard = arg;
    if (guard->internal) return SQLITE_OK;
    if (action != SQLITE_READ && action != SQLITE_PRAGMA && (is_ledger(a) || is_ledger(b)))
        return refuse(guard, "the table _ecto_litefs_requests is the node's own: it may be read");
    switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return refuse(guard, "%s is refused: serve the other file as a repo of its own (--repo)",
                      action == SQLITE_ATTACH ? "ATTACH" : "DETACH");
    case SQLITE_TRANSACTION:
        return refuse(guard,
                      "%s is refused in SQL: call transaction, or begin, commit and rollback", a);
    case SQLITE_SAVEPOINT: guard->savepoint = true; return SQLITE_OK;
    case SQLITE_PRAGMA: return check_pragma(guard, a, b);
    case SQLITE_FUNCTION:
        /* fts3_tokenizer takes the address of code, even where it is switched off if the blob comes
         * from a parameter. */
        if (sqlite3_stricmp(b, "load_extension") != 0 &&
            sqlite3_stricmp(b, "fts3_tokenizer") != 0) {
            return SQLITE_OK;
        }
        return refuse(guard, "%s is refused: a node runs no code from its clients", b);
    case SQLITE_INSERT:
        if (sqlite3_strnicmp(a, "sqlite_", 7) == 0) return check_schema_write(guard, schema);
        if (!trigger) guard->inserts = true;
        return SQLITE_OK;
    default: return SQLITE_OK;
    }
}

void elfs_guard_install(struct elfs_guard *guard, sqlite3 *handle) {
    elfs_guard_reset(guard);
    guard->internal = true;
    sqlite3_set_authorizer(handle, on_action, guard);
}

void elfs_guard_reset(struct elfs_guard *guard) {
    guard->savepoint = false;
    guard->inserts = false;
    guard->reason[0] = '\0';
}

enum elfs_code elfs_guard_check_text(struct elfs_view sql, struct elfs_error *err) {
    if (!elfs_sql_word_is(elfs_sql_first_word(sql), "VACUUM")) return ELFS_OK;
    return elfs_fail(err, ELFS_UNSUPPORTED,
                     "VACUUM is refused: it cannot run in a transaction and rewrites the whole "
                     "file; use the sqlite3 shell on the primary's host at a quiet time");
}

enum elfs_code elfs_guard_fail_savepoint(struct elfs_error *err) {
    return elfs_fail(err, ELFS_UNSUPPORTED,
                     "SAVEPOINT, RELEASE and ROLLBACK TO are only for query inside an interactive "
                     "transaction: call begin first");
}

enum elfs_code elfs_guard_fail(const struct elfs_guard *guard, sqlite3 *handle,
                               struct elfs_error *err) {
    /* Whatever code SQLite makes of it: a function is refused with SQLITE_ERROR. */
    if (guard->reason[0]) return elfs_fail(err, ELFS_UNSUPPORTED, "%s", guard->reason);
    return elfs_sqlite_fail(err, handle);
}
