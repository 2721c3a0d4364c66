/* embed - an embedded schema, as the type of a field names it.
 *
 * PURE. Source: Ecto.Embedded. A value of the field is a struct of that schema (embeds_one), or a
 * list of them (embeds_many).
 */
#ifndef ELFS_ECTO_EMBED_H
#define ELFS_ECTO_EMBED_H

#include "base/error.h"
#include "ecto/schema.h"
#include "ecto/type.h"

/* Schemas may embed themselves: what is nested deeper is refused. */
#define ELFS_ECTO_EMBED_DEPTH_MAX 32

struct elfs_ecto_embed {
    struct elfs_view reflection; /* the %Ecto.Embedded{}, whole */
    struct elfs_view module;     /* the schema's, text */
    bool many;
    const struct elfs_ecto_schema *schema;
};

/* Reads a type of kind ELFS_ECTO_EMBED. ELFS_UNSUPPORTED: its schema is not known; ELFS_BADARG: not
 * what Ecto has there. */
enum elfs_code elfs_ecto_embed_read(const struct elfs_ecto_type *type,
                                    const struct elfs_ecto_schemas *schemas,
                                    struct elfs_ecto_embed *embed, struct elfs_error *err);

/* True if the term is a struct of the schema. */
bool elfs_ecto_embed_holds(const struct elfs_ecto_embed *embed, struct elfs_view term);

#endif
