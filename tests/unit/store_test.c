/* store_test - opening, routing, stopping, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail_alloc.h"
#include "store_fixture.h"

#define END ((struct test_job *)NULL)

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

static void writes_and_reads(void **state) {
    (void)state;
    assert_string_equal(fixture_query(&f, "INSERT INTO t(v) VALUES (7) RETURNING id, v"),
                        "id,v[1,7]=1/1/1");
    assert_string_equal(fixture_query(&f, "SELECT v FROM t"), "v[7]=1/0/0");
    fixture_stop(&f);
    fixture_start(&f);
    assert_string_equal(fixture_query(&f, "SELECT v FROM t"), "v[7]=1/0/0");
}

/* Both functions say the same; the message names the path and what to do. */
static void assert_not_opened(const char *path, int sqlite_code, const char *advice) {
    struct elfs_store_config config = f.config;
    struct elfs_store *store = NULL;
    struct elfs_error err;
    config.path = path;
    assert_int_not_equal(elfs_store_start(&config, &f.box, &store, &err), ELFS_OK);
    assert_null(store);
    assert_non_null(strstr(err.message, path));
    if (!strstr(err.message, advice)) fail_msg("%s", err.message);
    assert_int_equal(err.sqlite_code, sqlite_code);
    elfs_error_clear(&err);
    assert_int_not_equal(elfs_store_check(&config, &err), ELFS_OK);
    assert_non_null(strstr(err.message, advice));
}

static void says_why_it_cannot_open(void **state) {
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/missing/x.db", f.dir);
    assert_not_opened(path, SQLITE_CANTOPEN, "its folder does not exist");
    assert_not_opened(f.dir, SQLITE_CANTOPEN, "check that it is an ordinary file");
    snprintf(path, sizeof path, "%s/text.db", f.dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 100; i++) fputs("this is not a database\n", file);
    fclose(file);
    assert_not_opened(path, SQLITE_NOTADB, "file is not a database: give the path of an SQLite");
    assert_not_opened(":memory:", 0, "its journal mode stays 'memory'");
    struct elfs_error err;
    assert_int_equal(elfs_store_check(&f.config, &err), ELFS_OK);
}

/* No permission stops root, so that root plays somebody else. */
static void says_what_may_not_be_written(void **state) {
    char dir[96];
    char path[128];
    (void)state;
    bool root = geteuid() == 0;
    snprintf(dir, sizeof dir, "%s/ro", f.dir);
    snprintf(path, sizeof path, "%s/x.db", dir);
    assert_int_equal(mkdir(dir, 0555), 0);
    assert_int_equal(chmod(f.dir, 0755), 0);
    assert_int_equal(chmod(f.path, 0444), 0);
    if (root) assert_int_equal(seteuid(65534), 0);
    assert_not_opened(path, SQLITE_CANTOPEN, "this user may not write to its folder");
    assert_not_opened(f.path, 0, "it is read-only: this user may not write to it");
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void another_program_may_lock_it(void **state) {
    sqlite3 *other = NULL;
    (void)state;
    fixture_stop(&f);
    f.config.busy_timeout_ms = 10;
    assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
    sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t(v) VALUES (1)", NULL, NULL,
                 NULL);
    assert_not_opened(f.path, SQLITE_BUSY, "another program keeps it locked");
    sqlite3_close(other);
    fixture_start(&f);
}

static void configures_both_connections(void **state) {
    static const char *const texts[] = {"synchronous[2]=1/0/0", "synchronous[1]=1/0/0"};
    (void)state;
    for (int normal = 0; normal < 2; normal++) {
        fixture_stop(&f);
        f.config.synchronous = normal ? ELFS_SYNC_NORMAL : ELFS_SYNC_FULL;
        fixture_start(&f);
        for (int writer = 0; writer < 2; writer++) {
            struct test_job *j = query_job(&f, "PRAGMA synchronous");
            j->job.write = writer;
            fixture_run(&f, j);
            assert_done(j, texts[normal]);
        }
    }
    assert_string_equal(fixture_read(&f, "PRAGMA journal_mode"), "wal");
}

static void reads_do_not_wait_for_writes(void **state) {
    struct test_gate gate;
    (void)state;
    struct test_job *write = query_job(&f, "INSERT INTO t VALUES (1, 'a') RETURNING id");
    gate_init(&gate, write);
    fixture_submit(&f, write);
    gate_wait(&gate); /* in the middle of its transaction */
    assert_string_equal(fixture_query(&f, "SELECT count(*) FROM t"), "count(*)[0]=1/0/0");
    assert_int_equal(write->place, 0);
    gate_open(&gate);
    fixture_wait(&f, write);
    assert_string_equal(fixture_query(&f, "SELECT count(*) FROM t"), "count(*)[1]=1/0/0");
    gate_fini(&gate);
}

