/* json_read - JSON text as the term that Jason makes of it.
 *
 * PURE. Objects are maps with binaries as keys (of a key given twice the first counts), numbers
 * without fraction and power are integers of any size, others floats; true, false and null (nil).
 */
#ifndef ELFS_ECTO_JSON_READ_H
#define ELFS_ECTO_JSON_READ_H

#include "base/arena.h"
#include "base/error.h"
#include "base/view.h"

/* *term is in arena. ELFS_BADARG: it is not JSON, holds a number out of range, or is more than
 * JSON's limits allow (base/json.h). ELFS_NOMEM. */
enum elfs_code elfs_ecto_json_read(struct elfs_view text, struct elfs_arena *arena,
                                   struct elfs_view *term);

#endif
