/* ecto_litefs_node - the C node's program: arguments in, exit code out. */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ei/cookie.h"
#include "node/node.h"
#include "node/options.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

static int complain(const struct elfs_error *err, int exit_code) {
    fprintf(stderr, "ecto_litefs_node: %s\n", err->message);
    return exit_code;
}

/* A database of LiteFS's may be a replica's: it is only read, and may come later. */
static enum elfs_code check_repo(const struct elfs_options *options, const char *path,
                                 struct elfs_error *err) {
    struct elfs_store_config config = options->store;
    config.path = path;
    config.read_only = elfs_litefs_holds(&options->litefs, path);
    if (config.read_only && access(path, F_OK) != 0) {
        printf("%s is not there yet: it is opened when LiteFS has it\n", path);
        return ELFS_OK;
    }
    return elfs_store_check(&config, err);
}

/* What --check does: everything that can be looked at without joining the cluster. */
static enum elfs_code check(const struct elfs_options *options, struct elfs_error *err) {
    for (size_t i = 0; i < options->repo_count; i++) {
        enum elfs_code code = elfs_options_check_file(options, i, err);
        if (code == ELFS_OK) code = check_repo(options, options->repos[i].path, err);
        if (code != ELFS_OK) return code;
    }
    printf("ok: %s, %zu repo(s)\n", options->name, options->repo_count);
    return ELFS_OK;
}

static int run(const struct elfs_options *options) {
    struct elfs_error err;
    char cookie[ELFS_COOKIE_MAX];
    elfs_error_clear(&err);
    if (elfs_cookie_read(options->cookie_file, cookie, &err) != ELFS_OK)
        return complain(&err, EXIT_FAILED);
    enum elfs_code code =
        options->check ? check(options, &err) : elfs_node_run(options, cookie, &err);
    return code == ELFS_OK ? EXIT_DONE : complain(&err, EXIT_FAILED);
}

int main(int argc, char **argv) {
    struct elfs_options *options = elfs_malloc(sizeof *options);
    struct elfs_error err;
    int exit_code = EXIT_DONE;
    if (!options) return EXIT_FAILED;
    if (elfs_options_parse(options, argc, argv, &err) != ELFS_OK) {
        exit_code = complain(&err, EXIT_WRONG_USE);
    } else if (options->help) {
        elfs_options_print_help(stdout);
    } else if (options->version) {
        printf("ecto_litefs_node %s\n", ELFS_VERSION);
    } else {
        elfs_log_set_level(options->log_level);
        exit_code = run(options);
    }
    elfs_options_fini(options);
    elfs_free(options);
    return exit_code;
}
