/* resource - what a Repo call is about: a schema struct, a changeset, or where rows go.
 *
 * PURE. Sources: Ecto.Schema, Ecto.Schema.Metadata and Ecto.Changeset. A struct is read as the
 * changeset without changes that Ecto makes of it.
 */
#ifndef ELFS_ECTO_RESOURCE_H
#define ELFS_ECTO_RESOURCE_H

#include "ecto/map.h"
#include "ecto/repo_call.h"

/* Views are empty where the resource has no such thing. */
struct elfs_ecto_resource {
    bool changeset; /* a changeset was given, not a struct */
    /* the schema struct */
    struct elfs_view data_term; /* whole, as it came */
    struct elfs_ecto_map data;  /* its keys, __meta__ and __struct__ too */
    struct elfs_ecto_map meta;  /* its __meta__ */
    struct elfs_view schema;    /* text: the schema's module; empty: a source without a schema */
    struct elfs_view source;    /* text: the table; empty: only the schema knows */
    struct elfs_view state;     /* text: built, loaded or deleted */
    /* the changeset */
    struct elfs_ecto_map outer;   /* its keys; empty for a struct */
    struct elfs_ecto_map changes; /* empty for a struct */
    struct elfs_ecto_map types;   /* Ecto types by field; empty for a struct */
    struct elfs_ecto_map filters;
    bool valid;
    struct elfs_view action;      /* text; "nil" if it has none */
    struct elfs_view repo_opts;   /* a keyword list */
    struct elfs_view constraints; /* a list of maps */
    struct elfs_view errors;      /* a list */
    /* UPDATE_ALL, DELETE_ALL */
    struct elfs_view sql;    /* SQL in place of a query */
    struct elfs_view params; /* a whole term */
};

/* Reads call->resource. For insert_all it is a source's name (a binary), a schema (an atom) or
 * {Source, Schema}; for update_all and delete_all it is {Sql, Params}.
 * ELFS_BADARG: a term that Ecto would not take either. ELFS_UNSUPPORTED: an Ecto.Query, a changeset
 * without schema, with a prefix or with `prepare` functions: err says what to do instead. */
enum elfs_code elfs_ecto_resource_read(const struct elfs_ecto_call *call, struct elfs_arena *arena,
                                       struct elfs_ecto_resource *resource, struct elfs_error *err);

#endif
