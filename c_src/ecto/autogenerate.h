/* autogenerate - the values that Ecto itself fills in: timestamps and UUIDs.
 *
 * PURE. Private to the plans. Sources: Ecto.Repo.Schema.autogenerate_changes/3, Ecto.Schema.
 */
#ifndef ELFS_ECTO_AUTOGENERATE_H
#define ELFS_ECTO_AUTOGENERATE_H

#include "ecto/context.h"

/* Fills *made with the fields that are generated when a row is inserted (or updated) with these
 * changes: what the schema's autogenerate (or autoupdate) says; without the schema inserted_at and
 * updated_at, where the struct and the table have them. ELFS_UNSUPPORTED: a generator that only the
 * application has. */
enum elfs_code elfs_ecto_autogenerate(struct elfs_ecto_context *c, bool update,
                                      const struct elfs_ecto_map *changes,
                                      struct elfs_ecto_map *made);

/* The same for what a schema's autogenerate or autoupdate says: adds to *made. */
enum elfs_code elfs_ecto_autogenerate_groups(struct elfs_ecto_context *c, struct elfs_view groups,
                                             const struct elfs_ecto_map *changes,
                                             struct elfs_ecto_map *made);

/* A new UUID: its text, or its 16 bytes. */
enum elfs_code elfs_ecto_make_uuid(struct elfs_ecto_context *c, bool raw, struct elfs_view *value);

/* A key that the changes leave to be made. */
enum elfs_ecto_id {
    ELFS_ECTO_ID_GIVEN,    /* none */
    ELFS_ECTO_ID_RETURNED, /* SQLite makes it: returned */
    ELFS_ECTO_ID_MADE,     /* a UUID, made here: *value */
};

/* How the row's id comes to be; *field is its field unless it is given. */
enum elfs_code elfs_ecto_autogenerate_id(struct elfs_ecto_context *c,
                                         const struct elfs_ecto_map *changes,
                                         enum elfs_ecto_id *how, struct elfs_ecto_field *field,
                                         struct elfs_view *value);

#endif
