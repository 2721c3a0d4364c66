/* result: maps of rows and of errors, read back with our reader and with ei. */
#include "codec/result.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include <cmocka.h>

#include <ei.h>
#include <sqlite3.h>

#include "codec/term.h"
#include "fail_alloc.h"
#include "vectors.h"

static const struct elfs_position nowhere = {.known = false};

#define SUMMARY(rows) (&(const struct elfs_summary){true, (rows), 0, 0})

static const struct elfs_value values[] = {
    {.type = ELFS_INTEGER, .integer = -7},
    {.type = ELFS_REAL, .real = 2.5},
    {.type = ELFS_TEXT, .bytes = {(const uint8_t *)"text", 4}},
    {.type = ELFS_BLOB, .bytes = {(const uint8_t *)"\0\xFF", 2}},
    {.type = ELFS_NULL},
};
#define COLUMNS (sizeof values / sizeof *values)
static const char *const names[COLUMNS] = {"i", "r", "t", "b", "n"};

/* Pushes a statement with so many rows of the values above. */
static enum elfs_code push(struct elfs_sink *sink, size_t rows) {
    enum elfs_code code = sink->columns(sink, COLUMNS, names);
    for (size_t i = 0; code == ELFS_OK && i < rows; i++) {
        code = sink->row(sink, COLUMNS);
        for (size_t c = 0; code == ELFS_OK && c < COLUMNS; c++)
            code = sink->value(sink, &values[c]);
    }
    return code == ELFS_OK ? sink->done(sink, SUMMARY((int64_t)rows)) : code;
}

/* The map of statement i, which must be one sound term; the caller frees both. */
static struct elfs_view map_of(const struct elfs_result *result, size_t i,
                               const struct elfs_position *position) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 20);
    elfs_result_put(&buf, result, i, &(struct elfs_receipt){.position = *position});
    assert_int_equal(buf.status, ELFS_OK);
    struct elfs_view map = exact_copy((struct elfs_view){buf.data, buf.len}), whole;
    elfs_buf_fini(&buf);
    struct elfs_reader r = elfs_reader_of(map);
    assert_int_equal(elfs_term_skip(&r, &whole), ELFS_OK);
    assert_int_equal(whole.len, map.len);
    int index = 0;
    assert_int_equal(ei_skip_term((const char *)map.data, &index), 0);
    assert_int_equal(index, map.len);
    return map;
}

/* The value of a key in a map of six pairs with atom keys. */
static struct elfs_reader value_at(struct elfs_view map, const char *key) {
    struct elfs_reader r = elfs_reader_of(map);
    size_t pairs;
    assert_int_equal(elfs_term_map(&r, &pairs), ELFS_OK);
    for (; pairs > 0; pairs--) {
        struct elfs_view name, value;
        assert_int_equal(elfs_term_atom(&r, &name), ELFS_OK);
        assert_int_equal(elfs_term_skip(&r, &value), ELFS_OK);
        if (elfs_view_is(name, key)) return elfs_reader_of(value);
    }
    fail_msg("no key %s", key);
    return elfs_reader_of(ELFS_VIEW_NONE);
}

static int64_t int_at(struct elfs_view map, const char *key) {
    struct elfs_reader r = value_at(map, key);
    int64_t value;
    assert_int_equal(elfs_term_int64(&r, &value), ELFS_OK);
    return value;
}

static void assert_atom(struct elfs_reader r, const char *text) {
    struct elfs_view atom;
    assert_int_equal(elfs_term_atom(&r, &atom), ELFS_OK);
    assert_true(elfs_view_is(atom, text));
}

static void assert_list(struct elfs_reader *r, size_t expected) {
    size_t count;
    bool tail;
    assert_int_equal(elfs_term_list(r, &count, &tail), ELFS_OK);
    assert_int_equal(count, expected);
}

static void assert_binary(struct elfs_reader *r, struct elfs_view expected) {
    struct elfs_view bytes;
    assert_int_equal(elfs_term_binary(r, &bytes), ELFS_OK);
    assert_true(elfs_view_equal(bytes, expected));
}

