/* reply - an answer under way, and the parts that make it.
 *
 * PURE. Private to answer.
 */
#ifndef ELFS_ECTO_REPLY_H
#define ELFS_ECTO_REPLY_H

#include "ecto/context.h"

struct elfs_ecto_reply {
    const struct elfs_ecto_write *w;
    struct elfs_arena *arena;
    size_t max;            /* what the answer may take */
    struct elfs_view term; /* the answer */
    bool raised;
};

/* The answer is this term; ELFS_NOMEM if it is empty, since it could not be made. */
enum elfs_code elfs_ecto_reply_set(struct elfs_ecto_reply *a, struct elfs_view term, bool raised);

/* The statement ran: rows (a list of lists, or nil) and its count as Exqlite.Result has them. */
enum elfs_code elfs_ecto_reply_single(struct elfs_ecto_reply *a, struct elfs_view rows,
                                      int64_t count);
enum elfs_code elfs_ecto_reply_all(struct elfs_ecto_reply *a, struct elfs_view rows, int64_t count);

/* SQLite refused. ELFS_UNSUPPORTED: only Ecto can tell whether the changeset declares it. */
enum elfs_code elfs_ecto_reply_error(struct elfs_ecto_reply *a, const struct elfs_error *error);

/* Puts a returned row's values into *into. ELFS_BADARG: one is not of its type, and the answer is
 * what Ecto raises. */
enum elfs_code elfs_ecto_reply_load(struct elfs_ecto_reply *a, struct elfs_view row,
                                    struct elfs_ecto_map *into);

/* insert, update or delete. */
bool elfs_ecto_is_single(enum elfs_ecto_action action);

/* The changeset with this error, returned or raised. */
enum elfs_code elfs_ecto_reply_invalid(struct elfs_ecto_reply *a, struct elfs_view error);

#endif
