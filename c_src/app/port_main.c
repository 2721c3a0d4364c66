/* port_main - the port program: detection for a BEAM app, in a process of its own.
 *
 * Messages come in on fd 0 and go out on fd 1, each behind its length in four bytes ({packet, 4});
 * what they are is docs/port.md. Exit codes: 0 the other side closed (its VM ended, however), 1 the
 * system let us down, 2 wrong use: arguments, or a message over the limit.
 *
 * Two threads. The detector's tells of changes by setting marks under the lock and waking the main
 * thread, which does everything else: it never waits but in poll(2), and neither reads requests nor
 * writes news while there is much that nobody reads. News are marks, not messages: when the output
 * moves again, the last state and each database's last position go out.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "app/port_proto.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "codec/frame.h"
#include "detect/detector.h"
#include "node/wake.h"
#include "store/tracker_row.h"

#define MESSAGE_MAX (1 << 20)
#define READ_BYTES 65536
/* Output over this much stops reading and news; it may grow by one message's answer. */
#define OUT_ENOUGH 65536
#define OUT_MAX (4 * MESSAGE_MAX)
/* Refreshes that may be under way; each keeps its tag. */
#define REFRESHES_MAX 32
/* A detector that hangs in a file system does not keep the process alive. */
#define STOP_SECONDS 2

enum { EXIT_CLOSED = 0, EXIT_SYSTEM = 1, EXIT_WRONG_USE = 2 };

_Static_assert(ELFS_NODE_SIZE == ELFS_TRACKER_NODE_SIZE, "the row's node name fits the state");

struct refresh {
    uint64_t ticket;
    struct elfs_view tag; /* owned */
};

struct port {
    struct elfs_buf in;
    struct elfs_buf out;
    struct elfs_detector *detector; /* NULL before configure */
    struct elfs_port_config config;
    struct refresh refreshes[REFRESHES_MAX]; /* in the order of their tickets */
    size_t refresh_count;
    struct elfs_wake wake;
    struct elfs_detect_state state; /* scratch */

    pthread_mutex_t lock; /* for the news, which the detector's thread brings */
    bool changed;
    struct elfs_positions moved;
    uint64_t refreshed;
};

/* ---- the detector's thread ---- */

static void on_change(void *arg, const struct elfs_detect_state *state) {
    struct port *port = arg;
    (void)state; /* the newest is fetched when it can be written */
    pthread_mutex_lock(&port->lock);
    port->changed = true;
    pthread_mutex_unlock(&port->lock);
    elfs_wake_signal(&port->wake);
}

static void on_position(void *arg, const struct elfs_db_position *position) {
    struct port *port = arg;
    pthread_mutex_lock(&port->lock);
    struct elfs_db_position *item = elfs_positions_add(&port->moved, position->database);
    if (item) *item = *position;
    pthread_mutex_unlock(&port->lock);
    elfs_wake_signal(&port->wake);
}

static void on_refreshed(void *arg, uint64_t ticket, const struct elfs_detect_state *state) {
    struct port *port = arg;
    (void)state;
    pthread_mutex_lock(&port->lock);
    port->refreshed = ticket;
    pthread_mutex_unlock(&port->lock);
    elfs_wake_signal(&port->wake);
}

static enum elfs_code read_row(void *arg, char node[ELFS_NODE_SIZE]) {
    const struct elfs_port_config *config = arg;
    int64_t updated_at;
    return elfs_tracker_row_read(config->database, config->table_name, node, &updated_at, NULL);
}

/* ---- output ---- */

/* Closes a message. One that cannot be written ends the program: the loop looks at the status. */
static void close_message(struct port *port, size_t mark) {
    if (elfs_frame_close(&port->out, mark) != ELFS_OK) port->out.status = ELFS_NOMEM;
}

static bool has_room(const struct port *port) { return port->out.len < OUT_ENOUGH; }

/* ---- requests ---- */

