/* The port's messages: requests from real terms, every truncation; what is written is a whole term;
 * failing allocations. That a VM reads it as documented is the port suite's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/port_proto.h"
#include "codec/term.h"
#include "fail_alloc.h"
#include "vectors.h"

static struct elfs_port_request request;
static struct elfs_error err;

static enum elfs_code parse(const char *vector) {
    char path[64];
    static struct elfs_view bytes;
    if (bytes.data) exact_free(bytes); /* the tag is a view into it */
    snprintf(path, sizeof path, "port/%s.etf", vector);
    bytes = vector_load(path);
    elfs_error_clear(&err);
    return elfs_port_parse(bytes, &request, &err);
}

static void requests(void **state) {
    (void)state;
    assert_int_equal(parse("state"), ELFS_OK);
    assert_int_equal(request.kind, ELFS_PORT_STATE);
    assert_int_equal(request.tag.len, 2);
    assert_int_equal(parse("refresh"), ELFS_OK);
    assert_int_equal(request.kind, ELFS_PORT_REFRESH);
    assert_int_equal(parse("configure"), ELFS_OK);
    assert_int_equal(request.kind, ELFS_PORT_CONFIGURE);
    assert_string_equal(request.config.primary_file, "/litefs/.primary");
    assert_int_equal(request.config.poll_interval_ms, 30000);
    assert_string_equal(request.config.event_stream_url, "http://localhost:20202/events");
    assert_string_equal(request.config.database, "/litefs/app.db");
    assert_string_equal(request.config.table_name, "_ecto_litefs_primary");
    elfs_port_config_fini(&request.config);
    assert_int_equal(parse("configure_off"), ELFS_OK);
    assert_int_equal(request.config.poll_interval_ms, 0);
    assert_null(request.config.event_stream_url);
    assert_null(request.config.database);
    elfs_port_config_fini(&request.config);
}

static void wrong_ones_say_what_is_wrong(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"bad_request", "not a request"},
                                           {"bad_no_map", "must be a map"},
                                           {"bad_missing", "database is missing"},
                                           {"bad_more", "unknown option more"},
                                           {"bad_nul", "table_name"},
                                           {"bad_interval", "poll_interval"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i][0]), ELFS_BADARG);
        if (!strstr(err.message, cases[i][1])) fail_msg("%s: %s", cases[i][0], err.message);
        assert_true(request.tag.len > 0);
        assert_null(request.config.primary_file);
    }
}

static void refuse(struct elfs_view prefix) {
    assert_int_equal(elfs_port_parse(prefix, &request, &err), ELFS_BADARG);
    assert_int_equal(request.tag.len, 0);
}

static void every_truncation(void **state) {
    (void)state;
    static const char *const vectors[] = {"port/state.etf", "port/configure.etf"};
    for (size_t i = 0; i < 2; i++) {
        struct elfs_view bytes = vector_load(vectors[i]);
        prefixes_each(bytes, refuse);
        exact_free(bytes);
    }
}

static void fill(struct elfs_detect_state *s) {
    memset(s, 0, sizeof *s);
    s->role = ELFS_ROLE_REPLICA;
    strcpy(s->hostname, "n1");
    strcpy(s->node, "app@n1");
    strcpy(s->row_node, "app@n1");
    s->mount = ELFS_MOUNT_LIVE;
    s->lag_known = true;
    s->lag_ms = -3;
    s->stream = (struct elfs_source){true, ELFS_ROLE_REPLICA, 5};
    s->file.at_ms = s->row_at_ms = -1;
    for (int i = 0; i < ELFS_POSITIONS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.db", i);
        elfs_positions_add(&s->positions, name)->checksum = UINT64_MAX;
    }
}

static void check_whole(const struct elfs_buf *buf) {
    assert_int_equal(buf->status, ELFS_OK);
    struct elfs_view copy = exact_copy((struct elfs_view){buf->data, buf->len});
    struct elfs_reader r = elfs_reader_of(copy);
    assert_int_equal(elfs_term_version(&r), ELFS_OK);
    assert_int_equal(elfs_term_skip(&r, NULL), ELFS_OK);
    assert_int_equal(elfs_reader_left(&r), 0);
    exact_free(copy);
}

static void what_is_written_is_a_whole_term(void **state) {
    (void)state;
    struct elfs_buf buf;
    struct elfs_detect_state s;
    static const uint8_t tag[] = {97, 7};
    struct elfs_view tags[] = {ELFS_VIEW_NONE, {tag, sizeof tag}};
    fill(&s);
    for (size_t i = 0; i < 2; i++) {
        elfs_buf_init(&buf, 1 << 20);
        elfs_port_put_configured(&buf, tags[i]);
        check_whole(&buf);
        elfs_buf_reset(&buf, SIZE_MAX);
        elfs_port_put_error(&buf, tags[i], "text");
        check_whole(&buf);
        elfs_buf_reset(&buf, SIZE_MAX);
        elfs_port_put_answer(&buf, "state", tags[i], &s, 9);
        check_whole(&buf);
        elfs_buf_reset(&buf, SIZE_MAX);
        elfs_port_put_change(&buf, &s, 9);
        check_whole(&buf);
        elfs_buf_reset(&buf, SIZE_MAX);
        elfs_port_put_position(&buf, &s.positions.items[0]);
        check_whole(&buf);
        elfs_buf_reset(&buf, SIZE_MAX);
        elfs_port_put_state(&buf, &s, 9);
        check_whole(&buf);
        elfs_buf_fini(&buf);
    }
}

static bool configure(void *arg) {
    struct elfs_view *bytes = arg;
    bool ok = elfs_port_parse(*bytes, &request, &err) == ELFS_OK;
    elfs_port_config_fini(&request.config);
    return ok;
}

static void without_memory(void **state) {
    (void)state;
    struct elfs_view bytes = vector_load("port/configure.etf");
    fail_alloc_each(configure, &bytes);
    exact_free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),         cmocka_unit_test(wrong_ones_say_what_is_wrong),
        cmocka_unit_test(every_truncation), cmocka_unit_test(what_is_written_is_a_whole_term),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
