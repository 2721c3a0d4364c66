/* embed_prepare - the changesets of embedded schemas, as the structs that are stored.
 *
 * PURE. Private to the plans. Sources: Ecto.Embedded.prepare/4 and
 * Ecto.Changeset.Relation.surface_changes/3: ids and timestamps of embedded structs are made here,
 * as those of rows are. Refused (ELFS_UNSUPPORTED) is what would raise, and changesets with
 * `prepare` functions.
 */
#ifndef ELFS_ECTO_EMBED_PREPARE_H
#define ELFS_ECTO_EMBED_PREPARE_H

#include "ecto/context.h"

/* What inserting a struct makes of an embedded field that was not changed: *change is the changeset
 * of its struct, or the list of them; empty if the field is. */
enum elfs_code elfs_ecto_embed_surface(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_type *type, struct elfs_view value,
                                       struct elfs_view *change);

/* Puts what is stored in place of each change of an embedded field. */
enum elfs_code elfs_ecto_embed_prepare(struct elfs_ecto_context *c, bool insert,
                                       struct elfs_ecto_map *changes);

#endif
