/* repo_request - see repo_request.h. */
#include "node/repo_request.h"

#include <sqlite3.h>
#include <sys/random.h>
#include <time.h>

#include "codec/frame.h"
#include "ecto/answer.h"
#include "node/reply.h"
#include "node/schemas.h"
#include "node/tables.h"

/* The table changes under a request so often at most; then it fails. */
#define RUNS_MAX 3

struct elfs_repo_request {
    struct elfs_list waiting;
    struct elfs_request *req;
    struct elfs_ecto_call call;
    struct elfs_ecto_resource resource;
    struct elfs_schema_entry *schema;
    struct elfs_table_entry *table;
    struct elfs_ecto_plan plan;
    struct elfs_view wanted; /* an embedded schema that the plan lacked: its module, text */
    bool asked;              /* about the schema */
    bool reread;             /* the table, since the kept columns did not do */
    bool whole; /* insert_all in one statement, since a foreign key failed row by row */
    int runs;
};

/* The database that it is for; NULL: it is no Repo call that is served here. */
static struct elfs_database *read_call(struct elfs_node *node, const struct elfs_call *call,
                                       struct elfs_ecto_call *ecto) {
    enum elfs_code code =
        elfs_view_is(call->module, "erlang") && elfs_view_is(call->function, "apply")
            ? elfs_ecto_call_of_apply(call->args, ecto)
            : elfs_ecto_call_of_repo(call->module, call->function, call->args, ecto);
    return code == ELFS_OK ? elfs_node_database(node, ecto->repo) : NULL;
}

static bool random_bytes(void *arg, uint8_t bytes[16]) {
    (void)arg;
    return getentropy(bytes, 16) == 0;
}

static int64_t unix_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static const struct elfs_ecto_schema *schema_of(const struct elfs_repo_request *repo) {
    return repo->schema && repo->schema->known ? &repo->schema->schema : NULL;
}

/* Sends the term in `term` as what the call returns or raises. */
static enum elfs_code put_answer(struct elfs_buf *out, const struct elfs_request *req,
                                 const struct elfs_buf *term, bool raised) {
    struct elfs_view bytes = {term->data, term->len};
    if (elfs_reply_is_unwanted(&req->call)) return ELFS_OK;
    if (raised) {
        size_t mark = elfs_call_open_raise(out, &req->call, req->pid);
        elfs_buf_append_view(out, bytes);
        return elfs_call_close_raise(out, &req->call, mark);
    }
    size_t mark = elfs_call_open_return(out, &req->call, req->pid);
    elfs_buf_append_view(out, bytes);
    return elfs_frame_close(out, mark);
}

/* The request is answered, and gone: from here on the connection may be closed and does not know it any more. */
static void leave(struct elfs_request *req) { elfs_list_remove(&req->link); }

/* An answer is larger than the rows that it is made of: only now is it seen to be too large. */
static enum elfs_code refuse_to_tell(const struct elfs_repo_request *repo,
                                     const struct elfs_ecto_outcome *outcome, struct elfs_buf *term,
                                     bool *raised) {
    bool written = outcome && outcome->result;
    struct elfs_error err;
    elfs_fail(&err, ELFS_LIMIT, "%s, and the answer is larger than --max-result",
              written ? "it is written" : "nothing is written");
    return elfs_ecto_refuse(&repo->call, &err, term, raised);
}

/* Answers with what the plan's run came to (outcome), or with why there was none (err). */
static void answer(struct elfs_repo_request *repo, const struct elfs_ecto_outcome *outcome,
                   const struct elfs_error *err) {
    struct elfs_request *req = repo->req;
    struct elfs_conn *conn = req->conn;
    struct elfs_buf term;
    bool raised = false;
    elfs_buf_init(&term, (size_t)conn->node->options->max_result);
    enum elfs_code code = outcome
                              ? elfs_ecto_answer(&repo->plan, outcome, &req->arena, &term, &raised)
                              : elfs_ecto_refuse(&repo->call, err, &term, &raised);
    if (code == ELFS_LIMIT) code = refuse_to_tell(repo, outcome, &term, &raised);
    if (code == ELFS_OK) code = put_answer(elfs_conn_out(conn), req, &term, raised);
    elfs_buf_fini(&term);
    elfs_conn_wrote(conn, code);
}

/* {error, {not_primary, Node}}, in every form of the call: the caller goes there. */
static void refuse(struct elfs_repo_request *repo) {
    struct elfs_request *req = repo->req;
    if (req->job.error.code == ELFS_NOT_PRIMARY) {
        elfs_conn_wrote(req->conn, elfs_reply_error(elfs_conn_out(req->conn), req, 0));
    } else {
        answer(repo, NULL, &req->job.error);
    }
}

static void advance(struct elfs_repo_request *repo);

