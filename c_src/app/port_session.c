/* port_session - see port_session.h. */
#include "app/port_session.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "detect/detector.h"

/* An answer holds a tag, which may be as large as a request, and a state. */
#define ANSWER_MAX (2 * ELFS_PORT_MESSAGE_MAX)
#define ANSWER_KEEP 65536

struct refresh {
    struct elfs_list link;
    uint64_t ticket;
    size_t tag_len;
    uint8_t tag[];
};

struct elfs_port_session {
    struct elfs_port_hooks hooks;
    pthread_mutex_t lock;           /* for what follows */
    struct elfs_detector *detector; /* NULL before configure */
    struct elfs_port_config config;
    struct elfs_list refreshes; /* in the order of their tickets */
    size_t pending;
    struct elfs_buf message;        /* the one being made */
    struct elfs_detect_state state; /* scratch */
    bool changed;                   /* the news */
    struct elfs_positions moved;
    uint64_t refreshed;
};

/* ---- the detector's thread ---- */

static void on_change(void *arg, const struct elfs_detect_state *state) {
    struct elfs_port_session *s = arg;
    (void)state; /* the newest is fetched when it can be told */
    pthread_mutex_lock(&s->lock);
    s->changed = true;
    pthread_mutex_unlock(&s->lock);
    s->hooks.news(s->hooks.arg);
}

static void on_position(void *arg, const struct elfs_db_position *position) {
    struct elfs_port_session *s = arg;
    pthread_mutex_lock(&s->lock);
    struct elfs_db_position *item = elfs_positions_add(&s->moved, position->database);
    if (item) *item = *position;
    pthread_mutex_unlock(&s->lock);
    s->hooks.news(s->hooks.arg);
}

static void on_refreshed(void *arg, uint64_t ticket, const struct elfs_detect_state *state) {
    struct elfs_port_session *s = arg;
    (void)state;
    pthread_mutex_lock(&s->lock);
    s->refreshed = ticket;
    pthread_mutex_unlock(&s->lock);
    s->hooks.news(s->hooks.arg);
}

/* The configuration does not change any more once there is a detector: no lock. */
static enum elfs_code read_row(void *arg, char node[ELFS_NODE_SIZE]) {
    struct elfs_port_session *s = arg;
    int64_t updated_at;
    return s->hooks.read_row(s->config.database, s->config.table_name, node, &updated_at, NULL);
}

/* ---- news ---- */

/* True if the message is out and another may follow. */
static bool emit(struct elfs_port_session *s) {
    struct elfs_view message = {s->message.data, s->message.len};
    return s->message.status == ELFS_OK && s->hooks.emit(s->hooks.arg, message);
}

static bool tell_change(struct elfs_port_session *s) {
    if (!s->changed) return true;
    elfs_buf_reset(&s->message, ANSWER_KEEP);
    elfs_port_put_change(&s->message, &s->state, elfs_clock_ms());
    bool more = emit(s);
    s->changed = s->message.status != ELFS_OK;
    return more;
}

static bool tell_positions(struct elfs_port_session *s) {
    bool more = true;
    while (more && s->moved.count > 0) {
        elfs_buf_reset(&s->message, ANSWER_KEEP);
        elfs_port_put_position(&s->message, &s->moved.items[s->moved.count - 1]);
        more = emit(s);
        if (s->message.status == ELFS_OK) s->moved.count--;
    }
    return more;
}

static bool tell_refreshes(struct elfs_port_session *s) {
    bool more = true;
    while (more && !elfs_list_empty(&s->refreshes)) {
        struct refresh *refresh = ELFS_CONTAINER_OF(s->refreshes.next, struct refresh, link);
        if (refresh->ticket > s->refreshed) break;
        struct elfs_view tag = {refresh->tag, refresh->tag_len};
        elfs_buf_reset(&s->message, ANSWER_KEEP);
        elfs_port_put_answer(&s->message, "refresh", tag, &s->state, elfs_clock_ms());
        more = emit(s);
        if (s->message.status != ELFS_OK) break;
        elfs_list_remove(&refresh->link);
        elfs_free(refresh);
        s->pending--;
    }
    return more;
}

enum elfs_code elfs_port_session_tell(struct elfs_port_session *s) {
    enum elfs_code code = ELFS_OK;
    pthread_mutex_lock(&s->lock);
    if (s->detector) {
        elfs_buf_reset(&s->message, ANSWER_KEEP);
        elfs_detector_state(s->detector, &s->state);
        if (tell_change(s) && tell_positions(s)) tell_refreshes(s);
        code = s->message.status;
    }
    pthread_mutex_unlock(&s->lock);
    return code;
}

/* ---- requests ---- */

