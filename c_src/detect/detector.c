/* detector - see detector.h. */
#include "detect/detector.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#include "base/alloc.h"
#include "base/clock.h"
#include "detect/http.h"
#include "detect/lines.h"
#include "detect/look.h"
#include "detect/machine.h"

struct elfs_detector {
    /* set at the start */
    char *dir;
    char *primary_file;
    char *events_url;
    char *info_url;
    struct elfs_detector_events events;
    struct elfs_http *http;
    struct elfs_look *look;
    pthread_t thread;

    /* the thread's own */
    struct elfs_machine machine;
    struct elfs_lines lines;
    struct elfs_buf info;
    struct elfs_look_result seen;
    uint64_t moved;      /* positions to be told: bit i is machine.state.positions.items[i] */
    uint64_t refreshing; /* the ticket under way; 0: none */
    bool told;           /* the first change was told; the last one is told_* */
    uint64_t told_turns;
    char told_node[ELFS_NODE_SIZE];

    atomic_bool stop;
    pthread_cond_t at_end;
    pthread_mutex_t lock; /* for what follows */
    bool ended;
    struct elfs_detect_state published;
    uint64_t wanted;    /* the last ticket given out */
    uint64_t refreshed; /* the last one done; the first refresh is the start itself, ticket 1 */
};

_Static_assert(ELFS_POSITIONS_MAX <= 64, "moved has a bit for each position");

static uint32_t random_bits(void) {
    uint32_t bits;
    return getentropy(&bits, sizeof bits) == 0 ? bits : (uint32_t)elfs_clock_us();
}

/* ---- telling ---- */

static bool is_news(const struct elfs_detector *d) {
    const struct elfs_detect_state *s = &d->machine.state;
    if (!d->told) return s->role != ELFS_ROLE_UNKNOWN || d->refreshing != 1;
    return s->turns != d->told_turns || strcmp(s->node, d->told_node) != 0;
}

static void tell_change(struct elfs_detector *d) {
    const struct elfs_detect_state *s = &d->machine.state;
    d->told = true;
    d->told_turns = s->turns;
    memcpy(d->told_node, s->node, sizeof d->told_node);
    d->events.change(d->events.arg, s);
}

static void tell_positions(struct elfs_detector *d) {
    for (size_t i = 0; d->moved != 0; i++, d->moved >>= 1) {
        if (d->moved & 1 && d->events.position)
            d->events.position(d->events.arg, &d->machine.state.positions.items[i]);
    }
}

static void publish(struct elfs_detector *d) {
    pthread_mutex_lock(&d->lock);
    d->published = d->machine.state;
    pthread_mutex_unlock(&d->lock);
    if (is_news(d)) tell_change(d);
    tell_positions(d);
}

static bool refresh_is_complete(const struct elfs_detector *d) {
    return d->refreshing != 0 && elfs_machine_idle(&d->machine, elfs_clock_ms());
}

static void finish_refresh(struct elfs_detector *d) {
    uint64_t done = d->refreshing;
    d->refreshing = 0;
    pthread_mutex_lock(&d->lock);
    d->refreshed = done;
    pthread_mutex_unlock(&d->lock);
    publish(d);
    if (done > 1 && d->events.refreshed)
        d->events.refreshed(d->events.arg, done, &d->machine.state);
}

/* ---- what comes from the network ---- */

static void on_line(struct elfs_detector *d, struct elfs_view line, int64_t now) {
    struct elfs_event event;
    if (elfs_event_parse(line, &event) != ELFS_OK) {
        d->machine.state.bad_lines++;
        elfs_machine_bad_line(&d->machine, now);
        return;
    }
    if (event.type == ELFS_EVENT_TX) {
        const struct elfs_db_position *item = elfs_machine_tx(&d->machine, &event, now);
        if (item) d->moved |= UINT64_C(1) << (item - d->machine.state.positions.items);
    } else if (event.type != ELFS_EVENT_OTHER) {
        elfs_machine_claim(&d->machine, &event.claim, now);
    }
}

