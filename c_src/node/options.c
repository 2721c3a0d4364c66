/* options - see options.h. One table describes every option: parsing and --help both come from it.
 */
#include "node/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ei/net.h"

#define MIB (INT64_C(1024) * 1024)
#define HOUR_MS (INT64_C(3600) * 1000)

typedef enum elfs_code (*option_fn)(struct elfs_options *o, const char *value,
                                    struct elfs_error *err);

/* An option is a flag (a bool at flag_at), a number (an int64_t at number_at within min..max), or
 * has a function of its own. */
struct option_spec {
    const char *name;
    const char *value; /* what to_help calls its value; NULL for a flag */
    const char *help;
    option_fn set;
    size_t at;
    int64_t min, max, initial;
};

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

static enum elfs_code set_name(struct elfs_options *o, const char *value, struct elfs_error *err) {
    const char *at = strchr(value, '@');
    if (!at || !strchr(at, '.'))
        return elfs_fail(err, ELFS_BADARG,
                         "--name needs NAME@HOST with a dot in HOST, such as litefs@10.0.0.1 "
                         "(--sname is for short names)");
    return copy_name(o, value, (size_t)(at - value), at + 1, err);
}

static enum elfs_code set_sname(struct elfs_options *o, const char *value, struct elfs_error *err) {
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

static enum elfs_code set_cookie_file(struct elfs_options *o, const char *value,
                                      struct elfs_error *err) {
    (void)err;
    o->cookie_file = value;
    return ELFS_OK;
}

static enum elfs_code set_repo(struct elfs_options *o, const char *value, struct elfs_error *err) {
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

static enum elfs_code set_listen(struct elfs_options *o, const char *value,
                                 struct elfs_error *err) {
    return elfs_net_parse_listen(value, &o->listen_addr, &o->listen_port, err);
}

static enum elfs_code set_connect(struct elfs_options *o, const char *value,
                                  struct elfs_error *err) {
    const char *at = strchr(value, '@');
    if (!at || at == value || at[1] == '\0' || strlen(value) > 255)
        return elfs_fail(err, ELFS_BADARG, "--connect needs a node, such as app@10.0.0.2");
    if (o->connect_count == ELFS_PEERS_MAX)
        return elfs_fail(err, ELFS_BADARG, "at most %d --connect options", ELFS_PEERS_MAX);
    o->connect[o->connect_count++] = value;
    return ELFS_OK;
}

static enum elfs_code set_primary_file(struct elfs_options *o, const char *value,
                                       struct elfs_error *err) {
    if (value[0] != '/')
        return elfs_fail(err, ELFS_BADARG,
                         "--primary-file needs an absolute path, as /litefs/.primary");
    o->litefs.primary_file = value;
    return ELFS_OK;
}

static enum elfs_code set_event_stream_url(struct elfs_options *o, const char *value,
                                           struct elfs_error *err) {
    bool off = strcmp(value, "off") == 0;
    if (!off && strncmp(value, "http://", 7) != 0)
        return elfs_fail(err, ELFS_BADARG, "--event-stream-url is http://... or off");
    o->litefs.event_stream_url = off ? NULL : value;
    return ELFS_OK;
}

static enum elfs_code set_table_name(struct elfs_options *o, const char *value,
                                     struct elfs_error *err) {
    size_t len = strlen(value);
    bool ok = len > 0 && len <= 64 && !isdigit((unsigned char)value[0]);
    for (size_t i = 0; i < len; i++)
        ok = ok && (isalnum((unsigned char)value[i]) || value[i] == '_');
    if (!ok) return elfs_fail(err, ELFS_BADARG, "--table-name is a name of letters, digits and _");
    o->litefs.table_name = value;
    return ELFS_OK;
}

static enum elfs_code set_poller(struct elfs_options *o, const char *value,
                                 struct elfs_error *err) {
    if (strcmp(value, "epoll") != 0 && strcmp(value, "poll") != 0)
        return elfs_fail(err, ELFS_BADARG, "--poller is epoll or poll");
    o->poller = value;
    return ELFS_OK;
}

static enum elfs_code set_log_level(struct elfs_options *o, const char *value,
                                    struct elfs_error *err) {
    if (!elfs_log_level_parse(value, &o->log_level))
        return elfs_fail(err, ELFS_BADARG, "--log-level is error, warning, info or debug");
    return ELFS_OK;
}

static enum elfs_code set_synchronous(struct elfs_options *o, const char *value,
                                      struct elfs_error *err) {
    if (strcmp(value, "normal") != 0 && strcmp(value, "full") != 0)
        return elfs_fail(err, ELFS_BADARG, "--synchronous is normal or full");
    o->store.synchronous = value[0] == 'f' ? ELFS_SYNC_FULL : ELFS_SYNC_NORMAL;
    return ELFS_OK;
}

static enum elfs_code parse_number(const char *name, const char *value, int64_t min, int64_t max,
                                   int64_t *number, struct elfs_error *err) {
    char *end;
    long long parsed = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || parsed < min || parsed > max)
        return elfs_fail(err, ELFS_BADARG, "%s is a number from %lld to %lld, not '%s'", name,
                         (long long)min, (long long)max, value);
    *number = parsed;
    return ELFS_OK;
}

static enum elfs_code set_busy_timeout(struct elfs_options *o, const char *value,
                                       struct elfs_error *err) {
    int64_t number = 0;
    enum elfs_code code = parse_number("--busy-timeout", value, 0, HOUR_MS, &number, err);
    if (code == ELFS_OK) o->store.busy_timeout_ms = (int)number;
    return code;
}

static enum elfs_code set_statement_cache(struct elfs_options *o, const char *value,
                                          struct elfs_error *err) {
    int64_t number = 0;
    enum elfs_code code = parse_number("--statement-cache", value, 1, 10000, &number, err);
    if (code == ELFS_OK) o->store.statement_cache = (int)number;
    return code;
}

#define AT(field) .at = offsetof(struct elfs_options, field)

static const struct option_spec specs[] = {
    {"--name", "NAME@HOST", "long node name, as erl -name", .set = set_name},
    {"--sname", "NAME", "short node name, as erl -sname", .set = set_sname},
    {"--cookie-file", "FILE", "the cookie's file (~/.erlang.cookie)", .set = set_cookie_file},
    {"--repo", "NAME=PATH", "serve this database; may be given again", .set = set_repo},
    {"--listen", "ADDR[:PORT]", "IPv4 address to listen on (0.0.0.0:0, any port)",
     .set = set_listen},
    {"--primary-file", "FILE", "LiteFS's .primary; its folder is the mount (/litefs/.primary)",
     .set = set_primary_file},
    {"--poll-interval", "MS", "look at LiteFS's files so often, 0: never (30000)", NULL,
     AT(litefs.poll_interval_ms), 0, HOUR_MS, 30000},
    {"--event-stream-url", "URL|off", "LiteFS's events (http://localhost:20202/events)",
     .set = set_event_stream_url},
    {"--table-name", "NAME", "the tracker's table (_ecto_litefs_primary)", .set = set_table_name},
    {"--connect", "NODE", "join the cluster through this node; may be given again",
     .set = set_connect},
    {"--hidden", NULL, "a hidden node: not in nodes()", AT(hidden)},
    {"--no-epmd", NULL, "do not register with EPMD", AT(no_epmd)},
    {"--synchronous", "normal|full", "SQLite's synchronous (full)", .set = set_synchronous},
    {"--busy-timeout", "MS", "wait for another process's lock (5000)", .set = set_busy_timeout},
    {"--statement-cache", "N", "prepared statements kept a connection (128)",
     .set = set_statement_cache},
    {"--statement-timeout", "MS", "a request's longest run (15000)", NULL, AT(statement_timeout_ms),
     1, HOUR_MS, 15000},
    {"--tx-idle-timeout", "MS", "an interactive transaction's longest pause (5000)", NULL,
     AT(tx_idle_timeout_ms), 1, HOUR_MS, 5000},
    {"--tx-total-timeout", "MS", "an interactive transaction's longest life (15000)", NULL,
     AT(tx_total_timeout_ms), 1, HOUR_MS, 15000},
    {"--keep-requests", "N", "results kept for repeats of requests (100000)", NULL,
     AT(store.keep_requests), 1000, 100000000, 100000},
    {"--keep-requests-time", "MS", "for so long (3600000)", NULL, AT(store.keep_requests_ms),
     60 * 1000, 24 * 30 * HOUR_MS, HOUR_MS},
    {"--max-frame", "BYTES", "largest message from a peer (64 MiB)", NULL, AT(max_frame), 65536,
     1024 * MIB, 64 * MIB},
    {"--max-result", "BYTES", "largest result (64 MiB)", NULL, AT(max_result), 1024, 1024 * MIB,
     64 * MIB},
    {"--max-queue", "N", "requests waiting a database, then busy (10000)", NULL, AT(max_queue), 1,
     1000000, 10000},
    {"--max-queue-bytes", "BYTES", "their bytes, then busy (256 MiB)", NULL, AT(max_queue_bytes),
     65536, 16384 * MIB, 256 * MIB},
    {"--max-connections", "N", "peers at once (4096)", NULL, AT(max_connections), 1, 100000, 4096},
    {"--max-output", "BYTES", "replies a peer may leave unread (256 MiB)", NULL, AT(max_output),
     65536, 4095 * MIB, 256 * MIB},
    {"--max-handshakes", "N", "handshakes at once (32)", NULL, AT(max_handshakes), 1, 1024, 32},
    {"--handshake-timeout", "MS", "a handshake's longest run (7000)", NULL,
     AT(handshake_timeout_ms), 10, HOUR_MS, 7000},
    {"--tick-time", "SECONDS", "a silent peer is dropped after it (60)", NULL, AT(tick_time_s), 1,
     3600, 60},
    {"--poller", "epoll|poll", "how to wait for sockets (the best here)", .set = set_poller},
    {"--log-level", "LEVEL", "error, warning, info or debug (info)", .set = set_log_level},
    {"--check", NULL, "check the options and the databases, then exit", AT(check)},
    {"--help", NULL, "this text", AT(help)},
    {"--version", NULL, "the version", AT(version)},
};

#define SPEC_COUNT (sizeof specs / sizeof *specs)

static const struct option_spec *find_spec(const char *name, size_t len) {
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        if (strlen(specs[i].name) == len && memcmp(specs[i].name, name, len) == 0) return &specs[i];
    }
    return NULL;
}

