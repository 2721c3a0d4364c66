/* The detector against a real HTTP server and a folder that stands in for the mount: what it tells,
 * how soon, and what it bears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "detect/detector.h"
#include "detect/http.h"
#include "detect/machine.h"
#include "fail_alloc.h"
#include "fake_litefs.h"

#define WAIT_S 10

/* What was told so far. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct elfs_detect_state last;
static int64_t last_at_us;
static int changes;
static uint64_t refreshed;
static struct elfs_positions moved;

static char mount[64];
static struct fake_litefs *litefs;
static struct elfs_detector *detector;
static _Atomic(const char *) row;
static atomic_int row_reads;

static void on_change(void *arg, const struct elfs_detect_state *state) {
    (void)arg;
    pthread_mutex_lock(&lock);
    last = *state;
    last_at_us = elfs_clock_us();
    changes++;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static void on_position(void *arg, const struct elfs_db_position *position) {
    (void)arg;
    pthread_mutex_lock(&lock);
    *elfs_positions_add(&moved, position->database) = *position;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static void on_refreshed(void *arg, uint64_t ticket, const struct elfs_detect_state *state) {
    (void)arg;
    pthread_mutex_lock(&lock);
    last = *state;
    refreshed = ticket;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static enum elfs_code read_row(void *arg, char node[ELFS_NODE_SIZE]) {
    (void)arg;
    const char *text = atomic_load(&row);
    atomic_fetch_add(&row_reads, 1);
    if (!text) return ELFS_MALFORMED;
    if (text[0] == '\0') return ELFS_SQLITE;
    strcpy(node, text);
    return ELFS_OK;
}

/* Waits until the condition holds for what was told; fails the test after 10 s. */
static void wait_until(bool (*condition)(const void *arg), const void *arg, const char *what) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    int rc = 0;
    pthread_mutex_lock(&lock);
    while (!condition(arg) && rc == 0) rc = pthread_cond_timedwait(&news, &lock, &deadline);
    bool ok = condition(arg);
    enum elfs_role role = last.role;
    pthread_mutex_unlock(&lock);
    if (!ok) fail_msg("never: %s (the role is %s)", what, elfs_role_name(role));
}

struct expected {
    enum elfs_role role;
    const char *hostname;
};

static bool role_is(const void *arg) {
    const struct expected *e = arg;
    return changes > 0 && last.role == e->role && strcmp(last.hostname, e->hostname) == 0;
}

static void await_role(enum elfs_role role, const char *hostname) {
    struct expected e = {role, hostname};
    wait_until(role_is, &e, elfs_role_name(role));
}

struct transaction {
    const char *database;
    uint64_t txid;
};

static bool moved_is(const void *arg) {
    const struct transaction *expected = arg;
    const struct elfs_db_position *item = elfs_positions_find(&moved, expected->database);
    return item && item->txid == expected->txid;
}

static void await_transaction(const char *database, uint64_t txid) {
    struct transaction expected = {database, txid};
    wait_until(moved_is, &expected, "a transaction");
}

static bool node_is(const void *arg) { return changes > 0 && strcmp(last.node, arg) == 0; }
static bool refreshed_is(const void *arg) { return refreshed >= *(const uint64_t *)arg; }

static struct elfs_detect_state refresh(void) {
    uint64_t ticket = elfs_detector_refresh(detector);
    wait_until(refreshed_is, &ticket, "refreshed");
    struct elfs_detect_state state;
    elfs_detector_state(detector, &state);
    return state;
}

static char primary_path[128];

static struct elfs_detector_config config(void) {
    snprintf(primary_path, sizeof primary_path, "%s/.primary", mount);
    return (struct elfs_detector_config){.primary_file = primary_path,
                                         .poll_interval_ms = 30000,
                                         .event_stream_url = fake_litefs_url(litefs),
                                         .database = "/somewhere/a.db",
                                         .read_row = read_row,
                                         .events = {NULL, on_change, on_position, on_refreshed}};
}

static void start_with(struct elfs_detector_config c) {
    struct elfs_error err;
    elfs_error_clear(&err);
    if (elfs_detector_start(&c, &detector, &err) != ELFS_OK) fail_msg("%s", err.message);
}

