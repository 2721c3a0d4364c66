/* json - a term as JSON text, as Jason writes it.
 *
 * PURE. Maps (keys: atoms, binaries, integers), lists, integers, floats, binaries of UTF-8, atoms,
 * calendar structs and Decimals, which become strings. Objects keep the order in which the peer
 * sent their keys, which is the order that it would write them in.
 */
#ifndef ELFS_ECTO_JSON_H
#define ELFS_ECTO_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

/* Appends the JSON of a whole term. ELFS_UNSUPPORTED: another struct, whose encoding only the
 * application knows, or more than 64 levels; ELFS_INVALID_PARAMETER: what JSON cannot hold. err
 * says which. arena is scratch. */
enum elfs_code elfs_ecto_json(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                              struct elfs_error *err);

/* Appends the JSON of a stored value (an element of an {array, T}); a BLOB cannot be. */
enum elfs_code elfs_ecto_json_value(struct elfs_buf *buf, const struct elfs_value *value,
                                    struct elfs_error *err);

/* True if the bytes are UTF-8. */
bool elfs_utf8_is_valid(struct elfs_view bytes);

#endif
