/* The tracker row: found, missing in every way, malformed; what reading it leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_litefs.h"
#include "store/tracker_row.h"

#define TABLE "_ecto_litefs_primary"
#define CREATE                                                                                     \
    "CREATE TABLE \"" TABLE "\" (id INTEGER PRIMARY KEY CHECK (id = 1), node_name TEXT NOT NULL, " \
    "updated_at INTEGER NOT NULL);"

static char dir[64];
static char path[96];
static char node[ELFS_TRACKER_NODE_SIZE];
static int64_t updated_at;
static struct elfs_error err;

static int setup(void **state) {
    (void)state;
    fake_mount_make(dir);
    snprintf(path, sizeof path, "%s/a.db", dir);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fake_mount_remove(dir);
    return 0;
}

static void execute(const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static enum elfs_code read_table(const char *table) {
    memset(node, 'x', sizeof node);
    elfs_error_clear(&err);
    return elfs_tracker_row_read(path, table, node, &updated_at, &err);
}

static void expect(enum elfs_code code, const char *name) {
    assert_string_equal(elfs_code_name(read_table(TABLE)), elfs_code_name(code));
    assert_string_equal(node, name);
    if (code != ELFS_OK) assert_true(err.message[0] != '\0');
}

static void the_row(void **state) {
    (void)state;
    execute(CREATE "INSERT INTO " TABLE " VALUES (1, 'app@n1.example', 1732480000)");
    expect(ELFS_OK, "app@n1.example");
    assert_int_equal(updated_at, 1732480000);
    execute("PRAGMA journal_mode = WAL; INSERT OR REPLACE INTO " TABLE
            " VALUES (1, 'b@h', 1732480001)");
    expect(ELFS_OK, "b@h");
}

static void another_table_name(void **state) {
    (void)state;
    execute("CREATE TABLE \"my \"\"table\" (id INTEGER PRIMARY KEY, node_name TEXT, updated_at);"
            "INSERT INTO \"my \"\"table\" VALUES (1, 'a@b', 1)");
    assert_int_equal(read_table("my \"table"), ELFS_OK);
    assert_string_equal(node, "a@b");
    assert_int_equal(read_table("x\"; DROP TABLE \"my \"\"table\"; --"), ELFS_OK);
    assert_string_equal(node, "");
}

static void nothing_there(void **state) {
    (void)state;
    expect(ELFS_OK, "");
    assert_int_equal(access(path, F_OK), -1); /* looking has not made it */
    execute("CREATE TABLE other (x)");
    expect(ELFS_OK, "");
    execute(CREATE);
    expect(ELFS_OK, "");
    snprintf(path, sizeof path, "%s/no/such/folder/a.db", dir);
    expect(ELFS_OK, "");
}

static void malformed_rows(void **state) {
    (void)state;
    static const char *const names[] = {"''",
                                        "'app'",
                                        "'@host'",
                                        "'app@'",
                                        "'a@b@c'",
                                        "'a b@c'",
                                        "'a@b c'",
                                        "'a@b' || x'0A'",
                                        "'a.b@c'",
                                        "'ä@host'",
                                        "x'614062'",
                                        "7",
                                        "'a@b' || char(0) || 'c'",
                                        "'a@' || char(0)",
                                        "char(0) || 'a@b'",
                                        "'a@' || hex(zeroblob(127))"};
    execute("CREATE TABLE " TABLE " (id INTEGER PRIMARY KEY, node_name, updated_at)");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO " TABLE " VALUES (1, %s, 1)", names[i]);
        execute(sql);
        if (read_table(TABLE) != ELFS_MALFORMED) fail_msg("taken: %s", names[i]);
        assert_string_equal(node, "");
    }
    execute("INSERT OR REPLACE INTO " TABLE " VALUES (1, 'a@b', 'yesterday')");
    expect(ELFS_MALFORMED, "");
    execute("INSERT OR REPLACE INTO " TABLE
            " VALUES (1, 'a@' || substr(hex(zeroblob(127)), 2), 1)");
    assert_int_equal(read_table(TABLE), ELFS_OK);
    assert_int_equal(strlen(node), 255);
}

static void other_columns(void **state) {
    (void)state;
    execute("CREATE TABLE " TABLE " (id INTEGER PRIMARY KEY, name TEXT)");
    expect(ELFS_MALFORMED, "");
    execute("DROP TABLE " TABLE "; CREATE VIEW " TABLE
            " AS SELECT 1 AS id, 'a@b' AS node_name, 1 AS updated_at");
    expect(ELFS_OK, ""); /* no table */
}

static void no_database(void **state) {
    (void)state;
    fake_mount_put(dir, "a.db",
                   "this is no database, but long enough to look like a header or so; "
                   "this is no database, but long enough to look like a header or so");
    expect(ELFS_SQLITE, "");
    assert_int_equal(err.sqlite_code, SQLITE_NOTADB);
    fake_mount_put(dir, "a.db", NULL);
    assert_int_equal(mkfifo(path, 0600), 0); /* does not block */
    expect(ELFS_MALFORMED, "");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect(ELFS_MALFORMED, "");
    rmdir(path);
}

/* Whoever holds the database exclusively delays us for the busy timeout only. */
static void locked(void **state) {
    (void)state;
    execute(CREATE "INSERT INTO " TABLE " VALUES (1, 'a@b', 1)");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    expect(ELFS_SQLITE, "");
    assert_int_equal(err.sqlite_code & 0xFF, SQLITE_BUSY);
    sqlite3_close(db);
    expect(ELFS_OK, "a@b");
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void nothing_stays_open(void **state) {
    int before = open_descriptors();
    no_database(state);
    malformed_rows(state);
    assert_int_equal(open_descriptors(), before);
}

/* Even the last one to close leaves the log to the writers. */
static void reading_does_not_checkpoint(void **state) {
    (void)state;
    sqlite3 *db;
    struct stat st;
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode = WAL;" CREATE "INSERT INTO " TABLE
                                  " VALUES (1, 'a@b', 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(stat(wal, &st), 0);
    off_t size = st.st_size;
    assert_true(size > 0);
    expect(ELFS_OK, "a@b");
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, size);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_row, setup, teardown),
        cmocka_unit_test_setup_teardown(another_table_name, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_there, setup, teardown),
        cmocka_unit_test_setup_teardown(malformed_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(other_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(no_database, setup, teardown),
        cmocka_unit_test_setup_teardown(locked, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_stays_open, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_does_not_checkpoint, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
