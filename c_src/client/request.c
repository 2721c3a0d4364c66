/* request - see request.h. */
#include "client/request.h"

#include <math.h>

#include "codec/dist.h"
#include "codec/frame.h"

static bool runs_statements(const struct elfs_client_request *request) {
    return request->function <= ELFS_CLIENT_TRANSACTION;
}

/* How many values a statement comes with. */
static size_t values_of(const struct elfs_client_request *request, size_t statement) {
    size_t count = request->statements[statement].param_count;
    return request->function == ELFS_CLIENT_QUERY_MANY ? count * request->set_count : count;
}

static bool is_sound(const struct elfs_client_value *value) {
    switch (value->type) {
    case ELFS_CLIENT_NULL:
    case ELFS_CLIENT_INTEGER: return true;
    case ELFS_CLIENT_REAL: return isfinite(value->as.real);
    case ELFS_CLIENT_TEXT:
    case ELFS_CLIENT_BLOB: return value->as.bytes.data || value->as.bytes.len == 0;
    }
    return false;
}

static enum elfs_code check_statement(const struct elfs_client_request *request, size_t i,
                                      struct elfs_error *err) {
    const struct elfs_client_statement *statement = &request->statements[i];
    if (!statement->sql) return elfs_fail(err, ELFS_BADARG, "statement %zu has no SQL", i + 1);
    if (request->function == ELFS_CLIENT_QUERY_MANY && statement->param_count > 0 &&
        request->set_count > SIZE_MAX / statement->param_count)
        return elfs_fail(err, ELFS_BADARG, "%zu parameter sets are too many", request->set_count);
    size_t count = values_of(request, i);
    if (count > 0 && !statement->params)
        return elfs_fail(err, ELFS_BADARG, "statement %zu has no parameters", i + 1);
    for (size_t p = 0; p < count; p++) {
        if (!is_sound(&statement->params[p]))
            return elfs_fail(err, ELFS_BADARG,
                             "parameter %zu of statement %zu is no value, or not finite", p + 1,
                             i + 1);
    }
    return ELFS_OK;
}

enum elfs_code elfs_client_request_check(const struct elfs_client_request *request,
                                         struct elfs_error *err) {
    if (!request->repo || request->repo[0] == '\0')
        return elfs_fail(err, ELFS_BADARG, "the repo has no name");
    if (request->key.len > ELFS_CLIENT_KEY_MAX ||
        (request->function == ELFS_CLIENT_RESOLVE && request->key.len == 0) ||
        (request->key.len > 0 && !request->key.data))
        return elfs_fail(err, ELFS_BADARG, "a key has 1 to %d bytes", ELFS_CLIENT_KEY_MAX);
    if (runs_statements(request) && request->count > 0 && !request->statements)
        return elfs_fail(err, ELFS_BADARG, "there is no statement");
    for (size_t i = 0; runs_statements(request) && i < request->count; i++) {
        enum elfs_code code = check_statement(request, i, err);
        if (code != ELFS_OK) return code;
    }
    return ELFS_OK;
}

static struct elfs_view view_of(struct elfs_client_bytes bytes) {
    return (struct elfs_view){bytes.data, bytes.len};
}

static void put_value(struct elfs_buf *buf, const struct elfs_client_value *value) {
    switch (value->type) {
    case ELFS_CLIENT_NULL: elfs_put_atom(buf, "nil"); break;
    case ELFS_CLIENT_INTEGER: elfs_put_int64(buf, value->as.integer); break;
    case ELFS_CLIENT_REAL: elfs_put_float(buf, value->as.real); break;
    case ELFS_CLIENT_TEXT: elfs_put_binary(buf, view_of(value->as.bytes)); break;
    case ELFS_CLIENT_BLOB:
        elfs_put_tuple_header(buf, 2);
        elfs_put_atom(buf, "blob");
        elfs_put_binary(buf, view_of(value->as.bytes));
        break;
    }
}

static void put_values(struct elfs_buf *buf, const struct elfs_client_value *values, size_t count) {
    elfs_put_list_header(buf, count);
    for (size_t i = 0; i < count && buf->status == ELFS_OK; i++) put_value(buf, &values[i]);
    elfs_put_nil(buf);
}

static void put_sets(struct elfs_buf *buf, const struct elfs_client_request *request) {
    const struct elfs_client_statement *statement = &request->statements[0];
    elfs_put_list_header(buf, request->set_count);
    for (size_t i = 0; i < request->set_count && buf->status == ELFS_OK; i++) {
        size_t first = i * statement->param_count;
        put_values(buf, statement->param_count > 0 ? &statement->params[first] : NULL,
                   statement->param_count);
    }
    elfs_put_nil(buf);
}

