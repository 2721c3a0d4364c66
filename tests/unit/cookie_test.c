/* The cookie file: what is read, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ei/cookie.h"

static char path[64];
static struct elfs_error err;
static char cookie[ELFS_COOKIE_MAX];

static int setup(void **state) {
    (void)state;
    strcpy(path, "/tmp/elfs_cookie_XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0) return -1;
    return close(fd);
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

static enum elfs_code read_written(const char *content, mode_t mode) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    elfs_error_clear(&err);
    return elfs_cookie_read(path, cookie, &err);
}

static void the_first_line_is_the_cookie(void **state) {
    (void)state;
    assert_int_equal(read_written("SECRET", 0400), ELFS_OK);
    assert_string_equal(cookie, "SECRET");
    assert_int_equal(read_written("AB CD\r\nrest", 0600), ELFS_OK);
    assert_string_equal(cookie, "AB CD");
}

static void a_file_that_others_can_read_is_refused(void **state) {
    (void)state;
    const mode_t modes[] = {0440, 0404, 0620, 0601};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(read_written("SECRET", modes[i]), ELFS_BADARG);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, "chmod 400"));
        assert_null(strstr(err.message, "SECRET"));
    }
}

static void empty_long_and_missing(void **state) {
    (void)state;
    char longest[ELFS_COOKIE_MAX + 1];
    memset(longest, 'c', sizeof longest);
    longest[ELFS_COOKIE_MAX] = '\0';
    assert_int_equal(read_written("", 0400), ELFS_BADARG);
    assert_int_equal(read_written("\nX", 0400), ELFS_BADARG);
    assert_int_equal(read_written(longest, 0600), ELFS_LIMIT);
    longest[ELFS_COOKIE_MAX - 1] = '\0';
    assert_int_equal(read_written(longest, 0600), ELFS_OK);
    assert_int_equal(strlen(cookie), ELFS_COOKIE_MAX - 1);
    assert_int_equal(elfs_cookie_read("/nonexistent/cookie", cookie, &err), ELFS_SYSTEM);
    assert_non_null(strstr(err.message, "/nonexistent/cookie"));
    assert_int_equal(elfs_cookie_read("/tmp", cookie, &err), ELFS_BADARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_line_is_the_cookie, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_others_can_read_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_long_and_missing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
