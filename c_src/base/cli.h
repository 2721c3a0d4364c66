/* cli - a command's options, as a table of them tells: parsing and --help both come from it.
 *
 * --name=value, --name value, and --name alone for a flag. What does not begin with --, or follows
 * a lone --, is the command's own affair.
 */
#ifndef ELFS_BASE_CLI_H
#define ELFS_BASE_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum elfs_cli_kind {
    ELFS_CLI_FLAG,   /* a bool */
    ELFS_CLI_TEXT,   /* a const char *, argv's */
    ELFS_CLI_NUMBER, /* an int64_t within min..max */
    ELFS_CLI_OWN,    /* set is called */
};

struct elfs_cli_option {
    const char *name;  /* with its -- */
    const char *value; /* what --help calls its value; NULL for a flag */
    const char *help;
    enum elfs_cli_kind kind;
    size_t at; /* where in the command's options, unless it has a set */
    int64_t min, max, initial;
    enum elfs_code (*set)(void *options, const char *value, struct elfs_error *err);
};

/* Fills options, numbers that are not given with their initial value. *rest is the index of the first
 * argument that is not an option's; argc if there is none. ELFS_BADARG with one clear sentence for wrong
 * use. */
enum elfs_code elfs_cli_parse(const struct elfs_cli_option *table, size_t count, void *options,
                              int argc, char **argv, int *rest, struct elfs_error *err);

/* ELFS_BADARG unless the whole value is a decimal number within min..max. */
enum elfs_code elfs_cli_number(const char *name, const char *value, int64_t min, int64_t max,
                               int64_t *number, struct elfs_error *err);

/* A line for each option, their helps in the column `width`. */
void elfs_cli_print_help(const struct elfs_cli_option *table, size_t count, int width, FILE *out);

#endif
