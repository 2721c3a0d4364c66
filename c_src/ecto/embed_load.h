/* embed_load - embedded structs from the JSON that is stored.
 *
 * PURE. Source: Ecto.Embedded.load/3 with Ecto.Type.embedded_load/3.
 */
#ifndef ELFS_ECTO_EMBED_LOAD_H
#define ELFS_ECTO_EMBED_LOAD_H

#include "base/arena.h"
#include "ecto/embed.h"

/* True if the schema of a type of kind ELFS_ECTO_EMBED is known, and every field of it, and of
 * those that it embeds, can be loaded here. */
bool elfs_ecto_can_load_embed(const struct elfs_ecto_type *type,
                              const struct elfs_ecto_schemas *schemas);

/* value: what the JSON reads as (ecto/json_read.h), or nil. *loaded is in arena, or a view into
 * value. ELFS_BADARG: it is not of the schema (Ecto raises); ELFS_NOMEM. */
enum elfs_code elfs_ecto_load_embed(const struct elfs_ecto_type *type, struct elfs_view value,
                                    const struct elfs_ecto_schemas *schemas,
                                    struct elfs_arena *arena, struct elfs_view *loaded);

#endif
