/* fence_test - what the store does with a fence, which is a stand-in here; and a store that only reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_fixture.h"
#include <sqlite3.h>

/* Stand-in: says what the test wants, and counts the questions. */
struct test_fence {
    struct elfs_fence fence;
    bool primary_before;
    bool lost_meanwhile;
    bool counts_after;
    int asked_before;
    int asked_after;
    int begun;
    int ended;
    uint64_t turn;
    bool undisturbed; /* as last told */
    bool changed;     /* as last asked after COMMIT */
};

static struct store_fixture f;
static struct test_fence fence;

static enum elfs_code before(struct elfs_fence *self, struct elfs_error *err) {
    struct test_fence *t = (struct test_fence *)self;
    t->asked_before++;
    return t->primary_before ? ELFS_OK : elfs_fail(err, ELFS_NOT_PRIMARY, "not here");
}

static void begun(struct elfs_fence *self, bool undisturbed) {
    struct test_fence *t = (struct test_fence *)self;
    t->begun++;
    t->undisturbed = undisturbed;
}

static enum elfs_code explain(struct elfs_fence *self, struct elfs_error *err) {
    struct test_fence *t = (struct test_fence *)self;
    return t->primary_before && !t->lost_meanwhile
               ? ELFS_OK
               : elfs_fail(err, ELFS_NOT_PRIMARY, "not any more");
}

static enum elfs_code after(struct elfs_fence *self, bool changed, struct elfs_position *position,
                            struct elfs_error *err) {
    struct test_fence *t = (struct test_fence *)self;
    t->changed = changed;
    *position = (struct elfs_position){true, 40 + (uint64_t)++t->asked_after, 7};
    return t->counts_after ? ELFS_OK : elfs_fail(err, ELFS_UNKNOWN, "perhaps");
}

static void ended(struct elfs_fence *self) { ((struct test_fence *)self)->ended++; }

static uint64_t turn(const struct elfs_fence *self) {
    return ((const struct test_fence *)self)->turn;
}

static int setup(void **state) {
    (void)state;
    fixture_open(&f);
    fixture_stop(&f);
    fence = (struct test_fence){.fence = {before, begun, explain, after, ended, turn},
                                .primary_before = true,
                                .counts_after = true};
    f.config.fence = &fence.fence;
    fixture_start(&f);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_close(&f);
    return 0;
}

static void a_commit_brings_its_position(void **state) {
    (void)state;
    struct test_job *j = query_job(&f, "INSERT INTO t(v) VALUES (1)");
    fixture_run(&f, j);
    assert_int_equal(j->job.outcome, ELFS_JOB_DONE);
    assert_true(j->job.position.known);
    assert_int_equal(j->job.position.txid, 41);
    assert_int_equal(j->job.position.checksum, 7);
    assert_int_equal(fence.asked_before, 1);
    assert_true(fence.changed);
}

/* Pages tell, not counts of rows: CREATE TABLE changes no row. */
static void whether_it_wrote_is_told(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TABLE u(a)");
    assert_true(fence.changed);
    fixture_query(&f, "UPDATE t SET v = 1 WHERE id = 77");
    assert_int_equal(fence.asked_after, 2);
    assert_false(fence.changed);
}

static void nothing_is_touched_elsewhere_than_on_the_primary(void **state) {
    (void)state;
    struct test_tx tx;
    fence.primary_before = false;
    struct test_job *j = query_job(&f, "INSERT INTO t(v) VALUES (1)");
    fixture_run(&f, j);
    assert_failed(j, ELFS_NOT_PRIMARY, 0, "not here");
    elfs_tx_init(&tx.tx, 1000, 1000);
    j = fixture_job(&f, ELFS_JOB_BEGIN);
    j->job.tx = &tx.tx;
    fixture_run(&f, j);
    assert_failed(j, ELFS_NOT_PRIMARY, 0, "not here");
    assert_int_equal(fence.asked_after, 0);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "0");
}

