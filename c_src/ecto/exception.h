/* exception - Elixir's exceptions as terms.
 *
 * PURE. Source: lib/ecto/exceptions.ex. Each is a whole term in arena, empty if there was no
 * memory. Messages are Ecto's; where they inspect a struct, see inspect.h.
 */
#ifndef ELFS_ECTO_EXCEPTION_H
#define ELFS_ECTO_EXCEPTION_H

#include "base/arena.h"
#include "base/buf.h"

/* An exception that is its message alone: ArgumentError, Ecto.ChangeError. name is the module's,
 * with its "Elixir.". buf holds the message, and is freed. */
struct elfs_view elfs_ecto_exception(const char *name, struct elfs_buf *message,
                                     struct elfs_arena *arena);

/* The same, with another key and its value (a whole term): Ecto.StaleEntryError and its changeset,
 * Exqlite.Error and its statement. */
struct elfs_view elfs_ecto_exception_with(const char *name, struct elfs_buf *message,
                                          const char *key, struct elfs_view value,
                                          struct elfs_arena *arena);

/* Ecto.InvalidChangesetError: action is an atom's text. */
struct elfs_view elfs_ecto_invalid_changeset(const char *action, struct elfs_view changeset,
                                             struct elfs_arena *arena);

/* Ecto.ConstraintError. constraint: its name, a whole term (nil for a foreign key); constraints:
 * the changeset's, a list. */
struct elfs_view elfs_ecto_constraint_error(const char *action, const char *type,
                                            struct elfs_view constraint,
                                            struct elfs_view constraints, struct elfs_arena *arena);

#endif
