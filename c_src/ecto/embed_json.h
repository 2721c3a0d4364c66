/* embed_json - embedded structs as the JSON text that is stored.
 *
 * PURE. Sources: Ecto.Embedded.dump/3 with Ecto.Type.embedded_dump/3, which ecto_sqlite3 hands to
 * Jason: an object with the schema's fields under their source names and sorted by them, their
 * values as Jason writes them (ecto/json.h), not as they would be stored in columns of their own.
 */
#ifndef ELFS_ECTO_EMBED_JSON_H
#define ELFS_ECTO_EMBED_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "ecto/embed.h"

/* Appends the JSON of a value (not nil) of a type of kind ELFS_ECTO_EMBED. ELFS_UNSUPPORTED: a
 * value that is not of the schema, or that only the application can turn into JSON;
 * ELFS_INVALID_PARAMETER: what JSON cannot hold. err says which. arena is scratch. */
enum elfs_code elfs_ecto_embed_json(struct elfs_buf *buf, const struct elfs_ecto_type *type,
                                    struct elfs_view value, const struct elfs_ecto_schemas *schemas,
                                    struct elfs_arena *arena, struct elfs_error *err);

#endif
