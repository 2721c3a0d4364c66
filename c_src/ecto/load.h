/* load - a returned value as the term that Ecto makes of it.
 *
 * PURE. Sources: Ecto.Type.load/2 and ecto_sqlite3's loaders.
 */
#ifndef ELFS_ECTO_LOAD_H
#define ELFS_ECTO_LOAD_H

#include "base/arena.h"
#include "base/error.h"
#include "ecto/schema.h"
#include "ecto/type.h"

/* True if values of this type can be loaded. To be asked before anything is written. schemas: those
 * of embedded structs. */
bool elfs_ecto_can_load(const struct elfs_ecto_type *type, const struct elfs_ecto_schemas *schemas);

/* value: an integer, a float, a binary or nil, as a whole term; inside a list, whatever JSON holds.
 * *loaded is a view into it, into the type or in arena. schemas may be NULL for a type that is no
 * embedded schema. ELFS_BADARG: it is not of the type (Ecto raises); ELFS_NOMEM. */
enum elfs_code elfs_ecto_load(const struct elfs_ecto_type *type, struct elfs_view value,
                              const struct elfs_ecto_schemas *schemas, struct elfs_arena *arena,
                              struct elfs_view *loaded);

/* The value of an id's column that is a BLOB: 16 bytes become text, what is text stays. */
enum elfs_code elfs_ecto_load_raw_id(struct elfs_view value, struct elfs_arena *arena,
                                     struct elfs_view *loaded);

#endif
