/* What the client library sends: read back with the node's own reader, so that the two agree. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "client/request.h"
#include "codec/call.h"
#include "codec/frame.h"
#include "codec/op.h"
#include "fail_alloc.h"

static const uint8_t pid_bytes[] = {88, 119, 3, 'a', '@', 'b', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5};
static const struct elfs_view pid = {pid_bytes, sizeof pid_bytes};

static const uint8_t raw[] = {0, 0xFF};

static const struct elfs_client_value params[] = {
    {.type = ELFS_CLIENT_NULL},
    {.type = ELFS_CLIENT_INTEGER, .as.integer = INT64_MIN},
    {.type = ELFS_CLIENT_REAL, .as.real = -0.5},
    {.type = ELFS_CLIENT_TEXT, .as.bytes = {"x", 1}},
    {.type = ELFS_CLIENT_BLOB, .as.bytes = {raw, 2}},
    {.type = ELFS_CLIENT_TEXT, .as.bytes = {NULL, 0}},
};
#define PARAMS (sizeof params / sizeof *params)

/* A request as the node understands it. */
struct understood {
    struct elfs_buf frame;
    struct elfs_arena arena;
    struct elfs_call call;
    struct elfs_op op;
};

static void understand(const struct elfs_client_request *request, int64_t left_ms,
                       struct understood *u) {
    struct elfs_error err;
    struct elfs_view frame;
    struct elfs_dist_msg msg;
    size_t used;
    elfs_buf_init(&u->frame, 1 << 20);
    elfs_arena_init(&u->arena);
    assert_int_equal(elfs_client_request_check(request, &err), ELFS_OK);
    assert_int_equal(elfs_client_request_put(&u->frame, request, pid, left_ms), ELFS_OK);
    struct elfs_view bytes = {u->frame.data, u->frame.len};
    assert_int_equal(elfs_frame_next(bytes, 1 << 20, &frame, &used, NULL), ELFS_OK);
    assert_int_equal(used, bytes.len);
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_REG_SEND);
    assert_true(elfs_view_is(msg.name, "rex"));
    assert_int_equal(elfs_call_of_rex(&msg, &u->call), ELFS_OK);
    assert_true(elfs_view_equal(u->call.caller, pid));
    assert_true(elfs_view_is(u->call.module, "ecto_litefs"));
    assert_int_equal(elfs_op_parse(u->call.function, u->call.args, &u->arena, &u->op, &err),
                     ELFS_OK);
    assert_true(elfs_view_is(u->op.repo, "My.Repo"));
}

static void fini(struct understood *u) {
    elfs_arena_fini(&u->arena);
    elfs_buf_fini(&u->frame);
}

static void assert_params(const struct elfs_params *read) {
    assert_int_equal(read->count, PARAMS);
    assert_false(read->named);
    assert_int_equal(read->items[0].value.type, ELFS_NULL);
    assert_true(read->items[1].value.integer == INT64_MIN);
    assert_true(read->items[2].value.real == -0.5);
    assert_int_equal(read->items[3].value.type, ELFS_TEXT);
    assert_true(elfs_view_is(read->items[3].value.bytes, "x"));
    assert_int_equal(read->items[4].value.type, ELFS_BLOB);
    assert_true(elfs_view_equal(read->items[4].value.bytes, (struct elfs_view){raw, 2}));
    assert_int_equal(read->items[5].value.type, ELFS_TEXT);
    assert_int_equal(read->items[5].value.bytes.len, 0);
}

static void a_query(void **state) {
    (void)state;
    const struct elfs_client_statement statement = {"SELECT ?", params, PARAMS};
    const struct elfs_client_request request = {.function = ELFS_CLIENT_QUERY,
                                                .repo = "Elixir.My.Repo",
                                                .statements = &statement,
                                                .count = 1,
                                                .key = elfs_view_str("a key")};
    struct understood u;
    understand(&request, 8000, &u);
    assert_int_equal(u.op.kind, ELFS_OP_QUERY);
    assert_true(elfs_view_is(u.op.statements[0].sql, "SELECT ?"));
    assert_params(&u.op.statements[0].params);
    assert_true(elfs_view_is(u.op.options.key, "a key"));
    assert_int_equal(u.op.options.timeout_ms, 7000);
    fini(&u);
}

