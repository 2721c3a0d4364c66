/* ecto_litefs - SQL on a cluster of EctoLiteFS C nodes, for C programs.
 *
 * A client speaks to the C nodes as any program on ei (erl_interface) does: it has a node name and
 * the cluster's cookie, is a hidden node, and connects when it must. It finds the primary, remembers
 * it, and follows it: on a refusal for want of it, on a lost connection, and when it has moved. Each
 * request carries a key, under which the primary keeps its result in the transaction of its writes,
 * so that a repeat runs nothing twice: a request is repeated only with its key, or when it surely
 * has not run, and within its time-out.
 *
 * Threads: a client belongs to one thread at a time; several threads have a client each. Not across
 * fork(2). All functions block. Time-outs are in milliseconds; looking a host's name up (by
 * getaddrinfo) may outlast them.
 *
 * Ownership: what is passed in is borrowed for the call, or, for elfs_client_new, copied. Texts are
 * NUL-terminated UTF-8. Errors: a function returns a code; `err` may be NULL, and is filled when the
 * code is not ELFS_CLIENT_OK.
 *
 * To link: libecto_litefs_client.a, then -lei -lpthread.
 */
#ifndef ECTO_LITEFS_H
#define ECTO_LITEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(identifier, what it means) */
#define ELFS_CLIENT_CODES(X)                                                                       \
    X(ELFS_CLIENT_OK, "done")                                                                      \
    X(ELFS_CLIENT_REFUSED, "refused by the node, nothing written")                                 \
    X(ELFS_CLIENT_NO_PRIMARY, "no node is the primary, nothing written")                           \
    X(ELFS_CLIENT_UNREACHABLE, "no node could be reached, nothing written")                        \
    X(ELFS_CLIENT_UNKNOWN, "whether it was written cannot be known")                               \
    X(ELFS_CLIENT_BADARG, "wrong use, nothing sent")                                               \
    X(ELFS_CLIENT_NOMEM, "out of memory, nothing written")                                         \
    X(ELFS_CLIENT_SYSTEM, "the operating system said no, nothing sent")

enum elfs_client_code {
#define X(id, text) id,
    ELFS_CLIENT_CODES(X)
#undef X
};

/* What it means: a static text. */
const char *elfs_client_code_text(enum elfs_client_code code);

#define ELFS_CLIENT_KEY_MAX 64
#define ELFS_CLIENT_NODE_MAX 256 /* a node name with its NUL */

struct elfs_client_error {
    enum elfs_client_code code;
    /* REFUSED: the node's word for it, such as "constraint_unique", "busy" or "unknown_repo"
     * (docs/api.md, Errors); else empty. */
    char name[64];
    int extended_code; /* SQLite's extended result code if it was SQLite that refused, else 0 */
    size_t index;      /* of the statement or parameter set that failed, from 1; 0: none of them */
    /* UNKNOWN: the request's key, if it had one. The same request with this key (options) finds out
     * later, and does not run twice. */
    unsigned char key[ELFS_CLIENT_KEY_MAX];
    size_t key_len;
    char message[1024];
};

struct elfs_client;

/* Zero or NULL where the default will do. */
struct elfs_client_config {
    const char *name;           /* our node name. Clients that are connected at the same time have
                                names of their own, since a node has one connection a name. NULL:
                                one is made up that is nobody else's. */
    const char *cookie;         /* the cluster's. NULL: the cookie_file's */
    const char *cookie_file;    /* as a BEAM node reads it; NULL: ~/.erlang.cookie */
    const char *const *nodes;   /* C nodes of the cluster, "litefs@10.0.0.5", the nearest first */
    size_t node_count;          /* 1 to 64 */
    int64_t timeout_ms;         /* a call's; 15,000; at most a day */
    int64_t connect_timeout_ms; /* to connect to one node, and how long a silent node is believed
                                   to be at work before the others are asked; 2,000; at most
                                   a day */
    size_t max_frame;           /* bytes: the largest request, and answer; 64 MiB; at most 1 GiB */
};

/* Makes a client and connects to nobody yet. BADARG, NOMEM, SYSTEM (a cookie file that cannot be
 * read). *out is NULL then; else it is to be freed with elfs_client_free. */
enum elfs_client_code elfs_client_new(const struct elfs_client_config *config,
                                      struct elfs_client **out, struct elfs_client_error *err);

/* Closes its connections. Results stay. NULL does nothing. */
void elfs_client_free(struct elfs_client *client);

/* Values */

enum elfs_client_type {
    ELFS_CLIENT_NULL,
    ELFS_CLIENT_INTEGER,
    ELFS_CLIENT_REAL, /* finite */
    ELFS_CLIENT_TEXT, /* of a result: TEXT or BLOB, which arrive alike */
    ELFS_CLIENT_BLOB
};

/* Bytes that somebody else owns; no NUL follows. */
struct elfs_client_bytes {
    const void *data;
    size_t len;
};

struct elfs_client_value {
    enum elfs_client_type type;
    union {
        int64_t integer;
        double real;
        struct elfs_client_bytes bytes; /* TEXT and BLOB */
    } as;
};

struct elfs_client_value elfs_client_null(void);
struct elfs_client_value elfs_client_int(int64_t integer);
struct elfs_client_value elfs_client_real(double real);
struct elfs_client_value elfs_client_text(const char *text);
struct elfs_client_value elfs_client_text_of(const void *data, size_t len);
struct elfs_client_value elfs_client_blob(const void *data, size_t len);

/* Calls */