static enum elfs_code configure(struct port *port, struct elfs_port_request *request,
                                struct elfs_error *err) {
    if (port->detector) {
        elfs_port_config_fini(&request->config);
        return elfs_fail(err, ELFS_BADARG, "configured already");
    }
    port->config = request->config;
    struct elfs_detector_config config = {.primary_file = port->config.primary_file,
                                          .poll_interval_ms = port->config.poll_interval_ms,
                                          .event_stream_url = port->config.event_stream_url,
                                          .database = port->config.database,
                                          .read_row = read_row,
                                          .row_arg = &port->config,
                                          .events = {port, on_change, on_position, on_refreshed}};
    enum elfs_code code = elfs_detector_start(&config, &port->detector, err);
    if (code == ELFS_OK)
        elfs_port_put_configured(&port->out, request->tag);
    else
        elfs_port_config_fini(&port->config);
    return code;
}

static enum elfs_code begin_refresh(struct port *port, struct elfs_view tag,
                                    struct elfs_error *err) {
    uint8_t *copy = elfs_malloc(tag.len);
    if (!copy) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    memcpy(copy, tag.data, tag.len);
    port->refreshes[port->refresh_count++] =
        (struct refresh){elfs_detector_refresh(port->detector), {copy, tag.len}};
    return ELFS_OK;
}

static enum elfs_code serve(struct port *port, struct elfs_port_request *request,
                            struct elfs_error *err) {
    if (request->kind == ELFS_PORT_CONFIGURE) return configure(port, request, err);
    if (!port->detector) return elfs_fail(err, ELFS_BADARG, "not configured yet");
    if (request->kind == ELFS_PORT_REFRESH) return begin_refresh(port, request->tag, err);
    elfs_detector_state(port->detector, &port->state);
    elfs_port_put_answer(&port->out, "state", request->tag, &port->state, elfs_clock_ms());
    return ELFS_OK;
}

/* Serves one message; what is wrong with it is told to whoever sent it. */
static void on_message(struct port *port, struct elfs_view message) {
    struct elfs_port_request request;
    struct elfs_error err;
    elfs_error_clear(&err);
    size_t mark = elfs_frame_open(&port->out);
    size_t empty = port->out.len;
    enum elfs_code code = elfs_port_parse(message, &request, &err);
    if (code == ELFS_OK) code = serve(port, &request, &err);
    if (code != ELFS_OK) elfs_port_put_error(&port->out, request.tag, err.message);
    if (port->out.status == ELFS_OK && port->out.len == empty)
        elfs_buf_truncate(&port->out, mark); /* answered later */
    else
        close_message(port, mark);
}

/* ---- the loop ---- */

static bool may_read(const struct port *port) {
    return has_room(port) && port->refresh_count < REFRESHES_MAX;
}

static int complain(const char *what, int exit_code) {
    fprintf(stderr, "ecto_litefs_port: %s\n", what);
    return exit_code;
}

/* Serves the whole messages of the input, as far as the output takes their answers. -1: go on. */
static int serve_input(struct port *port) {
    size_t done = 0;
    enum elfs_code code = ELFS_OK;
    if (port->in.len == 0) return -1;
    while (may_read(port) && code == ELFS_OK) {
        struct elfs_view frame, rest = {port->in.data + done, port->in.len - done};
        size_t used;
        code = elfs_frame_next(rest, MESSAGE_MAX, &frame, &used, NULL);
        if (code != ELFS_OK) break;
        on_message(port, frame);
        done += used;
    }
    elfs_buf_consume(&port->in, done);
    if (code == ELFS_LIMIT) return complain("a message over the limit of 1 MiB", EXIT_WRONG_USE);
    return -1;
}

/* -1: go on. */
static int read_input(struct port *port) {
    uint8_t *to = elfs_buf_reserve(&port->in, READ_BYTES);
    if (!to) return complain("out of memory", EXIT_SYSTEM);
    ssize_t n = read(STDIN_FILENO, to, READ_BYTES);
    if (n < 0 && errno == EINTR) return -1;
    if (n <= 0) return EXIT_CLOSED;
    port->in.len += (size_t)n;
    return -1;
}

/* poll(2) promises room for PIPE_BUF bytes: so much does not block, though the descriptor, which
 * others may share, is left blocking. -1: go on. */
