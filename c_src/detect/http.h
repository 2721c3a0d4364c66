/* http - two HTTP requests at a time, the event stream and a probe, over libcurl.
 *
 * http:// only, HTTP/1.1, no redirects, no proxies, TCP keepalive, 1 s to connect, headers of at
 * most ELFS_HTTP_HEADERS_MAX bytes. One thread owns it, which waits in elfs_http_wait; only
 * elfs_http_wake may be called from others. Callbacks come from elfs_http_wait and must not start
 * or end requests.
 */
#ifndef ELFS_DETECT_HTTP_H
#define ELFS_DETECT_HTTP_H

#include "base/error.h"
#include "base/view.h"

#define ELFS_HTTP_HEADERS_MAX 65536
#define ELFS_HTTP_CONNECT_MS 1000

enum elfs_http_slot { ELFS_HTTP_STREAM, ELFS_HTTP_PROBE, ELFS_HTTP_SLOTS };

struct elfs_http_callbacks {
    void *arg;
    /* A piece of the body of an answer with status 200. False ends the request. */
    bool (*body)(void *arg, enum elfs_http_slot slot, struct elfs_view piece);
    /* The request is over. answered: some status came. complete: 200, and the whole body. */
    void (*done)(void *arg, enum elfs_http_slot slot, bool answered, bool complete);
};

struct elfs_http;

/* ELFS_NOMEM if there is no memory or no descriptors for it. */
enum elfs_code elfs_http_new(const struct elfs_http_callbacks *callbacks, struct elfs_http **out);
void elfs_http_free(struct elfs_http *http);

/* Begins GET url in the slot, whose last request is over or aborted. timeout_ms is for the whole
 * request, 0 for none. ELFS_NOMEM: there will be no callback. */
enum elfs_code elfs_http_start(struct elfs_http *http, enum elfs_http_slot which, const char *url,
                               int64_t timeout_ms);

/* Ends the slot's request without a callback; nothing if there is none. */
void elfs_http_abort(struct elfs_http *http, enum elfs_http_slot which);

/* Waits at most timeout_ms for the requests to move on, and moves them; returns at once after
 * elfs_http_wake. */
void elfs_http_wait(struct elfs_http *http, int64_t timeout_ms);
void elfs_http_wake(struct elfs_http *http);

/* The /info beside an event stream's URL: its last path segment replaced. ELFS_BADARG with a
 * sentence if url is no http:// URL. *info_url is the caller's, for elfs_free. */
enum elfs_code elfs_http_info_url(const char *url, char **info_url, struct elfs_error *err);

#endif
