/* The port driver in a stand-in for the VM: opened, asked, told and closed, from several threads.
 * What the messages hold is tested with real ports (tests/ct). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "app/port_proto.h"
#include "base/clock.h"
#include "codec/put.h"
#include "codec/term.h"
#include "fail_alloc.h"
#include "fake_erl_driver.h"
#include "fake_litefs.h"

#define STATE_COMMAND 1
/* A close that waits for anything takes longer, even on a busy machine. */
#define PROMPT_MS 1500 /* a close that waited for a thread takes 2 s */

static struct fake_litefs *litefs;
static char mount[64];

/* libcurl's look-up of a name that is no number: none is known, and one hangs. */
static pthread_mutex_t dns_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t dns_moves = PTHREAD_COND_INITIALIZER;
static bool dns_hangs;
static int dns_asked;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
    (void)name, (void)service, (void)hints;
    *result = NULL;
    pthread_mutex_lock(&dns_lock);
    dns_asked++;
    pthread_cond_broadcast(&dns_moves);
    while (dns_hangs) pthread_cond_wait(&dns_moves, &dns_lock);
    pthread_mutex_unlock(&dns_lock);
    return EAI_NONAME;
}

/* The system's time, which somebody has put back. */
static atomic_bool put_back;

int clock_gettime(clockid_t clock, struct timespec *now) {
    long rc = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && atomic_load(&put_back)) now->tv_sec -= 3600;
    return (int)rc;
}

/* ---- requests and answers ---- */

static void put_pair(struct elfs_buf *buf, const char *key, const char *text) {
    elfs_put_atom(buf, key);
    elfs_put_binary_str(buf, text);
}

/* database NULL: nil. */
static void put_configure(struct elfs_buf *buf, const char *url, const char *database) {
    char primary_file[128];
    snprintf(primary_file, sizeof primary_file, "%s/.primary", mount);
    elfs_put_version(buf);
    elfs_put_tuple_header(buf, 3);
    elfs_put_atom(buf, "configure");
    elfs_put_atom(buf, "tag");
    elfs_put_map_header(buf, 5);
    put_pair(buf, "primary_file", primary_file);
    elfs_put_atom(buf, "poll_interval");
    elfs_put_int64(buf, 30000);
    put_pair(buf, "event_stream_url", url);
    put_pair(buf, "table_name", "t");
    elfs_put_atom(buf, "database");
    if (database)
        elfs_put_binary_str(buf, database);
    else
        elfs_put_atom(buf, "nil");
}

static void send_buf(struct fake_port *port, struct elfs_buf *buf) {
    assert_int_equal(buf->status, ELFS_OK);
    fake_port_command(port, (struct elfs_view){buf->data, buf->len});
    elfs_buf_fini(buf);
}

static void configure(struct fake_port *port, const char *url, const char *database) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, 4096);
    put_configure(&buf, url, database);
    send_buf(port, &buf);
}

/* {Name, tag} */
static void request(struct fake_port *port, const char *name) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, 4096);
    elfs_put_version(&buf);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, name);
    elfs_put_atom(&buf, "tag");
    send_buf(port, &buf);
}

/* The next message's name; empty if the port has failed. */
static void receive(struct fake_port *port, char name[32]) {
    struct elfs_view message, atom;
    size_t arity;
    name[0] = '\0';
    if (!fake_port_receive(port, &message)) return;
    struct elfs_reader r = elfs_reader_of(message);
    assert_int_equal(elfs_term_version(&r), ELFS_OK);
    struct elfs_reader whole = r;
    assert_int_equal(elfs_term_skip(&whole, NULL), ELFS_OK);
    assert_int_equal(elfs_reader_left(&whole), 0);
    assert_int_equal(elfs_term_tuple(&r, &arity), ELFS_OK);
    assert_int_equal(elfs_term_atom(&r, &atom), ELFS_OK);
    snprintf(name, 32, "%.*s", ELFS_VIEW_ARGS(atom));
    free((void *)(uintptr_t)message.data);
}

static void expect(struct fake_port *port, const char *expected) {
    char name[32];
    receive(port, name);
    assert_string_equal(name, expected);
}