static void assert_row(struct elfs_reader *r) {
    int64_t integer;
    double real;
    struct elfs_view atom;
    assert_list(r, COLUMNS);
    assert_int_equal(elfs_term_int64(r, &integer), ELFS_OK);
    assert_int_equal(integer, -7);
    assert_int_equal(elfs_term_float(r, &real), ELFS_OK);
    assert_true(real == 2.5);
    assert_binary(r, values[2].bytes);
    assert_binary(r, values[3].bytes);
    assert_int_equal(elfs_term_atom(r, &atom), ELFS_OK);
    assert_true(elfs_view_is(atom, "nil"));
    assert_list(r, 0);
}

static void rows_of_every_type(void **state) {
    (void)state;
    for (size_t rows = 0; rows < 4; rows++) {
        struct elfs_result result;
        elfs_result_init(&result, 4096);
        assert_int_equal(push(&result.sink, rows), ELFS_OK);
        assert_int_equal(result.count, 1);
        struct elfs_view map = map_of(&result, 0, &nowhere);
        struct elfs_reader r = value_at(map, "columns");
        assert_list(&r, COLUMNS);
        for (size_t i = 0; i < COLUMNS; i++) assert_binary(&r, elfs_view_str(names[i]));
        r = value_at(map, "rows");
        assert_list(&r, rows);
        for (size_t i = 0; i < rows; i++) assert_row(&r);
        if (rows > 0) assert_list(&r, 0);
        assert_int_equal(elfs_reader_left(&r), 0);
        assert_int_equal(int_at(map, "num_rows"), rows);
        assert_atom(value_at(map, "position"), "nil");
        exact_free(map);
        elfs_result_fini(&result);
    }
}