/* What was known of the table is not true any more. */
static void forget_table(struct elfs_repo_request *repo) {
    elfs_tables_drop(repo->table);
    elfs_tables_put(repo->table);
    repo->table = NULL;
}

/* Whether it is to be run anew, made otherwise. */
static bool once_more(struct elfs_repo_request *repo, const struct elfs_job *job) {
    if (job->outcome != ELFS_JOB_FAILED) return false;
    if (job->error.code == ELFS_STALE_SCHEMA && repo->runs < RUNS_MAX) {
        forget_table(repo);
        return true;
    }
    bool again = repo->plan.divided && job->error.code == ELFS_SQLITE &&
                 job->error.sqlite_code == SQLITE_CONSTRAINT_FOREIGNKEY;
    if (again) repo->whole = true;
    return again;
}

static void on_finished(struct elfs_job *job, void *arg) {
    struct elfs_request *req = ELFS_CONTAINER_OF(job, struct elfs_request, job);
    struct elfs_repo_request *repo = req->repo;
    (void)arg;
    bool waits = elfs_request_returned(req);
    if (waits && once_more(repo, job)) {
        atomic_store(&job->stage, ELFS_JOB_WAITING);
        elfs_request_count(req);
        elfs_list_push_back(&req->conn->requests, &req->link);
        advance(repo);
        return;
    }
    if (waits && job->outcome == ELFS_JOB_DONE) {
        answer(repo, &(struct elfs_ecto_outcome){.result = &req->result}, NULL);
    } else if (waits && job->error.code == ELFS_NOT_PRIMARY) {
        refuse(repo);
    } else if (waits) {
        answer(repo, &(struct elfs_ecto_outcome){.error = &job->error}, NULL);
    }
    elfs_request_free(req);
}

static void submit(struct elfs_repo_request *repo) {
    struct elfs_request *req = repo->req;
    const struct elfs_ecto_plan *plan = &repo->plan;
    struct elfs_job *job = &req->job;
    int64_t limit = req->conn->node->options->statement_timeout_ms;
    repo->runs++;
    job->kind = plan->set_count > 0 ? ELFS_JOB_MANY : ELFS_JOB_QUERY;
    job->write = true;
    job->statements = &plan->statement;
    job->count = 1;
    job->sets = plan->sets;
    job->set_count = plan->set_count;
    job->schema_version = repo->table ? repo->table->schema_version : 0;
    job->timeout_ms = plan->timeout_ms > 0 && plan->timeout_ms < limit ? plan->timeout_ms : limit;
    job->sink = &req->result.sink;
    job->finished = on_finished;
    if (elfs_request_admit(req, true, false, &job->error) == ELFS_OK) {
        elfs_request_submit(req);
    } else {
        leave(req);
        refuse(repo);
        elfs_request_free(req);
    }
}

/* What the caller's node knows. False: it is being asked, or could not be: then the connection is closed, and the
 * request gone with it. */
static bool know_schema(struct elfs_repo_request *repo) {
    struct elfs_conn *conn = repo->req->conn;
    if (repo->asked || repo->resource.schema.len == 0) return true;
    repo->asked = true;
    struct elfs_schema_entry *entry = elfs_schemas_get(conn, repo->resource.schema, &repo->waiting);
    if (conn->closed) return false;
    repo->schema = entry;
    return !entry || !entry->asking;
}

/* Without what the schema says the write may be another than Ecto's: only where nobody has it we go on without. */
static enum elfs_code check_schema(const struct elfs_repo_request *repo) {
    struct elfs_error *err = &repo->req->job.error;
    if (repo->resource.schema.len == 0) return ELFS_OK;
    if (!repo->schema)
        return elfs_fail(err, ELFS_UNSUPPORTED, "more than %d schemas", ELFS_SCHEMAS_MAX);
    if (!repo->schema->late) return ELFS_OK;
    return elfs_fail(err, ELFS_TIMEOUT,
                     "the caller's node has not said in time what its schema is");
}

/* The table's columns. False: they are being read. */
static bool know_table(struct elfs_repo_request *repo, enum elfs_code *code) {
    struct elfs_request *req = repo->req;
    struct elfs_view source = elfs_ecto_source(&repo->resource, schema_of(repo));
    if (source.len == 0) return true;
    if (!repo->table) repo->table = elfs_tables_get(req->db, source, &repo->waiting);
    if (!repo->table) {
        *code = elfs_fail(&req->job.error, ELFS_NOMEM, "out of memory");
    } else if (repo->table->loading) {
        return false;
    } else if (repo->table->error.code != ELFS_OK) {
        req->job.error = repo->table->error;
        *code = req->job.error.code;
    }
    return true;
}

