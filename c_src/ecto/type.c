/* type - see type.h. */
#include "ecto/type.h"

#include "ecto/peek.h"

static const char *const names[] = {
#define X(id, name) [id] = name,
    ELFS_ECTO_NAMED_TYPES(X)
#undef X
};

static enum elfs_ecto_kind named(struct elfs_view name) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (elfs_view_is(name, names[i])) return (enum elfs_ecto_kind)i;
    }
    return ELFS_ECTO_CUSTOM;
}

static void parameterized(struct elfs_view module, struct elfs_view params,
                          struct elfs_ecto_type *type) {
    type->detail = params;
    if (elfs_ecto_is_atom(module, "Elixir.Ecto.Enum")) type->kind = ELFS_ECTO_ENUM;
    if (elfs_ecto_is_atom(module, "Elixir.Ecto.Embedded")) type->kind = ELFS_ECTO_EMBED;
}

static void composite(struct elfs_view tag, struct elfs_view detail, struct elfs_ecto_type *type) {
    struct elfs_view both[2];
    type->detail = detail;
    if (elfs_ecto_is_atom(tag, "array")) type->kind = ELFS_ECTO_ARRAY;
    if (elfs_ecto_is_atom(tag, "map")) type->kind = ELFS_ECTO_MAP_OF;
    if (elfs_ecto_is_atom(tag, "embed")) type->kind = ELFS_ECTO_EMBED;
    if (elfs_ecto_is_atom(tag, "assoc")) type->kind = ELFS_ECTO_ASSOC;
    if (elfs_ecto_is_atom(tag, "parameterized") && elfs_ecto_tuple(detail, 2, both))
        parameterized(both[0], both[1], type);
}

struct elfs_ecto_type elfs_ecto_type_read(struct elfs_view term) {
    struct elfs_ecto_type type = {.kind = ELFS_ECTO_CUSTOM, .term = term};
    struct elfs_view e[3];
    if (term.len == 0) {
        type.kind = ELFS_ECTO_UNTYPED;
    } else if (elfs_ecto_is(term, ELFS_TERM_ATOM)) {
        type.kind = named(elfs_ecto_atom(term));
    } else if (elfs_ecto_tuple(term, 2, e)) {
        composite(e[0], e[1], &type);
    } else if (elfs_ecto_tuple(term, 3, e) && elfs_ecto_is_atom(e[0], "parameterized")) {
        parameterized(e[1], e[2], &type);
    }
    return type;
}

bool elfs_ecto_type_owns_nil(const struct elfs_ecto_type *type) {
    return type->kind == ELFS_ECTO_CUSTOM && elfs_ecto_is(type->term, ELFS_TERM_TUPLE);
}

bool elfs_ecto_enum_is_dumped(const struct elfs_ecto_type *type) {
    return elfs_ecto_is_atom(elfs_ecto_key(type->detail, "embed_as"), "dump");
}

bool elfs_ecto_type_is_json(const struct elfs_ecto_type *type) {
    return type->kind == ELFS_ECTO_MAP || type->kind == ELFS_ECTO_MAP_OF ||
           type->kind == ELFS_ECTO_ARRAY || type->kind == ELFS_ECTO_EMBED;
}
