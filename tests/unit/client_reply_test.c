/* What the client library understands of a node's answers, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/reply.h"
#include "client/result.h"
#include "codec/put.h"
#include "fail_alloc.h"
#include "term_text.h"
#include "vectors.h"

static struct elfs_client_reply reply;
static struct elfs_view message;

/* The answer stays in `message` until the next one. */
static enum elfs_code read_text(const char *text) {
    if (message.data) exact_free(message);
    message = term_parse(text);
    return elfs_client_reply_read(message, &reply);
}

static int teardown(void **state) {
    (void)state;
    if (message.data) exact_free(message);
    message = ELFS_VIEW_NONE;
    return 0;
}

static void refusals(void **state) {
    (void)state;
    assert_int_equal(read_text("{rex, {error, #{code => constraint_unique, extended_code => 2067, "
                               "message => <<\"UNIQUE\">>, more => [1]}}}"),
                     ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_REFUSED);
    assert_true(elfs_view_is(reply.name, "constraint_unique"));
    assert_true(elfs_view_is(reply.message, "UNIQUE"));
    assert_int_equal(reply.extended_code, 2067);
    assert_int_equal(reply.index, 0);
    assert_int_equal(read_text("{rex, {error, {3, #{code => timeout, message => <<>>}}}}"),
                     ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_REFUSED);
    assert_true(elfs_view_is(reply.name, "timeout"));
    assert_int_equal(reply.index, 3);
    assert_int_equal(reply.extended_code, 0);
    assert_int_equal(read_text("{rex, {error, busy}}"), ELFS_OK);
    assert_true(elfs_view_is(reply.name, "busy"));
    assert_int_equal(read_text("{rex, {error, {unsupported, <<\"ATTACH\">>}}}"), ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_REFUSED);
    assert_true(elfs_view_is(reply.name, "unsupported"));
    assert_true(elfs_view_is(reply.message, "ATTACH"));
    assert_int_equal(read_text("{rex, {error, {2, {unsupported, <<\"ATTACH\">>}}}}"), ELFS_OK);
    assert_int_equal(reply.index, 2);
    assert_int_equal(read_text("{rex, {error, {unknown_repo, 'My.Repo'}}}"), ELFS_OK);
    assert_true(elfs_view_is(reply.name, "unknown_repo"));
    assert_true(elfs_view_is(reply.message, "My.Repo"));
    assert_int_equal(read_text("{rex, {badrpc, {'EXIT', {undef, [{m, f, [], []}]}}}}"), ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_REFUSED);
    assert_true(elfs_view_is(reply.name, "undef"));
}

static void who_is_the_primary(void **state) {
    (void)state;
    struct elfs_view node;
    assert_int_equal(read_text("{rex, {error, {not_primary, 'a@b'}}}"), ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_NOT_PRIMARY);
    assert_true(elfs_view_is(reply.node, "a@b"));
    assert_int_equal(read_text("{rex, {error, {not_primary, nil}}}"), ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_NOT_PRIMARY);
    assert_int_equal(reply.node.len, 0);
    assert_int_equal(read_text("{rex, {ok, 'a@b'}}"), ELFS_OK);
    assert_int_equal(elfs_client_reply_node(reply.value, &node), ELFS_OK);
    assert_true(elfs_view_is(node, "a@b"));
    assert_int_equal(read_text("{rex, {ok, nil}}"), ELFS_OK);
    assert_int_equal(elfs_client_reply_node(reply.value, &node), ELFS_OK);
    assert_int_equal(node.len, 0);
    assert_int_equal(read_text("{rex, {ok, 7}}"), ELFS_OK);
    assert_int_equal(elfs_client_reply_node(reply.value, &node), ELFS_MALFORMED);
}

static void it_does_not_know(void **state) {
    (void)state;
    assert_int_equal(read_text("{rex, {error, {unknown, <<\"COMMIT\">>}}}"), ELFS_OK);
    assert_int_equal(reply.kind, ELFS_REPLY_UNKNOWN);
    assert_true(elfs_view_is(reply.message, "COMMIT"));
}

