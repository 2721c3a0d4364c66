/* op - the served functions of module ecto_litefs, read from a call's arguments.
 *
 * PURE. The functions, their arguments and options are those of docs/api.md.
 */
#ifndef ELFS_CODEC_OP_H
#define ELFS_CODEC_OP_H

#include "base/arena.h"
#include "base/value.h"
#include "codec/term.h"

enum elfs_op_kind {
    ELFS_OP_QUERY,       /* query/3,4: statements[0] */
    ELFS_OP_QUERY_MANY,  /* query_many/3,4: statements[0].sql with sets[0..set_count) */
    ELFS_OP_TRANSACTION, /* transaction/2,3: statements[0..count) */
    ELFS_OP_BEGIN,       /* 'begin'/1,2 */
    ELFS_OP_COMMIT,      /* commit/2: tx */
    ELFS_OP_ROLLBACK,    /* rollback/2: tx */
    ELFS_OP_RESOLVE,     /* resolve/2: options.key */
    ELFS_OP_GET_PRIMARY, /* get_primary/1 */
    ELFS_OP_IS_PRIMARY,  /* 'is_primary?'/1 */
    ELFS_OP_POSITION,    /* position/1 */
    ELFS_OP_INFO,        /* info/0 */
};

/* Parameters, parameter sets and statements of one request together: what a request may take of memory beside
 * its frame. */
#define ELFS_OP_PARAMS_MAX 1048576

#define ELFS_KEY_MAX 64
#define ELFS_ACK_REPLICAS_MAX 64

/* Option values; -1 or an empty view where the option was not given. Times in milliseconds, at
 * least 1. */
struct elfs_op_options {
    struct elfs_view tx;  /* query, query_many, transaction: the token, a whole reference term */
    struct elfs_view key; /* query, query_many, transaction (without tx), begin: 1 to ELFS_KEY_MAX
                                bytes */
    int ack_replicas;     /* query, query_many, transaction (without tx), begin: `ack`; 0: local */
    int64_t ack_timeout_ms;   /* the same: `ack_timeout` */
    int64_t timeout_ms;       /* query, query_many, transaction: `timeout` */
    int64_t idle_timeout_ms;  /* begin: `idle_timeout` */
    int64_t total_timeout_ms; /* begin: `total_timeout` */
};

struct elfs_op {
    enum elfs_op_kind kind;
    struct elfs_view repo; /* text, with a leading "Elixir." taken off; from an atom or a binary */
    struct elfs_statement *statements;
    size_t count;
    struct elfs_params *sets;
    size_t set_count;
    struct elfs_view tx; /* COMMIT, ROLLBACK */
    struct elfs_op_options options;
    size_t failed_index; /* the set or statement of an ELFS_INVALID_PARAMETER, from 1; else 0 */
};

/* Reads a call of ecto_litefs:Function with these arguments (a whole list term) into *op;
 * everything it needs beside the term lives in arena. ELFS_UNDEF: no such function or arity.
 * ELFS_BADARG: an argument of the wrong shape (Repo neither atom nor binary, Sql not iodata, Params
 * neither list nor map, Opts neither map nor keyword list): the caller gets badarg.
 * ELFS_INVALID_PARAMETER, ELFS_INVALID_OPTION (the message names the parameter, or the option and
 * what it takes): the caller gets {error, Map}, with failed_index {error, {Index, Map}}. Options are
 * a map or a keyword list; `undefined` and `nil` values count as not given, for a time `infinity`
 * too. Of an option given twice the first counts. */
enum elfs_code elfs_op_parse(struct elfs_view function, struct elfs_view args,
                             struct elfs_arena *arena, struct elfs_op *op, struct elfs_error *err);

#endif
