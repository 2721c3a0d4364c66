/* history_test - what counts as of this host's history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "node/history.h"

static struct elfs_position at(uint64_t txid, uint64_t checksum) {
    return (struct elfs_position){.known = true, .txid = txid, .checksum = checksum};
}

static void has_what_was_added(void **state) {
    struct elfs_history history = {0};
    (void)state;
    assert_false(elfs_history_has(&history, at(1, 2)));
    assert_int_equal(elfs_history_add(&history, at(1, 2)), ELFS_OK);
    assert_int_equal(elfs_history_add(&history, (struct elfs_position){.known = false}), ELFS_OK);
    assert_true(elfs_history_has(&history, at(1, 2)));
    assert_false(elfs_history_has(&history, at(1, 3)));
    assert_false(elfs_history_has(&history, at(2, 2)));
    assert_false(elfs_history_has(&history, at(1 + ELFS_HISTORY_SIZE, 2)));
    assert_false(elfs_history_has(&history, (struct elfs_position){.known = false}));
    assert_false(elfs_history_has(&history, at(0, 0)));
    elfs_history_clear(&history);
    assert_false(elfs_history_has(&history, at(1, 2)));
    elfs_history_clear(&history);
}

static void keeps_the_newest(void **state) {
    struct elfs_history history = {0};
    const uint64_t first = UINT64_MAX - 2 * ELFS_HISTORY_SIZE, last = first + ELFS_HISTORY_SIZE;
    (void)state;
    for (uint64_t txid = first; txid <= last; txid++)
        assert_int_equal(elfs_history_add(&history, at(txid, ~txid)), ELFS_OK);
    assert_false(elfs_history_has(&history, at(first, ~first)));
    for (uint64_t txid = first + 1; txid <= last; txid++)
        assert_true(elfs_history_has(&history, at(txid, ~txid)));
    elfs_history_clear(&history);
}

static bool adds(void *arg) {
    struct elfs_history history = {0};
    (void)arg;
    bool ok = elfs_history_add(&history, at(1, 2)) == ELFS_OK;
    assert_int_equal(elfs_history_has(&history, at(1, 2)), ok);
    elfs_history_clear(&history);
    return ok;
}

static void without_memory(void **state) {
    (void)state;
    fail_alloc_each(adds, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_what_was_added),
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
