/* patience_test - a store waits for a lock, and no longer once it is told to hurry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/patience.h"
#include "store_fixture.h"
#include <sqlite3.h>

/* More than a hurried job may take, less than the fixture waits. */
#define BUSY_MS 25000
#define HURRIED_MS 10000

static struct store_fixture f;
static sqlite3 *other; /* holds the lock */

static int setup(void **state) {
    (void)state;
    fixture_open(&f);
    fixture_stop(&f);
    f.config.busy_timeout_ms = BUSY_MS;
    fixture_start(&f);
    assert_int_equal(sqlite3_open(f.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sqlite3_close(other);
    fixture_close(&f);
    return 0;
}

static void hurried_jobs_do_not_wait(void **state) {
    (void)state;
    int64_t started = elfs_clock_ms();
    struct test_job *waiting = query_job(&f, "INSERT INTO t(v) VALUES (1)");
    struct test_job *later = query_job(&f, "INSERT INTO t(v) VALUES (2)");
    fixture_submit(&f, waiting);
    elfs_store_hurry(f.store, 0);
    fixture_wait(&f, waiting);
    assert_failed(waiting, ELFS_SQLITE, SQLITE_BUSY, "locked");
    fixture_run(&f, later);
    assert_failed(later, ELFS_SQLITE, SQLITE_BUSY, "locked");
    assert_true(elfs_clock_ms() - started < HURRIED_MS);
}

static void others_do(void **state) {
    (void)state;
    struct test_job *waiting = query_job(&f, "INSERT INTO t(v) VALUES (1) RETURNING id");
    fixture_submit(&f, waiting);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    fixture_wait(&f, waiting);
    assert_done(waiting, "id[1]=1/1/1");
}

/* Less than a pause that is not cut short. */
#define SHORT_MS 2000

static void a_limit_is_for_all_pauses_together(void **state) {
    (void)state;
    struct elfs_patience patience;
    assert_int_equal(elfs_patience_init(&patience, 20000, NULL), ELFS_OK);
    int64_t started = elfs_clock_us();
    patience.vfs.xSleep(&patience.vfs, 5000);
    assert_true(elfs_clock_us() - started >= 5000);
    for (int i = 0; i < 10; i++) patience.vfs.xSleep(&patience.vfs, SHORT_MS * 1000);
    assert_in_range(elfs_clock_us() - started, 20000, SHORT_MS * 1000);
    elfs_patience_fini(&patience);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hurried_jobs_do_not_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(others_do, setup, teardown),
        cmocka_unit_test(a_limit_is_for_all_pauses_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
