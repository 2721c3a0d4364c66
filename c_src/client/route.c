/* route - see route.h. */
#include "client/route.h"

#include "base/clock.h"

static bool is_node(struct elfs_view name) {
    const uint8_t *at = name.len > 0 ? memchr(name.data, '@', name.len) : NULL;
    return at && name.len < ELFS_CLIENT_NODE_MAX && at != name.data &&
           at != name.data + name.len - 1 && !memchr(name.data, '\0', name.len);
}

void elfs_client_set_primary(struct elfs_client *client, struct elfs_view node) {
    client->primary = NULL;
    if (!is_node(node)) return;
    struct elfs_client_link *other = &client->links[client->count];
    char name[ELFS_CLIENT_NODE_MAX]; /* the view may be into the link that is closed */
    memcpy(name, node.data, node.len);
    name[node.len] = '\0';
    for (size_t i = 0; i <= client->count; i++) {
        if (strcmp(name, client->links[i].node) == 0) client->primary = &client->links[i];
    }
    if (client->primary) return;
    elfs_client_link_close(other);
    memcpy(other->node, name, sizeof name);
    client->primary = other;
}

/* What one node says. */
static enum elfs_client_attempt ask(struct elfs_client *client, struct elfs_client_link *link,
                                    const char *repo, int64_t deadline_ms,
                                    struct elfs_client_reply *reply, struct elfs_error *err) {
    const struct elfs_client_request request = {.function = ELFS_CLIENT_GET_PRIMARY, .repo = repo};
    struct elfs_client_exchange exchange;
    struct elfs_view node;
    int64_t by = elfs_clock_ms() + client->connect_timeout_ms;
    if (by > deadline_ms) by = deadline_ms;
    enum elfs_code code = elfs_client_send(client, link, &request, by, &exchange, err);
    if (code == ELFS_OK) code = elfs_client_await(&exchange, by, reply, err);
    if (code == ELFS_AGAIN) {
        elfs_fail(err, by == deadline_ms ? ELFS_TIMEOUT : ELFS_CLOSED, "%s does not answer",
                  link->node);
        elfs_client_link_close(link);
    }
    if (code == ELFS_NOMEM) return ELFS_ATTEMPT_NOMEM;
    if (code != ELFS_OK) return ELFS_ATTEMPT_UNREACHABLE;
    if (reply->kind == ELFS_REPLY_REFUSED) return ELFS_ATTEMPT_REFUSED;
    if (reply->kind == ELFS_REPLY_OK && elfs_client_reply_node(reply->value, &node) == ELFS_OK)
        elfs_client_set_primary(client, node);
    return client->primary ? ELFS_ATTEMPT_DONE : ELFS_ATTEMPT_NO_PRIMARY;
}

/* That somebody says nothing worse than that there is none outweighs that others are down; a repo
 * that one node does not serve may be served by another. */
static bool outweighs(enum elfs_client_attempt a, enum elfs_client_attempt b) {
    if (a == ELFS_ATTEMPT_NO_PRIMARY) return true;
    return a == ELFS_ATTEMPT_REFUSED && b != ELFS_ATTEMPT_NO_PRIMARY;
}

enum elfs_client_attempt elfs_client_find_primary(struct elfs_client *client, const char *repo,
                                                  const struct elfs_client_link *skip,
                                                  int64_t deadline_ms,
                                                  struct elfs_client_reply *reply,
                                                  struct elfs_error *err) {
    enum elfs_client_attempt found = ELFS_ATTEMPT_UNREACHABLE;
    struct elfs_client_reply refusal;
    client->primary = NULL;
    for (size_t i = 0; i < client->count && elfs_clock_ms() < deadline_ms; i++) {
        struct elfs_client_link *link = &client->links[i];
        if (link == skip) continue;
        enum elfs_client_attempt said = ask(client, link, repo, deadline_ms, &refusal, err);
        if (said == ELFS_ATTEMPT_DONE || said == ELFS_ATTEMPT_NOMEM) return said;
        if (said == ELFS_ATTEMPT_REFUSED) *reply = refusal;
        if (outweighs(said, found)) found = said;
    }
    if (found == ELFS_ATTEMPT_NO_PRIMARY)
        elfs_fail(err, ELFS_NOT_PRIMARY, "no node knows a primary of %s", repo);
    return found;
}
