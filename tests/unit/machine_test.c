/* The machine: what takes time. A script of inputs with their times, and what is due when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/machine.h"

#define POLL 30000
#define READ ELFS_DUE(ELFS_WORK_READ)
#define ROW ELFS_DUE(ELFS_WORK_ROW)
#define PROBE ELFS_DUE(ELFS_WORK_PROBE)
#define CONNECT ELFS_DUE(ELFS_WORK_CONNECT)
#define CUT ELFS_DUE(ELFS_WORK_CUT)

static struct elfs_machine m;

static void begin(int64_t poll_ms, bool stream) {
    struct elfs_machine_config config = {
        .poll_ms = poll_ms, .stream = stream, .row = true, .database = "a.db"};
    elfs_machine_init(&m, &config, 0);
}

/* What is due, begun; looks at the files are over at once (and found nothing, if the test does not
 * say what). */
static unsigned take(int64_t now) {
    unsigned due = elfs_machine_take(&m, now);
    m.busy[ELFS_WORK_READ] = m.busy[ELFS_WORK_ROW] = false;
    return due;
}

static void reading_at(int64_t now, struct elfs_reading reading) {
    elfs_machine_reading(&m, &reading, now);
}

static struct elfs_reading live(const char *primary, int64_t lag_ms) {
    struct elfs_reading r = {.mount = ELFS_MOUNT_LIVE,
                             .primary_file =
                                 primary ? ELFS_PRIMARY_FILE_PRESENT : ELFS_PRIMARY_FILE_ABSENT,
                             .lag_known = true,
                             .lag_ms = lag_ms};
    if (primary) strcpy(r.hostname, primary);
    return r;
}

static struct elfs_claim claim_of(bool is_primary, const char *hostname) {
    struct elfs_claim claim = {.is_primary = is_primary};
    strcpy(claim.hostname, hostname);
    return claim;
}

static void claim_at(int64_t now, bool is_primary, const char *hostname) {
    struct elfs_claim claim = claim_of(is_primary, hostname);
    elfs_machine_claim(&m, &claim, now);
}

/* The probe that is due, and its answer. */
static void info_at(int64_t now, bool is_primary, const char *hostname) {
    struct elfs_claim claim = claim_of(is_primary, hostname);
    elfs_machine_info(&m, &claim, now);
}

static uint64_t tx_at(int64_t now, const char *database, uint64_t txid) {
    struct elfs_event event = {.type = ELFS_EVENT_TX, .txid = txid, .checksum = txid + 100};
    strcpy(event.database, database);
    const struct elfs_db_position *known = elfs_machine_tx(&m, &event, now);
    return known ? known->txid : 0;
}

static void expect(enum elfs_role role, const char *hostname) {
    assert_string_equal(elfs_role_name(m.state.role), elfs_role_name(role));
    assert_string_equal(m.state.hostname, hostname);
}

/* The time at which this work is due, after all that is due earlier was taken. */
static int64_t due(enum elfs_work work) { return m.due[work]; }

static void starts_by_asking_everything(void **state) {
    (void)state;
    begin(POLL, true);
    expect(ELFS_ROLE_UNKNOWN, "");
    assert_int_equal(elfs_machine_next(&m), 0);
    assert_int_equal(take(0), READ | PROBE | CONNECT);
    reading_at(0, live("a", 5));
    assert_int_equal(take(0), ROW);
    elfs_machine_row(&m, "n@h", 0);
    expect(ELFS_ROLE_REPLICA, "a");
    assert_string_equal(m.state.node, "n@h");
    assert_int_equal(take(POLL - 1), CUT);
    assert_int_equal(take(POLL), READ | ROW);
}

static void what_is_switched_off_is_not_asked(void **state) {
    (void)state;
    begin(0, false);
    assert_int_equal(take(0), READ);
    reading_at(0, live("a", 5));
    expect(ELFS_ROLE_REPLICA, "a");
    assert_int_equal(take(0), ROW);
    elfs_machine_row(&m, NULL, 0);
    assert_int_equal(elfs_machine_next(&m), ELFS_NEVER);
    elfs_machine_refresh(&m, 77);
    assert_int_equal(take(77), READ | ROW);
    struct elfs_machine_config config = {.poll_ms = POLL, .stream = true};
    elfs_machine_init(&m, &config, 0);
    take(0);
    reading_at(0, live("a", 5));
    assert_int_equal(take(0), 0);
    assert_false(m.state.row_enabled);
}

