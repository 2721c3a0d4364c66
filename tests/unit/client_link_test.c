/* A client's connection, over a socket pair whose other end is the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "client/client.h"
#include "codec/dist.h"
#include "codec/frame.h"
#include "fail_alloc.h"

#define MAX 100000

static const uint8_t pid_bytes[] = {88, 119, 3, 'a', '@', 'b', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5};
static const uint8_t other_bytes[] = {88, 119, 3, 'a', '@', 'b', 0, 0, 0,
                                      2,  0,   0, 0,   0,   0,   0, 0, 5};
static const struct elfs_view pid = {pid_bytes, sizeof pid_bytes};
static const struct elfs_view other = {other_bytes, sizeof other_bytes};

static struct elfs_client_link link_;
static struct elfs_error err;
static struct elfs_view message;
static int peer;

static void connect_pair(void) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    link_.fd = fds[0];
    peer = fds[1];
}

static int setup(void **state) {
    (void)state;
    ei_init();
    elfs_client_link_init(&link_, MAX);
    connect_pair();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    elfs_client_link_close(&link_);
    if (peer >= 0) close(peer);
    return 0;
}

static void say(const void *bytes, size_t len) {
    assert_int_equal(write(peer, bytes, len), (ssize_t)len);
}

/* The frame of a binary of so many bytes to a process. */
static struct elfs_buf frame_to(struct elfs_view to, size_t len) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, MAX * 2);
    size_t mark = elfs_dist_open_send(&buf, to);
    uint8_t *bytes = calloc(1, len + 1);
    elfs_put_binary(&buf, (struct elfs_view){bytes, len});
    free(bytes);
    assert_int_equal(elfs_frame_close(&buf, mark), ELFS_OK);
    return buf;
}

static void say_to(struct elfs_view to, size_t len) {
    struct elfs_buf buf = frame_to(to, len);
    say(buf.data, buf.len);
    elfs_buf_fini(&buf);
}

static enum elfs_code receive(int64_t wait_ms) {
    return elfs_client_link_receive(&link_, pid, elfs_clock_ms() + wait_ms, &message, &err);
}

static void assert_message(size_t len) {
    struct elfs_reader r = elfs_reader_of(message);
    struct elfs_view bytes;
    assert_int_equal(elfs_term_binary(&r, &bytes), ELFS_OK);
    assert_int_equal(bytes.len, len);
    assert_int_equal(elfs_reader_left(&r), 0);
}

static void answers_in_turn(void **state) {
    (void)state;
    say_to(pid, 3);
    say_to(pid, 70000);
    say_to(pid, 5);
    assert_int_equal(receive(5000), ELFS_OK);
    assert_message(3);
    assert_int_equal(receive(5000), ELFS_OK);
    assert_message(70000);
    assert_int_equal(receive(5000), ELFS_OK);
    assert_message(5);
    assert_int_equal(receive(0), ELFS_AGAIN);
    assert_true(link_.fd >= 0);
}

static void byte_by_byte(void **state) {
    (void)state;
    struct elfs_buf buf = frame_to(pid, 9);
    for (size_t i = 0; i < buf.len; i++) {
        assert_int_equal(receive(0), ELFS_AGAIN);
        say(buf.data + i, 1);
    }
    elfs_buf_fini(&buf);
    assert_int_equal(receive(5000), ELFS_OK);
    assert_message(9);
}

static void ticks_are_answered_and_others_left_out(void **state) {
    (void)state;
    uint8_t heard[8];
    say("\0\0\0\0", 4);
    say_to(other, 1);
    say("\0\0\0\0", 4);
    say_to(pid, 2);
    assert_int_equal(receive(5000), ELFS_OK);
    assert_message(2);
    assert_int_equal(recv(peer, heard, sizeof heard, MSG_DONTWAIT), 8);
    assert_memory_equal(heard, "\0\0\0\0\0\0\0\0", 8);
}

static void the_end(void **state) {
    (void)state;
    say_to(pid, 2);
    say("\0\0", 2);
    close(peer);
    peer = -1;
    assert_int_equal(receive(5000), ELFS_OK);
    assert_message(2);
    assert_int_equal(receive(5000), ELFS_CLOSED);
    assert_int_equal(link_.fd, -1);
    elfs_client_link_close(&link_);
}

static void what_is_no_frame(void **state) {
    (void)state;
    static const uint8_t no_pass_through[] = {0, 0, 0, 2, 113, 131};
    static const uint8_t cut[] = {0, 0, 0, 6, 112, 131, 104, 3, 97, 2};
    struct elfs_buf whole = frame_to(pid, 9);
    say(no_pass_through, sizeof no_pass_through);
    assert_int_equal(receive(5000), ELFS_MALFORMED);
    assert_int_equal(link_.fd, -1);
    close(peer);
    connect_pair();
    say(cut, sizeof cut);
    assert_int_equal(receive(5000), ELFS_MALFORMED);
    /* Cut short at every byte, and said to be whole. */
    for (size_t len = 5; len < whole.len; len++) {
        uint8_t head[4] = {0, 0, 0, (uint8_t)(len - 4)};
        close(peer);
        connect_pair();
        say(head, 4);
        say(whole.data + 4, len - 4);
        assert_int_equal(receive(5000), ELFS_MALFORMED);
    }
    elfs_buf_fini(&whole);
}