static void a_statement_without_columns(void **state) {
    (void)state;
    struct elfs_result result;
    elfs_result_init(&result, 4096);
    const struct elfs_summary summary = {false, 3, 3, 1LL << 40};
    assert_int_equal(result.sink.done(&result.sink, &summary), ELFS_OK);
    const struct elfs_position position = {true, 0xFFFFFFFFFFFFFFFF, 5};
    struct elfs_view map = map_of(&result, 0, &position), magnitude;
    assert_atom(value_at(map, "columns"), "nil");
    assert_atom(value_at(map, "rows"), "nil");
    assert_int_equal(int_at(map, "num_rows"), 3);
    assert_int_equal(int_at(map, "changes"), 3);
    assert_int_equal(int_at(map, "last_insert_rowid"), 1LL << 40);
    struct elfs_reader r = value_at(map, "position");
    size_t arity;
    int sign;
    int64_t checksum;
    uint8_t scratch[8];
    assert_int_equal(elfs_term_tuple(&r, &arity), ELFS_OK);
    assert_int_equal(arity, 2);
    assert_int_equal(elfs_term_integer(&r, &sign, &magnitude, scratch), ELFS_OK);
    assert_int_equal(sign, 0);
    assert_true(elfs_view_is(magnitude, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    assert_int_equal(elfs_term_int64(&r, &checksum), ELFS_OK);
    assert_int_equal(checksum, 5);
    exact_free(map);
    elfs_result_fini(&result);
}

static void several_statements(void **state) {
    (void)state;
    struct elfs_result result;
    elfs_result_init(&result, 4096);
    const struct elfs_summary insert = {false, 1, 1, 9};
    assert_int_equal(push(&result.sink, 2), ELFS_OK);
    assert_int_equal(result.sink.done(&result.sink, &insert), ELFS_OK);
    assert_int_equal(push(&result.sink, 0), ELFS_OK);
    assert_int_equal(result.count, 3);
    static const int64_t expected[] = {2, 1, 0};
    for (size_t i = 0; i < 3; i++) {
        struct elfs_view map = map_of(&result, i, &nowhere);
        assert_int_equal(int_at(map, "num_rows"), expected[i]);
        exact_free(map);
    }
    elfs_result_fini(&result);
}

static void reset_forgets_everything(void **state) {
    (void)state;
    struct elfs_result result;
    elfs_result_init(&result, 4096);
    assert_int_equal(push(&result.sink, 2), ELFS_OK);
    result.sink.columns(&result.sink, COLUMNS, names);
    result.sink.row(&result.sink, COLUMNS);
    result.sink.reset(&result.sink);
    assert_int_equal(result.count, 0);
    assert_int_equal(push(&result.sink, 1), ELFS_OK);
    struct elfs_view map = map_of(&result, 0, &nowhere);
    struct elfs_reader r = value_at(map, "rows");
    assert_list(&r, 1);
    assert_row(&r);
    exact_free(map);
    elfs_result_fini(&result);
}

/* Every size too small fails with the same code and can be reset. */
static void too_big(void **state) {
    (void)state;
    struct elfs_result result;
    elfs_result_init(&result, 4096);
    assert_int_equal(push(&result.sink, 2), ELFS_OK);
    size_t need = result.bytes.len;
    elfs_result_fini(&result);
    for (size_t max = 0; max < need; max++) {
        elfs_result_init(&result, max);
        assert_int_equal(push(&result.sink, 2), ELFS_RESULT_TOO_BIG);
        result.sink.reset(&result.sink);
        assert_int_equal(result.bytes.status, ELFS_OK);
        elfs_result_fini(&result);
    }
    elfs_result_init(&result, need);
    assert_int_equal(push(&result.sink, 2), ELFS_OK);
    elfs_result_fini(&result);
}

static void what_erlang_has_no_term_for(void **state) {
    (void)state;
    const double bad[] = {(double)INFINITY, (double)-INFINITY, (double)NAN};
    struct elfs_result result;
    elfs_result_init(&result, 4096);
    result.sink.columns(&result.sink, 1, names);
    result.sink.row(&result.sink, 1);
    for (size_t i = 0; i < 3; i++) {
        struct elfs_value value = {.type = ELFS_REAL, .real = bad[i]};
        assert_int_equal(result.sink.value(&result.sink, &value), ELFS_UNREPRESENTABLE);
    }
    elfs_result_fini(&result);
}

static bool push_three(void *arg) {
    (void)arg;
    struct elfs_result result;
    elfs_result_init(&result, 1 << 16);
    enum elfs_code code = ELFS_OK;
    for (int i = 0; code == ELFS_OK && i < 3; i++) code = push(&result.sink, 20);
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    elfs_result_fini(&result);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    fail_alloc_each(push_three, NULL);
}

static void assert_error(enum elfs_code code, int sqlite_code, const char *expected, size_t len) {
    struct elfs_error err = {.code = code, .sqlite_code = sqlite_code, .message = "why"};
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1024);
    elfs_error_put(&buf, &err);
    assert_int_equal(buf.status, ELFS_OK);
    assert_int_equal(buf.len, len);
    assert_memory_equal(buf.data, expected, len);
    elfs_buf_fini(&buf);
}

#define WHY "m\0\0\0\3why"
#define ASSERT_ERROR(code, sqlite_code, expected)                                                  \
    assert_error(code, sqlite_code, expected, sizeof(expected) - 1)

static void errors(void **state) {
    (void)state;
    ASSERT_ERROR(ELFS_BUSY, 0, "w\4busy");
    ASSERT_ERROR(ELFS_UNSUPPORTED, 0, "h\2w\13unsupported" WHY);
    ASSERT_ERROR(ELFS_UNKNOWN, 10, "h\2w\7unknown" WHY);
    ASSERT_ERROR(ELFS_SQLITE, 2067,
                 "t\0\0\0\3w\4codew\21constraint_uniquew\15extended_codeb\0\0\10\23w\7message" WHY);
    ASSERT_ERROR(ELFS_TIMEOUT, 0, "t\0\0\0\2w\4codew\7timeoutw\7message" WHY);
    ASSERT_ERROR(ELFS_NO_TRANSACTION, 0, "t\0\0\0\2w\4codew\16no_transactionw\7message" WHY);
}

/* Every code of SQLite 3.40, by the header's own macros. */
static void names_of_sqlite_codes(void **state) {
    (void)state;
#define CODE(name)                                                                                 \
    { SQLITE_##name, #name }
    static const struct {
        int number;
        const char *name;
    } table[] = {
        CODE(OK),
        CODE(ERROR),
        CODE(INTERNAL),
        CODE(PERM),
        CODE(ABORT),
        CODE(BUSY),
        CODE(LOCKED),
        CODE(NOMEM),
        CODE(READONLY),
        CODE(INTERRUPT),
        CODE(IOERR),
        CODE(CORRUPT),
        CODE(NOTFOUND),
        CODE(FULL),
        CODE(CANTOPEN),
        CODE(PROTOCOL),
        CODE(EMPTY),
        CODE(SCHEMA),
        CODE(TOOBIG),
        CODE(CONSTRAINT),
        CODE(MISMATCH),
        CODE(MISUSE),
        CODE(NOLFS),
        CODE(AUTH),
        CODE(FORMAT),
        CODE(RANGE),
        CODE(NOTADB),
        CODE(NOTICE),
        CODE(WARNING),
        CODE(ROW),
        CODE(DONE),
        CODE(ERROR_MISSING_COLLSEQ),
        CODE(ERROR_RETRY),
        CODE(ERROR_SNAPSHOT),
        CODE(IOERR_READ),
        CODE(IOERR_SHORT_READ),
        CODE(IOERR_WRITE),
        CODE(IOERR_FSYNC),
        CODE(IOERR_DIR_FSYNC),
        CODE(IOERR_TRUNCATE),
        CODE(IOERR_FSTAT),
        CODE(IOERR_UNLOCK),
        CODE(IOERR_RDLOCK),
        CODE(IOERR_DELETE),
        CODE(IOERR_BLOCKED),
        CODE(IOERR_NOMEM),
        CODE(IOERR_ACCESS),
        CODE(IOERR_CHECKRESERVEDLOCK),
        CODE(IOERR_LOCK),
        CODE(IOERR_CLOSE),
        CODE(IOERR_DIR_CLOSE),
        CODE(IOERR_SHMOPEN),
        CODE(IOERR_SHMSIZE),
        CODE(IOERR_SHMLOCK),
        CODE(IOERR_SHMMAP),
        CODE(IOERR_SEEK),
        CODE(IOERR_DELETE_NOENT),
        CODE(IOERR_MMAP),
        CODE(IOERR_GETTEMPPATH),
        CODE(IOERR_CONVPATH),
        CODE(IOERR_VNODE),
        CODE(IOERR_AUTH),
        CODE(IOERR_BEGIN_ATOMIC),
        CODE(IOERR_COMMIT_ATOMIC),
        CODE(IOERR_ROLLBACK_ATOMIC),
        CODE(IOERR_DATA),
        CODE(IOERR_CORRUPTFS),
        CODE(LOCKED_SHAREDCACHE),
        CODE(LOCKED_VTAB),
        CODE(BUSY_RECOVERY),
        CODE(BUSY_SNAPSHOT),
        CODE(BUSY_TIMEOUT),
        CODE(CANTOPEN_NOTEMPDIR),
        CODE(CANTOPEN_ISDIR),
        CODE(CANTOPEN_FULLPATH),
        CODE(CANTOPEN_CONVPATH),
        CODE(CANTOPEN_DIRTYWAL),
        CODE(CANTOPEN_SYMLINK),
        CODE(CORRUPT_VTAB),
        CODE(CORRUPT_SEQUENCE),
        CODE(CORRUPT_INDEX),
        CODE(READONLY_RECOVERY),
        CODE(READONLY_CANTLOCK),
        CODE(READONLY_ROLLBACK),
        CODE(READONLY_DBMOVED),
        CODE(READONLY_CANTINIT),
        CODE(READONLY_DIRECTORY),
        CODE(ABORT_ROLLBACK),
        CODE(CONSTRAINT_CHECK),
        CODE(CONSTRAINT_COMMITHOOK),
        CODE(CONSTRAINT_FOREIGNKEY),
        CODE(CONSTRAINT_FUNCTION),
        CODE(CONSTRAINT_NOTNULL),
        CODE(CONSTRAINT_PRIMARYKEY),
        CODE(CONSTRAINT_TRIGGER),
        CODE(CONSTRAINT_UNIQUE),
        CODE(CONSTRAINT_VTAB),
        CODE(CONSTRAINT_ROWID),
        CODE(CONSTRAINT_PINNED),
        CODE(CONSTRAINT_DATATYPE),
        CODE(NOTICE_RECOVER_WAL),
        CODE(NOTICE_RECOVER_ROLLBACK),
        CODE(WARNING_AUTOINDEX),
        CODE(AUTH_USER),
        CODE(OK_LOAD_PERMANENTLY),
        CODE(OK_SYMLINK),
    };
#undef CODE
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *name = elfs_sqlite_code_name(table[i].number);
        if (strcasecmp(name, table[i].name) != 0) fail_msg("%s is %s", table[i].name, name);
        for (const char *c = name; *c; c++) assert_false(*c >= 'A' && *c <= 'Z');
    }
}

static void unknown_sqlite_codes(void **state) {
    (void)state;
    assert_string_equal(elfs_sqlite_code_name(SQLITE_IOERR | 200 << 8), "ioerr");
    assert_string_equal(elfs_sqlite_code_name(SQLITE_CONSTRAINT | 99 << 8), "constraint");
    assert_string_equal(elfs_sqlite_code_name(77), "error");
    assert_string_equal(elfs_sqlite_code_name(77 | 1 << 8), "error");
    assert_string_equal(elfs_sqlite_code_name(-1), "error");
}

static void saved_and_restored(void **state) {
    (void)state;
    static const struct elfs_position none = {.known = false};
    struct elfs_result result, copy;
    struct elfs_buf saved;
    elfs_result_init(&result, 1 << 20);
    elfs_buf_init(&saved, 1 << 20);
    assert_int_equal(push(&result.sink, 3), ELFS_OK);
    assert_int_equal(push(&result.sink, 0), ELFS_OK);
    assert_int_equal(result.sink.save(&result.sink, &saved), ELFS_OK);
    struct elfs_view bytes = exact_copy((struct elfs_view){saved.data, saved.len});
    elfs_result_init(&copy, 1 << 20);
    assert_int_equal(push(&copy.sink, 1), ELFS_OK); /* is forgotten */
    assert_int_equal(copy.sink.restore(&copy.sink, bytes, 1), ELFS_BADARG);
    assert_int_equal(copy.count, 0);
    assert_int_equal(copy.sink.restore(&copy.sink, bytes, 2), ELFS_OK);
    for (size_t i = 0; i < 2; i++) {
        struct elfs_view a = map_of(&result, i, &none), b = map_of(&copy, i, &none);
        assert_true(elfs_view_equal(a, b));
        exact_free(a);
        exact_free(b);
    }
    for (size_t len = 0; len < bytes.len; len++) {
        struct elfs_view prefix = exact_copy((struct elfs_view){bytes.data, len});
        assert_int_equal(copy.sink.restore(&copy.sink, prefix, 2), ELFS_MALFORMED);
        assert_int_equal(copy.count, 0);
        exact_free(prefix);
    }
    exact_free(bytes);
    elfs_buf_fini(&saved);
    elfs_result_fini(&copy);
    elfs_result_fini(&result);
}

static void a_receipt_says_what_is_known(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 10);
    elfs_receipt_put(&buf, &(struct elfs_receipt){.repeated = true});
    struct elfs_reader value = value_at((struct elfs_view){buf.data, buf.len}, "repeated");
    struct elfs_view text;
    assert_int_equal(elfs_term_atom(&value, &text), ELFS_OK);
    assert_true(elfs_view_is(text, "true"));
    elfs_buf_fini(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_type),
        cmocka_unit_test(a_statement_without_columns),
        cmocka_unit_test(several_statements),
        cmocka_unit_test(reset_forgets_everything),
        cmocka_unit_test(too_big),
        cmocka_unit_test(what_erlang_has_no_term_for),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(errors),
        cmocka_unit_test(names_of_sqlite_codes),
        cmocka_unit_test(unknown_sqlite_codes),
        cmocka_unit_test(saved_and_restored),
        cmocka_unit_test(a_receipt_says_what_is_known),
    };
    return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
