/* struct_text - the text of Elixir's calendar and Decimal structs.
 *
 * PURE. Sources: Calendar.ISO and Decimal.to_string/2 (:normal), and exqlite's bind conversions.
 */
#ifndef ELFS_CODEC_STRUCT_TEXT_H
#define ELFS_CODEC_STRUCT_TEXT_H

#include "base/arena.h"
#include "codec/term.h"

/* term is a whole MAP_EXT. ELFS_OK: a Date, Time, NaiveDateTime, UTC DateTime (all Calendar.ISO) or
 * a finite Decimal, and *text (in arena) is what SQLite stores. ELFS_BADARG: a map that is none of
 * these structs. ELFS_INVALID_PARAMETER: one of these structs, but with content that cannot be
 * stored (another zone, another calendar, a field out of range, NaN or infinity, more than 4,096
 * digits); err says which. */
enum elfs_code elfs_struct_text(struct elfs_view term, struct elfs_arena *arena,
                                struct elfs_view *text, struct elfs_error *err);

#endif