static void put_statements(struct elfs_buf *buf, const struct elfs_client_request *request) {
    elfs_put_list_header(buf, request->count);
    for (size_t i = 0; i < request->count && buf->status == ELFS_OK; i++) {
        const struct elfs_client_statement *statement = &request->statements[i];
        elfs_put_tuple_header(buf, 2);
        elfs_put_binary_str(buf, statement->sql);
        put_values(buf, statement->params, statement->param_count);
    }
    elfs_put_nil(buf);
}

/* Of left_ms, so many eighths, and something in any case. */
static int64_t share_of(int64_t left_ms, int eighths) {
    int64_t share = left_ms / 8 * eighths;
    return share > 0 ? share : 1;
}

static void put_ack(struct elfs_buf *buf, const struct elfs_client_request *request,
                    int64_t left_ms) {
    int64_t share = share_of(left_ms, 3);
    bool given = request->ack_timeout_ms > 0 && request->ack_timeout_ms < share;
    elfs_put_atom(buf, "ack");
    elfs_put_tuple_header(buf, 2);
    elfs_put_atom(buf, "replicas");
    elfs_put_int64(buf, request->ack_replicas);
    elfs_put_atom(buf, "ack_timeout");
    elfs_put_int64(buf, given ? request->ack_timeout_ms : share);
}

static void put_options(struct elfs_buf *buf, const struct elfs_client_request *request,
                        int64_t left_ms) {
    size_t key = request->key.len > 0 ? 1 : 0;
    size_t ack = request->ack_replicas > 0 ? 2 : 0;
    elfs_put_map_header(buf, 1 + key + ack);
    elfs_put_atom(buf, "timeout");
    elfs_put_int64(buf, share_of(left_ms, ack > 0 ? 4 : 7));
    if (ack > 0) put_ack(buf, request, left_ms);
    if (key == 0) return;
    elfs_put_atom(buf, "key");
    elfs_put_binary(buf, request->key);
}

static void put_arguments(struct elfs_buf *buf, const struct elfs_client_request *request,
                          int64_t left_ms) {
    static const size_t arities[] = {
        [ELFS_CLIENT_QUERY] = 4,   [ELFS_CLIENT_QUERY_MANY] = 4, [ELFS_CLIENT_TRANSACTION] = 3,
        [ELFS_CLIENT_RESOLVE] = 2, [ELFS_CLIENT_POSITION] = 1,   [ELFS_CLIENT_GET_PRIMARY] = 1,
    };
    elfs_put_list_header(buf, arities[request->function]);
    elfs_put_binary_str(buf, request->repo);
    switch (request->function) {
    case ELFS_CLIENT_QUERY:
        elfs_put_binary_str(buf, request->statements[0].sql);
        put_values(buf, request->statements[0].params, request->statements[0].param_count);
        break;
    case ELFS_CLIENT_QUERY_MANY:
        elfs_put_binary_str(buf, request->statements[0].sql);
        put_sets(buf, request);
        break;
    case ELFS_CLIENT_TRANSACTION: put_statements(buf, request); break;
    case ELFS_CLIENT_RESOLVE: elfs_put_binary(buf, request->key); break;
    case ELFS_CLIENT_POSITION:
    case ELFS_CLIENT_GET_PRIMARY: break;
    }
    if (runs_statements(request)) put_options(buf, request, left_ms);
    elfs_put_nil(buf);
}

enum elfs_code elfs_client_request_put(struct elfs_buf *buf,
                                       const struct elfs_client_request *request,
                                       struct elfs_view pid, int64_t left_ms) {
    static const char *const names[] = {
        [ELFS_CLIENT_QUERY] = "query",
        [ELFS_CLIENT_QUERY_MANY] = "query_many",
        [ELFS_CLIENT_TRANSACTION] = "transaction",
        [ELFS_CLIENT_RESOLVE] = "resolve",
        [ELFS_CLIENT_POSITION] = "position",
        [ELFS_CLIENT_GET_PRIMARY] = "get_primary",
    };
    size_t mark = elfs_dist_open_reg_send(buf, pid, "rex");
    elfs_put_tuple_header(buf, 2);
    elfs_buf_append_view(buf, pid);
    elfs_put_tuple_header(buf, 5);
    elfs_put_atom(buf, "call");
    elfs_put_atom(buf, "ecto_litefs");
    elfs_put_atom(buf, names[request->function]);
    put_arguments(buf, request, left_ms);
    elfs_put_atom(buf, "user"); /* the group leader */
    return elfs_frame_close(buf, mark);
}
