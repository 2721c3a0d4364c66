/* each - a list of what becomes of another's elements.
 *
 * PURE.
 */
#ifndef ELFS_ECTO_EACH_H
#define ELFS_ECTO_EACH_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

/* What becomes of one element: a whole term. */
typedef enum elfs_code (*elfs_ecto_each_fn)(void *arg, struct elfs_view item,
                                            struct elfs_view *made);

/* Calls the function for each element, in order, and makes the list of what it gives, in arena.
 * ELFS_BADARG: it is no list, or an improper one; what the function fails with; ELFS_NOMEM. */
enum elfs_code elfs_ecto_each(struct elfs_view list, elfs_ecto_each_fn each, void *arg,
                              struct elfs_arena *arena, struct elfs_view *made);

#endif