static void what_writes_is_rerouted(void **state) {
    static const char *const writes[] = {
        "WITH x AS (SELECT 1 AS id) INSERT INTO t(id) SELECT id FROM x RETURNING id",
        "PRAGMA user_version = 3"};
    static const char *const texts[] = {"id[1]=1/1/1", "=0/0/0"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct test_job *j = query_job(&f, writes[i]);
        fixture_run(&f, j);
        assert_int_equal(j->job.outcome, ELFS_JOB_REROUTE);
        assert_int_equal(atomic_load(&j->job.stage), ELFS_JOB_WAITING);
        assert_string_equal(j->out.text, "");
        j->job.write = true;
        fixture_run(&f, j);
        assert_done(j, texts[i]);
    }
}

static void a_cancelled_read_never_runs(void **state) {
    (void)state;
    struct test_job *j = query_job(&f, "SELECT 1");
    assert_true(elfs_job_cancel(&j->job));
    fixture_run(&f, j);
    assert_int_equal(j->job.outcome, ELFS_JOB_DROPPED);
    assert_string_equal(j->out.text, "");
}

/* A read that stayed open would keep the WAL from being reset. */
static void a_stopped_read_lets_go(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t(v) VALUES (1), (2), (3)");
    struct test_job *j = query_job(&f, "SELECT v FROM t");
    j->out.row_code = ELFS_RESULT_TOO_BIG;
    fixture_run(&f, j);
    assert_failed(j, ELFS_RESULT_TOO_BIG, 0, "larger than the limit");
    fixture_query(&f, "INSERT INTO t(v) VALUES (4)");
    assert_string_equal(fixture_read(&f, "PRAGMA wal_checkpoint(TRUNCATE)"), "0"); /* not busy */
}

/* Without a pause between the reads no checkpoint comes to the end of the WAL by itself. */
static void reads_without_a_pause_do_not_make_the_wal_grow_for_ever(void **state) {
    static const char slow[] = "WITH RECURSIVE c(n) AS (SELECT count(*) FROM t UNION ALL SELECT n "
                               "+ 1 FROM c LIMIT 100000) "
                               "SELECT count(*) FROM c";
    struct test_job *reads[2] = {NULL, NULL};
    char path[96];
    struct stat wal;
    (void)state;
    snprintf(path, sizeof path, "%s-wal", f.path);
    for (int i = 0; i < 400; i++) {
        for (int k = 0; k < 2; k++) {
            if (reads[k] && reads[k]->place == 0) continue;
            reads[k] = query_job(&f, slow);
            fixture_submit(&f, reads[k]);
        }
        fixture_query(&f, "INSERT INTO t(v) VALUES (zeroblob(500000))");
        fixture_take(&f);
    }
    assert_int_equal(stat(path, &wal), 0);
    assert_true(wal.st_size < 100 * 1000 * 1000);
    fixture_wait(&f, reads[0]);
    fixture_wait(&f, reads[1]);
}

static void a_stop_finishes_what_is_queued(void **state) {
    struct test_gate gate;
    struct test_job *writes[20];
    struct test_job *reads[20];
    (void)state;
    fixture_stop(&f);
    f.config.batch.max_jobs = 3;
    fixture_start(&f);
    struct test_job *first = query_job(&f, "INSERT INTO t(v) VALUES (0) RETURNING id");
    gate_init(&gate, first);
    fixture_submit(&f, first);
    gate_wait(&gate);
    for (int i = 0; i < 20; i++) {
        writes[i] = query_job(&f, "INSERT INTO t(v) VALUES (1)");
        reads[i] = query_job(&f, "SELECT count(*) FROM t WHERE v > 5");
        fixture_submit_all(&f, writes[i], reads[i], END);
    }
    gate_open(&gate);
    fixture_stop(&f);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(writes[i]->job.outcome, ELFS_JOB_DONE);
        assert_int_equal(reads[i]->job.outcome, ELFS_JOB_DONE);
    }
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "21");
    gate_fini(&gate);
}

/* Start, a write with names, a read, stop. */
static bool scenario(void *arg) {
    struct elfs_error err;
    (void)arg;
    if (elfs_store_start(&f.config, &f.box, &f.store, &err) != ELFS_OK) {
        assert_true(err.code == ELFS_NOMEM);
        return false;
    }
    struct test_job *write = query_job(&f, "INSERT INTO t(v) VALUES (:v) RETURNING id");
    add_param(write, "v", int_value(1));
    struct test_job *read = query_job(&f, "SELECT * FROM t");
    fixture_submit_all(&f, write, read, END);
    fixture_wait(&f, write);
    fixture_wait(&f, read);
    fixture_stop(&f);
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        const struct elfs_job *job = i ? &read->job : &write->job;
        if (job->outcome == ELFS_JOB_DONE) continue;
        assert_int_equal(job->error.code, ELFS_NOMEM);
        ok = false;
    }
    return ok;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    fixture_stop(&f);
    fail_alloc_each(scenario, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_and_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(says_why_it_cannot_open, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_may_not_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(another_program_may_lock_it, setup, teardown),
        cmocka_unit_test_setup_teardown(configures_both_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_do_not_wait_for_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_writes_is_rerouted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cancelled_read_never_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_read_lets_go, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_without_a_pause_do_not_make_the_wal_grow_for_ever,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_finishes_what_is_queued, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_failing_allocations, setup, teardown),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