/* SQLite takes a lock that a dead LiteFS does not give for one that is held. */
static void a_file_that_fails_is_explained(void **state) {
    (void)state;
    sqlite3 *other;
    fixture_stop(&f);
    f.config.busy_timeout_ms = 1;
    fixture_start(&f);
    assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct test_job *held = query_job(&f, "INSERT INTO t(v) VALUES (1)");
    fixture_run(&f, held);
    assert_failed(held, ELFS_SQLITE, SQLITE_BUSY, "locked");
    fence.lost_meanwhile = true;
    struct test_job *lost = query_job(&f, "INSERT INTO t(v) VALUES (1)");
    fixture_run(&f, lost);
    assert_failed(lost, ELFS_NOT_PRIMARY, 0, "not any more");
    sqlite3_close(other);
    /* what is the statement's own stays its own */
    struct test_job *wrong = query_job(&f, "INSERT INTO t(id) VALUES ('no number')");
    fixture_run(&f, wrong);
    assert_failed(wrong, ELFS_SQLITE, SQLITE_MISMATCH, "mismatch");
    assert_int_equal(fence.asked_after, 0);
}

static void a_commit_that_does_not_count_is_unknown(void **state) {
    (void)state;
    fence.counts_after = false;
    struct test_job *good = query_job(&f, "INSERT INTO t(v) VALUES (1)");
    struct test_job *bad = query_job(&f, "INSERT INTO t(nothing) VALUES (1)");
    fixture_submit_all(&f, good, bad, NULL);
    fixture_wait(&f, good);
    fixture_wait(&f, bad);
    assert_int_equal(good->job.outcome, ELFS_JOB_UNKNOWN);
    assert_int_equal(good->job.error.code, ELFS_UNKNOWN);
    assert_string_equal(good->job.error.message, "perhaps");
    assert_int_equal(bad->job.outcome, ELFS_JOB_FAILED); /* it failed for itself, and surely */
}

/* A commit of another connection lies between two of ours. */
static void others_disturb(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t(v) VALUES (1)");
    fixture_query(&f, "INSERT INTO t(v) VALUES (2)");
    assert_int_equal(fence.begun, 2);
    assert_true(fence.undisturbed);
    fixture_read(&f, "INSERT INTO t(v) VALUES (3) RETURNING v");
    fixture_query(&f, "INSERT INTO t(v) VALUES (4)");
    assert_false(fence.undisturbed);
    fixture_query(&f, "INSERT INTO t(v) VALUES (5)");
    assert_true(fence.undisturbed);
}

/* As LiteFS does when another host's history takes the place of ours: the tables are elsewhere in the file, and the
 * schema_version, which counts the changes, is as before. */
static void swap_tables(void) {
    static char sql[256];
    snprintf(sql, sizeof sql,
             "BEGIN; DROP TABLE u; DROP TABLE t; CREATE TABLE u(a); "
             "CREATE TABLE t(id INTEGER PRIMARY KEY, v); PRAGMA schema_version = %s; COMMIT",
             fixture_read(&f, "PRAGMA schema_version"));
    sqlite3 *other;
    assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
}

static void another_history_has_another_schema(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TABLE u(a)");
    for (int i = 0; i < 2; i++) {
        fixture_query(&f, "INSERT INTO u VALUES ('mine')");
        struct test_job *read = query_job(&f, "SELECT a FROM u");
        fixture_run(&f, read);
        assert_int_equal(read->job.outcome, ELFS_JOB_DONE);
        assert_non_null(strstr(read->out.text, "mine"));
        assert_string_equal(fixture_read(&f, "SELECT count(*) FROM u"), "1");
        assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "0");
        swap_tables();
        fence.turn++;
    }
}

static struct test_job *run_keyed(void) {
    struct test_job *j = query_job(&f, "INSERT INTO t(v) VALUES ('k')");
    j->job.key = elfs_view_str("key");
    fixture_run(&f, j);
    return j;
}

/* What was never confirmed is not acknowledged because its row is in the file. */
static void a_repeat_of_the_unknown_is_confirmed_itself(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t(v) VALUES (1)");
    fence.counts_after = false;
    assert_int_equal(run_keyed()->job.outcome, ELFS_JOB_UNKNOWN);
    struct test_job *again = run_keyed();
    assert_int_equal(again->job.outcome, ELFS_JOB_UNKNOWN);
    assert_true(fence.changed);
    fence.counts_after = true;
    again = run_keyed();
    assert_int_equal(again->job.outcome, ELFS_JOB_DONE);
    assert_true(again->job.repeated);
    assert_true(fence.changed);
    again = run_keyed();
    assert_true(again->job.repeated);
    assert_false(fence.changed); /* nothing is in doubt any more: a repeat writes nothing */
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t WHERE v = 'k'"), "1");
}

