/* options - the command line of ecto_litefs_node. */
#ifndef ELFS_NODE_OPTIONS_H
#define ELFS_NODE_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "node/handshake.h"
#include "node/litefs.h"
#include "store/store.h"

#define ELFS_REPOS_MAX 64
#define ELFS_PEERS_MAX 64

struct elfs_repo_option {
    char *name; /* without "Elixir." */
    const char *path;
};

struct elfs_options {
    bool help;
    bool version;
    bool check;
    char name[ELFS_NODE_NAME_MAX]; /* "alive@host" */
    const char *cookie_file;       /* NULL: ~/.erlang.cookie */
    struct elfs_repo_option repos[ELFS_REPOS_MAX];
    size_t repo_count;
    struct in_addr listen_addr;
    uint16_t listen_port;
    const char *connect[ELFS_PEERS_MAX];
    size_t connect_count;
    bool hidden;
    bool no_epmd;
    const char *poller; /* NULL: the best */
    enum elfs_log_level log_level;
    struct elfs_store_config store;   /* all but the path */
    struct elfs_litefs_config litefs; /* all but the tracked path */
    int64_t statement_timeout_ms;
    int64_t tx_idle_timeout_ms;
    int64_t tx_total_timeout_ms;
    int64_t max_frame;
    int64_t max_result;
    int64_t max_queue;
    int64_t max_queue_bytes;
    int64_t max_connections;
    int64_t max_output;
    int64_t max_handshakes;
    int64_t handshake_timeout_ms;
    int64_t tick_time_s;
};

/* Fills options from argv (whose strings it borrows). ELFS_BADARG with one clear sentence for wrong
 * use. With --help or --version nothing else is required. Free with elfs_options_fini in any case.
 */
enum elfs_code elfs_options_parse(struct elfs_options *options, int argc, char **argv,
                                  struct elfs_error *err);
void elfs_options_fini(struct elfs_options *options);

/* ELFS_BADARG if the i-th repo has the file of one before it under another name (a link, another spelling). Those
 * before it are there by now. What is LiteFS's is not looked at: it may hang. */
enum elfs_code elfs_options_check_file(const struct elfs_options *options, size_t i,
                                       struct elfs_error *err);

void elfs_options_print_help(FILE *out);

#endif
