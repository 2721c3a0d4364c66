/* socket - see socket.h.
 *
 * ei keeps a context pointer for each socket: ours is a small heap block, freed by the close
 * callback. The session (deadline, flags, progress) belongs to the thread that runs the handshake
 * and is over before the socket goes to its owner, who reads and writes the descriptor directly.
 */
#include "ei/socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ei/net.h"

/* [length:2]['N'][flags:8]... */
#define NAME_TAG_AT 2
#define FLAGS_AT 3
#define FLAGS_END 11
/* [length:2]['r'][challenge:4][digest:16]: the first byte of a challenge reply. */
#define CHALLENGE_REPLY_TAG 'r'

struct socket_context {
    int fd;
};

static _Thread_local struct elfs_ei_session *session;

void elfs_ei_session_set(struct elfs_ei_session *s) { session = s; }

static int fd_of(void *ctx) { return ((struct socket_context *)ctx)->fd; }

static int new_context(int fd, void **ctx) {
    struct socket_context *context = elfs_malloc(sizeof *context);
    if (!context) {
        close(fd);
        return ENOMEM;
    }
    context->fd = fd;
    *ctx = context;
    return 0;
}

/* Waits until fd is ready for `events`, the deadline passes or the handshake is cancelled. */
static int wait_ready(int fd, short events) {
    if (!session) return 0;
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = session->cancel_fd, .events = POLLIN}};
    for (;;) {
        int64_t left = session->deadline_ms - elfs_clock_ms();
        int n = left <= 0 ? 0 : poll(fds, 2, (int)left);
        if (n == 0) {
            session->timed_out = true;
            return ETIMEDOUT;
        }
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0 && fds[1].revents) {
            session->cancelled = true;
            return ECANCELED;
        }
        if (n > 0) return 0;
    }
}

static int cb_socket(void **ctx, void *setup) {
    (void)setup;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return errno;
    elfs_net_set_cloexec(fd);
    if (session) elfs_net_set_nonblocking(fd);
    return new_context(fd, ctx);
}

static int cb_close(void *ctx) {
    int fd = fd_of(ctx);
    elfs_free(ctx);
    return close(fd) == 0 ? 0 : errno;
}

static int cb_listen(void *ctx, void *addr, int *len, int backlog) {
    socklen_t size = (socklen_t)*len;
    int on = 1;
    int fd = fd_of(ctx);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, addr, size) != 0) return errno;
    if (getsockname(fd, addr, &size) != 0) return errno;
    *len = (int)size;
    return listen(fd, backlog) == 0 ? 0 : errno;
}

/* The loop has accepted the socket already. */
static int cb_accept(void **ctx, void *addr, int *len, unsigned timeout) {
    (void)timeout;
    if (!session || session->accepted_fd < 0) return EINVAL;
    int err = new_context(session->accepted_fd, ctx);
    session->accepted_fd = -1;
    if (err) return err;
    memcpy(addr, &session->from, sizeof session->from);
    *len = (int)sizeof session->from;
    session->connected = true;
    return 0;
}

static int cb_connect(void *ctx, void *addr, int len, unsigned timeout) {
    (void)timeout;
    int fd = fd_of(ctx);
    if (connect(fd, addr, (socklen_t)len) != 0) {
        if (errno != EINPROGRESS) return errno;
        int err = wait_ready(fd, POLLOUT);
        if (err) return err;
        socklen_t size = sizeof err;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0) return errno;
        if (err) return err;
    }
    if (session) session->connected = true;
    return 0;
}

static int cb_read(void *ctx, char *buf, ssize_t *len, unsigned timeout) {
    (void)timeout;
    int err = wait_ready(fd_of(ctx), POLLIN);
    if (err) return err;
    ssize_t n = read(fd_of(ctx), buf, (size_t)*len);
    if (n < 0) return errno;
    if (session) {
        if (n == 0) session->peer_closed = true;
        if (n > 0 && session->flags_sent && buf[0] == CHALLENGE_REPLY_TAG)
            session->digest_seen = true;
        session->bytes_read += (int)n;
    }
    *len = n;
    return 0;
}

/* Writes what ei gives, adding the session's flags to the one message that carries flags. */
static int cb_write(void *ctx, const char *buf, ssize_t *len, unsigned timeout) {
    (void)timeout;
    char changed[1024];
    size_t n = (size_t)*len;
    bool name_message = session && !session->flags_sent && n >= FLAGS_END && n <= sizeof changed &&
                        buf[NAME_TAG_AT] == 'N';
    if (name_message) {
        uint64_t flags = 0;
        memcpy(changed, buf, n);
        for (int i = FLAGS_AT; i < FLAGS_END; i++) flags = flags << 8 | (uint8_t)changed[i];
        flags |= session->flags;
        for (int i = FLAGS_END - 1; i >= FLAGS_AT; i--, flags >>= 8) changed[i] = (char)flags;
        buf = changed;
    }
    /* The message goes out whole, or the flags would be added twice to its rest. */
    for (size_t done = 0; done < n;) {
        int err = wait_ready(fd_of(ctx), POLLOUT);
        if (err) return err;
        ssize_t w = send(fd_of(ctx), buf + done, n - done, MSG_NOSIGNAL);
        if (w < 0 && errno != EAGAIN && errno != EINTR) return errno;
        if (w > 0) done += (size_t)w;
    }
    if (name_message) session->flags_sent = true;
    return 0;
}

static int cb_header_size(void *ctx, int *size) {
    (void)ctx;
    *size = 2;
    return 0;
}

static int cb_complete(void *ctx) {
    elfs_net_set_nodelay(fd_of(ctx));
    return 0;
}

static int cb_get_fd(void *ctx, int *fd) {
    *fd = fd_of(ctx);
    return 0;
}

ei_socket_callbacks *elfs_ei_callbacks(void) {
    static ei_socket_callbacks callbacks = {
        .flags = EI_SCLBK_FLG_FULL_IMPL,
        .socket = cb_socket,
        .close = cb_close,
        .listen = cb_listen,
        .accept = cb_accept,
        .connect = cb_connect,
        .read = cb_read,
        .write = cb_write,
        .handshake_packet_header_size = cb_header_size,
        .connect_handshake_complete = cb_complete,
        .accept_handshake_complete = cb_complete,
        .get_fd = cb_get_fd,
    };
    return &callbacks;
}
