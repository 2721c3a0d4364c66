/* node - see node.h. */
#include "node/node.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/frame.h"
#include "node/acks.h"
#include "node/conn.h"
#include "node/peers.h"
#include "node/reports.h"
#include "node/request.h"
#include "node/txn.h"
#include "store/dead_mount.h"

#define EVENTS_A_TURN 256
#define FLUSH_MS 5000  /* a node that stops gives its peers so long to take their answers */
#define LINGER_MS 1000 /* ... and to close their ends */

static struct elfs_wake *signal_wake; /* for the handler: the running node's */
static volatile sig_atomic_t stop_signal;

static void on_signal(int number) {
    stop_signal = number;
    if (signal_wake) elfs_wake_signal(signal_wake);
}

/* The handler of the first signal puts the default action back for both: the second ends us at
 * once. */
static void set_signals(struct elfs_node *node) {
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    signal_wake = &node->wake;
    stop_signal = 0;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static void reset_signals(void) {
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
}

struct elfs_database *elfs_node_database(struct elfs_node *node, struct elfs_view name) {
    for (size_t i = 0; i < node->database_count; i++) {
        if (elfs_view_equal(node->databases[i].name, name)) return &node->databases[i];
    }
    return NULL;
}

/* Pids count up through 28 bits of number and 13 of serial, as every BEAM takes them. */
struct elfs_view elfs_node_new_pid(struct elfs_node *node) {
    node->pid_num = (node->pid_num + 1) & 0xFFFFFFF;
    if (node->pid_num == 0) node->pid_serial = (node->pid_serial + 1) & 0x1FFF;
    elfs_buf_truncate(&node->scratch, 0);
    elfs_put_pid(&node->scratch, &node->identity, node->pid_num, node->pid_serial);
    return (struct elfs_view){node->scratch.data, node->scratch.len};
}

static void wake_loop(void *arg) { elfs_wake_signal(arg); }

static void take_finished_jobs(struct elfs_node *node) {
    struct elfs_list jobs, ended;
    elfs_mailbox_take(&node->mailbox, &jobs, &ended);
    for (struct elfs_list *l; (l = elfs_list_pop_front(&jobs));) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        job->finished(job, node);
    }
    for (struct elfs_list *l; (l = elfs_list_pop_front(&ended));)
        elfs_txn_ended(node, ELFS_CONTAINER_OF(l, struct elfs_tx, link));
}

static void on_wake(struct elfs_watch *watch, unsigned events) {
    struct elfs_node *node = ELFS_CONTAINER_OF(watch, struct elfs_node, wake_watch);
    (void)events;
    elfs_wake_drain(&node->wake);
    bool news = elfs_litefs_take(&node->litefs);
    bool moved = elfs_litefs_moved(&node->litefs);
    /* Before the news: what was committed in another reign waits for no replicas in the next. */
    take_finished_jobs(node);
    if (news && !node->stopping) elfs_databases_follow(node);
    bool joined = elfs_peers_take_handshakes(node);
    if (moved) elfs_databases_moved(node);
    if (news || moved || joined) elfs_reports_send(node);
}

static void begin_stop(struct elfs_node *node) {
    elfs_log(ELFS_LOG_INFO, "stopping", "signal=d in_flight=l", (int)stop_signal,
             (long long)node->in_flight);
    reset_signals();
    node->stopping = true;
    elfs_peers_stop_listening(node);
    elfs_epmd_stop(node->epmd);
    node->epmd = NULL;
    elfs_txns_abort_all(node);
    elfs_acks_settle_all(node);
    elfs_databases_hurry(node);
    for (struct elfs_list *l = node->conns.next, *next; l != &node->conns; l = next) {
        next = l->next;
        elfs_conn_stop_reading(ELFS_CONTAINER_OF(l, struct elfs_conn, link));
    }
}

static bool has_output(struct elfs_node *node) {
    for (struct elfs_list *l = node->conns.next; l != &node->conns; l = l->next) {
        const struct elfs_conn *conn = ELFS_CONTAINER_OF(l, struct elfs_conn, link);
        if (conn->out.len > conn->out_sent) return true;
    }
    return false;
}

/* True when a stopping node has nothing left to do: every job is back and every answer written, or
 * its peers do not read. */
static bool is_done(struct elfs_node *node) {
    if (!node->stopping || node->in_flight > 0 || !elfs_list_empty(&node->txns)) return false;
    if (node->flush_deadline_ms == 0) node->flush_deadline_ms = node->now_ms + FLUSH_MS;
    return !has_output(node) || node->now_ms >= node->flush_deadline_ms;
}

static void flush_dirty(struct elfs_node *node) {
    for (struct elfs_list *l; (l = elfs_list_pop_front(&node->dirty));)
        elfs_conn_flush(ELFS_CONTAINER_OF(l, struct elfs_conn, dirty));
}

