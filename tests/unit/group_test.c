/* group_test - jobs that share a transaction do not share their fate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_fixture.h"
#include <sqlite3.h>

static struct store_fixture f;

static int setup(void **state) {
    (void)state;
    fixture_open(&f);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_close(&f);
    return 0;
}

#define END ((struct test_job *)NULL)

/* The ids in t. */
static const char *ids(void) {
    return fixture_read(&f, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)");
}

static void a_failing_job_fails_alone(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a') RETURNING id");
    struct test_job *b = query_job(&f, "INSERT INTO t VALUES (1, 'b') RETURNING id");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c') RETURNING id");
    fixture_submit_all(&f, a, b, c, END);
    fixture_wait(&f, c);
    assert_done(a, "id[1]=1/1/1");
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "UNIQUE constraint failed: t.id");
    assert_done(c, "id[3]=1/1/3");
    assert_int_equal(b->place, a->place + 1);
    assert_int_equal(c->place, b->place + 1);
    assert_string_equal(ids(), "1,3");
}

/* What a job did before its failing statement is undone as well. */
static void a_failing_transaction_leaves_nothing(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a')");
    struct test_job *b = fixture_job(&f, ELFS_JOB_TRANSACTION);
    add_statement(b, "INSERT INTO t VALUES (2, 'b')");
    add_statement(b, "UPDATE t SET v = 'b'");
    add_statement(b, "INSERT INTO t VALUES (1, 'b')");
    struct test_job *fails = query_job(&f, "INSERT OR FAIL INTO t VALUES (7, 0), (8, 0), (1, 0)");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
    fixture_submit_all(&f, a, b, fails, c, END);
    fixture_wait(&f, c);
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_int_equal(b->job.failed_index, 3);
    assert_failed(fails, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_string_equal(ids(), "1,3");
    assert_string_equal(fixture_read(&f, "SELECT v FROM t WHERE id = 1"), "a");
}

/* Wherever it stands in the group, and also when it is the group. */
static void half_a_transaction_is_never_there(void **state) {
    (void)state;
    for (int at = 0; at < 4; at++) {
        struct test_job *jobs[3];
        for (int i = 0; i < 3; i++) {
            jobs[i] = fixture_job(&f, ELFS_JOB_TRANSACTION);
            add_statement(jobs[i], "INSERT INTO t(v) VALUES (1)");
            add_statement(jobs[i], i == at % 3 ? "INSERT INTO nowhere VALUES (1)"
                                               : "INSERT INTO t(v) VALUES (2)");
        }
        if (at < 3) {
            fixture_submit_all(&f, jobs[0], jobs[1], jobs[2], END);
        } else {
            for (int i = 0; i < 3; i++) fixture_run(&f, jobs[i]);
        }
        fixture_wait(&f, jobs[2]);
        assert_failed(jobs[at % 3], ELFS_SQLITE, SQLITE_ERROR, "no such table: nowhere");
        assert_string_equal(fixture_read(&f, "SELECT group_concat(v) FROM t"), "1,2,1,2");
        fixture_query(&f, "DELETE FROM t");
    }
}

static void a_rollback_by_sqlite_costs_one_job(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a') RETURNING id");
    struct test_job *b = query_job(&f, "INSERT INTO t VALUES (1, 'b')"); /* fails both times */
    struct test_job *c = query_job(&f, "INSERT OR ROLLBACK INTO t VALUES (1, 'c')");
    struct test_job *d = query_job(&f, "INSERT INTO t VALUES (4, 'd')");
    struct test_job *e = query_job(&f, "INSERT OR ROLLBACK INTO t VALUES (4, 'e')");
    fixture_submit_all(&f, a, b, c, d, e, END);
    fixture_wait(&f, e);
    assert_done(a, "id[1]=1/1/1");
    assert_int_equal(a->out.resets, 1); /* it ran twice, and its rows are there once */
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_failed(c, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_done(d, "=1/1/4");
    assert_failed(e, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_string_equal(ids(), "1,4");
}

static void raise_rollback_costs_one_job(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TRIGGER tr BEFORE INSERT ON t WHEN new.v = 'no' BEGIN "
                      "SELECT RAISE(ROLLBACK, 'not this one'); END");
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a')");
    struct test_job *b = query_job(&f, "INSERT INTO t VALUES (2, 'no')");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
    fixture_submit_all(&f, a, b, c, END);
    fixture_wait(&f, c);
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_TRIGGER, "not this one");
    assert_string_equal(ids(), "1,3");
}

/* total_changes() is not rolled back, so that `b` does something else when it runs again: it then
 * rolls everything back itself. `c`, which stands between it and the first culprit, must not be
 * forgotten over that, wherever `b` stands. */
static void second_run_rolls_back(const char *first_id, bool b_first) {
    char sql[160];
    char first[64];
    struct test_job *count = query_job(&f, "SELECT total_changes()");
    count->job.write = true;
    fixture_run(&f, count);
    int before = atoi(strchr(count->out.text, '[') + 1);
    snprintf(sql, sizeof sql,
             "INSERT OR ROLLBACK INTO t(id) SELECT iif(total_changes() > %d, 0, 100)",
             before + (b_first ? 0 : 1));
    snprintf(first, sizeof first, "INSERT INTO t VALUES (%s, 'a')", first_id);
    struct test_job *a = query_job(&f, first);
    struct test_job *b = query_job(&f, sql);
    struct test_job *c = query_job(&f, "INSERT INTO t(v) VALUES ('c') RETURNING v");
    struct test_job *d = query_job(&f, "INSERT OR ROLLBACK INTO t VALUES (0, 'd')");
    struct test_job *e = query_job(&f, "INSERT INTO t(v) VALUES ('e') RETURNING v");
    fixture_submit_all(&f, b_first ? b : a, b_first ? a : b, c, d, e, END);
    fixture_wait(&f, e);
    assert_int_equal(a->job.outcome, ELFS_JOB_DONE);
    assert_int_equal(a->out.resets, b_first ? 1 : 2);
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_int_equal(c->job.outcome, ELFS_JOB_DONE);
    assert_int_equal(c->out.resets, 1);
    assert_failed(d, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_int_equal(e->job.outcome, ELFS_JOB_DONE);
}

static void a_second_run_may_roll_back_too(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t VALUES (0, 'zero')");
    second_run_rolls_back("10", false);
    assert_string_equal(ids(), "0,10,11,12");
    second_run_rolls_back("20", true);
    assert_string_equal(ids(), "0,10,11,12,20,21,22");
}

static void an_interrupted_write_costs_one_job(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a')");
    struct test_job *b = query_job(&f, "INSERT INTO t(v) WITH RECURSIVE c(x) AS (SELECT 1 UNION "
                                       "ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 50");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
    b->job.timeout_ms = 20;
    fixture_submit_all(&f, a, b, c, END);
    fixture_wait(&f, c);
    assert_failed(b, ELFS_TIMEOUT, 0, "ran longer than 20 ms");
    assert_string_equal(ids(), "1,3");
}

static void a_deferred_foreign_key_fails_alone(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TABLE k(a REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED)");
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a')");
    struct test_job *b = query_job(&f, "INSERT INTO k VALUES (99)");
    struct test_job *c = fixture_job(&f, ELFS_JOB_TRANSACTION); /* settles it in time */
    add_statement(c, "INSERT INTO k VALUES (50)");
    add_statement(c, "INSERT INTO t VALUES (50, 'c')");
    fixture_submit_all(&f, a, b, c, END);
    fixture_wait(&f, c);
    assert_done(a, "=1/1/1");
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY constraint failed");
    assert_int_equal(c->job.outcome, ELFS_JOB_DONE);
    assert_string_equal(ids(), "1,50");
    assert_string_equal(fixture_read(&f, "SELECT group_concat(a) FROM k"), "50");
}

/* The rowid of the last insert is another client's. */
static void neighbours_do_not_leak(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (77, 'a')");
    struct test_job *b = query_job(&f, "UPDATE t SET v = last_insert_rowid()");
    fixture_submit_all(&f, a, b, END);
    fixture_wait(&f, b);
    assert_done(b, "=1/1/0");
    assert_string_equal(fixture_read(&f, "SELECT v FROM t"), "0");
}

static void small_groups_keep_the_order(void **state) {
    struct test_job *jobs[9];
    (void)state;
    fixture_stop(&f);
    f.config.batch.max_jobs = 2;
    f.config.batch.max_bytes = 350; /* a job is 100 bytes; the fourth is large */
    fixture_start(&f);
    for (int i = 0; i < 9; i++) {
        jobs[i] = query_job(&f, "INSERT INTO t(id) SELECT count(*) FROM t RETURNING id");
    }
    jobs[3]->job.cost = 100000;
    fixture_submit_all(&f, jobs[0], jobs[1], jobs[2], jobs[3], jobs[4], END);
    fixture_submit_all(&f, jobs[5], jobs[6], jobs[7], jobs[8], END);
    fixture_wait(&f, jobs[8]);
    for (int i = 0; i < 9; i++) {
        char text[32];
        snprintf(text, sizeof text, "id[%d]=1/1/%d", i, i);
        assert_done(jobs[i], text);
        assert_int_equal(jobs[i]->place, jobs[0]->place + i);
    }
}

static void a_cancelled_job_never_runs(void **state) {
    struct test_gate gate;
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a') RETURNING id");
    struct test_job *b = query_job(&f, "INSERT INTO t VALUES (2, 'b') RETURNING id");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c') RETURNING id");
    gate_init(&gate, a);
    fixture_submit(&f, a);
    gate_wait(&gate);
    fixture_submit_all(&f, b, c, END);
    assert_true(elfs_job_cancel(&b->job));
    assert_false(elfs_job_cancel(&a->job)); /* it runs */
    fixture_take(&f);
    assert_int_equal(a->place, 0);
    gate_open(&gate);
    fixture_wait(&f, c);
    assert_int_equal(a->job.outcome, ELFS_JOB_DONE);
    assert_true(b->place != 0);
    assert_int_equal(b->job.outcome, ELFS_JOB_DROPPED);
    assert_string_equal(b->out.text, "");
    assert_string_equal(ids(), "1,3");
    gate_fini(&gate);
}

/* Another program holds the write lock. The wait is once a group, not once a job. */
static void a_busy_database_fails_all(void **state) {
    sqlite3 *other = NULL;
    (void)state;
    fixture_stop(&f);
    f.config.busy_timeout_ms = 10;
    fixture_start(&f);
    assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a')");
    struct test_job *b = query_job(&f, "INSERT INTO t VALUES (2, 'b')");
    struct test_job *read = query_job(&f, "SELECT count(*) FROM t");
    fixture_submit_all(&f, a, b, read, END);
    fixture_wait(&f, b);
    fixture_wait(&f, read);
    assert_failed(a, ELFS_SQLITE, SQLITE_BUSY, "database is locked");
    assert_failed(b, ELFS_SQLITE, SQLITE_BUSY, "database is locked");
    assert_done(read, "count(*)[0]=1/0/0");
    struct test_tx tx = {.place = 0};
    elfs_tx_init(&tx.tx, 1000, 1000);
    struct test_job *begin = fixture_job(&f, ELFS_JOB_BEGIN);
    begin->job.tx = &tx.tx;
    fixture_run(&f, begin);
    assert_failed(begin, ELFS_SQLITE, SQLITE_BUSY, "database is locked");
    sqlite3_close(other);
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (3, 'c')"), "=1/1/3");
    assert_int_equal(tx.place, 0); /* a transaction that did not begin does not end */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failing_job_fails_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_transaction_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(half_a_transaction_is_never_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rollback_by_sqlite_costs_one_job, setup, teardown),
        cmocka_unit_test_setup_teardown(raise_rollback_costs_one_job, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_run_may_roll_back_too, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interrupted_write_costs_one_job, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deferred_foreign_key_fails_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(neighbours_do_not_leak, setup, teardown),
        cmocka_unit_test_setup_teardown(small_groups_keep_the_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_job_never_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_busy_database_fails_all, setup, teardown),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
