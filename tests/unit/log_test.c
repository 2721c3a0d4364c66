/* log: what arrives on stderr, caught in a pipe. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/view.h"

static int saved_stderr;
static int pipe_fds[2];

static void catch_stderr(void) {
    assert_int_equal(pipe(pipe_fds), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[1]);
}

/* What was written since catch_stderr(); a line fits a pipe. */
static size_t release_stderr(char *text, size_t size) {
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    size_t len = 0;
    for (ssize_t n; (n = read(pipe_fds[0], text + len, size - 1 - len)) > 0;) len += (size_t)n;
    close(pipe_fds[0]);
    text[len] = '\0';
    return len;
}

static void a_line(void **state) {
    (void)state;
    char text[4096];
    catch_stderr();
    elfs_log(ELFS_LOG_WARNING, "connected", "node=s peers=d bytes=l name=v", "a@b", 3, 1LL << 40,
             elfs_view_str("plain"));
    release_stderr(text, sizeof text);
    char *level = strstr(text, " level=");
    assert_non_null(level);
    assert_string_equal(level,
                        " level=warning event=connected node=a@b peers=3 bytes=1099511627776 "
                        "name=plain\n");
    /* ts=2026-11-24T21:12:51.123Z */
    assert_int_equal(level - text, 27);
    assert_memory_equal(text, "ts=", 3);
    assert_int_equal(text[13], 'T');
    assert_int_equal(level[-1], 'Z');
}

/* A peer's bytes can neither end the line nor add a pair. */
static void no_line_can_be_forged(void **state) {
    (void)state;
    char text[4096];
    catch_stderr();
    const struct elfs_view evil = {(const uint8_t *)"x\" level=error\n\0\x7F\\", 18};
    elfs_log(ELFS_LOG_ERROR, "e", "a=v b=s c=s", evil, "", NULL);
    release_stderr(text, sizeof text);
    assert_string_equal(strstr(text, " event="),
                        " event=e a=\"x\\\" level=error\\x0a\\x00\\x7f\\\\\" b=\"\" c=\"\"\n");
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_long_line_is_cut_and_still_ends(void **state) {
    (void)state;
    char text[8192], name[3000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    catch_stderr();
    elfs_log(ELFS_LOG_ERROR, "e", "a=s b=s", name, "after");
    size_t len = release_stderr(text, sizeof text);
    assert_int_equal(len, 1024);
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
}

static void levels(void **state) {
    (void)state;
    enum elfs_log_level level = ELFS_LOG_ERROR;
    assert_true(elfs_log_level_parse("debug", &level));
    assert_int_equal(level, ELFS_LOG_DEBUG);
    assert_false(elfs_log_level_parse("loud", &level));
    assert_int_equal(level, ELFS_LOG_DEBUG);
    assert_true(elfs_log_enabled(ELFS_LOG_INFO));
    assert_false(elfs_log_enabled(ELFS_LOG_DEBUG));
    char text[4096];
    catch_stderr();
    elfs_log(ELFS_LOG_DEBUG, "quiet", "");
    assert_int_equal(release_stderr(text, sizeof text), 0);
    elfs_log_set_level(ELFS_LOG_DEBUG);
    catch_stderr();
    elfs_log(ELFS_LOG_DEBUG, "loud", "");
    assert_true(release_stderr(text, sizeof text) > 0);
    elfs_log_set_level(ELFS_LOG_INFO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line),
        cmocka_unit_test(no_line_can_be_forged),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(levels),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
