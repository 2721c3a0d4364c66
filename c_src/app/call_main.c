/* ecto_litefs_call - a statement from a shell, over the C client library. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/call_options.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_WRONG_USE = 2,
    EXIT_REFUSED = 3,
    EXIT_NO_PRIMARY = 4,
    EXIT_UNREACHABLE = 5,
    EXIT_UNKNOWN = 6,
};

static int exit_code_of(enum elfs_client_code code) {
    switch (code) {
    case ELFS_CLIENT_OK: return EXIT_DONE;
    case ELFS_CLIENT_REFUSED: return EXIT_REFUSED;
    case ELFS_CLIENT_NO_PRIMARY: return EXIT_NO_PRIMARY;
    case ELFS_CLIENT_UNREACHABLE: return EXIT_UNREACHABLE;
    case ELFS_CLIENT_UNKNOWN: return EXIT_UNKNOWN;
    case ELFS_CLIENT_BADARG: return EXIT_WRONG_USE;
    default: return EXIT_FAILED;
    }
}

/* One line: what became of it, and why. */
static int complain(const struct elfs_client_error *err) {
    fprintf(stderr, "ecto_litefs_call: %s", elfs_client_code_text(err->code));
    if (err->name[0] != '\0') fprintf(stderr, ": %s", err->name);
    if (err->extended_code != 0) fprintf(stderr, " (%d)", err->extended_code);
    if (err->message[0] != '\0') fprintf(stderr, ": %s", err->message);
    fputc('\n', stderr);
    return exit_code_of(err->code);
}

static void print_bytes(struct elfs_client_bytes bytes) {
    const char *data = bytes.data;
    for (size_t i = 0; i < bytes.len; i++) {
        switch (data[i]) {
        case '\t': fputs("\\t", stdout); break;
        case '\n': fputs("\\n", stdout); break;
        case '\r': fputs("\\r", stdout); break;
        case '\\': fputs("\\\\", stdout); break;
        default: putchar(data[i]); break;
        }
    }
}

static void print_value(struct elfs_client_value value) {
    switch (value.type) {
    case ELFS_CLIENT_NULL: fputs("\\N", stdout); break;
    case ELFS_CLIENT_INTEGER: printf("%" PRId64, value.as.integer); break;
    case ELFS_CLIENT_REAL: printf("%.17g", value.as.real); break;
    case ELFS_CLIENT_TEXT:
    case ELFS_CLIENT_BLOB: print_bytes(value.as.bytes); break;
    }
}

static void print_result(const struct elfs_call_options *options,
                         struct elfs_client_result *result) {
    size_t columns = elfs_client_result_columns(result);
    for (size_t c = 0; options->header && c < columns; c++) {
        print_bytes(elfs_client_result_name(result, c));
        putchar(c + 1 < columns ? '\t' : '\n');
    }
    while (elfs_client_result_next(result)) {
        for (size_t c = 0; c < columns; c++) {
            print_value(elfs_client_result_value(result, c));
            putchar(c + 1 < columns ? '\t' : '\n');
        }
    }
    if (!options->verbose) return;
    struct elfs_client_position position = elfs_client_result_position(result);
    fprintf(stderr, "changes=%" PRId64 " last_insert_rowid=%" PRId64 " repeated=%s",
            elfs_client_result_changes(result), elfs_client_result_last_insert_rowid(result),
            elfs_client_result_repeated(result) ? "true" : "false");
    if (position.known)
        fprintf(stderr, " position=%016" PRIx64 "/%016" PRIx64, position.txid, position.checksum);
    fputc('\n', stderr);
}

static int run(const struct elfs_call_options *options) {
    struct elfs_client_config config = {
        .name = options->name,
        .cookie_file = options->cookie_file,
        .nodes = options->nodes,
        .node_count = options->node_count,
        .timeout_ms = options->timeout_ms,
    };
    struct elfs_client_options call = {
        .key = options->key,
        .key_len = options->key ? strlen(options->key) : 0,
        .once = options->once,
        .any_node = options->any_node,
    };
    struct elfs_client_statement statement = {options->sql, options->params, options->param_count};
    struct elfs_client *client;
    struct elfs_client_result *result;
    struct elfs_client_error err;
    if (elfs_client_new(&config, &client, &err) != ELFS_CLIENT_OK) return complain(&err);
    enum elfs_client_code code =
        elfs_client_query(client, options->repo, &statement, &call, &result, &err);
    elfs_client_free(client);
    if (code != ELFS_CLIENT_OK) return complain(&err);
    print_result(options, result);
    elfs_client_result_free(result);
    if (fflush(stdout) == 0) return EXIT_DONE;
    perror("ecto_litefs_call: it is done, but the rows cannot be written");
    return EXIT_FAILED;
}

int main(int argc, char **argv) {
    struct elfs_call_options options;
    struct elfs_error err;
    int exit_code = EXIT_DONE;
    if (elfs_call_options_parse(&options, argc, argv, &err) != ELFS_OK) {
        fprintf(stderr, "ecto_litefs_call: %s\n", err.message);
        exit_code = EXIT_WRONG_USE;
    } else if (options.help) {
        elfs_call_options_print_help(stdout);
    } else if (options.version) {
        printf("ecto_litefs_call %s\n", ELFS_VERSION);
    } else {
        exit_code = run(&options);
    }
    elfs_call_options_fini(&options);
    return exit_code;
}
