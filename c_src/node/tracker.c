/* tracker - see tracker.h. */
#include "node/tracker.h"

#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/result.h"
#include "node/node.h"

#define RETRY_MS 1000
#define SQL_MAX 512

/* A job of our own: nobody waits for its answer. */
struct row_write {
    struct elfs_job job;
    struct elfs_database *db;
    struct elfs_result result;
    struct elfs_statement statements[2];
    struct elfs_param params[2];
    char create[SQL_MAX];
    char replace[SQL_MAX];
};

static void on_finished(struct elfs_job *job, void *arg) {
    struct elfs_node *node = arg;
    struct row_write *write = ELFS_CONTAINER_OF(job, struct row_write, job);
    struct elfs_database *db = write->db;
    node->in_flight--;
    if (job->outcome == ELFS_JOB_DONE) {
        elfs_log(ELFS_LOG_INFO, "tracker_row_written", "repo=v node=v", db->name,
                 node->identity.node);
    } else if (elfs_database_is_primary(db) && !node->stopping) {
        elfs_log(ELFS_LOG_WARNING, "tracker_row_not_written", "repo=v message=s", db->name,
                 job->error.message);
        db->row_due = true;
        db->retry_ms = node->now_ms + RETRY_MS;
    }
    elfs_result_fini(&write->result);
    elfs_free(write);
}

void elfs_tracker_write(struct elfs_database *db) {
    struct elfs_node *node = db->node;
    struct row_write *write = elfs_calloc(1, sizeof *write);
    if (!write) {
        db->retry_ms = node->now_ms + RETRY_MS;
        return;
    }
    snprintf(write->create, SQL_MAX,
             "CREATE TABLE IF NOT EXISTS %s (id INTEGER PRIMARY KEY CHECK (id = 1), "
             "node_name TEXT NOT NULL, updated_at INTEGER NOT NULL)",
             node->litefs.table_name);
    snprintf(write->replace, SQL_MAX,
             "INSERT OR REPLACE INTO %s (id, node_name, updated_at) VALUES (1, ?, ?)",
             node->litefs.table_name);
    write->params[0].value = (struct elfs_value){ELFS_TEXT, .bytes = node->identity.node};
    write->params[1].value = (struct elfs_value){ELFS_INTEGER, .integer = time(NULL)};
    write->statements[0].sql = elfs_view_str(write->create);
    write->statements[1].sql = elfs_view_str(write->replace);
    write->statements[1].params = (struct elfs_params){write->params, 2, false};
    elfs_result_init(&write->result, SQL_MAX);
    write->db = db;
    write->job.kind = ELFS_JOB_TRANSACTION;
    write->job.statements = write->statements;
    write->job.count = 2;
    write->job.timeout_ms = node->options->statement_timeout_ms;
    write->job.sink = &write->result.sink;
    write->job.finished = on_finished;
    db->row_due = false;
    node->in_flight++;
    elfs_list_push_back(&db->pending, &write->job.link);
}
