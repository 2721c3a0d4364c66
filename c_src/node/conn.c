/* conn - see conn.h. */
#include "node/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "codec/frame.h"
#include "node/dispatch.h"
#include "node/listeners.h"
#include "node/request.h"
#include "node/schemas.h"
#include "node/txn.h"

#define KEEP_BYTES 65536 /* an output buffer's memory kept between turns */
#define ROUNDS_A_TURN 8  /* reads of one peer before the others' turn */
#define ANSWER_TICK_MS 1000

static void on_ready(struct elfs_watch *watch, unsigned events);

struct elfs_conn *elfs_conn_new(struct elfs_node *node, int fd, const char *name) {
    struct elfs_conn *conn = elfs_calloc(1, sizeof *conn);
    if (!conn) goto fail;
    conn->name = elfs_strdup(name);
    if (!conn->name) goto fail;
    conn->node = node;
    conn->watch = (struct elfs_watch){.fd = fd, .ready = on_ready};
    elfs_buf_init(&conn->in, (size_t)node->options->max_frame + 4);
    elfs_buf_init(&conn->out, (size_t)node->options->max_output);
    elfs_list_init(&conn->dirty);
    elfs_list_init(&conn->held);
    elfs_list_init(&conn->requests);
    elfs_list_init(&conn->schemas);
    conn->heard_ms = conn->spoke_ms = node->now_ms;
    if (elfs_poller_set(node->poller, &conn->watch, ELFS_POLL_IN) != ELFS_OK) goto fail;
    elfs_list_push_back(&node->conns, &conn->link);
    node->conn_count++;
    return conn;
fail:
    if (conn) elfs_free(conn->name);
    elfs_free(conn);
    elfs_handshake_close(fd);
    return NULL;
}

void elfs_conn_free(struct elfs_conn *conn) {
    elfs_buf_fini(&conn->in);
    elfs_buf_fini(&conn->out);
    elfs_free(conn->name);
    elfs_free(conn->reports);
    elfs_listeners_fini(conn);
    elfs_free(conn);
}

void elfs_conn_close(struct elfs_conn *conn, const char *reason) {
    struct elfs_node *node = conn->node;
    if (conn->closed) return;
    conn->closed = true;
    elfs_log(ELFS_LOG_INFO, "disconnected", "node=s reason=s", conn->name, reason);
    elfs_poller_remove(node->poller, &conn->watch);
    elfs_handshake_close(conn->watch.fd);
    elfs_list_remove(&conn->dirty);
    elfs_list_remove(&conn->held);
    elfs_list_remove(&conn->link);
    elfs_list_push_back(&node->dead, &conn->link);
    node->conn_count--;
    elfs_requests_conn_gone(conn);
    elfs_schemas_conn_gone(conn);
    elfs_txns_conn_gone(conn);
}

static size_t unsent(const struct elfs_conn *conn) { return conn->out.len - conn->out_sent; }

static void update_events(struct elfs_conn *conn) {
    bool stopped = conn->node->stopping;
    if (unsent(conn) > ELFS_OUTPUT_HIGH) conn->read_paused = true;
    if (conn->read_paused && unsent(conn) < ELFS_OUTPUT_HIGH / 2) {
        conn->read_paused = false;
        conn->heard_ms = conn->node->now_ms; /* it took that much; what it has said is read next */
    }
    unsigned events = 0;
    if (!conn->read_paused && !stopped) events |= ELFS_POLL_IN;
    if (unsent(conn) > 0) events |= ELFS_POLL_OUT;
    if (elfs_poller_set(conn->node->poller, &conn->watch, events) != ELFS_OK)
        elfs_conn_close(conn, "poller_failed");
}

void elfs_conn_stop_reading(struct elfs_conn *conn) { update_events(conn); }

struct elfs_buf *elfs_conn_out(struct elfs_conn *conn) {
    if (elfs_list_empty(&conn->dirty)) elfs_list_push_back(&conn->node->dirty, &conn->dirty);
    return &conn->out;
}

struct elfs_buf *elfs_conn_out_held(struct elfs_conn *conn) {
    if (elfs_list_empty(&conn->held)) {
        conn->held_until_ms = conn->node->now_ms + ELFS_HOLD_MS;
        elfs_list_push_back(&conn->node->held, &conn->held);
    }
    return &conn->out;
}

int64_t elfs_conns_release(struct elfs_node *node) {
    while (!elfs_list_empty(&node->held)) {
        struct elfs_conn *first = ELFS_CONTAINER_OF(node->held.next, struct elfs_conn, held);
        int64_t left = first->held_until_ms - node->now_ms;
        if (left > 0) return left;
        elfs_list_remove(&first->held);
        elfs_conn_out(first);
    }
    return -1;
}

void elfs_conn_wrote(struct elfs_conn *conn, enum elfs_code code) {
    if (code == ELFS_OK) return;
    elfs_conn_close(conn, code == ELFS_LIMIT ? "output_limit" : "out_of_memory");
}