static void positions(void **state) {
    (void)state;
    struct elfs_position position;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 100);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_int64(&buf, 7);
    elfs_put_uint64(&buf, UINT64_MAX);
    struct elfs_view largest = {buf.data, buf.len};
    assert_int_equal(elfs_client_reply_position(largest, &position), ELFS_OK);
    assert_true(position.known);
    assert_true(position.txid == 7 && position.checksum == UINT64_MAX);
    elfs_buf_fini(&buf);
    assert_int_equal(read_text("{rex, {ok, nil}}"), ELFS_OK);
    assert_int_equal(elfs_client_reply_position(reply.value, &position), ELFS_OK);
    assert_false(position.known);
    const char *bad[] = {"{rex, {ok, true}}", "{rex, {ok, {1}}}", "{rex, {ok, {-1, 2}}}",
                         "{rex, {ok, {1, a}}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_text(bad[i]), ELFS_OK);
        assert_int_equal(elfs_client_reply_position(reply.value, &position), ELFS_MALFORMED);
    }
}

static void outcomes(void **state) {
    (void)state;
    bool committed = false;
    assert_int_equal(read_text("{rex, {ok, #{outcome => committed, position => nil}}}"), ELFS_OK);
    assert_int_equal(elfs_client_reply_outcome(reply.value, &committed), ELFS_OK);
    assert_true(committed);
    assert_int_equal(read_text("{rex, {ok, #{outcome => aborted, position => {1, 2}}}}"), ELFS_OK);
    assert_int_equal(elfs_client_reply_outcome(reply.value, &committed), ELFS_OK);
    assert_false(committed);
    const char *bad[] = {"{rex, {ok, #{outcome => maybe}}}", "{rex, {ok, #{}}}",
                         "{rex, {ok, committed}}", "{rex, {ok, #{1 => committed}}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_text(bad[i]), ELFS_OK);
        assert_int_equal(elfs_client_reply_outcome(reply.value, &committed), ELFS_MALFORMED);
    }
}

/* Never taken for an answer: it could only be a wrong one. */
static void what_is_no_answer(void **state) {
    (void)state;
    static const char *const texts[] = {
        "ok",
        "{rex}",
        "{xer, {ok, 1}}",
        "{rex, ok}",
        "{rex, {ok}}",
        "{rex, {maybe, 1}}",
        "{rex, {error, 1}}",
        "{rex, {error, #{message => <<>>}}}",
        "{rex, {error, #{code => 1}}}",
        "{rex, {error, #{code => a, message => b}}}",
        "{rex, {error, #{code => a, extended_code => -1}}}",
        "{rex, {error, #{code => a, extended_code => 4294967296}}}",
        "{rex, {error, #{<<\"code\">> => a}}}",
        "{rex, {error, {0, busy}}}",
        "{rex, {error, {-1, busy}}}",
        "{rex, {error, {1, 2}}}",
        "{rex, {error, {1, {1, busy}}}}",
        "{rex, {error, {not_primary, 1}}}",
        "{rex, {error, {a, b, c}}}",
        "{rex, {badrpc, nodedown}}",
        "{rex, {badrpc, {'EXIT', normal}}}",
        "{rex, {badrpc, {'EXIT', {{a, b}, []}}}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (read_text(texts[i]) != ELFS_MALFORMED) fail_msg("understood %s", texts[i]);
    }
}

/* A result map, with what follows its rows replaced or added. */
#define RESULT(columns, rows)                                                                      \
    "#{columns => " columns ", rows => " rows                                                      \
    ", num_rows => 2, changes => 3, last_insert_rowid => -4, position => {5, 6}}"

static const char two_rows[] = RESULT("[<<\"a\">>, <<\"b\">>]", "[[1, <<\"x\">>], [nil, 2.5]]");

static struct elfs_client_result *make(const char *text, bool list, enum elfs_code expected) {
    struct elfs_client_result *result;
    struct elfs_view term = term_parse(text);
    enum elfs_code code = elfs_client_result_make(term, list, &result);
    exact_free(term);
    if (code != expected) fail_msg("%s gives %s", text, elfs_code_name(code));
    if (code != ELFS_OK) assert_null(result);
    return result;
}

static bool bytes_are(struct elfs_client_bytes bytes, const char *text) {
    return elfs_view_is((struct elfs_view){bytes.data, bytes.len}, text);
}

