/* call - the calls of ecto_litefs.h: attempts until one ends it (retry.h). */
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/result.h"
#include "client/route.h"

/* Everything of one call. */
struct call {
    struct elfs_client *client;
    struct elfs_client_request request;
    uint8_t own_key[ELFS_CLIENT_OWN_KEY];
    bool any_node;
    int64_t timeout_ms;
    struct elfs_client_reply reply; /* of the last attempt that had one; views */
    struct elfs_error why;          /* of the last attempt that had none */
};

static void be64(uint8_t *to, uint64_t v) {
    for (int i = 7; i >= 0; i--, v >>= 8) to[i] = (uint8_t)v;
}

static void set_options(struct call *call, const struct elfs_client_options *options) {
    static const struct elfs_client_options defaults = {0};
    struct elfs_client *client = call->client;
    if (!options) options = &defaults;
    call->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : client->timeout_ms;
    call->any_node = options->any_node;
    call->request.ack_replicas = options->ack_replicas;
    call->request.ack_timeout_ms = options->ack_timeout_ms;
    if (options->key) {
        call->request.key = (struct elfs_view){options->key, options->key_len};
    } else if (!options->once) {
        memcpy(call->own_key, client->prefix, sizeof client->prefix);
        be64(call->own_key + sizeof client->prefix, client->keys++);
        call->request.key = (struct elfs_view){call->own_key, sizeof call->own_key};
    }
}

static enum elfs_code check(const struct call *call, const struct elfs_client_options *options,
                            struct elfs_error *err) {
    if (options && (options->timeout_ms < 0 || options->ack_timeout_ms < 0 ||
                    options->timeout_ms > ELFS_CLIENT_TIMEOUT_MAX_MS))
        return elfs_fail(err, ELFS_BADARG, "a time-out is 0 to a day");
    if (options && options->key && (options->once || options->key_len == 0))
        return elfs_fail(err, ELFS_BADARG, "a key has 1 to %d bytes, and goes not with once",
                         ELFS_CLIENT_KEY_MAX);
    return elfs_client_request_check(&call->request, err);
}

/* The retried attempts. */
static enum elfs_client_code run(struct call *call, enum elfs_client_attempt *attempt,
                                 enum elfs_client_attempt (*try)(struct call *call,
                                                                 int64_t deadline_ms)) {
    struct elfs_client_retry retry;
    struct elfs_client *client = call->client;
    int64_t deadline_ms = elfs_clock_ms() + call->timeout_ms;
    bool repeatable = call->request.key.len > 0 || call->request.function >= ELFS_CLIENT_RESOLVE;
    elfs_client_retry_init(&retry, deadline_ms, repeatable, client->random + client->calls);
    for (;;) {
        *attempt = try(call, deadline_ms);
        struct elfs_client_step step = elfs_client_retry_next(&retry, *attempt, elfs_clock_ms());
        if (!step.again) return step.code;
        if (step.wait_ms > 0) poll(NULL, 0, (int)step.wait_ms);
    }
}

/* The last attempt may have had no time for more than to time out: an earlier one's reason says more. */
static void keep_reason(struct call *call, const struct elfs_error *why) {
    if (why->code == ELFS_OK) return;
    if (why->code != ELFS_TIMEOUT || call->why.code == ELFS_OK) call->why = *why;
}

static enum elfs_client_attempt try_request(struct call *call, int64_t deadline_ms) {
    struct elfs_error why;
    elfs_error_clear(&why);
    enum elfs_client_attempt attempt = elfs_client_try(call->client, &call->request, call->any_node,
                                                       deadline_ms, &call->reply, &why);
    keep_reason(call, &why);
    /* What was to be only read does write, then. */
    if (attempt == ELFS_ATTEMPT_MOVED || attempt == ELFS_ATTEMPT_NO_PRIMARY) call->any_node = false;
    return attempt;
}

static enum elfs_client_attempt try_find(struct call *call, int64_t deadline_ms) {
    struct elfs_error why;
    elfs_error_clear(&why);
    enum elfs_client_attempt attempt = elfs_client_find_primary(
        call->client, call->request.repo, NULL, deadline_ms, &call->reply, &why);
    keep_reason(call, &why);
    return attempt;
}

static void copy_text(char *to, size_t size, struct elfs_view text) {
    snprintf(to, size, "%.*s", ELFS_VIEW_ARGS(text));
}

static bool has_reply(enum elfs_client_attempt attempt) {
    return attempt == ELFS_ATTEMPT_REFUSED || attempt == ELFS_ATTEMPT_DECIDED ||
           attempt == ELFS_ATTEMPT_NOT_NOW || attempt == ELFS_ATTEMPT_UNKNOWN;
}

/* Fills err from the last attempt and returns code. */
static enum elfs_client_code finish(const struct call *call, enum elfs_client_attempt attempt,
                                    enum elfs_client_code code, struct elfs_client_error *err) {
    if (!err) return code;
    *err = (struct elfs_client_error){.code = code};
    if (code == ELFS_CLIENT_OK) return code;
    if (has_reply(attempt)) {
        copy_text(err->name, sizeof err->name, call->reply.name);
        copy_text(err->message, sizeof err->message, call->reply.message);
        err->extended_code = call->reply.extended_code;
        err->index = call->reply.index;
    } else {
        snprintf(err->message, sizeof err->message, "%s", call->why.message);
    }
    if (code == ELFS_CLIENT_UNKNOWN && call->request.key.len > 0) {
        memcpy(err->key, call->request.key.data, call->request.key.len);
        err->key_len = call->request.key.len;
    }
    return code;
}

