/* options - see options.h. */
#include "node/options.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cli.h"
#include "ei/net.h"

#define MIB (INT64_C(1024) * 1024)
#define HOUR_MS (INT64_C(3600) * 1000)

static enum elfs_code copy_name(struct elfs_options *o, const char *alive, size_t alive_len,
                                const char *host, struct elfs_error *err) {
    if (o->name[0])
        return elfs_fail(err, ELFS_BADARG, "--name and --sname: give one of them, once");
    if (alive_len == 0 || host[0] == '\0')
        return elfs_fail(err, ELFS_BADARG,
                         "a node name needs a name and a host, as in litefs@host");
    for (size_t i = 0; i < alive_len; i++) {
        char c = alive[i];
        if (!isalnum((unsigned char)c) && !strchr("_-.", c))
            return elfs_fail(err, ELFS_BADARG, "a node name has letters, digits, _ - and . only");
    }
    /* ei's limit for a whole name is 255 bytes. */
    int n = snprintf(o->name, sizeof o->name, "%.*s@%s", (int)alive_len, alive, host);
    if (n > 255) return elfs_fail(err, ELFS_BADARG, "the node name is longer than 255 bytes");
    return ELFS_OK;
}

static enum elfs_code set_name(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    const char *at = strchr(value, '@');
    if (!at || !strchr(at, '.'))
        return elfs_fail(err, ELFS_BADARG,
                         "--name needs NAME@HOST with a dot in HOST, such as litefs@10.0.0.1 "
                         "(--sname is for short names)");
    return copy_name(o, value, (size_t)(at - value), at + 1, err);
}

static enum elfs_code set_sname(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    char host[256] = "";
    const char *at = strchr(value, '@');
    if (at && strchr(at, '.'))
        return elfs_fail(err, ELFS_BADARG, "--sname takes no dots in the host; use --name");
    if (at) return copy_name(o, value, (size_t)(at - value), at + 1, err);
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        return elfs_fail(err, ELFS_SYSTEM, "this host has no name; say --sname NAME@HOST");
    host[strcspn(host, ".")] = '\0';
    return copy_name(o, value, strlen(value), host, err);
}

static enum elfs_code set_repo(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || equals[1] == '\0')
        return elfs_fail(err, ELFS_BADARG,
                         "--repo needs NAME=PATH, such as MyApp.Repo=/litefs/app.db");
    if (o->repo_count == ELFS_REPOS_MAX)
        return elfs_fail(err, ELFS_BADARG, "at most %d --repo options", ELFS_REPOS_MAX);
    size_t prefix = strncmp(value, "Elixir.", 7) == 0 ? 7 : 0;
    size_t len = (size_t)(equals - value) - prefix;
    if (len == 0 || len > 255)
        return elfs_fail(err, ELFS_BADARG, "a repo's name has 1 to 255 bytes: %s", value);
    for (size_t i = 0; i < o->repo_count; i++) {
        const struct elfs_repo_option *repo = &o->repos[i];
        if (strlen(repo->name) == len && memcmp(repo->name, value + prefix, len) == 0)
            return elfs_fail(err, ELFS_BADARG, "the repo %s is given twice", repo->name);
        if (strcmp(repo->path, equals + 1) == 0)
            return elfs_fail(err, ELFS_BADARG,
                             "the repos %s and %.*s have the same file %s: one writer a file",
                             repo->name, (int)len, value + prefix, repo->path);
    }
    char *name = elfs_strndup(value + prefix, len);
    if (!name) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    o->repos[o->repo_count++] = (struct elfs_repo_option){name, equals + 1};
    return ELFS_OK;
}

static enum elfs_code set_listen(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    return elfs_net_parse_listen(value, &o->listen_addr, &o->listen_port, err);
}

static enum elfs_code set_connect(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    const char *at = strchr(value, '@');
    if (!at || at == value || at[1] == '\0' || strlen(value) > 255)
        return elfs_fail(err, ELFS_BADARG, "--connect needs a node, such as app@10.0.0.2");
    if (o->connect_count == ELFS_PEERS_MAX)
        return elfs_fail(err, ELFS_BADARG, "at most %d --connect options", ELFS_PEERS_MAX);
    o->connect[o->connect_count++] = value;
    return ELFS_OK;
}

static enum elfs_code set_primary_file(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    if (value[0] != '/')
        return elfs_fail(err, ELFS_BADARG,
                         "--primary-file needs an absolute path, as /litefs/.primary");
    o->litefs.primary_file = value;
    return ELFS_OK;
}

static enum elfs_code set_event_stream_url(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    bool off = strcmp(value, "off") == 0;
    if (!off && strncmp(value, "http://", 7) != 0)
        return elfs_fail(err, ELFS_BADARG, "--event-stream-url is http://... or off");
    o->litefs.event_stream_url = off ? NULL : value;
    return ELFS_OK;
}

