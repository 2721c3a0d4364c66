/* gather_test - how long a group waits for company; and what comes of it in a store whose COMMIT is dear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "store/gather.h"
#include "store_fixture.h"
#include <sqlite3.h>

/* The policy */

static struct elfs_gather after(int64_t commit_us, size_t answered, size_t waiting) {
    struct elfs_gather gather = {0};
    elfs_gather_answered(&gather, commit_us, answered, waiting);
    return gather;
}

static void only_a_dear_commit_pays(void **state) {
    (void)state;
    struct elfs_gather none = {0};
    struct elfs_gather cheap = after(499, 64, 0);
    struct elfs_gather dear = after(500, 64, 0);
    assert_false(elfs_gather_pays(&none));
    assert_false(elfs_gather_pays(&cheap));
    assert_true(elfs_gather_pays(&dear));
    assert_int_equal(elfs_gather_wait_us(&none, 0), 0);
    assert_int_equal(elfs_gather_wait_us(&cheap, 1), 0);
    assert_int_equal(elfs_gather_wait_us(&dear, 1), 125);
    struct elfs_gather hung = after(10000000, 64, 0);
    assert_int_equal(elfs_gather_wait_us(&hung, 1), 5000);
}

static void a_caller_alone_never_waits(void **state) {
    (void)state;
    struct elfs_gather gather = after(2000, 1, 0);
    assert_int_equal(elfs_gather_wait_us(&gather, 1), 0);
}

static void it_waits_for_those_it_knows(void **state) {
    (void)state;
    /* two that took turns */
    struct elfs_gather gather = after(2000, 1, 1);
    assert_int_equal(elfs_gather_wait_us(&gather, 1), 500);
    assert_int_equal(elfs_gather_wait_us(&gather, 2), 0);
    /* all of them were in it */
    gather = after(2000, 64, 0);
    assert_int_equal(elfs_gather_wait_us(&gather, 63), 500);
    assert_int_equal(elfs_gather_wait_us(&gather, 64), 0);
}

static void commits_are_averaged(void **state) {
    (void)state;
    struct elfs_gather gather = after(1000, 8, 0);
    elfs_gather_answered(&gather, 5000, 8, 0);
    assert_int_equal(gather.commit_us, 2000);
    for (int i = 0; i < 40; i++) elfs_gather_answered(&gather, 100, 8, 0);
    assert_false(elfs_gather_pays(&gather));
}

/* Callers that do not come back cost a wait now and then. */
static void a_futile_wait_is_left_out_for_a_while(void **state) {
    (void)state;
    struct elfs_gather gather = after(2000, 8, 0);
    unsigned waits = 0;
    for (int group = 0; group < 320; group++) {
        if (elfs_gather_wait_us(&gather, 4) > 0) {
            waits++;
            elfs_gather_waited(&gather, 4, 0);
        }
        elfs_gather_answered(&gather, 2000, 4, 4);
    }
    assert_in_range(waits, 10, 16);
    /* one that brings something ends that */
    while (elfs_gather_wait_us(&gather, 4) == 0) elfs_gather_answered(&gather, 2000, 4, 4);
    elfs_gather_waited(&gather, 4, 1);
    elfs_gather_answered(&gather, 2000, 4, 4);
    assert_int_equal(elfs_gather_wait_us(&gather, 4), 500);
}

/* The store. Stand-in for LiteFS: a fence that takes its time after COMMIT. */

#define COMMIT_MS 20
#define END ((struct test_job *)NULL)

static struct store_fixture f;
static int commits;

static enum elfs_code before(struct elfs_fence *self, struct elfs_error *err) {
    (void)self, (void)err;
    return ELFS_OK;
}

static void begun(struct elfs_fence *self, bool undisturbed) { (void)self, (void)undisturbed; }

static enum elfs_code explain(struct elfs_fence *self, struct elfs_error *err) {
    (void)self, (void)err;
    return ELFS_OK;
}

static void pause_ms(int ms) {
    struct timespec pause = {.tv_nsec = (long)ms * 1000000};
    nanosleep(&pause, NULL);
}

static enum elfs_code slow_after(struct elfs_fence *self, bool changed,
                                 struct elfs_position *position, struct elfs_error *err) {
    (void)self, (void)changed, (void)position, (void)err;
    pause_ms(COMMIT_MS);
    commits++;
    return ELFS_OK;
}

static void ended(struct elfs_fence *self) { (void)self; }

static uint64_t turn(const struct elfs_fence *self) {
    (void)self;
    return 0;
}

static struct elfs_fence slow = {before, begun, explain, slow_after, ended, turn};

static int setup(void **state) {
    (void)state;
    fixture_open(&f);
    fixture_stop(&f);
    f.config.fence = &slow;
    fixture_start(&f);
    fixture_query(&f, "INSERT INTO t VALUES (1000, 'a COMMIT is dear, it learns')");
    commits = 0;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_close(&f);
    return 0;
}

static struct test_job *insert(void) { return query_job(&f, "INSERT INTO t(v) VALUES (1)"); }

/* Each of them asks again as soon as it has its answer. Were a group to leave with the first that is back, there would
 * be two COMMITs a round. */
