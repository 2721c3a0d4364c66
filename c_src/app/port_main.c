/* port_main - the port program: detection for a BEAM app, in a process of its own.
 *
 * Messages come in on fd 0 and go out on fd 1, each behind its length in four bytes ({packet, 4});
 * what they are is docs/port.md. Exit codes: 0 the other side closed (its VM ended, however), 1 the
 * system let us down, 2 wrong use: arguments, or a message over the limit.
 *
 * Two threads. The detector's marks news in the session (port_session.h) and wakes the main thread,
 * which does everything else: it never waits but in poll(2), and neither reads requests nor writes
 * news while there is much that nobody reads.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "app/port_session.h"
#include "codec/frame.h"
#include "node/wake.h"
#include "store/dead_mount.h"
#include "store/tracker_row.h"

#define READ_BYTES 65536
/* Output over this much stops reading and news; it may grow by one message's answer. */
#define OUT_ENOUGH 65536
#define OUT_MAX (4 * ELFS_PORT_MESSAGE_MAX)
/* Refreshes that may be under way; each keeps its tag. */
#define REFRESHES_MAX 32
/* A detector that hangs in a file system does not keep the process alive. */
#define STOP_MS 2000

enum { EXIT_CLOSED = 0, EXIT_SYSTEM = 1, EXIT_WRONG_USE = 2 };

_Static_assert(ELFS_NODE_SIZE == ELFS_TRACKER_NODE_SIZE, "the row's node name fits the state");

struct port {
    struct elfs_buf in;
    struct elfs_buf out;
    struct elfs_port_session *session;
    struct elfs_wake wake;
};

/* From the detector's thread. */
static void on_news(void *arg) {
    struct port *port = arg;
    elfs_wake_signal(&port->wake);
}

static bool has_room(const struct port *port) { return port->out.len < OUT_ENOUGH; }

/* A message that cannot be written ends the program: the loop looks at the status. */
static bool emit(void *arg, struct elfs_view message) {
    struct port *port = arg;
    elfs_buf_put_be32(&port->out, (uint32_t)message.len);
    elfs_buf_append_view(&port->out, message);
    return has_room(port);
}

/* ---- the loop ---- */

static bool may_read(const struct port *port) {
    return has_room(port) && elfs_port_session_pending(port->session) < REFRESHES_MAX;
}

/* What lies behind a message of the largest size waits in the pipe until that is served. */
static bool wants_input(const struct port *port) {
    return may_read(port) && port->in.len + READ_BYTES <= port->in.max;
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
        code = elfs_frame_next(rest, ELFS_PORT_MESSAGE_MAX, &frame, &used, NULL);
        if (code != ELFS_OK) break;
        if (elfs_port_session_request(port->session, frame) != ELFS_OK)
            return complain("out of memory", EXIT_SYSTEM);
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

/* Returns the exit code. */
static int loop(struct port *port) {
    for (int exit_code = -1;;) {
        struct pollfd fds[] = {
            {STDIN_FILENO, wants_input(port) ? POLLIN : 0, 0},
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
        if (has_room(port) && elfs_port_session_tell(port->session) != ELFS_OK)
            return complain("out of memory", EXIT_SYSTEM);
        if (port->out.status != ELFS_OK) return complain("out of memory", EXIT_SYSTEM);
    }
}

static int port_init(struct port *port) {
    struct elfs_port_hooks hooks = {port, emit, on_news, elfs_tracker_row_read};
    elfs_buf_init(&port->in, ELFS_PORT_MESSAGE_MAX + READ_BYTES + 4);
    elfs_buf_init(&port->out, OUT_MAX);
    if (elfs_wake_init(&port->wake) != ELFS_OK) return complain("no pipe", EXIT_SYSTEM);
    if (elfs_port_session_new(&hooks, &port->session) != ELFS_OK)
        return complain("out of memory", EXIT_SYSTEM);
    return -1;
}

/* What a detector that hangs may still use is left to it. */
static void port_fini(struct port *port) {
    if (!elfs_port_session_free(port->session, STOP_MS)) return;
    elfs_wake_fini(&port->wake);
    elfs_buf_fini(&port->in);
    elfs_buf_fini(&port->out);
}

int main(int argc, char **argv) {
    static struct port port;
    (void)argv;
    if (argc > 1) return complain("takes no arguments; see docs/port.md", EXIT_WRONG_USE);
    signal(SIGPIPE, SIG_IGN);
    elfs_dead_mount_install(NULL);
    int exit_code = port_init(&port);
    if (exit_code >= 0) return exit_code;
    exit_code = loop(&port);
    port_fini(&port);
    return exit_code;
}