static enum elfs_code start_detector(struct elfs_port_session *s, struct elfs_error *err) {
    struct elfs_detector_config config = {.primary_file = s->config.primary_file,
                                          .poll_interval_ms = s->config.poll_interval_ms,
                                          .event_stream_url = s->config.event_stream_url,
                                          .database = s->config.database,
                                          .read_row = read_row,
                                          .row_arg = s,
                                          .events = {s, on_change, on_position, on_refreshed}};
    if (config.database && !s->hooks.read_row)
        return elfs_fail(err, ELFS_BADARG,
                         "database must be nil here: a process that may have another copy of "
                         "SQLite must not open it");
    return elfs_detector_start(&config, &s->detector, err);
}

static enum elfs_code configure(struct elfs_port_session *s, struct elfs_port_request *request,
                                struct elfs_error *err) {
    if (s->detector) {
        elfs_port_config_fini(&request->config);
        return elfs_fail(err, ELFS_BADARG, "configured already");
    }
    s->config = request->config;
    enum elfs_code code = start_detector(s, err);
    if (code == ELFS_OK)
        elfs_port_put_configured(&s->message, request->tag);
    else
        elfs_port_config_fini(&s->config);
    return code;
}

static enum elfs_code begin_refresh(struct elfs_port_session *s, struct elfs_view tag,
                                    struct elfs_error *err) {
    struct refresh *refresh = elfs_malloc(sizeof *refresh + tag.len);
    if (!refresh) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    refresh->tag_len = tag.len;
    memcpy(refresh->tag, tag.data, tag.len);
    refresh->ticket = elfs_detector_refresh(s->detector);
    elfs_list_push_back(&s->refreshes, &refresh->link);
    s->pending++;
    return ELFS_OK;
}

static enum elfs_code serve(struct elfs_port_session *s, struct elfs_port_request *request,
                            struct elfs_error *err) {
    if (request->kind == ELFS_PORT_CONFIGURE) return configure(s, request, err);
    if (!s->detector) return elfs_fail(err, ELFS_BADARG, "not configured yet");
    if (request->kind == ELFS_PORT_REFRESH) return begin_refresh(s, request->tag, err);
    elfs_detector_state(s->detector, &s->state);
    elfs_port_put_answer(&s->message, "state", request->tag, &s->state, elfs_clock_ms());
    return ELFS_OK;
}

enum elfs_code elfs_port_session_request(struct elfs_port_session *s, struct elfs_view message) {
    struct elfs_port_request request;
    struct elfs_error err;
    elfs_error_clear(&err);
    enum elfs_code code = elfs_port_parse(message, &request, &err);
    pthread_mutex_lock(&s->lock);
    elfs_buf_reset(&s->message, ANSWER_KEEP);
    if (code == ELFS_OK) code = serve(s, &request, &err);
    if (code != ELFS_OK) elfs_port_put_error(&s->message, request.tag, err.message);
    if (s->message.status != ELFS_OK || s->message.len > 0) emit(s);
    code = s->message.status;
    pthread_mutex_unlock(&s->lock);
    return code;
}

/* ---- the rest ---- */

size_t elfs_port_session_pending(struct elfs_port_session *s) {
    pthread_mutex_lock(&s->lock);
    size_t pending = s->pending;
    pthread_mutex_unlock(&s->lock);
    return pending;
}

enum elfs_code elfs_port_session_state(struct elfs_port_session *s, struct elfs_buf *buf) {
    enum elfs_code code = ELFS_BADARG;
    pthread_mutex_lock(&s->lock);
    if (s->detector) {
        elfs_detector_state(s->detector, &s->state);
        elfs_port_put_state(buf, &s->state, elfs_clock_ms());
        code = buf->status;
    }
    pthread_mutex_unlock(&s->lock);
    return code;
}

enum elfs_code elfs_port_session_new(const struct elfs_port_hooks *hooks,
                                     struct elfs_port_session **session) {
    struct elfs_port_session *s = *session = elfs_calloc(1, sizeof *s);
    if (!s) return ELFS_NOMEM;
    s->hooks = *hooks;
    pthread_mutex_init(&s->lock, NULL);
    elfs_list_init(&s->refreshes);
    elfs_buf_init(&s->message, ANSWER_MAX);
    return ELFS_OK;
}

bool elfs_port_session_free(struct elfs_port_session *s, int64_t timeout_ms) {
    if (s->detector && !elfs_detector_try_stop(s->detector, timeout_ms)) return false;
    for (struct elfs_list *link; (link = elfs_list_pop_front(&s->refreshes));)
        elfs_free(ELFS_CONTAINER_OF(link, struct refresh, link));
    elfs_port_config_fini(&s->config);
    elfs_buf_fini(&s->message);
    pthread_mutex_destroy(&s->lock);
    elfs_free(s);
    return true;
}