static enum elfs_code set_table_name(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    size_t len = strlen(value);
    bool ok = len > 0 && len <= 64 && !isdigit((unsigned char)value[0]);
    for (size_t i = 0; i < len; i++)
        ok = ok && (isalnum((unsigned char)value[i]) || value[i] == '_');
    if (!ok) return elfs_fail(err, ELFS_BADARG, "--table-name is a name of letters, digits and _");
    o->litefs.table_name = value;
    return ELFS_OK;
}

static enum elfs_code set_poller(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    if (strcmp(value, "epoll") != 0 && strcmp(value, "poll") != 0)
        return elfs_fail(err, ELFS_BADARG, "--poller is epoll or poll");
    o->poller = value;
    return ELFS_OK;
}

static enum elfs_code set_log_level(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    if (!elfs_log_level_parse(value, &o->log_level))
        return elfs_fail(err, ELFS_BADARG, "--log-level is error, warning, info or debug");
    return ELFS_OK;
}

static enum elfs_code set_synchronous(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    if (strcmp(value, "normal") != 0 && strcmp(value, "full") != 0)
        return elfs_fail(err, ELFS_BADARG, "--synchronous is normal or full");
    o->store.synchronous = value[0] == 'f' ? ELFS_SYNC_FULL : ELFS_SYNC_NORMAL;
    return ELFS_OK;
}

static enum elfs_code set_busy_timeout(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    int64_t number = 0;
    enum elfs_code code = elfs_cli_number("--busy-timeout", value, 0, HOUR_MS, &number, err);
    if (code == ELFS_OK) o->store.busy_timeout_ms = (int)number;
    return code;
}

static enum elfs_code set_statement_cache(void *to, const char *value, struct elfs_error *err) {
    struct elfs_options *o = to;
    int64_t number = 0;
    enum elfs_code code = elfs_cli_number("--statement-cache", value, 1, 10000, &number, err);
    if (code == ELFS_OK) o->store.statement_cache = (int)number;
    return code;
}

#define AT(field) .at = offsetof(struct elfs_options, field)
#define FLAG(field) ELFS_CLI_FLAG, AT(field)
#define TEXT(field) ELFS_CLI_TEXT, AT(field)
#define NUMBER(field, least, most, default)                                                        \
    ELFS_CLI_NUMBER, AT(field), .min = (least), .max = (most), .initial = (default)
#define OWN(function) ELFS_CLI_OWN, .set = (function)

static const struct elfs_cli_option table[] = {
    {"--name", "NAME@HOST", "long node name, as erl -name", OWN(set_name)},
    {"--sname", "NAME", "short node name, as erl -sname", OWN(set_sname)},
    {"--cookie-file", "FILE", "the cookie's file (~/.erlang.cookie)", TEXT(cookie_file)},
    {"--repo", "NAME=PATH", "serve this database; may be given again", OWN(set_repo)},
    {"--listen", "ADDR[:PORT]", "IPv4 address to listen on (0.0.0.0:0, any port)", OWN(set_listen)},
    {"--primary-file", "FILE", "LiteFS's .primary; its folder is the mount (/litefs/.primary)",
     OWN(set_primary_file)},
    {"--poll-interval", "MS", "look at LiteFS's files so often, 0: never (30000)",
     NUMBER(litefs.poll_interval_ms, 0, HOUR_MS, 30000)},
    {"--event-stream-url", "URL|off", "LiteFS's events (http://localhost:20202/events)",
     OWN(set_event_stream_url)},
    {"--table-name", "NAME", "the tracker's table (_ecto_litefs_primary)", OWN(set_table_name)},
    {"--connect", "NODE", "join the cluster through this node; may be given again",
     OWN(set_connect)},
    {"--hidden", NULL, "a hidden node: not in nodes()", FLAG(hidden)},
    {"--no-epmd", NULL, "do not register with EPMD", FLAG(no_epmd)},
    {"--synchronous", "normal|full", "SQLite's synchronous (full)", OWN(set_synchronous)},
    {"--busy-timeout", "MS", "wait for another process's lock (5000)", OWN(set_busy_timeout)},
    {"--statement-cache", "N", "prepared statements kept a connection (128)",
     OWN(set_statement_cache)},
    {"--statement-timeout", "MS", "a request's longest run (15000)",
     NUMBER(statement_timeout_ms, 1, HOUR_MS, 15000)},
    {"--tx-idle-timeout", "MS", "an interactive transaction's longest pause (5000)",
     NUMBER(tx_idle_timeout_ms, 1, HOUR_MS, 5000)},
    {"--tx-total-timeout", "MS", "an interactive transaction's longest life (15000)",
     NUMBER(tx_total_timeout_ms, 1, HOUR_MS, 15000)},
    {"--keep-requests", "N", "results kept for repeats of requests (100000)",
     NUMBER(store.keep_requests, 1000, 100000000, 100000)},
    {"--keep-requests-time", "MS", "for so long (3600000)",
     NUMBER(store.keep_requests_ms, 60 * 1000, 24 * 30 * HOUR_MS, HOUR_MS)},
    {"--max-frame", "BYTES", "largest message from a peer (64 MiB)",
     NUMBER(max_frame, 65536, 1024 * MIB, 64 * MIB)},
    {"--max-result", "BYTES", "largest result (64 MiB)",
     NUMBER(max_result, 1024, 1024 * MIB, 64 * MIB)},
    {"--max-queue", "N", "requests waiting a database, then busy (10000)",
     NUMBER(max_queue, 1, 1000000, 10000)},
    {"--max-queue-bytes", "BYTES", "their bytes, then busy (256 MiB)",
     NUMBER(max_queue_bytes, 65536, 16384 * MIB, 256 * MIB)},
    {"--max-connections", "N", "peers at once (4096)", NUMBER(max_connections, 1, 100000, 4096)},
    {"--max-output", "BYTES", "replies a peer may leave unread (256 MiB)",
     NUMBER(max_output, 65536, 4095 * MIB, 256 * MIB)},
    {"--max-handshakes", "N", "handshakes at once (32)", NUMBER(max_handshakes, 1, 1024, 32)},
    {"--handshake-timeout", "MS", "a handshake's longest run (7000)",
     NUMBER(handshake_timeout_ms, 10, HOUR_MS, 7000)},
    {"--tick-time", "SECONDS", "a silent peer is dropped after it (60)",
     NUMBER(tick_time_s, 1, 3600, 60)},
    {"--poller", "epoll|poll", "how to wait for sockets (the best here)", OWN(set_poller)},
    {"--log-level", "LEVEL", "error, warning, info or debug (info)", OWN(set_log_level)},
    {"--check", NULL, "check the options and the databases, then exit", FLAG(check)},
    {"--help", NULL, "this text", FLAG(help)},
    {"--version", NULL, "the version", FLAG(version)},
};