/* PROVED and NOTHING_SAID in time. */
static void two_readings_prove_primary(void **state) {
    (void)state;
    begin(POLL, false);
    take(0);
    reading_at(0, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    assert_int_equal(due(ELFS_WORK_READ), 1000);
    reading_at(999, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    take(1000);
    reading_at(1000, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
    assert_int_equal(due(ELFS_WORK_READ), 1000 + POLL);
    reading_at(31000, live(NULL, 12));
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(31500, live(NULL, 0));
    reading_at(32400, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(32500, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
}

/* A reading that takes long has seen what was there when it began, perhaps. */
static void a_slow_reading_proves_nothing_early(void **state) {
    (void)state;
    begin(POLL, false);
    take(0);
    reading_at(0, live(NULL, 0));
    elfs_machine_refresh(&m, 100);
    assert_true(elfs_machine_take(&m, 100) & READ);
    reading_at(1100, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    assert_true(elfs_machine_take(&m, 1100) & READ);
    reading_at(1900, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
}

static void nothing_else_is_a_proof(void **state) {
    (void)state;
    static const int64_t lags[] = {1, -1, 9999, ELFS_LAG_NEVER};
    for (size_t i = 0; i < sizeof lags / sizeof *lags; i++) {
        begin(POLL, false);
        for (int64_t t = 0; t <= 5000; t += 1000) reading_at(t, live(NULL, lags[i]));
        expect(ELFS_ROLE_UNKNOWN, "");
    }
    begin(POLL, false);
    struct elfs_reading no_lag = live(NULL, 0);
    no_lag.lag_known = false;
    for (int64_t t = 0; t <= 5000; t += 1000) reading_at(t, no_lag);
    expect(ELFS_ROLE_UNKNOWN, "");
    begin(POLL, false); /* a run that was interrupted by a .primary */
    reading_at(0, live(NULL, 0));
    reading_at(600, live("a", 0));
    reading_at(1200, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    begin(0, false); /* nobody would notice its end */
    for (int64_t t = 0; t <= 5000; t += 1000) reading_at(t, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
}

/* PROOF_OVERRULED in time: a claim "replica" ends the run, so that its end does not bring it back.
 */
static void a_claim_of_replica_ends_the_proof(void **state) {
    (void)state;
    begin(POLL, true);
    reading_at(0, live(NULL, 0));
    reading_at(1000, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
    claim_at(1100, false, "b");
    expect(ELFS_ROLE_REPLICA, "b");
    elfs_machine_stream_lost(&m, 0, 1200);
    expect(ELFS_ROLE_UNKNOWN, "");
    claim_at(1300, false, "b");
    reading_at(1301, live(NULL, 0)); /* nor does a reading beside it begin a new one */
    elfs_machine_stream_lost(&m, 0, 3000);
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(3001, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(4001, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
}

/* SAID_PRIMARY and SAID_REPLICA in time. */
static void the_stream_decides_at_once(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    expect(ELFS_ROLE_UNKNOWN, "");
    claim_at(3, true, "");
    expect(ELFS_ROLE_PRIMARY, "");
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_NEVER);
    assert_int_equal(m.state.stream.says, ELFS_ROLE_PRIMARY);
    claim_at(1000000, false, "");
    expect(ELFS_ROLE_REPLICA, "");
    claim_at(1000300, false, "b");
    expect(ELFS_ROLE_REPLICA, "b");
    claim_at(1000500, true, "");
    expect(ELFS_ROLE_PRIMARY, "");
}

static void a_lost_stream_proves_nothing_more(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    elfs_machine_info_failed(&m, false, 1);
    claim_at(1, true, "");
    reading_at(2, live(NULL, 0));
    take(500);
    elfs_machine_info_failed(&m, true, 500);
    expect(ELFS_ROLE_PRIMARY, "");
    elfs_machine_stream_lost(&m, 0, 600);
    expect(ELFS_ROLE_UNKNOWN, "");
    /* everything is asked again at once, the stream after its wait */
    assert_int_equal(take(600), READ | PROBE | ROW);
    assert_int_equal(due(ELFS_WORK_CONNECT), 700);
    /* what the files proved is still known */
    reading_at(1000, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
    claim_at(1001, true, "");
    elfs_machine_stream_lost(&m, 0, 1002);
    expect(ELFS_ROLE_PRIMARY, "");
}

static void an_info_answer_holds_five_seconds(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 7));
    info_at(10, true, "self");
    expect(ELFS_ROLE_PRIMARY, "");
    assert_int_equal(due(ELFS_WORK_PROBE), 10 + ELFS_PROBE_ONLY_MS);
    assert_true(elfs_machine_next(&m) <= 5010);
    take(5009);
    expect(ELFS_ROLE_PRIMARY, "");
    take(5010);
    expect(ELFS_ROLE_UNKNOWN, "");
    assert_int_equal(m.state.stream.says, ELFS_ROLE_UNKNOWN);
    /* a refused one ends it at once, when there is no stream */
    info_at(6000, true, "self");
    expect(ELFS_ROLE_PRIMARY, "");
    elfs_machine_info_failed(&m, false, 6001);
    expect(ELFS_ROLE_UNKNOWN, "");
}

/* next() names the end of an answer's time even when nothing else is due. */
static void the_end_of_an_answer_wakes_the_loop(void **state) {
    (void)state;
    begin(0, true);
    take(0);
    reading_at(0, live(NULL, 7));
    info_at(10, true, "");
    take(5009); /* a probe, and it never ends */
    assert_int_equal(elfs_machine_next(&m), 5010);
}

static void an_overtaken_answer_is_asked_again(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 7));
    claim_at(5, false, "b");
    info_at(6, true, "self"); /* asked at 0, before the event */
    expect(ELFS_ROLE_REPLICA, "b");
    assert_int_equal(due(ELFS_WORK_PROBE), ELFS_EVENT_GAP_MS);
    assert_true(take(60) & PROBE);
    info_at(61, true, "self");
    expect(ELFS_ROLE_PRIMARY, "");
}

static void a_silent_stream_is_cut(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    claim_at(1, true, "");
    info_at(2, true, "self");
    assert_int_equal(due(ELFS_WORK_PROBE), 1 + ELFS_PROBE_MS);
    assert_true(take(10002) & PROBE);
    elfs_machine_info_failed(&m, false, 11002);
    assert_int_equal(due(ELFS_WORK_READ), 11002);
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_NEVER);
    expect(ELFS_ROLE_PRIMARY, "");
    assert_true(take(13002) & PROBE);
    elfs_machine_info_failed(&m, false, 14002);
    assert_int_equal(take(14002) & CUT, CUT);
    /* answers that say nothing cut nothing */
    begin(POLL, true);
    claim_at(1, true, "");
    for (int i = 0; i < 5; i++) elfs_machine_info_failed(&m, true, 10 + i);
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_NEVER);
    elfs_machine_info_failed(&m, false, 20);
    info_at(21, true, "");
    elfs_machine_info_failed(&m, false, 22); /* not in a row */
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_NEVER);
}

static void a_stream_without_a_first_word_is_cut(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_INIT_MS);
    tx_at(10, "a.db", 3);
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_INIT_MS);
    claim_at(20, true, "");
    assert_int_equal(due(ELFS_WORK_CUT), ELFS_NEVER);
}

/* PROMOTED: the event comes before the file is gone. */
static void promoted(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live("a", 3));
    info_at(1, false, "a");
    take(500);
    claim_at(1000, true, "");
    expect(ELFS_ROLE_PRIMARY, "");
    assert_int_equal(take(1000), READ | PROBE | ROW);
    reading_at(1001, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
    info_at(1002, true, "self");
    expect(ELFS_ROLE_PRIMARY, "");
}

/* The role is as before by the time that anybody looks, and yet it was lost. */
static void each_turn_is_counted(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    claim_at(1, true, "");
    expect(ELFS_ROLE_PRIMARY, "");
    uint64_t turns = m.state.turns;
    claim_at(2, true, "");
    tx_at(2, "a.db", 3);
    assert_int_equal(m.state.turns, turns);
    claim_at(3, false, "");
    claim_at(3, true, "");
    expect(ELFS_ROLE_PRIMARY, "");
    assert_int_equal(m.state.turns, turns + 2);
}

/* "primary" does not outlive the next look at a .primary that is still there. */
static void a_contradicted_promotion_ends_with_the_next_look(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live("a", 3));
    elfs_machine_info_failed(&m, false, 1);
    claim_at(1000, true, "");
    take(1000);
    reading_at(1001, live("a", 3));
    expect(ELFS_ROLE_REPLICA, "a");
    info_at(1002, true, "self");
    expect(ELFS_ROLE_UNKNOWN, "");
    assert_int_equal(due(ELFS_WORK_READ), 1000 + ELFS_DISPUTE_MS);
    claim_at(1100, true, "");
    expect(ELFS_ROLE_UNKNOWN, ""); /* repeating it does not help */
    take(1250);
    reading_at(1251, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
}

/* DEMOTED: the file is there before the event comes. */
static void demoted(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    info_at(1, true, "self");
    claim_at(2, true, "");
    take(100);
    reading_at(5000, live("b", 3));
    expect(ELFS_ROLE_REPLICA, "b");
    assert_int_equal(take(5000) & (READ | PROBE), READ | PROBE);
    reading_at(5001, live("b", 3));
    expect(ELFS_ROLE_REPLICA, "b");
    info_at(5002, false, "b");
    expect(ELFS_ROLE_REPLICA, "b");
}

/* CONTRADICTION, and its end. A probe that was under way when it began does not count. */
static void a_standing_contradiction_is_unknown(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    info_at(1, true, "self");
    claim_at(2, true, "");
    assert_true(take(4000) & PROBE);
    reading_at(5000, live("b", 3));
    assert_int_equal(take(5000) & (READ | PROBE), READ);
    reading_at(5001, live("b", 3));
    info_at(5002, true, "self"); /* what was so before */
    expect(ELFS_ROLE_REPLICA, "b");
    assert_true(take(5002) & PROBE);
    info_at(5003, true, "self");
    expect(ELFS_ROLE_UNKNOWN, "");
    claim_at(6000, true, "");
    expect(ELFS_ROLE_UNKNOWN, "");
    claim_at(7000, false, "b");
    expect(ELFS_ROLE_REPLICA, "b");
}

/* OWN_NAME in a hand-over: the old primary names itself. */
static void the_old_primary_names_itself(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    info_at(1, true, "self");
    claim_at(2, true, "");
    claim_at(100, false, "self");
    expect(ELFS_ROLE_REPLICA, "");
    claim_at(200, false, "b");
    expect(ELFS_ROLE_REPLICA, "b");
}

/* Its own name is asked for, when it is not known. */
static void a_new_primary_asks_for_its_name(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    elfs_machine_info_failed(&m, true, 1);
    claim_at(1000, true, "");
    assert_true(take(1000) & PROBE);
}

/* GONE in time, and DEAD: LiteFS is killed, unmounted, the folder removed. */
static void the_mount_comes_and_goes(void **state) {
    (void)state;
    begin(POLL, true);
    reading_at(0, (struct elfs_reading){.mount = ELFS_MOUNT_ABSENT});
    expect(ELFS_ROLE_PRIMARY, "");
    reading_at(1, (struct elfs_reading){.mount = ELFS_MOUNT_PLAIN});
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(2, (struct elfs_reading){.mount = ELFS_MOUNT_ABSENT});
    expect(ELFS_ROLE_PRIMARY, "");
    reading_at(3, live(NULL, 0));
    claim_at(4, true, "");
    expect(ELFS_ROLE_PRIMARY, "");
    reading_at(5, (struct elfs_reading){.mount = ELFS_MOUNT_DEAD});
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(6, (struct elfs_reading){.mount = ELFS_MOUNT_ABSENT});
    expect(ELFS_ROLE_UNKNOWN, "");
    reading_at(7, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
}

/* LiteFS has gone and come back between two looks: all that differs is the mount. */
static void another_mount_is_told(void **state) {
    (void)state;
    struct elfs_reading second = live("n1", 0);
    begin(POLL, false);
    reading_at(0, live("n1", 0));
    assert_int_equal(m.state.device, 0);
    second.device = 40;
    reading_at(1, second);
    assert_int_equal(m.state.device, 40);
    expect(ELFS_ROLE_REPLICA, "n1");
}

/* As under a load of writes: a transaction each 10 ms. Returns how often the row was read. */
static int readings_of_the_row(int64_t from, int64_t until, const char *node) {
    static uint64_t txid = 10;
    int count = 0;
    for (int64_t now = from; now < until; now += 10) {
        tx_at(now, "a.db", txid++);
        if (!(take(now) & ROW)) continue;
        elfs_machine_row(&m, node, now);
        count++;
    }
    return count;
}

static void a_row_that_stays_is_read_less_often(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    claim_at(0, false, "a");
    reading_at(0, live("a", 3));
    readings_of_the_row(0, 10, "n@a");
    assert_in_range(readings_of_the_row(10, 1000, "n@a"), 3, 5);
    assert_in_range(readings_of_the_row(10000, 20000, "n@a"), 5, 8);
    /* what changes is watched again */
    assert_in_range(readings_of_the_row(20000, 21600, "n@b"), 1, 5);
}

/* A new primary's row comes with one of its first transactions, which this host may get late. */
static void a_new_primary_s_row_is_sought(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    claim_at(0, false, "a");
    reading_at(0, live("a", 3));
    readings_of_the_row(0, 1000, "n@a");
    readings_of_the_row(1000, 20000, "n@a");
    claim_at(30000, false, "b");
    assert_in_range(readings_of_the_row(30000, 30400, "n@a"), 18, 21);
    assert_in_range(readings_of_the_row(30400, 31000, "n@b"), 2, 4);
    /* in vain */
    claim_at(40000, false, "c");
    assert_in_range(readings_of_the_row(40000, 41000, "n@b"), 48, 51);
    assert_in_range(readings_of_the_row(41000, 51000, "n@b"), 5, 10);
}

static void a_row_that_cannot_be_read_stays_and_is_read_again(void **state) {
    (void)state;
    begin(0, true);
    take(0);
    claim_at(0, false, "a");
    reading_at(0, live("a", 3));
    take(0);
    elfs_machine_row(&m, "n@a", 2000);
    tx_at(3000, "a.db", 3);
    assert_int_equal(take(3000) & ROW, ROW);
    elfs_machine_row_failed(&m, 3001);
    assert_string_equal(m.state.node, "n@a");
    assert_in_range(due(ELFS_WORK_ROW), 3002, 3001 + ELFS_ROW_GAP_MAX_MS);
    assert_int_equal(take(3001 + ELFS_ROW_GAP_MAX_MS) & ROW, ROW);
    elfs_machine_row(&m, "", 5000);
    assert_string_equal(m.state.node, "");
}

static void the_row_is_read_when_it_may_have_changed(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live("a", 3));
    assert_int_equal(take(0) & ROW, ROW);
    elfs_machine_row(&m, "n@a", 0);
    assert_int_equal(due(ELFS_WORK_ROW), POLL);
    tx_at(1000, "other.db", 3);
    assert_int_equal(due(ELFS_WORK_ROW), POLL);
    tx_at(1000, "a.db", 3);
    assert_int_equal(take(1000) & ROW, ROW);
    for (int i = 0; i < 20; i++) tx_at(1001 + i, "a.db", 4 + (uint64_t)i);
    assert_int_equal(due(ELFS_WORK_ROW), 1100);
    claim_at(1050, false, "b"); /* another primary: not kept waiting */
    assert_int_equal(due(ELFS_WORK_ROW), 1050);
    take(1050);
    elfs_machine_row(&m, "n@b", 1051);
    assert_string_equal(m.state.node, "n@b");
    elfs_machine_row(&m, NULL, 1052);
    assert_string_equal(m.state.node, "");
    /* with the role unknown there is no primary to name; the row says what it says */
    elfs_machine_row(&m, "n@b", 1053);
    reading_at(1054, (struct elfs_reading){.mount = ELFS_MOUNT_DEAD});
    assert_string_equal(m.state.node, "");
    assert_string_equal(m.state.row_node, "n@b");
    assert_int_equal(take(1054) & ROW, 0); /* nothing to read there */
    reading_at(1055, live("b", 3));
    assert_string_equal(m.state.node, "n@b");
    assert_int_equal(take(1055) & ROW, ROW);
}

static struct elfs_reading with_position(uint64_t txid, uint64_t checksum) {
    struct elfs_reading r = live(NULL, 0);
    struct elfs_db_position *item = elfs_positions_add(&r.positions, "a.db");
    item->txid = txid;
    item->checksum = checksum;
    return r;
}

static void positions_move_on(void **state) {
    (void)state;
    begin(POLL, true);
    reading_at(0, with_position(7, 70));
    claim_at(1, true, "");
    assert_int_equal(tx_at(2, "a.db", 5), 7); /* queued before the reading */
    assert_int_equal(m.state.positions.items[0].checksum, 70);
    assert_int_equal(tx_at(3, "a.db", 8), 8);
    assert_int_equal(tx_at(4, "a.db", 6), 6); /* the database went back */
    assert_int_equal(m.state.positions.items[0].checksum, 106);
    assert_int_equal(tx_at(5, "b.db", 1), 1);
    assert_int_equal(m.state.positions.count, 2);
    elfs_machine_stream_lost(&m, 0, 6);
    assert_int_equal(take(6) & READ, READ);
    reading_at(7, with_position(9, 90));
    assert_int_equal(m.state.positions.count, 1);
    assert_int_equal(tx_at(8, "a.db", 4), 9); /* a new connection: not "back" */
}

static void an_event_during_a_reading_is_newer(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, with_position(7, 70));
    claim_at(1, true, "");
    tx_at(2, "a.db", 8);
    assert_true(take(60) & READ);
    tx_at(61, "a.db", 9);
    tx_at(61, "new.db", 1);
    reading_at(62, with_position(8, 80));
    assert_int_equal(m.state.positions.count, 2);
    assert_int_equal(elfs_positions_find(&m.state.positions, "a.db")->txid, 9);
    assert_int_equal(elfs_positions_find(&m.state.positions, "new.db")->txid, 1);
    assert_true(take(31000) & READ);
    reading_at(31001, with_position(8, 80)); /* and no longer */
    assert_int_equal(m.state.positions.count, 1);
    assert_int_equal(m.state.positions.items[0].txid, 8);
}

/* What was asked before an event, and agrees with it, confirms it; it does not replace the name. */
static void an_overtaken_answer_that_agrees(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 7));
    claim_at(5, false, "new");
    info_at(6, false, "old");
    expect(ELFS_ROLE_REPLICA, "new");
    assert_int_equal(due(ELFS_WORK_PROBE), 5 + ELFS_PROBE_MS);
}