static void without_a_key_and_time(void **state) {
    (void)state;
    const struct elfs_client_statement statement = {"", NULL, 0};
    const struct elfs_client_request request = {
        .function = ELFS_CLIENT_QUERY, .repo = "My.Repo", .statements = &statement, .count = 1};
    const int64_t times[] = {7, 0, -5};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct understood u;
        understand(&request, times[i], &u);
        assert_int_equal(u.op.options.key.len, 0);
        assert_int_equal(u.op.options.timeout_ms, 1);
        assert_int_equal(u.op.statements[0].params.count, 0);
        fini(&u);
    }
}

static void parameter_sets(void **state) {
    (void)state;
    struct elfs_client_value sets[2 * PARAMS];
    for (size_t i = 0; i < 2 * PARAMS; i++) sets[i] = params[i % PARAMS];
    const struct elfs_client_statement statement = {"INSERT", sets, PARAMS};
    struct elfs_client_request request = {.function = ELFS_CLIENT_QUERY_MANY,
                                          .repo = "My.Repo",
                                          .statements = &statement,
                                          .count = 1,
                                          .set_count = 2};
    struct understood u;
    understand(&request, 800, &u);
    assert_int_equal(u.op.kind, ELFS_OP_QUERY_MANY);
    assert_int_equal(u.op.set_count, 2);
    assert_params(&u.op.sets[0]);
    assert_params(&u.op.sets[1]);
    fini(&u);
    request.set_count = 0;
    understand(&request, 800, &u);
    assert_int_equal(u.op.set_count, 0);
    fini(&u);
}

static void several_statements(void **state) {
    (void)state;
    const struct elfs_client_statement statements[] = {{"A", NULL, 0}, {"B", params, PARAMS}};
    const struct elfs_client_request request = {.function = ELFS_CLIENT_TRANSACTION,
                                                .repo = "My.Repo",
                                                .statements = statements,
                                                .count = 2,
                                                .ack_replicas = 2,
                                                .ack_timeout_ms = 100};
    struct understood u;
    understand(&request, 8000, &u);
    assert_int_equal(u.op.kind, ELFS_OP_TRANSACTION);
    assert_int_equal(u.op.count, 2);
    assert_true(elfs_view_is(u.op.statements[0].sql, "A"));
    assert_params(&u.op.statements[1].params);
    fini(&u);
}

/* The statements' time and the replicas' are less than what is left, together. */
static void time_for_replicas(void **state) {
    (void)state;
    const struct elfs_client_statement statement = {"A", NULL, 0};
    struct elfs_client_request request = {.function = ELFS_CLIENT_QUERY,
                                          .repo = "My.Repo",
                                          .statements = &statement,
                                          .count = 1,
                                          .ack_replicas = 3};
    struct understood u;
    understand(&request, 8000, &u);
    assert_int_equal(u.op.options.ack_replicas, 3);
    assert_int_equal(u.op.options.ack_timeout_ms, 3000);
    assert_int_equal(u.op.options.timeout_ms, 4000);
    fini(&u);
    request.ack_timeout_ms = 100;
    understand(&request, 8000, &u);
    assert_int_equal(u.op.options.ack_timeout_ms, 100);
    fini(&u);
    request.ack_timeout_ms = 100000;
    understand(&request, 8000, &u);
    assert_int_equal(u.op.options.ack_timeout_ms, 3000);
    fini(&u);
}

static void calls_without_statements(void **state) {
    (void)state;
    struct elfs_client_request request = {
        .function = ELFS_CLIENT_RESOLVE, .repo = "My.Repo", .key = elfs_view_str("k")};
    struct understood u;
    understand(&request, 800, &u);
    assert_int_equal(u.op.kind, ELFS_OP_RESOLVE);
    assert_true(elfs_view_is(u.op.options.key, "k"));
    fini(&u);
    request.key = ELFS_VIEW_NONE;
    request.function = ELFS_CLIENT_POSITION;
    understand(&request, 800, &u);
    assert_int_equal(u.op.kind, ELFS_OP_POSITION);
    fini(&u);
    request.function = ELFS_CLIENT_GET_PRIMARY;
    understand(&request, 800, &u);
    assert_int_equal(u.op.kind, ELFS_OP_GET_PRIMARY);
    fini(&u);
}

