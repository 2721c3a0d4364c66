/* client - a client from its configuration, and the small things of ecto_litefs.h. */
#include "client/client.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ei/cookie.h"
#include "ei/socket.h"

#define TIMEOUT_MS 15000
#define CONNECT_TIMEOUT_MS 2000
#define MAX_FRAME ((size_t)64 * 1024 * 1024)
#define MAX_FRAME_MOST ((size_t)1024 * 1024 * 1024)
/* An answer is a result and what is around it. */
#define ANSWER_MORE ((size_t)1024 * 1024)

static const char *const code_texts[] = {
#define X(id, text) [id] = text,
    ELFS_CLIENT_CODES(X)
#undef X
};

const char *elfs_client_code_text(enum elfs_client_code code) { return code_texts[code]; }

struct elfs_client_value elfs_client_null(void) {
    return (struct elfs_client_value){.type = ELFS_CLIENT_NULL};
}

struct elfs_client_value elfs_client_int(int64_t integer) {
    return (struct elfs_client_value){ELFS_CLIENT_INTEGER, .as.integer = integer};
}

struct elfs_client_value elfs_client_real(double real) {
    return (struct elfs_client_value){ELFS_CLIENT_REAL, .as.real = real};
}

struct elfs_client_value elfs_client_text(const char *text) {
    return elfs_client_text_of(text, text ? strlen(text) : 1);
}

struct elfs_client_value elfs_client_text_of(const void *data, size_t len) {
    return (struct elfs_client_value){ELFS_CLIENT_TEXT, .as.bytes = {data, len}};
}

struct elfs_client_value elfs_client_blob(const void *data, size_t len) {
    return (struct elfs_client_value){ELFS_CLIENT_BLOB, .as.bytes = {data, len}};
}

/* NAME@HOST, with both, and within ei's limits. */
static bool is_node_name(const char *name) {
    const char *at = name ? strchr(name, '@') : NULL;
    return at && at != name && at[1] != '\0' && !strchr(at + 1, '@') &&
           strlen(name) < ELFS_CLIENT_NODE_MAX && (size_t)(at - name) <= EI_MAXALIVELEN - 1 &&
           strlen(at + 1) <= EI_MAXHOSTNAMELEN;
}

static enum elfs_code check_config(const struct elfs_client_config *config,
                                   struct elfs_error *err) {
    if (config->node_count < 1 || config->node_count > ELFS_CLIENT_NODES_MAX || !config->nodes)
        return elfs_fail(err, ELFS_BADARG, "a client needs 1 to %d nodes", ELFS_CLIENT_NODES_MAX);
    for (size_t i = 0; i < config->node_count; i++) {
        if (!is_node_name(config->nodes[i]))
            return elfs_fail(err, ELFS_BADARG, "node %zu is no node name, such as litefs@10.0.0.5",
                             i + 1);
    }
    if (config->name && !is_node_name(config->name))
        return elfs_fail(err, ELFS_BADARG, "'%s' is no node name, such as cli@10.0.0.5",
                         config->name);
    if (config->cookie && strlen(config->cookie) >= ELFS_COOKIE_MAX)
        return elfs_fail(err, ELFS_BADARG, "the cookie is longer than %d bytes",
                         ELFS_COOKIE_MAX - 1);
    if (config->timeout_ms < 0 || config->connect_timeout_ms < 0 ||
        config->timeout_ms > ELFS_CLIENT_TIMEOUT_MAX_MS ||
        config->connect_timeout_ms > ELFS_CLIENT_TIMEOUT_MAX_MS)
        return elfs_fail(err, ELFS_BADARG, "a time-out is 0 to a day");
    if (config->max_frame > MAX_FRAME_MOST)
        return elfs_fail(err, ELFS_BADARG, "max_frame is at most %zu", MAX_FRAME_MOST);
    return ELFS_OK;
}

static void init_ei(void) { ei_init(); }

/* A made-up name has the first node's host, so that both are long names, or short ones; no node looks
 * at a hidden one's host. */
