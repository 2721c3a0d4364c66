/* call_options - see call_options.h. One table describes every option: parsing and --help both come
 * from it.
 */
#include "app/call_options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct option_spec {
    const char *name;
    const char *value; /* what --help calls its value; NULL for a flag */
    const char *help;
    enum elfs_code (*set)(struct elfs_call_options *o, const char *value, struct elfs_error *err);
    size_t at; /* without set: a bool, or a const char *, of elfs_call_options */
};

static enum elfs_code set_node(struct elfs_call_options *o, const char *value,
                               struct elfs_error *err) {
    if (o->node_count == ELFS_CALL_NODES_MAX)
        return elfs_fail(err, ELFS_BADARG, "at most %d --node options", ELFS_CALL_NODES_MAX);
    o->nodes[o->node_count++] = value;
    return ELFS_OK;
}

static enum elfs_code set_timeout(struct elfs_call_options *o, const char *value,
                                  struct elfs_error *err) {
    char *end;
    long long ms = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || ms < 1 || ms > 3600 * 1000)
        return elfs_fail(err, ELFS_BADARG, "--timeout is a number from 1 to 3600000, not '%s'",
                         value);
    o->timeout_ms = ms;
    return ELFS_OK;
}

static enum elfs_code set_key(struct elfs_call_options *o, const char *value,
                              struct elfs_error *err) {
    if (value[0] == '\0' || strlen(value) > ELFS_CLIENT_KEY_MAX)
        return elfs_fail(err, ELFS_BADARG, "--key has 1 to %d bytes", ELFS_CLIENT_KEY_MAX);
    o->key = value;
    return ELFS_OK;
}

#define AT(field) .at = offsetof(struct elfs_call_options, field)

static const struct option_spec specs[] = {
    {"--node", "NODE", "a C node of the cluster, the nearest first; may be given again",
     .set = set_node},
    {"--name", "NAME@HOST", "our own node name (made up)", AT(name)},
    {"--cookie-file", "FILE", "the cookie's file (~/.erlang.cookie)", AT(cookie_file)},
    {"--timeout", "MS", "for the whole call (15000)", .set = set_timeout},
    {"--key", "TEXT", "the request's key: what was run under it is not run again", .set = set_key},
    {"--once", NULL, "without a key: not repeated once it may have run", AT(once)},
    {"--any-node", NULL, "for what only reads: the first node that answers", AT(any_node)},
    {"--header", NULL, "print the columns' names first", AT(header)},
    {"--verbose", NULL, "say on stderr what was changed", AT(verbose)},
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

static enum elfs_code set_option(struct elfs_call_options *o, const struct option_spec *spec,
                                 const char *value, struct elfs_error *err) {
    if (spec->set) return spec->set(o, value, err);
    if (spec->value) {
        memcpy((char *)o + spec->at, &value, sizeof value);
    } else {
        *(bool *)((char *)o + spec->at) = true;
    }
    return ELFS_OK;
}

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
    int i = 1;
    *options = (struct elfs_call_options){0};
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--") == 0) {
            i++;
            break;
        }
        const char *equals = strchr(arg, '=');
        const char *value = equals ? equals + 1 : NULL;
        const struct option_spec *spec =
            find_spec(arg, equals ? (size_t)(equals - arg) : strlen(arg));
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
    return read_rest(options, argc - i, argv + i, err);
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
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        char left[48];
        snprintf(left, sizeof left, "%s %s", specs[i].name, specs[i].value ? specs[i].value : "");
        fprintf(out, "  %-24s %s\n", left, specs[i].help);
    }
    fputs("\nPARAM stands for ?, ?1, ... and is a text, or int:N, real:X, blob:HEX, null: or "
          "text:TEXT.\n"
          "Rows are printed a line each, columns with a tab between them; a tab, a newline, a "
          "carriage\nreturn and a backslash in a value are \\t, \\n, \\r and \\\\, NULL is \\N.\n"
          "\nExit codes: 0 done, 1 could not start, 2 wrong use; 3 refused, 4 no primary, "
          "5 no node reached:\nnothing was written; 6 whether it was written is unknown.\n",
          out);
}
