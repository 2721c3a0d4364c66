/* ledger_test - requests with a key run once, and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_fixture.h"
#include <sqlite3.h>

#define LONG_MS 30000
#define KEYS "SELECT count(*) FROM _ecto_litefs_requests"

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

static struct test_job *keyed(struct test_job *j, const char *key) {
    j->job.key = elfs_view_str(key);
    return j;
}

static struct test_job *run(const char *sql, const char *key) {
    struct test_job *j = keyed(query_job(&f, sql), key);
    fixture_run(&f, j);
    return j;
}

static struct test_job *resolve(const char *key) {
    struct test_job *j = keyed(fixture_job(&f, ELFS_JOB_RESOLVE), key);
    fixture_run(&f, j);
    assert_done(j, "");
    return j;
}

static const char *rows(void) {
    return fixture_read(&f, "SELECT group_concat(v) FROM (SELECT v FROM t ORDER BY id)");
}

static void runs_once(void **state) {
    (void)state;
    const char *sql = "INSERT INTO t(v) VALUES ('a') RETURNING id";
    struct test_job *first = run(sql, "k1");
    assert_done(first, "id[1]=1/1/1");
    assert_false(first->job.repeated);
    struct test_job *again = run(sql, "k1");
    assert_done(again, "id[1]=1/1/1");
    assert_true(again->job.repeated);
    assert_string_equal(rows(), "a");
    assert_done(run(sql, "k2"), "id[2]=1/1/2");
    assert_string_equal(rows(), "a,a");
    assert_string_equal(fixture_read(&f, KEYS), "2");
}

static void runs_once_after_a_restart(void **state) {
    (void)state;
    run("INSERT INTO t(v) VALUES ('a')", "k");
    fixture_stop(&f);
    fixture_start(&f);
    assert_true(run("INSERT INTO t(v) VALUES ('a')", "k")->job.repeated);
    assert_string_equal(rows(), "a");
}

/* Both wait behind a job that holds the writer, so that they share a transaction. */
static void runs_once_within_a_group(void **state) {
    struct test_gate gate;
    struct test_job *slow = query_job(&f, "INSERT INTO t(v) VALUES ('slow') RETURNING id");
    struct test_job *a = keyed(query_job(&f, "INSERT INTO t(v) VALUES ('a')"), "k");
    struct test_job *b = keyed(query_job(&f, "INSERT INTO t(v) VALUES ('a')"), "k");
    (void)state;
    gate_init(&gate, slow);
    fixture_submit(&f, slow);
    gate_wait(&gate);
    fixture_submit_all(&f, a, b, NULL);
    gate_open(&gate);
    fixture_wait(&f, b);
    gate_fini(&gate);
    assert_false(a->job.repeated);
    assert_true(b->job.repeated);
    assert_done(b, "=1/1/2");
    assert_string_equal(rows(), "slow,a");
}