static void free_dead(struct elfs_node *node) {
    for (struct elfs_list *l; (l = elfs_list_pop_front(&node->dead));)
        elfs_conn_free(ELFS_CONTAINER_OF(l, struct elfs_conn, link));
}

/* A transaction that LiteFS announced while its stream was away is in what the detector read after. */
static void tick_databases(struct elfs_node *node) {
    if (elfs_litefs_take_mount(&node->litefs)) elfs_databases_follow(node);
    elfs_databases_tick(node);
    elfs_databases_moved(node);
    elfs_reports_send(node);
}

static void loop(struct elfs_node *node) {
    struct elfs_poller_event events[EVENTS_A_TURN];
    int64_t tick_every_ms = node->options->tick_time_s * 1000 / 8;
    int64_t soon_ms = -1;
    if (tick_every_ms > 500) tick_every_ms = 500;
    while (!is_done(node)) {
        int64_t wait_ms = node->next_tick_ms - elfs_clock_ms();
        if (soon_ms >= 0 && soon_ms < wait_ms) wait_ms = soon_ms;
        int n =
            elfs_poller_wait(node->poller, events, EVENTS_A_TURN, wait_ms > 0 ? (int)wait_ms : 0);
        node->now_ms = elfs_clock_ms();
        for (int i = 0; i < n; i++) events[i].watch->ready(events[i].watch, events[i].events);
        if (stop_signal && !node->stopping) begin_stop(node);
        elfs_databases_submit(node);
        if (node->now_ms >= node->next_tick_ms) {
            elfs_peers_tick(node);
            if (!node->stopping) tick_databases(node);
            node->next_tick_ms = node->now_ms + tick_every_ms;
        }
        int64_t ack_ms = elfs_acks_tick(node);
        soon_ms = elfs_conns_release(node);
        if (ack_ms >= 0 && (soon_ms < 0 || ack_ms < soon_ms)) soon_ms = ack_ms;
        flush_dirty(node);
        free_dead(node);
    }
}

/* Half-closes every connection and reads until the peers have closed theirs: a close with unread
 * bytes would reset the connection and could cost a peer the answers it has not read yet. */
static void linger(struct elfs_node *node) {
    int64_t deadline = elfs_clock_ms() + LINGER_MS;
    for (struct elfs_list *l = node->conns.next; l != &node->conns; l = l->next) {
        struct elfs_conn *conn = ELFS_CONTAINER_OF(l, struct elfs_conn, link);
        shutdown(conn->watch.fd, SHUT_WR);
        elfs_poller_set(node->poller, &conn->watch, ELFS_POLL_IN);
    }
    while (!elfs_list_empty(&node->conns) && elfs_clock_ms() < deadline) {
        struct elfs_poller_event events[EVENTS_A_TURN];
        int n = elfs_poller_wait(node->poller, events, EVENTS_A_TURN,
                                 (int)(deadline - elfs_clock_ms()));
        for (int i = 0; i < n; i++) {
            if (events[i].watch == &node->wake_watch) {
                elfs_wake_drain(&node->wake);
                continue;
            }
            struct elfs_conn *conn = ELFS_CONTAINER_OF(events[i].watch, struct elfs_conn, watch);
            if (read(conn->watch.fd, node->read_buf, sizeof node->read_buf) <= 0)
                elfs_conn_close(conn, "node_stopped");
        }
    }
}

static void close_all(struct elfs_node *node) {
    while (!elfs_list_empty(&node->conns))
        elfs_conn_close(ELFS_CONTAINER_OF(node->conns.next, struct elfs_conn, link),
                        "node_stopped");
    free_dead(node);
}

/* Only where a database lies in LiteFS's folder: everything else is this host's own. */
static enum elfs_code start_litefs(struct elfs_node *node, struct elfs_error *err) {
    struct elfs_litefs_config config = node->options->litefs;
    for (size_t i = 0; i < node->database_count && !config.tracked_path; i++) {
        if (node->databases[i].managed) config.tracked_path = node->databases[i].path;
    }
    if (!config.tracked_path) return ELFS_OK;
    return elfs_litefs_start(&node->litefs, &config, wake_loop, &node->wake, err);
}

/* As many descriptors as the system lets us have, up to what the options ask for. */
static void raise_descriptor_limit(const struct elfs_options *o) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)(o->max_connections + o->max_handshakes) + 64 + 8 * o->repo_count;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static uint32_t random_creation(void) {
    uint32_t creation = 0;
    if (getentropy(&creation, sizeof creation) != 0) creation = (uint32_t)elfs_clock_us();
    return creation | 4; /* not 0, and not one of the small ones of old */
}

