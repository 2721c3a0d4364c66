/* store_fixture - a store on a file of its own, and jobs for it, for tests.
 *
 * The test's thread plays the loop. Nothing here sleeps: waits end when the mailbox wakes the test,
 * and fail the test after 30 seconds. Everything asserts by cmocka.
 */
#ifndef ELFS_TESTS_STORE_FIXTURE_H
#define ELFS_TESTS_STORE_FIXTURE_H

#include <semaphore.h>

#include "collect_sink.h"
#include "store/store.h"

#define TEST_STATEMENTS 4
#define TEST_PARAMS 8

struct test_job {
    struct elfs_job job;
    struct collect_sink out;
    struct elfs_statement statements[TEST_STATEMENTS];
    struct elfs_params sets[TEST_STATEMENTS];
    struct elfs_param params[TEST_STATEMENTS][TEST_PARAMS];
    int place; /* 1 for what came back first, 2, ...; 0: it is away */
    struct test_job *next;
};

struct test_tx {
    struct elfs_tx tx;
    int place; /* as above, when it has ended */
};

struct store_fixture {
    char dir[64];
    char path[80];
    struct elfs_store_config config;
    struct elfs_mailbox box;
    struct elfs_store *store;
    sem_t woken;
    int places;
    struct test_job *jobs; /* all that were made, to be freed */
    char text[1024];       /* of fixture_read */
};

/* Makes the folder and starts a store whose file holds t(id INTEGER PRIMARY KEY, v). */
void fixture_open(struct store_fixture *f);
/* Stops the store if it runs, frees the jobs, removes the folder. */
void fixture_close(struct store_fixture *f);

/* For a store that is stopped and started again on its file, or with another configuration. */
void fixture_start(struct store_fixture *f);
void fixture_stop(struct store_fixture *f);

struct elfs_value int_value(int64_t v);
struct elfs_value real_value(double v);
struct elfs_value null_value(void);
struct elfs_value text_value(const char *v);
struct elfs_value bytes_value(enum elfs_type type, const void *data, size_t len);

/* Jobs, owned by the fixture. sql must stay; timeout is 30 s. */
struct test_job *fixture_job(struct store_fixture *f, enum elfs_job_kind kind);
struct test_job *query_job(struct store_fixture *f, const char *sql);
/* Adds a statement (QUERY, TRANSACTION), a set to a MANY job, a parameter to the last of these;
 * name is NULL in a list. */
void add_statement(struct test_job *j, const char *sql);
void add_set(struct test_job *j);
void add_param(struct test_job *j, const char *name, struct elfs_value value);
/* The same as query_job, inside a transaction. */
struct test_job *tx_job(struct store_fixture *f, struct test_tx *tx, const char *sql);

/* Submits; waits until the job is back; both. fixture_submit_all: NULL-terminated, in one list. */
void fixture_submit(struct store_fixture *f, struct test_job *j);
void fixture_submit_all(struct store_fixture *f, ...) __attribute__((sentinel));
void fixture_wait(struct store_fixture *f, struct test_job *j);
void fixture_run(struct store_fixture *f, struct test_job *j);
void fixture_wait_tx(struct store_fixture *f, struct test_tx *tx);
/* Takes what is in the mailbox now. */
void fixture_take(struct store_fixture *f);

/* query_job, run, and its result's text; fails the test if it is not done. */
const char *fixture_query(struct store_fixture *f, const char *sql);

/* Opens an interactive transaction, and asserts that it did. */
void fixture_begin(struct store_fixture *f, struct test_tx *tx, int64_t idle_ms, int64_t total_ms);
/* Ends it: kind is ELFS_JOB_COMMIT or ELFS_JOB_ROLLBACK. Waits for the transaction, too. */
struct test_job *fixture_end(struct store_fixture *f, struct test_tx *tx, enum elfs_job_kind kind);

/* The first value of a query on a connection of its own, as text ("NULL" for NULL or no row). */
const char *fixture_read(struct store_fixture *f, const char *sql);

void assert_done(const struct test_job *j, const char *text);
/* message: a part of the error's. sqlite_code 0 for errors that are not SQLite's. */
void assert_failed(const struct test_job *j, enum elfs_code code, int sqlite_code,
                   const char *message);

/* A gate in a job: it comes to rest in its first row until the gate opens. */
struct test_gate {
    sem_t reached;
    sem_t open;
};
void gate_init(struct test_gate *gate, struct test_job *j);
void gate_wait(struct test_gate *gate);
void gate_open(struct test_gate *gate);
void gate_fini(struct test_gate *gate);

#endif