static void positions_have_a_limit(void **state) {
    (void)state;
    begin(POLL, true);
    char name[16];
    for (int i = 0; i < ELFS_POSITIONS_MAX; i++) {
        snprintf(name, sizeof name, "%d.db", i);
        assert_int_equal(tx_at(1, name, 1), 1);
    }
    assert_int_equal(tx_at(2, "one-more.db", 1), 0);
    assert_int_equal(tx_at(2, "0.db", 2), 2);
    assert_int_equal(m.state.positions.count, ELFS_POSITIONS_MAX);
}

static void a_bad_line_asks_the_others_but_not_too_often(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    info_at(1, true, "self");
    elfs_machine_bad_line(&m, 100);
    assert_int_equal(due(ELFS_WORK_READ), ELFS_DISPUTE_MS);
    assert_int_equal(due(ELFS_WORK_PROBE), ELFS_DISPUTE_MS);
    elfs_machine_bad_line(&m, 1000);
    assert_int_equal(take(1000) & (READ | PROBE), READ | PROBE);
}

static void one_probe_at_a_time(void **state) {
    (void)state;
    begin(POLL, true);
    assert_true(take(0) & PROBE);
    reading_at(0, live("a", 0));
    elfs_machine_stream_lost(&m, 0, 1);
    assert_false(take(1) & PROBE);
    assert_true(elfs_machine_next(&m) > 1);
    elfs_machine_info_failed(&m, false, 2);
    assert_int_equal(elfs_machine_next(&m), 1);
    assert_true(take(2) & PROBE);
    elfs_machine_refresh(&m, 3); /* the one under way is dropped for a new one */
    assert_true(take(3) & PROBE);
}

