/* op - see op.h. A table of functions; each kind reads its own arguments, options are common. */
#include "codec/op.h"

#include "codec/op_options.h"
#include "codec/params.h"

#define ARGS_MAX 4

struct request {
    struct elfs_view args[ARGS_MAX];
    struct elfs_arena *arena;
    struct elfs_op *op;
    struct elfs_error *err;
    size_t room; /* parameters and sets that may still come */
};

/* Reads the arguments after Repo, the options excepted. */
typedef enum elfs_code read_fn(struct request *req);

struct function {
    const char *name;
    enum elfs_op_kind kind;
    unsigned options; /* those that it takes; 0: it has no options argument */
    size_t arity;     /* without options */
    read_fn *read;    /* NULL: nothing after Repo */
};

static enum elfs_code no_memory(struct request *req) {
    return elfs_fail(req->err, ELFS_NOMEM, "out of memory");
}

static enum elfs_code take_room(struct request *req, size_t count) {
    if (count > req->room)
        return elfs_fail(req->err, ELFS_INVALID_PARAMETER,
                         "more than %d parameters, sets and statements in one request",
                         ELFS_OP_PARAMS_MAX);
    req->room -= count;
    return ELFS_OK;
}

static enum elfs_code read_params(struct request *req, struct elfs_view term,
                                  struct elfs_params *params) {
    enum elfs_code code = elfs_params_of_term(term, req->arena, params, req->err);
    return code == ELFS_OK ? take_room(req, params->count) : code;
}

static enum elfs_code read_sql(struct request *req, struct elfs_view term, struct elfs_view *sql) {
    enum elfs_code code = elfs_iodata_of_term(term, req->arena, sql);
    return code == ELFS_NOMEM ? no_memory(req) : code;
}

static enum elfs_code new_statements(struct request *req, size_t count) {
    req->op->statements = elfs_arena_array(req->arena, count, sizeof *req->op->statements);
    if (!req->op->statements) return no_memory(req);
    req->op->count = count;
    return ELFS_OK;
}

/* (Repo, Sql, Params) */
static enum elfs_code read_query(struct request *req) {
    enum elfs_code code = new_statements(req, 1);
    if (code != ELFS_OK) return code;
    struct elfs_statement *statement = &req->op->statements[0];
    code = read_sql(req, req->args[1], &statement->sql);
    return code == ELFS_OK ? read_params(req, req->args[2], &statement->params) : code;
}

/* A list whose elements take room each: sets of parameters, or statements. */
static enum elfs_code begin_list(struct request *req, struct elfs_reader *r,
                                 struct elfs_items *items) {
    enum elfs_code code = elfs_term_items_begin(r, items);
    return code == ELFS_OK ? take_room(req, items->left) : code;
}

/* (Repo, Sql, [Params]) */
static enum elfs_code read_query_many(struct request *req) {
    struct elfs_op *op = req->op;
    struct elfs_reader r = elfs_reader_of(req->args[2]);
    struct elfs_items items;
    enum elfs_code code = new_statements(req, 1);
    if (code == ELFS_OK) code = read_sql(req, req->args[1], &op->statements[0].sql);
    if (code == ELFS_OK) code = begin_list(req, &r, &items);
    if (code != ELFS_OK) return code;
    op->set_count = items.left;
    op->sets = elfs_arena_array(req->arena, op->set_count, sizeof *op->sets);
    if (!op->sets) return no_memory(req);
    for (size_t i = 0; i < op->set_count; i++) {
        struct elfs_view set;
        code = elfs_term_items_next(&r, &items, &set);
        if (code == ELFS_OK) code = read_params(req, set, &op->sets[i]);
        if (code == ELFS_INVALID_PARAMETER) op->failed_index = i + 1;
        if (code != ELFS_OK) return code;
    }
    return elfs_term_items_end(&r, &items);
}

/* {Sql, Params} */
static enum elfs_code read_statement(struct request *req, struct elfs_view term,
                                     struct elfs_statement *statement) {
    struct elfs_reader r = elfs_reader_of(term);
    size_t arity;
    struct elfs_view sql, params;
    enum elfs_code code = elfs_term_tuple(&r, &arity);
    if (code == ELFS_OK && arity != 2) code = ELFS_BADARG;
    if (code == ELFS_OK) code = elfs_term_skip(&r, &sql);
    if (code == ELFS_OK) code = elfs_term_skip(&r, &params);
    if (code == ELFS_OK) code = read_sql(req, sql, &statement->sql);
    return code == ELFS_OK ? read_params(req, params, &statement->params) : code;
}

/* (Repo, [{Sql, Params}]) */
static enum elfs_code read_transaction(struct request *req) {
    struct elfs_reader r = elfs_reader_of(req->args[1]);
    struct elfs_items items;
    enum elfs_code code = begin_list(req, &r, &items);
    if (code == ELFS_OK) code = new_statements(req, items.left);
    if (code != ELFS_OK) return code;
    for (size_t i = 0; i < req->op->count; i++) {
        struct elfs_view term;
        code = elfs_term_items_next(&r, &items, &term);
        if (code == ELFS_OK) code = read_statement(req, term, &req->op->statements[i]);
        if (code == ELFS_INVALID_PARAMETER) req->op->failed_index = i + 1;
        if (code != ELFS_OK) return code;
    }
    return elfs_term_items_end(&r, &items);
}

