/* exec_test - values, parameters, results and statement errors, through a store. */
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

static void values_round_trip(void **state) {
    static const uint8_t nuls[] = {'a', 0, 'b'};
    const struct {
        struct elfs_value value;
        const char *text;
        const char *type;
    } cases[] = {
        {null_value(), "NULL", "null"},
        {int_value(0), "0", "integer"},
        {int_value(INT64_MIN), "-9223372036854775808", "integer"},
        {int_value(INT64_MAX), "9223372036854775807", "integer"},
        {real_value(0.1), "0.10000000000000001", "real"},
        {real_value(-1e300), "-1.0000000000000001e+300", "real"},
        {text_value(""), "''", "text"},
        {{ELFS_TEXT, .bytes = {NULL, 0}}, "''", "text"},
        {text_value("gr\xC3\xBC\xC3\x9F"), "'gr\xC3\xBC\xC3\x9F'", "text"},
        {bytes_value(ELFS_TEXT, "\xff\xfe", 2), "'\xff\xfe'", "text"}, /* no UTF-8 check */
        {bytes_value(ELFS_TEXT, nuls, 3), "'a\\00b'", "text"},
        {bytes_value(ELFS_BLOB, nuls, 3), "x'610062'", "blob"},
        {bytes_value(ELFS_BLOB, "", 0), "x''", "blob"},
        {{ELFS_BLOB, .bytes = {NULL, 0}}, "x''", "blob"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[100];
        struct test_job *j =
            query_job(&f, "INSERT INTO t(id, v) VALUES (1, ?1) RETURNING v, typeof(v)");
        add_param(j, NULL, cases[i].value);
        fixture_run(&f, j);
        snprintf(expected, sizeof expected, "v,typeof(v)[%s,'%s']=1/1/1", cases[i].text,
                 cases[i].type);
        assert_done(j, expected);
        snprintf(expected, sizeof expected, "v[%s]=1/0/0", cases[i].text);
        assert_string_equal(fixture_query(&f, "SELECT v FROM t"), expected);
        fixture_query(&f, "DELETE FROM t");
    }
}

static void positional_parameters(void **state) {
    (void)state;
    struct test_job *j = query_job(&f, "INSERT INTO t VALUES (?, ?)");
    add_param(j, NULL, int_value(1));
    add_param(j, NULL, int_value(2));
    add_param(j, NULL, int_value(3));
    fixture_run(&f, j);
    assert_failed(j, ELFS_INVALID_PARAMETER, 0, "the statement has 2 parameters, 3 given");
    j = query_job(&f, "SELECT ?1, ?3");
    add_param(j, NULL, int_value(1));
    fixture_run(&f, j);
    assert_failed(j, ELFS_INVALID_PARAMETER, 0, "the statement has 3 parameters, 1 given");
    j = query_job(&f, "INSERT INTO t VALUES (1, :v)"); /* a list may fill names, too */
    add_param(j, NULL, int_value(2));
    fixture_run(&f, j);
    assert_done(j, "=1/1/1");
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "1");
}

static struct test_job *named(const char *sql, const char *first, const char *second) {
    struct test_job *j = query_job(&f, sql);
    add_param(j, first, int_value(1));
    if (second) add_param(j, second, int_value(2));
    fixture_run(&f, j);
    return j;
}

static void named_parameters(void **state) {
    (void)state;
    assert_done(named("SELECT :b, @a, $a, :b", "a", "b"), ":b,@a,$a,:b[2,1,1,2]=1/0/0");
    assert_failed(named("SELECT :a, :other", "a", "b"), ELFS_INVALID_PARAMETER, 0,
                  "parameter :other is not given");
    assert_failed(named("SELECT :a, @a", "a", "b"), ELFS_INVALID_PARAMETER, 0,
                  "the statement has no parameter named b");
    assert_failed(named("SELECT :a, ?", "a", NULL), ELFS_INVALID_PARAMETER, 0,
                  "parameter 2 of the statement has no name");
    assert_failed(named("SELECT ?1", "1", NULL), ELFS_INVALID_PARAMETER, 0,
                  "parameter 1 of the statement has no name");
    assert_failed(named("SELECT :A", "a", NULL), ELFS_INVALID_PARAMETER, 0, ":A is not given");
    struct test_job *empty = query_job(&f, "SELECT 1");
    empty->statements[0].params.named = true;
    fixture_run(&f, empty);
    assert_done(empty, "1[1]=1/0/0");
}

