/* error: the table, messages that do not fit, and prefixes. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_unique_and_told(void **state) {
    (void)state;
    for (int a = ELFS_OK; a <= ELFS_SYSTEM; a++) {
        assert_true(strlen(elfs_code_text((enum elfs_code)a)) > 0);
        for (int b = ELFS_OK; b < a; b++)
            assert_string_not_equal(elfs_code_name((enum elfs_code)a),
                                    elfs_code_name((enum elfs_code)b));
    }
    assert_string_equal(elfs_code_name(ELFS_INVALID_PARAMETER), "invalid_parameter");
}

static void fail_fills_and_returns(void **state) {
    (void)state;
    struct elfs_error err = {.sqlite_code = 5};
    assert_int_equal(elfs_fail(&err, ELFS_BUSY, "%s %d", "queue", 7), ELFS_BUSY);
    assert_int_equal(err.code, ELFS_BUSY);
    assert_int_equal(err.sqlite_code, 0);
    assert_string_equal(err.message, "queue 7");
    assert_int_equal(elfs_fail(NULL, ELFS_BUSY, "nobody asks"), ELFS_BUSY);
    elfs_error_clear(&err);
    assert_int_equal(err.code, ELFS_OK);
    assert_string_equal(err.message, "");
    elfs_error_clear(NULL);
}

static bool is_continuation(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* Characters of one to four bytes, cut at every offset within one. */
static void a_cut_message_ends_with_a_character(void **state) {
    (void)state;
    static const char *const characters[] = {"x", "ø", "日", "😀"};
    for (size_t c = 0; c < 4; c++) {
        size_t n = strlen(characters[c]);
        for (size_t shift = 0; shift < n; shift++) {
            char text[2 * ELFS_ERROR_TEXT_MAX] = "";
            memset(text, '.', shift);
            while (strlen(text) + n < sizeof text) strcat(text, characters[c]);
            struct elfs_error err;
            elfs_fail(&err, ELFS_SYSTEM, "%s", text);
            size_t len = strlen(err.message);
            assert_in_range(len, ELFS_ERROR_TEXT_MAX - 1 - n, ELFS_ERROR_TEXT_MAX - 1);
            assert_memory_equal(err.message, text, len);
            assert_false(is_continuation(text[len]));
        }
    }
}

static void a_prefix_says_where(void **state) {
    (void)state;
    struct elfs_error err;
    elfs_fail(&err, ELFS_SQLITE, "what");
    err.sqlite_code = 19;
    elfs_error_prefix(&err, "set %d", 2);
    elfs_error_prefix(&err, "there");
    assert_string_equal(err.message, "there: set 2: what");
    assert_int_equal(err.code, ELFS_SQLITE);
    assert_int_equal(err.sqlite_code, 19);
    elfs_error_prefix(NULL, "nowhere");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_told),
        cmocka_unit_test(fail_fills_and_returns),
        cmocka_unit_test(a_cut_message_ends_with_a_character),
        cmocka_unit_test(a_prefix_says_where),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