#define TABLE_SIZE (sizeof table / sizeof *table)

static void set_defaults(struct elfs_options *o) {
    *o = (struct elfs_options){.listen_addr.s_addr = htonl(INADDR_ANY), .log_level = ELFS_LOG_INFO};
    elfs_store_config_default(&o->store);
    o->litefs.primary_file = "/litefs/.primary";
    o->litefs.event_stream_url = "http://localhost:20202/events";
    o->litefs.table_name = "_ecto_litefs_primary";
}

/* What fits a frame and a result may be a value, and nothing larger: SQL such as zeroblob() could make
 * a gigabyte otherwise. The margin is for the other columns of its row. */
static void derive_limits(struct elfs_options *o) {
    int64_t largest = o->max_frame > o->max_result ? o->max_frame : o->max_result;
    o->store.max_value = (int)(largest + MIB < INT32_MAX ? largest + MIB : INT32_MAX);
}

static enum elfs_code check_required(const struct elfs_options *o, struct elfs_error *err) {
    if (o->help || o->version) return ELFS_OK;
    if (!o->name[0])
        return elfs_fail(err, ELFS_BADARG, "--name NAME@HOST or --sname NAME is missing");
    if (o->repo_count == 0)
        return elfs_fail(err, ELFS_BADARG,
                         "--repo NAME=PATH is missing: which database is to be served?");
    return ELFS_OK;
}

enum elfs_code elfs_options_parse(struct elfs_options *options, int argc, char **argv,
                                  struct elfs_error *err) {
    int rest = argc;
    set_defaults(options);
    enum elfs_code code = elfs_cli_parse(table, TABLE_SIZE, options, argc, argv, &rest, err);
    if (code != ELFS_OK) return code;
    if (rest < argc)
        return elfs_fail(err, ELFS_BADARG, "'%s' is no option; --help lists them", argv[rest]);
    derive_limits(options);
    return check_required(options, err);
}

enum elfs_code elfs_options_check_file(const struct elfs_options *options, size_t i,
                                       struct elfs_error *err) {
    const struct elfs_repo_option *repo = &options->repos[i];
    struct stat file;
    struct stat other;
    if (elfs_litefs_holds(&options->litefs, repo->path) || stat(repo->path, &file) != 0)
        return ELFS_OK;
    for (const struct elfs_repo_option *r = options->repos; r < repo; r++) {
        if (elfs_litefs_holds(&options->litefs, r->path) || stat(r->path, &other) != 0) continue;
        if (file.st_dev == other.st_dev && file.st_ino == other.st_ino)
            return elfs_fail(
                err, ELFS_BADARG,
                "the repos %s and %s have the same file, as %s and as %s: one writer a file",
                r->name, repo->name, r->path, repo->path);
    }
    return ELFS_OK;
}

void elfs_options_fini(struct elfs_options *options) {
    for (size_t i = 0; i < options->repo_count; i++) elfs_free(options->repos[i].name);
    options->repo_count = 0;
}

void elfs_options_print_help(FILE *out) {
    fputs("ecto_litefs_node: serves writes on local SQLite files to an Erlang cluster.\n\n"
          "usage: ecto_litefs_node --name NAME@HOST --repo NAME=PATH [option ...]\n\n",
          out);
    elfs_cli_print_help(table, TABLE_SIZE, 32, out);
    fputs("\nExit codes: 0 done, 1 could not start or run, 2 wrong use.\n", out);
}