static enum elfs_code init_self(struct elfs_client *client, const struct elfs_client_config *config,
                                const char *cookie, const uint32_t random[3],
                                struct elfs_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char name[ELFS_CLIENT_NODE_MAX + 32];
    char alive[EI_MAXALIVELEN + 1];
    if (config->name) {
        snprintf(name, sizeof name, "%s", config->name);
    } else {
        snprintf(name, sizeof name, "client-%08x%08x%s", random[0], random[1],
                 strchr(config->nodes[0], '@'));
    }
    if (!is_node_name(name)) return elfs_fail(err, ELFS_BADARG, "the name %s is too long", name);
    const char *at = strchr(name, '@');
    snprintf(alive, sizeof alive, "%.*s", (int)(at - name), name);
    struct in_addr unused = {.s_addr = htonl(INADDR_LOOPBACK)};
    pthread_once(&once, init_ei);
    if (ei_connect_xinit_ussi(&client->self, at + 1, alive, name, &unused, cookie, random[2] | 1,
                              elfs_ei_callbacks(), sizeof(ei_socket_callbacks), NULL) < 0)
        return elfs_fail(err, ELFS_BADARG, "ei does not take the name %s", name);
    return ELFS_OK;
}

static enum elfs_code init_links(struct elfs_client *client,
                                 const struct elfs_client_config *config, struct elfs_error *err) {
    client->links = elfs_calloc(config->node_count + 1, sizeof *client->links);
    if (!client->links) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    client->count = config->node_count;
    for (size_t i = 0; i <= client->count; i++)
        elfs_client_link_init(&client->links[i], client->max_frame + ANSWER_MORE);
    for (size_t i = 0; i < client->count; i++)
        snprintf(client->links[i].node, ELFS_CLIENT_NODE_MAX, "%s", config->nodes[i]);
    return ELFS_OK;
}

static enum elfs_code init(struct elfs_client *client, const struct elfs_client_config *config,
                           struct elfs_error *err) {
    char cookie[ELFS_COOKIE_MAX];
    uint32_t random[3];
    enum elfs_code code = check_config(config, err);
    if (code == ELFS_OK && !config->cookie)
        code = elfs_cookie_read(config->cookie_file, cookie, err);
    if (code != ELFS_OK) return code;
    if (getentropy(client->prefix, sizeof client->prefix) != 0 ||
        getentropy(random, sizeof random) != 0)
        return elfs_fail(err, ELFS_SYSTEM, "there are no random bytes");
    memcpy(&client->random, client->prefix, sizeof client->random);
    client->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : TIMEOUT_MS;
    client->connect_timeout_ms =
        config->connect_timeout_ms > 0 ? config->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    client->max_frame = config->max_frame > 0 ? config->max_frame : MAX_FRAME;
    code = init_self(client, config, config->cookie ? config->cookie : cookie, random, err);
    return code == ELFS_OK ? init_links(client, config, err) : code;
}

static enum elfs_client_code fill_error(struct elfs_client_error *err, enum elfs_code code,
                                        const char *message) {
    enum elfs_client_code ours = code == ELFS_OK       ? ELFS_CLIENT_OK
                                 : code == ELFS_NOMEM  ? ELFS_CLIENT_NOMEM
                                 : code == ELFS_SYSTEM ? ELFS_CLIENT_SYSTEM
                                                       : ELFS_CLIENT_BADARG;
    if (err) {
        *err = (struct elfs_client_error){.code = ours};
        snprintf(err->message, sizeof err->message, "%s", message);
    }
    return ours;
}

enum elfs_client_code elfs_client_new(const struct elfs_client_config *config,
                                      struct elfs_client **out, struct elfs_client_error *err) {
    struct elfs_error why;
    *out = NULL;
    elfs_error_clear(&why);
    struct elfs_client *client = elfs_calloc(1, sizeof *client);
    if (!client) return fill_error(err, ELFS_NOMEM, "out of memory");
    enum elfs_code code = init(client, config, &why);
    if (code != ELFS_OK) {
        elfs_client_free(client);
        return fill_error(err, code, why.message);
    }
    *out = client;
    return fill_error(err, ELFS_OK, "");
}

void elfs_client_free(struct elfs_client *client) {
    if (!client) return;
    for (size_t i = 0; client->links && i <= client->count; i++)
        elfs_client_link_close(&client->links[i]);
    elfs_free(client->links);
    elfs_free(client);
}