/* LiteFS that is stopped, not dead: looking at its mount does not return. */
static void a_mount_that_hangs_is_unknown(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    reading_at(0, live(NULL, 0));
    claim_at(1, true, "");
    assert_int_equal(elfs_machine_take(&m, 51) & (READ | ROW), READ | ROW);
    elfs_machine_row(&m, NULL, 52);
    expect(ELFS_ROLE_PRIMARY, "");
    assert_false(elfs_machine_idle(&m, 52));
    elfs_machine_info(&m, &(struct elfs_claim){.is_primary = true}, 53);
    assert_int_equal(elfs_machine_next(&m), 51 + ELFS_STUCK_MS);
    assert_false(elfs_machine_take(&m, 51 + ELFS_STUCK_MS) & READ); /* one at a time */
    expect(ELFS_ROLE_UNKNOWN, "");
    assert_int_equal(m.state.mount, ELFS_MOUNT_UNKNOWN);
    assert_false(m.state.lag_known);
    assert_true(elfs_machine_idle(&m, 51 + ELFS_STUCK_MS));  /* a refresh does not wait for it */
    assert_true(elfs_machine_next(&m) > 51 + ELFS_STUCK_MS); /* nor does the loop spin */
    reading_at(60000, live(NULL, 0));
    expect(ELFS_ROLE_PRIMARY, "");
}

