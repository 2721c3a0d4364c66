/* call_options - the command line of ecto_litefs_call. */
#ifndef ELFS_APP_CALL_OPTIONS_H
#define ELFS_APP_CALL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "client/ecto_litefs.h"

#define ELFS_CALL_NODES_MAX 64

/* Texts are argv's. */
struct elfs_call_options {
    bool help;
    bool version;
    bool once;
    bool any_node;
    bool header;
    bool verbose;
    const char *name;        /* NULL: made up */
    const char *cookie_file; /* NULL: ~/.erlang.cookie */
    const char *nodes[ELFS_CALL_NODES_MAX];
    size_t node_count;
    const char *key;
    int64_t timeout_ms;
    const char *repo;
    const char *sql;
    struct elfs_client_value *params;
    size_t param_count;
};

/* Fills options from argv. ELFS_BADARG with one clear sentence for wrong use; with --help or
 * --version nothing else is required. Free with elfs_call_options_fini in any case. */
enum elfs_code elfs_call_options_parse(struct elfs_call_options *options, int argc, char **argv,
                                       struct elfs_error *err);
void elfs_call_options_fini(struct elfs_call_options *options);

void elfs_call_options_print_help(FILE *out);

#endif