/* NULL for defaults, as is a zero. */
struct elfs_client_options {
    int64_t timeout_ms; /* at most a day */
    /* A key of your own, 1 to ELFS_CLIENT_KEY_MAX bytes that no other request has: then a repeat by
     * another process, or after a crash, does not run twice either. NULL: one that the client
     * makes. */
    const void *key;
    size_t key_len;
    /* Answer when so many replicas have the commit, or when ack_timeout_ms are over, or most of the
     * call's time: elfs_client_result_acked says how many have it. 0: do not wait for any. */
    unsigned ack_replicas; /* at most 64 */
    int64_t ack_timeout_ms;
    bool once;     /* without a key: it is not repeated once it may have run */
    bool any_node; /* for what only reads: the first node that answers may run it, on its copy,
                      which may be behind; else the primary runs it */
};

/* One statement; its parameters stand for ?, ?1, ... */
struct elfs_client_statement {
    const char *sql;
    const struct elfs_client_value *params;
    size_t param_count;
};

struct elfs_client_result;

/* Runs one statement in a transaction of its own. *result (`result` may be NULL) is the caller's
 * then, to be freed with elfs_client_result_free, and NULL unless the code is ELFS_CLIENT_OK. The
 * codes are all those above. */
enum elfs_client_code elfs_client_query(struct elfs_client *client, const char *repo,
                                        const struct elfs_client_statement *statement,
                                        const struct elfs_client_options *options,
                                        struct elfs_client_result **result,
                                        struct elfs_client_error *err);

/* Runs one statement for set_count sets of statement->param_count parameters, which follow one
 * another in statement->params: all or nothing. */
enum elfs_client_code elfs_client_query_many(struct elfs_client *client, const char *repo,
                                             const struct elfs_client_statement *statement,
                                             size_t set_count,
                                             const struct elfs_client_options *options,
                                             struct elfs_client_result **result,
                                             struct elfs_client_error *err);

/* Runs several statements, all or nothing. The result holds one for each. */
enum elfs_client_code elfs_client_transaction(struct elfs_client *client, const char *repo,
                                              const struct elfs_client_statement *statements,
                                              size_t count,
                                              const struct elfs_client_options *options,
                                              struct elfs_client_result **result,
                                              struct elfs_client_error *err);

/* What became of a request with this key whose outcome is unknown? If it has not run, it never will:
 * its key is used up. Repeats itself safely. */
enum elfs_client_code elfs_client_resolve(struct elfs_client *client, const char *repo,
                                          const void *key, size_t key_len, bool *committed,
                                          struct elfs_client_error *err);

/* Where a database stands, as LiteFS tells it. known is false where there is no LiteFS. */
struct elfs_client_position {
    bool known;
    uint64_t txid;
    uint64_t checksum;
};

/* The primary's position. */
enum elfs_client_code elfs_client_position(struct elfs_client *client, const char *repo,
                                           struct elfs_client_position *position,
                                           struct elfs_client_error *err);

/* The primary's node name, asked anew. NO_PRIMARY if none is found within the time-out. */
enum elfs_client_code elfs_client_get_primary(struct elfs_client *client, const char *repo,
                                              char node[ELFS_CLIENT_NODE_MAX],
                                              struct elfs_client_error *err);

/* Results
 *
 * A result stands at one statement's result (the first; only a transaction has more), and at one of
 * its rows, or before the first. It holds the answer's bytes: all bytes it gives are views into
 * them, and live as long as it does.
 */

void elfs_client_result_free(struct elfs_client_result *result);

/* How many statements' results there are, and a step to the i-th (from 0), before its first row;
 * false if there is none. */
size_t elfs_client_result_count(const struct elfs_client_result *result);
bool elfs_client_result_select(struct elfs_client_result *result, size_t i);

/* Of the statement. Columns: 0 for one that returns none. Changes: rows inserted, updated or deleted
 * by the statement itself. num_rows: the rows; for a statement without columns, the changes. */
size_t elfs_client_result_columns(const struct elfs_client_result *result);
int64_t elfs_client_result_num_rows(const struct elfs_client_result *result);
int64_t elfs_client_result_changes(const struct elfs_client_result *result);
int64_t elfs_client_result_last_insert_rowid(const struct elfs_client_result *result);

/* The database's position after the commit. */
struct elfs_client_position elfs_client_result_position(const struct elfs_client_result *result);

/* The request had run before: this is its result of then. */
bool elfs_client_result_repeated(const struct elfs_client_result *result);

/* How many replicas were known to have the commit; 0 if none was waited for. */
int64_t elfs_client_result_acked(const struct elfs_client_result *result);

/* A column's name (column from 0); empty if there is no such column. */
struct elfs_client_bytes elfs_client_result_name(const struct elfs_client_result *result,
                                                 size_t column);

/* Steps to the next row; false behind the last. */
bool elfs_client_result_next(struct elfs_client_result *result);

/* A value of the row; NULL's where there is no such column, or no row. */
struct elfs_client_value elfs_client_result_value(const struct elfs_client_result *result,
                                                  size_t column);

/* The same where only one type will do: false, and *value untouched, if it is of another. What is
 * asked for as a REAL may be an INTEGER. */
bool elfs_client_result_int(const struct elfs_client_result *result, size_t column, int64_t *value);
bool elfs_client_result_real(const struct elfs_client_result *result, size_t column, double *value);
bool elfs_client_result_bytes(const struct elfs_client_result *result, size_t column,
                              struct elfs_client_bytes *value);

#ifdef __cplusplus
}
#endif

#endif
