/* embed_json - see embed_json.h. Recursion is bounded by ELFS_ECTO_EMBED_DEPTH_MAX. */
#include "ecto/embed_json.h"

#include "ecto/json.h"
#include "ecto/make.h"
#include "ecto/peek.h"

struct writer {
    struct elfs_buf *buf;
    const struct elfs_ecto_schemas *schemas;
    struct elfs_arena *arena;
    struct elfs_error *err;
};

static enum elfs_code put_embed(struct writer *w, const struct elfs_ecto_type *type,
                                struct elfs_view value, int depth);

/* Values of {array, T} and {map, T} are embedded as T is. */
static struct elfs_ecto_type innermost(struct elfs_ecto_type type) {
    while (type.kind == ELFS_ECTO_ARRAY || type.kind == ELFS_ECTO_MAP_OF)
        type = elfs_ecto_type_read(type.detail);
    return type;
}

/* Ecto.Enum with embed_as: :dumped. */
static enum elfs_code put_enum(struct writer *w, const struct elfs_ecto_type *type,
                               struct elfs_view value) {
    struct elfs_reader r = elfs_reader_of(elfs_ecto_key(type->detail, "on_dump"));
    size_t pairs = 0;
    elfs_term_map(&r, &pairs);
    for (; pairs > 0; pairs--) {
        struct elfs_view key, stored;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &stored) != ELFS_OK) break;
        if (elfs_view_equal(elfs_ecto_atom(key), elfs_ecto_atom(value)))
            return elfs_ecto_json(w->buf, stored, w->arena, w->err);
    }
    return elfs_fail(w->err, ELFS_UNSUPPORTED, "a value that its Ecto.Enum does not have");
}

static enum elfs_code put_value(struct writer *w, const struct elfs_ecto_type *type,
                                struct elfs_view value, int depth) {
    struct elfs_ecto_type inner = innermost(*type);
    bool dumped = inner.kind == ELFS_ECTO_ENUM && elfs_ecto_enum_is_dumped(&inner);
    if (elfs_ecto_is_nil(value) && !elfs_ecto_type_owns_nil(type)) {
        elfs_ecto_puts(w->buf, "null");
        return ELFS_OK;
    }
    if (type->kind == ELFS_ECTO_EMBED) return put_embed(w, type, value, depth);
    if (type->kind == ELFS_ECTO_ENUM && dumped) return put_enum(w, type, value);
    if (dumped || inner.kind >= ELFS_ECTO_EMBED)
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "a type that only the application knows");
    return elfs_ecto_json(w->buf, value, w->arena, w->err);
}

static enum elfs_code put_field(struct writer *w, const struct elfs_ecto_schema *schema,
                                struct elfs_view field, const struct elfs_ecto_map *data,
                                int depth) {
    struct elfs_view e[3], entry = elfs_ecto_map_find(&schema->dump, field);
    if (!elfs_ecto_tuple(entry, 3, e) && !elfs_ecto_tuple(entry, 2, e)) return ELFS_BADARG;
    struct elfs_ecto_type type = elfs_ecto_type_read(e[1]);
    enum elfs_code code = elfs_ecto_json(w->buf, e[0], w->arena, w->err); /* the source's name */
    elfs_buf_put_u8(w->buf, ':');
    if (code == ELFS_OK) code = put_value(w, &type, elfs_ecto_map_find(data, field), depth);
    if (code == ELFS_UNSUPPORTED || code == ELFS_INVALID_PARAMETER)
        elfs_error_prefix(w->err, "its field %.*s", ELFS_VIEW_ARGS(field));
    return code;
}

static enum elfs_code put_struct(struct writer *w, const struct elfs_ecto_embed *embed,
                                 struct elfs_view value, int depth) {
    const struct elfs_ecto_map *sources = &embed->schema->by_source;
    struct elfs_ecto_map data;
    if (!elfs_ecto_embed_holds(embed, value))
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "a value that is no struct of %.*s",
                         ELFS_VIEW_ARGS(embed->module));
    enum elfs_code code = elfs_ecto_map_read(value, w->arena, &data);
    elfs_buf_put_u8(w->buf, '{');
    for (size_t i = 0; code == ELFS_OK && i < sources->count; i++) {
        if (i > 0) elfs_buf_put_u8(w->buf, ',');
        code = put_field(w, embed->schema, elfs_ecto_atom(sources->pairs[i].value), &data, depth);
    }
    elfs_buf_put_u8(w->buf, '}');
    return code;
}

static enum elfs_code put_structs(struct writer *w, const struct elfs_ecto_embed *embed,
                                  struct elfs_view value, int depth) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(value, &list))
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "a value that is no list of %.*s",
                         ELFS_VIEW_ARGS(embed->module));
    elfs_buf_put_u8(w->buf, '[');
    for (bool first = true; code == ELFS_OK && elfs_ecto_list_next(&list, &item); first = false) {
        if (!first) elfs_buf_put_u8(w->buf, ',');
        code = put_struct(w, embed, item, depth);
    }
    elfs_buf_put_u8(w->buf, ']');
    return code == ELFS_OK && list.improper ? ELFS_BADARG : code;
}

static enum elfs_code put_embed(struct writer *w, const struct elfs_ecto_type *type,
                                struct elfs_view value, int depth) {
    struct elfs_ecto_embed embed;
    if (depth == ELFS_ECTO_EMBED_DEPTH_MAX)
        return elfs_fail(w->err, ELFS_UNSUPPORTED, "embedded schemas of more than %d levels",
                         ELFS_ECTO_EMBED_DEPTH_MAX);
    enum elfs_code code = elfs_ecto_embed_read(type, w->schemas, &embed, w->err);
    if (code != ELFS_OK) return code;
    return embed.many ? put_structs(w, &embed, value, depth + 1)
                      : put_struct(w, &embed, value, depth + 1);
}

enum elfs_code elfs_ecto_embed_json(struct elfs_buf *buf, const struct elfs_ecto_type *type,
                                    struct elfs_view value, const struct elfs_ecto_schemas *schemas,
                                    struct elfs_arena *arena, struct elfs_error *err) {
    struct writer w = {buf, schemas, arena, err};
    enum elfs_code code = put_embed(&w, type, value, 0);
    return code == ELFS_OK ? buf->status : code;
}