static void too_large(void **state) {
    (void)state;
    struct elfs_buf head = frame_to(pid, MAX);
    say(head.data, 4);
    elfs_buf_fini(&head);
    assert_int_equal(receive(5000), ELFS_LIMIT);
    assert_int_equal(link_.fd, -1);
}

/* A peer that takes nothing: the deadline ends it, and the connection with it. */
static void it_takes_no_more(void **state) {
    (void)state;
    size_t len = (size_t)8 << 20;
    uint8_t *bytes = calloc(1, len);
    struct elfs_view frames = {bytes, len};
    assert_int_equal(elfs_client_link_send(&link_, frames, elfs_clock_ms() + 50, &err),
                     ELFS_CLOSED);
    assert_int_equal(link_.fd, -1);
    close(peer);
    connect_pair();
    close(peer);
    peer = -1;
    /* No SIGPIPE. */
    assert_int_equal(elfs_client_link_send(&link_, frames, elfs_clock_ms() + 5000, &err),
                     ELFS_CLOSED);
    free(bytes);
}

static void no_memory(void **state) {
    (void)state;
    elfs_client_link_close(&link_);
    close(peer);
    for (long n = 1;; n++) {
        elfs_client_link_init(&link_, MAX);
        connect_pair();
        say_to(pid, 70000);
        fail_alloc_start(n);
        enum elfs_code code = receive(5000);
        elfs_client_link_close(&link_);
        assert_int_equal(fail_alloc_live(), 0);
        bool hit = fail_alloc_stop();
        assert_int_equal(code, hit ? ELFS_NOMEM : ELFS_OK);
        close(peer);
        peer = -1;
        if (!hit) break;
    }
}

/* Configurations that no client can be made of, and each allocation of one that can. */
static void clients(void **state) {
    (void)state;
    static const char *const nodes[] = {"litefs@10.0.0.5", "litefs@10.0.0.6"};
    static const char *const bad_nodes[] = {"", "litefs", "@host", "a@", "a@b@c", NULL};
    const struct elfs_client_config good = {.cookie = "c", .nodes = nodes, .node_count = 2};
    struct elfs_client *client;
    struct elfs_client_error why;
    struct elfs_client_config config = good;
    assert_int_equal(elfs_client_new(&config, &client, &why), ELFS_CLIENT_OK);
    assert_non_null(strstr(ei_thisnodename(&client->self), "@10.0.0.5"));
    elfs_client_free(client);
    for (size_t i = 0; i < sizeof bad_nodes / sizeof *bad_nodes; i++) {
        config = good;
        config.nodes = &bad_nodes[i];
        config.node_count = 1;
        assert_int_equal(elfs_client_new(&config, &client, &why), ELFS_CLIENT_BADARG);
        assert_null(client);
        assert_true(why.message[0] != '\0');
        config = good;
        config.name = bad_nodes[i];
        assert_int_equal(elfs_client_new(&config, &client, &why),
                         bad_nodes[i] ? ELFS_CLIENT_BADARG : ELFS_CLIENT_OK);
        elfs_client_free(client);
    }
    config = good;
    config.node_count = 0;
    assert_int_equal(elfs_client_new(&config, &client, NULL), ELFS_CLIENT_BADARG);
    config = good;
    config.timeout_ms = -1;
    assert_int_equal(elfs_client_new(&config, &client, &why), ELFS_CLIENT_BADARG);
    config = good;
    config.cookie = NULL;
    config.cookie_file = "/nonexistent/cookie";
    assert_int_equal(elfs_client_new(&config, &client, &why), ELFS_CLIENT_SYSTEM);
    for (long n = 1;; n++) {
        fail_alloc_start(n);
        enum elfs_client_code code = elfs_client_new(&good, &client, &why);
        elfs_client_free(client);
        assert_int_equal(fail_alloc_live(), 0);
        bool hit = fail_alloc_stop();
        assert_int_equal(code, hit ? ELFS_CLIENT_NOMEM : ELFS_CLIENT_OK);
        if (!hit) break;
    }
}

/* Longer than any: it must not end in the past. */
static void time_outs(void **state) {
    (void)state;
    static const char *const nodes[] = {"litefs@127.0.0.1"};
    static const int64_t wrong[] = {-1, INT64_C(24) * 3600 * 1000 + 1, INT64_MAX};
    const struct elfs_client_config config = {.cookie = "c", .nodes = nodes, .node_count = 1};
    const struct elfs_client_statement statement = {.sql = "SELECT 1"};
    struct elfs_client *client;
    struct elfs_client_error why;
    assert_int_equal(elfs_client_new(&config, &client, &why), ELFS_CLIENT_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct elfs_client_options options = {.timeout_ms = wrong[i]};
        assert_int_equal(elfs_client_query(client, "r", &statement, &options, NULL, &why),
                         ELFS_CLIENT_BADARG);
        assert_true(why.message[0] != '\0');
    }
    elfs_client_free(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(ticks_are_answered_and_others_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(it_takes_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
        cmocka_unit_test(clients),
        cmocka_unit_test(time_outs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
