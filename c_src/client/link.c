/* link - see link.h. */
#include "client/link.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/dist.h"
#include "codec/frame.h"
#include "ei/epmd_lookup.h"
#include "ei/net.h"
#include "ei/socket.h"

#define READ_SIZE 65536
#define KEEP_SIZE (4 * READ_SIZE) /* of the read buffer, between answers */
#define LENGTH_SIZE 4

void elfs_client_link_init(struct elfs_client_link *link, size_t max) {
    *link = (struct elfs_client_link){.fd = -1};
    elfs_buf_init(&link->in, max + LENGTH_SIZE + READ_SIZE);
}

void elfs_client_link_close(struct elfs_client_link *link) {
    if (link->fd >= 0) ei_close_connection(link->fd);
    link->fd = -1;
    link->used = 0;
    elfs_buf_fini(&link->in);
}

/* An address of the host. Its own name is known even where no resolver knows it. */
static bool resolve(const char *host, struct in_addr *addr) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) == 0) {
        *addr = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
        freeaddrinfo(found);
        return true;
    }
    char own[256] = "";
    if (gethostname(own, sizeof own - 1) != 0) return false;
    own[strcspn(own, ".")] = '\0';
    addr->s_addr = htonl(INADDR_LOOPBACK);
    return strcmp(own, host) == 0;
}

static int left_ms(int64_t deadline_ms) {
    int64_t left = deadline_ms - elfs_clock_ms();
    if (left <= 0) return 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

static enum elfs_code find_port(const char *node, struct in_addr *addr, uint16_t *port,
                                int64_t deadline_ms, struct elfs_error *err) {
    const char *at = strchr(node, '@');
    char alive[ELFS_CLIENT_NODE_MAX];
    if (!resolve(at + 1, addr))
        return elfs_fail(err, ELFS_CLOSED, "%s: the host %s is not known", node, at + 1);
    snprintf(alive, sizeof alive, "%.*s", (int)(at - node), node);
    int left = left_ms(deadline_ms);
    switch (elfs_epmd_lookup(*addr, alive, left > 0 ? left : 1, port)) {
    case ELFS_EPMD_FOUND: return ELFS_OK;
    case ELFS_EPMD_NOT_FOUND:
        return elfs_fail(err, ELFS_CLOSED, "%s is not registered with its host's EPMD", node);
    default:
        return elfs_fail(err, ELFS_CLOSED, "%s: no EPMD answers on port %u of %s", node,
                         elfs_epmd_port(), at + 1);
    }
}

static enum elfs_code shake_hands(struct elfs_client_link *link, ei_cnode *self,
                                  struct in_addr addr, uint16_t port, int64_t deadline_ms,
                                  struct elfs_error *err) {
    struct elfs_ei_session session = {
        .accepted_fd = -1, .cancel_fd = -1, .deadline_ms = deadline_ms};
    elfs_ei_session_set(&session);
    int fd = ei_xconnect_host_port_tmo(self, &addr, port, (unsigned)left_ms(deadline_ms));
    elfs_ei_session_set(NULL);
    if (fd >= 0) {
        link->fd = fd;
        return ELFS_OK;
    }
    if (session.timed_out) return elfs_fail(err, ELFS_TIMEOUT, "%s: time-out", link->node);
    if (!session.connected)
        return elfs_fail(err, ELFS_CLOSED, "%s: no connection to port %u", link->node, port);
    return elfs_fail(err, ELFS_CLOSED, "%s refused the connection: is the cookie right?",
                     link->node);
}

/* Reads what there is, waiting for it until the deadline. ELFS_AGAIN: nothing came. */
static enum elfs_code read_more(struct elfs_client_link *link, int64_t deadline_ms,
                                struct elfs_error *err) {
    uint8_t *to = elfs_buf_reserve(&link->in, READ_SIZE);
    if (!to)
        return elfs_fail(err, link->in.status, "%s: the answer: %s", link->node,
                         elfs_code_text(link->in.status));
    struct pollfd fds = {.fd = link->fd, .events = POLLIN};
    for (;;) {
        ssize_t n = recv(link->fd, to, READ_SIZE, MSG_DONTWAIT);
        if (n > 0) {
            link->in.len += (size_t)n;
            return ELFS_OK;
        }
        if (n == 0) return elfs_fail(err, ELFS_CLOSED, "%s closed the connection", link->node);
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            int left = left_ms(deadline_ms);
            if (left == 0) return ELFS_AGAIN;
            if (poll(&fds, 1, left) >= 0 || errno == EINTR) continue;
        }
        if (errno != EINTR)
            return elfs_fail(err, ELFS_CLOSED, "%s: %s", link->node, strerror(errno));
    }
}

