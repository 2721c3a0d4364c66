/* moment - dates and times: made from the clock, read from text, written as Elixir's structs.
 *
 * PURE. Sources: Calendar.ISO, Ecto.Schema.__timestamps__/1 and Ecto.Type.load/2: the types without
 * _usec have whole seconds (precision 0), those with it microseconds (precision 6).
 */
#ifndef ELFS_ECTO_MOMENT_H
#define ELFS_ECTO_MOMENT_H

#include "base/arena.h"
#include "ecto/type.h"

struct elfs_ecto_moment {
    int year, month, day;
    int hour, minute, second, microsecond;
};

/* From Unix time in microseconds. */
struct elfs_ecto_moment elfs_ecto_moment_of(int64_t unix_us);

/* Reads what ecto_sqlite3 stores for a type of the kinds DATE to UTC_USEC: a date, a time, or both
 * with T or a blank between them; seconds may have a fraction, a date and time a Z. False if it is
 * something else. */
bool elfs_ecto_moment_parse(enum elfs_ecto_kind kind, struct elfs_view text,
                            struct elfs_ecto_moment *moment);

/* The struct of that kind, in arena; empty if there was no memory. */
struct elfs_view elfs_ecto_moment_term(enum elfs_ecto_kind kind,
                                       const struct elfs_ecto_moment *moment,
                                       struct elfs_arena *arena);

#endif
