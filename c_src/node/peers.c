/* peers - see peers.h.
 *
 * Two connections to one node: the newer replaces the older, as a node that restarted replaces its
 * own dead connection. The exception is two nodes dialling each other at once. The distribution
 * protocol lets the node with the greater name win; when that is us, the peer gives its own attempt
 * up although it may have finished here. So a connection that came to us and whose handshake began
 * before one that we dialled was established is dropped, and the dialled one stays. (The other way
 * round ei is told `nok` by the peer, and our attempt fails by itself.)
 */
#include "node/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ei/net.h"
#include "node/conn.h"

#define ACCEPTS_A_TURN 64
#define PAUSE_MS 1000
#define DIAL_MIN_MS 500
#define DIAL_MAX_MS 30000
#define DIAL_WANTED_MAX_MS 1000 /* the primary's node: acknowledgements wait for it */

static void on_listener(struct elfs_watch *watch, unsigned events);

enum elfs_code elfs_peers_listen(struct elfs_node *node, uint16_t *port, struct elfs_error *err) {
    *port = node->options->listen_port;
    int fd = elfs_handshakes_listen(node->handshakes, node->options->listen_addr, port, err);
    if (fd < 0) return ELFS_SYSTEM;
    node->listener = (struct elfs_watch){.fd = fd, .ready = on_listener};
    enum elfs_code code = elfs_poller_set(node->poller, &node->listener, ELFS_POLL_IN);
    if (code != ELFS_OK) {
        elfs_handshake_close(fd);
        node->listener.fd = -1;
        return elfs_fail(err, code, "the poller cannot watch the listener");
    }
    return ELFS_OK;
}

void elfs_peers_stop_listening(struct elfs_node *node) {
    if (node->listener.fd < 0) return;
    elfs_poller_remove(node->poller, &node->listener);
    elfs_handshake_close(node->listener.fd);
    node->listener.fd = -1;
}

static void pause_listener(struct elfs_node *node, const char *reason) {
    elfs_log(ELFS_LOG_WARNING, "accept_paused", "reason=s", reason);
    node->listener_paused_until_ms = node->now_ms + PAUSE_MS;
    elfs_poller_set(node->poller, &node->listener, 0);
}

/* While all handshake slots are taken, or there are too many connections, further peers wait in the
 * kernel's queue. */
static bool has_room(const struct elfs_node *node) {
    int active = elfs_handshakes_active(node->handshakes);
    return active < node->options->max_handshakes &&
           node->conn_count + active < node->options->max_connections;
}

static void listen_if_room(struct elfs_node *node) {
    if (node->listener.fd < 0 || node->listener_paused_until_ms > node->now_ms) return;
    node->listener_paused_until_ms = 0;
    elfs_poller_set(node->poller, &node->listener, has_room(node) ? ELFS_POLL_IN : 0);
}

static void on_listener(struct elfs_watch *watch, unsigned events) {
    struct elfs_node *node = ELFS_CONTAINER_OF(watch, struct elfs_node, listener);
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && has_room(node); i++) {
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        int fd = accept(watch->fd, (struct sockaddr *)&from, &len);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
            pause_listener(node, strerror(errno));
            return;
        }
        if (fd < 0) break;
        elfs_net_set_nonblocking(fd);
        elfs_net_set_cloexec(fd);
        if (!elfs_handshakes_accept(node->handshakes, fd, &from)) {
            pause_listener(node, "no_thread");
            return;
        }
    }
    listen_if_room(node);
}

struct elfs_conn *elfs_peers_find(struct elfs_node *node, struct elfs_view name) {
    for (struct elfs_list *l = node->conns.next; l != &node->conns; l = l->next) {
        struct elfs_conn *conn = ELFS_CONTAINER_OF(l, struct elfs_conn, link);
        if (elfs_view_is(name, conn->name)) return conn;
    }
    return NULL;
}