static void rows_one_by_one(void **state) {
    (void)state;
    struct elfs_client_result *result = make(two_rows, false, ELFS_OK);
    struct elfs_client_bytes bytes;
    int64_t integer = 77;
    double real = 77;
    assert_int_equal(elfs_client_result_count(result), 1);
    assert_int_equal(elfs_client_result_columns(result), 2);
    assert_true(bytes_are(elfs_client_result_name(result, 0), "a"));
    assert_true(bytes_are(elfs_client_result_name(result, 1), "b"));
    assert_int_equal(elfs_client_result_name(result, 2).len, 0);
    assert_int_equal(elfs_client_result_num_rows(result), 2);
    assert_int_equal(elfs_client_result_changes(result), 3);
    assert_true(elfs_client_result_last_insert_rowid(result) == -4);
    assert_true(elfs_client_result_position(result).known);
    assert_int_equal(elfs_client_result_position(result).txid, 5);
    assert_false(elfs_client_result_repeated(result));
    assert_int_equal(elfs_client_result_acked(result), 0);
    /* Before the first row. */
    assert_int_equal(elfs_client_result_value(result, 0).type, ELFS_CLIENT_NULL);
    assert_true(elfs_client_result_next(result));
    assert_true(elfs_client_result_int(result, 0, &integer));
    assert_int_equal(integer, 1);
    assert_true(elfs_client_result_real(result, 0, &real));
    assert_true(real == 1.0);
    assert_true(elfs_client_result_bytes(result, 1, &bytes));
    assert_true(bytes_are(bytes, "x"));
    assert_false(elfs_client_result_int(result, 1, &integer));
    assert_int_equal(elfs_client_result_value(result, 2).type, ELFS_CLIENT_NULL);
    assert_true(elfs_client_result_next(result));
    assert_false(elfs_client_result_bytes(result, 0, &bytes));
    assert_int_equal(elfs_client_result_value(result, 0).type, ELFS_CLIENT_NULL);
    assert_true(elfs_client_result_real(result, 1, &real));
    assert_true(real == 2.5);
    assert_false(elfs_client_result_next(result));
    assert_false(elfs_client_result_next(result));
    assert_int_equal(elfs_client_result_value(result, 1).type, ELFS_CLIENT_NULL);
    assert_true(elfs_client_result_select(result, 0));
    assert_true(elfs_client_result_next(result));
    elfs_client_result_free(result);
}

static void several_results(void **state) {
    (void)state;
    struct elfs_client_result *result = make(
        "[#{repeated => true, acked => 2, later => {a}, columns => nil, rows => nil}, "
        "#{columns => [<<\"n\">>], rows => []}, #{columns => [<<\"n\">>], rows => [\"\\a\", [8]]}]",
        true, ELFS_OK);
    int64_t integer = 0;
    assert_int_equal(elfs_client_result_count(result), 3);
    assert_true(elfs_client_result_repeated(result));
    assert_int_equal(elfs_client_result_acked(result), 2);
    assert_int_equal(elfs_client_result_columns(result), 0);
    assert_false(elfs_client_result_next(result));
    assert_true(elfs_client_result_select(result, 1));
    assert_int_equal(elfs_client_result_columns(result), 1);
    assert_false(elfs_client_result_next(result));
    /* A row of one small integer may arrive as a string. */
    assert_true(elfs_client_result_select(result, 2));
    assert_true(elfs_client_result_next(result));
    assert_true(elfs_client_result_int(result, 0, &integer));
    assert_true(elfs_client_result_next(result));
    assert_true(elfs_client_result_int(result, 0, &integer));
    assert_int_equal(integer, 8);
    assert_false(elfs_client_result_select(result, 3));
    assert_int_equal(elfs_client_result_columns(result), 1);
    elfs_client_result_free(result);
    result = make("[]", true, ELFS_OK);
    assert_int_equal(elfs_client_result_count(result), 0);
    assert_false(elfs_client_result_next(result));
    assert_int_equal(elfs_client_result_columns(result), 0);
    assert_int_equal(elfs_client_result_num_rows(result), 0);
    elfs_client_result_free(result);
}

