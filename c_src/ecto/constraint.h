/* constraint - which constraint an error of SQLite is about, and whether a changeset declares it.
 *
 * PURE. Sources: Ecto.Adapters.SQLite3.Connection.to_constraints/2 and
 * Ecto.Repo.Schema.constraints_to_errors/3. SQLite names the columns of a unique index, not the
 * index: the name is the one that Ecto gives such an index.
 */
#ifndef ELFS_ECTO_CONSTRAINT_H
#define ELFS_ECTO_CONSTRAINT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

struct elfs_ecto_constraint {
    const char *type;      /* "unique", "foreign_key", "check" */
    struct elfs_view name; /* text; empty for a foreign key, which SQLite does not name */
};

/* Reads SQLite's message. ELFS_OK; ELFS_BADARG: it is about no constraint that Ecto knows;
 * ELFS_NOMEM. */
enum elfs_code elfs_ecto_constraint_read(const char *message, struct elfs_arena *arena,
                                         struct elfs_ecto_constraint *constraint);

/* Finds the first of a changeset's constraints (a list of maps) that matches, by exact name, suffix
 * or prefix. *found is the map, empty if there is none. ELFS_UNSUPPORTED: whether a regular
 * expression matches only Ecto can say. */
enum elfs_code elfs_ecto_constraint_find(const struct elfs_ecto_constraint *constraint,
                                         struct elfs_view constraints, struct elfs_view *found);

#endif
