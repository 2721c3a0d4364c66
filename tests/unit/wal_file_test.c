/* wal_file_test - what a COMMIT writes to the WAL, and when: counted below it, looked at by another connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault_vfs.h"
#include "store/wal_file.h"
#include "temp_dir.h"
#include <sqlite3.h>

static char dir[64];
static char path[80];
static sqlite3_vfs vfs;
static sqlite3 *db;

static void run(const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
}

static void open_database(const char *pragmas) {
    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "elfs-wal"),
        SQLITE_OK);
    run(pragmas);
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
        "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v)");
}

static int setup(void **state) {
    (void)state;
    fault_vfs_install();
    vfs = *sqlite3_vfs_find(NULL);
    vfs.zName = "elfs-wal";
    elfs_wal_file_install(&vfs);
    assert_int_equal(sqlite3_vfs_register(&vfs, 0), SQLITE_OK);
    temp_dir_make(dir);
    snprintf(path, sizeof path, "%s/a.db", dir);
    open_database("");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sqlite3_close(db);
    sqlite3_vfs_unregister(&vfs);
    temp_dir_remove(dir);
    return 0;
}

static int commit(void) {
    elfs_wal_hold(db);
    int rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    elfs_wal_settle(db);
    return rc;
}

/* What the statements write to the WAL, in calls. */
static int writes_of(const char *sql, bool with_commit) {
    fault_vfs_count("-wal");
    run(sql);
    if (with_commit) assert_int_equal(commit(), SQLITE_OK);
    return fault_vfs_counted();
}

/* By a connection of another VFS, as another program has it. */
static const char *look(const char *sql) {
    static char text[64];
    sqlite3 *other;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(other, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    snprintf(text, sizeof text, "%s", sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(other);
    return text;
}

#define PAGES_10 "BEGIN IMMEDIATE; INSERT INTO t(v) VALUES (zeroblob(36000))"

static void a_commit_is_one_write(void **state) {
    (void)state;
    run(PAGES_10);
    assert_int_equal(commit(), SQLITE_OK);
    assert_int_equal(writes_of(PAGES_10, true), 1);
    assert_string_equal(look("SELECT count(*) FROM t"), "2");
    assert_string_equal(look("PRAGMA integrity_check"), "ok");
}

/* LiteFS takes the header by itself only. */
static void a_new_wal_begins_with_its_header(void **state) {
    (void)state;
    run("PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(writes_of(PAGES_10, true), 2);
    assert_string_equal(look("SELECT count(*) FROM t"), "1");
}

static void a_large_commit_is_a_few(void **state) {
    (void)state;
    int writes = writes_of("BEGIN IMMEDIATE; INSERT INTO t(v) VALUES (zeroblob(1000000))", true);
    assert_in_range(writes, 1000000 / 65536, 2 * 1000000 / 65536);
    assert_string_equal(look("SELECT length(v) FROM t"), "1000000");
    assert_string_equal(look("PRAGMA integrity_check"), "ok");
}

/* Pages larger than what is put together are written as they come. */
static void large_pages_go_by_themselves(void **state) {
    (void)state;
    sqlite3_close(db);
    snprintf(path, sizeof path, "%s/b.db", dir);
    open_database("PRAGMA page_size=65536");
    run("BEGIN IMMEDIATE; INSERT INTO t(v) VALUES (zeroblob(300000))");
    assert_int_equal(commit(), SQLITE_OK);
    assert_string_equal(look("SELECT length(v) FROM t"), "300000");
    assert_string_equal(look("PRAGMA integrity_check"), "ok");
}

/* A frame that may be rolled back is never held. */
static void nothing_is_held_outside_of_commit(void **state) {
    (void)state;
    run("PRAGMA cache_size=5");
    int writes = writes_of(PAGES_10 "; INSERT INTO t(v) VALUES (zeroblob(200000))", false);
    assert_true(writes > 20);
    /* what was written early is changed and read again */
    run("UPDATE t SET v = zeroblob(36001) WHERE id = 1");
    assert_int_equal(commit(), SQLITE_OK);
    assert_string_equal(look("SELECT group_concat(length(v)) FROM t"), "36001,200000");
    assert_string_equal(look("PRAGMA integrity_check"), "ok");
    /* without elfs_wal_hold nothing is put together at all */
    assert_true(writes_of(PAGES_10 "; COMMIT", false) >= 20);
}

/* Another program has written since, to where a failed COMMIT would have. */
static void a_failed_commit_writes_nothing_later(void **state) {
    (void)state;
    run("BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 'a')");
    assert_int_equal(commit(), SQLITE_OK);
    for (int op = FAULT_WRITE; op <= FAULT_SYNC; op++) {
        run("BEGIN IMMEDIATE; INSERT INTO t VALUES (50, zeroblob(36000))");
        fault_vfs_arm((enum fault_op)op, "-wal", 1, SQLITE_FULL);
        assert_int_equal(commit() & 0xFF, SQLITE_FULL);
        assert_true(fault_vfs_disarm());
        if (!sqlite3_get_autocommit(db)) run("ROLLBACK");
        assert_string_equal(look("SELECT count(*) FROM t WHERE id = 50"), "0");
        assert_string_equal(look("INSERT INTO t(v) VALUES ('other') RETURNING 1"), "1");
    }
    run("BEGIN IMMEDIATE; INSERT INTO t(v) VALUES ('b')");
    assert_int_equal(commit(), SQLITE_OK);
    assert_string_equal(look("SELECT group_concat(v) FROM (SELECT v FROM t ORDER BY id)"),
                        "a,other,other,b");
    assert_string_equal(look("PRAGMA integrity_check"), "ok");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_commit_is_one_write),
        TEST(a_new_wal_begins_with_its_header),
        TEST(a_large_commit_is_a_few),
        TEST(large_pages_go_by_themselves),
        TEST(nothing_is_held_outside_of_commit),
        TEST(a_failed_commit_writes_nothing_later),
    };
    return cmocka_run_group_tests_name("wal_file", tests, NULL, NULL);
}