static void what_is_no_result(void **state) {
    (void)state;
    static const char *const texts[] = {
        "nil",
        "#{}",
        "#{columns => nil}",
        "#{columns => nil, rows => []}",
        "#{columns => [], rows => nil}",
        "#{<<\"columns\">> => nil, columns => nil, rows => nil}",
        "#{columns => nil, rows => nil, changes => a}",
        "#{columns => nil, rows => nil, position => {1}}",
        RESULT("[a]", "[]"),
        RESULT("[<<\"a\">> | b]", "[]"),
        RESULT("[<<\"a\">>]", "[1]"),
        RESULT("[<<\"a\">>]", "[[]]"),
        RESULT("[<<\"a\">>]", "[[1, 2]]"),
        RESULT("[<<\"a\">>]", "[[{}]]"),
        RESULT("[<<\"a\">>]", "[[true]]"),
        RESULT("[<<\"a\">>]", "[[1 | a]]"),
        RESULT("[<<\"a\">>]", "[[1], [2] | a]"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) make(texts[i], false, ELFS_MALFORMED);
    make("[nil]", true, ELFS_MALFORMED);
    make("{}", true, ELFS_MALFORMED);
    /* An integer that no SQLite has. */
    struct elfs_buf buf;
    struct elfs_client_result *result;
    elfs_buf_init(&buf, 100);
    elfs_put_map_header(&buf, 2);
    elfs_put_atom(&buf, "columns");
    elfs_put_list_header(&buf, 1);
    elfs_put_binary_str(&buf, "a");
    elfs_put_nil(&buf);
    elfs_put_atom(&buf, "rows");
    elfs_put_list_header(&buf, 1);
    elfs_put_list_header(&buf, 1);
    elfs_put_uint64(&buf, UINT64_MAX);
    elfs_put_nil(&buf);
    elfs_put_nil(&buf);
    struct elfs_view large = {buf.data, buf.len};
    assert_int_equal(elfs_client_result_make(large, false, &result), ELFS_MALFORMED);
    elfs_buf_fini(&buf);
    /* No memory for a part a byte. */
    make("[[], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], "
         "[], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], []]",
         true, ELFS_MALFORMED);
}

/* The link checks that a message is a whole term; these must not read past its end even so. */
static void check_prefix(struct elfs_view prefix) {
    struct elfs_client_reply unused;
    struct elfs_client_result *result;
    struct elfs_view copy = exact_copy(prefix);
    assert_int_equal(elfs_client_reply_read(copy, &unused), ELFS_MALFORMED);
    assert_int_equal(elfs_client_result_make(copy, false, &result), ELFS_MALFORMED);
    assert_int_equal(elfs_client_result_make(copy, true, &result), ELFS_MALFORMED);
    exact_free(copy);
}

static void every_truncation(void **state) {
    (void)state;
    static const char *const texts[] = {
        two_rows,
        "{rex, {ok, #{columns => nil, rows => nil, changes => 1}}}",
        "{rex, {error, {3, #{code => constraint_unique, extended_code => 2067, message => "
        "<<\"m\">>}}}}",
        "{rex, {error, {not_primary, 'a@b'}}}",
        "{rex, {badrpc, {'EXIT', {undef, [{m, f, [], []}]}}}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct elfs_view term = term_parse(texts[i]);
        prefixes_each(term, check_prefix);
        exact_free(term);
    }
}

/* Every byte of an answer, changed in every way: no read outside, and what is made can be read. */
static void every_other_byte(void **state) {
    (void)state;
    struct elfs_view term = term_parse(two_rows);
    for (size_t i = 0; i < term.len; i++) {
        for (int byte = 0; byte < 256; byte++) {
            struct elfs_view copy = exact_copy(term);
            struct elfs_client_result *result;
            struct elfs_view whole;
            ((uint8_t *)copy.data)[i] = (uint8_t)byte;
            struct elfs_reader r = elfs_reader_of(copy);
            enum elfs_code code = elfs_term_skip(&r, &whole);
            if (code == ELFS_OK) code = elfs_client_result_make(whole, false, &result);
            exact_free(copy);
            if (code != ELFS_OK) continue;
            while (elfs_client_result_next(result)) {
                for (size_t c = 0; c <= elfs_client_result_columns(result); c++)
                    elfs_client_result_value(result, c);
            }
            elfs_client_result_free(result);
        }
    }
    exact_free(term);
}

static bool make_once(void *arg) {
    struct elfs_client_result *result;
    enum elfs_code code = elfs_client_result_make(*(struct elfs_view *)arg, false, &result);
    assert_true(code == ELFS_OK || code == ELFS_NOMEM);
    elfs_client_result_free(result);
    return code == ELFS_OK;
}

static void no_memory(void **state) {
    (void)state;
    struct elfs_view term = term_parse(two_rows);
    fail_alloc_each(make_once, &term);
    exact_free(term);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(refusals, teardown),
        cmocka_unit_test_teardown(who_is_the_primary, teardown),
        cmocka_unit_test_teardown(it_does_not_know, teardown),
        cmocka_unit_test_teardown(positions, teardown),
        cmocka_unit_test_teardown(outcomes, teardown),
        cmocka_unit_test_teardown(what_is_no_answer, teardown),
        cmocka_unit_test(rows_one_by_one),
        cmocka_unit_test(several_results),
        cmocka_unit_test(what_is_no_result),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_other_byte),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
