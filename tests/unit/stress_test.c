/* stress_test - the loop submits, cancels, aborts and stops while both workers run.
 *
 * Meant for the thread and address sanitizers. An ended transaction is freed as soon as the mailbox
 * brings it, as the node does, while jobs for it may still be on their way to the writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store_fixture.h"

#define STEPS 10000
#define IN_FLIGHT 64
#define END ((struct test_job *)NULL)

static const char insert_sql[] = "INSERT INTO t(v) VALUES ('x')";
static const char insert_returning_sql[] = "INSERT INTO t(v) VALUES ('x') RETURNING id";
static const char rollback_sql[] = "INSERT OR ROLLBACK INTO t(id) VALUES (1)";

static struct store_fixture f;
static uint64_t seed;
static struct test_job *ring[IN_FLIGHT]; /* the last jobs submitted */
static size_t next_place;

static struct test_tx *tx;
static struct test_job *begin;
static long in_tx; /* rows of transactions that were committed */

static unsigned roll(unsigned sides) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % sides;
}

static bool inserts(const struct test_job *j) {
    const void *sql = j->statements[0].sql.data;
    return sql == insert_sql || sql == insert_returning_sql;
}

/* Counts the transaction's rows and frees it. */
static void bury_tx(void) {
    for (struct test_job *j = f.jobs; j; j = j->next) {
        if (!j->place || j->job.tx != &tx->tx) continue;
        bool counts = tx->tx.end == ELFS_TX_COMMITTED && j->job.outcome == ELFS_JOB_DONE;
        if (counts && inserts(j)) in_tx++;
        j->job.tx = NULL; /* another one may get the same address */
        j->job.outcome = ELFS_JOB_DROPPED;
    }
    free(tx);
    tx = NULL;
    begin = NULL;
}

static void look(void) {
    fixture_take(&f);
    if (tx && begin->place && (tx->place || begin->job.outcome != ELFS_JOB_DONE)) bury_tx();
}

static void submit(struct test_job *j) {
    struct test_job **place = &ring[next_place++ % IN_FLIGHT];
    while (*place && (*place)->place == 0) {
        fixture_wait(&f, *place);
        look();
    }
    *place = j;
    fixture_submit(&f, j);
}

static void open_tx(void) {
    tx = calloc(1, sizeof *tx);
    assert_non_null(tx);
    elfs_tx_init(&tx->tx, 1 + roll(20), 1 + roll(60));
    begin = fixture_job(&f, ELFS_JOB_BEGIN);
    begin->job.tx = &tx->tx;
    submit(begin);
}

static void use_tx(void) {
    struct test_job *j = NULL;
    switch (roll(12)) {
    case 0:
    case 1:
        j = fixture_job(&f, roll(4) ? ELFS_JOB_COMMIT : ELFS_JOB_ROLLBACK);
        j->job.tx = &tx->tx;
        break;
    case 2:
        if (roll(3) == 0) elfs_store_abort_tx(f.store, &tx->tx);
        return;
    case 3: j = tx_job(&f, tx, rollback_sql); break;
    default: j = tx_job(&f, tx, insert_sql); break;
    }
    /* Not by submit(), which may bury the transaction while it waits. */
    fixture_submit(&f, j);
}

static void step(void) {
    struct test_job *j;
    look();
    if (tx && begin->place && roll(2)) {
        use_tx();
        return;
    }
    switch (roll(12)) {
    case 0: submit(query_job(&f, rollback_sql)); break;
    case 1: submit(query_job(&f, "INSERT INTO nowhere VALUES (1)")); break;
    case 2:
    case 3: submit(query_job(&f, "SELECT count(*) FROM t WHERE id < 10")); break;
    case 4:
        j = ring[roll(IN_FLIGHT)];
        if (j && j->place == 0) elfs_job_cancel(&j->job);
        break;
    case 5:
    case 6:
        if (!tx) open_tx();
        break;
    default: submit(query_job(&f, roll(2) ? insert_sql : insert_returning_sql)); break;
    }
}

static void everything_at_once(void **state) {
    (void)state;
    long rows = 1;
    fixture_open(&f);
    f.config.batch.max_jobs = 16;
    fixture_stop(&f);
    fixture_start(&f);
    fixture_query(&f, "INSERT INTO t(id) VALUES (1)");
    for (int i = 0; i < STEPS; i++) step();
    fixture_stop(&f);
    if (tx) bury_tx();
    for (const struct test_job *j = f.jobs; j; j = j->next) {
        assert_true(j->place != 0); /* fixture_take has seen that none came twice */
        if (j->job.outcome == ELFS_JOB_DONE && inserts(j)) rows++;
    }
    assert_int_equal(atol(fixture_read(&f, "SELECT count(*) FROM t")), rows + in_tx);
    assert_true(rows > STEPS / 10);
    print_message("rows %ld, in transactions %ld\n", rows, in_tx);
    assert_true(in_tx > 0);
    fixture_close(&f);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything_at_once)};
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)elfs_clock_us();
    if (seed == 0) seed = 1;
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
