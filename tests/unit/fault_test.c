/* fault_test - COMMIT and statements whose writes or syncs fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "base/log.h"
#include "fault_vfs.h"
#include "store_fixture.h"

#define END ((struct test_job *)NULL)

static struct store_fixture f;

static int setup(void **state) {
    (void)state;
    fault_vfs_install();
    elfs_log_set_level(ELFS_LOG_ERROR);
    fixture_open(&f);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_close(&f);
    return 0;
}

static const char *ids(void) {
    return fixture_read(&f, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)");
}

static void assert_unknown(const struct test_job *j, int sqlite_code) {
    assert_int_equal(j->job.outcome, ELFS_JOB_UNKNOWN);
    assert_int_equal(j->job.error.code, ELFS_UNKNOWN);
    assert_int_equal(j->job.error.sqlite_code, sqlite_code);
    assert_non_null(strstr(j->job.error.message, "may or may not be in the database"));
    assert_string_equal(j->out.text, "");
}

static void a_failed_sync_is_unknown(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a') RETURNING id");
    struct test_job *b = query_job(&f, "INSERT INTO t VALUES (1, 'b')");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
    fault_vfs_arm(FAULT_SYNC, "-wal", 1, SQLITE_IOERR_FSYNC);
    fixture_submit_all(&f, a, b, c, END);
    fixture_wait(&f, c);
    assert_true(fault_vfs_disarm());
    assert_unknown(a, SQLITE_IOERR_FSYNC);
    assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id"); /* its own error */
    assert_unknown(c, SQLITE_IOERR_FSYNC);
    assert_int_equal(a->job.failed_index, 0);
    /* The writer goes on. */
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (9, 'x')"), "=1/1/9");
}

static void a_failed_write_is_not_committed(void **state) {
    static const int codes[] = {SQLITE_IOERR_WRITE, SQLITE_FULL};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a') RETURNING id");
        struct test_job *b = query_job(&f, "INSERT INTO t VALUES (1, 'b')");
        struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
        fault_vfs_arm(FAULT_WRITE, "-wal", 1, codes[i]);
        fixture_submit_all(&f, a, b, c, END);
        fixture_wait(&f, c);
        assert_true(fault_vfs_disarm());
        assert_failed(a, ELFS_SQLITE, codes[i], codes[i] == SQLITE_FULL ? "full" : "I/O error");
        assert_failed(b, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
        assert_failed(c, ELFS_SQLITE, codes[i], "");
        fixture_stop(&f);
        assert_string_equal(ids(), "NULL");
        fixture_start(&f);
    }
    assert_string_equal(fixture_query(&f, "INSERT INTO t VALUES (9, 'x')"), "=1/1/9");
}

/* Each write of a commit with several pages, one after the other. */
static void any_failed_write_leaves_nothing(void **state) {
    (void)state;
    for (int n = 1;; n++) {
        struct test_job *j = query_job(&f, "INSERT INTO t(v) VALUES (zeroblob(400000))");
        fault_vfs_arm(FAULT_WRITE, "-wal", n, SQLITE_IOERR_WRITE);
        fixture_run(&f, j);
        if (!fault_vfs_disarm()) {
            assert_int_equal(j->job.outcome, ELFS_JOB_DONE);
            assert_true(n > 5);
            break;
        }
        assert_failed(j, ELFS_SQLITE, SQLITE_IOERR_WRITE, "");
        assert_string_equal(ids(), "NULL");
    }
    assert_string_equal(ids(), "1");
}

/* A statement larger than the page cache writes before COMMIT; SQLite answers a failure there by
 * rolling everything back, and the neighbours run again. */
static void a_failed_spill_costs_one_job(void **state) {
    (void)state;
    struct test_job *a = query_job(&f, "INSERT INTO t VALUES (1, 'a')");
    struct test_job *b =
        query_job(&f, "WITH RECURSIVE c(x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM c LIMIT 400) "
                      "INSERT INTO t SELECT x, zeroblob(20000) FROM c");
    struct test_job *c = query_job(&f, "INSERT INTO t VALUES (3, 'c')");
    b->job.write = true;
    fault_vfs_arm(FAULT_WRITE, "-wal", 1, SQLITE_FULL);
    fixture_submit_all(&f, a, b, c, END);
    fixture_wait(&f, c);
    assert_true(fault_vfs_disarm());
    assert_done(a, "=1/1/1");
    assert_failed(b, ELFS_SQLITE, SQLITE_FULL, "full");
    assert_done(c, "=1/1/3");
    assert_string_equal(ids(), "1,3");
}

static void interactive_commits_fail_alike(void **state) {
    static const struct {
        enum fault_op op;
        int rc;
        enum elfs_job_outcome outcome;
    } cases[] = {
        {FAULT_WRITE, SQLITE_IOERR_WRITE, ELFS_JOB_FAILED},
        {FAULT_SYNC, SQLITE_IOERR_FSYNC, ELFS_JOB_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_tx tx;
        fixture_begin(&f, &tx, 30000, 30000);
        fixture_run(&f, tx_job(&f, &tx, "INSERT INTO t VALUES (1, 'a')"));
        fault_vfs_arm(cases[i].op, "-wal", 1, cases[i].rc);
        struct test_job *commit = fixture_end(&f, &tx, ELFS_JOB_COMMIT);
        assert_true(fault_vfs_disarm());
        assert_int_equal(commit->job.outcome, cases[i].outcome);
        assert_int_equal(commit->job.error.sqlite_code, cases[i].rc);
        assert_int_equal(tx.tx.end, ELFS_TX_COMMIT_FAILED);
        assert_string_equal(ids(), "NULL");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_sync_is_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_write_is_not_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(any_failed_write_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_spill_costs_one_job, setup, teardown),
        cmocka_unit_test_setup_teardown(interactive_commits_fail_alike, setup, teardown),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
