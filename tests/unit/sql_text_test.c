/* sql_text_test - the first word and the blank rest of SQL, as SQLite sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "store/sql_text.h"

/* On the heap with its exact size, so that the address sanitizer sees every read past its end. */
static struct elfs_view heap_view(const char *text, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return (struct elfs_view){copy, len};
}

static void first_words(void **state) {
    static const struct {
        const char *sql;
        const char *word;
    } cases[] = {
        {"", ""},
        {"SELECT", "SELECT"},
        {"select*from t", "select"},
        {" \t\n\f\r;; insert into", "insert"},
        {" \vVACUUM", "VACUUM"},
        {"\vVACUUM", ""},
        {"-- x\nVACUUM", "VACUUM"},
        {"-- x", ""},
        {"/* SELECT */ VACUUM", "VACUUM"},
        {"/**/VACUUM", "VACUUM"},
        {"/*/ SELECT */VACUUM", "VACUUM"},
        {"/* unfinished VACUUM", ""},
        {"/", ""},
        {"-", ""},
        {"/*", ""},
        {"\xEF\xBB\xBFVACUUM", "VACUUM"},
        {"(SELECT 1)", ""},
        {"a\xC3\xA9_$1 x", "a\xC3\xA9_$1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct elfs_view sql = heap_view(cases[i].sql, strlen(cases[i].sql));
        struct elfs_view word = elfs_sql_first_word(sql);
        if (!elfs_view_is(word, cases[i].word)) fail_msg("%s", cases[i].sql);
        free((void *)sql.data);
    }
}

static void words(void **state) {
    (void)state;
    assert_true(elfs_sql_word_is(elfs_view_str("VaCuum"), "VACUUM"));
    assert_false(elfs_sql_word_is(elfs_view_str("VACUU"), "VACUUM"));
    assert_false(elfs_sql_word_is(elfs_view_str("VACUUMS"), "VACUUM"));
    assert_false(elfs_sql_word_is(ELFS_VIEW_NONE, "VACUUM"));
}

static const struct {
    const char *sql;
    size_t len;
    bool blank;
} blanks[] = {
    {"", 0, true},
    {" ;\n;", 4, true},
    {" \v ", 3, true},
    {"-- a comment", 12, true},
    {"-- a\n-- b\n", 10, true},
    {"/* a */;", 8, true},
    {"/* unfinished", 13, true},
    {"/* a */x", 8, false},
    {"/*", 2, false},
    {"/", 1, false},
    {"-", 1, false},
    {"SELECT", 6, false},
    {"-- a\nx", 6, false},
    {"\xEF\xBB", 2, false},
    {"\xEF\xBB\xBF", 3, true},
    {"\0", 1, false},
};

static void blank(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
        struct elfs_view sql = heap_view(blanks[i].sql, blanks[i].len);
        if (elfs_sql_is_blank(sql) != blanks[i].blank) fail_msg("%s", blanks[i].sql);
        free((void *)sql.data);
    }
}

/* SQLite itself prepares no statement from what is blank, and does not accept the rest so. */
static void blank_as_sqlite_has_it(void **state) {
    sqlite3 *db = NULL;
    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
        sqlite3_stmt *stmt = NULL;
        if (blanks[i].len != strlen(blanks[i].sql)) continue; /* SQLite stops at a NUL */
        int rc = sqlite3_prepare_v2(db, blanks[i].sql, (int)blanks[i].len, &stmt, NULL);
        bool is_blank = rc == SQLITE_OK && !stmt;
        if (is_blank != blanks[i].blank) fail_msg("%s", blanks[i].sql);
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
}

static void looks_read_only(void **state) {
    static const char *const reading[] = {"select 1",
                                          " VALUES(1)",
                                          "with x as (select 1) select 1",
                                          "explain delete from t",
                                          "PRAGMA user_version",
                                          "/**/ SELECT"};
    static const char *const other[] = {"", "INSERT INTO t SELECT 1", "selects", "BEGIN",
                                        "(SELECT"};
    (void)state;
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        assert_true(elfs_sql_looks_read_only(elfs_view_str(reading[i])));
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_false(elfs_sql_looks_read_only(elfs_view_str(other[i])));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_words),     cmocka_unit_test(words),
        cmocka_unit_test(blank),           cmocka_unit_test(blank_as_sqlite_has_it),
        cmocka_unit_test(looks_read_only),
    };
    return cmocka_run_group_tests_name("sql_text", tests, NULL, NULL);
}