/* (Repo, Tx) */
static enum elfs_code read_token(struct request *req) {
    struct elfs_reader r = elfs_reader_of(req->args[1]);
    return elfs_term_ref(&r, &req->op->tx);
}

static enum elfs_code read_repo(struct request *req) {
    static const char prefix[] = "Elixir.";
    const size_t n = sizeof prefix - 1;
    struct elfs_reader r = elfs_reader_of(req->args[0]);
    struct elfs_view *repo = &req->op->repo;
    enum elfs_code code = elfs_term_atom(&r, repo);
    if (code == ELFS_BADARG) code = elfs_term_binary(&r, repo);
    if (code != ELFS_OK) return code;
    if (repo->len > n && memcmp(repo->data, prefix, n) == 0)
        *repo = (struct elfs_view){repo->data + n, repo->len - n};
    return ELFS_OK;
}

/* (Repo, Key) */
static enum elfs_code read_key(struct request *req) {
    return elfs_op_key(req->args[1], &req->op->options.key, req->err);
}

#define COMMIT_OPTIONS (ELFS_OPTION_KEY | ELFS_OPTION_ACK | ELFS_OPTION_ACK_TIMEOUT)
#define STATEMENT_OPTIONS (ELFS_OPTION_TX | ELFS_OPTION_TIMEOUT | COMMIT_OPTIONS)
#define BEGIN_OPTIONS (ELFS_OPTION_IDLE_TIMEOUT | ELFS_OPTION_TOTAL_TIMEOUT | COMMIT_OPTIONS)

static const struct function functions[] = {
    {"query", ELFS_OP_QUERY, STATEMENT_OPTIONS, 3, read_query},
    {"query_many", ELFS_OP_QUERY_MANY, STATEMENT_OPTIONS, 3, read_query_many},
    {"transaction", ELFS_OP_TRANSACTION, STATEMENT_OPTIONS, 2, read_transaction},
    {"begin", ELFS_OP_BEGIN, BEGIN_OPTIONS, 1, NULL},
    {"commit", ELFS_OP_COMMIT, 0, 2, read_token},
    {"rollback", ELFS_OP_ROLLBACK, 0, 2, read_token},
    {"resolve", ELFS_OP_RESOLVE, 0, 2, read_key},
    {"get_primary", ELFS_OP_GET_PRIMARY, 0, 1, NULL},
    {"is_primary?", ELFS_OP_IS_PRIMARY, 0, 1, NULL},
    {"position", ELFS_OP_POSITION, 0, 1, NULL},
    {"info", ELFS_OP_INFO, 0, 0, NULL},
};

static const struct function *find(struct elfs_view name, size_t arity) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const struct function *f = &functions[i];
        if (!elfs_view_is(name, f->name)) continue;
        return arity == f->arity || (f->options && arity == f->arity + 1) ? f : NULL;
    }
    return NULL;
}

static enum elfs_code read_arguments(struct request *req, const struct function *f, size_t arity) {
    if (arity == 0) return ELFS_OK;
    enum elfs_code code = read_repo(req);
    if (code == ELFS_OK && f->read) code = f->read(req);
    if (code == ELFS_OK && arity > f->arity)
        code = elfs_op_options(req->args[f->arity], f->options, &req->op->options, req->err);
    const struct elfs_op_options *o = &req->op->options;
    if (code == ELFS_OK && o->tx.len > 0 && (o->key.len > 0 || o->ack_replicas > 0))
        code = elfs_fail(req->err, ELFS_INVALID_OPTION,
                         "key or ack with tx: a transaction has them from 'begin'");
    return code;
}

enum elfs_code elfs_op_parse(struct elfs_view function, struct elfs_view args,
                             struct elfs_arena *arena, struct elfs_op *op, struct elfs_error *err) {
    struct request req = {.arena = arena, .op = op, .err = err, .room = ELFS_OP_PARAMS_MAX};
    struct elfs_reader r = elfs_reader_of(args);
    struct elfs_items items;
    *op = (struct elfs_op){.options = ELFS_OP_OPTIONS_NONE};
    enum elfs_code code = elfs_term_items_begin(&r, &items);
    if (code != ELFS_OK) return code;
    size_t arity = items.left;
    const struct function *f = find(function, arity);
    if (!f) return ELFS_UNDEF;
    op->kind = f->kind;
    /* the items of a string are numbers in the cursor: no Repo, and nothing that is kept */
    for (size_t i = 0; i < arity; i++) {
        code = elfs_term_items_next(&r, &items, &req.args[i]);
        if (code != ELFS_OK) return code;
    }
    code = elfs_term_items_end(&r, &items);
    return code == ELFS_OK ? read_arguments(&req, f, arity) : code;
}