static void init_state(struct elfs_node *node, const struct elfs_options *options) {
    node->options = options;
    node->identity.node = elfs_view_str(options->name);
    node->identity.creation = random_creation();
    node->listener.fd = -1;
    node->now_ms = node->started_ms = elfs_clock_ms();
    srandom(node->identity.creation);
    elfs_buf_init(&node->scratch, 4096);
    elfs_list_init(&node->conns);
    elfs_list_init(&node->dirty);
    elfs_list_init(&node->held);
    elfs_list_init(&node->dead);
    elfs_list_init(&node->orphans);
    elfs_list_init(&node->txns);
    for (size_t i = 0; i < options->connect_count; i++)
        node->dials[i] = (struct elfs_dial){.node = options->connect[i], .wait_ms = 500};
}

static enum elfs_code start_poller(struct elfs_node *node, struct elfs_error *err) {
    node->poller = elfs_poller_new(node->options->poller);
    if (!node->poller)
        return elfs_fail(err, ELFS_SYSTEM, "the poller %s cannot be had here",
                         node->options->poller ? node->options->poller : "");
    node->wake_watch = (struct elfs_watch){.fd = elfs_wake_fd(&node->wake), .ready = on_wake};
    if (elfs_poller_set(node->poller, &node->wake_watch, ELFS_POLL_IN) == ELFS_OK) return ELFS_OK;
    elfs_poller_free(node->poller);
    return elfs_fail(err, ELFS_SYSTEM, "the poller cannot watch the wake-up pipe");
}

static enum elfs_code start_handshakes(struct elfs_node *node, const char *cookie,
                                       struct elfs_error *err) {
    const struct elfs_options *o = node->options;
    struct elfs_handshake_config config = {.name = o->name,
                                           .cookie = cookie,
                                           .creation = node->identity.creation,
                                           .hidden = o->hidden,
                                           .timeout_ms = (int)o->handshake_timeout_ms,
                                           .max_handshakes = (int)o->max_handshakes};
    return elfs_handshakes_new(&config, wake_loop, &node->wake, &node->handshakes, err);
}

static enum elfs_code start_epmd(struct elfs_node *node, uint16_t port, struct elfs_error *err) {
    if (node->options->no_epmd) return ELFS_OK;
    char alive[ELFS_NODE_NAME_MAX];
    snprintf(alive, sizeof alive, "%.*s", (int)strcspn(node->options->name, "@"),
             node->options->name);
    return elfs_epmd_start(node->handshakes, alive, port, &node->epmd, err);
}

enum elfs_code elfs_node_run(const struct elfs_options *options, const char *cookie,
                             struct elfs_error *err) {
    uint16_t port = 0;
    struct elfs_node *node = elfs_calloc(1, sizeof *node);
    if (!node) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    init_state(node, options);
    raise_descriptor_limit(options);
    elfs_dead_mount_install(NULL);
    enum elfs_code code = elfs_wake_init(&node->wake);
    if (code != ELFS_OK) {
        elfs_fail(err, code, "no pipe for the wake-up can be had");
        goto free_node;
    }
    code = elfs_mailbox_init(&node->mailbox, wake_loop, &node->wake);
    if (code != ELFS_OK) {
        elfs_fail(err, code, "out of memory");
        goto fini_wake;
    }
    code = start_poller(node, err);
    if (code != ELFS_OK) goto fini_mailbox;
    code = elfs_closer_init(&node->closer);
    if (code != ELFS_OK) {
        elfs_fail(err, code, "no lock can be had");
        goto free_poller;
    }
    code = elfs_databases_init(node, err);
    if (code == ELFS_OK) code = start_litefs(node, err);
    if (code != ELFS_OK) goto close_databases;
    code = start_handshakes(node, cookie, err);
    if (code != ELFS_OK) goto close_databases;
    code = elfs_peers_listen(node, &port, err);
    if (code != ELFS_OK) goto free_handshakes;
    set_signals(node);
    code = start_epmd(node, port, err);
    if (code != ELFS_OK) goto stop_listening;

    elfs_log(ELFS_LOG_INFO, "ready", "name=s port=d repos=d poller=s version=s", options->name,
             (int)port, (int)options->repo_count, node->poller->ops->name, ELFS_VERSION);
    loop(node);
    linger(node);
    close_all(node);

stop_listening:
    signal_wake = NULL;
    reset_signals();
    elfs_peers_stop_listening(node);
free_handshakes:
    elfs_handshakes_free(node->handshakes);
close_databases:
    elfs_litefs_stop(&node->litefs);
    elfs_databases_fini(node);
free_poller:
    elfs_poller_free(node->poller);
fini_mailbox:
    elfs_mailbox_fini(&node->mailbox);
fini_wake:
    elfs_wake_fini(&node->wake);
free_node:
    elfs_buf_fini(&node->scratch);
    elfs_free(node);
    if (code == ELFS_OK) elfs_log(ELFS_LOG_INFO, "stopped", "name=s", options->name);
    return code;
}
