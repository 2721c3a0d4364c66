/* repo_options - the options of a Repo call.
 *
 * PURE. Private to plan. Sources: Ecto.Repo's documentation of each function, Ecto.Repo.Schema. An
 * option that changes what is written is honoured or refused; those that only concern the caller
 * (log, telemetry_event, telemetry_options, stacktrace, queue, deadline, cache_statement) are
 * ignored.
 */
#ifndef ELFS_ECTO_REPO_OPTIONS_H
#define ELFS_ECTO_REPO_OPTIONS_H

#include "ecto/resource.h"

enum elfs_ecto_conflict {
    ELFS_ECTO_CONFLICT_RAISE,
    ELFS_ECTO_CONFLICT_NOTHING,
    ELFS_ECTO_CONFLICT_REPLACE,    /* conflict_list: fields */
    ELFS_ECTO_CONFLICT_ALL,        /* all updatable fields */
    ELFS_ECTO_CONFLICT_ALL_EXCEPT, /* conflict_list: the fields that stay */
    ELFS_ECTO_CONFLICT_UPDATE,     /* conflict_list: [set: [...], inc: [...]] */
};

enum elfs_ecto_returning {
    ELFS_ECTO_RETURNING_NONE,
    ELFS_ECTO_RETURNING_ALL,
    ELFS_ECTO_RETURNING_FIELDS, /* returning_list: fields */
};

/* Views are whole terms, empty where the option was not given. */
struct elfs_ecto_options {
    enum elfs_ecto_conflict on_conflict;
    struct elfs_view conflict_list;
    struct elfs_view target;          /* a list of atoms; empty: none */
    struct elfs_view target_fragment; /* the text of {unsafe_fragment, Text} */
    bool replace_changed;             /* true unless told otherwise */
    enum elfs_ecto_returning returning;
    struct elfs_view returning_list;
    bool force;
    bool allow_stale;
    struct elfs_view stale_field; /* an atom */
    struct elfs_view stale_message;
    int64_t timeout_ms; /* -1: not given, or infinity */
};

/* Reads call->options over resource->repo_opts. ELFS_BADARG: no keyword list, or a value of a shape
 * that Ecto does not take; ELFS_UNSUPPORTED: an option that is not honoured here. err names it. */
enum elfs_code elfs_ecto_options_read(const struct elfs_ecto_call *call,
                                      const struct elfs_ecto_resource *resource,
                                      struct elfs_arena *arena, struct elfs_ecto_options *options,
                                      struct elfs_error *err);

#endif