static void wrong_use(void **state) {
    (void)state;
    const struct elfs_client_value bad[] = {
        {.type = ELFS_CLIENT_REAL, .as.real = INFINITY},
        {.type = ELFS_CLIENT_REAL, .as.real = NAN},
        {.type = ELFS_CLIENT_TEXT, .as.bytes = {NULL, 1}},
        {.type = ELFS_CLIENT_BLOB, .as.bytes = {NULL, 1}},
        {.type = (enum elfs_client_type)99},
    };
    struct elfs_error err;
    struct elfs_client_statement statement = {"A", params, PARAMS};
    struct elfs_client_request request = {
        .function = ELFS_CLIENT_QUERY, .repo = "R", .statements = &statement, .count = 1};
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        statement.params = &bad[i];
        statement.param_count = 1;
        assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
        assert_non_null(strstr(err.message, "parameter 1"));
    }
    statement.params = NULL;
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    statement = (struct elfs_client_statement){NULL, NULL, 0};
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    statement = (struct elfs_client_statement){"A", params, 4};
    request.function = ELFS_CLIENT_QUERY_MANY;
    request.set_count = SIZE_MAX / 2;
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    request.set_count = 1;
    request.repo = NULL;
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    request.repo = "";
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    request.repo = "R";
    char long_key[ELFS_CLIENT_KEY_MAX + 1] = {0};
    request.key = (struct elfs_view){(uint8_t *)long_key, sizeof long_key};
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    request.key.len--;
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_OK);
    request = (struct elfs_client_request){.function = ELFS_CLIENT_RESOLVE, .repo = "R"};
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
    request.key.len = 3;
    assert_int_equal(elfs_client_request_check(&request, &err), ELFS_BADARG);
}

/* Too large, or no memory: nothing is left in the buffer. */
static void it_fits_or_is_not_there(void **state) {
    (void)state;
    const struct elfs_client_statement statement = {"SELECT ?", params, PARAMS};
    const struct elfs_client_request request = {
        .function = ELFS_CLIENT_QUERY, .repo = "My.Repo", .statements = &statement, .count = 1};
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 20);
    assert_int_equal(elfs_client_request_put(&buf, &request, pid, 8), ELFS_OK);
    size_t size = buf.len;
    elfs_buf_fini(&buf);
    for (size_t max = 0; max < size; max++) {
        elfs_buf_init(&buf, max);
        assert_int_equal(elfs_client_request_put(&buf, &request, pid, 8), ELFS_LIMIT);
        assert_int_equal(buf.len, 0);
        elfs_buf_fini(&buf);
    }
}

static bool put_once(void *arg) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 20);
    enum elfs_code code = elfs_client_request_put(&buf, arg, pid, 8);
    assert_true(code == ELFS_OK || code == ELFS_NOMEM);
    elfs_buf_fini(&buf);
    return code == ELFS_OK;
}

static void no_memory(void **state) {
    (void)state;
    struct elfs_client_value many[300];
    for (size_t i = 0; i < 300; i++) many[i] = params[i % PARAMS];
    const struct elfs_client_statement statement = {"SELECT ?", many, 300};
    struct elfs_client_request request = {
        .function = ELFS_CLIENT_QUERY, .repo = "My.Repo", .statements = &statement, .count = 1};
    fail_alloc_each(put_once, &request);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query),           cmocka_unit_test(without_a_key_and_time),
        cmocka_unit_test(parameter_sets),    cmocka_unit_test(several_statements),
        cmocka_unit_test(time_for_replicas), cmocka_unit_test(calls_without_statements),
        cmocka_unit_test(wrong_use),         cmocka_unit_test(it_fits_or_is_not_there),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