static void on_stream(struct elfs_detector *d, struct elfs_view piece) {
    int64_t now = elfs_clock_ms();
    uint64_t skipped = d->lines.skipped;
    struct elfs_view line;
    while (elfs_lines_next(&d->lines, &piece, &line) == ELFS_OK) on_line(d, line, now);
    if (d->lines.skipped != skipped) {
        d->machine.state.bad_lines += d->lines.skipped - skipped;
        elfs_machine_bad_line(&d->machine, now);
    }
}

static bool on_body(void *arg, enum elfs_http_slot slot, struct elfs_view piece) {
    struct elfs_detector *d = arg;
    if (slot == ELFS_HTTP_STREAM) {
        on_stream(d, piece);
        return true;
    }
    elfs_buf_append_view(&d->info, piece);
    return d->info.status == ELFS_OK;
}

static void on_done(void *arg, enum elfs_http_slot slot, bool answered, bool complete) {
    struct elfs_detector *d = arg;
    struct elfs_claim claim;
    int64_t now = elfs_clock_ms();
    if (slot == ELFS_HTTP_STREAM) {
        elfs_machine_stream_lost(&d->machine, random_bits(), now);
    } else if (complete &&
               elfs_info_parse((struct elfs_view){d->info.data, d->info.len}, &claim) == ELFS_OK) {
        elfs_machine_info(&d->machine, &claim, now);
    } else {
        elfs_machine_info_failed(&d->machine, answered, now);
    }
}

/* ---- work ---- */

static void connect_stream(struct elfs_detector *d) {
    elfs_lines_reset(&d->lines);
    if (elfs_http_start(d->http, ELFS_HTTP_STREAM, d->events_url, 0) != ELFS_OK)
        elfs_machine_stream_lost(&d->machine, random_bits(), elfs_clock_ms());
}

static void cut_stream(struct elfs_detector *d) {
    elfs_http_abort(d->http, ELFS_HTTP_STREAM);
    elfs_machine_stream_lost(&d->machine, random_bits(), elfs_clock_ms());
}

static void probe(struct elfs_detector *d) {
    elfs_http_abort(d->http, ELFS_HTTP_PROBE);
    elfs_buf_reset(&d->info, 4096);
    if (elfs_http_start(d->http, ELFS_HTTP_PROBE, d->info_url, ELFS_PROBE_TIMEOUT_MS) != ELFS_OK)
        elfs_machine_info_failed(&d->machine, false, elfs_clock_ms());
}

/* What the other thread has seen. */
static void take_looks(struct elfs_detector *d) {
    elfs_look_take(d->look, &d->seen);
    if (d->seen.what & ELFS_LOOK_MOUNT)
        elfs_machine_reading(&d->machine, &d->seen.reading, elfs_clock_ms());
    if (d->seen.what & ELFS_LOOK_NO_ROW) elfs_machine_row_failed(&d->machine, elfs_clock_ms());
    if (d->seen.what & ELFS_LOOK_ROW) elfs_machine_row(&d->machine, d->seen.node, elfs_clock_ms());
}

static void work(struct elfs_detector *d) {
    unsigned due = elfs_machine_take(&d->machine, elfs_clock_ms());
    if (due & ELFS_DUE(ELFS_WORK_READ)) elfs_look_ask(d->look, ELFS_LOOK_MOUNT);
    if (due & ELFS_DUE(ELFS_WORK_ROW)) elfs_look_ask(d->look, ELFS_LOOK_ROW);
    if (due & ELFS_DUE(ELFS_WORK_CUT)) cut_stream(d);
    if (due & ELFS_DUE(ELFS_WORK_CONNECT)) connect_stream(d);
    if (due & ELFS_DUE(ELFS_WORK_PROBE)) probe(d);
}

/* Begins a refresh if one is wanted and none is under way. */
static void look_for_requests(struct elfs_detector *d) {
    if (d->refreshing != 0) return;
    pthread_mutex_lock(&d->lock);
    bool wanted = d->wanted != d->refreshed;
    if (wanted) d->refreshing = d->wanted;
    pthread_mutex_unlock(&d->lock);
    if (wanted) elfs_machine_refresh(&d->machine, elfs_clock_ms());
}

