/* When the client library repeats a request, and what it says of it in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "client/retry.h"

#define DEADLINE 10000

static struct elfs_client_retry begin(bool keyed) {
    struct elfs_client_retry retry;
    elfs_client_retry_init(&retry, DEADLINE, keyed, 1);
    return retry;
}

static void assert_end(struct elfs_client_retry *retry, enum elfs_client_attempt attempt,
                       enum elfs_client_code code) {
    struct elfs_client_step step = elfs_client_retry_next(retry, attempt, 0);
    assert_false(step.again);
    assert_int_equal(step.code, code);
}

static void assert_again(struct elfs_client_retry *retry, enum elfs_client_attempt attempt) {
    struct elfs_client_step step = elfs_client_retry_next(retry, attempt, 0);
    assert_true(step.again);
    assert_true(step.wait_ms >= 0);
}

/* The end of time. */
static void assert_too_late(struct elfs_client_retry *retry, enum elfs_client_attempt attempt,
                            enum elfs_client_code code) {
    struct elfs_client_step step = elfs_client_retry_next(retry, attempt, DEADLINE);
    assert_false(step.again);
    assert_int_equal(step.code, code);
}

static void a_first_attempt_that_ends_it(void **state) {
    (void)state;
    for (int keyed = 0; keyed < 2; keyed++) {
        struct elfs_client_retry retry = begin(keyed);
        assert_end(&retry, ELFS_ATTEMPT_DONE, ELFS_CLIENT_OK);
        assert_end(&retry, ELFS_ATTEMPT_REFUSED, ELFS_CLIENT_REFUSED);
        assert_end(&retry, ELFS_ATTEMPT_DECIDED, ELFS_CLIENT_REFUSED);
        assert_end(&retry, ELFS_ATTEMPT_BROKEN, ELFS_CLIENT_UNKNOWN);
        assert_end(&retry, ELFS_ATTEMPT_WRONG, ELFS_CLIENT_BADARG);
        assert_end(&retry, ELFS_ATTEMPT_NOMEM, ELFS_CLIENT_NOMEM);
    }
}

/* With a key or without: it has not run. */
static void what_has_not_run_is_repeated(void **state) {
    (void)state;
    static const struct {
        enum elfs_client_attempt attempt;
        enum elfs_client_code code;
    } cases[] = {
        {ELFS_ATTEMPT_NOT_NOW, ELFS_CLIENT_REFUSED},
        {ELFS_ATTEMPT_MOVED, ELFS_CLIENT_NO_PRIMARY},
        {ELFS_ATTEMPT_NO_PRIMARY, ELFS_CLIENT_NO_PRIMARY},
        {ELFS_ATTEMPT_UNREACHABLE, ELFS_CLIENT_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int keyed = 0; keyed < 2; keyed++) {
            struct elfs_client_retry retry = begin(keyed);
            assert_again(&retry, cases[i].attempt);
            assert_again(&retry, cases[i].attempt);
            assert_too_late(&retry, cases[i].attempt, cases[i].code);
            assert_end(&retry, ELFS_ATTEMPT_DONE, ELFS_CLIENT_OK);
        }
    }
}

static void what_may_have_run_is_repeated_with_its_key_only(void **state) {
    (void)state;
    static const enum elfs_client_attempt attempts[] = {ELFS_ATTEMPT_LOST, ELFS_ATTEMPT_UNKNOWN};
    for (size_t i = 0; i < 2; i++) {
        struct elfs_client_retry retry = begin(false);
        assert_end(&retry, attempts[i], ELFS_CLIENT_UNKNOWN);
        retry = begin(true);
        assert_again(&retry, attempts[i]);
        assert_end(&retry, ELFS_ATTEMPT_DONE, ELFS_CLIENT_OK);
        retry = begin(true);
        assert_again(&retry, attempts[i]);
        assert_too_late(&retry, attempts[i], ELFS_CLIENT_UNKNOWN);
    }
}