static void counts_changes(void **state) {
    (void)state;
    fixture_query(&f, "CREATE TABLE log(v)");
    fixture_query(&f, "CREATE TRIGGER tr AFTER UPDATE ON t BEGIN "
                      "INSERT INTO log VALUES (1), (2), (3); END");
    assert_string_equal(fixture_query(&f, "INSERT INTO t(v) VALUES (1), (2)"), "=2/2/2");
    assert_string_equal(fixture_query(&f, "UPDATE t SET v = 9"), "=2/2/0"); /* no trigger's */
    assert_string_equal(fixture_query(&f, "UPDATE t SET v = 9 WHERE id > 100"), "=0/0/0");
    assert_string_equal(fixture_query(&f, "CREATE TABLE u(a)"), "=0/0/0"); /* not the last one's */
    assert_string_equal(fixture_query(&f, "INSERT OR IGNORE INTO t VALUES (1, 1)"), "=0/0/0");
    assert_string_equal(fixture_query(&f, "UPDATE t SET v = 8 RETURNING id"), "id[1][2]=2/2/0");
    assert_string_equal(fixture_query(&f, "SELECT id FROM t WHERE 0"), "id=0/0/0");
    struct test_job *j = query_job(&f, "SELECT changes(), last_insert_rowid()");
    j->job.write = true; /* on the writer's connection */
    fixture_run(&f, j);
    assert_done(j, "changes(),last_insert_rowid()[2,0]=1/0/0");
}

static void runs_many(void **state) {
    (void)state;
    struct test_job *j = fixture_job(&f, ELFS_JOB_MANY);
    add_statement(j, "INSERT INTO t(v) VALUES (?) RETURNING id");
    for (int i = 0; i < 3; i++) {
        add_set(j);
        add_param(j, NULL, int_value(i));
    }
    fixture_run(&f, j);
    assert_done(j, "id[1][2][3]=3/3/3");

    j = fixture_job(&f, ELFS_JOB_MANY);
    add_statement(j, "INSERT INTO t(id) VALUES (?)");
    for (int i = 10; i > 7; i--) {
        add_set(j);
        add_param(j, NULL, int_value(i == 8 ? 1 : i));
    }
    fixture_run(&f, j);
    assert_failed(j, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "UNIQUE constraint failed: t.id");
    assert_int_equal(j->job.failed_index, 3);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "3"); /* all or nothing */

    j = fixture_job(&f, ELFS_JOB_MANY);
    add_statement(j, "INSERT INTO t(id) VALUES (?) RETURNING id");
    fixture_run(&f, j);
    assert_done(j, "id=0/0/0");
}

static void runs_transactions(void **state) {
    (void)state;
    struct test_job *j = fixture_job(&f, ELFS_JOB_TRANSACTION);
    add_statement(j, "INSERT INTO t(id) VALUES (5)");
    add_statement(j, "UPDATE t SET v = last_insert_rowid()");
    add_statement(j, "SELECT v FROM t");
    fixture_run(&f, j);
    assert_done(j, "=1/1/5=1/1/5v[5]=1/0/5");

    j = fixture_job(&f, ELFS_JOB_TRANSACTION);
    add_statement(j, "DELETE FROM t");
    add_statement(j, "INSERT INTO nowhere VALUES (1)");
    fixture_run(&f, j);
    assert_failed(j, ELFS_SQLITE, SQLITE_ERROR, "no such table: nowhere");
    assert_int_equal(j->job.failed_index, 2);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "1");
}

static void sink_errors_stop_and_undo(void **state) {
    (void)state;
    struct test_job *j = query_job(&f, "INSERT INTO t(v) VALUES (1), (2) RETURNING id");
    j->out.row_code = ELFS_RESULT_TOO_BIG;
    fixture_run(&f, j);
    assert_failed(j, ELFS_RESULT_TOO_BIG, 0, "the result is larger than the limit");
    assert_int_equal(j->job.failed_index, 0);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "0");
}