static void on_success(struct elfs_node *node, const struct elfs_handshake *h) {
    struct elfs_conn *old = elfs_peers_find(node, elfs_view_str(h->name));
    if (old && old->dialled && !h->dialled && h->sequence <= old->established) {
        elfs_log(ELFS_LOG_INFO, "simultaneous_connect", "node=s kept=s", h->name, "dialled");
        elfs_handshake_close(h->fd);
        return;
    }
    if (old) elfs_conn_close(old, "replaced_by_a_new_connection");
    struct elfs_conn *conn = elfs_conn_new(node, h->fd, h->name);
    if (!conn) {
        elfs_log(ELFS_LOG_ERROR, "handshake_failed", "peer=s reason=s", h->name, "out_of_memory");
        return;
    }
    conn->dialled = h->dialled;
    conn->established = node->established;
    elfs_log(ELFS_LOG_INFO, "connected", "node=s direction=s", h->name, h->dialled ? "out" : "in");
}

static size_t dial_count(const struct elfs_node *node) {
    return node->options->connect_count + (node->wanted[0] != '\0');
}

/* A dial that ended: back-off grows after a failure, with jitter so that hosts do not dial in step.
 */
static void update_dial(struct elfs_node *node, const struct elfs_handshake *h) {
    for (size_t i = 0; i < dial_count(node); i++) {
        struct elfs_dial *dial = &node->dials[i];
        if (strcmp(dial->node, h->name) != 0) continue;
        dial->under_way = false;
        int64_t max_ms = i < node->options->connect_count ? DIAL_MAX_MS : DIAL_WANTED_MAX_MS;
        dial->wait_ms = h->fd >= 0 ? DIAL_MIN_MS : dial->wait_ms * 2;
        if (dial->wait_ms > max_ms) dial->wait_ms = max_ms;
        dial->next_ms = node->now_ms + dial->wait_ms + random() % (dial->wait_ms / 2);
    }
}

bool elfs_peers_take_handshakes(struct elfs_node *node) {
    struct elfs_list finished;
    elfs_handshakes_take(node->handshakes, &finished);
    bool any = !elfs_list_empty(&finished);
    for (struct elfs_list *l; (l = elfs_list_pop_front(&finished));) {
        struct elfs_handshake *h = ELFS_CONTAINER_OF(l, struct elfs_handshake, link);
        if (h->sequence > node->established) node->established = h->sequence;
        if (h->dialled) update_dial(node, h);
        if (h->fd >= 0 && node->stopping) {
            elfs_handshake_close(h->fd);
        } else if (h->fd >= 0) {
            on_success(node, h);
        } else {
            elfs_log(ELFS_LOG_WARNING, "handshake_failed", "peer=s reason=s",
                     h->dialled ? h->name : h->address, h->reason);
        }
        elfs_free(h);
    }
    if (any) listen_if_room(node);
    return any;
}

static void dial_missing(struct elfs_node *node) {
    for (size_t i = 0; i < dial_count(node); i++) {
        struct elfs_dial *dial = &node->dials[i];
        if (dial->under_way || node->now_ms < dial->next_ms ||
            elfs_peers_find(node, elfs_view_str(dial->node)))
            continue;
        dial->under_way = elfs_handshakes_dial(node->handshakes, dial->node);
    }
}

void elfs_peers_want(struct elfs_node *node, struct elfs_view name) {
    struct elfs_dial *dial = &node->dials[node->options->connect_count];
    if (elfs_view_is(name, node->wanted) || name.len >= sizeof node->wanted) return;
    memcpy(node->wanted, name.data, name.len);
    node->wanted[name.len] = '\0';
    *dial = (struct elfs_dial){.node = node->wanted, .wait_ms = DIAL_MIN_MS};
    dial_missing(node);
}

void elfs_peers_tick(struct elfs_node *node) {
    int64_t tick_ms = node->options->tick_time_s * 1000;
    for (struct elfs_list *l = node->conns.next, *next; l != &node->conns; l = next) {
        next = l->next;
        elfs_conn_tick(ELFS_CONTAINER_OF(l, struct elfs_conn, link), node->now_ms, tick_ms);
    }
    if (node->stopping) return;
    dial_missing(node);
    listen_if_room(node);
}