/* The same, over changes and positions. */
static void expect_answer(struct fake_port *port, const char *expected) {
    char name[32];
    do receive(port, name);
    while (strcmp(name, "change") == 0 || strcmp(name, "position") == 0);
    assert_string_equal(name, expected);
}

/* port_control's State: its role in *role; false: badarg. */
static bool control(struct fake_port *port, char role[16]) {
    struct elfs_view state, key, value;
    size_t pairs;
    if (!fake_port_control(port, STATE_COMMAND, ELFS_VIEW_NONE, &state)) return false;
    struct elfs_reader r = elfs_reader_of(state);
    assert_int_equal(elfs_term_version(&r), ELFS_OK);
    assert_int_equal(elfs_term_map(&r, &pairs), ELFS_OK);
    assert_int_equal(elfs_term_atom(&r, &key), ELFS_OK);
    assert_int_equal(elfs_term_atom(&r, &value), ELFS_OK);
    assert_true(elfs_view_is(key, "role"));
    snprintf(role, 16, "%.*s", ELFS_VIEW_ARGS(value));
    free((void *)(uintptr_t)state.data);
    return true;
}

static int threads_listed(void) {
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* One that ends while the folder is read may hide those behind it: the most of a few looks. */
static int threads(void) {
    int most = 0;
    for (int i = 0; i < 3; i++) {
        int count = threads_listed();
        if (count > most) most = count;
    }
    return most;
}

/* At most so many: a joined thread may be in the folder for another moment, and so may have been one of the
 * test before when they were counted. */
static void await_threads(int most) {
    int64_t deadline = elfs_clock_ms() + 10000;
    while (threads() > most && elfs_clock_ms() < deadline) sched_yield();
    assert_in_range(threads(), 1, most);
}

static int set_up(void **state) {
    (void)state;
    litefs = fake_litefs_start();
    fake_litefs_greet(litefs, FAKE_EVENTS_HEAD);
    fake_mount_make(mount);
    fake_mount_put(mount, ".lag", "+000000000\n");
    fake_driver_load();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fake_driver_unload();
    fake_litefs_stop(litefs);
    fake_mount_remove(mount);
    return 0;
}

/* ---- tests ---- */

static void test_answers(void **state) {
    (void)state;
    struct fake_port *port = fake_port_open();
    request(port, "state");
    expect(port, "error");
    fake_port_command(port, ELFS_VIEW_NONE);
    expect(port, "error");
    configure(port, fake_litefs_url(litefs), NULL);
    expect(port, "configured");
    fake_litefs_await_streams(litefs, 1);
    assert_true(fake_litefs_say(litefs, FAKE_INIT_REPLICA));
    expect(port, "change");
    request(port, "state");
    expect_answer(port, "state");
    for (int i = 0; i < 3; i++) request(port, "refresh");
    for (int i = 0; i < 3; i++) expect_answer(port, "refresh");
    assert_true(fake_litefs_say(litefs, FAKE_TX("a.db", "0000000000000001")));
    expect(port, "position");
    fake_port_close(port);
}

static void test_control(void **state) {
    (void)state;
    char role[16];
    struct elfs_view none;
    struct fake_port *port = fake_port_open();
    assert_false(control(port, role));
    fake_mount_put(mount, ".primary", "n1\n");
    configure(port, fake_litefs_url(litefs), NULL);
    expect(port, "configured");
    assert_true(control(port, role));
    expect(port, "change");
    assert_true(control(port, role));
    assert_string_equal(role, "replica");
    assert_false(fake_port_control(port, STATE_COMMAND + 1, ELFS_VIEW_NONE, &none));
    assert_false(fake_port_control(port, STATE_COMMAND, elfs_view_str("x"), &none));
    fake_port_close(port);
}

/* The VM's own SQLite may have it open. */
static void test_no_database(void **state) {
    (void)state;
    struct fake_port *port = fake_port_open();
    configure(port, fake_litefs_url(litefs), "/tmp/app.db");
    expect(port, "error");
    configure(port, fake_litefs_url(litefs), NULL);
    expect(port, "configured");
    fake_port_close(port);
}

static void test_a_message_too_large(void **state) {
    (void)state;
    struct elfs_view message = {calloc(1, ELFS_PORT_MESSAGE_MAX + 1), ELFS_PORT_MESSAGE_MAX};
    struct fake_port *port = fake_port_open();
    assert_non_null(message.data);
    fake_port_command(port, message);
    expect(port, "error");
    message.len++;
    fake_port_command(port, message);
    expect(port, "");
    fake_port_close(port);
    free((void *)(uintptr_t)message.data);
}

/* Closed at every point of what goes on at the start. */
static void test_many_ports(void **state) {
    (void)state;
    int before = threads();
    fail_alloc_start(0);
    for (int i = 0; i < 100; i++) {
        char role[16];
        struct fake_port *port = fake_port_open();
        if (i % 5 > 0) configure(port, fake_litefs_url(litefs), NULL);
        if (i % 5 > 1) expect(port, "configured");
        assert_int_equal(control(port, role), i % 5 > 0);
        if (i % 5 > 2) request(port, "refresh");
        if (i % 5 > 3) expect_answer(port, "refresh");
        fake_port_close(port);
    }
    assert_int_equal(fail_alloc_live(), 0);
    fail_alloc_stop();
    await_threads(before);
    assert_false(fake_driver_is_locked());
}

static void test_unload_with_open_ports(void **state) {
    (void)state;
    int before = threads();
    fail_alloc_start(0);
    for (int i = 0; i < 3; i++) {
        fake_port_open();
        configure(fake_port_open(), fake_litefs_url(litefs), NULL);
        fake_driver_unload();
        assert_int_equal(fail_alloc_live(), 0);
        await_threads(before);
        fake_driver_load();
    }
    fail_alloc_stop();
}

static void close_promptly(struct fake_port *port) {
    int64_t began = elfs_clock_ms();
    fake_port_close(port);
    assert_in_range(elfs_clock_ms() - began, 0, PROMPT_MS);
}

/* Streams that say nothing, not even a status; and a probe under way. */
static void test_close_while_the_server_hangs(void **state) {
    (void)state;
    static const char *const greetings[] = {NULL, "HTTP/1.1 200", FAKE_EVENTS_HEAD "5\r\n{\"ty"};
    fake_litefs_answer_info(litefs, NULL);
    for (int i = 0; i < 3; i++) {
        fake_litefs_greet(litefs, greetings[i]);
        struct fake_port *port = fake_port_open();
        configure(port, fake_litefs_url(litefs), NULL);
        fake_litefs_await_streams(litefs, i + 1);
        fake_litefs_await_infos(litefs, i + 1);
        close_promptly(port);
    }
    assert_false(fake_driver_is_locked());
}

/* With nothing to do for seconds; libcurl's own timers, for connections, are over by then. */
static void test_close_while_it_waits(void **state) {
    (void)state;
    fake_mount_put(mount, ".primary", "n1\n");
    fake_litefs_greet(litefs, FAKE_EVENTS_HEAD);
    fake_litefs_info(litefs, false, "n1");
    for (int i = 0; i < 3; i++) {
        struct fake_port *port = fake_port_open();
        configure(port, fake_litefs_url(litefs), NULL);
        expect(port, "configured");
        for (int64_t began = elfs_clock_ms(); elfs_clock_ms() < began + 400;) {
            request(port, "refresh");
            expect_answer(port, "refresh");
        }
        close_promptly(port);
    }
}

/* The role flips, and two databases move. */
static void say(void) {
    assert_true(fake_litefs_say(litefs, FAKE_INIT_PRIMARY FAKE_TX("a.db", "0000000000000001")));
    assert_true(fake_litefs_say(litefs, FAKE_INIT_REPLICA FAKE_TX("b.db", "0000000000000002")));
}

static void *ask(void *arg) {
    char role[16];
    for (int i = 0; i < 1000; i++) assert_true(control(arg, role));
    return NULL;
}

/* News come from one thread, and three others ask. */
static void test_busy(void **state) {
    (void)state;
    pthread_t askers[2];
    struct fake_port *port = fake_port_open();
    configure(port, fake_litefs_url(litefs), NULL);
    expect(port, "configured");
    fake_litefs_await_streams(litefs, 1);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&askers[i], NULL, ask, port), 0);
    for (int i = 0; i < 100; i++) {
        const char *kind = i % 10 == 0 ? "refresh" : "state";
        say();
        request(port, kind);
        expect_answer(port, kind);
    }
    for (int i = 0; i < 2; i++) pthread_join(askers[i], NULL);
    fake_port_close(port);
}

