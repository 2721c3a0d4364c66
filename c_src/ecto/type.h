/* type - an Ecto type, as a schema or a changeset names it.
 *
 * PURE. Source: Ecto.Type. A type is an atom, {array, T}, {map, T}, {parameterized, {Module,
 * Params}} ({parameterized, Module, Params} before Ecto 3.12), and in a changeset {embed,
 * Reflection} or {assoc, Reflection}.
 */
#ifndef ELFS_ECTO_TYPE_H
#define ELFS_ECTO_TYPE_H

#include "base/view.h"

/* The named ones; X(identifier, name) */
#define ELFS_ECTO_NAMED_TYPES(X)                                                                   \
    X(ELFS_ECTO_ANY, "any")                                                                        \
    X(ELFS_ECTO_ID, "id")                                                                          \
    X(ELFS_ECTO_INTEGER, "integer")                                                                \
    X(ELFS_ECTO_FLOAT, "float")                                                                    \
    X(ELFS_ECTO_BOOLEAN, "boolean")                                                                \
    X(ELFS_ECTO_STRING, "string")                                                                  \
    X(ELFS_ECTO_BINARY, "binary")                                                                  \
    X(ELFS_ECTO_BINARY_ID, "binary_id")                                                            \
    X(ELFS_ECTO_UUID, "Elixir.Ecto.UUID")                                                          \
    X(ELFS_ECTO_DECIMAL, "decimal")                                                                \
    X(ELFS_ECTO_MAP, "map")                                                                        \
    X(ELFS_ECTO_DATE, "date")                                                                      \
    X(ELFS_ECTO_TIME, "time")                                                                      \
    X(ELFS_ECTO_TIME_USEC, "time_usec")                                                            \
    X(ELFS_ECTO_NAIVE, "naive_datetime")                                                           \
    X(ELFS_ECTO_NAIVE_USEC, "naive_datetime_usec")                                                 \
    X(ELFS_ECTO_UTC, "utc_datetime")                                                               \
    X(ELFS_ECTO_UTC_USEC, "utc_datetime_usec")

enum elfs_ecto_kind {
#define X(id, name) id,
    ELFS_ECTO_NAMED_TYPES(X)
#undef X
        ELFS_ECTO_ARRAY,
    ELFS_ECTO_MAP_OF,
    ELFS_ECTO_ENUM,
    ELFS_ECTO_EMBED,
    ELFS_ECTO_ASSOC,
    ELFS_ECTO_CUSTOM,  /* a module of the application, or a type we do not know */
    ELFS_ECTO_UNTYPED, /* nobody said */
};

struct elfs_ecto_type {
    enum elfs_ecto_kind kind;
    struct elfs_view term;   /* whole, as it came */
    struct elfs_view detail; /* ARRAY, MAP_OF: the element's type; ENUM: its parameters; EMBED,
                                ASSOC: the reflection */
};

/* Reads a whole term; an empty one is ELFS_ECTO_UNTYPED. */
struct elfs_ecto_type elfs_ecto_type_read(struct elfs_view term);

/* True if nil is for the type's module to store as it likes: it is parameterized. */
bool elfs_ecto_type_owns_nil(const struct elfs_ecto_type *type);

/* True for the types whose values are stored as JSON: maps, lists, embedded schemas. */
bool elfs_ecto_type_is_json(const struct elfs_ecto_type *type);

/* True for an Ecto.Enum with embed_as: :dumped: in JSON it has the value that is stored. */
bool elfs_ecto_enum_is_dumped(const struct elfs_ecto_type *type);

#endif
