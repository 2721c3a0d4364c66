/* cli - see cli.h. */
#include "base/cli.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct elfs_cli_option *find(const struct elfs_cli_option *table, size_t count,
                                          const char *name, size_t len) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0) return &table[i];
    }
    return NULL;
}

enum elfs_code elfs_cli_number(const char *name, const char *value, int64_t min, int64_t max,
                               int64_t *number, struct elfs_error *err) {
    char *end;
    errno = 0;
    long long parsed = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || parsed < min || parsed > max)
        return elfs_fail(err, ELFS_BADARG, "%s is a number from %lld to %lld, not '%s'", name,
                         (long long)min, (long long)max, value);
    *number = parsed;
    return ELFS_OK;
}

static enum elfs_code set(const struct elfs_cli_option *option, void *options, const char *value,
                          struct elfs_error *err) {
    char *field = (char *)options + option->at;
    switch (option->kind) {
    case ELFS_CLI_FLAG: *(bool *)field = true; return ELFS_OK;
    case ELFS_CLI_TEXT: *(const char **)(void *)field = value; return ELFS_OK;
    case ELFS_CLI_NUMBER:
        return elfs_cli_number(option->name, value, option->min, option->max,
                               (int64_t *)(void *)field, err);
    case ELFS_CLI_OWN: break;
    }
    return option->set(options, value, err);
}

static void set_initial(const struct elfs_cli_option *table, size_t count, void *options) {
    for (size_t i = 0; i < count; i++) {
        if (table[i].kind == ELFS_CLI_NUMBER)
            *(int64_t *)(void *)((char *)options + table[i].at) = table[i].initial;
    }
}

enum elfs_code elfs_cli_parse(const struct elfs_cli_option *table, size_t count, void *options,
                              int argc, char **argv, int *rest, struct elfs_error *err) {
    int i = 1;
    set_initial(table, count, options);
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--") == 0) {
            i++;
            break;
        }
        size_t name_len = strcspn(arg, "=");
        const char *value = arg[name_len] == '=' ? arg + name_len + 1 : NULL;
        const struct elfs_cli_option *option = find(table, count, arg, name_len);
        if (!option)
            return elfs_fail(err, ELFS_BADARG, "unknown option '%s'; --help lists them", arg);
        if (option->kind == ELFS_CLI_FLAG && value)
            return elfs_fail(err, ELFS_BADARG, "%s takes no value", option->name);
        if (option->kind != ELFS_CLI_FLAG && !value) {
            if (i + 1 == argc)
                return elfs_fail(err, ELFS_BADARG, "%s needs a value: %s", option->name,
                                 option->value);
            value = argv[++i];
        }
        enum elfs_code code = set(option, options, value, err);
        if (code != ELFS_OK) return code;
    }
    *rest = i;
    return ELFS_OK;
}

void elfs_cli_print_help(const struct elfs_cli_option *table, size_t count, int width, FILE *out) {
    for (size_t i = 0; i < count; i++) {
        int rest = width - (int)strlen(table[i].name) - 1;
        fprintf(out, "  %s %-*s %s\n", table[i].name, rest, table[i].value ? table[i].value : "",
                table[i].help);
    }
}
