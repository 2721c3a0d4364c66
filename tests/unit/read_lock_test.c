/* read_lock_test - which locks of the WAL-index a connection asks for, counted below it, and what others may do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/read_lock.h"
#include "temp_dir.h"
#include <sqlite3.h>

static char dir[64];
static char path[80];
static sqlite3 *db;

/* Below the one under test: its calls are counted, and may be refused. */
static sqlite3_io_methods counting;
static const sqlite3_io_methods *below;
static int asked;
static bool refuse_write_lock;

static int count_lock(sqlite3_file *file, int at, int n, int flags) {
    asked++;
    if (refuse_write_lock && at == 0 && (flags & SQLITE_SHM_LOCK)) return SQLITE_BUSY;
    return below->xShmLock(file, at, n, flags);
}

static void run_on(sqlite3 *handle, const char *sql) {
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
}

static void run(const char *sql) { run_on(db, sql); }

static sqlite3 *connect_to(void) {
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    return handle;
}

static int64_t value_on(sqlite3 *handle, const char *sql) {
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static int setup(void **state) {
    (void)state;
    sqlite3_file *file;
    temp_dir_make(dir);
    snprintf(path, sizeof path, "%s/a.db", dir);
    db = connect_to();
    run("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(id INTEGER PRIMARY "
        "KEY, v)");
    sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    below = file->pMethods;
    counting = *below;
    counting.xShmLock = count_lock;
    file->pMethods = &counting;
    refuse_write_lock = false;
    assert_int_equal(elfs_read_lock_keep(db), ELFS_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    temp_dir_remove(dir);
    return 0;
}

static int asked_for(const char *sql) {
    asked = 0;
    run(sql);
    return asked;
}

#define INSERT "BEGIN IMMEDIATE; INSERT INTO t(v) VALUES ('a'); COMMIT"

/* As if all of it had happened within the time that a lock is kept. */
static void insert_at_once(void) {
    int64_t began;
    do {
        elfs_read_lock_drop(db);
        began = elfs_clock_ms();
        run(INSERT);
        run(INSERT);
    } while (elfs_clock_ms() - began >= ELFS_READ_LOCK_MS);
}

static void a_second_write_asks_for_the_write_lock_only(void **state) {
    (void)state;
    int first, second;
    int64_t began;
    do {
        elfs_read_lock_drop(db);
        began = elfs_clock_ms();
        first = asked_for(INSERT);
        second = asked_for(INSERT);
    } while (elfs_clock_ms() - began >= ELFS_READ_LOCK_MS);
    assert_int_equal(first, 5); /* mark taken, given back, taken shared; the write lock, and back */
    assert_int_equal(second, 2);
    asked = 0;
    elfs_read_lock_drop(db);
    assert_int_equal(asked, 1);
    elfs_read_lock_drop(db);
    assert_int_equal(asked, 1);
}

/* The newest frame is seen, although the mark is older. */
static void it_reads_what_others_have_written(void **state) {
    (void)state;
    sqlite3 *other = connect_to();
    for (int i = 0; i < 50; i++) {
        run(INSERT);
        run_on(other, INSERT);
        assert_int_equal(value_on(db, "SELECT count(*) FROM t"), 2 * i + 2);
        assert_int_equal(value_on(other, "SELECT count(*) FROM t"), 2 * i + 2);
    }
    sqlite3_close(other);
}

/* What has been checkpointed of how many frames. */
static void checkpoint(sqlite3 *handle, int mode, int expected, int *frames, int *done) {
    assert_int_equal(sqlite3_wal_checkpoint_v2(handle, "main", mode, frames, done), expected);
}

static void it_holds_a_checkpoint_up_until_it_is_dropped(void **state) {
    (void)state;
    int frames, done;
    sqlite3 *other = connect_to();
    value_on(other, "SELECT count(*) FROM t"); /* it has opened the WAL */
    insert_at_once();
    checkpoint(other, SQLITE_CHECKPOINT_TRUNCATE, SQLITE_BUSY, &frames, &done);
    assert_true(done < frames);
    elfs_read_lock_drop(db);
    checkpoint(other, SQLITE_CHECKPOINT_TRUNCATE, SQLITE_OK, &frames, &done);
    assert_int_equal(frames, 0);
    run(INSERT);
    assert_int_equal(value_on(other, "SELECT count(*) FROM t"),
                     value_on(db, "SELECT count(*) FROM t"));
    sqlite3_close(other);
}

static void its_own_checkpoint_is_whole(void **state) {
    (void)state;
    int frames, done;
    insert_at_once();
    checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, SQLITE_OK, &frames, &done);
    assert_int_equal(done, frames);
    insert_at_once();
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, SQLITE_OK, &frames, &done);
    assert_int_equal(frames, 0);
}

