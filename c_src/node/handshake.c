/* handshake - see handshake.h.
 *
 * A handshake block is made by the loop, belongs to its thread until it is put on `finished` under
 * the lock, and is the loop's again from then on. Threads are detached; `active` counts them under
 * the lock.
 */
#include "node/handshake.h"

#include <ei.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/view.h"
#include "ei/net.h"
#include "ei/socket.h"

/* ei's deepest call chain needs a few KiB; getaddrinfo's kin more. */
#define STACK_SIZE (256 * 1024)

/* Instead of the C library's, for ei, which mixes it into every challenge (ei_connect.c, gen_challenge). glibc's looks
 * this host's own name up: where only DNS knows the name, each handshake would wait for DNS, and none would succeed
 * while it is down. Random is better in a challenge anyway. */
long gethostid(void) {
    uint32_t id = 0;
    if (getentropy(&id, sizeof id) != 0) id = (uint32_t)elfs_clock_us();
    return (long)id;
}

struct elfs_handshakes {
    struct elfs_handshake_config config;
    ei_cnode cnode; /* read-only after new */
    int listen_fd;
    int cancel_fds[2];
    void (*wake)(void *arg);
    void *arg;
    uint64_t next_sequence; /* the loop's */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    int active;
    struct elfs_list finished;
};

struct task {
    struct elfs_handshakes *hs;
    struct elfs_handshake *result;
    struct elfs_ei_session session;
};

enum elfs_code elfs_handshakes_new(const struct elfs_handshake_config *config,
                                   void (*wake)(void *arg), void *arg, struct elfs_handshakes **out,
                                   struct elfs_error *err) {
    *out = NULL;
    const char *at = strchr(config->name, '@');
    struct elfs_handshakes *hs = elfs_calloc(1, sizeof *hs);
    if (!hs) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    hs->config = *config;
    hs->listen_fd = -1;
    hs->wake = wake;
    hs->arg = arg;
    elfs_list_init(&hs->finished);
    if (pipe(hs->cancel_fds) != 0) {
        elfs_fail(err, ELFS_SYSTEM, "pipe: %s", strerror(errno));
        goto free_block;
    }
    elfs_net_set_cloexec(hs->cancel_fds[0]);
    elfs_net_set_cloexec(hs->cancel_fds[1]);
    char alive[EI_MAXALIVELEN + 1];
    snprintf(alive, sizeof alive, "%.*s", (int)(at - config->name), config->name);
    struct in_addr unused = {.s_addr = htonl(INADDR_LOOPBACK)};
    ei_init();
    if (ei_connect_xinit_ussi(&hs->cnode, at + 1, alive, config->name, &unused, config->cookie,
                              config->creation, elfs_ei_callbacks(), sizeof(ei_socket_callbacks),
                              NULL) < 0) {
        elfs_fail(err, ELFS_BADARG, "the node name %s or the cookie is too long", config->name);
        goto close_pipe;
    }
    pthread_mutex_init(&hs->lock, NULL);
    pthread_cond_init(&hs->idle, NULL);
    *out = hs;
    return ELFS_OK;

close_pipe:
    close(hs->cancel_fds[0]);
    close(hs->cancel_fds[1]);
free_block:
    elfs_free(hs);
    return err ? err->code : ELFS_SYSTEM;
}

void elfs_handshakes_free(struct elfs_handshakes *hs) {
    if (!hs) return;
    ssize_t ignored = write(hs->cancel_fds[1], "c", 1); /* never read: stays readable for all */
    (void)ignored;
    pthread_mutex_lock(&hs->lock);
    while (hs->active > 0) pthread_cond_wait(&hs->idle, &hs->lock);
    pthread_mutex_unlock(&hs->lock);
    struct elfs_list left;
    elfs_handshakes_take(hs, &left);
    for (struct elfs_list *link; (link = elfs_list_pop_front(&left));) {
        struct elfs_handshake *h = ELFS_CONTAINER_OF(link, struct elfs_handshake, link);
        if (h->fd >= 0) elfs_handshake_close(h->fd);
        elfs_free(h);
    }
    close(hs->cancel_fds[0]);
    close(hs->cancel_fds[1]);
    pthread_mutex_destroy(&hs->lock);
    pthread_cond_destroy(&hs->idle);
    elfs_free(hs);
}

int elfs_handshakes_listen(struct elfs_handshakes *hs, struct in_addr addr, uint16_t *port,
                           struct elfs_error *err) {
    int wanted = *port;
    int fd = ei_xlisten(&hs->cnode, &addr, &wanted, 128);
    if (fd < 0) {
        struct sockaddr_in at = {.sin_addr = addr, .sin_port = htons(*port)};
        char text[32];
        elfs_net_format(&at, text, sizeof text);
        elfs_fail(err, ELFS_SYSTEM, "cannot listen on %s: %s", text, strerror(erl_errno));
        return -1;
    }
    elfs_net_set_nonblocking(fd);
    *port = (uint16_t)wanted;
    hs->listen_fd = fd;
    return fd;
}

int elfs_handshakes_active(struct elfs_handshakes *hs) {
    pthread_mutex_lock(&hs->lock);
    int active = hs->active;
    for (struct elfs_list *l = hs->finished.next; l != &hs->finished; l = l->next) active++;
    pthread_mutex_unlock(&hs->lock);
    return active;
}