/* For the plan: a schema that was asked for. What was not, it will be asked for. */
static const struct elfs_ecto_schema *find_embedded(void *arg, struct elfs_view module) {
    struct elfs_repo_request *repo = arg;
    const struct elfs_schema_entry *entry = elfs_schemas_find(repo->req->conn, module);
    if (entry && !entry->asking) return entry->known ? &entry->schema : NULL;
    repo->wanted = module;
    return NULL;
}

/* Asks for the embedded schema that the plan lacked. False: there is none, or it cannot be asked for. True: it
 * waits, or the connection was closed and the request is gone. */
static bool ask_embedded(struct elfs_repo_request *repo) {
    struct elfs_conn *conn = repo->req->conn;
    struct elfs_view module = repo->wanted;
    if (module.len == 0) return false;
    repo->wanted = ELFS_VIEW_NONE;
    struct elfs_schema_entry *entry = elfs_schemas_get(conn, module, &repo->waiting);
    if (conn->closed) return true;
    if (entry) elfs_schemas_put(entry); /* it stays as long as the connection */
    return entry;
}

static enum elfs_code make_plan(struct elfs_repo_request *repo) {
    static const struct elfs_ecto_table none = {NULL, 0, false};
    struct elfs_ecto_env env = {.table = repo->table ? &repo->table->table : &none,
                                .schema = schema_of(repo),
                                .embedded = {find_embedded, repo},
                                .now_us = unix_us(),
                                .random = random_bytes,
                                .whole = repo->whole};
    return elfs_ecto_plan_make(&repo->call, &repo->resource, &env, &repo->req->arena, &repo->plan,
                               &repo->req->job.error);
}

/* Goes on as far as it can. */
static void advance(struct elfs_repo_request *repo) {
    struct elfs_request *req = repo->req;
    struct elfs_conn *conn = req->conn;
    enum elfs_code code = ELFS_OK;
    if (!know_schema(repo)) return;
    code = check_schema(repo);
    if (code == ELFS_OK && !know_table(repo, &code)) return;
    if (code == ELFS_OK) code = make_plan(repo);
    if (code == ELFS_UNSUPPORTED && ask_embedded(repo)) return;
    if (code == ELFS_UNSUPPORTED && repo->table && !repo->reread) {
        /* A column that is not there may have been added since. */
        repo->reread = true;
        forget_table(repo);
        advance(repo);
        return;
    }
    if (code == ELFS_OK && repo->plan.run) {
        submit(repo);
        return;
    }
    leave(req);
    if (code == ELFS_OK) {
        answer(repo, &(struct elfs_ecto_outcome){.result = NULL}, NULL);
    } else if (code == ELFS_BADARG) {
        elfs_conn_wrote(conn,
                        elfs_reply_raise(elfs_conn_out(conn), &req->call, req->pid, "badarg"));
    } else {
        refuse(repo);
    }
    elfs_request_free(req);
}

void elfs_repo_request_continue(struct elfs_list *waiting) {
    advance(ELFS_CONTAINER_OF(waiting, struct elfs_repo_request, waiting));
}

void elfs_repo_request_start(struct elfs_conn *conn, struct elfs_request *req) {
    struct elfs_error *err = &req->job.error;
    struct elfs_repo_request *repo = elfs_arena_array(&req->arena, 1, sizeof *repo);
    if (!repo) {
        elfs_request_free(req);
        elfs_conn_close(conn, "out_of_memory");
        return;
    }
    req->db = read_call(conn->node, &req->call, &repo->call);
    if (!req->db) {
        elfs_conn_wrote(conn, elfs_reply_raise(elfs_conn_out(conn), &req->call, req->pid, "undef"));
        elfs_request_free(req);
        return;
    }
    elfs_list_init(&repo->waiting);
    repo->req = req;
    req->repo = repo;
    elfs_list_push_back(&conn->requests, &req->link);
    /* Asked before anything else: a replica need not know the schema to say where to go. */
    enum elfs_code code = elfs_request_admit(req, true, false, err);
    if (code == ELFS_OK)
        code = elfs_ecto_resource_read(&repo->call, &req->arena, &repo->resource, err);
    if (code == ELFS_OK) {
        elfs_request_count(req); /* also while it waits for what it needs to know */
        advance(repo);
        return;
    }
    leave(req);
    if (code == ELFS_BADARG) {
        elfs_conn_wrote(conn,
                        elfs_reply_raise(elfs_conn_out(conn), &req->call, req->pid, "badarg"));
    } else {
        refuse(repo);
    }
    elfs_request_free(req);
}

void elfs_repo_request_fini(struct elfs_repo_request *repo) {
    elfs_list_remove(&repo->waiting);
    if (repo->schema) elfs_schemas_put(repo->schema);
    if (repo->table) elfs_tables_put(repo->table);
    repo->schema = NULL;
    repo->table = NULL;
}
