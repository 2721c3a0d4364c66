/* embed_load - see embed_load.h. */
#include "ecto/embed_load.h"

#include "codec/term_head.h"
#include "ecto/cast.h"
#include "ecto/each.h"
#include "ecto/load.h"
#include "ecto/make.h"
#include "ecto/peek.h"

/* More schemas in one field are not looked through. */
#define SEEN_MAX 64

/* The schemas that have been looked at, or are being: none twice, since they may embed themselves and
 * each other. */
struct seen {
    struct elfs_view modules[SEEN_MAX];
    size_t count;
};

static bool has_seen(const struct seen *seen, struct elfs_view module) {
    for (size_t i = 0; i < seen->count; i++) {
        if (elfs_view_equal(seen->modules[i], module)) return true;
    }
    return false;
}

static bool can_load(const struct elfs_ecto_type *type, const struct elfs_ecto_schemas *schemas,
                     struct seen *seen) {
    struct elfs_ecto_embed embed;
    if (elfs_ecto_embed_read(type, schemas, &embed, NULL) != ELFS_OK) return false;
    if (has_seen(seen, embed.module)) return true;
    if (seen->count == SEEN_MAX) return false;
    seen->modules[seen->count++] = embed.module;
    const struct elfs_ecto_map *dump = &embed.schema->dump;
    for (size_t i = 0; i < dump->count; i++) {
        struct elfs_view e[3];
        if (!elfs_ecto_tuple(dump->pairs[i].value, 3, e) &&
            !elfs_ecto_tuple(dump->pairs[i].value, 2, e))
            return false;
        struct elfs_ecto_type field = elfs_ecto_type_read(e[1]);
        bool can = field.kind == ELFS_ECTO_EMBED  ? can_load(&field, schemas, seen)
                   : field.kind == ELFS_ECTO_ENUM ? true
                                                  : elfs_ecto_can_cast(&field);
        if (!can) return false;
    }
    return true;
}

bool elfs_ecto_can_load_embed(const struct elfs_ecto_type *type,
                              const struct elfs_ecto_schemas *schemas) {
    struct seen seen = {.count = 0};
    return can_load(type, schemas, &seen);
}

struct loader {
    const struct elfs_ecto_schemas *schemas;
    struct elfs_arena *arena;
};

static enum elfs_code load_embed(struct loader *l, const struct elfs_ecto_type *type,
                                 struct elfs_view value, int depth, struct elfs_view *loaded);

static enum elfs_code load_field(struct loader *l, struct elfs_view entry, struct elfs_view object,
                                 int depth, struct elfs_view *loaded) {
    struct elfs_view e[3];
    *loaded = ELFS_VIEW_NONE;
    if (!elfs_ecto_tuple(entry, 3, e) && !elfs_ecto_tuple(entry, 2, e)) return ELFS_BADARG;
    struct elfs_view value = elfs_ecto_text_key(object, elfs_ecto_atom(e[0]));
    if (value.len == 0) return ELFS_OK; /* it has the schema's default */
    struct elfs_ecto_type type = elfs_ecto_type_read(e[1]);
    if (type.kind == ELFS_ECTO_EMBED) return load_embed(l, &type, value, depth, loaded);
    if (type.kind == ELFS_ECTO_ENUM && elfs_ecto_enum_is_dumped(&type))
        return elfs_ecto_load(&type, value, NULL, l->arena, loaded);
    return elfs_ecto_cast(&type, value, l->arena, loaded);
}

static enum elfs_code load_struct(struct loader *l, const struct elfs_ecto_embed *embed,
                                  struct elfs_view object, int depth, struct elfs_view *loaded) {
    const struct elfs_ecto_map *dump = &embed->schema->dump;
    struct elfs_ecto_map into;
    if (!elfs_ecto_is(object, ELFS_TERM_MAP)) return ELFS_BADARG;
    enum elfs_code code = elfs_ecto_map_copy(&embed->schema->loaded, l->arena, &into);
    for (size_t i = 0; code == ELFS_OK && i < dump->count; i++) {
        struct elfs_view value;
        code = load_field(l, dump->pairs[i].value, object, depth, &value);
        if (code == ELFS_OK && value.len > 0)
            code = elfs_ecto_map_set(&into, l->arena, dump->pairs[i].name, value);
    }
    if (code == ELFS_OK) *loaded = elfs_ecto_map_term(&into, l->arena);
    return code == ELFS_OK && loaded->len == 0 ? ELFS_NOMEM : code;
}

/* For elfs_ecto_each. */
struct element {
    struct loader *loader;
    const struct elfs_ecto_embed *embed;
    int depth;
};

static enum elfs_code load_element(void *arg, struct elfs_view item, struct elfs_view *loaded) {
    const struct element *element = arg;
    return load_struct(element->loader, element->embed, item, element->depth, loaded);
}

static enum elfs_code load_embed(struct loader *l, const struct elfs_ecto_type *type,
                                 struct elfs_view value, int depth, struct elfs_view *loaded) {
    static const uint8_t empty[] = {ELFS_TAG_NIL};
    struct elfs_ecto_embed embed;
    enum elfs_code code = elfs_ecto_embed_read(type, l->schemas, &embed, NULL);
    if (code != ELFS_OK) return ELFS_BADARG;
    *loaded = value;
    if (elfs_ecto_is_nil(value)) {
        if (embed.many) *loaded = (struct elfs_view){empty, sizeof empty};
        return ELFS_OK;
    }
    if (depth == ELFS_ECTO_EMBED_DEPTH_MAX) return ELFS_BADARG;
    struct element element = {l, &embed, depth + 1};
    return embed.many ? elfs_ecto_each(value, load_element, &element, l->arena, loaded)
                      : load_element(&element, value, loaded);
}

enum elfs_code elfs_ecto_load_embed(const struct elfs_ecto_type *type, struct elfs_view value,
                                    const struct elfs_ecto_schemas *schemas,
                                    struct elfs_arena *arena, struct elfs_view *loaded) {
    struct loader l = {schemas, arena};
    return load_embed(&l, type, value, 0, loaded);
}
