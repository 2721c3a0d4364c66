/* guard_test - what SQL may and may not do, and the words of each refusal. */
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

static void refuses(void **state) {
    static const struct {
        const char *sql;
        const char *message;
    } cases[] = {
        {"ATTACH 'x.db' AS x", "ATTACH is refused: serve the other file as a repo"},
        {"DETACH x", "DETACH is refused"},
        {"VACUUM", "VACUUM is refused"},
        {" /* a */ vacuum INTO 'copy.db'", "VACUUM is refused"},
        {"BEGIN", "BEGIN is refused in SQL: call transaction, or begin"},
        {"COMMIT", "COMMIT is refused"},
        {"END", "COMMIT is refused"},
        {"ROLLBACK", "ROLLBACK is refused"},
        {"EXPLAIN BEGIN", "BEGIN is refused"},
        {"SAVEPOINT a", "only for query inside an interactive transaction"},
        {"RELEASE a", "only for query inside an interactive transaction"},
        {"ROLLBACK TO a", "only for query inside an interactive transaction"},
        {"SELECT load_extension('x')", "load_extension is refused"},
        {"INSERT INTO t(v) SELECT load_extension('x')", "load_extension is refused"},
        {"CREATE TEMP TABLE x(a)", "TEMP tables, views, indexes and triggers are refused"},
        {"CREATE TABLE temp.x AS SELECT 1", "TEMP tables"},
        {"CREATE TEMP VIEW x AS SELECT 1", "TEMP tables"},
        {"CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", "TEMP tables"},
        {"CREATE VIRTUAL TABLE temp.x USING fts5(a)", "TEMP tables"},
        {"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode may be read, not set"},
        {"PRAGMA synchronous = OFF", "PRAGMA synchronous may be read, not set"},
        {"PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys may be read, not set"},
        {"PRAGMA encoding = 'UTF-16'", "PRAGMA encoding may be read, not set"},
        {"PRAGMA main.schema_version = 9", "PRAGMA schema_version may be read, not set"},
        {"PRAGMA writable_schema = ON", "PRAGMA writable_schema is refused"},
        {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA locking_mode is refused"},
        {"PRAGMA wal_checkpoint", "PRAGMA wal_checkpoint is refused"},
        {"PRAGMA defer_foreign_keys = ON", "PRAGMA defer_foreign_keys is refused"},
        {"PRAGMA hexkey = 'x'", "PRAGMA hexkey is refused"},
        {"SELECT * FROM pragma_wal_checkpoint", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int writer = 0; writer < 2; writer++) {
            for (int again = 0; again < 2; again++) { /* also from the statement cache */
                struct test_job *j = query_job(&f, cases[i].sql);
                j->job.write = writer;
                fixture_run(&f, j);
                if (j->job.outcome != ELFS_JOB_FAILED) fail_msg("%s ran", cases[i].sql);
                if (cases[i].message[0]) {
                    assert_failed(j, ELFS_UNSUPPORTED, 0, cases[i].message);
                }
            }
        }
    }
    assert_string_equal(fixture_read(&f, "PRAGMA journal_mode"), "wal");
}

static void allows(void **state) {
    static const char *const reads[] = {
        "application_id",
        "collation_list",
        "compile_options",
        "data_version",
        "encoding",
        "foreign_keys",
        "foreign_key_check",
        "foreign_key_check(t)",
        "foreign_key_list(t)",
        "freelist_count",
        "function_list",
        "index_info(i)",
        "index_list(t)",
        "index_xinfo(i)",
        "integrity_check",
        "integrity_check(t)",
        "journal_mode",
        "module_list",
        "page_count",
        "page_size",
        "pragma_list",
        "quick_check",
        "schema_version",
        "synchronous",
        "table_info(t)",
        "table_list",
        "table_xinfo(t)",
        "user_version",
        "main.User_Version",
    };
    (void)state;
    fixture_query(&f, "CREATE INDEX i ON t(v)");
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        for (int writer = 0; writer < 2; writer++) {
            char sql[64];
            snprintf(sql, sizeof sql, "PRAGMA %s", reads[i]);
            struct test_job *j = query_job(&f, sql);
            j->job.write = writer;
            fixture_run(&f, j);
            if (j->job.outcome == ELFS_JOB_REROUTE) continue; /* it may be counted as a write */
            if (j->job.outcome != ELFS_JOB_DONE) fail_msg("%s: %s", sql, j->job.error.message);
        }
    }
    struct test_job *j = query_job(&f, "PRAGMA user_version = -7");
    j->job.write = true;
    fixture_run(&f, j);
    assert_done(j, "=0/0/0");
    assert_string_equal(fixture_query(&f, "PRAGMA user_version"), "user_version[-7]=1/0/0");
    assert_string_equal(fixture_query(&f, "PRAGMA foreign_keys"), "foreign_keys[1]=1/0/0");
    assert_string_equal(fixture_query(&f, "SELECT name FROM pragma_table_info('t')"),
                        "name['id']['v']=2/0/0");
}

