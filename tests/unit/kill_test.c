/* kill_test - what was reported done survives the sudden death of the process.
 *
 * A child writes and tells us through a pipe what came back done; we kill it in the middle and look
 * into the file.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_fixture.h"

#define ROUND 8
#define ENOUGH 200

static struct store_fixture f;

/* Inserts in groups until it is killed; writes each id to the pipe once its job is done. */
static void insert_for_ever(int to) {
    fixture_start(&f);
    for (;;) {
        struct test_job *jobs[ROUND];
        for (int i = 0; i < ROUND; i++) {
            jobs[i] = query_job(&f, "INSERT INTO t(v) VALUES (randomblob(2000)) RETURNING id");
            fixture_submit(&f, jobs[i]);
        }
        for (int i = 0; i < ROUND; i++) {
            fixture_wait(&f, jobs[i]);
            int id = atoi(strchr(jobs[i]->out.text, '[') + 1);
            if (write(to, &id, sizeof id) != sizeof id) _exit(1);
        }
    }
}

static void done_means_done(void **state) {
    int pipe_ends[2];
    int id = 0;
    int last = 0;
    (void)state;
    fixture_open(&f);
    fixture_stop(&f); /* no threads across the fork */
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60); /* should the parent die first */
        insert_for_ever(pipe_ends[1]);
    }
    close(pipe_ends[1]);
    while (last < ENOUGH && read(pipe_ends[0], &id, sizeof id) == sizeof id) last = id;
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &id, sizeof id) == sizeof id) last = id; /* what it still said */
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(last >= ENOUGH);
    assert_true(atoi(fixture_read(&f, "SELECT count(*) FROM t")) >= last); /* ids have no gaps */
    assert_string_equal(fixture_read(&f, "PRAGMA integrity_check"), "ok");
    fixture_start(&f);
    fixture_query(&f, "INSERT INTO t(v) VALUES (1)");
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(done_means_done)};
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
