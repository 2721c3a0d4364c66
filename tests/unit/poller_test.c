/* Both pollers through the same tests: readiness, changing interest, removal, many descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/poller.h"
#include "node/wake.h"

#define PAIRS 300
#define WAIT_MS 2000

static struct elfs_poller_event events[PAIRS];

static int setup(void **state) {
    struct elfs_poller *poller = elfs_poller_new(*state);
    *state = poller;
    return poller ? 0 : -1;
}

static int teardown(void **state) {
    elfs_poller_free(*state);
    return 0;
}

static void readable_writable_and_hang_up(void **state) {
    struct elfs_poller *poller = *state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct elfs_watch watch = {.fd = fds[0]};

    assert_int_equal(elfs_poller_set(poller, &watch, ELFS_POLL_IN), ELFS_OK);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, 0), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, WAIT_MS), 1);
    assert_ptr_equal(events[0].watch, &watch);
    assert_int_equal(events[0].events, ELFS_POLL_IN);

    assert_int_equal(elfs_poller_set(poller, &watch, ELFS_POLL_OUT), ELFS_OK);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, WAIT_MS), 1);
    assert_int_equal(events[0].events, ELFS_POLL_OUT);

    assert_int_equal(elfs_poller_set(poller, &watch, 0), ELFS_OK);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, 0), 0);

    assert_int_equal(elfs_poller_set(poller, &watch, ELFS_POLL_IN), ELFS_OK);
    close(fds[1]);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, WAIT_MS), 1);
    assert_true(events[0].events & ELFS_POLL_IN);

    elfs_poller_remove(poller, &watch);
    elfs_poller_remove(poller, &watch);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, 0), 0);
    close(fds[0]);
}

/* Removing from the middle must not lose or mix up the others. */
static void many_watches_and_removals(void **state) {
    struct elfs_poller *poller = *state;
    static struct elfs_watch watches[PAIRS];
    static int writers[PAIRS];
    bool seen[PAIRS] = {false};
    for (int i = 0; i < PAIRS; i++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        watches[i] = (struct elfs_watch){.fd = fds[0]};
        writers[i] = fds[1];
        assert_int_equal(elfs_poller_set(poller, &watches[i], ELFS_POLL_IN), ELFS_OK);
        assert_int_equal(write(fds[1], "x", 1), 1);
    }
    for (int i = 0; i < PAIRS; i += 3) elfs_poller_remove(poller, &watches[i]);
    int left = PAIRS - (PAIRS + 2) / 3;
    while (left > 0) {
        int n = elfs_poller_wait(poller, events, 7, WAIT_MS);
        assert_in_range(n, 1, 7);
        for (int i = 0; i < n; i++) {
            size_t at = (size_t)(events[i].watch - watches);
            assert_true(at % 3 != 0);
            assert_false(seen[at]);
            seen[at] = true;
            left--;
            elfs_poller_remove(poller, events[i].watch);
        }
    }
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, 0), 0);
    for (int i = 0; i < PAIRS; i++) {
        close(watches[i].fd);
        close(writers[i]);
    }
}

static void a_wake_up_is_seen_once(void **state) {
    struct elfs_poller *poller = *state;
    struct elfs_wake wake;
    assert_int_equal(elfs_wake_init(&wake), ELFS_OK);
    struct elfs_watch watch = {.fd = elfs_wake_fd(&wake)};
    assert_int_equal(elfs_poller_set(poller, &watch, ELFS_POLL_IN), ELFS_OK);
    assert_int_equal(elfs_poller_wait(poller, events, PAIRS, 0), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) elfs_wake_signal(&wake);
        assert_int_equal(elfs_poller_wait(poller, events, PAIRS, WAIT_MS), 1);
        elfs_wake_drain(&wake);
        assert_int_equal(elfs_poller_wait(poller, events, PAIRS, 0), 0);
    }
    elfs_poller_remove(poller, &watch);
    elfs_wake_fini(&wake);
}

static void an_unknown_backend_is_refused(void **state) {
    (void)state;
    assert_null(elfs_poller_new("kqueue"));
}

#define BACKEND_TEST(test, backend)                                                                \
    { #test "_" backend, test, setup, teardown, (void *)(uintptr_t)backend }

int main(void) {
    const struct CMUnitTest tests[] = {
        BACKEND_TEST(readable_writable_and_hang_up, "epoll"),
        BACKEND_TEST(readable_writable_and_hang_up, "poll"),
        BACKEND_TEST(many_watches_and_removals, "epoll"),
        BACKEND_TEST(many_watches_and_removals, "poll"),
        BACKEND_TEST(a_wake_up_is_seen_once, "epoll"),
        BACKEND_TEST(a_wake_up_is_seen_once, "poll"),
        cmocka_unit_test(an_unknown_backend_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