/* A reading that was under way when the stream spoke is the older one of the two. */
static void a_reading_is_as_old_as_its_beginning(void **state) {
    (void)state;
    begin(POLL, true);
    take(0);
    claim_at(1, true, "");
    reading_at(2, live("a", 3));
    expect(ELFS_ROLE_PRIMARY, "");
    assert_true(take(60) & READ);
    reading_at(61, live("a", 3));
    expect(ELFS_ROLE_REPLICA, "a");
}

static void reconnects_back_off(void **state) {
    (void)state;
    begin(POLL, true);
    int64_t now = 0, waits[9];
    for (int i = 0; i < 9; i++) {
        take(now);
        elfs_machine_stream_lost(&m, UINT32_MAX, now);
        waits[i] = due(ELFS_WORK_CONNECT) - now;
        now += waits[i];
        if (i > 0) assert_true(waits[i] >= waits[i - 1] / 2);
        assert_in_range(waits[i], ELFS_BACKOFF_MIN_MS, ELFS_BACKOFF_MAX_MS);
    }
    assert_true(waits[8] >= ELFS_BACKOFF_MAX_MS / 2);
    take(now); /* a stream that says a word and goes does not count */
    claim_at(now, true, "");
    elfs_machine_stream_lost(&m, 0, now + 10);
    assert_true(due(ELFS_WORK_CONNECT) - now >= ELFS_BACKOFF_MAX_MS / 2);
    take(now + 20000);
    claim_at(now + 20000, true, "");
    elfs_machine_stream_lost(&m, 0, now + 20000 + ELFS_LIVED_MS);
    assert_int_equal(due(ELFS_WORK_CONNECT), now + 20000 + ELFS_LIVED_MS + ELFS_BACKOFF_MIN_MS);
}

