/* ledger - see ledger.h. */
#include "store/ledger.h"

#include "base/buf.h"
#include "store/sqlite_error.h"

#define TABLE "main._ecto_litefs_requests"
#define NOW_S "CAST(strftime('%s', 'now') AS INTEGER)"

/* So many rows are kept between two trims, each of which takes at most twice as many away: the
 * table shrinks when its limits do, and no request pays for much. */
#define TRIM_EVERY 64
#define TRIM_AT_MOST "128"

static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS " TABLE " (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
    " at INTEGER NOT NULL, result BLOB)";
static const char find_sql[] = "SELECT result FROM " TABLE " WHERE key = ?1";
static const char keep_sql[] = "INSERT INTO " TABLE " (key, at, result) VALUES (?1, " NOW_S ", ?2)";
/* SQLite writes no page for a row that stays as it is. */
static const char touch_sql[] = "UPDATE " TABLE " SET at = at + 1 WHERE key = ?1";
static const char trim_sql[] =
    "DELETE FROM " TABLE " WHERE id < (SELECT min(id) FROM " TABLE ") + " TRIM_AT_MOST
    " AND (at < " NOW_S " - ?1 OR id <= (SELECT max(id) FROM " TABLE ") - ?2)";

void elfs_ledger_init(struct elfs_ledger *ledger, struct elfs_db *db, int64_t keep_count,
                      int64_t keep_ms) {
    *ledger = (struct elfs_ledger){
        .db = db, .keep_count = keep_count, .keep_s = (keep_ms + 999) / 1000, .doubt = true};
}

void elfs_ledger_fini(struct elfs_ledger *ledger) {
    sqlite3_finalize(ledger->find);
    sqlite3_finalize(ledger->keep);
    sqlite3_finalize(ledger->touch);
    sqlite3_finalize(ledger->trim);
    ledger->find = ledger->keep = ledger->touch = ledger->trim = NULL;
}

void elfs_ledger_committed(struct elfs_ledger *ledger, enum elfs_verdict verdict, bool wrote) {
    if (verdict == ELFS_IN_DOUBT) ledger->doubt = true;
    if (verdict == ELFS_COMMITTED && wrote) ledger->doubt = false;
}

static enum elfs_code fail(struct elfs_ledger *ledger, struct elfs_job *job) {
    enum elfs_code code = elfs_sqlite_fail(&job->error, ledger->db->handle);
    elfs_error_prefix(&job->error, "the table of request keys");
    return code;
}

static bool prepare(struct elfs_ledger *ledger, const char *sql, sqlite3_stmt **stmt) {
    return sqlite3_prepare_v3(ledger->db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) ==
           SQLITE_OK;
}

static enum elfs_code open_table(struct elfs_ledger *ledger, struct elfs_job *job) {
    if (ledger->find) return ELFS_OK;
    if (sqlite3_exec(ledger->db->handle, make_sql, NULL, NULL, NULL) == SQLITE_OK &&
        prepare(ledger, find_sql, &ledger->find) && prepare(ledger, keep_sql, &ledger->keep) &&
        prepare(ledger, touch_sql, &ledger->touch) && prepare(ledger, trim_sql, &ledger->trim))
        return ELFS_OK;
    enum elfs_code code = fail(ledger, job);
    elfs_ledger_fini(ledger);
    return code;
}

static void bind_key(sqlite3_stmt *stmt, const struct elfs_job *job) {
    sqlite3_bind_blob64(stmt, 1, job->key.data, job->key.len, SQLITE_STATIC);
}

/* Steps to the key's row. The table may have gone with the transaction that made it: then anew. */
static int seek(struct elfs_ledger *ledger, struct elfs_job *job, enum elfs_code *code) {
    int rc = SQLITE_ERROR;
    for (int tries = 0; tries < 2 && rc == SQLITE_ERROR; tries++) {
        *code = open_table(ledger, job);
        if (*code != ELFS_OK) return rc;
        bind_key(ledger->find, job);
        rc = sqlite3_step(ledger->find);
        if (rc == SQLITE_ROW || rc == SQLITE_DONE) break;
        *code = fail(ledger, job);
        sqlite3_reset(ledger->find);
        if (rc == SQLITE_ERROR) elfs_ledger_fini(ledger);
    }
    return rc;
}

static enum elfs_code run(struct elfs_ledger *ledger, sqlite3_stmt *stmt, struct elfs_job *job) {
    int rc = sqlite3_step(stmt);
    enum elfs_code code = rc == SQLITE_DONE ? ELFS_OK : fail(ledger, job);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return code;
}

/* How many statements' results a job of this kind has. */
static size_t results_of(const struct elfs_job *job) {
    switch (job->kind) {
    case ELFS_JOB_QUERY:
    case ELFS_JOB_MANY: return 1;
    case ELFS_JOB_TRANSACTION: return job->count;
    default: return 0;
    }
}

static enum elfs_code take_result(struct elfs_ledger *ledger, struct elfs_job *job) {
    struct elfs_view bytes = {sqlite3_column_blob(ledger->find, 0),
                              (size_t)sqlite3_column_bytes(ledger->find, 0)};
    if (sqlite3_column_type(ledger->find, 0) == SQLITE_NULL)
        return elfs_fail(&job->error, ELFS_ABORTED,
                         "the request with this key was given up before it ran: use a new key");
    size_t wanted = results_of(job);
    enum elfs_code code = wanted == 0 ? ELFS_OK : job->sink->restore(job->sink, bytes, wanted);
    if (code == ELFS_BADARG || code == ELFS_MALFORMED)
        return elfs_fail(&job->error, ELFS_INVALID_OPTION,
                         "this key is another request's: a key stands for one request");
    return code == ELFS_OK ? code : elfs_fail(&job->error, code, "%s", elfs_code_text(code));
}

static enum elfs_code find(struct elfs_ledger *ledger, struct elfs_job *job, bool *found) {
    enum elfs_code code;
    int rc = seek(ledger, job, &code);
    *found = rc == SQLITE_ROW;
    if (*found) code = take_result(ledger, job);
    if (ledger->find) sqlite3_reset(ledger->find);
    if (!*found || !ledger->doubt || (code != ELFS_OK && code != ELFS_ABORTED)) return code;
    bind_key(ledger->touch, job);
    enum elfs_code touched = run(ledger, ledger->touch, job);
    return touched == ELFS_OK ? code : touched;
}

static enum elfs_code keep(struct elfs_ledger *ledger, struct elfs_job *job,
                           const struct elfs_buf *result) {
    enum elfs_code code = open_table(ledger, job);
    if (code != ELFS_OK) return code;
    bind_key(ledger->keep, job);
    if (result) sqlite3_bind_blob64(ledger->keep, 2, result->data, result->len, SQLITE_STATIC);
    code = run(ledger, ledger->keep, job);
    if (code != ELFS_OK || ++ledger->kept % TRIM_EVERY != 0) return code;
    sqlite3_bind_int64(ledger->trim, 1, ledger->keep_s);
    sqlite3_bind_int64(ledger->trim, 2, ledger->keep_count);
    return run(ledger, ledger->trim, job);
}

/* SQLite may prepare its statements anew at any step. */
static enum elfs_code internally(struct elfs_ledger *ledger,
                                 enum elfs_code (*step)(struct elfs_ledger *, struct elfs_job *,
                                                        bool *),
                                 struct elfs_job *job, bool *result) {
    ledger->db->guard.internal = true;
    enum elfs_code code = step(ledger, job, result);
    ledger->db->guard.internal = false;
    return code;
}

enum elfs_code elfs_ledger_find(struct elfs_ledger *ledger, struct elfs_job *job, bool *found) {
    return internally(ledger, find, job, found);
}

static enum elfs_code keep_result(struct elfs_ledger *ledger, struct elfs_job *job, bool *unused) {
    struct elfs_buf result;
    enum elfs_code code = ELFS_OK;
    (void)unused;
    elfs_buf_init(&result, SIZE_MAX);
    elfs_buf_put_u8(&result, 0); /* not NULL, whatever follows */
    if (results_of(job) > 0) {
        elfs_buf_truncate(&result, 0);
        code = job->sink->save(job->sink, &result);
    }
    if (code == ELFS_OK) code = result.status;
    code = code == ELFS_OK ? keep(ledger, job, &result)
                           : elfs_fail(&job->error, code, "%s", elfs_code_text(code));
    elfs_buf_fini(&result);
    return code;
}

enum elfs_code elfs_ledger_keep(struct elfs_ledger *ledger, struct elfs_job *job) {
    return internally(ledger, keep_result, job, NULL);
}

static enum elfs_code resolve(struct elfs_ledger *ledger, struct elfs_job *job, bool *committed) {
    enum elfs_code code = find(ledger, job, committed);
    if (code == ELFS_ABORTED) {
        *committed = false;
        elfs_error_clear(&job->error);
        return ELFS_OK;
    }
    return code == ELFS_OK && !*committed ? keep(ledger, job, NULL) : code;
}

enum elfs_code elfs_ledger_resolve(struct elfs_ledger *ledger, struct elfs_job *job,
                                   bool *committed) {
    return internally(ledger, resolve, job, committed);
}
