/* dump - a field's value as ecto_sqlite3 stores it.
 *
 * PURE. Sources: Ecto.Type.dump/2, ecto_sqlite3's dumpers and Codec, with its settings as they are
 * by default. What its settings for binaries change is read off the column: in a column declared
 * with BLOB, ids are stored as their 16 bytes.
 *
 *   booleans .............. 0 and 1
 *   decimals .............. plain decimal text
 *   naive datetimes ....... 2026-11-24T21:12:51, DateTimes with Z; dates and times ISO 8601
 *   maps and lists ........ JSON text; of nil too: null
 *   :binary ............... BLOB; :string TEXT
 *   embedded schemas ...... JSON text of their structs (ecto/embed_json.h)
 *   Ecto.Enum ............. the text or the integer of its mapping
 *   binary ids, UUIDs ..... text; their 16 bytes, bound as text as exqlite does, in a BLOB column
 *   :any .................. as a parameter is bound (codec/params.h)
 *
 * A value whose type is not known is stored by what it is, as far as only one form is possible.
 */
#ifndef ELFS_ECTO_DUMP_H
#define ELFS_ECTO_DUMP_H

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "ecto/schema.h"
#include "ecto/table.h"
#include "ecto/type.h"

/* Converts a whole term. column may be NULL: nothing is known of it. schemas: those of embedded
 * structs. ELFS_BADARG: the value does
 * not match the type (Ecto raises). ELFS_INVALID_PARAMETER: it cannot be stored. ELFS_UNSUPPORTED:
 * only the application knows how, or more than one form is possible. err says why for these two. */
enum elfs_code elfs_ecto_dump(const struct elfs_ecto_type *type, struct elfs_view term,
                              const struct elfs_ecto_column *column,
                              const struct elfs_ecto_schemas *schemas, struct elfs_arena *arena,
                              struct elfs_value *value, struct elfs_error *err);

#endif
