/* load - a returned value as the term that Ecto makes of it.
 *
 * PURE. Sources: Ecto.Type.load/2 and ecto_sqlite3's loaders.
 */
#ifndef ELFS_ECTO_LOAD_H
#define ELFS_ECTO_LOAD_H

#include "base/arena.h"
#include "base/error.h"
#include "ecto/type.h"

/* True if values of this type can be loaded. To be asked before anything is written. */
bool elfs_ecto_can_load(const struct elfs_ecto_type *type);

/* value: an integer, a float, a binary or nil, as a whole term. *loaded is a view into it or in
 * arena. ELFS_BADARG: it is not of the type (Ecto raises); ELFS_NOMEM. */
enum elfs_code elfs_ecto_load(const struct elfs_ecto_type *type, struct elfs_view value,
                              struct elfs_arena *arena, struct elfs_view *loaded);

#endif