static void back_off_stays_within_its_limits(void **state) {
    (void)state;
    static const uint32_t randoms[] = {0, 1, 12345, UINT32_MAX / 2, UINT32_MAX};
    for (size_t i = 0; i < sizeof randoms / sizeof *randoms; i++) {
        struct elfs_backoff b = {0};
        int64_t whole = ELFS_BACKOFF_MIN_MS;
        for (int n = 0; n < 100; n++) {
            int64_t least = whole / 2 < ELFS_BACKOFF_MIN_MS ? ELFS_BACKOFF_MIN_MS : whole / 2;
            assert_in_range(elfs_backoff_next(&b, randoms[i]), least, whole);
            whole = whole * 2 > ELFS_BACKOFF_MAX_MS ? ELFS_BACKOFF_MAX_MS : whole * 2;
        }
        elfs_backoff_reset(&b);
        assert_int_equal(elfs_backoff_next(&b, randoms[i]), ELFS_BACKOFF_MIN_MS);
    }
}

/* Random inputs: what must hold after each of them. */
static void whatever_comes(void **state) {
    (void)state;
    unsigned seed = 20231;
    print_message("seed %u\n", seed);
    begin(POLL, true);
    int64_t now = 0;
    for (int i = 0; i < 20000; i++) {
        now += rand_r(&seed) % 700;
        unsigned taken = take(now);
        bool yes = rand_r(&seed) % 2;
        const char *name = rand_r(&seed) % 2 ? "a" : "";
        switch (rand_r(&seed) % 8) {
        case 0: reading_at(now, live(yes ? "a" : NULL, rand_r(&seed) % 3)); break;
        case 1: claim_at(now, yes, name); break;
        case 2: elfs_machine_stream_lost(&m, (uint32_t)rand_r(&seed), now); break;
        case 3: info_at(now, yes, name); break;
        case 4: elfs_machine_info_failed(&m, yes, now); break;
        case 5: reading_at(now, (struct elfs_reading){.mount = rand_r(&seed) % 5}); break;
        case 6: elfs_machine_bad_line(&m, now); break;
        default: elfs_machine_row(&m, yes ? "n@a" : NULL, now); break;
        }
        if (m.state.role == ELFS_ROLE_PRIMARY) {
            assert_string_equal(m.state.hostname, "");
            assert_true(m.state.mount == ELFS_MOUNT_LIVE || m.state.mount == ELFS_MOUNT_ABSENT);
            assert_int_not_equal(m.state.stream.says, ELFS_ROLE_REPLICA);
            if (m.state.mount == ELFS_MOUNT_LIVE && m.state.stream.says != ELFS_ROLE_PRIMARY)
                assert_int_equal(m.state.file.says, ELFS_ROLE_PRIMARY);
        }
        if (taken & ELFS_DUE(ELFS_WORK_READ)) reading_at(now, live(yes ? "a" : NULL, 0));
        assert_true(elfs_machine_next(&m) <= now + POLL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_by_asking_everything),
        cmocka_unit_test(what_is_switched_off_is_not_asked),
        cmocka_unit_test(two_readings_prove_primary),
        cmocka_unit_test(a_slow_reading_proves_nothing_early),
        cmocka_unit_test(nothing_else_is_a_proof),
        cmocka_unit_test(a_claim_of_replica_ends_the_proof),
        cmocka_unit_test(the_stream_decides_at_once),
        cmocka_unit_test(a_lost_stream_proves_nothing_more),
        cmocka_unit_test(an_info_answer_holds_five_seconds),
        cmocka_unit_test(the_end_of_an_answer_wakes_the_loop),
        cmocka_unit_test(an_overtaken_answer_is_asked_again),
        cmocka_unit_test(a_silent_stream_is_cut),
        cmocka_unit_test(a_stream_without_a_first_word_is_cut),
        cmocka_unit_test(promoted),
        cmocka_unit_test(a_contradicted_promotion_ends_with_the_next_look),
        cmocka_unit_test(demoted),
        cmocka_unit_test(a_standing_contradiction_is_unknown),
        cmocka_unit_test(the_old_primary_names_itself),
        cmocka_unit_test(each_turn_is_counted),
        cmocka_unit_test(a_new_primary_asks_for_its_name),
        cmocka_unit_test(the_mount_comes_and_goes),
        cmocka_unit_test(another_mount_is_told),
        cmocka_unit_test(the_row_is_read_when_it_may_have_changed),
        cmocka_unit_test(a_row_that_stays_is_read_less_often),
        cmocka_unit_test(a_new_primary_s_row_is_sought),
        cmocka_unit_test(a_row_that_cannot_be_read_stays_and_is_read_again),
        cmocka_unit_test(positions_move_on),
        cmocka_unit_test(an_event_during_a_reading_is_newer),
        cmocka_unit_test(an_overtaken_answer_that_agrees),
        cmocka_unit_test(positions_have_a_limit),
        cmocka_unit_test(a_bad_line_asks_the_others_but_not_too_often),
        cmocka_unit_test(one_probe_at_a_time),
        cmocka_unit_test(a_mount_that_hangs_is_unknown),
        cmocka_unit_test(a_reading_is_as_old_as_its_beginning),
        cmocka_unit_test(reconnects_back_off),
        cmocka_unit_test(back_off_stays_within_its_limits),
        cmocka_unit_test(whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
