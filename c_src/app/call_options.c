/* call_options - see call_options.h. */
#include "app/call_options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cli.h"

static enum elfs_code set_node(void *to, const char *value, struct elfs_error *err) {
    struct elfs_call_options *o = to;
    if (o->node_count == ELFS_CALL_NODES_MAX)
        return elfs_fail(err, ELFS_BADARG, "at most %d --node options", ELFS_CALL_NODES_MAX);
    o->nodes[o->node_count++] = value;
    return ELFS_OK;
}

static enum elfs_code set_key(void *to, const char *value, struct elfs_error *err) {
    struct elfs_call_options *o = to;
    if (value[0] == '\0' || strlen(value) > ELFS_CLIENT_KEY_MAX)
        return elfs_fail(err, ELFS_BADARG, "--key has 1 to %d bytes", ELFS_CLIENT_KEY_MAX);
    o->key = value;
    return ELFS_OK;
}

#define AT(field) .at = offsetof(struct elfs_call_options, field)
#define FLAG(field) ELFS_CLI_FLAG, AT(field)
#define TEXT(field) ELFS_CLI_TEXT, AT(field)
#define OWN(function) ELFS_CLI_OWN, .set = (function)

static const struct elfs_cli_option table[] = {
    {"--node", "NODE", "a C node of the cluster, the nearest first; may be given again",
     OWN(set_node)},
    {"--name", "NAME@HOST", "our own node name (made up)", TEXT(name)},
    {"--cookie-file", "FILE", "the cookie's file (~/.erlang.cookie)", TEXT(cookie_file)},
    {"--timeout", "MS", "for the whole call (15000)", ELFS_CLI_NUMBER, AT(timeout_ms), .min = 1,
     .max = 3600 * 1000, .initial = 15000},
    {"--key", "TEXT", "the request's key: what was run under it is not run again", OWN(set_key)},
    {"--once", NULL, "without a key: not repeated once it may have run", FLAG(once)},
    {"--any-node", NULL, "for what only reads: the first node that answers", FLAG(any_node)},
    {"--header", NULL, "print the columns' names first", FLAG(header)},
    {"--verbose", NULL, "say on stderr what was changed", FLAG(verbose)},
    {"--help", NULL, "this text", FLAG(help)},
    {"--version", NULL, "the version", FLAG(version)},
};

#define TABLE_SIZE (sizeof table / sizeof *table)

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Decodes in place: argv is ours to change. */
static enum elfs_code read_blob(char *text, struct elfs_client_value *value,
                                struct elfs_error *err) {
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (high < 0 || low < 0)
            return elfs_fail(err, ELFS_BADARG, "blob: takes pairs of hexadecimal digits");
        text[i / 2] = (char)(high << 4 | low);
    }
    *value = elfs_client_blob(text, len / 2);
    return ELFS_OK;
}

static enum elfs_code read_param(char *text, struct elfs_client_value *value,
                                 struct elfs_error *err) {
    char *end;
    *value = elfs_client_text(text);
    errno = 0;
    if (strcmp(text, "null:") == 0) {
        *value = elfs_client_null();
    } else if (strncmp(text, "text:", 5) == 0) {
        *value = elfs_client_text(text + 5);
    } else if (strncmp(text, "blob:", 5) == 0) {
        return read_blob(text + 5, value, err);
    } else if (strncmp(text, "int:", 4) == 0) {
        *value = elfs_client_int(strtoll(text + 4, &end, 10));
        if (end == text + 4 || *end != '\0' || errno != 0)
            return elfs_fail(err, ELFS_BADARG, "'%s' is no integer of 64 bits", text);
    } else if (strncmp(text, "real:", 5) == 0) {
        *value = elfs_client_real(strtod(text + 5, &end));
        if (end == text + 5 || *end != '\0' || !isfinite(value->as.real))
            return elfs_fail(err, ELFS_BADARG, "'%s' is no finite number", text);
    }
    return ELFS_OK;
}

/* REPO SQL [PARAM...] */
static enum elfs_code read_rest(struct elfs_call_options *o, int count, char **rest,
                                struct elfs_error *err) {
    if (o->help || o->version) return ELFS_OK;
    if (o->node_count == 0) return elfs_fail(err, ELFS_BADARG, "--node NODE is missing");
    if (o->once && o->key) return elfs_fail(err, ELFS_BADARG, "--key and --once: one of them");
    if (count < 2) return elfs_fail(err, ELFS_BADARG, "REPO and SQL are missing; see --help");
    o->repo = rest[0];
    o->sql = rest[1];
    o->param_count = (size_t)count - 2;
    o->params = elfs_calloc(o->param_count + 1, sizeof *o->params);
    if (!o->params) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    for (size_t i = 0; i < o->param_count; i++) {
        enum elfs_code code = read_param(rest[i + 2], &o->params[i], err);
        if (code != ELFS_OK) return code;
    }
    return ELFS_OK;
}

enum elfs_code elfs_call_options_parse(struct elfs_call_options *options, int argc, char **argv,
                                       struct elfs_error *err) {
    int rest = argc;
    *options = (struct elfs_call_options){0};
    enum elfs_code code = elfs_cli_parse(table, TABLE_SIZE, options, argc, argv, &rest, err);
    if (code != ELFS_OK) return code;
    return read_rest(options, argc - rest, argv + rest, err);
}

void elfs_call_options_fini(struct elfs_call_options *options) {
    elfs_free(options->params);
    options->params = NULL;
}

void elfs_call_options_print_help(FILE *out) {
    fputs(
        "ecto_litefs_call: runs a statement on the primary of a cluster of EctoLiteFS C nodes.\n\n"
        "usage: ecto_litefs_call --node NODE [option ...] [--] REPO SQL [PARAM ...]\n\n",
        out);
    elfs_cli_print_help(table, TABLE_SIZE, 24, out);
    fputs("\nPARAM stands for ?, ?1, ... and is a text, or int:N, real:X, blob:HEX, null: or "
          "text:TEXT.\n"
          "Rows are printed a line each, columns with a tab between them; a tab, a newline, a "
          "carriage\nreturn and a backslash in a value are \\t, \\n, \\r and \\\\, NULL is \\N.\n"
          "\nExit codes: 0 done, 1 could not start, 2 wrong use; 3 refused, 4 no primary, "
          "5 no node reached:\nnothing was written; 6 whether it was written is unknown.\n",
          out);
}
