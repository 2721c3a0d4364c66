/* database_test - the loop's side of a database in LiteFS's folder, without the loop: the test says what LiteFS's state
 * is, and when the mailbox is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ei.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "node/acks.h"
#include "node/conn.h"
#include "node/reports.h"
#include "node/txn.h"
#include "temp_dir.h"

static char dir[64];
static char path[80];
static char repo[96];
static char primary_file[80];
static struct elfs_options options;
static struct elfs_node *node;
static struct elfs_conn *conn;
static sem_t woken;

static void wake(void *arg) { sem_post(arg); }

/* What the detector would say. */
static void litefs_says(enum elfs_mount mount, enum elfs_role role) {
    node->litefs.state.mount = mount;
    node->litefs.state.role = role;
    atomic_store(&node->litefs.role, (int)role);
}

static void init_lists(void) {
    elfs_list_init(&node->conns);
    elfs_list_init(&node->dirty);
    elfs_list_init(&node->held);
    elfs_list_init(&node->dead);
    elfs_list_init(&node->orphans);
    elfs_list_init(&node->txns);
}

static int setup(void **state) {
    int fds[2];
    (void)state;
    temp_dir_make(dir);
    snprintf(path, sizeof path, "%s/test.db", dir);
    snprintf(repo, sizeof repo, "R=%s", path);
    snprintf(primary_file, sizeof primary_file, "%s/.primary", dir);
    char *argv[] = {"node", "--name", "c@10.0.0.1", "--repo", repo, "--primary-file", primary_file};
    assert_int_equal(elfs_options_parse(&options, 7, argv, NULL), ELFS_OK);
    node = elfs_calloc(1, sizeof *node);
    node->options = &options;
    node->identity = (struct elfs_identity){elfs_view_str(options.name), 7};
    node->litefs.primary_file = "/no/such/.primary";
    node->litefs.table_name = options.litefs.table_name;
    init_lists();
    elfs_buf_init(&node->scratch, 4096);
    sem_init(&woken, 0, 0);
    assert_int_equal(elfs_mailbox_init(&node->mailbox, wake, &woken), ELFS_OK);
    assert_int_equal(elfs_closer_init(&node->closer), ELFS_OK);
    assert_int_equal(elfs_databases_init(node, NULL), ELFS_OK);
    node->poller = elfs_poller_new("poll");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    close(fds[1]);
    conn = elfs_conn_new(node, fds[0], "peer@10.0.0.2");
    assert_non_null(conn);
    return 0;
}

static void take(void) {
    struct elfs_list jobs, ended;
    elfs_mailbox_take(&node->mailbox, &jobs, &ended);
    for (struct elfs_list *l; (l = elfs_list_pop_front(&jobs));) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        job->finished(job, node);
    }
    for (struct elfs_list *l; (l = elfs_list_pop_front(&ended));)
        elfs_txn_ended(node, ELFS_CONTAINER_OF(l, struct elfs_tx, link));
}

static int teardown(void **state) {
    (void)state;
    litefs_says(ELFS_MOUNT_DEAD, ELFS_ROLE_UNKNOWN);
    elfs_databases_follow(node);
    elfs_databases_submit(node);
    while (elfs_closer_busy(&node->closer)) usleep(1000);
    take();
    elfs_conn_close(conn, "the test ends");
    for (struct elfs_list *l; (l = elfs_list_pop_front(&node->dead));)
        elfs_conn_free(ELFS_CONTAINER_OF(l, struct elfs_conn, link));
    assert_true(elfs_list_empty(&node->txns));
    assert_true(elfs_list_empty(&node->orphans));
    elfs_databases_fini(node);
    elfs_poller_free(node->poller);
    elfs_mailbox_fini(&node->mailbox);
    elfs_buf_fini(&node->scratch);
    elfs_free(node);
    sem_destroy(&woken);
    elfs_options_fini(&options);
    temp_dir_remove(dir);
    return 0;
}

static struct elfs_view mark(const struct elfs_buf *frame, size_t from) {
    return (struct elfs_view){frame->data + from, frame->len - from};
}

