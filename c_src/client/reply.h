/* reply - what a C node answers, read from its bytes.
 *
 * PURE. Source: docs/api.md, "Errors", and rpc.erl: {rex, Reply}; what raised is {badrpc, Reason}.
 * Every function takes a whole checked term and gives views into it. What is of another shape is
 * ELFS_MALFORMED.
 */
#ifndef ELFS_CLIENT_REPLY_H
#define ELFS_CLIENT_REPLY_H

#include "base/position.h"
#include "codec/term.h"

enum elfs_client_reply_kind {
    ELFS_REPLY_OK,
    ELFS_REPLY_REFUSED,     /* nothing written */
    ELFS_REPLY_NOT_PRIMARY, /* nothing written */
    ELFS_REPLY_UNKNOWN,     /* COMMIT did not tell */
};

struct elfs_client_reply {
    enum elfs_client_reply_kind kind;
    struct elfs_view value;   /* OK: the term in {ok, Value} */
    struct elfs_view name;    /* REFUSED: "constraint_unique", "busy", "unknown_repo", "undef" */
    struct elfs_view message; /* REFUSED, UNKNOWN: may be empty */
    int extended_code;        /* REFUSED by SQLite */
    size_t index;             /* REFUSED: the statement or set, from 1; 0: none of them */
    struct elfs_view node;    /* NOT_PRIMARY: who is; empty if that is not known */
};

/* The message that came to our process. */
enum elfs_code elfs_client_reply_read(struct elfs_view message, struct elfs_client_reply *reply);

/* Values of get_primary, position and resolve: *node is empty for nil. */
enum elfs_code elfs_client_reply_node(struct elfs_view value, struct elfs_view *node);
enum elfs_code elfs_client_reply_position(struct elfs_view value, struct elfs_position *position);
enum elfs_code elfs_client_reply_outcome(struct elfs_view value, bool *committed);

#endif