/* A refresh is finished and the next one begun only here, so that none is forgotten in a wait: what
 * asked for it has woken an earlier one. */
static void *run(void *arg) {
    struct elfs_detector *d = arg;
    while (!atomic_load(&d->stop)) {
        if (refresh_is_complete(d)) finish_refresh(d);
        look_for_requests(d);
        work(d);
        publish(d);
        int64_t wait = elfs_machine_next(&d->machine) - elfs_clock_ms();
        if (wait < 0 || refresh_is_complete(d)) wait = 0;
        elfs_http_wait(d->http, wait);
        publish(d); /* before a reading gives positions other places */
        take_looks(d);
        publish(d);
    }
    /* here and not where the rest is freed: what hangs hangs this thread, not who stops it */
    for (int i = 0; i < ELFS_HTTP_SLOTS; i++) elfs_http_abort(d->http, (enum elfs_http_slot)i);
    elfs_look_stop(d->look);
    d->look = NULL;
    pthread_mutex_lock(&d->lock);
    d->ended = true;
    pthread_cond_signal(&d->at_end);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ---- start and stop ---- */

/* Splits primary_file into the mount's folder and a name. */
static enum elfs_code set_place(struct elfs_detector *d, const struct elfs_detector_config *config,
                                struct elfs_error *err) {
    const char *slash = strrchr(config->primary_file, '/');
    const char *name = slash ? slash + 1 : config->primary_file;
    size_t dir_len = slash ? (size_t)(slash - config->primary_file) : 0;
    if (*name == '\0') return elfs_fail(err, ELFS_BADARG, "the primary file's path names no file");
    if (!slash)
        d->dir = elfs_strdup(".");
    else
        d->dir = dir_len == 0 ? elfs_strdup("/") : elfs_strndup(config->primary_file, dir_len);
    d->primary_file = elfs_strdup(name);
    if (!d->dir || !d->primary_file) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    return ELFS_OK;
}

static enum elfs_code set_urls(struct elfs_detector *d, const struct elfs_detector_config *config,
                               struct elfs_error *err) {
    if (!config->event_stream_url) return ELFS_OK;
    d->events_url = elfs_strdup(config->event_stream_url);
    if (!d->events_url) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    return elfs_http_info_url(config->event_stream_url, &d->info_url, err);
}

static void set_machine(struct elfs_detector *d, const struct elfs_detector_config *config) {
    struct elfs_machine_config machine = {.poll_ms = config->poll_interval_ms,
                                          .stream = config->event_stream_url != NULL,
                                          .row = config->database != NULL};
    if (config->database) {
        const char *slash = strrchr(config->database, '/');
        const char *name = slash ? slash + 1 : config->database;
        /* a name that does not fit is none that LiteFS could announce */
        elfs_name_copy(machine.database, sizeof machine.database, elfs_view_str(name));
    }
    elfs_machine_init(&d->machine, &machine, elfs_clock_ms());
    d->published = d->machine.state;
    d->wanted = d->refreshing = 1;
}

static void wake(void *arg) {
    struct elfs_detector *d = arg;
    elfs_http_wake(d->http);
}

/* Both threads; signals are the main thread's. */
static enum elfs_code start_threads(struct elfs_detector *d,
                                    const struct elfs_detector_config *config,
                                    struct elfs_error *err) {
    struct elfs_look_config look = {
        .place = {d->dir, d->primary_file, config->is_fuse ? config->is_fuse : elfs_mount_is_fuse},
        .read_row = config->read_row,
        .row_arg = config->row_arg,
        .wake = wake,
        .arg = d};
    enum elfs_code code = elfs_look_start(&look, &d->look);
    if (code == ELFS_NOMEM) return elfs_fail(err, code, "out of memory");
    if (code != ELFS_OK) return elfs_fail(err, code, "no thread for detection");
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* it is sent to the thread that causes it */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&d->thread, NULL, run, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? ELFS_OK : elfs_fail(err, ELFS_SYSTEM, "no thread for detection");
}

/* Waits for at_end are told by a clock that nobody sets: whoever stops a detector must not wait an hour
 * since the system's time was put back. */
static bool init_locks(struct elfs_detector *d) {
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0) return false;
    bool ok = true;
#ifndef __APPLE__ /* has no such attribute; its waits take a time from now */
    ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0;
#endif
    ok = ok && pthread_cond_init(&d->at_end, &attr) == 0;
    pthread_condattr_destroy(&attr);
    if (ok) pthread_mutex_init(&d->lock, NULL);
    return ok;
}

