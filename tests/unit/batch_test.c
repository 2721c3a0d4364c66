/* batch_test - which jobs may share a transaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/batch.h"

static const struct elfs_batch_limits limits = {.max_jobs = 3, .max_bytes = 1000, .max_us = 50};

static void admits(void **state) {
    static const struct {
        struct elfs_batch batch;
        size_t bytes;
        bool alone;
        int64_t now_us;
        bool expected;
    } cases[] = {
        {{0, 0, 0, false}, 10, false, 0, true},
        {{0, 0, 0, false}, 5000, false, 0, true},   /* too large for any group: goes by itself */
        {{0, 0, 0, false}, 10, false, 9999, true},  /* the first always goes */
        {{0, 0, 0, false}, 10, true, 0, true},      /* BEGIN as the first */
        {{1, 10, 0, false}, 10, true, 0, false},    /* BEGIN never joins */
        {{2, 10, 0, false}, 10, false, 0, true},    /* the third of three */
        {{3, 10, 0, false}, 10, false, 0, false},   /* the fourth */
        {{1, 600, 0, false}, 400, false, 0, true},  /* up to the limit */
        {{1, 600, 0, false}, 401, false, 0, false}, /* past it */
        {{1, 5000, 0, false}, 0, false, 0, false},  /* a large one goes alone */
        {{1, 10, 0, false}, SIZE_MAX, false, 0, false},
        {{1, 10, 0, true}, 10, false, 0, false}, /* after one that wants no company */
        {{1, 10, 100, false}, 10, false, 149, true},
        {{1, 10, 100, false}, 10, false, 150, false}, /* the group has run long enough */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool got = elfs_batch_admits(&limits, &cases[i].batch, cases[i].bytes, cases[i].alone,
                                     cases[i].now_us);
        if (got != cases[i].expected) fail_msg("case %zu", i);
    }
}

static void counts(void **state) {
    (void)state;
    struct elfs_batch batch = {.started_us = 7};
    elfs_batch_add(&batch, 10, false);
    elfs_batch_add(&batch, 20, false);
    assert_int_equal(batch.jobs, 2);
    assert_int_equal(batch.bytes, 30);
    assert_int_equal(batch.started_us, 7);
    assert_false(batch.closed);
    elfs_batch_grow(&batch, 970);
    assert_int_equal(batch.jobs, 2);
    assert_true(elfs_batch_admits(&limits, &batch, 0, false, 7));
    assert_false(elfs_batch_admits(&limits, &batch, 1, false, 7));
    elfs_batch_add(&batch, 0, true);
    assert_true(batch.closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admits),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