/* A call over rex, of begin('R') or query('R', Sql, [], [{ack, {replicas, 1}}]). */
static void call(const char *function, const char *sql) {
    struct elfs_buf frame;
    struct elfs_call made = {.style = ELFS_CALL_REX};
    elfs_buf_init(&frame, 4096);
    assert_non_null(elfs_buf_reserve(&frame, 4096));
    elfs_put_pid(&frame, &node->identity, 1, 0);
    made.caller = mark(&frame, 0);
    elfs_put_atom(&frame, "ecto_litefs");
    made.module = (struct elfs_view){frame.data + made.caller.len + 2, strlen("ecto_litefs")};
    size_t at = frame.len;
    elfs_put_atom(&frame, function);
    made.function = (struct elfs_view){frame.data + at + 2, strlen(function)};
    at = frame.len;
    elfs_put_list_header(&frame, sql ? 4 : 1);
    elfs_put_atom(&frame, "R");
    if (sql) {
        elfs_put_binary_str(&frame, sql);
        elfs_put_nil(&frame);
        elfs_put_list_header(&frame, 1);
        elfs_put_tuple_header(&frame, 2);
        elfs_put_atom(&frame, "ack");
        elfs_put_tuple_header(&frame, 2);
        elfs_put_atom(&frame, "replicas");
        elfs_put_int64(&frame, 1);
        elfs_put_nil(&frame);
    }
    elfs_put_nil(&frame);
    made.args = mark(&frame, at);
    made.mfa = mark(&frame, made.caller.len);
    elfs_request_call(conn, mark(&frame, 0), &made, elfs_node_new_pid(node));
    elfs_buf_fini(&frame);
}

static struct elfs_database *db(void) { return &node->databases[0]; }

/* The host becomes the primary, and its row has been tried. */
static void become_primary(void) {
    litefs_says(ELFS_MOUNT_LIVE, ELFS_ROLE_PRIMARY);
    elfs_databases_follow(node);
    assert_non_null(db()->store);
    elfs_databases_submit(node);
    while (node->in_flight > 0) {
        sem_wait(&woken);
        take();
    }
}

static struct elfs_txn *only_txn(void) {
    assert_false(elfs_list_empty(&node->txns));
    return ELFS_CONTAINER_OF(node->txns.next, struct elfs_txn, link);
}

/* Its store is stopped and freed by another thread, and the transaction's end is not taken yet. */
static void a_transaction_whose_store_is_gone(void **state) {
    (void)state;
    become_primary();
    call("begin", NULL);
    elfs_databases_submit(node);
    sem_wait(&woken);
    take();
    assert_true(only_txn()->open);
    litefs_says(ELFS_MOUNT_DEAD, ELFS_ROLE_UNKNOWN);
    elfs_databases_follow(node);
    while (elfs_closer_busy(&node->closer)) usleep(1000);
    assert_null(only_txn()->store);
    elfs_conn_close(conn, "gone as well");
    assert_null(only_txn()->conn);
    elfs_txns_abort_all(node);
    take();
    assert_true(elfs_list_empty(&node->txns));
}

/* The folder has come since LiteFS was looked for: perhaps its mount, perhaps what will be under it. */
static void a_folder_that_nobody_has_looked_at(void **state) {
    (void)state;
    litefs_says(ELFS_MOUNT_ABSENT, ELFS_ROLE_PRIMARY);
    elfs_databases_follow(node);
    assert_null(db()->store);
    assert_false(elfs_database_is_primary(db()));
    assert_int_equal(elfs_database_primary(db()).len, 0);
    assert_int_equal(access(path, F_OK), -1);
    litefs_says(ELFS_MOUNT_LIVE, ELFS_ROLE_PRIMARY);
    elfs_databases_follow(node);
    assert_non_null(db()->store);
    assert_true(elfs_database_is_primary(db()));
}

/* The job that was just submitted has come back done, at this TXID. */
static void finish(uint64_t txid, bool wrote) {
    const struct elfs_summary summary = {.changes = 1};
    struct elfs_list *link = elfs_list_pop_front(&db()->pending);
    struct elfs_job *job = ELFS_CONTAINER_OF(link, struct elfs_job, link);
    assert_int_equal(job->sink->done(job->sink, &summary), ELFS_OK);
    job->outcome = ELFS_JOB_DONE;
    job->position = (struct elfs_position){true, txid, 1};
    job->wrote = wrote;
    job->finished(job, node);
}

/* A replica's node says that its copy stands there. */
static void report(uint64_t txid) {
    struct elfs_buf message;
    elfs_buf_init(&message, 256);
    elfs_put_tuple_header(&message, 3);
    elfs_put_atom(&message, "position");
    elfs_put_binary_str(&message, "R");
    elfs_put_tuple_header(&message, 2);
    elfs_put_uint64(&message, txid);
    elfs_put_uint64(&message, 1);
    elfs_acks_report(conn, mark(&message, 0));
    elfs_buf_fini(&message);
}