static void free_detector(struct elfs_detector *d) {
    if (d->look) elfs_look_stop(d->look);
    if (d->http) elfs_http_free(d->http);
    elfs_lines_fini(&d->lines);
    elfs_buf_fini(&d->info);
    pthread_cond_destroy(&d->at_end);
    pthread_mutex_destroy(&d->lock);
    elfs_free(d->dir);
    elfs_free(d->primary_file);
    elfs_free(d->events_url);
    elfs_free(d->info_url);
    elfs_free(d);
}

enum elfs_code elfs_detector_start(const struct elfs_detector_config *config,
                                   struct elfs_detector **out, struct elfs_error *err) {
    *out = NULL;
    struct elfs_detector *d = elfs_calloc(1, sizeof *d);
    if (!d) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    struct elfs_http_callbacks callbacks = {d, on_body, on_done};
    if (!init_locks(d)) {
        elfs_free(d);
        return elfs_fail(err, ELFS_NOMEM, "no lock can be had");
    }
    atomic_init(&d->stop, false);
    elfs_lines_init(&d->lines, ELFS_LINE_MAX);
    elfs_buf_init(&d->info, ELFS_INFO_MAX);
    d->events = config->events;
    enum elfs_code code = set_place(d, config, err);
    if (code == ELFS_OK) code = set_urls(d, config, err);
    if (code == ELFS_OK && elfs_http_new(&callbacks, &d->http) != ELFS_OK)
        code = elfs_fail(err, ELFS_NOMEM, "no memory or descriptors for HTTP");
    if (code == ELFS_OK) {
        set_machine(d, config);
        code = start_threads(d, config, err);
    }
    if (code == ELFS_OK)
        *out = d;
    else
        free_detector(d);
    return code;
}

void elfs_detector_state(struct elfs_detector *d, struct elfs_detect_state *state) {
    pthread_mutex_lock(&d->lock);
    *state = d->published;
    pthread_mutex_unlock(&d->lock);
}

uint64_t elfs_detector_refresh(struct elfs_detector *d) {
    pthread_mutex_lock(&d->lock);
    uint64_t ticket = ++d->wanted;
    pthread_mutex_unlock(&d->lock);
    elfs_http_wake(d->http);
    return ticket;
}

static void ask_to_end(struct elfs_detector *d) {
    atomic_store(&d->stop, true);
    elfs_http_wake(d->http);
}

/* Under the lock; false if it has not ended by the deadline. */
static bool await_end(struct elfs_detector *d, int64_t deadline_ms) {
    while (!d->ended) {
        int64_t left = deadline_ms - elfs_clock_ms();
        if (left <= 0) return false;
#ifdef __APPLE__
        struct timespec wait = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
        pthread_cond_timedwait_relative_np(&d->at_end, &d->lock, &wait);
#else
        struct timespec at = {(time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000};
        pthread_cond_timedwait(&d->at_end, &d->lock, &at);
#endif
    }
    return true;
}

bool elfs_detector_try_stop(struct elfs_detector *d, int64_t timeout_ms) {
    int64_t deadline_ms = elfs_clock_ms() + timeout_ms;
    ask_to_end(d);
    pthread_mutex_lock(&d->lock);
    bool ended = await_end(d, deadline_ms);
    pthread_mutex_unlock(&d->lock);
    if (ended) elfs_detector_stop(d);
    return ended;
}

void elfs_detector_stop(struct elfs_detector *d) {
    ask_to_end(d);
    pthread_join(d->thread, NULL);
    free_detector(d);
}
