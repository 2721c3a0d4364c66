/* A command's options, read as its table tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cli.h"

struct wanted {
    bool flag;
    const char *text;
    int64_t number;
    char own[16];
};

static enum elfs_code set_own(void *to, const char *value, struct elfs_error *err) {
    struct wanted *wanted = to;
    if (strlen(value) >= sizeof wanted->own)
        return elfs_fail(err, ELFS_BADARG, "--own is too long");
    strcpy(wanted->own, value);
    return ELFS_OK;
}

#define AT(field) .at = offsetof(struct wanted, field)

static const struct elfs_cli_option table[] = {
    {"--flag", NULL, "is set", ELFS_CLI_FLAG, AT(flag)},
    {"--text", "TEXT", "is argv's", ELFS_CLI_TEXT, AT(text)},
    {"--number", "N", "from -5 to 5", ELFS_CLI_NUMBER, AT(number), .min = -5, .max = 5,
     .initial = 3},
    {"--own", "O", "has a function", ELFS_CLI_OWN, .set = set_own},
};

#define TABLE_SIZE (sizeof table / sizeof *table)

static struct elfs_error err;
static int rest;

/* Up to the first NULL. */
static enum elfs_code parse(struct wanted *wanted, char *arg1, char *arg2, char *arg3, char *arg4) {
    char *argv[] = {"command", arg1, arg2, arg3, arg4, NULL};
    int argc = 0;
    while (argv[argc]) argc++;
    *wanted = (struct wanted){0};
    rest = -1;
    return elfs_cli_parse(table, TABLE_SIZE, wanted, argc, argv, &rest, &err);
}

static void nothing(void **state) {
    struct wanted wanted;
    (void)state;
    assert_int_equal(parse(&wanted, NULL, NULL, NULL, NULL), ELFS_OK);
    assert_int_equal(wanted.number, 3);
    assert_null(wanted.text);
    assert_false(wanted.flag);
    assert_int_equal(rest, 1);
}

static void values_follow_or_are_joined(void **state) {
    struct wanted wanted;
    (void)state;
    assert_int_equal(parse(&wanted, "--text", "--flag", "--number=-5", "--flag"), ELFS_OK);
    assert_string_equal(wanted.text, "--flag");
    assert_int_equal(wanted.number, -5);
    assert_true(wanted.flag);
    assert_int_equal(rest, 5);
    assert_int_equal(parse(&wanted, "--text=a=b", "--own=", NULL, NULL), ELFS_OK);
    assert_string_equal(wanted.text, "a=b");
    assert_string_equal(wanted.own, "");
}

static void the_rest_is_the_commands(void **state) {
    struct wanted wanted;
    (void)state;
    assert_int_equal(parse(&wanted, "--flag", "a", "--number=4", NULL), ELFS_OK);
    assert_int_equal(rest, 2);
    assert_int_equal(wanted.number, 3);
    assert_int_equal(parse(&wanted, "--", "--flag", NULL, NULL), ELFS_OK);
    assert_int_equal(rest, 2);
    assert_false(wanted.flag);
    assert_int_equal(parse(&wanted, "-", NULL, NULL, NULL), ELFS_OK);
    assert_int_equal(rest, 1);
}

static void refused(char *arg1, char *arg2, const char *message) {
    struct wanted wanted;
    assert_int_equal(parse(&wanted, arg1, arg2, NULL, NULL), ELFS_BADARG);
    assert_string_equal(err.message, message);
}

static void wrong_use(void **state) {
    (void)state;
    refused("--fla", NULL, "unknown option '--fla'; --help lists them");
    refused("--flags", NULL, "unknown option '--flags'; --help lists them");
    refused("--=x", NULL, "unknown option '--=x'; --help lists them");
    refused("--flag=yes", NULL, "--flag takes no value");
    refused("--text", NULL, "--text needs a value: TEXT");
    refused("--own", "0123456789abcdef", "--own is too long");
    refused("--number", "6", "--number is a number from -5 to 5, not '6'");
    refused("--number", "-6", "--number is a number from -5 to 5, not '-6'");
    refused("--number", "", "--number is a number from -5 to 5, not ''");
    refused("--number", "1x", "--number is a number from -5 to 5, not '1x'");
    int64_t number = 0;
    assert_int_equal(
        elfs_cli_number("--n", "9223372036854775808", INT64_MIN, INT64_MAX, &number, &err),
        ELFS_BADARG);
}

static void help_is_in_columns(void **state) {
    char text[512] = "";
    (void)state;
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    elfs_cli_print_help(table, TABLE_SIZE, 14, out);
    fclose(out);
    assert_string_equal(text, "  --flag         is set\n"
                              "  --text TEXT    is argv's\n"
                              "  --number N     from -5 to 5\n"
                              "  --own O        has a function\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(values_follow_or_are_joined),
        cmocka_unit_test(the_rest_is_the_commands),
        cmocka_unit_test(wrong_use),
        cmocka_unit_test(help_is_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