static enum elfs_client_code give_result(struct call *call, struct elfs_client_result **result,
                                         struct elfs_client_error *err) {
    bool list = call->request.function == ELFS_CLIENT_TRANSACTION;
    enum elfs_code code = elfs_client_result_make(call->reply.value, list, result);
    if (code == ELFS_OK) return finish(call, ELFS_ATTEMPT_DONE, ELFS_CLIENT_OK, err);
    elfs_fail(&call->why, code, "done, but its result is lost: %s", elfs_code_text(code));
    return finish(call, ELFS_ATTEMPT_BROKEN, ELFS_CLIENT_UNKNOWN, err);
}

static enum elfs_client_code run_statements(struct call *call,
                                            const struct elfs_client_options *options,
                                            struct elfs_client_result **result,
                                            struct elfs_client_error *err) {
    enum elfs_client_attempt attempt;
    if (result) *result = NULL;
    elfs_error_clear(&call->why);
    set_options(call, options);
    if (check(call, options, &call->why) != ELFS_OK)
        return finish(call, ELFS_ATTEMPT_WRONG, ELFS_CLIENT_BADARG, err);
    enum elfs_client_code code = run(call, &attempt, try_request);
    if (code == ELFS_CLIENT_OK && result) return give_result(call, result, err);
    return finish(call, attempt, code, err);
}

enum elfs_client_code elfs_client_query(struct elfs_client *client, const char *repo,
                                        const struct elfs_client_statement *statement,
                                        const struct elfs_client_options *options,
                                        struct elfs_client_result **result,
                                        struct elfs_client_error *err) {
    const struct elfs_client_request request = {
        .function = ELFS_CLIENT_QUERY, .repo = repo, .statements = statement, .count = 1};
    struct call call = {.client = client, .request = request};
    return run_statements(&call, options, result, err);
}

enum elfs_client_code elfs_client_query_many(struct elfs_client *client, const char *repo,
                                             const struct elfs_client_statement *statement,
                                             size_t set_count,
                                             const struct elfs_client_options *options,
                                             struct elfs_client_result **result,
                                             struct elfs_client_error *err) {
    const struct elfs_client_request request = {.function = ELFS_CLIENT_QUERY_MANY,
                                                .repo = repo,
                                                .statements = statement,
                                                .count = 1,
                                                .set_count = set_count};
    struct call call = {.client = client, .request = request};
    return run_statements(&call, options, result, err);
}

enum elfs_client_code elfs_client_transaction(struct elfs_client *client, const char *repo,
                                              const struct elfs_client_statement *statements,
                                              size_t count,
                                              const struct elfs_client_options *options,
                                              struct elfs_client_result **result,
                                              struct elfs_client_error *err) {
    const struct elfs_client_request request = {.function = ELFS_CLIENT_TRANSACTION,
                                                .repo = repo,
                                                .statements = statements,
                                                .count = count};
    struct call call = {.client = client, .request = request};
    return run_statements(&call, options, result, err);
}

/* A call without statements. */
static enum elfs_client_code run_plain(struct call *call, enum elfs_client_attempt *attempt,
                                       enum elfs_client_attempt (*try)(struct call *call,
                                                                       int64_t deadline_ms)) {
    elfs_error_clear(&call->why);
    call->timeout_ms = call->client->timeout_ms;
    *attempt = ELFS_ATTEMPT_WRONG;
    if (elfs_client_request_check(&call->request, &call->why) != ELFS_OK) return ELFS_CLIENT_BADARG;
    return run(call, attempt, try);
}

/* An answer of the wrong shape, of a call that can be made again. */
static enum elfs_client_code not_understood(struct call *call, enum elfs_client_attempt *attempt) {
    elfs_fail(&call->why, ELFS_MALFORMED, "the answer is not understood");
    *attempt = ELFS_ATTEMPT_BROKEN;
    return ELFS_CLIENT_UNKNOWN;
}

enum elfs_client_code elfs_client_resolve(struct elfs_client *client, const char *repo,
                                          const void *key, size_t key_len, bool *committed,
                                          struct elfs_client_error *err) {
    struct call call = {
        .client = client,
        .request = {.function = ELFS_CLIENT_RESOLVE, .repo = repo, .key = {key, key_len}}};
    enum elfs_client_attempt attempt;
    *committed = false;
    enum elfs_client_code code = run_plain(&call, &attempt, try_request);
    if (code == ELFS_CLIENT_OK && elfs_client_reply_outcome(call.reply.value, committed) != ELFS_OK)
        code = not_understood(&call, &attempt);
    return finish(&call, attempt, code, err);
}

enum elfs_client_code elfs_client_position(struct elfs_client *client, const char *repo,
                                           struct elfs_client_position *position,
                                           struct elfs_client_error *err) {
    struct call call = {.client = client,
                        .request = {.function = ELFS_CLIENT_POSITION, .repo = repo}};
    struct elfs_position found = {.known = false};
    enum elfs_client_attempt attempt;
    enum elfs_client_code code = run_plain(&call, &attempt, try_request);
    if (code == ELFS_CLIENT_OK && elfs_client_reply_position(call.reply.value, &found) != ELFS_OK)
        code = not_understood(&call, &attempt);
    *position = (struct elfs_client_position){found.known, found.txid, found.checksum};
    return finish(&call, attempt, code, err);
}

enum elfs_client_code elfs_client_get_primary(struct elfs_client *client, const char *repo,
                                              char node[ELFS_CLIENT_NODE_MAX],
                                              struct elfs_client_error *err) {
    struct call call = {.client = client,
                        .request = {.function = ELFS_CLIENT_GET_PRIMARY, .repo = repo}};
    enum elfs_client_attempt attempt;
    enum elfs_client_code code = run_plain(&call, &attempt, try_find);
    snprintf(node, ELFS_CLIENT_NODE_MAX, "%s", code == ELFS_CLIENT_OK ? client->primary->node : "");
    return finish(&call, attempt, code, err);
}