/* result is what ei returned. */
static const char *failure_reason(const struct elfs_ei_session *s, bool dialled, int result) {
    if (s->cancelled) return "cancelled";
    if (s->timed_out) return "timeout";
    if (dialled && result == ERL_NO_PORT) return "not_registered_with_its_epmd";
    if (dialled && result == ERL_CONNECT_FAIL) return "no_connection";
    if (dialled && !s->connected) return "host_not_found";
    if (dialled) return s->peer_closed ? "refused_by_peer_perhaps_wrong_cookie" : "wrong_cookie";
    if (s->digest_seen) return "wrong_cookie";
    if (s->flags_sent && s->peer_closed) return "closed_by_peer_perhaps_wrong_cookie";
    if (s->bytes_read == 0) return "closed_before_first_byte";
    return "not_a_handshake";
}

static void *run(void *arg) {
    struct task *task = arg;
    struct elfs_handshakes *hs = task->hs;
    struct elfs_handshake *h = task->result;
    elfs_ei_session_set(&task->session);
    if (h->dialled) {
        h->fd = ei_connect_tmo(&hs->cnode, h->name, (unsigned)hs->config.timeout_ms);
    } else {
        ErlConnect peer;
        memset(&peer, 0, sizeof peer);
        h->fd = ei_accept_tmo(&hs->cnode, hs->listen_fd, &peer, (unsigned)hs->config.timeout_ms);
        snprintf(h->name, sizeof h->name, "%s", peer.nodename);
    }
    if (h->fd < 0) {
        h->reason = failure_reason(&task->session, h->dialled, h->fd);
        h->fd = -1;
    }
    elfs_ei_session_set(NULL);
    if (task->session.accepted_fd >= 0) close(task->session.accepted_fd);
    elfs_free(task);
    pthread_mutex_lock(&hs->lock);
    elfs_list_push_back(&hs->finished, &h->link);
    hs->active--;
    hs->wake(hs->arg);
    if (hs->active == 0) pthread_cond_signal(&hs->idle);
    pthread_mutex_unlock(&hs->lock);
    return NULL;
}

static bool start_thread(struct task *task) {
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0) return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    bool started = pthread_create(&thread, &attr, run, task) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

/* Takes a slot, or returns false. */
static bool take_slot(struct elfs_handshakes *hs) {
    pthread_mutex_lock(&hs->lock);
    bool free_slot = hs->active < hs->config.max_handshakes;
    if (free_slot) hs->active++;
    pthread_mutex_unlock(&hs->lock);
    return free_slot;
}

static void return_slot(struct elfs_handshakes *hs) {
    pthread_mutex_lock(&hs->lock);
    hs->active--;
    pthread_mutex_unlock(&hs->lock);
}

/* fd is -1 to dial `node`. */
static bool start(struct elfs_handshakes *hs, int fd, const struct sockaddr_in *from,
                  const char *node) {
    if (!take_slot(hs)) return false;
    struct task *task = elfs_calloc(1, sizeof *task);
    struct elfs_handshake *h = elfs_calloc(1, sizeof *h);
    if (!task || !h) goto fail;
    task->hs = hs;
    task->result = h;
    task->session.accepted_fd = fd;
    task->session.cancel_fd = hs->cancel_fds[0];
    task->session.deadline_ms = elfs_clock_ms() + hs->config.timeout_ms;
    task->session.flags = ELFS_DFLAG_SPAWN | ELFS_DFLAG_ALIAS | ELFS_DFLAG_EXIT_PAYLOAD |
                          ELFS_DFLAG_DIST_MONITOR_NAME;
    if (!hs->config.hidden) task->session.flags |= ELFS_DFLAG_PUBLISHED;
    elfs_list_init(&h->link);
    h->fd = -1;
    h->dialled = node != NULL;
    h->sequence = hs->next_sequence++;
    if (node) snprintf(h->name, sizeof h->name, "%s", node);
    if (from) {
        task->session.from = *from;
        elfs_net_format(from, h->address, sizeof h->address);
    }
    if (start_thread(task)) return true;
fail:
    elfs_free(task);
    elfs_free(h);
    return_slot(hs);
    return false;
}

bool elfs_handshakes_accept(struct elfs_handshakes *hs, int fd, const struct sockaddr_in *from) {
    if (start(hs, fd, from, NULL)) return true;
    close(fd);
    return false;
}

bool elfs_handshakes_dial(struct elfs_handshakes *hs, const char *node) {
    return start(hs, -1, NULL, node);
}

void elfs_handshakes_take(struct elfs_handshakes *hs, struct elfs_list *list) {
    elfs_list_init(list);
    pthread_mutex_lock(&hs->lock);
    elfs_list_append_all(list, &hs->finished);
    pthread_mutex_unlock(&hs->lock);
}

void elfs_handshake_close(int fd) { ei_close_connection(fd); }

int elfs_handshakes_publish(struct elfs_handshakes *hs, uint16_t port, int timeout_ms) {
    int fd = ei_publish_tmo(&hs->cnode, port, (unsigned)timeout_ms);
    if (fd >= 0) elfs_net_set_cloexec(fd);
    return fd;
}
