/* inspect - a term as Elixir's inspect/1 shows it, for the messages of exceptions.
 *
 * PURE. Exact for atoms, integers within 64 bits, floats, binaries, and lists, tuples and maps of
 * those up to a few levels; calendar structs as their sigils. What is deeper or longer is "...",
 * and another struct is #Name<...>: what its fields may show (redact: true) only its module knows.
 */
#ifndef ELFS_ECTO_INSPECT_H
#define ELFS_ECTO_INSPECT_H

#include "base/arena.h"
#include "base/buf.h"
#include "ecto/type.h"

/* Appends the text of a whole term. arena is scratch. */
void elfs_ecto_inspect(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena);

/* Appends a type as Ecto.Type.format/1 shows it. */
void elfs_ecto_inspect_type(struct elfs_buf *buf, const struct elfs_ecto_type *type,
                            struct elfs_arena *arena);

/* Appends an atom, given by its text, as inspect shows it: :name, Some.Module, nil. */
void elfs_ecto_inspect_atom(struct elfs_buf *buf, struct elfs_view text);

/* Appends bytes as inspect shows a binary: "text", or <<1, 2>>. */
void elfs_ecto_inspect_binary(struct elfs_buf *buf, struct elfs_view bytes);

#endif
