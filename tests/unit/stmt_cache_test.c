/* stmt_cache_test - hits, eviction, long texts, and texts that are no single statement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "store/stmt_cache.h"

static sqlite3 *db;
static struct elfs_guard guard;
static struct elfs_stmt_cache cache;

static int setup(void **state) {
    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    elfs_guard_install(&guard, db);
    guard.internal = false;
    assert_int_equal(elfs_stmt_cache_init(&cache, db, &guard, 2), ELFS_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    elfs_stmt_cache_fini(&cache);
    assert_int_equal(sqlite3_close(db), SQLITE_OK); /* BUSY if a statement was not finalized */
    return 0;
}

static struct elfs_stmt *get(const char *sql) {
    struct elfs_stmt *stmt = NULL;
    struct elfs_error err;
    enum elfs_code code = elfs_stmt_cache_get(&cache, elfs_view_str(sql), &stmt, &err);
    if (code != ELFS_OK) fail_msg("%s: %s", sql, err.message);
    return stmt;
}

static sqlite3_stmt *use(const char *sql) {
    struct elfs_stmt *stmt = get(sql);
    sqlite3_stmt *handle = stmt->handle;
    elfs_stmt_put(stmt);
    return handle;
}

/* The number of prepared statements that the connection has. */
static int prepared(void) {
    int n = 0;
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db, s));) n++;
    return n;
}

static void hits(void **state) {
    (void)state;
    sqlite3_stmt *first = use("SELECT 1");
    assert_ptr_equal(use("SELECT 1"), first);
    assert_ptr_not_equal(use("SELECT 1 "), first); /* the key is the text, byte for byte */
    assert_int_equal(prepared(), 2);
}

static bool is_prepared(const char *sql) {
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db, s));) {
        if (strcmp(sqlite3_sql(s), sql) == 0) return true;
    }
    return false;
}

static void evicts_the_least_recently_used(void **state) {
    (void)state;
    use("SELECT 1");
    use("SELECT 2");
    use("SELECT 1");
    use("SELECT 3");
    assert_true(is_prepared("SELECT 1"));
    assert_false(is_prepared("SELECT 2"));
    assert_true(is_prepared("SELECT 3"));
    use("SELECT 2");
    assert_false(is_prepared("SELECT 1"));
    assert_int_equal(prepared(), 2);
}

static void keeps_no_long_texts(void **state) {
    (void)state;
    size_t len = 70000;
    char *sql = malloc(len + 1);
    assert_non_null(sql);
    memset(sql, ' ', len);
    memcpy(sql, "SELECT 1", 8);
    sql[len] = '\0';
    use(sql);
    assert_int_equal(prepared(), 0);
    free(sql);
}

static void comes_back_clean(void **state) {
    (void)state;
    struct elfs_stmt *stmt = get("SELECT ?1");
    sqlite3_bind_int(stmt->handle, 1, 5);
    assert_int_equal(sqlite3_step(stmt->handle), SQLITE_ROW);
    elfs_stmt_put(stmt);
    assert_false(sqlite3_stmt_busy(stmt->handle));
    stmt = get("SELECT ?1");
    assert_int_equal(sqlite3_step(stmt->handle), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(stmt->handle, 0), SQLITE_NULL);
    elfs_stmt_put(stmt);
}

static void remembers_what_the_guard_saw(void **state) {
    (void)state;
    const char *schema = "CREATE TABLE t(a);"
                         "CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO t VALUES (2); END";
    assert_int_equal(sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 2; i++) { /* prepared, then cached */
        assert_true(get("SAVEPOINT a")->savepoint);
        struct elfs_stmt *insert = get("INSERT INTO t VALUES (1)");
        assert_true(insert->inserts);
        assert_false(insert->savepoint);
    }
    assert_false(get("CREATE TABLE u(a)")->inserts);  /* though it writes into sqlite_master */
    assert_false(get("UPDATE t SET a = 1")->inserts); /* its trigger does */
}

static void refuses(void **state) {
    static const struct {
        const char *sql;
        size_t len;
        enum elfs_code code;
    } cases[] = {
        {"", 0, ELFS_EMPTY_STATEMENT},
        {" ; -- nothing", 13, ELFS_EMPTY_STATEMENT},
        {"SELECT 1; SELECT 2", 18, ELFS_MULTIPLE_STATEMENTS},
        {"SELECT 1; x", 11, ELFS_MULTIPLE_STATEMENTS},
        {"SELECT 1\0SELECT 2", 17, ELFS_MULTIPLE_STATEMENTS},
        {"SELECT 1; -- fine", 17, ELFS_OK},
        {"SELECT 1;;/* fine", 17, ELFS_OK},
        {"SELEC 1", 7, ELFS_SQLITE},
        {"VACUUM", 6, ELFS_UNSUPPORTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct elfs_view sql = {(const uint8_t *)cases[i].sql, cases[i].len};
        struct elfs_stmt *stmt = NULL;
        struct elfs_error err;
        enum elfs_code code = elfs_stmt_cache_get(&cache, sql, &stmt, &err);
        if (code != cases[i].code) fail_msg("%s: %d", cases[i].sql, code);
        assert_true((stmt != NULL) == (code == ELFS_OK));
    }
    assert_int_equal(prepared(), 2);
}

static bool scenario(void *arg) {
    struct elfs_stmt_cache own;
    struct elfs_stmt *stmt = NULL;
    (void)arg;
    if (elfs_stmt_cache_init(&own, db, &guard, 1) != ELFS_OK) return false;
    bool ok = elfs_stmt_cache_get(&own, elfs_view_str("SELECT 4"), &stmt, NULL) == ELFS_OK;
    elfs_stmt_cache_fini(&own);
    return ok;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    fail_alloc_each(scenario, NULL);
    assert_int_equal(prepared(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hits, setup, teardown),
        cmocka_unit_test_setup_teardown(evicts_the_least_recently_used, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_no_long_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(comes_back_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(remembers_what_the_guard_saw, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_failing_allocations, setup, teardown),
    };
    return cmocka_run_group_tests_name("stmt_cache", tests, NULL, NULL);
}