static enum elfs_code send_all(struct elfs_client_link *link, struct elfs_view bytes,
                               int64_t deadline_ms, struct elfs_error *err) {
    struct pollfd fds = {.fd = link->fd, .events = POLLOUT};
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n =
            send(link->fd, bytes.data + done, bytes.len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) done += (size_t)n;
        if (n >= 0 || errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return elfs_fail(err, ELFS_CLOSED, "%s: %s", link->node, strerror(errno));
        int left = left_ms(deadline_ms);
        if (left == 0)
            return elfs_fail(err, ELFS_CLOSED, "%s takes no more bytes: time-out", link->node);
        poll(&fds, 1, left);
    }
    return ELFS_OK;
}

enum elfs_code elfs_client_link_send(struct elfs_client_link *link, struct elfs_view frames,
                                     int64_t deadline_ms, struct elfs_error *err) {
    enum elfs_code code = send_all(link, frames, deadline_ms, err);
    if (code != ELFS_OK) elfs_client_link_close(link);
    return code;
}

/* Drops the frame that was given out, and gives the memory of a large one back. */
static void drop_used(struct elfs_client_link *link) {
    elfs_buf_consume(&link->in, link->used);
    link->used = 0;
    if (link->in.len == 0) elfs_buf_reset(&link->in, KEEP_SIZE);
}

/* The next whole frame of what was read; ELFS_AGAIN if there is none. */
static enum elfs_code next_frame(struct elfs_client_link *link, struct elfs_view *frame,
                                 struct elfs_error *err) {
    struct elfs_view in = {link->in.data, link->in.len};
    size_t max = link->in.max - LENGTH_SIZE - READ_SIZE;
    enum elfs_code code = elfs_frame_next(in, max, frame, &link->used, NULL);
    if (code == ELFS_LIMIT)
        return elfs_fail(err, code, "%s: the answer is larger than max_frame", link->node);
    return code;
}

/* Is it a message to pid? A tick is answered with one: a node drops a peer that is silent. */
static enum elfs_code look_at(struct elfs_client_link *link, struct elfs_view frame,
                              struct elfs_view pid, struct elfs_view *message,
                              struct elfs_error *err) {
    static const uint8_t tick[LENGTH_SIZE] = {0};
    struct elfs_dist_msg msg;
    *message = ELFS_VIEW_NONE;
    if (frame.len == 0)
        return send_all(link, (struct elfs_view){tick, sizeof tick}, elfs_clock_ms(), err);
    if (elfs_dist_parse(frame, &msg) != ELFS_OK)
        return elfs_fail(err, ELFS_MALFORMED, "%s sent what is no message", link->node);
    if (msg.op == ELFS_DIST_SEND && elfs_view_equal(msg.to, pid)) *message = msg.message;
    return ELFS_OK;
}

static enum elfs_code receive(struct elfs_client_link *link, struct elfs_view pid,
                              int64_t deadline_ms, struct elfs_view *message,
                              struct elfs_error *err) {
    for (;;) {
        struct elfs_view frame;
        drop_used(link);
        enum elfs_code code = next_frame(link, &frame, err);
        if (code == ELFS_AGAIN) {
            code = read_more(link, deadline_ms, err);
            if (code != ELFS_OK) return code;
            continue;
        }
        if (code == ELFS_OK) code = look_at(link, frame, pid, message, err);
        if (code != ELFS_OK || message->data) return code;
    }
}

enum elfs_code elfs_client_link_receive(struct elfs_client_link *link, struct elfs_view pid,
                                        int64_t deadline_ms, struct elfs_view *message,
                                        struct elfs_error *err) {
    enum elfs_code code = receive(link, pid, deadline_ms, message, err);
    if (code != ELFS_OK && code != ELFS_AGAIN) elfs_client_link_close(link);
    return code;
}

/* Has the node closed? What it sent while we were idle are ticks, or late answers for nobody. */
static bool is_alive(struct elfs_client_link *link) {
    struct elfs_view message;
    return elfs_client_link_receive(link, ELFS_VIEW_NONE, elfs_clock_ms(), &message, NULL) ==
           ELFS_AGAIN;
}

enum elfs_code elfs_client_link_open(struct elfs_client_link *link, ei_cnode *self,
                                     int64_t deadline_ms, struct elfs_error *err) {
    struct in_addr addr;
    uint16_t port = 0;
    if (link->fd >= 0 && is_alive(link)) return ELFS_OK;
    enum elfs_code code = find_port(link->node, &addr, &port, deadline_ms, err);
    return code == ELFS_OK ? shake_hands(link, self, addr, port, deadline_ms, err) : code;
}
