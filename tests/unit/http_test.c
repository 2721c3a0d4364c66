/* The URL of /info; the requests themselves are tested through the detector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "detect/http.h"
#include "fail_alloc.h"

static void info_is_beside_events(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"http://localhost:20202/events", "http://localhost:20202/info"},
        {"http://localhost:20202/events?x=1#y", "http://localhost:20202/info"},
        {"http://localhost:20202/behind/a/proxy/events",
         "http://localhost:20202/behind/a/proxy/info"},
        {"http://127.0.0.1", "http://127.0.0.1/info"},
        {"http://[::1]:20202/events", "http://[::1]:20202/info"},
        {"HTTP://h/events/", "http://h/events/info"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *url;
        assert_int_equal(elfs_http_info_url(cases[i][0], &url, NULL), ELFS_OK);
        assert_string_equal(url, cases[i][1]);
        elfs_free(url);
    }
}

static void other_urls_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "localhost:20202/events",
                                      "https://localhost/events",
                                      "file:///etc/passwd",
                                      "ftp://h/events",
                                      "http://",
                                      "http://h:99999/events",
                                      "http://a b/events",
                                      "/events"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct elfs_error err;
        char *url;
        elfs_error_clear(&err);
        if (elfs_http_info_url(bad[i], &url, &err) != ELFS_BADARG) fail_msg("taken: %s", bad[i]);
        assert_null(url);
        assert_non_null(strstr(err.message, "http://"));
        assert_non_null(strstr(err.message, bad[i]));
    }
}

static bool make_url(void *arg) {
    (void)arg;
    char *url;
    bool ok = elfs_http_info_url("http://h/events", &url, NULL) == ELFS_OK;
    elfs_free(url);
    return ok;
}

static bool refuse_body(void *arg, enum elfs_http_slot slot, struct elfs_view piece) {
    (void)arg, (void)slot, (void)piece;
    return false;
}

static void ignore_end(void *arg, enum elfs_http_slot slot, bool answered, bool complete) {
    (void)arg, (void)slot, (void)answered, (void)complete;
}

static bool make_http(void *arg) {
    (void)arg;
    struct elfs_http_callbacks callbacks = {NULL, refuse_body, ignore_end};
    struct elfs_http *http;
    if (elfs_http_new(&callbacks, &http) != ELFS_OK) return false;
    elfs_http_free(http);
    return true;
}

static void without_memory(void **state) {
    (void)state;
    fail_alloc_each(make_url, NULL);
    fail_alloc_each(make_http, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_is_beside_events),
        cmocka_unit_test(other_urls_are_refused),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
