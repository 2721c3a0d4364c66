/* store_fixture - see store_fixture.h. */
#include "store_fixture.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "temp_dir.h"

#define PATIENCE_S 30

static void on_wake(void *arg) { sem_post(&((struct store_fixture *)arg)->woken); }

void fixture_start(struct store_fixture *f) {
    struct elfs_error err;
    enum elfs_code code = elfs_store_start(&f->config, &f->box, &f->store, &err);
    if (code != ELFS_OK) fail_msg("start: %s", err.message);
}

void fixture_stop(struct store_fixture *f) {
    elfs_store_stop(f->store);
    f->store = NULL;
    fixture_take(f);
}

void fixture_open(struct store_fixture *f) {
    memset(f, 0, sizeof *f);
    temp_dir_make(f->dir);
    snprintf(f->path, sizeof f->path, "%s/test.db", f->dir);
    elfs_store_config_default(&f->config);
    f->config.path = f->path;
    assert_int_equal(sem_init(&f->woken, 0, 0), 0);
    assert_int_equal(elfs_mailbox_init(&f->box, on_wake, f), ELFS_OK);
    fixture_start(f);
    fixture_query(f, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
}

void fixture_close(struct store_fixture *f) {
    if (f->store) fixture_stop(f);
    while (f->jobs) {
        struct test_job *j = f->jobs;
        f->jobs = j->next;
        assert_true(j->place != 0 || atomic_load(&j->job.stage) == ELFS_JOB_WAITING);
        collect_sink_fini(&j->out);
        free(j);
    }
    elfs_mailbox_fini(&f->box);
    sem_destroy(&f->woken);
    temp_dir_remove(f->dir);
}

struct elfs_value int_value(int64_t v) {
    return (struct elfs_value){ELFS_INTEGER, .integer = v};
}

struct elfs_value real_value(double v) {
    return (struct elfs_value){ELFS_REAL, .real = v};
}

struct elfs_value null_value(void) {
    return (struct elfs_value){ELFS_NULL, .integer = 0};
}

struct elfs_value text_value(const char *v) {
    return bytes_value(ELFS_TEXT, v, strlen(v));
}

struct elfs_value bytes_value(enum elfs_type type, const void *data, size_t len) {
    return (struct elfs_value){type, .bytes = {data, len}};
}

struct test_job *fixture_job(struct store_fixture *f, enum elfs_job_kind kind) {
    struct test_job *j = calloc(1, sizeof *j);
    assert_non_null(j);
    j->next = f->jobs;
    f->jobs = j;
    collect_sink_init(&j->out);
    elfs_list_init(&j->job.link);
    j->job.kind = kind;
    j->job.statements = j->statements;
    j->job.sets = j->sets;
    j->job.sink = &j->out.sink;
    j->job.timeout_ms = PATIENCE_S * 1000;
    j->job.cost = 100;
    return j;
}

void add_statement(struct test_job *j, const char *sql) {
    size_t i = j->job.count++;
    assert_true(i < TEST_STATEMENTS);
    j->statements[i].sql = elfs_view_str(sql);
    j->statements[i].params.items = j->params[i];
}

void add_set(struct test_job *j) {
    size_t i = j->job.set_count++;
    assert_true(i < TEST_STATEMENTS);
    j->sets[i].items = j->params[i];
}

void add_param(struct test_job *j, const char *name, struct elfs_value value) {
    bool many = j->job.kind == ELFS_JOB_MANY;
    size_t i = (many ? j->job.set_count : j->job.count) - 1;
    struct elfs_params *params = many ? &j->sets[i] : &j->statements[i].params;
    assert_true(params->count < TEST_PARAMS);
    struct elfs_view view = name ? elfs_view_str(name) : ELFS_VIEW_NONE;
    j->params[i][params->count++] = (struct elfs_param){view, value};
    params->named = name != NULL;
}

struct test_job *query_job(struct store_fixture *f, const char *sql) {
    struct test_job *j = fixture_job(f, ELFS_JOB_QUERY);
    add_statement(j, sql);
    return j;
}

struct test_job *tx_job(struct store_fixture *f, struct test_tx *tx, const char *sql) {
    struct test_job *j = query_job(f, sql);
    j->job.tx = &tx->tx;
    return j;
}

void fixture_submit_all(struct store_fixture *f, ...) {
    struct elfs_list jobs;
    struct test_job *j;
    va_list args;
    elfs_list_init(&jobs);
    va_start(args, f);
    while ((j = va_arg(args, struct test_job *))) {
        j->place = 0;
        elfs_list_push_back(&jobs, &j->job.link);
    }
    va_end(args);
    elfs_store_submit(f->store, &jobs);
    assert_true(elfs_list_empty(&jobs));
}

void fixture_submit(struct store_fixture *f, struct test_job *j) {
    fixture_submit_all(f, j, (struct test_job *)NULL);
}

void fixture_take(struct store_fixture *f) {
    struct elfs_list jobs;
    struct elfs_list ended;
    struct elfs_list *link;
    elfs_mailbox_take(&f->box, &jobs, &ended);
    while ((link = elfs_list_pop_front(&jobs))) {
        struct test_job *j = ELFS_CONTAINER_OF(link, struct test_job, job.link);
        assert_int_equal(j->place, 0); /* every job comes back once */
        j->place = ++f->places;
    }
    while ((link = elfs_list_pop_front(&ended))) {
        struct test_tx *tx = ELFS_CONTAINER_OF(link, struct test_tx, tx.link);
        assert_int_equal(tx->place, 0);
        tx->place = ++f->places;
    }
}

static void wait_for(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

void fixture_wait(struct store_fixture *f, struct test_job *j) {
    for (fixture_take(f); j->place == 0; fixture_take(f)) wait_for(&f->woken);
}

void fixture_run(struct store_fixture *f, struct test_job *j) {
    fixture_submit(f, j);
    fixture_wait(f, j);
}

void fixture_wait_tx(struct store_fixture *f, struct test_tx *tx) {
    for (fixture_take(f); tx->place == 0; fixture_take(f)) wait_for(&f->woken);
}

const char *fixture_query(struct store_fixture *f, const char *sql) {
    struct test_job *j = query_job(f, sql);
    fixture_run(f, j);
    if (j->job.outcome != ELFS_JOB_DONE) fail_msg("%s: %s", sql, j->job.error.message);
    return j->out.text;
}

void fixture_begin(struct store_fixture *f, struct test_tx *tx, int64_t idle_ms, int64_t total_ms) {
    memset(tx, 0, sizeof *tx);
    elfs_tx_init(&tx->tx, idle_ms, total_ms);
    struct test_job *j = fixture_job(f, ELFS_JOB_BEGIN);
    j->job.tx = &tx->tx;
    fixture_run(f, j);
    assert_done(j, "");
}

struct test_job *fixture_end(struct store_fixture *f, struct test_tx *tx, enum elfs_job_kind kind) {
    struct test_job *j = fixture_job(f, kind);
    j->job.tx = &tx->tx;
    fixture_run(f, j);
    fixture_wait_tx(f, tx);
    return j;
}

const char *fixture_read(struct store_fixture *f, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    const char *text = NULL;
    if (sqlite3_step(stmt) == SQLITE_ROW) text = (const char *)sqlite3_column_text(stmt, 0);
    snprintf(f->text, sizeof f->text, "%s", text ? text : "NULL");
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return f->text;
}

void assert_done(const struct test_job *j, const char *text) {
    assert_true(j->place != 0);
    if (j->job.outcome == ELFS_JOB_FAILED) fail_msg("failed: %s", j->job.error.message);
    assert_int_equal(j->job.outcome, ELFS_JOB_DONE);
    assert_string_equal(j->out.text, text);
}

void assert_failed(const struct test_job *j, enum elfs_code code, int sqlite_code,
                   const char *message) {
    assert_true(j->place != 0);
    assert_int_equal(j->job.outcome, ELFS_JOB_FAILED);
    if (!strstr(j->job.error.message, message)) {
        fail_msg("\"%s\" is not in \"%s\"", message, j->job.error.message);
    }
    assert_int_equal(j->job.error.code, code);
    assert_int_equal(j->job.error.sqlite_code, sqlite_code);
    assert_string_equal(j->out.text, "");
}

static void at_gate(void *arg) {
    struct test_gate *gate = arg;
    sem_post(&gate->reached);
    wait_for(&gate->open);
}

void gate_init(struct test_gate *gate, struct test_job *j) {
    assert_int_equal(sem_init(&gate->reached, 0, 0), 0);
    assert_int_equal(sem_init(&gate->open, 0, 0), 0);
    j->out.on_row = at_gate;
    j->out.arg = gate;
}

void gate_wait(struct test_gate *gate) { wait_for(&gate->reached); }

void gate_open(struct test_gate *gate) { sem_post(&gate->open); }

void gate_fini(struct test_gate *gate) {
    sem_destroy(&gate->reached);
    sem_destroy(&gate->open);
}
