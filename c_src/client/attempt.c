/* attempt - see attempt.h. */
#include "client/attempt.h"

#include "base/clock.h"
#include "client/route.h"

static bool starts_with(struct elfs_view text, const char *prefix) {
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* A constraint is seen by the statement itself, in the transaction that has looked the key up
 * before, and a key that was given up stays so. All other refusals may come from before that. */
static enum elfs_client_attempt understand_refusal(const struct elfs_client_reply *reply) {
    if (starts_with(reply->name, "constraint") || elfs_view_is(reply->name, "aborted"))
        return ELFS_ATTEMPT_DECIDED;
    return elfs_view_is(reply->name, "unavailable") ? ELFS_ATTEMPT_NOT_NOW : ELFS_ATTEMPT_REFUSED;
}

static enum elfs_client_attempt understand(struct elfs_client *client,
                                           const struct elfs_client_link *link,
                                           const struct elfs_client_reply *reply,
                                           struct elfs_error *err) {
    switch (reply->kind) {
    case ELFS_REPLY_OK: return ELFS_ATTEMPT_DONE;
    case ELFS_REPLY_UNKNOWN: return ELFS_ATTEMPT_UNKNOWN;
    case ELFS_REPLY_REFUSED: return understand_refusal(reply);
    case ELFS_REPLY_NOT_PRIMARY: break;
    }
    elfs_fail(err, ELFS_NOT_PRIMARY, "%s is not the primary", link->node);
    /* One that names itself is on its way to or from it. */
    bool itself = elfs_view_is(reply->node, link->node);
    elfs_client_set_primary(client, itself ? ELFS_VIEW_NONE : reply->node);
    return client->primary ? ELFS_ATTEMPT_MOVED : ELFS_ATTEMPT_NO_PRIMARY;
}

/* The node is silent: is it at work, or has the primary moved away from it? */
static bool has_moved(struct elfs_client *client, const char *repo, struct elfs_client_link *link,
                      int64_t deadline_ms) {
    struct elfs_client_reply unused;
    struct elfs_error ignored;
    enum elfs_client_attempt found =
        elfs_client_find_primary(client, repo, link, deadline_ms, &unused, &ignored);
    /* Not connected any more: this link is the new primary's now. */
    if (found == ELFS_ATTEMPT_DONE && (client->primary != link || link->fd < 0)) return true;
    client->primary = link;
    return false;
}

/* Waits for the answer to what was sent. Without a key there is nothing to gain by looking around:
 * it must not be repeated; nor if it need not be the primary. */
static enum elfs_client_attempt await(struct elfs_client *client,
                                      const struct elfs_client_request *request, bool any_node,
                                      struct elfs_client_exchange *exchange, int64_t deadline_ms,
                                      struct elfs_client_reply *reply, struct elfs_error *err) {
    struct elfs_client_link *link = exchange->link;
    int64_t patience = client->connect_timeout_ms;
    for (;;) {
        int64_t now = elfs_clock_ms();
        int64_t until = deadline_ms;
        if (!any_node && request->key.len > 0 && patience < deadline_ms - now)
            until = now + patience;
        enum elfs_code code = elfs_client_await(exchange, until, reply, err);
        if (code == ELFS_OK) return understand(client, link, reply, err);
        if (code != ELFS_AGAIN) {
            if (client->primary == link) client->primary = NULL;
            return code == ELFS_CLOSED ? ELFS_ATTEMPT_LOST : ELFS_ATTEMPT_BROKEN;
        }
        elfs_fail(err, ELFS_TIMEOUT, "%s does not answer", link->node);
        patience *= 2;
        if (until < deadline_ms && !has_moved(client, request->repo, link, deadline_ms)) continue;
        /* Closing it cancels the request there, if it has not started. */
        elfs_client_link_close(link);
        return ELFS_ATTEMPT_LOST;
    }
}

static enum elfs_client_attempt try_on(struct elfs_client *client, struct elfs_client_link *link,
                                       const struct elfs_client_request *request, bool any_node,
                                       int64_t deadline_ms, struct elfs_client_reply *reply,
                                       struct elfs_error *err) {
    struct elfs_client_exchange exchange;
    enum elfs_code code = elfs_client_send(client, link, request, deadline_ms, &exchange, err);
    if (code == ELFS_OK)
        return await(client, request, any_node, &exchange, deadline_ms, reply, err);
    if (code == ELFS_LIMIT) return ELFS_ATTEMPT_WRONG;
    if (code == ELFS_NOMEM) return ELFS_ATTEMPT_NOMEM;
    if (client->primary == link) client->primary = NULL;
    return ELFS_ATTEMPT_UNREACHABLE;
}

static enum elfs_client_attempt try_on_any(struct elfs_client *client,
                                           const struct elfs_client_request *request,
                                           int64_t deadline_ms, struct elfs_client_reply *reply,
                                           struct elfs_error *err) {
    enum elfs_client_attempt found = ELFS_ATTEMPT_UNREACHABLE;
    for (size_t i = 0; i < client->count && found == ELFS_ATTEMPT_UNREACHABLE; i++)
        found = try_on(client, &client->links[i], request, true, deadline_ms, reply, err);
    return found;
}

enum elfs_client_attempt elfs_client_try(struct elfs_client *client,
                                         const struct elfs_client_request *request, bool any_node,
                                         int64_t deadline_ms, struct elfs_client_reply *reply,
                                         struct elfs_error *err) {
    if (any_node) return try_on_any(client, request, deadline_ms, reply, err);
    if (!client->primary) {
        enum elfs_client_attempt found =
            elfs_client_find_primary(client, request->repo, NULL, deadline_ms, reply, err);
        if (found != ELFS_ATTEMPT_DONE) return found;
    }
    return try_on(client, client->primary, request, false, deadline_ms, reply, err);
}
