/* cast - a value read from JSON as the term that Ecto casts it to.
 *
 * PURE. Source: Ecto.Type.cast/2, which Ecto.Type.embedded_load/3 uses for the values of a {map, T}
 * and of an embedded schema's fields. Taken is what Jason writes for the type, and of the other
 * forms that Ecto takes numbers and booleans in strings, and the date of a date and time.
 */
#ifndef ELFS_ECTO_CAST_H
#define ELFS_ECTO_CAST_H

#include "base/arena.h"
#include "base/error.h"
#include "ecto/type.h"

/* True if values are cast to this type here: its T may not be the application's own, nor an
 * embedded schema. */
bool elfs_ecto_can_cast(const struct elfs_ecto_type *type);

/* value: a whole term as ecto/json_read.h makes it. *cast is a view into it, into the type or in
 * arena. ELFS_BADARG: it cannot be cast (Ecto raises); ELFS_NOMEM. */
enum elfs_code elfs_ecto_cast(const struct elfs_ecto_type *type, struct elfs_view value,
                              struct elfs_arena *arena, struct elfs_view *cast);

#endif
