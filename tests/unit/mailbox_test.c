/* mailbox_test - order, hand-over of whole lists, and one wake-up each time it fills. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/mailbox.h"

static int wakes;

static void on_wake(void *arg) {
    assert_ptr_equal(arg, &wakes);
    wakes++;
}

static void carries_jobs_and_ends(void **state) {
    struct elfs_mailbox box;
    struct elfs_job a = {.cost = 1};
    struct elfs_job b = {.cost = 2};
    struct elfs_job c = {.cost = 3};
    struct elfs_tx tx;
    struct elfs_list jobs;
    struct elfs_list ended;
    (void)state;
    wakes = 0;
    elfs_tx_init(&tx, 1, 1);
    assert_int_equal(elfs_mailbox_init(&box, on_wake, &wakes), ELFS_OK);
    elfs_list_init(&jobs);
    elfs_mailbox_post(&box, &jobs, NULL);
    assert_int_equal(wakes, 0); /* nothing posted */

    elfs_list_push_back(&jobs, &a.link);
    elfs_list_push_back(&jobs, &b.link);
    elfs_mailbox_post(&box, &jobs, NULL);
    assert_true(elfs_list_empty(&jobs));
    elfs_list_push_back(&jobs, &c.link);
    elfs_mailbox_post(&box, &jobs, &tx);
    assert_int_equal(wakes, 1); /* it was not empty in between */

    elfs_mailbox_take(&box, &jobs, &ended);
    assert_ptr_equal(elfs_list_pop_front(&jobs), &a.link);
    assert_ptr_equal(elfs_list_pop_front(&jobs), &b.link);
    assert_ptr_equal(elfs_list_pop_front(&jobs), &c.link);
    assert_null(elfs_list_pop_front(&jobs));
    assert_ptr_equal(elfs_list_pop_front(&ended), &tx.link);
    assert_null(elfs_list_pop_front(&ended));

    elfs_mailbox_post(&box, &jobs, &tx); /* an end alone wakes, too */
    assert_int_equal(wakes, 2);
    elfs_mailbox_take(&box, &jobs, &ended);
    assert_true(elfs_list_empty(&jobs));
    assert_ptr_equal(elfs_list_pop_front(&ended), &tx.link);
    elfs_mailbox_fini(&box);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(carries_jobs_and_ends)};
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
