/* prop_database - see prop_database.h. Each case is one transaction that is rolled back in the end;
 * each call has a savepoint of its own, as in a group of the writer's. */
#include "prop_database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/exec.h"
#include "temp_dir.h"

void prop_database_open(struct prop_database *d) {
    struct elfs_store_config config;
    struct elfs_error err;
    temp_dir_make(d->dir);
    snprintf(d->path, sizeof d->path, "%s/db", d->dir);
    elfs_store_config_default(&config);
    config.path = d->path;
    config.synchronous = ELFS_SYNC_NORMAL;
    assert_int_equal(elfs_db_open(&d->db, &config, ELFS_DB_WRITER, &err), ELFS_OK);
}

void prop_database_close(struct prop_database *d) {
    elfs_db_close(&d->db);
    temp_dir_remove(d->dir);
}

/* SQL of our own, which the guard lets pass. */
static void run_sql(struct prop_database *d, const char *sql) {
    d->db.guard.internal = true;
    if (sqlite3_exec(d->db.handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(d->db.handle));
    d->db.guard.internal = false;
}

void prop_database_begin(struct prop_database *d, const struct prop_schema *schema) {
    run_sql(d, "BEGIN");
    run_sql(d, schema->create);
}

void prop_database_end(struct prop_database *d) { run_sql(d, "ROLLBACK"); }

/* The job as the node makes it of a plan. */
static enum elfs_code run_plan(struct prop_database *d, struct ecto_run *run,
                               struct elfs_result *result, struct elfs_job *job) {
    *job = (struct elfs_job){
        .kind = run->plan.set_count > 0 ? ELFS_JOB_MANY : ELFS_JOB_QUERY,
        .write = true,
        .statements = &run->plan.statement,
        .count = 1,
        .sets = run->plan.sets,
        .set_count = run->plan.set_count,
        .timeout_ms = 30000,
        .sink = &result->sink,
    };
    run_sql(d, "SAVEPOINT call");
    enum elfs_code code = elfs_exec_job(&d->db, job);
    run_sql(d, code == ELFS_OK ? "RELEASE call" : "ROLLBACK TO call; RELEASE call");
    return code;
}

void prop_database_call(struct prop_database *d, const struct prop_schema *schema,
                        const struct prop_call *call, struct ecto_run *run) {
    struct elfs_ecto_outcome outcome = {0};
    struct elfs_result result;
    struct elfs_job job;
    ecto_init(run, schema->columns);
    /* A source's name names no schema that could be asked. */
    bool bare = call->kind == PROP_INSERT_ALL && call->source == PROP_SOURCE_NAME;
    if (!bare) memcpy(run->answers, schema->answers, sizeof schema->answers);
    run->now_us = call->now_us;
    run->random = (uint8_t)(call->random - 0x10); /* ecto_run counts from there */
    ecto_plan(run, call->function, call->args);
    if (run->code != ELFS_OK) return;
    elfs_result_init(&result, 1 << 20);
    if (run->plan.run) {
        bool done = run_plan(d, run, &result, &job) == ELFS_OK;
        outcome = done ? (struct elfs_ecto_outcome){.result = &result}
                       : (struct elfs_ecto_outcome){.error = &job.error};
    }
    ecto_answer(run, &outcome);
    elfs_result_fini(&result);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *join(struct elfs_arena *arena, const char **lines, size_t count) {
    struct prop_list list;
    qsort(lines, count, sizeof *lines, compare);
    prop_list_init(&list, arena, "\n");
    for (size_t i = 0; i < count; i++) prop_list_add(&list, "%s", lines[i]);
    return list.text;
}

/* A column, in what SQLite's typeof calls it. */
static const char *cell_text(sqlite3_stmt *stmt, struct elfs_arena *arena, int column) {
    const char *class = (const char *)sqlite3_column_text(stmt, column);
    int value = column + 1;
    if (strcmp(class, "null") == 0) return "null";
    if (strcmp(class, "integer") == 0)
        return prop_text(arena, "integer %lld", (long long)sqlite3_column_int64(stmt, value));
    if (strcmp(class, "real") == 0)
        return prop_text(arena, "real %.17g", sqlite3_column_double(stmt, value));
    const void *bytes = sqlite3_column_blob(stmt, value);
    return prop_stored(arena, class, bytes, (size_t)sqlite3_column_bytes(stmt, value));
}

const char *prop_database_text(struct prop_database *d, const struct prop_schema *schema,
                               struct elfs_arena *arena) {
    struct prop_list columns, row;
    const char *lines[PROP_ROWS + 1];
    sqlite3_stmt *stmt;
    size_t count = 0;
    int width = 0;
    prop_list_init(&columns, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        const char *source = schema->fields[i].source;
        if (source) prop_list_add(&columns, "typeof(\"%s\"), \"%s\"", source, source);
        width += source ? 2 : 0;
    }
    const char *sql = prop_text(arena, "SELECT %s FROM " PROP_TABLE, columns.text);
    assert_int_equal(sqlite3_prepare_v2(d->db.handle, sql, -1, &stmt, NULL), SQLITE_OK);
    for (; sqlite3_step(stmt) == SQLITE_ROW; count++) {
        assert_true(count <= PROP_ROWS);
        prop_list_init(&row, arena, " | ");
        for (int i = 0; i < width; i += 2) prop_list_add(&row, "%s", cell_text(stmt, arena, i));
        lines[count] = row.text;
    }
    sqlite3_finalize(stmt);
    return join(arena, lines, count);
}

const char *prop_table_text(const struct prop_schema *schema, struct elfs_arena *arena,
                            const struct prop_table *table) {
    const char *lines[PROP_ROWS];
    for (size_t r = 0; r < table->count; r++) {
        struct prop_list row;
        prop_list_init(&row, arena, " | ");
        for (size_t i = 0; i < schema->count; i++) {
            if (schema->fields[i].source) prop_list_add(&row, "%s", table->rows[r].cells[i].stored);
        }
        lines[r] = row.text;
    }
    return join(arena, lines, table->count);
}
