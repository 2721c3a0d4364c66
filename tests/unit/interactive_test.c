/* interactive_test - interactive transactions: their ends, their deadlines, who waits for them. */
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

#define LONG_MS 30000
#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "

static struct test_tx tx;

static const char *ids(void) {
    return fixture_read(&f, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)");
}

/* Runs SQL inside the transaction. */
static struct test_job *run(const char *sql) {
    struct test_job *j = tx_job(&f, &tx, sql);
    fixture_run(&f, j);
    return j;
}

static void commits(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    assert_done(run("INSERT INTO t VALUES (1, 'a') RETURNING id"), "id[1]=1/1/1");
    assert_done(run("SELECT v FROM t"), "v['a']=1/0/0"); /* sees its own writes */
    assert_string_equal(ids(), "NULL");
    struct test_job *commit = fixture_end(&f, &tx, ELFS_JOB_COMMIT);
    assert_done(commit, "");
    assert_int_equal(tx.tx.end, ELFS_TX_COMMITTED);
    assert_int_equal(tx.place, commit->place + 1); /* the job first, then the end */
    assert_string_equal(ids(), "1");
    assert_failed(run("INSERT INTO t VALUES (2, 'b')"), ELFS_NO_TRANSACTION, 0,
                  "the transaction has ended: it was committed");
    assert_string_equal(ids(), "1");
}

static void rolls_back(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    assert_done(fixture_end(&f, &tx, ELFS_JOB_ROLLBACK), "");
    assert_int_equal(tx.tx.end, ELFS_TX_ROLLED_BACK);
    assert_string_equal(ids(), "NULL");
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (2, 'b')"), "=1/1/2");
}

static void a_failing_statement_is_undone_alone(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    assert_failed(run("INSERT INTO t VALUES (2, 'b'), (1, 'b')"), ELFS_SQLITE,
                  SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    struct test_job *j = fixture_job(&f, ELFS_JOB_TRANSACTION);
    j->job.tx = &tx.tx;
    add_statement(j, "INSERT INTO t VALUES (3, 'c')");
    add_statement(j, "INSERT INTO t VALUES (1, 'c')");
    fixture_run(&f, j);
    assert_failed(j, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_int_equal(j->job.failed_index, 2);
    j = fixture_job(&f, ELFS_JOB_MANY);
    j->job.tx = &tx.tx;
    add_statement(j, "INSERT INTO t(id) VALUES (?)");
    for (int i = 5; i > 0; i -= 4) {
        add_set(j);
        add_param(j, NULL, int_value(i));
    }
    fixture_run(&f, j);
    assert_int_equal(j->job.failed_index, 2);
    j = tx_job(&f, &tx, "INSERT INTO t VALUES (6, 'f') RETURNING id");
    j->out.row_code = ELFS_RESULT_TOO_BIG;
    fixture_run(&f, j);
    assert_failed(j, ELFS_RESULT_TOO_BIG, 0, "larger than the limit");
    assert_done(run("INSERT INTO t VALUES (7, 'g')"), "=1/1/7");
    assert_done(fixture_end(&f, &tx, ELFS_JOB_COMMIT), "");
    assert_string_equal(ids(), "1,7");
}

static void savepoints_inside(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    assert_done(run("SAVEPOINT a"), "=0/0/0");
    run("INSERT INTO t VALUES (2, 'b')");
    assert_done(run("ROLLBACK TO a"), "=0/0/0");
    run("INSERT INTO t VALUES (3, 'c')");
    assert_done(run("RELEASE a"), "=0/0/0");
    assert_failed(run("RELEASE a"), ELFS_SQLITE, SQLITE_ERROR, "no such savepoint: a");
    /* Now in the cache, which must not smuggle it anywhere else. */
    struct test_job *j = query_job(&f, "SAVEPOINT a");
    struct test_job *inside = fixture_job(&f, ELFS_JOB_TRANSACTION);
    inside->job.tx = &tx.tx;
    add_statement(inside, "SAVEPOINT a");
    fixture_run(&f, inside);
    assert_failed(inside, ELFS_UNSUPPORTED, 0, "only for query inside an interactive transaction");
    assert_failed(run("COMMIT"), ELFS_UNSUPPORTED, 0, "COMMIT is refused");
    assert_done(fixture_end(&f, &tx, ELFS_JOB_COMMIT), "");
    fixture_run(&f, j);
    assert_failed(j, ELFS_UNSUPPORTED, 0, "only for query inside an interactive transaction");
    assert_string_equal(ids(), "1,3");
}

/* As in SQLite, the rowid lives on in SQL; a request that inserts nothing reports none. */
static void last_insert_rowid_inside(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (41, 'a')");
    assert_done(run("UPDATE t SET v = last_insert_rowid()"), "=1/1/0");
    assert_done(run("INSERT INTO t SELECT last_insert_rowid() + 1, 'b'"), "=1/1/42");
    fixture_end(&f, &tx, ELFS_JOB_COMMIT);
    assert_string_equal(ids(), "41,42");
}

static void ends_when_idle(void **state) {
    (void)state;
    fixture_begin(&f, &tx, 20, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_IDLE);
    assert_failed(run("SELECT 1"), ELFS_NO_TRANSACTION, 0, "its idle deadline passed");
    assert_string_equal(ids(), "NULL");
}

static void ends_at_its_total_deadline(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, 30);
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_TOTAL);
    /* It also interrupts what runs. */
    fixture_begin(&f, &tx, LONG_MS, 30);
    struct test_job *j = run(ENDLESS "INSERT INTO t(v) SELECT x FROM c WHERE x < 0");
    assert_failed(j, ELFS_NO_TRANSACTION, 0, "its total deadline passed");
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_TOTAL);
    fixture_begin(&f, &tx, LONG_MS, 30);
    j = run(ENDLESS "SELECT count(*) FROM c");
    assert_failed(j, ELFS_NO_TRANSACTION, 0, "its total deadline passed");
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_TOTAL);
}

