/* The line splitter: the same lines whatever the pieces, bounded memory, failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "detect/lines.h"
#include "fail_alloc.h"
#include "vectors.h"

#define MAX_LINE 8

static struct elfs_lines lines;
static char seen[256];

static int setup(void **state) {
    (void)state;
    elfs_lines_init(&lines, MAX_LINE);
    seen[0] = '\0';
    return 0;
}

static int teardown(void **state) {
    (void)state;
    elfs_lines_fini(&lines);
    return 0;
}

/* Feeds a piece (on a block of its own) and writes each line it gives into `seen`, in brackets. */
static void feed(const char *bytes, size_t len) {
    struct elfs_view copy = exact_copy((struct elfs_view){(const uint8_t *)bytes, len});
    struct elfs_view piece = copy, line;
    while (elfs_lines_next(&lines, &piece, &line) == ELFS_OK) {
        size_t at = strlen(seen);
        snprintf(seen + at, sizeof seen - at, "[%.*s]", ELFS_VIEW_ARGS(line));
    }
    assert_int_equal(piece.len, 0);
    exact_free(copy);
}

static const char sample[] =
    "one\n\n8 bytes!\n9 bytes!!\ntwo\n123456789012345678901234567890\nx\nrest";
#define SAMPLE_LINES "[one][][8 bytes!][two][x]"

static void at_once(void **state) {
    (void)state;
    feed(sample, strlen(sample));
    assert_string_equal(seen, SAMPLE_LINES);
    assert_int_equal(lines.skipped, 2);
    feed("\n", 1);
    assert_string_equal(seen, SAMPLE_LINES "[rest]");
}

static void byte_by_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < strlen(sample); i++) feed(sample + i, 1);
    assert_string_equal(seen, SAMPLE_LINES);
    assert_int_equal(lines.skipped, 2);
}

static void split_anywhere(void **state) {
    (void)state;
    size_t len = strlen(sample);
    for (size_t a = 0; a <= len; a++) {
        for (size_t b = a; b <= len; b++) {
            teardown(NULL);
            setup(NULL);
            feed(sample, a);
            feed(sample + a, b - a);
            feed(sample + b, len - b);
            assert_string_equal(seen, SAMPLE_LINES);
            assert_int_equal(lines.skipped, 2);
        }
    }
}

static void a_line_without_end_takes_no_memory(void **state) {
    (void)state;
    char block[4096];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1000; i++) {
        feed(block, sizeof block);
        assert_true(lines.rest.cap <= 64);
    }
    assert_int_equal(lines.skipped, 1);
    feed("\nnext\n", 6);
    assert_string_equal(seen, "[next]");
}

static void reset_forgets_the_line_under_way(void **state) {
    (void)state;
    feed("begun", 5);
    elfs_lines_reset(&lines);
    feed("new\n", 4);
    feed("far too long", 12);
    elfs_lines_reset(&lines);
    feed("newer\n", 6);
    assert_string_equal(seen, "[new][newer]");
    assert_int_equal(lines.skipped, 1);
}

/* Out of memory is a line too long: skipped, counted, and over with its end. */
static void out_of_memory_skips_a_line(void **state) {
    (void)state;
    fail_alloc_start(1);
    feed("lost", 4);
    assert_true(fail_alloc_stop());
    feed(" line\nkept\n", 11);
    assert_string_equal(seen, "[kept]");
    assert_int_equal(lines.skipped, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(split_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_without_end_takes_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_forgets_the_line_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(out_of_memory_skips_a_line, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
