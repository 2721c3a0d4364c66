/* http - see http.h. */
#include "detect/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

#define KEEPALIVE_IDLE_S 10L
#define KEEPALIVE_INTERVAL_S 5L

struct slot {
    struct elfs_http *http;
    enum elfs_http_slot which;
    CURL *easy;
    bool active;
    size_t header_bytes;
};

struct elfs_http {
    struct elfs_http_callbacks callbacks;
    CURLM *multi;
    bool called; /* a callback, since the last look */
    struct slot slots[ELFS_HTTP_SLOTS];
};

/* curl_global_init counts its calls, but is not thread-safe in every version. */
static pthread_mutex_t global_lock = PTHREAD_MUTEX_INITIALIZER;

static bool global_init(void) {
    pthread_mutex_lock(&global_lock);
    CURLcode code = curl_global_init(CURL_GLOBAL_NOTHING);
    pthread_mutex_unlock(&global_lock);
    return code == CURLE_OK;
}

static void global_cleanup(void) {
    pthread_mutex_lock(&global_lock);
    curl_global_cleanup();
    pthread_mutex_unlock(&global_lock);
}

static long status_of(const struct slot *slot) {
    long status = 0;
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg) {
    (void)data;
    struct slot *slot = arg;
    size_t n = size * count;
    if (n > ELFS_HTTP_HEADERS_MAX - slot->header_bytes) return 0;
    slot->header_bytes += n;
    return n;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
    struct slot *slot = arg;
    const struct elfs_http_callbacks *callbacks = &slot->http->callbacks;
    size_t n = size * count;
    if (status_of(slot) != 200) return 0;
    struct elfs_view piece = {(const uint8_t *)data, n};
    slot->http->called = true;
    return callbacks->body(callbacks->arg, slot->which, piece) ? n : 0;
}

static bool set_protocol(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP) == CURLE_OK;
#endif
}

static bool slot_init(struct slot *slot) {
    CURL *easy = slot->easy = curl_easy_init();
    return easy && set_protocol(easy) && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ELFS_HTTP_CONNECT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, slot) == CURLE_OK;
}

enum elfs_code elfs_http_new(const struct elfs_http_callbacks *callbacks, struct elfs_http **out) {
    *out = NULL;
    if (!global_init()) return ELFS_NOMEM;
    struct elfs_http *http = elfs_calloc(1, sizeof *http);
    if (!http) {
        global_cleanup();
        return ELFS_NOMEM;
    }
    http->callbacks = *callbacks;
    http->multi = curl_multi_init();
    bool ok = http->multi != NULL;
    for (int i = 0; i < ELFS_HTTP_SLOTS; i++) {
        http->slots[i].http = http;
        http->slots[i].which = (enum elfs_http_slot)i;
        ok = ok && slot_init(&http->slots[i]);
    }
    if (!ok) {
        elfs_http_free(http);
        return ELFS_NOMEM;
    }
    *out = http;
    return ELFS_OK;
}

void elfs_http_free(struct elfs_http *http) {
    for (int i = 0; i < ELFS_HTTP_SLOTS; i++) {
        elfs_http_abort(http, (enum elfs_http_slot)i);
        curl_easy_cleanup(http->slots[i].easy);
    }
    if (http->multi) curl_multi_cleanup(http->multi);
    elfs_free(http);
    global_cleanup();
}

enum elfs_code elfs_http_start(struct elfs_http *http, enum elfs_http_slot which, const char *url,
                               int64_t timeout_ms) {
    struct slot *slot = &http->slots[which];
    slot->header_bytes = 0;
    if (curl_easy_setopt(slot->easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) != CURLE_OK ||
        curl_multi_add_handle(http->multi, slot->easy) != CURLM_OK)
        return ELFS_NOMEM;
    slot->active = true;
    return ELFS_OK;
}

void elfs_http_abort(struct elfs_http *http, enum elfs_http_slot which) {
    struct slot *slot = &http->slots[which];
    if (!slot->active) return;
    curl_multi_remove_handle(http->multi, slot->easy);
    slot->active = false;
}

static void finish(struct elfs_http *http, CURL *easy, CURLcode result) {
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    struct slot *slot = (struct slot *)(void *)private;
    long status = status_of(slot);
    elfs_http_abort(http, slot->which);
    http->called = true;
    http->callbacks.done(http->callbacks.arg, slot->which, status != 0,
                         status == 200 && result == CURLE_OK);
}

/* Moves the requests on; true if a callback was called. */
static bool move(struct elfs_http *http) {
    int running, left;
    http->called = false;
    curl_multi_perform(http->multi, &running);
    for (CURLMsg *msg; (msg = curl_multi_info_read(http->multi, &left));) {
        if (msg->msg == CURLMSG_DONE) finish(http, msg->easy_handle, msg->data.result);
    }
    return http->called;
}

void elfs_http_wait(struct elfs_http *http, int64_t timeout_ms) {
    /* First without waiting: a new request has no socket yet, and may even be over at once. */
    if (move(http)) return;
    curl_multi_poll(http->multi, NULL, 0, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms, NULL);
    move(http);
}

void elfs_http_wake(struct elfs_http *http) { curl_multi_wakeup(http->multi); }

/* Copies a part of the URL into *text (freed by the caller with curl_free); false if there is none.
 */
static bool get_part(CURLU *url, CURLUPart part, char **text) {
    *text = NULL;
    return curl_url_get(url, part, text, 0) == CURLUE_OK;
}

static bool is_http(CURLU *url) {
    char *scheme, *host;
    bool ok = get_part(url, CURLUPART_SCHEME, &scheme) && strcmp(scheme, "http") == 0;
    ok = get_part(url, CURLUPART_HOST, &host) && host[0] != '\0' && ok;
    curl_free(scheme);
    curl_free(host);
    return ok;
}

/* Replaces the path's last segment by "info"; no query. */
static bool point_to_info(CURLU *url) {
    char *path;
    if (!get_part(url, CURLUPART_PATH, &path)) return false;
    size_t base = (size_t)(strrchr(path, '/') - path) + 1;
    char *info = elfs_malloc(base + sizeof "info");
    bool ok = info != NULL;
    if (ok) {
        memcpy(info, path, base);
        memcpy(info + base, "info", sizeof "info");
        ok = curl_url_set(url, CURLUPART_PATH, info, 0) == CURLUE_OK &&
             curl_url_set(url, CURLUPART_QUERY, NULL, 0) == CURLUE_OK &&
             curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK;
    }
    elfs_free(info);
    curl_free(path);
    return ok;
}

enum elfs_code elfs_http_info_url(const char *url, char **info_url, struct elfs_error *err) {
    enum elfs_code code = ELFS_NOMEM;
    char *whole = NULL;
    *info_url = NULL;
    CURLU *parts = curl_url();
    if (!parts) goto out;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK || !is_http(parts)) {
        code = elfs_fail(err, ELFS_BADARG,
                         "the event stream's URL must be http://HOST[:PORT]/events, "
                         "and is %s",
                         url);
        goto out;
    }
    if (!point_to_info(parts) || !get_part(parts, CURLUPART_URL, &whole)) goto out;
    *info_url = elfs_strdup(whole);
    if (*info_url) code = ELFS_OK;
out:
    curl_free(whole);
    curl_url_cleanup(parts);
    return code == ELFS_NOMEM ? elfs_fail(err, code, "out of memory") : code;
}