/* What the guard and a defensive connection must leave alone. */
static void ordinary_schemas_work(void **state) {
    (void)state;
    fixture_query(&f, "CREATE VIRTUAL TABLE s USING fts5(v, content='t', content_rowid='id')");
    fixture_query(&f, "CREATE TRIGGER ti AFTER INSERT ON t BEGIN "
                      "INSERT INTO s(rowid, v) VALUES (new.id, lower(new.v)); END");
    fixture_query(&f, "CREATE VIEW w AS SELECT id, json_extract(v, '$.a') AS a FROM t");
    fixture_query(&f, "CREATE TABLE g(a, b AS (upper(a)) STORED, c DEFAULT (datetime('now')))");
    fixture_query(&f, "INSERT INTO t VALUES (1, '{\"a\":5}')");
    fixture_query(&f, "INSERT INTO g(a) VALUES ('x')");
    assert_string_equal(fixture_query(&f, "SELECT a FROM w"), "a[5]=1/0/0");
    assert_string_equal(fixture_query(&f, "SELECT b FROM g"), "b['X']=1/0/0");
    assert_string_equal(fixture_query(&f, "SELECT rowid FROM s WHERE s MATCH '5'"),
                        "rowid[1]=1/0/0");
    assert_string_equal(fixture_query(&f, "ANALYZE"), "=0/0/0");
    assert_string_equal(fixture_query(&f, "REINDEX"), "=0/0/0");
}

/* Its two-argument form takes the address of code as a blob. */
static void no_tokenizers_from_blobs(void **state) {
    (void)state;
    struct test_job *j = query_job(&f, "SELECT fts3_tokenizer('x', ?)");
    add_param(j, NULL, bytes_value(ELFS_BLOB, "\1\2\3\4\5\6\7\10", 8));
    fixture_run(&f, j);
    assert_failed(j, ELFS_UNSUPPORTED, 0, "fts3_tokenizer is refused");
}

static void triggers_hide_nothing(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TRIGGER ti AFTER INSERT ON t BEGIN "
                      "SELECT load_extension(new.v); END");
    struct test_job *j = query_job(&f, "INSERT INTO t(v) VALUES ('x.so')");
    fixture_run(&f, j);
    assert_failed(j, ELFS_UNSUPPORTED, 0, "load_extension is refused");
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "0");
}

static void the_schema_is_safe(void **state) {
    (void)state;
    fixture_query(&f, "CREATE VIRTUAL TABLE s USING fts5(v)");
    struct test_job *shadow = query_job(&f, "DELETE FROM s_data");
    fixture_run(&f, shadow);
    assert_failed(shadow, ELFS_SQLITE, SQLITE_ERROR, "s_data may not be modified");
    struct test_job *j = query_job(&f, "UPDATE sqlite_master SET sql = 'x'");
    fixture_run(&f, j);
    assert_failed(j, ELFS_SQLITE, SQLITE_ERROR, "may not be modified");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(allows, setup, teardown),
        cmocka_unit_test_setup_teardown(ordinary_schemas_work, setup, teardown),
        cmocka_unit_test_setup_teardown(no_tokenizers_from_blobs, setup, teardown),
        cmocka_unit_test_setup_teardown(triggers_hide_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_schema_is_safe, setup, teardown),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
