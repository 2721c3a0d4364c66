/* changeset - the changeset that an error comes with.
 *
 * PURE. Private to the plans and the answer. Source: Ecto.Repo.Schema: the changeset that was
 * given, or the one that Ecto.Changeset.change/1 makes of a struct, with action, repo and repo_opts
 * set.
 */
#ifndef ELFS_ECTO_CHANGESET_H
#define ELFS_ECTO_CHANGESET_H

#include "ecto/context.h"

/* ELFS_BADARG: settled, since the changeset that was given carries another action. */
enum elfs_code elfs_ecto_changeset_check(struct elfs_ecto_context *c);

/* What Ecto.Changeset.change/1 makes of a struct: *changeset is a copy in arena. types: the
 * schema's, a whole term, or empty. ELFS_NOMEM. */
enum elfs_code elfs_ecto_changeset_change(struct elfs_view data, struct elfs_view types,
                                          struct elfs_arena *arena,
                                          struct elfs_ecto_map *changeset);

/* Makes the changeset. Only an error needs it, so it is made when there is one. ELFS_NOMEM. */
enum elfs_code elfs_ecto_changeset_make(const struct elfs_ecto_write *w, struct elfs_arena *arena,
                                        struct elfs_ecto_map *changeset);

/* Adds an error, a whole {Field, {Message, Options}} term, before those that are there, and makes
 * the changeset invalid. */
enum elfs_code elfs_ecto_changeset_add_error(struct elfs_ecto_map *changeset,
                                             struct elfs_view error, struct elfs_arena *arena);

/* What insert and its kin answer for an invalid changeset: {error, Changeset} or, with bang, an
 * Ecto.InvalidChangesetError. Empty if there was no memory. */
struct elfs_view elfs_ecto_invalid(const struct elfs_ecto_write *w,
                                   const struct elfs_ecto_map *changeset, struct elfs_arena *arena);

/* {ok, Struct}, or the struct alone with bang. */
struct elfs_view elfs_ecto_done(const struct elfs_ecto_write *w, struct elfs_view data,
                                struct elfs_arena *arena);

/* insert, update, delete. */
const char *elfs_ecto_action_name(enum elfs_ecto_action action);

#endif