/* A mount without .primary, lag 0, and a server that says what greeting says. */
static void start(const char *greeting) {
    char raw[4096];
    snprintf(raw, sizeof raw, FAKE_EVENTS_HEAD "%zx\r\n%s\r\n", strlen(greeting), greeting);
    if (*greeting) fake_litefs_greet(litefs, raw);
    start_with(config());
}

static int setup(void **state) {
    (void)state;
    fake_mount_make(mount);
    fake_mount_put(mount, ".lag", "+000000000\n");
    litefs = fake_litefs_start();
    detector = NULL;
    atomic_store(&row, NULL);
    atomic_store(&row_reads, 0);
    changes = 0;
    refreshed = 0;
    moved.count = 0;
    memset(&last, 0, sizeof last);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    if (detector) elfs_detector_stop(detector);
    fake_litefs_stop(litefs);
    fake_mount_remove(mount);
    return 0;
}

static void the_stream_makes_it_primary(void **state) {
    (void)state;
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    assert_int_equal(changes, 1); /* the first thing told is not a guess */
    assert_int_equal(last.mount, ELFS_MOUNT_LIVE);
}

static void roles_follow_the_stream_within_milliseconds(void **state) {
    (void)state;
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    refresh();
    int64_t slowest = 0;
    for (int i = 0; i < 20; i++) {
        bool primary = i % 2;
        int64_t sent = elfs_clock_us();
        assert_true(fake_litefs_say(
            litefs, primary
                        ? "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":true}}\n"
                        : "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false,\"hostname\":"
                          "\"c2\"}}\n"));
        await_role(primary ? ELFS_ROLE_PRIMARY : ELFS_ROLE_REPLICA, primary ? "" : "c2");
        int64_t took = last_at_us - sent;
        if (took > slowest) slowest = took;
    }
    print_message("slowest of 20: %lld us\n", (long long)slowest);
    assert_true(slowest < 500000); /* loose: the machine may be busy */
}

static bool is_told_again(const void *arg) { return changes > *(const int *)arg; }

/* Both events are there when the detector looks. */
static void a_role_that_is_lost_and_back_is_told(void **state) {
    (void)state;
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    refresh();
    int before = changes;
    assert_true(fake_litefs_say(litefs,
                                "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false}}\n"
                                "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":true}}\n"));
    wait_until(is_told_again, &before, "told");
    await_role(ELFS_ROLE_PRIMARY, "");
}

/* Every sample of what LiteFS sends, split into two chunks at every byte. */
static void events_split_at_every_byte(void **state) {
    (void)state;
    static const char events[] =
        "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false}}\n" FAKE_TX(
            "wal.db", "0000000000000004") FAKE_INIT_PRIMARY FAKE_INIT_REPLICA
        "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false,\"hostname\":\"c2\"}}\n";
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    char first[sizeof events];
    uint64_t txid = 0;
    for (size_t split = 1; split < strlen(events); split++) {
        memcpy(first, events, split);
        first[split] = '\0';
        assert_true(fake_litefs_say(litefs, first));
        assert_true(fake_litefs_say(litefs, events + split));
        char tx[256];
        snprintf(tx, sizeof tx,
                 "{\"type\":\"tx\",\"db\":\"mark.db\",\"data\":{\"txID\":\"%016llx\","
                 "\"postApplyChecksum\":\"a2fc350ac2962d33\"}}\n",
                 (unsigned long long)++txid);
        assert_true(fake_litefs_say(litefs, tx));
        await_transaction("mark.db", txid);
        struct elfs_detect_state now;
        elfs_detector_state(detector, &now);
        assert_string_equal(now.hostname, "c2");
        assert_int_equal(now.bad_lines, 0);
    }
}

