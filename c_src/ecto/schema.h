/* schema - what only the schema's module knows, as the caller's node tells it.
 *
 * PURE. The node asks Schema:Function(Argument) for each query below over the connection that the
 * call came by, and keeps the answers (whole terms, copied) for as long as it is connected. A
 * schema without answers is passed as NULL: then the changeset's types and the table's declared
 * types must do, and what stays ambiguous is refused. Sources: Ecto.Schema's reflection.
 */
#ifndef ELFS_ECTO_SCHEMA_H
#define ELFS_ECTO_SCHEMA_H

#include "ecto/map.h"

/* X(identifier, function, argument): Function(Argument), or Function() where it is NULL */
#define ELFS_ECTO_QUERIES(X)                                                                       \
    X(ELFS_ECTO_Q_SOURCE, "__schema__", "source")                                                  \
    X(ELFS_ECTO_Q_PREFIX, "__schema__", "prefix")                                                  \
    X(ELFS_ECTO_Q_FIELDS, "__schema__", "fields")                                                  \
    X(ELFS_ECTO_Q_DUMP, "__schema__", "dump")                                                      \
    X(ELFS_ECTO_Q_PRIMARY_KEY, "__schema__", "primary_key")                                        \
    X(ELFS_ECTO_Q_AUTOGENERATE_ID, "__schema__", "autogenerate_id")                                \
    X(ELFS_ECTO_Q_AUTOGENERATE, "__schema__", "autogenerate")                                      \
    X(ELFS_ECTO_Q_AUTOUPDATE, "__schema__", "autoupdate")                                          \
    X(ELFS_ECTO_Q_READ_AFTER_WRITES, "__schema__", "read_after_writes")                            \
    X(ELFS_ECTO_Q_LOADED, "__schema__", "loaded")                                                  \
    X(ELFS_ECTO_Q_CHANGESET, "__changeset__", NULL)

enum elfs_ecto_query {
#define X(id, function, argument) id,
    ELFS_ECTO_QUERIES(X) ELFS_ECTO_QUERY_COUNT
#undef X
};

/* Texts of a query; the argument is an atom's, or NULL. */
const char *elfs_ecto_query_function(enum elfs_ecto_query query);
const char *elfs_ecto_query_argument(enum elfs_ecto_query query);

/* The answers, whole terms that outlive this. */
struct elfs_ecto_answers {
    struct elfs_view at[ELFS_ECTO_QUERY_COUNT];
};

/* The answers, read. Immutable: one may serve many plans at a time, from one thread. */
struct elfs_ecto_schema {
    struct elfs_ecto_map dump;      /* field => {Source, Type} or {Source, Type, Writable} */
    struct elfs_ecto_map by_source; /* source => field, an atom */
    struct elfs_ecto_map types; /* __changeset__: fields, virtual ones, embeds and associations */
    struct elfs_view types_term;
    struct elfs_view source; /* text; empty for an embedded schema */
    struct elfs_view prefix; /* a whole term; empty when it is nil */
    struct elfs_view fields; /* lists of atoms */
    struct elfs_view primary_key;
    struct elfs_view read_after_writes;
    struct elfs_view autogenerate_id; /* {Field, Source, Type}; empty when it is nil */
    struct elfs_view autogenerate;    /* [{[Field], {Module, Function, Args}}] */
    struct elfs_view autoupdate;      /* the same */
    struct elfs_ecto_map loaded;      /* the struct that a loaded row becomes */
};

/* Where the schemas of embedded structs are found. find gives the schema of a module (text), valid
 * as long as the plan and its answer are; NULL: it is not known. Without find none is. */
struct elfs_ecto_schemas {
    const struct elfs_ecto_schema *(*find)(void *arg, struct elfs_view module);
    void *arg;
};

/* Reads the answers; *schema points into them and into arena. ELFS_BADARG: they are not what Ecto
 * answers; the node then goes on without. */
enum elfs_code elfs_ecto_schema_read(const struct elfs_ecto_answers *answers,
                                     struct elfs_arena *arena, struct elfs_ecto_schema *schema);

#endif