static void set_defaults(struct elfs_options *o) {
    *o = (struct elfs_options){.listen_addr.s_addr = htonl(INADDR_ANY), .log_level = ELFS_LOG_INFO};
    elfs_store_config_default(&o->store);
    o->litefs.primary_file = "/litefs/.primary";
    o->litefs.event_stream_url = "http://localhost:20202/events";
    o->litefs.table_name = "_ecto_litefs_primary";
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        if (specs[i].max != 0) memcpy((char *)o + specs[i].at, &specs[i].initial, sizeof(int64_t));
    }
}

static enum elfs_code set_option(struct elfs_options *o, const struct option_spec *spec,
                                 const char *value, struct elfs_error *err) {
    if (spec->set) return spec->set(o, value, err);
    if (!spec->value) {
        *(bool *)((char *)o + spec->at) = true;
        return ELFS_OK;
    }
    int64_t number = 0;
    enum elfs_code code = parse_number(spec->name, value, spec->min, spec->max, &number, err);
    if (code == ELFS_OK) memcpy((char *)o + spec->at, &number, sizeof number);
    return code;
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
    set_defaults(options);
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const char *equals = strchr(arg, '=');
        const struct option_spec *spec = find_spec(arg, strlen(arg));
        const char *value = NULL;
        if (!spec && equals) {
            spec = find_spec(arg, (size_t)(equals - arg));
            value = equals + 1;
        }
        if (!spec)
            return elfs_fail(err, ELFS_BADARG, "unknown option '%s'; --help lists them", arg);
        if (!spec->value && value)
            return elfs_fail(err, ELFS_BADARG, "%s takes no value", spec->name);
        if (spec->value && !value) {
            if (i + 1 == argc)
                return elfs_fail(err, ELFS_BADARG, "%s needs a value: %s", spec->name, spec->value);
            value = argv[++i];
        }
        enum elfs_code code = set_option(options, spec, value, err);
        if (code != ELFS_OK) return code;
    }
    derive_limits(options);
    return check_required(options, err);
}

void elfs_options_fini(struct elfs_options *options) {
    for (size_t i = 0; i < options->repo_count; i++) elfs_free(options->repos[i].name);
    options->repo_count = 0;
}

void elfs_options_print_help(FILE *out) {
    fputs("ecto_litefs_node: serves writes on local SQLite files to an Erlang cluster.\n\n"
          "usage: ecto_litefs_node --name NAME@HOST --repo NAME=PATH [option ...]\n\n",
          out);
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        char left[48];
        snprintf(left, sizeof left, "%s %s", specs[i].name, specs[i].value ? specs[i].value : "");
        fprintf(out, "  %-32s %s\n", left, specs[i].help);
    }
    fputs("\nExit codes: 0 done, 1 could not start or run, 2 wrong use.\n", out);
}