void elfs_conn_flush(struct elfs_conn *conn) {
    elfs_list_remove(&conn->dirty);
    elfs_list_remove(&conn->held);
    while (unsent(conn) > 0) {
        ssize_t n =
            send(conn->watch.fd, conn->out.data + conn->out_sent, unsent(conn), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            elfs_conn_close(conn, strerror(errno));
            return;
        }
        conn->out_sent += (size_t)n;
        conn->spoke_ms = conn->node->now_ms;
    }
    if (unsent(conn) == 0) {
        elfs_buf_reset(&conn->out, KEEP_BYTES);
        conn->out_sent = 0;
    } else if (conn->out_sent > conn->out.len / 2) {
        elfs_buf_consume(&conn->out, conn->out_sent);
        conn->out_sent = 0;
    }
    update_events(conn);
}

static void send_tick(struct elfs_conn *conn) {
    struct elfs_buf *out = elfs_conn_out(conn);
    size_t mark = out->len;
    elfs_buf_put_be32(out, 0);
    if (out->status != ELFS_OK) elfs_buf_truncate(out, mark);
}

void elfs_conn_tick(struct elfs_conn *conn, int64_t now_ms, int64_t tick_ms) {
    /* A peer that is not read from is heard by what it takes; a node that stops reads from none. */
    int64_t heard_ms = conn->heard_ms;
    if (conn->read_paused && conn->spoke_ms > heard_ms) heard_ms = conn->spoke_ms;
    if (now_ms - heard_ms > tick_ms && !conn->node->stopping) {
        elfs_conn_close(conn, "silent_for_the_tick_time");
        return;
    }
    elfs_schemas_tick(conn);
    if (conn->closed) return;
    if (now_ms - conn->spoke_ms >= tick_ms / 4 && unsent(conn) == 0) send_tick(conn);
}

/* Handles the whole frames at the start of `bytes`; *need is the size of the frame that follows
 * them. */
static size_t handle_frames(struct elfs_conn *conn, struct elfs_view bytes, size_t *need) {
    size_t done = 0;
    while (!conn->closed) {
        struct elfs_view rest = {bytes.data + done, bytes.len - done};
        struct elfs_view frame;
        size_t used = 0;
        enum elfs_code code =
            elfs_frame_next(rest, (size_t)conn->node->options->max_frame, &frame, &used, need);
        if (code == ELFS_AGAIN) break;
        if (code != ELFS_OK) {
            elfs_conn_close(conn, "frame_over_the_limit");
            break;
        }
        done += used;
        if (frame.len == 0) {
            /* A peer with a shorter tick time than ours hears from us this way. Not answering right
             * after having spoken keeps two nodes like us from ticking at each other for ever. */
            if (conn->node->now_ms - conn->spoke_ms >= ANSWER_TICK_MS) send_tick(conn);
            continue;
        }
        elfs_dispatch_frame(conn, frame);
    }
    return done;
}

/* Reads once. True if there may be more. */
static bool read_once(struct elfs_conn *conn) {
    struct elfs_node *node = conn->node;
    bool direct = conn->in.len == 0; /* most often: nothing is left over from the last read */
    uint8_t *to = node->read_buf;
    size_t room = sizeof node->read_buf;
    size_t need = 0;
    if (!direct) {
        /* A frame larger than the buffer gets its whole size reserved once, then is read into
         * place. */
        struct elfs_view none;
        size_t used;
        elfs_frame_next((struct elfs_view){conn->in.data, conn->in.len}, SIZE_MAX, &none, &used,
                        &need);
        room = need > conn->in.len ? need - conn->in.len : 4;
        if (room < ELFS_READ_SIZE / 4) room = ELFS_READ_SIZE / 4;
        if (room > conn->in.max - conn->in.len) room = conn->in.max - conn->in.len;
        to = elfs_buf_reserve(&conn->in, room);
        if (!to) {
            elfs_conn_close(conn, "out_of_memory");
            return false;
        }
    }
    ssize_t n = read(conn->watch.fd, to, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
        elfs_conn_close(conn, n == 0 ? "closed_by_peer" : strerror(errno));
        return false;
    }
    conn->heard_ms = node->now_ms;
    if (direct) {
        size_t used = handle_frames(conn, (struct elfs_view){to, (size_t)n}, &need);
        if (conn->closed) return false;
        elfs_buf_append(&conn->in, to + used, (size_t)n - used);
        if (conn->in.status != ELFS_OK) elfs_conn_close(conn, "out_of_memory");
    } else {
        conn->in.len += (size_t)n;
        size_t used = handle_frames(conn, (struct elfs_view){conn->in.data, conn->in.len}, &need);
        if (conn->closed) return false;
        elfs_buf_consume(&conn->in, used);
        if (conn->in.len == 0) elfs_buf_reset(&conn->in, 0);
    }
    return !conn->closed && (size_t)n == room;
}

static void on_ready(struct elfs_watch *watch, unsigned events) {
    struct elfs_conn *conn = ELFS_CONTAINER_OF(watch, struct elfs_conn, watch);
    if (conn->closed) return;
    if (events == 0) { /* we wait for nothing, as while stopping: it is gone for both directions */
        elfs_conn_close(conn, "closed_by_peer");
        return;
    }
    if (events & ELFS_POLL_OUT) elfs_conn_flush(conn);
    if (conn->closed || !(events & ELFS_POLL_IN)) return;
    for (int i = 0; i < ROUNDS_A_TURN && !conn->read_paused && read_once(conn); i++) continue;
}