#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "

static void a_timeout_stops_a_statement(void **state) {
    (void)state;
    struct test_job *read = query_job(&f, ENDLESS "SELECT count(*) FROM c");
    struct test_job *write = query_job(&f, ENDLESS "INSERT INTO t(v) SELECT x FROM c WHERE x < 0");
    read->job.timeout_ms = 20;
    write->job.timeout_ms = 20;
    write->job.write = true;
    fixture_submit_all(&f, read, write, (struct test_job *)NULL);
    fixture_wait(&f, read);
    fixture_wait(&f, write);
    assert_failed(read, ELFS_TIMEOUT, 0, "ran longer than 20 ms");
    assert_failed(write, ELFS_TIMEOUT, 0, "ran longer than 20 ms");
    /* Short statements are stopped between two of them. */
    struct test_job *j = fixture_job(&f, ELFS_JOB_TRANSACTION);
    add_statement(j, "INSERT INTO t VALUES (1, 1)");
    j->job.timeout_ms = 0;
    fixture_run(&f, j);
    assert_failed(j, ELFS_TIMEOUT, 0, "ran longer than 0 ms");
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t"), "0");
}

/* SQLite prepares a cached statement anew: its columns must be read after that. */
static void the_schema_may_change(void **state) {
    (void)state;
    fixture_query(&f, "INSERT INTO t VALUES (1, 2)");
    for (int writer = 0; writer < 2; writer++) {
        struct test_job *j = query_job(&f, "SELECT * FROM t");
        j->job.write = writer;
        fixture_run(&f, j);
        assert_done(j, "id,v[1,2]=1/0/0");
    }
    fixture_query(&f, "ALTER TABLE t ADD COLUMN w DEFAULT 3");
    for (int writer = 0; writer < 2; writer++) {
        struct test_job *j = query_job(&f, "SELECT * FROM t");
        j->job.write = writer;
        fixture_run(&f, j);
        assert_done(j, "id,v,w[1,2,3]=1/0/0");
    }
    fixture_query(&f, "DROP TABLE t");
    struct test_job *gone = query_job(&f, "SELECT * FROM t");
    fixture_run(&f, gone);
    assert_failed(gone, ELFS_SQLITE, SQLITE_ERROR, "no such table: t");
}

static void reports_sqlite_errors(void **state) {
    static const struct {
        const char *sql;
        int code;
        const char *message;
    } cases[] = {
        {"INSERT INTO c VALUES (1, 1)", SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: c.a"},
        {"INSERT INTO c VALUES (NULL, 1)", SQLITE_CONSTRAINT_NOTNULL,
         "NOT NULL constraint failed: c.a"},
        {"INSERT INTO c VALUES (2, -1)", SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed"},
        {"INSERT INTO k VALUES (99)", SQLITE_CONSTRAINT_FOREIGNKEY,
         "FOREIGN KEY constraint failed"},
        {"INSERT INTO c VALUES (1)", SQLITE_ERROR, "has 2 columns but 1 values"},
        {"SELECT zeroblob(2000000000)", SQLITE_TOOBIG, "too big"},
    };
    (void)state;
    fixture_query(&f, "CREATE TABLE c(a UNIQUE NOT NULL, b CHECK (b > 0))");
    fixture_query(&f, "CREATE TABLE k(a REFERENCES t(id))");
    fixture_query(&f, "INSERT INTO c VALUES (1, 1)");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_job *j = query_job(&f, cases[i].sql);
        fixture_run(&f, j);
        assert_failed(j, ELFS_SQLITE, cases[i].code, cases[i].message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(positional_parameters, setup, teardown),
        cmocka_unit_test_setup_teardown(named_parameters, setup, teardown),
        cmocka_unit_test_setup_teardown(counts_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_many, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(sink_errors_stop_and_undo, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timeout_stops_a_statement, setup, teardown),
        cmocka_unit_test_setup_teardown(the_schema_may_change, setup, teardown),
        cmocka_unit_test_setup_teardown(reports_sqlite_errors, setup, teardown),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