/* With news under way. */
static void test_close_while_busy(void **state) {
    (void)state;
    for (int i = 0; i < 30; i++) {
        char name[32];
        struct fake_port *port = fake_port_open();
        configure(port, fake_litefs_url(litefs), NULL);
        expect(port, "configured");
        fake_litefs_await_streams(litefs, i + 1);
        for (int said = 0; said < 10; said++) say();
        if (i % 2 > 0) receive(port, name);
        close_promptly(port);
    }
}

static void dns_hang(bool hangs) {
    pthread_mutex_lock(&dns_lock);
    dns_hangs = hangs;
    pthread_cond_broadcast(&dns_moves);
    pthread_mutex_unlock(&dns_lock);
}

/* A port whose detector waits for a name server. */
static struct fake_port *open_hanging(void) {
    dns_asked = 0;
    dns_hang(true);
    struct fake_port *port = fake_port_open();
    configure(port, "http://a.name:1/events", NULL);
    pthread_mutex_lock(&dns_lock);
    while (dns_asked == 0) pthread_cond_wait(&dns_moves, &dns_lock);
    pthread_mutex_unlock(&dns_lock);
    return port;
}

/* What was left is freed by the first port that is opened after its end, which is some time from now. */
static void let_end(void) {
    int64_t deadline = elfs_clock_ms() + 10000;
    dns_hang(false);
    do fake_port_close(fake_port_open());
    while (fail_alloc_live() > 0 && elfs_clock_ms() < deadline);
    assert_int_equal(fail_alloc_live(), 0);
}