static void an_interactive_transaction_is_fenced_too(void **state) {
    (void)state;
    struct test_tx tx = {.place = 0};
    elfs_tx_init(&tx.tx, 10000, 10000);
    struct test_job *j = fixture_job(&f, ELFS_JOB_BEGIN);
    j->job.tx = &tx.tx;
    fixture_run(&f, j);
    assert_int_equal(j->job.outcome, ELFS_JOB_DONE);
    fixture_run(&f, tx_job(&f, &tx, "INSERT INTO t(v) VALUES (1)"));
    fence.counts_after = false;
    j = fixture_job(&f, ELFS_JOB_COMMIT);
    j->job.tx = &tx.tx;
    fixture_run(&f, j);
    assert_int_equal(j->job.outcome, ELFS_JOB_UNKNOWN);
    fixture_wait_tx(&f, &tx);
    assert_int_equal(tx.tx.end, ELFS_TX_COMMIT_FAILED);
}

/* The hook that sees commits replaces SQLite's own checkpoints: the WAL must not grow for ever. */
static void the_wal_is_still_checkpointed(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++)
        fixture_query(&f,
                      "INSERT INTO t(v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                      "FROM n WHERE i < 400) SELECT zeroblob(4000) FROM n");
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", f.path);
    FILE *file = fopen(wal, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    fclose(file);
    assert_in_range(size, 1, 12 * 1024 * 1024); /* 16 MB were written in all */
}

static void it_ends_with_the_database(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t(v) VALUES (1)");
    assert_int_equal(fence.ended, 0);
    fixture_stop(&f);
    assert_int_equal(fence.ended, 1);
    fixture_start(&f);
}

static void a_store_that_only_reads(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t(v) VALUES (5)");
    fixture_stop(&f);
    f.config.read_only = true;
    fixture_start(&f);
    assert_string_equal(fixture_read(&f, "SELECT v FROM t"), "5");
    struct test_job *write = query_job(&f, "INSERT INTO t(v) VALUES (6)");
    struct test_job *hidden =
        query_job(&f, "WITH x AS (SELECT 1) INSERT INTO t(v) SELECT * FROM x");
    struct test_job *gone = query_job(&f, "INSERT INTO t(v) VALUES (7)");
    assert_true(elfs_job_cancel(&gone->job));
    fixture_run(&f, write);
    fixture_run(&f, hidden);
    fixture_run(&f, gone);
    assert_failed(write, ELFS_NOT_PRIMARY, 0, "only read");
    assert_int_equal(hidden->job.outcome, ELFS_JOB_REROUTE);
    assert_int_equal(gone->job.outcome, ELFS_JOB_DROPPED);
}

static void a_store_that_only_reads_makes_no_file(void **state) {
    (void)state;
    struct elfs_error err;
    struct elfs_store *store;
    char path[128];
    struct elfs_store_config config = f.config;
    snprintf(path, sizeof path, "%s/other.db", f.dir);
    config.path = path;
    config.read_only = true;
    assert_int_equal(elfs_store_start(&config, &f.box, &store, &err), ELFS_SQLITE);
    assert_null(store);
    assert_null(fopen(path, "r"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_commit_brings_its_position),
        TEST(whether_it_wrote_is_told),
        TEST(nothing_is_touched_elsewhere_than_on_the_primary),
        TEST(a_file_that_fails_is_explained),
        TEST(a_commit_that_does_not_count_is_unknown),
        TEST(others_disturb),
        TEST(another_history_has_another_schema),
        TEST(a_repeat_of_the_unknown_is_confirmed_itself),
        TEST(an_interactive_transaction_is_fenced_too),
        TEST(the_wal_is_still_checkpointed),
        TEST(it_ends_with_the_database),
        TEST(a_store_that_only_reads),
        TEST(a_store_that_only_reads_makes_no_file),
    };
    return cmocka_run_group_tests_name("fence", tests, NULL, NULL);
}
