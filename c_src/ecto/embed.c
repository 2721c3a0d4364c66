/* embed - see embed.h. */
#include "ecto/embed.h"

#include "ecto/peek.h"

enum elfs_code elfs_ecto_embed_read(const struct elfs_ecto_type *type,
                                    const struct elfs_ecto_schemas *schemas,
                                    struct elfs_ecto_embed *embed, struct elfs_error *err) {
    struct elfs_view cardinality = elfs_ecto_key(type->detail, "cardinality");
    *embed = (struct elfs_ecto_embed){
        .reflection = type->detail,
        .module = elfs_ecto_atom(elfs_ecto_key(type->detail, "related")),
        .many = elfs_ecto_is_atom(cardinality, "many"),
    };
    if (embed->module.len == 0 || (!embed->many && !elfs_ecto_is_atom(cardinality, "one")))
        return ELFS_BADARG;
    if (schemas->find) embed->schema = schemas->find(schemas->arg, embed->module);
    if (embed->schema) return ELFS_OK;
    return elfs_fail(err, ELFS_UNSUPPORTED, "the embedded schema %.*s is not known",
                     ELFS_VIEW_ARGS(embed->module));
}

bool elfs_ecto_embed_holds(const struct elfs_ecto_embed *embed, struct elfs_view term) {
    struct elfs_view name = elfs_ecto_struct(term);
    return name.len > 0 && elfs_view_equal(name, embed->module);
}
