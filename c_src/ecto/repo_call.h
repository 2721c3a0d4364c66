/* repo_call - a Repo call, asked for by name or inside EctoLiteFS 1.0's closure.
 *
 * PURE. Two ways lead here: a call of the Repo's own function (insert, insert!, insert_all, ...),
 * and erlang:apply(Fun, []), where Fun is the closure that an unmodified EctoLiteFS replica sends:
 * a NEW_FUN_EXT of module 'Elixir.EctoLiteFS.Middleware', arity 0, whose three free variables are
 * the Repo's own closure, the resource, and an %EctoMiddleware.Resolution{}. The last two are found
 * by their structs; index and uniq, which change with every build, are not looked at. No other
 * closure is taken: no code is ever run.
 *
 * How the node uses this layer, from call to answer:
 *
 *   1. elfs_ecto_call_of_repo() or elfs_ecto_call_of_apply()      what is asked, of which Repo
 *   2. elfs_ecto_resource_read()                                  the struct, changeset or rows
 *   3. ask the caller's node about resource.schema (schema.h), once for each node and schema
 *   4. elfs_ecto_source()                                         the table; its columns (table.h)
 *   5. elfs_ecto_plan_make()                                      what to run (plan.h)
 *   6. run plan.statement, unless there is nothing to run
 *   7. elfs_ecto_answer()                                         the term to send (answer.h)
 *
 * A step that refuses fills an elfs_error, and elfs_ecto_refuse() makes the answer. Everything that
 * is read is a view into the call's frame; what is made lives in the caller's arena.
 */
#ifndef ELFS_ECTO_REPO_CALL_H
#define ELFS_ECTO_REPO_CALL_H

#include "codec/term.h"

enum elfs_ecto_action {
    ELFS_ECTO_INSERT,
    ELFS_ECTO_UPDATE,
    ELFS_ECTO_DELETE,
    ELFS_ECTO_INSERT_OR_UPDATE,
    ELFS_ECTO_INSERT_ALL,
    ELFS_ECTO_UPDATE_ALL,
    ELFS_ECTO_DELETE_ALL,
};

struct elfs_ecto_call {
    enum elfs_ecto_action action;
    bool bang;                 /* insert!: raises where insert returns {error, Changeset} */
    struct elfs_view module;   /* text: the Repo with its "Elixir." if it has one */
    struct elfs_view repo;     /* text: without it, as elfs_op.repo */
    struct elfs_view resource; /* a whole term: the struct or changeset; what insert_all, update_all
                                  and delete_all take first */
    struct elfs_view rows;     /* INSERT_ALL: the rows; UPDATE_ALL: the updates; else empty */
    struct elfs_view options;  /* a whole term, or empty when none were given */
};

/* Reads Module:Function(Args): insert, update, delete and insert_or_update and their ! forms with
 * (Resource) or (Resource, Opts), insert_all(Source, Rows[, Opts]), update_all(Query, Updates[,
 * Opts]), delete_all(Query[, Opts]). ELFS_UNDEF: another function or arity; ELFS_MALFORMED. */
enum elfs_code elfs_ecto_call_of_repo(struct elfs_view module, struct elfs_view function,
                                      struct elfs_view args, struct elfs_ecto_call *call);

/* Reads the arguments [Fun, []] of erlang:apply/2. ELFS_UNDEF: anything but the closure described
 * above with one of its eight actions. */
enum elfs_code elfs_ecto_call_of_apply(struct elfs_view args, struct elfs_ecto_call *call);

#endif
