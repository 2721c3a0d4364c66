/* The command line: defaults, every kind of option, and wrong use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/options.h"

#define ARGS_MAX 16

static struct elfs_options options;
static struct elfs_error err;

static enum elfs_code parse(const char *const *args) {
    char *argv[ARGS_MAX] = {"ecto_litefs_node"};
    int argc = 1;
    for (; args[argc - 1]; argc++) argv[argc] = (char *)(uintptr_t)args[argc - 1];
    elfs_error_clear(&err);
    return elfs_options_parse(&options, argc, argv, &err);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})
#define MINIMUM "--name", "n@127.0.0.1", "--repo", "MyApp.Repo=/tmp/x.db"

static int teardown(void **state) {
    (void)state;
    elfs_options_fini(&options);
    return 0;
}

static void defaults(void **state) {
    (void)state;
    assert_int_equal(PARSE(MINIMUM), ELFS_OK);
    assert_string_equal(options.name, "n@127.0.0.1");
    assert_int_equal(options.repo_count, 1);
    assert_string_equal(options.repos[0].name, "MyApp.Repo");
    assert_string_equal(options.repos[0].path, "/tmp/x.db");
    assert_int_equal(options.store.synchronous, ELFS_SYNC_FULL);
    assert_int_equal(options.store.busy_timeout_ms, 5000);
    assert_int_equal(options.statement_timeout_ms, 15000);
    assert_int_equal(options.tx_idle_timeout_ms, 5000);
    assert_int_equal(options.tx_total_timeout_ms, 15000);
    assert_int_equal(options.max_frame, 64 << 20);
    assert_int_equal(options.max_connections, 4096);
    assert_int_equal(options.tick_time_s, 60);
    assert_int_equal(options.listen_port, 0);
    assert_null(options.cookie_file);
    assert_false(options.hidden);
}

static void every_kind_of_option(void **state) {
    (void)state;
    assert_int_equal(PARSE("--sname", "n@host", "--repo=Elixir.A.B=/x=y.db", "--repo", "C=/c.db",
                           "--listen=10.0.0.1:9100", "--connect", "a@b.c", "--hidden",
                           "--max-queue=5", "--synchronous", "normal"),
                     ELFS_OK);
    assert_string_equal(options.name, "n@host");
    assert_string_equal(options.repos[0].name, "A.B");
    assert_string_equal(options.repos[0].path, "/x=y.db");
    assert_string_equal(options.repos[1].name, "C");
    assert_int_equal(ntohl(options.listen_addr.s_addr), 0x0A000001);
    assert_int_equal(options.listen_port, 9100);
    assert_int_equal(options.connect_count, 1);
    assert_true(options.hidden);
    assert_int_equal(options.max_queue, 5);
    assert_int_equal(options.store.synchronous, ELFS_SYNC_NORMAL);
}

static void sname_takes_this_hosts_name(void **state) {
    (void)state;
    assert_int_equal(PARSE("--sname", "n", "--repo", "A=/a.db"), ELFS_OK);
    assert_memory_equal(options.name, "n@", 2);
    assert_true(strlen(options.name) > 2);
    assert_null(strchr(options.name, '.'));
}

static void help_and_version_need_nothing_else(void **state) {
    (void)state;
    assert_int_equal(PARSE("--help"), ELFS_OK);
    assert_true(options.help);
    assert_int_equal(PARSE("--version"), ELFS_OK);
    assert_true(options.version);
}

/* Each wrong command line, and a word that the complaint must contain. */
static void wrong_use_names_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *args[8];
        const char *word;
    } cases[] = {
        {{NULL}, "--name"},
        {{"--name", "n@127.0.0.1"}, "--repo"},
        {{"--nmae", "x"}, "--nmae"},
        {{"stray"}, "stray"},
        {{"--name"}, "--name"},
        {{"--name", "nohost"}, "NAME@HOST"},
        {{"--name", "n@short"}, "dot"},
        {{"--name", "@1.2.3.4"}, "name"},
        {{"--name", "a b@1.2.3.4"}, "letters"},
        {{"--sname", "n@a.b"}, "--name"},
        {{"--name", "a@1.2.3.4", "--sname", "b"}, "once"},
        {{MINIMUM, "--hidden=yes"}, "--hidden"},
        {{MINIMUM, "--repo", "nopath"}, "NAME=PATH"},
        {{MINIMUM, "--repo", "=/x"}, "NAME=PATH"},
        {{MINIMUM, "--repo", "Elixir.MyApp.Repo=/y"}, "twice"},
        {{MINIMUM, "--repo", "Other=/tmp/x.db"}, "same file"},
        {{MINIMUM, "--listen", "localhost"}, "IPv4"},
        {{MINIMUM, "--listen", "1.2.3.4:99999"}, "IPv4"},
        {{MINIMUM, "--connect", "nobody"}, "--connect"},
        {{MINIMUM, "--max-queue", "0"}, "--max-queue"},
        {{MINIMUM, "--max-queue", "12x"}, "--max-queue"},
        {{MINIMUM, "--max-frame", "99999999999999999999"}, "--max-frame"},
        {{MINIMUM, "--synchronous", "off"}, "--synchronous"},
        {{MINIMUM, "--log-level", "loud"}, "--log-level"},
        {{MINIMUM, "--poller", "kqueue"}, "--poller"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].args), ELFS_BADARG);
        if (!strstr(err.message, cases[i].word))
            fail_msg("'%s' does not mention '%s'", err.message, cases[i].word);
        assert_null(strchr(err.message, '\n'));
        elfs_options_fini(&options);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults, teardown),
        cmocka_unit_test_teardown(every_kind_of_option, teardown),
        cmocka_unit_test_teardown(sname_takes_this_hosts_name, teardown),
        cmocka_unit_test_teardown(help_and_version_need_nothing_else, teardown),
        cmocka_unit_test_teardown(wrong_use_names_what_is_wrong, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
