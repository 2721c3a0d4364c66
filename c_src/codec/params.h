/* params - Erlang terms to SQL parameters, as exqlite binds them.
 *
 * PURE. An integer within 64 bits, a finite float; a binary or iodata as TEXT, byte for byte;
 * {blob, Iodata} as BLOB; `nil` and `undefined` as NULL, `true` and `false` as 1 and 0, other atoms
 * as TEXT; Elixir's Date, Time, NaiveDateTime and UTC DateTime structs as ISO 8601 TEXT (DateTime
 * without the Z), Decimal as plain decimal TEXT. Any other term is ELFS_INVALID_PARAMETER, and the
 * message names the parameter and what was wrong with it.
 */
#ifndef ELFS_CODEC_PARAMS_H
#define ELFS_CODEC_PARAMS_H

#include "base/arena.h"
#include "base/value.h"
#include "codec/term.h"

/* SQLite's own limit for one statement (SQLITE_MAX_VARIABLE_NUMBER). */
#define ELFS_PARAMS_MAX 32766

/* Converts one whole term. Views point into it or into arena and are never NULL, be they empty. The
 * message says what is wrong; the caller adds where (elfs_error_prefix). */
enum elfs_code elfs_value_of_term(struct elfs_view term, struct elfs_arena *arena,
                                  struct elfs_value *value, struct elfs_error *err);

/* Converts a parameter list, or a map of names (atoms or binaries, without SQLite's prefix).
 * ELFS_BADARG if the term is neither. Two keys of the same name, a key of another type and more
 * than ELFS_PARAMS_MAX parameters are ELFS_INVALID_PARAMETER. */
enum elfs_code elfs_params_of_term(struct elfs_view term, struct elfs_arena *arena,
                                   struct elfs_params *params, struct elfs_error *err);

/* Iodata (a binary, or a list of bytes, binaries and such lists) as one run of bytes, never NULL; a
 * plain binary and a flat list of bytes are not copied. ELFS_BADARG if it is something else. */
enum elfs_code elfs_iodata_of_term(struct elfs_view term, struct elfs_arena *arena,
                                   struct elfs_view *bytes);

#endif
