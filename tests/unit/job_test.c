/* job_test - start against cancel, and the words for the end of a transaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

#include "store/job.h"

static void cancel_then_start(void **state) {
    struct elfs_job job = {.stage = ELFS_JOB_WAITING};
    (void)state;
    assert_true(elfs_job_cancel(&job));
    assert_true(elfs_job_cancel(&job)); /* still true: it will not run */
    assert_false(elfs_job_start(&job));
}

static void start_then_cancel(void **state) {
    struct elfs_job job = {.stage = ELFS_JOB_WAITING};
    (void)state;
    assert_true(elfs_job_start(&job));
    assert_false(elfs_job_cancel(&job));
    assert_false(elfs_job_start(&job));
}

struct race {
    struct elfs_job job;
    bool started;
};

static void *starter(void *arg) {
    struct race *race = arg;
    race->started = elfs_job_start(&race->job);
    return NULL;
}

static void one_of_both_wins(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct race race = {.started = false};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, starter, &race), 0);
        bool cancelled = elfs_job_cancel(&race.job);
        pthread_join(thread, NULL);
        assert_true(cancelled != race.started);
    }
}

static void every_end_has_words(void **state) {
    (void)state;
    for (int a = ELFS_TX_OPEN; a <= ELFS_TX_STOPPED; a++) {
        const char *text = elfs_tx_end_text((enum elfs_tx_end)a);
        assert_true(text[0] != '\0');
        for (int b = ELFS_TX_OPEN; b < a; b++) {
            assert_string_not_equal(text, elfs_tx_end_text((enum elfs_tx_end)b));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_then_start),
        cmocka_unit_test(start_then_cancel),
        cmocka_unit_test(one_of_both_wins),
        cmocka_unit_test(every_end_has_words),
    };
    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
