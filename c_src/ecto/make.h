/* make - new terms and texts.
 *
 * PURE. A term that is made lives in the arena; an empty view says that there was no memory.
 */
#ifndef ELFS_ECTO_MAKE_H
#define ELFS_ECTO_MAKE_H

#include "base/arena.h"
#include "base/buf.h"

/* Moves what was written into buf to arena and frees buf. Empty if either had no memory. */
struct elfs_view elfs_ecto_take(struct elfs_buf *buf, struct elfs_arena *arena);

struct elfs_view elfs_ecto_make_atom(const char *text, struct elfs_arena *arena);
struct elfs_view elfs_ecto_make_atom_view(struct elfs_view text, struct elfs_arena *arena);
struct elfs_view elfs_ecto_make_binary(struct elfs_view bytes, struct elfs_arena *arena);

/* {Tag, Value}; empty if value is. */
struct elfs_view elfs_ecto_make_tagged(const char *tag, struct elfs_view value,
                                       struct elfs_arena *arena);

/* Append text, as it is or formatted. */
void elfs_ecto_puts(struct elfs_buf *buf, const char *text);
void elfs_ecto_printf(struct elfs_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
