/* exec - see exec.h. */
#include "store/exec.h"

#include "base/alloc.h"
#include "store/bind.h"

/* One statement of a job under way. */
struct run {
    struct elfs_db *db;
    struct elfs_job *job;
    struct elfs_stmt *stmt;
    bool announced; /* its columns are known to the sink */
    int columns;
    struct elfs_summary summary;
};

static enum elfs_code fail_with(struct run *run, enum elfs_code code) {
    return elfs_fail(&run->job->error, code, "%s", elfs_code_text(code));
}

/* Only after the first step: SQLite may have prepared the statement anew, for a changed schema. */
static enum elfs_code announce(struct run *run) {
    run->announced = true;
    run->columns = sqlite3_column_count(run->stmt->handle);
    run->summary.has_columns = run->columns > 0;
    if (run->columns == 0) return ELFS_OK;
    size_t count = (size_t)run->columns;
    const char **names = elfs_calloc(count, sizeof *names);
    if (!names) return fail_with(run, ELFS_NOMEM);
    enum elfs_code code = ELFS_OK;
    for (int i = 0; i < run->columns; i++) {
        names[i] = sqlite3_column_name(run->stmt->handle, i);
        if (!names[i]) code = ELFS_NOMEM;
    }
    if (code == ELFS_OK) code = run->job->sink->columns(run->job->sink, count, names);
    elfs_free(names);
    return code == ELFS_OK ? ELFS_OK : fail_with(run, code);
}

/* ELFS_NOMEM when SQLite could not make the text or blob. */
static enum elfs_code read_column(sqlite3_stmt *handle, int i, struct elfs_value *value) {
    switch (sqlite3_column_type(handle, i)) {
    case SQLITE_INTEGER:
        *value = (struct elfs_value){ELFS_INTEGER, .integer = sqlite3_column_int64(handle, i)};
        return ELFS_OK;
    case SQLITE_FLOAT:
        *value = (struct elfs_value){ELFS_REAL, .real = sqlite3_column_double(handle, i)};
        return ELFS_OK;
    case SQLITE_TEXT:
        value->type = ELFS_TEXT;
        value->bytes.data = sqlite3_column_text(handle, i);
        if (!value->bytes.data) return ELFS_NOMEM;
        break;
    case SQLITE_BLOB:
        value->type = ELFS_BLOB;
        value->bytes.data = sqlite3_column_blob(handle, i);
        break;
    default: *value = (struct elfs_value){ELFS_NULL, .integer = 0}; return ELFS_OK;
    }
    value->bytes.len = (size_t)sqlite3_column_bytes(handle, i);
    return value->bytes.data || value->bytes.len == 0 ? ELFS_OK : ELFS_NOMEM;
}

static enum elfs_code push_row(struct run *run) {
    struct elfs_sink *sink = run->job->sink;
    enum elfs_code code = sink->row(sink, (size_t)run->columns);
    for (int i = 0; code == ELFS_OK && i < run->columns; i++) {
        struct elfs_value value;
        code = read_column(run->stmt->handle, i, &value);
        if (code == ELFS_OK) code = sink->value(sink, &value);
    }
    run->summary.num_rows++;
    return code == ELFS_OK ? ELFS_OK : fail_with(run, code);
}

static enum elfs_code step_fail(struct run *run) {
    struct elfs_db *db = run->db;
    bool interrupted = (sqlite3_errcode(db->handle) & 0xFF) == SQLITE_INTERRUPT;
    if (interrupted && db->watch.expired) return elfs_watch_fail(&db->watch, &run->job->error);
    return elfs_guard_fail(&db->guard, db->handle, &run->job->error);
}

static enum elfs_code step_all(struct run *run) {
    sqlite3 *handle = run->db->handle;
    sqlite3_int64 before = sqlite3_total_changes64(handle);
    enum elfs_code code = ELFS_OK;
    int rc;
    while ((rc = sqlite3_step(run->stmt->handle)) == SQLITE_ROW) {
        if (!run->announced) code = announce(run);
        if (code == ELFS_OK) code = push_row(run);
        if (code != ELFS_OK) return code;
    }
    if (rc != SQLITE_DONE) return step_fail(run);
    if (sqlite3_total_changes64(handle) != before) {
        /* Without the check it would be the changes of some statement before this one. */
        run->summary.changes += sqlite3_changes64(handle);
        if (run->stmt->inserts) run->summary.last_insert_rowid = sqlite3_last_insert_rowid(handle);
    }
    return run->announced ? ELFS_OK : announce(run);
}