static void ends_when_aborted(void **state) {
    struct test_gate gate;
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    assert_string_equal(ids(), "NULL"); /* meanwhile the writer has come to rest */
    elfs_store_abort_tx(f.store, &tx.tx);
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_ABORTED);
    assert_string_equal(ids(), "NULL");

    /* A statement that runs is interrupted; what waits behind it is not started. */
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    struct test_job *runs = tx_job(&f, &tx, ENDLESS "SELECT x FROM c WHERE x = 1 OR x < 0");
    struct test_job *waits = tx_job(&f, &tx, "INSERT INTO t VALUES (2, 'b')");
    gate_init(&gate, runs);
    fixture_submit_all(&f, runs, waits, (struct test_job *)NULL);
    gate_wait(&gate);
    gate_open(&gate);
    elfs_store_abort_tx(f.store, &tx.tx);
    fixture_wait_tx(&f, &tx);
    assert_failed(runs, ELFS_NO_TRANSACTION, 0, "it was aborted");
    assert_failed(waits, ELFS_NO_TRANSACTION, 0, "it was aborted");
    assert_true(runs->place < waits->place && waits->place < tx.place);
    elfs_store_abort_tx(f.store, &tx.tx); /* harmless */
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (3, 'c')"), "=1/1/3");
    assert_string_equal(ids(), "3");
    gate_fini(&gate);
}

static void ends_by_sqlite(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    assert_failed(run("INSERT OR ROLLBACK INTO t VALUES (1, 'b')"), ELFS_SQLITE,
                  SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_BY_SQLITE);
    /* Outside, this would be a write of its own. */
    assert_failed(run("INSERT INTO t VALUES (2, 'b')"), ELFS_NO_TRANSACTION, 0,
                  "SQLite rolled it back");
    assert_string_equal(ids(), "NULL");

    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    struct test_job *j = tx_job(&f, &tx, ENDLESS "INSERT INTO t(v) SELECT x FROM c WHERE x < 0");
    j->job.timeout_ms = 20;
    fixture_run(&f, j);
    assert_failed(j, ELFS_TIMEOUT, 0, "ran longer than 20 ms");
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_BY_SQLITE);
}