static void callers_that_come_back_share_a_commit(void **state) {
    enum { CALLERS = 8, ROUNDS = 20 };
    struct test_job *jobs[CALLERS];
    (void)state;
    for (int i = 0; i < CALLERS; i++) fixture_submit(&f, jobs[i] = insert());
    for (int round = 1; round < ROUNDS; round++) {
        for (int i = 0; i < CALLERS; i++) {
            fixture_wait(&f, jobs[i]);
            assert_int_equal(jobs[i]->job.outcome, ELFS_JOB_DONE);
            fixture_submit(&f, jobs[i] = insert());
            if (i == 0) pause_ms(1); /* the others are not back at the same moment */
        }
    }
    for (int i = 0; i < CALLERS; i++) fixture_wait(&f, jobs[i]);
    assert_in_range(commits, ROUNDS, ROUNDS + ROUNDS / 2);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t WHERE v = 1"), "160");
}

/* The first of a group runs without a savepoint when it is alone: if it fails, nothing of it may be committed with
 * those that come meanwhile. */
static void nobody_joins_one_that_failed_alone(void **state) {
    struct test_gate gate;
    (void)state;
    struct test_job *fails = fixture_job(&f, ELFS_JOB_TRANSACTION);
    add_statement(fails, "INSERT INTO t VALUES (1, 'half') RETURNING id");
    add_statement(fails, "INSERT INTO nowhere VALUES (1)");
    gate_init(&gate, fails);
    fixture_submit(&f, fails);
    gate_wait(&gate);
    struct test_job *next = insert();
    fixture_submit(&f, next);
    gate_open(&gate);
    fixture_wait(&f, next);
    gate_fini(&gate);
    assert_failed(fails, ELFS_SQLITE, SQLITE_ERROR, "no such table: nowhere");
    assert_int_equal(next->job.outcome, ELFS_JOB_DONE);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t WHERE v = 'half'"), "0");
}

static void what_comes_while_it_runs_joins(void **state) {
    struct test_gate gate;
    (void)state;
    struct test_job *first = query_job(&f, "INSERT INTO t(v) VALUES (1) RETURNING v");
    struct test_job *fails = query_job(&f, "INSERT INTO t VALUES (1000, 'twice')");
    struct test_job *next = insert();
    gate_init(&gate, first);
    fixture_submit(&f, first);
    gate_wait(&gate);
    fixture_submit_all(&f, fails, next, END);
    gate_open(&gate);
    fixture_wait(&f, next);
    gate_fini(&gate);
    assert_int_equal(first->job.outcome, ELFS_JOB_DONE);
    assert_failed(fails, ELFS_SQLITE, SQLITE_CONSTRAINT_PRIMARYKEY, "t.id");
    assert_int_equal(next->job.outcome, ELFS_JOB_DONE);
    assert_int_equal(commits, 1);
    assert_string_equal(fixture_read(&f, "SELECT count(*) FROM t WHERE v = 1"), "2");
}

/* An interactive transaction waits for its turn, and nobody waits for its end with a group open. */
static void a_begin_does_not_join(void **state) {
    struct test_gate gate;
    struct test_tx tx = {.place = 0};
    (void)state;
    struct test_job *first = query_job(&f, "INSERT INTO t(v) VALUES (1) RETURNING v");
    gate_init(&gate, first);
    fixture_submit(&f, first);
    gate_wait(&gate);
    elfs_tx_init(&tx.tx, 10000, 10000);
    struct test_job *begin = fixture_job(&f, ELFS_JOB_BEGIN);
    begin->job.tx = &tx.tx;
    fixture_submit(&f, begin);
    gate_open(&gate);
    fixture_wait(&f, begin);
    gate_fini(&gate);
    assert_int_equal(first->job.outcome, ELFS_JOB_DONE);
    assert_int_equal(begin->job.outcome, ELFS_JOB_DONE);
    assert_int_equal(commits, 1);
    assert_int_equal(fixture_end(&f, &tx, ELFS_JOB_ROLLBACK)->job.outcome, ELFS_JOB_DONE);
}

/* A job for a transaction that has ended is told so at once, though a group had taken it. */
static void a_late_job_is_refused_after_the_group(void **state) {
    struct test_gate gate;
    struct test_tx tx = {.place = 0};
    (void)state;
    fixture_begin(&f, &tx, 10000, 10000);
    fixture_end(&f, &tx, ELFS_JOB_ROLLBACK);
    struct test_job *first = query_job(&f, "INSERT INTO t(v) VALUES (1) RETURNING v");
    struct test_job *late = tx_job(&f, &tx, "INSERT INTO t(v) VALUES ('late')");
    gate_init(&gate, first);
    fixture_submit(&f, first);
    gate_wait(&gate);
    fixture_submit(&f, late);
    gate_open(&gate);
    fixture_wait(&f, first);
    fixture_wait(&f, late);
    gate_fini(&gate);
    assert_int_equal(late->job.outcome, ELFS_JOB_FAILED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_dear_commit_pays),
        cmocka_unit_test(a_caller_alone_never_waits),
        cmocka_unit_test(it_waits_for_those_it_knows),
        cmocka_unit_test(commits_are_averaged),
        cmocka_unit_test(a_futile_wait_is_left_out_for_a_while),
        TEST(callers_that_come_back_share_a_commit),
        TEST(nobody_joins_one_that_failed_alone),
        TEST(what_comes_while_it_runs_joins),
        TEST(a_begin_does_not_join),
        TEST(a_late_job_is_refused_after_the_group),
    };
    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