static enum elfs_code run_set(struct run *run, const struct elfs_params *set) {
    struct elfs_watch *watch = &run->db->watch;
    /* Short statements never take enough steps for SQLite to ask the watch. */
    if (elfs_watch_expired(watch)) return elfs_watch_fail(watch, &run->job->error);
    elfs_guard_reset(&run->db->guard); /* functions may prepare SQL while the statement runs */
    enum elfs_code code = elfs_bind(run->stmt->handle, set, &run->job->error);
    if (code == ELFS_OK) code = step_all(run);
    sqlite3_reset(run->stmt->handle);
    return code;
}

/* A savepoint statement would meddle with the transaction of the job, or of the group. */
static bool savepoint_allowed(const struct elfs_job *job) {
    return job->tx && job->kind == ELFS_JOB_QUERY;
}

/* Runs a statement once for each set. MANY counts its failed set in job->failed_index. */
static enum elfs_code run_statement(struct run *run, struct elfs_view sql,
                                    const struct elfs_params *sets, size_t count) {
    struct elfs_job *job = run->job;
    struct elfs_watch *watch = &run->db->watch;
    enum elfs_code code = elfs_stmt_cache_get(&run->db->cache, sql, &run->stmt, &job->error);
    /* Newer versions of SQLite ask the watch while they prepare, too. */
    if (code != ELFS_OK) return watch->expired ? elfs_watch_fail(watch, &job->error) : code;
    if (run->stmt->savepoint && !savepoint_allowed(job)) {
        code = elfs_guard_fail_savepoint(&job->error);
    }
    for (size_t i = 0; code == ELFS_OK && i < count; i++) {
        if (job->kind == ELFS_JOB_MANY) job->failed_index = i + 1;
        code = run_set(run, &sets[i]);
    }
    if (code == ELFS_OK && !run->announced) code = announce(run);
    elfs_stmt_put(run->stmt);
    if (code != ELFS_OK) return code;
    if (!run->summary.has_columns) run->summary.num_rows = run->summary.changes;
    code = job->sink->done(job->sink, &run->summary);
    return code == ELFS_OK ? ELFS_OK : fail_with(run, code);
}

static enum elfs_code run_all(struct elfs_db *db, struct elfs_job *job) {
    const struct elfs_statement *statements = job->statements;
    if (job->kind == ELFS_JOB_MANY) {
        struct run run = {.db = db, .job = job};
        return run_statement(&run, statements[0].sql, job->sets, job->set_count);
    }
    int64_t rowid = 0;
    for (size_t i = 0; i < job->count; i++) {
        struct run run = {.db = db, .job = job, .summary.last_insert_rowid = rowid};
        if (job->kind == ELFS_JOB_TRANSACTION) job->failed_index = i + 1;
        enum elfs_code code = run_statement(&run, statements[i].sql, &statements[i].params, 1);
        if (code != ELFS_OK) return code;
        rowid = run.summary.last_insert_rowid;
    }
    return ELFS_OK;
}

/* Within the transaction that the job runs in, so that the schema cannot change any more. */
static enum elfs_code check_schema(struct elfs_db *db, struct elfs_job *job) {
    if (job->schema_version == 0) return ELFS_OK;
    bool same = sqlite3_step(db->schema_version) == SQLITE_ROW &&
                sqlite3_column_int64(db->schema_version, 0) == job->schema_version;
    sqlite3_reset(db->schema_version);
    if (same) return ELFS_OK;
    return elfs_fail(&job->error, ELFS_STALE_SCHEMA, "the schema has changed");
}

enum elfs_code elfs_exec_job(struct elfs_db *db, struct elfs_job *job) {
    /* Within an interactive transaction SQL's last_insert_rowid() is its own affair; anywhere else
     * the last insert was another client's. */
    if (!job->tx) sqlite3_set_last_insert_rowid(db->handle, 0);
    elfs_error_clear(&job->error);
    job->failed_index = 0;
    elfs_watch_start(&db->watch, job->timeout_ms, job->tx);
    enum elfs_code code = check_schema(db, job);
    if (code == ELFS_OK) code = run_all(db, job);
    elfs_watch_stop(&db->watch);
    if (code == ELFS_OK) job->failed_index = 0;
    return code;
}

enum elfs_code elfs_exec_reads_only(struct elfs_db *db, struct elfs_view sql, bool *reads,
                                    struct elfs_error *err) {
    struct elfs_stmt *stmt = NULL;
    *reads = false;
    enum elfs_code code = elfs_stmt_cache_get(&db->cache, sql, &stmt, err);
    if (code != ELFS_OK) return code;
    *reads = sqlite3_stmt_readonly(stmt->handle);
    elfs_stmt_put(stmt);
    return ELFS_OK;
}