static void odd_chunks(void **state) {
    (void)state;
    fake_litefs_greet(litefs, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    start("");
    fake_litefs_await_streams(litefs, 1);
    for (const char *p = FAKE_INIT_PRIMARY; *p; p++) {
        char chunk[32];
        int n = snprintf(chunk, sizeof chunk, "0001;x=y\r\n%c\r\n", *p);
        assert_true(fake_litefs_send(litefs, chunk, (size_t)n));
    }
    await_role(ELFS_ROLE_PRIMARY, "");
}

static void a_cut_stream_takes_the_role_with_it(void **state) {
    (void)state;
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    fake_mount_put(mount, ".lag", "+000000500\n"); /* so that the files prove nothing */
    refresh();
    fake_litefs_greet(litefs, FAKE_EVENTS_HEAD); /* the next one says nothing */
    fake_litefs_cut(litefs);
    await_role(ELFS_ROLE_UNKNOWN, "");
    fake_litefs_await_streams(litefs, 2); /* it came back by itself */
    assert_true(fake_litefs_say(litefs, FAKE_INIT_REPLICA));
    await_role(ELFS_ROLE_REPLICA, "n1");
}

static void a_cut_stream_has_positions_read_again(void **state) {
    (void)state;
    fake_mount_put(mount, "a.db-pos", "0000000000000003/a7dd8f28ea1b904d\n");
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    refresh();
    fake_mount_put(mount, "a.db-pos", "0000000000000009/a7dd8f28ea1b904d\n");
    fake_mount_put(mount, ".primary", "n9\n");
    fake_litefs_greet(litefs, FAKE_EVENTS_HEAD);
    fake_litefs_cut(litefs);
    await_role(ELFS_ROLE_REPLICA, "n9");
    assert_int_equal(last.positions.count, 1);
    assert_int_equal(last.positions.items[0].txid, 9);
}

static void info_alone_is_enough(void **state) {
    (void)state;
    fake_litefs_greet(litefs, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    fake_litefs_info(litefs, true, "self");
    start("");
    await_role(ELFS_ROLE_PRIMARY, "");
    fake_litefs_info(litefs, false, "n2");
    refresh();
    await_role(ELFS_ROLE_REPLICA, "n2");
}

static void the_old_primary_names_itself(void **state) {
    (void)state;
    fake_litefs_info(litefs, true, "self");
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    refresh();
    fake_litefs_info(litefs, false, "self");
    assert_true(fake_litefs_say(
        litefs,
        "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false,\"hostname\":\"self\"}}\n"));
    await_role(ELFS_ROLE_REPLICA, "");
}

/* Each of these says "primary" in a way that does not count; the files say nothing. */
static void answers_that_do_not_count(void **state) {
    (void)state;
    static const char *const greetings[] = {
        "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2a\r\n" FAKE_INIT_PRIMARY "\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /info\r\nContent-Length: 42\r\n\r\n" FAKE_INIT_PRIMARY,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 42\r\n\r\n" FAKE_INIT_PRIMARY,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" FAKE_INIT_PRIMARY,
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" FAKE_INIT_PRIMARY,
        FAKE_INIT_PRIMARY,
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\r\n\r\n",
    };
    fake_mount_put(mount, ".lag", "+000000500\n");
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        int before = fake_litefs_streams(litefs);
        fake_litefs_greet(litefs, greetings[i]);
        start("");
        fake_litefs_await_streams(litefs, before + 2); /* it was given up, and tried again */
        struct elfs_detect_state now = refresh();
        assert_int_equal(now.role, ELFS_ROLE_UNKNOWN);
        elfs_detector_stop(detector);
        detector = NULL;
    }
}

static void redirects_are_not_followed(void **state) {
    (void)state;
    fake_litefs_greet(litefs, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n");
    fake_litefs_answer_info(litefs, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\n"
                                    "Content-Length: 0\r\n\r\n");
    fake_litefs_answer_elsewhere(
        litefs, "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"isPrimary\":true}");
    start("");
    struct elfs_detect_state now = refresh();
    assert_int_equal(now.stream.says, ELFS_ROLE_UNKNOWN);
    assert_int_equal(now.role, ELFS_ROLE_UNKNOWN);
}

static void long_headers_end_the_stream(void **state) {
    (void)state;
    size_t size = ELFS_HTTP_HEADERS_MAX + 2048;
    char *raw = malloc(size);
    assert_non_null(raw);
    size_t len = (size_t)sprintf(raw, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
    while (len < ELFS_HTTP_HEADERS_MAX) len += (size_t)sprintf(raw + len, "X: %0100d\r\n", 0);
    sprintf(raw + len, "\r\n2a\r\n" FAKE_INIT_PRIMARY "\r\n");
    fake_litefs_greet(litefs, raw);
    free(raw);
    fake_mount_put(mount, ".lag", "+000000500\n");
    start("");
    fake_litefs_await_streams(litefs, 2);
    assert_int_equal(refresh().role, ELFS_ROLE_UNKNOWN);
}

static bool bad_lines_is(const void *arg) {
    struct elfs_detect_state now;
    elfs_detector_state(detector, &now);
    return now.bad_lines == *(const uint64_t *)arg;
}

static void lines_of_a_mebibyte_and_garbage(void **state) {
    (void)state;
    start(FAKE_INIT_PRIMARY);
    await_role(ELFS_ROLE_PRIMARY, "");
    size_t size = 1 << 20;
    char *line = malloc(size + 2);
    assert_non_null(line);
    memset(line, ' ', size);
    memcpy(line, "{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false}", 50);
    strcpy(line + size, "\n");
    assert_true(fake_litefs_say(litefs, line));
    free(line);
    assert_true(fake_litefs_say(litefs, "\n[]\nnull\n{\"type\":\"init\",\"data\":{}}\n\xFF\xFE\n"));
    assert_true(
        fake_litefs_say(litefs, "{\"type\":\"news\"}\n" FAKE_TX("a.db", "0000000000000005")));
    await_transaction("a.db", 5);
    uint64_t bad = 6;
    assert_true(bad_lines_is(&bad));
    assert_int_equal(last.role, ELFS_ROLE_PRIMARY);
}

static void endless_info_is_cut(void **state) {
    (void)state;
    size_t size = ELFS_INFO_MAX + 4096;
    char *raw = malloc(size + 64);
    assert_non_null(raw);
    int head = sprintf(raw, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    memset(raw + head, ' ', size);
    memcpy(raw + head, "{\"isPrimary\":true}", 18);
    raw[head + (int)size] = '\0';
    fake_litefs_answer_info(litefs, raw);
    free(raw);
    fake_litefs_greet(litefs, NULL);
    start("");
    struct elfs_detect_state now = refresh();
    assert_int_equal(now.role, ELFS_ROLE_UNKNOWN);
}

/* A server that accepts and says nothing blocks nobody: the mount is read, a refresh ends. */
static void a_stalled_server_blocks_nothing(void **state) {
    (void)state;
    fake_litefs_greet(litefs, NULL);
    fake_litefs_answer_info(litefs, NULL);
    fake_mount_put(mount, ".primary", "n3\n");
    start("");
    await_role(ELFS_ROLE_REPLICA, "n3");
    int64_t began = elfs_clock_ms();
    fake_mount_put(mount, ".primary", "n4\n");
    struct elfs_detect_state now = refresh();
    assert_string_equal(now.hostname, "n4");
    assert_in_range(elfs_clock_ms() - began, 0, 2500);
}

/* A stand-in for a mount whose LiteFS is stopped: looking at it waits for the gate. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int stand_in_gate(int dir_fd, bool *is_fuse) {
    (void)dir_fd;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    *is_fuse = true;
    return 0;
}

static void a_mount_that_hangs_hangs_nothing(void **state) {
    (void)state;
    fake_litefs_info(litefs, true, "self");
    fake_litefs_greet(litefs, FAKE_EVENTS_HEAD "2a\r\n" FAKE_INIT_PRIMARY "\r\n");
    struct elfs_detector_config c = config();
    c.is_fuse = stand_in_gate;
    start_with(c);
    await_role(ELFS_ROLE_PRIMARY, "");
    refresh();
    pthread_mutex_lock(&gate);
    uint64_t ticket = elfs_detector_refresh(detector);
    assert_true(fake_litefs_say(litefs, FAKE_TX("a.db", "0000000000000007")));
    await_transaction("a.db", 7);
    await_role(ELFS_ROLE_UNKNOWN, "");
    wait_until(refreshed_is, &ticket, "refreshed all the same");
    assert_int_equal(last.mount, ELFS_MOUNT_UNKNOWN);
    pthread_mutex_unlock(&gate);
    await_role(ELFS_ROLE_PRIMARY, "");
}

static void nobody_listens(void **state) {
    (void)state;
    struct elfs_detector_config c = config();
    c.event_stream_url = "http://127.0.0.1:1/events";
    start_with(c);
    await_role(ELFS_ROLE_UNKNOWN, "");
    /* after a second the files prove it */
    await_role(ELFS_ROLE_PRIMARY, "");
    struct elfs_detect_state now;
    elfs_detector_state(detector, &now);
    assert_int_equal(now.file.says, ELFS_ROLE_PRIMARY);
    assert_int_equal(now.stream.says, ELFS_ROLE_UNKNOWN);
}

static void proxies_of_the_environment_are_not_used(void **state) {
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    start(FAKE_INIT_REPLICA);
    await_role(ELFS_ROLE_REPLICA, "n1");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void polling_finds_what_changed(void **state) {
    (void)state;
    struct elfs_detector_config c = config();
    c.event_stream_url = NULL;
    c.poll_interval_ms = 20;
    fake_mount_put(mount, ".primary", "n1\n");
    start_with(c);
    await_role(ELFS_ROLE_REPLICA, "n1");
    fake_mount_put(mount, ".primary", "n2\n");
    await_role(ELFS_ROLE_REPLICA, "n2");
    fake_mount_put(mount, ".lag", NULL); /* no LiteFS any more */
    await_role(ELFS_ROLE_UNKNOWN, "");
    fake_mount_put(mount, ".lag", "+000000000\n");
    await_role(ELFS_ROLE_REPLICA, "n2");
    assert_int_equal(fake_litefs_streams(litefs), 0);
}

/* Without HTTP to wait for, a refresh and the first change still come after the reading. */
static void everything_off(void **state) {
    (void)state;
    struct elfs_detector_config c = config();
    c.event_stream_url = NULL;
    c.database = NULL;
    c.poll_interval_ms = 0;
    start_with(c);
    await_role(ELFS_ROLE_UNKNOWN, "");
    assert_int_equal(last.mount, ELFS_MOUNT_LIVE);
    fake_mount_put(mount, ".primary", "n1\n");
    struct elfs_detect_state now = refresh();
    assert_string_equal(now.hostname, "n1");
}

static void no_folder_is_standalone(void **state) {
    (void)state;
    struct elfs_detector_config c = config();
    c.primary_file = "/no/such/folder/.primary";
    c.event_stream_url = "http://127.0.0.1:1/events";
    atomic_store(&row, "me@host");
    start_with(c);
    await_role(ELFS_ROLE_PRIMARY, "");
    wait_until(node_is, "me@host", "the row's node");
}

static void the_row_gives_the_node(void **state) {
    (void)state;
    atomic_store(&row, "app@n1");
    start(FAKE_INIT_REPLICA);
    wait_until(node_is, "app@n1", "the first node");
    atomic_store(&row, "app@n2");
    assert_true(fake_litefs_say(litefs, FAKE_TX("b.db", "0000000000000001")));
    assert_true(fake_litefs_say(litefs, FAKE_TX("a.db", "0000000000000002")));
    wait_until(node_is, "app@n2", "the node after a transaction");
    /* not readable: tried again until it is, and what was known stays */
    int before = atomic_load(&row_reads);
    atomic_store(&row, "");
    assert_true(fake_litefs_say(litefs, FAKE_TX("a.db", "0000000000000003")));
    while (atomic_load(&row_reads) < before + 2) usleep(1000);
    wait_until(node_is, "app@n2", "the node that was known");
    atomic_store(&row, NULL);
    wait_until(node_is, "", "no node");
}

static void many_transactions_read_the_row_seldom(void **state) {
    (void)state;
    start(FAKE_INIT_REPLICA);
    await_role(ELFS_ROLE_REPLICA, "n1");
    refresh();
    int before = atomic_load(&row_reads);
    int64_t began = elfs_clock_ms();
    for (unsigned i = 1; i <= 2000; i++) {
        char tx[256];
        snprintf(tx, sizeof tx,
                 "{\"type\":\"tx\",\"db\":\"a.db\",\"data\":{\"txID\":\"%016x\","
                 "\"postApplyChecksum\":\"a2fc350ac2962d33\"}}\n",
                 i);
        assert_true(fake_litefs_say(litefs, tx));
    }
    await_transaction("a.db", 2000);
    int64_t took = elfs_clock_ms() - began;
    assert_true(atomic_load(&row_reads) - before <= took / ELFS_ROW_GAP_MS + 2);
}

static void *refresh_often(void *arg) {
    (void)arg;
    for (int i = 0; i < 50; i++) {
        struct elfs_detect_state now;
        elfs_detector_refresh(detector);
        elfs_detector_state(detector, &now);
    }
    return NULL;
}

static void refresh_from_several_threads(void **state) {
    (void)state;
    fake_litefs_info(litefs, true, "self");
    start(FAKE_INIT_PRIMARY);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, refresh_often, NULL), 0);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    struct elfs_detect_state now = refresh();
    assert_int_equal(now.role, ELFS_ROLE_PRIMARY);
}

static void stops_at_any_time(void **state) {
    (void)state;
    fake_litefs_greet(litefs, NULL);
    for (int i = 0; i < 50; i++) {
        start(i % 2 ? FAKE_INIT_PRIMARY : "");
        if (i % 5 == 0) refresh();
        elfs_detector_stop(detector);
        detector = NULL;
    }
}

static void bad_configurations(void **state) {
    (void)state;
    struct elfs_error err;
    struct elfs_detector_config c = config();
    c.event_stream_url = "https://localhost/events";
    assert_int_equal(elfs_detector_start(&c, &detector, &err), ELFS_BADARG);
    assert_null(detector);
    assert_non_null(strstr(err.message, "https://localhost/events"));
    c = config();
    c.primary_file = "/litefs/";
    assert_int_equal(elfs_detector_start(&c, &detector, &err), ELFS_BADARG);
    assert_null(detector);
}

/* Allocations that fail while the thread runs are its own affair (a line is lost, a request is
 * tried again): what must hold is that start says so, or that stop frees everything. */
static bool start_and_stop(void *arg) {
    (void)arg;
    struct elfs_detector_config c = config();
    c.event_stream_url = "http://127.0.0.1:1/events";
    if (elfs_detector_start(&c, &detector, NULL) != ELFS_OK) {
        detector = NULL;
        return false;
    }
    elfs_detector_stop(detector);
    detector = NULL;
    return true;
}

static void without_memory(void **state) {
    (void)state;
    fail_alloc_each(start_and_stop, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_stream_makes_it_primary),
        TEST(roles_follow_the_stream_within_milliseconds),
        TEST(a_role_that_is_lost_and_back_is_told),
        TEST(events_split_at_every_byte),
        TEST(odd_chunks),
        TEST(a_cut_stream_takes_the_role_with_it),
        TEST(a_cut_stream_has_positions_read_again),
        TEST(info_alone_is_enough),
        TEST(the_old_primary_names_itself),
        TEST(answers_that_do_not_count),
        TEST(redirects_are_not_followed),
        TEST(long_headers_end_the_stream),
        TEST(lines_of_a_mebibyte_and_garbage),
        TEST(endless_info_is_cut),
        TEST(a_stalled_server_blocks_nothing),
        TEST(a_mount_that_hangs_hangs_nothing),
        TEST(nobody_listens),
        TEST(proxies_of_the_environment_are_not_used),
        TEST(polling_finds_what_changed),
        TEST(everything_off),
        TEST(no_folder_is_standalone),
        TEST(the_row_gives_the_node),
        TEST(many_transactions_read_the_row_seldom),
        TEST(refresh_from_several_threads),
        TEST(stops_at_any_time),
        TEST(bad_configurations),
        TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