static int write_output(struct port *port) {
    size_t n = port->out.len < PIPE_BUF ? port->out.len : PIPE_BUF;
    ssize_t written = write(STDOUT_FILENO, port->out.data, n);
    if (written < 0) return errno == EINTR || errno == EAGAIN ? -1 : EXIT_CLOSED;
    elfs_buf_consume(&port->out, (size_t)written);
    return -1;
}

static void put_refreshes(struct port *port, uint64_t refreshed) {
    size_t done = 0;
    while (done < port->refresh_count && port->refreshes[done].ticket <= refreshed &&
           has_room(port)) {
        struct refresh *refresh = &port->refreshes[done++];
        size_t mark = elfs_frame_open(&port->out);
        elfs_port_put_answer(&port->out, "refresh", refresh->tag, &port->state, elfs_clock_ms());
        close_message(port, mark);
        elfs_free((void *)(uintptr_t)refresh->tag.data);
    }
    port->refresh_count -= done;
    memmove(port->refreshes, port->refreshes + done, port->refresh_count * sizeof *port->refreshes);
}

/* Writes the news, if there is room. */
static void put_news(struct port *port) {
    if (!port->detector || !has_room(port)) return;
    elfs_detector_state(port->detector, &port->state);
    pthread_mutex_lock(&port->lock);
    bool changed = port->changed;
    uint64_t refreshed = port->refreshed;
    port->changed = false;
    if (changed) {
        size_t mark = elfs_frame_open(&port->out);
        elfs_port_put_change(&port->out, &port->state, elfs_clock_ms());
        close_message(port, mark);
    }
    for (size_t i = 0; i < port->moved.count; i++) {
        size_t mark = elfs_frame_open(&port->out);
        elfs_port_put_position(&port->out, &port->moved.items[i]);
        close_message(port, mark);
    }
    port->moved.count = 0;
    pthread_mutex_unlock(&port->lock);
    put_refreshes(port, refreshed);
}

/* Returns the exit code. */
static int loop(struct port *port) {
    for (int exit_code = -1;;) {
        struct pollfd fds[] = {
            {STDIN_FILENO, may_read(port) ? POLLIN : 0, 0},
            {STDOUT_FILENO, port->out.len > 0 ? POLLOUT : 0, 0},
            {elfs_wake_fd(&port->wake), POLLIN, 0},
        };
        if (poll(fds, 3, -1) < 0 && errno != EINTR) return complain("poll failed", EXIT_SYSTEM);
        if (fds[2].revents) elfs_wake_drain(&port->wake);
        if (fds[1].revents & (POLLERR | POLLNVAL)) return EXIT_CLOSED;
        if (fds[1].revents & POLLOUT) exit_code = write_output(port);
        if (exit_code < 0 && fds[0].revents) {
            /* closed while nothing is read: there is nobody any more to read it for */
            if (!(fds[0].revents & POLLIN)) return EXIT_CLOSED;
            exit_code = read_input(port);
        }
        if (exit_code < 0) exit_code = serve_input(port);
        if (exit_code >= 0) return exit_code;
        put_news(port);
        if (port->out.status != ELFS_OK) return complain("out of memory", EXIT_SYSTEM);
    }
}

static void port_fini(struct port *port) {
    alarm(STOP_SECONDS);
    if (port->detector) elfs_detector_stop(port->detector);
    for (size_t i = 0; i < port->refresh_count; i++)
        elfs_free((void *)(uintptr_t)port->refreshes[i].tag.data);
    elfs_port_config_fini(&port->config);
    elfs_wake_fini(&port->wake);
    elfs_buf_fini(&port->in);
    elfs_buf_fini(&port->out);
    pthread_mutex_destroy(&port->lock);
}

int main(int argc, char **argv) {
    static struct port port;
    (void)argv;
    if (argc > 1) return complain("takes no arguments; see docs/port.md", EXIT_WRONG_USE);
    signal(SIGPIPE, SIG_IGN);
    if (elfs_wake_init(&port.wake) != ELFS_OK) return complain("no pipe", EXIT_SYSTEM);
    elfs_buf_init(&port.in, MESSAGE_MAX + READ_BYTES + 4);
    elfs_buf_init(&port.out, OUT_MAX);
    pthread_mutex_init(&port.lock, NULL);
    int exit_code = loop(&port);
    port_fini(&port);
    return exit_code;
}