/* Writes that follow each other closely begin the WAL anew as ever. */
static void the_wal_does_not_grow(void **state) {
    (void)state;
    char wal[96];
    struct stat st;
    int frames, done;
    snprintf(wal, sizeof wal, "%s-wal", path);
    for (int i = 0; i < 2000; i++) {
        run(INSERT);
        if (i % 50 == 49) checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, SQLITE_OK, &frames, &done);
    }
    assert_int_equal(stat(wal, &st), 0);
    assert_in_range(st.st_size, 1, 300 * 4120);
}

static void it_is_given_back(void **state) {
    (void)state;
    /* by a transaction that only reads */
    insert_at_once();
    value_on(db, "SELECT count(*) FROM t");
    asked = 0;
    elfs_read_lock_drop(db);
    assert_int_equal(asked, 0);
    /* by one that does not get the write lock */
    insert_at_once();
    refuse_write_lock = true;
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
    refuse_write_lock = false;
    asked = 0;
    elfs_read_lock_drop(db);
    assert_int_equal(asked, 0);
    /* when it has been kept for long enough */
    insert_at_once();
    int64_t until = elfs_clock_ms() + ELFS_READ_LOCK_MS;
    while (elfs_clock_ms() < until) continue;
    run(INSERT);
    asked = 0;
    elfs_read_lock_drop(db);
    assert_int_equal(asked, 0);
}

static void it_is_harmless_elsewhere(void **state) {
    (void)state;
    sqlite3 *memory;
    assert_int_equal(sqlite3_open(":memory:", &memory), SQLITE_OK);
    assert_int_equal(elfs_read_lock_keep(memory), ELFS_OK);
    run_on(memory, "CREATE TABLE t(v); INSERT INTO t VALUES (1)");
    elfs_read_lock_drop(memory);
    assert_int_equal(sqlite3_close(memory), SQLITE_OK);
    /* a file that is in no WAL mode, and one that comes to it later */
    sqlite3 *plain;
    char name[96];
    snprintf(name, sizeof name, "%s/plain.db", dir);
    assert_int_equal(sqlite3_open(name, &plain), SQLITE_OK);
    assert_int_equal(elfs_read_lock_keep(plain), ELFS_OK);
    run_on(plain, "CREATE TABLE t(v); INSERT INTO t VALUES (1); PRAGMA journal_mode=WAL;"
                  "INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)");
    assert_int_equal(value_on(plain, "SELECT sum(v) FROM t"), 6);
    assert_int_equal(sqlite3_close(plain), SQLITE_OK);
}

#define PROCESSES 3
#define ROWS 300

/* Another process: it writes, reads what it has written, and checkpoints. Its exit status is its faults. */
static int process(bool keeps) {
    sqlite3 *mine;
    int faults = 0;
    if (sqlite3_open(path, &mine) != SQLITE_OK) return 1;
    sqlite3_busy_timeout(mine, 60000);
    if (keeps) faults += elfs_read_lock_keep(mine) != ELFS_OK;
    for (int i = 0; i < ROWS; i++) {
        faults +=
            sqlite3_exec(
                mine,
                "BEGIN IMMEDIATE; UPDATE n SET v = v + 1; INSERT INTO t(v) SELECT v FROM n; COMMIT",
                NULL, NULL, NULL) != SQLITE_OK;
        if (i % 20 == 0)
            sqlite3_wal_checkpoint_v2(
                mine, "main", i % 40 ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE, NULL,
                NULL);
        if (i % 7 == 0) elfs_read_lock_drop(mine);
    }
    faults += sqlite3_close(mine) != SQLITE_OK;
    return faults ? 1 : 0;
}

/* No row is lost, none is written over, whoever checkpoints. */
static void processes_that_keep_it_and_such_that_do_not(void **state) {
    (void)state;
    run("CREATE TABLE n(v); INSERT INTO n VALUES (0)");
    assert_int_equal(sqlite3_close(db), SQLITE_OK); /* SQLite is not to be taken through fork(2) */
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) _exit(process(i > 0));
        assert_true(pids[i] > 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    db = connect_to();
    assert_int_equal(value_on(db, "SELECT v FROM n"), PROCESSES * ROWS);
    assert_int_equal(value_on(db, "SELECT count(DISTINCT v) FROM t"), PROCESSES * ROWS);
    assert_int_equal(value_on(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_second_write_asks_for_the_write_lock_only),
        TEST(it_reads_what_others_have_written),
        TEST(it_holds_a_checkpoint_up_until_it_is_dropped),
        TEST(its_own_checkpoint_is_whole),
        TEST(the_wal_does_not_grow),
        TEST(it_is_given_back),
        TEST(it_is_harmless_elsewhere),
        TEST(processes_that_keep_it_and_such_that_do_not),
    };
    return cmocka_run_group_tests_name("read_lock", tests, NULL, NULL);
}