static void a_commit_that_fails_rolls_back(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TABLE k(a REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED)");
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    assert_done(run("INSERT INTO k VALUES (9)"), "=1/1/1"); /* open until COMMIT */
    struct test_job *commit = fixture_end(&f, &tx, ELFS_JOB_COMMIT);
    assert_failed(commit, ELFS_SQLITE, SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY");
    assert_int_equal(tx.tx.end, ELFS_TX_COMMIT_FAILED);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM k"), "0");
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (2, 'b')"), "=1/1/2");
}

static void others_wait_in_order(void **state) {
    struct test_tx second = {.place = 0};
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    struct test_job *before = query_job(&f, "INSERT INTO t(v) VALUES ('before')");
    struct test_job *begin = fixture_job(&f, ELFS_JOB_BEGIN);
    struct test_job *after = query_job(&f, "INSERT INTO t(v) VALUES ('after')");
    elfs_tx_init(&second.tx, LONG_MS, LONG_MS);
    begin->job.tx = &second.tx;
    fixture_submit_all(&f, before, begin, after, (struct test_job *)NULL);
    assert_done(run("INSERT INTO t(v) VALUES ('first')"), "=1/1/1");
    assert_string_equal(fixture_query(&f, "SELECT count(*) FROM t"), "count(*)[0]=1/0/0");
    assert_int_equal(before->place, 0); /* readers do not wait, writers do */
    fixture_end(&f, &tx, ELFS_JOB_COMMIT);
    fixture_wait(&f, begin);
    assert_int_equal(begin->job.outcome, ELFS_JOB_DONE);
    assert_true(before->place != 0 && before->place < begin->place);
    assert_failed(run("INSERT INTO t(v) VALUES ('late')"), ELFS_NO_TRANSACTION, 0,
                  "it was committed"); /* while the second one is open */
    assert_int_equal(after->place, 0);
    fixture_end(&f, &second, ELFS_JOB_COMMIT);
    fixture_wait(&f, after);
    assert_string_equal(fixture_read(&f, "SELECT group_concat(v) FROM t"), "first,before,after");
}

static void cancelled_jobs_are_dropped(void **state) {
    (void)state;
    struct test_job *begin = fixture_job(&f, ELFS_JOB_BEGIN);
    memset(&tx, 0, sizeof tx);
    elfs_tx_init(&tx.tx, LONG_MS, LONG_MS);
    begin->job.tx = &tx.tx;
    elfs_job_cancel(&begin->job);
    fixture_run(&f, begin);
    assert_int_equal(begin->job.outcome, ELFS_JOB_DROPPED);
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (1, 'a')"), "=1/1/1");
    assert_int_equal(tx.place, 0);

    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    struct test_job *j = tx_job(&f, &tx, "INSERT INTO t VALUES (2, 'b')");
    elfs_job_cancel(&j->job);
    fixture_run(&f, j);
    assert_int_equal(j->job.outcome, ELFS_JOB_DROPPED);
    fixture_end(&f, &tx, ELFS_JOB_COMMIT);
    struct test_job *late = tx_job(&f, &tx, "SELECT 1");
    elfs_job_cancel(&late->job);
    fixture_run(&f, late);
    assert_int_equal(late->job.outcome, ELFS_JOB_DROPPED);
    assert_string_equal(ids(), "1");
}

static void a_stop_ends_it(void **state) {
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    run("INSERT INTO t VALUES (1, 'a')");
    struct test_job *inside = tx_job(&f, &tx, "INSERT INTO t VALUES (2, 'b')");
    struct test_job *other = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
    fixture_submit_all(&f, inside, other, (struct test_job *)NULL);
    fixture_stop(&f);
    assert_int_equal(inside->job.outcome, ELFS_JOB_DONE); /* what was queued still ran */
    assert_int_equal(tx.tx.end, ELFS_TX_STOPPED);
    assert_true(inside->place < tx.place);
    assert_int_equal(other->job.outcome, ELFS_JOB_DONE);
    assert_string_equal(ids(), "3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commits, setup, teardown),
        cmocka_unit_test_setup_teardown(rolls_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_statement_is_undone_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(savepoints_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(last_insert_rowid_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_when_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_at_its_total_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_when_aborted, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_by_sqlite, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_fails_rolls_back, setup, teardown),
        cmocka_unit_test_setup_teardown(others_wait_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(cancelled_jobs_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_ends_it, setup, teardown),
    };
    return cmocka_run_group_tests_name("interactive", tests, NULL, NULL);
}