/* The answer of one request ends the connection of another, whose job is just back. */
static void an_answer_for_a_connection_that_ends(void **state) {
    (void)state;
    become_primary();
    call("query", "INSERT INTO t VALUES (1)");
    finish(5, true);
    assert_false(elfs_list_empty(&db()->awaiting));
    call("query", "INSERT INTO t VALUES (2)");
    report(6);
    conn->out.max = conn->out.len; /* the peer does not read */
    finish(6, true);
    assert_true(conn->closed);
    assert_true(elfs_list_empty(&node->dirty));
    assert_true(elfs_list_empty(&db()->awaiting));
}

static bool has_answered(const char *word) {
    return memmem(conn->out.data, conn->out.len, word, strlen(word));
}

/* Its COMMIT counted, and then this host stopped being the primary. */
static void an_answer_of_a_former_primary(void **state) {
    (void)state;
    become_primary();
    call("query", "INSERT INTO t VALUES (1)");
    litefs_says(ELFS_MOUNT_LIVE, ELFS_ROLE_REPLICA);
    finish(5, true);
    assert_true(elfs_list_empty(&db()->awaiting));
    assert_true(elfs_list_empty(&conn->requests));
    assert_true(has_answered("unknown"));
    assert_false(db()->committed.known);
}

/* This host stops being the primary and is it again before anybody looks: another host may have been it meanwhile, so
 * that the commits of before may be gone, and that host's name is in the row. */
static void a_role_that_was_lost_and_is_back(void **state) {
    (void)state;
    become_primary();
    call("query", "INSERT INTO t VALUES (1)");
    finish(5, true);
    assert_false(elfs_list_empty(&db()->awaiting));
    call("begin", NULL);
    elfs_databases_submit(node);
    sem_wait(&woken);
    take();
    assert_true(only_txn()->open);
    assert_true(elfs_list_empty(&db()->pending));
    node->litefs.state.turns += 2;
    elfs_databases_follow(node);
    assert_true(elfs_list_empty(&db()->awaiting));
    assert_true(has_answered("unknown"));
    assert_true(atomic_load(&only_txn()->tx.abort));
    assert_false(elfs_list_empty(&db()->pending)); /* the row */
}

/* A COMMIT that writes nothing says nothing of whose the position is: that of the next primary, perhaps, whose history the
 * replicas follow already. */
static void a_position_that_is_not_ours(void **state) {
    (void)state;
    become_primary();
    call("query", "INSERT INTO t VALUES (1)");
    finish(5, true);
    struct elfs_list *waits = db()->awaiting.next;
    call("query", "DELETE FROM t WHERE a = 2");
    finish(6, false);
    report(6);
    assert_ptr_equal(db()->awaiting.next, waits);
    assert_int_equal(conn->out.len, 0);
    call("query", "INSERT INTO t VALUES (3)");
    finish(6, true);
    assert_true(elfs_list_empty(&db()->awaiting));
    assert_true(has_answered("acked"));
}

/* 'begin' is done, and before its caller has heard of it this host stops being the primary. */
static void a_transaction_that_began_too_late(void **state) {
    (void)state;
    become_primary();
    call("begin", NULL);
    elfs_databases_submit(node);
    sem_wait(&woken);
    litefs_says(ELFS_MOUNT_LIVE, ELFS_ROLE_REPLICA);
    elfs_databases_follow(node);
    take();
    assert_true(atomic_load(&only_txn()->tx.abort));
    sem_wait(&woken);
    take();
    assert_true(elfs_list_empty(&node->txns));
}

/* It takes what we send, and is not read from meanwhile. */
static void a_slow_reader_is_not_silent(void **state) {
    (void)state;
    conn->heard_ms = 0;
    conn->spoke_ms = 60000;
    conn->read_paused = true;
    elfs_conn_tick(conn, 61000, 60000);
    assert_false(conn->closed);
    node->stopping = true;
    elfs_conn_tick(conn, 121000, 60000);
    assert_false(conn->closed);
    node->stopping = false;
    elfs_conn_tick(conn, 121000, 60000);
    assert_true(conn->closed);
}

int main(void) {
    ei_init(); /* it closes the connection */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_transaction_whose_store_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_nobody_has_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_for_a_connection_that_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_of_a_former_primary, setup, teardown),
        cmocka_unit_test_setup_teardown(a_role_that_was_lost_and_is_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_position_that_is_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transaction_that_began_too_late, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_not_silent, setup, teardown),
    };
    return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