/* A thread that cannot be joined is left, the driver stays; later all of it is freed. */
static void test_close_while_the_thread_hangs(void **state) {
    (void)state;
    int before = threads();
    fail_alloc_start(0);
    struct fake_port *port = open_hanging();
    int64_t began = elfs_clock_ms();
    fake_port_close(port);
    assert_in_range(elfs_clock_ms() - began, 1900, 5000);
    assert_true(fake_driver_is_locked());
    fake_port_close(fake_port_open());
    assert_true(fail_alloc_live() > 0);
    let_end();
    await_threads(before);
    fail_alloc_stop();
}

/* Somebody sets the system's time: the wait is neither shorter nor longer for it. */
static void test_close_while_the_clock_is_set(void **state) {
    (void)state;
    fail_alloc_start(0);
    struct fake_port *port = open_hanging();
    int64_t began = elfs_clock_ms();
    atomic_store(&put_back, true);
    fake_port_close(port);
    atomic_store(&put_back, false);
    int64_t took = elfs_clock_ms() - began;
    let_end();
    fail_alloc_stop();
    assert_in_range(took, 1900, 5000);
}

/* The n-th allocation and all after it fail, wherever that is: no crash, no leak, and the port ends
 * or serves. */
static void test_no_memory(void **state) {
    (void)state;
    struct elfs_buf message;
    elfs_buf_init(&message, 4096);
    put_configure(&message, fake_litefs_url(litefs), NULL);
    int refused = 0, ended = 0, served = 0;
    for (int n = 1; served < 3 && n < 1000; n++) {
        char name[32];
        fail_alloc_start(n);
        struct fake_port *port = fake_port_open();
        refused += port == NULL;
        if (port) {
            fake_port_command(port, (struct elfs_view){message.data, message.len});
            receive(port, name);
            ended += name[0] == '\0';
            served += strcmp(name, "configured") == 0;
            fake_port_close(port);
        }
        assert_int_equal(fail_alloc_live(), 0);
        fail_alloc_stop();
    }
    elfs_buf_fini(&message);
    assert_true(refused > 0 && ended > 0 && served == 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_control, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_message_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_ports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unload_with_open_ports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_while_the_server_hangs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_while_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_while_the_thread_hangs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_while_the_clock_is_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