/* Then only the transaction's own word counts. */
static void once_it_may_have_run(void **state) {
    (void)state;
    static const enum elfs_client_attempt others[] = {
        ELFS_ATTEMPT_REFUSED,    ELFS_ATTEMPT_NOT_NOW,     ELFS_ATTEMPT_MOVED,
        ELFS_ATTEMPT_NO_PRIMARY, ELFS_ATTEMPT_UNREACHABLE,
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct elfs_client_retry retry = begin(true);
        assert_again(&retry, ELFS_ATTEMPT_LOST);
        assert_again(&retry, others[i]);
        assert_too_late(&retry, others[i], ELFS_CLIENT_UNKNOWN);
        assert_end(&retry, ELFS_ATTEMPT_DECIDED, ELFS_CLIENT_REFUSED);
        assert_end(&retry, ELFS_ATTEMPT_DONE, ELFS_CLIENT_OK);
        assert_end(&retry, ELFS_ATTEMPT_BROKEN, ELFS_CLIENT_UNKNOWN);
        assert_end(&retry, ELFS_ATTEMPT_NOMEM, ELFS_CLIENT_UNKNOWN);
        assert_end(&retry, ELFS_ATTEMPT_WRONG, ELFS_CLIENT_UNKNOWN);
    }
}

static void an_attempt_without_time_says_less_than_the_one_before(void **state) {
    (void)state;
    struct elfs_client_retry retry = begin(true);
    assert_again(&retry, ELFS_ATTEMPT_NO_PRIMARY);
    assert_too_late(&retry, ELFS_ATTEMPT_UNREACHABLE, ELFS_CLIENT_NO_PRIMARY);
    retry = begin(true);
    assert_again(&retry, ELFS_ATTEMPT_NO_PRIMARY);
    assert_again(&retry, ELFS_ATTEMPT_UNREACHABLE);
    assert_too_late(&retry, ELFS_ATTEMPT_UNREACHABLE, ELFS_CLIENT_UNREACHABLE);
}

static void a_named_primary_is_asked_at_once(void **state) {
    (void)state;
    struct elfs_client_retry retry = begin(true);
    assert_int_equal(elfs_client_retry_next(&retry, ELFS_ATTEMPT_MOVED, 0).wait_ms, 0);
    assert_int_equal(elfs_client_retry_next(&retry, ELFS_ATTEMPT_MOVED, 0).wait_ms, 0);
    /* Two that send us to one another: not in a circle for ever. */
    for (int i = 0; i < 5; i++)
        assert_true(elfs_client_retry_next(&retry, ELFS_ATTEMPT_MOVED, 0).wait_ms > 0);
    elfs_client_retry_next(&retry, ELFS_ATTEMPT_LOST, 0);
    assert_int_equal(elfs_client_retry_next(&retry, ELFS_ATTEMPT_MOVED, 0).wait_ms, 0);
}

/* Pauses grow, to a second at most, and never reach over the deadline. */
static void pauses(void **state) {
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 100; round++) {
        struct elfs_client_retry retry;
        int64_t now = 0, most = 20;
        elfs_client_retry_init(&retry, 60000, true, (uint64_t)rand());
        for (int i = 0;; i++) {
            struct elfs_client_step step =
                elfs_client_retry_next(&retry, ELFS_ATTEMPT_UNREACHABLE, now);
            if (!step.again) break;
            assert_true(i < 1000);
            assert_true(step.wait_ms <= most);
            assert_true(now + step.wait_ms < 60000);
            if (60000 - now > 2000) assert_true(step.wait_ms >= most / 2);
            most = most * 2 > 1000 ? 1000 : most * 2;
            now += step.wait_ms + 1;
        }
        assert_true(now > 59900);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_attempt_that_ends_it),
        cmocka_unit_test(what_has_not_run_is_repeated),
        cmocka_unit_test(what_may_have_run_is_repeated_with_its_key_only),
        cmocka_unit_test(once_it_may_have_run),
        cmocka_unit_test(an_attempt_without_time_says_less_than_the_one_before),
        cmocka_unit_test(a_named_primary_is_asked_at_once),
        cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