static void what_failed_may_run_again(void **state) {
    (void)state;
    run("INSERT INTO t VALUES (1, 'a')", "k1");
    assert_failed(run("INSERT INTO t VALUES (1, 'b')", "k2"), ELFS_SQLITE,
                  SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    fixture_query(&f, "DELETE FROM t");
    assert_false(run("INSERT INTO t VALUES (1, 'b')", "k2")->job.repeated);
    assert_string_equal(rows(), "b");
}

static void many_and_transaction(void **state) {
    struct test_job *jobs[4];
    (void)state;
    for (int i = 0; i < 2; i++) {
        jobs[i] = keyed(fixture_job(&f, ELFS_JOB_MANY), "many");
        add_statement(jobs[i], "INSERT INTO t(v) VALUES (?) RETURNING id");
        add_set(jobs[i]);
        add_param(jobs[i], NULL, text_value("a"));
        add_set(jobs[i]);
        add_param(jobs[i], NULL, text_value("b"));
        fixture_run(&f, jobs[i]);
        assert_done(jobs[i], "id[1][2]=2/2/2");
        assert_int_equal(jobs[i]->job.repeated, i);
    }
    for (int i = 2; i < 4; i++) {
        jobs[i] = keyed(fixture_job(&f, ELFS_JOB_TRANSACTION), "transaction");
        add_statement(jobs[i], "INSERT INTO t(v) VALUES ('c')");
        add_statement(jobs[i], "UPDATE t SET v = 'd' WHERE id = 3");
        fixture_run(&f, jobs[i]);
        assert_done(jobs[i], "=1/1/3=1/1/3");
        assert_int_equal(jobs[i]->job.repeated, i - 2);
    }
    assert_string_equal(rows(), "a,b,d");
    assert_failed(run("INSERT INTO t(v) VALUES ('x')", "transaction"), ELFS_INVALID_OPTION, 0,
                  "another request's");
    assert_string_equal(rows(), "a,b,d");
}

static void resolves(void **state) {
    (void)state;
    run("INSERT INTO t(v) VALUES ('a')", "done");
    assert_true(resolve("done")->job.repeated);
    assert_false(resolve("never")->job.repeated);
    assert_false(resolve("never")->job.repeated);
    assert_failed(run("INSERT INTO t(v) VALUES ('b')", "never"), ELFS_ABORTED, 0, "given up");
    assert_string_equal(rows(), "a");
}

static struct test_job *end_keyed(struct test_tx *tx, const char *key) {
    struct test_job *commit = keyed(fixture_job(&f, ELFS_JOB_COMMIT), key);
    commit->job.tx = &tx->tx;
    fixture_run(&f, commit);
    fixture_wait_tx(&f, tx);
    return commit;
}

static void interactive(void **state) {
    static struct test_tx tx, other;
    (void)state;
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    fixture_run(&f, tx_job(&f, &tx, "INSERT INTO t(v) VALUES ('a')"));
    assert_done(end_keyed(&tx, "t1"), "");
    assert_true(resolve("t1")->job.repeated);
    struct test_job *begin = keyed(fixture_job(&f, ELFS_JOB_BEGIN), "t1");
    elfs_tx_init(&other.tx, LONG_MS, LONG_MS);
    begin->job.tx = &other.tx;
    fixture_run(&f, begin);
    assert_failed(begin, ELFS_ALREADY_COMMITTED, 0, "committed before");
    fixture_begin(&f, &tx, LONG_MS, LONG_MS);
    fixture_run(&f, tx_job(&f, &tx, "INSERT INTO t(v) VALUES ('b')"));
    fixture_end(&f, &tx, ELFS_JOB_ROLLBACK);
    assert_false(resolve("t2")->job.repeated);
    assert_string_equal(rows(), "a");
}

/* The table goes with the transaction that made it, and comes with the next one. */
static void the_table_is_made_again(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TABLE p(id INTEGER PRIMARY KEY)");
    fixture_query(&f, "CREATE TABLE c(p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
    struct test_job *j = run("INSERT OR ROLLBACK INTO t VALUES (1, 'a'), (1, 'b')", "k");
    assert_failed(j, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_string_equal(
        fixture_read(&f, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%requests'"), "0");
    assert_done(run("INSERT INTO t VALUES (1, 'c')", "k"), "=1/1/1");
    assert_true(run("INSERT INTO t VALUES (1, 'c')", "k")->job.repeated);
    assert_string_equal(rows(), "c");
}

static void clients_may_only_read_it(void **state) {
    static const char *const refused[] = {
        "DELETE FROM _ecto_litefs_requests",
        "UPDATE _ECTO_LITEFS_REQUESTS SET at = 0",
        "INSERT INTO main._ecto_litefs_requests VALUES (9, x'00', 0, NULL)",
        "DROP TABLE _ecto_litefs_requests",
        "ALTER TABLE _ecto_litefs_requests RENAME TO other",
        "CREATE TRIGGER r AFTER INSERT ON _ecto_litefs_requests BEGIN SELECT 1; END",
    };
    (void)state;
    run("INSERT INTO t(v) VALUES ('a')", "k");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct test_job *j = query_job(&f, refused[i]);
        fixture_run(&f, j);
        assert_failed(j, ELFS_UNSUPPORTED, 0, "the node's own");
    }
    assert_string_equal(fixture_query(&f, KEYS), "count(*)[1]=1/0/0");
}

static void insert_keys(int count) {
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        run("INSERT INTO t(v) VALUES ('a')", key);
    }
}

static void old_ones_go(void **state) {
    (void)state;
    fixture_stop(&f);
    f.config.keep_requests = 100;
    fixture_start(&f);
    insert_keys(320);
    int kept = atoi(fixture_read(&f, KEYS));
    assert_in_range(kept, 100, 163);
    assert_true(run("INSERT INTO t(v) VALUES ('a')", "319")->job.repeated);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "320");
}

static void aged_ones_go(void **state) {
    (void)state;
    insert_keys(10);
    fixture_stop(&f);
    /* As if an hour and more had passed. */
    fixture_read(&f, "UPDATE _ecto_litefs_requests SET at = at - 4000 WHERE id <= 5 RETURNING id");
    fixture_start(&f);
    for (int i = 10; i < 64 + 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        run("INSERT INTO t(v) VALUES ('a')", key);
    }
    assert_string_equal(
        fixture_read(&f, "SELECT count(*) FROM _ecto_litefs_requests WHERE id <= 10"), "5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_once, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_once_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_once_within_a_group, setup, teardown),
        cmocka_unit_test_setup_teardown(what_failed_may_run_again, setup, teardown),
        cmocka_unit_test_setup_teardown(many_and_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(resolves, setup, teardown),
        cmocka_unit_test_setup_teardown(interactive, setup, teardown),
        cmocka_unit_test_setup_teardown(the_table_is_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(clients_may_only_read_it, setup, teardown),
        cmocka_unit_test_setup_teardown(old_ones_go, setup, teardown),
        cmocka_unit_test_setup_teardown(aged_ones_go, setup, teardown),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
