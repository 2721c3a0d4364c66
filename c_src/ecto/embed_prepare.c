/* embed_prepare - see embed_prepare.h. Recursion is bounded by ELFS_ECTO_EMBED_DEPTH_MAX. */
#include "ecto/embed_prepare.h"

#include <stdlib.h>

#include "codec/put.h"
#include "ecto/autogenerate.h"
#include "ecto/changeset.h"
#include "ecto/each.h"
#include "ecto/embed.h"
#include "ecto/make.h"
#include "ecto/peek.h"

enum action { INSERT, UPDATE, DELETE };

static enum elfs_code refuse(struct elfs_ecto_context *c, const struct elfs_ecto_embed *embed,
                             const char *what) {
    return elfs_fail(c->err, ELFS_UNSUPPORTED, "a changeset of %.*s %s, which needs Ecto",
                     ELFS_VIEW_ARGS(embed->module), what);
}

/* A new changeset of a struct that belongs to nothing yet. */
static enum elfs_code new_changeset(struct elfs_ecto_context *c,
                                    const struct elfs_ecto_embed *embed, struct elfs_view data,
                                    struct elfs_view *change) {
    struct elfs_ecto_map changeset;
    struct elfs_view state = elfs_ecto_key(elfs_ecto_key(data, "__meta__"), "state");
    const char *action = "insert"; /* by its state, if the schema has a table of its own */
    if (elfs_ecto_is_atom(state, "loaded")) action = "update";
    if (elfs_ecto_is_atom(state, "deleted")) action = "delete";
    if (!elfs_ecto_embed_holds(embed, data)) return refuse(c, embed, "has another struct");
    enum elfs_code code =
        elfs_ecto_changeset_change(data, embed->schema->types_term, c->arena, &changeset);
    if (code == ELFS_OK)
        code = elfs_ecto_map_set(&changeset, c->arena, elfs_view_str("action"),
                                 elfs_ecto_make_atom(action, c->arena));
    if (code == ELFS_OK) *change = elfs_ecto_map_term(&changeset, c->arena);
    return code == ELFS_OK && change->len == 0 ? ELFS_NOMEM : code;
}

/* The values of a struct's key; empty if one of them is nil. */
static enum elfs_code key_of(struct elfs_ecto_context *c, const struct elfs_ecto_embed *embed,
                             struct elfs_view data, struct elfs_view *key) {
    struct elfs_ecto_list names;
    struct elfs_view name;
    struct elfs_buf buf;
    bool whole = elfs_ecto_list_begin(embed->schema->primary_key, &names);
    elfs_buf_init(&buf, SIZE_MAX);
    while (whole && elfs_ecto_list_next(&names, &name)) {
        struct elfs_view value = elfs_ecto_key_find(data, elfs_ecto_atom(name));
        whole = !elfs_ecto_is_nil(value);
        elfs_buf_append_view(&buf, value);
    }
    *key = elfs_ecto_take(&buf, c->arena);
    if (!key->data) return ELFS_NOMEM;
    if (!whole) *key = ELFS_VIEW_NONE;
    return ELFS_OK;
}

static int by_bytes(const void *a, const void *b) {
    const struct elfs_view *x = a, *y = b;
    size_t common = x->len < y->len ? x->len : y->len;
    int order = common ? memcmp(x->data, y->data, common) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Two structs with one key would be an error of the changeset. */
static enum elfs_code check_keys(struct elfs_ecto_context *c, const struct elfs_ecto_embed *embed,
                                 struct elfs_view value) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    size_t count = 0;
    elfs_ecto_list_begin(value, &list);
    struct elfs_view *keys = elfs_arena_array(c->arena, list.items.left, sizeof *keys);
    if (!keys) return ELFS_NOMEM;
    while (elfs_ecto_list_next(&list, &item)) {
        enum elfs_code code = key_of(c, embed, item, &keys[count]);
        if (code != ELFS_OK) return code;
        count += keys[count].len > 0;
    }
    qsort(keys, count, sizeof *keys, by_bytes);
    for (size_t i = 1; i < count; i++) {
        if (elfs_view_equal(keys[i - 1], keys[i]))
            return refuse(c, embed, "has the key of another");
    }
    return ELFS_OK;
}

/* For elfs_ecto_each. */
struct element {
    struct elfs_ecto_context *c;
    const struct elfs_ecto_embed *embed;
};

static enum elfs_code new_element(void *arg, struct elfs_view item, struct elfs_view *change) {
    const struct element *element = arg;
    return new_changeset(element->c, element->embed, item, change);
}

static enum elfs_code new_changesets(struct elfs_ecto_context *c,
                                     const struct elfs_ecto_embed *embed, struct elfs_view value,
                                     struct elfs_view *change) {
    struct element element = {c, embed};
    struct elfs_ecto_list list;
    if (!elfs_ecto_list_begin(value, &list)) return refuse(c, embed, "is no list");
    enum elfs_code code = check_keys(c, embed, value);
    return code == ELFS_OK ? elfs_ecto_each(value, new_element, &element, c->arena, change) : code;
}

enum elfs_code elfs_ecto_embed_surface(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_type *type, struct elfs_view value,
                                       struct elfs_view *change) {
    struct elfs_ecto_embed embed;
    *change = ELFS_VIEW_NONE;
    bool many = elfs_ecto_is_atom(elfs_ecto_key(type->detail, "cardinality"), "many");
    if (elfs_ecto_is_empty_list(value) || (elfs_ecto_is_nil(value) && !many)) return ELFS_OK;
    enum elfs_code code = elfs_ecto_embed_read(type, &c->env->embedded, &embed, c->err);
    if (code != ELFS_OK) return code;
    return embed.many ? new_changesets(c, &embed, value, change)
                      : new_changeset(c, &embed, value, change);
}

/* A changeset of an embedded struct, read. */
struct part {
    const struct elfs_ecto_embed *embed;
    enum action action;
    struct elfs_view data_term;
    struct elfs_ecto_map data;
    struct elfs_ecto_map changes;
};

static enum elfs_code read_action(struct elfs_ecto_context *c, struct elfs_view action, bool insert,
                                  struct part *part) {
    struct elfs_view on_replace = elfs_ecto_key(part->embed->reflection, "on_replace");
    if (elfs_ecto_is_atom(action, "delete") ||
        (elfs_ecto_is_atom(action, "replace") && elfs_ecto_is_atom(on_replace, "delete"))) {
        part->action = DELETE;
    } else if (elfs_ecto_is_atom(action, "insert") ||
               (elfs_ecto_is_atom(action, "update") && insert)) {
        part->action = INSERT;
    } else if (elfs_ecto_is_atom(action, "update")) {
        part->action = UPDATE;
    } else {
        return refuse(c, part->embed, "is neither to be inserted, updated nor deleted");
    }
    return ELFS_OK;
}

static enum elfs_code read_part(struct elfs_ecto_context *c, struct elfs_view term, bool insert,
                                struct part *part) {
    struct elfs_ecto_map changeset;
    if (!elfs_view_is(elfs_ecto_struct(term), "Elixir.Ecto.Changeset")) return ELFS_BADARG;
    enum elfs_code code = elfs_ecto_map_read(term, c->arena, &changeset);
    if (code != ELFS_OK) return code;
    part->data_term = elfs_ecto_map_get(&changeset, "data");
    if (!elfs_ecto_is_atom(elfs_ecto_map_get(&changeset, "valid?"), "true"))
        return refuse(c, part->embed, "is invalid and its parent is not");
    if (!elfs_ecto_is_empty_list(elfs_ecto_map_get(&changeset, "prepare")))
        return refuse(c, part->embed, "has prepare_changes");
    if (!elfs_ecto_embed_holds(part->embed, part->data_term))
        return refuse(c, part->embed, "has another struct");
    code = read_action(c, elfs_ecto_map_get(&changeset, "action"), insert, part);
    if (code == ELFS_OK) code = elfs_ecto_map_read(part->data_term, c->arena, &part->data);
    if (code != ELFS_OK) return code;
    return elfs_ecto_map_read(elfs_ecto_map_get(&changeset, "changes"), c->arena, &part->changes);
}

static bool is_own(struct elfs_view name) {
    return elfs_view_is(name, "__meta__") || elfs_view_is(name, "__struct__");
}

/* To insert: what the struct has is changed too. */
static enum elfs_code surface(struct elfs_ecto_context *c, struct part *part) {
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < part->data.count; i++) {
        const struct elfs_ecto_pair *pair = &part->data.pairs[i];
        struct elfs_view value = pair->value;
        struct elfs_ecto_type type =
            elfs_ecto_type_read(elfs_ecto_map_find(&part->embed->schema->types, pair->name));
        if (is_own(pair->name) || type.kind == ELFS_ECTO_ASSOC || elfs_ecto_is_nil(value) ||
            elfs_ecto_map_find(&part->changes, pair->name).len > 0)
            continue;
        if (type.kind == ELFS_ECTO_EMBED) code = elfs_ecto_embed_surface(c, &type, value, &value);
        if (code == ELFS_OK && value.len > 0)
            code = elfs_ecto_map_set(&part->changes, c->arena, pair->name, value);
    }
    return code;
}

static enum elfs_code make_id(struct elfs_ecto_context *c, struct part *part) {
    struct elfs_view e[3], value;
    if (!elfs_ecto_tuple(part->embed->schema->autogenerate_id, 3, e)) return ELFS_OK;
    struct elfs_view name = elfs_ecto_atom(e[0]);
    if (!elfs_ecto_is_atom(e[2], "binary_id"))
        return refuse(c, part->embed, "has a key that cannot be made");
    if (elfs_ecto_map_find(&part->changes, name).len > 0) return ELFS_OK;
    enum elfs_code code = elfs_ecto_make_uuid(c, false, &value);
    return code == ELFS_OK ? elfs_ecto_map_set(&part->changes, c->arena, name, value) : code;
}

static enum elfs_code check_id(struct elfs_ecto_context *c, const struct part *part) {
    struct elfs_ecto_list keys;
    struct elfs_view key;
    if (!elfs_ecto_list_begin(part->embed->schema->primary_key, &keys)) return ELFS_BADARG;
    while (elfs_ecto_list_next(&keys, &key)) {
        if (elfs_ecto_is_nil(elfs_ecto_map_find(&part->data, elfs_ecto_atom(key))))
            return refuse(c, part->embed, "updates a struct without a key");
    }
    return ELFS_OK;
}

/* The struct with these values, as far as it has such fields. */
static enum elfs_code apply(struct elfs_ecto_context *c, const struct elfs_ecto_map *values,
                            struct elfs_ecto_map *data) {
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < values->count; i++) {
        const struct elfs_ecto_pair *pair = &values->pairs[i];
        if (elfs_ecto_map_find(data, pair->name).len > 0)
            code = elfs_ecto_map_set(data, c->arena, pair->name, pair->value);
    }
    return code;
}

static enum elfs_code prepare_fields(struct elfs_ecto_context *c,
                                     const struct elfs_ecto_schema *schema, bool insert, int depth,
                                     struct elfs_ecto_map *changes);

static enum elfs_code complete(struct elfs_ecto_context *c, struct part *part, int depth,
                               struct elfs_view *value) {
    const struct elfs_ecto_schema *schema = part->embed->schema;
    struct elfs_ecto_map made = {0};
    bool insert = part->action == INSERT;
    enum elfs_code code = insert ? surface(c, part) : check_id(c, part);
    if (code == ELFS_OK) code = prepare_fields(c, schema, insert, depth, &part->changes);
    if (code == ELFS_OK && insert) code = make_id(c, part);
    if (code == ELFS_OK)
        code = elfs_ecto_autogenerate_groups(c, insert ? schema->autogenerate : schema->autoupdate,
                                             &part->changes, &made);
    if (code == ELFS_OK) code = apply(c, &part->changes, &part->data);
    if (code == ELFS_OK) code = apply(c, &made, &part->data);
    if (code == ELFS_OK) *value = elfs_ecto_map_term(&part->data, c->arena);
    return code == ELFS_OK && value->len == 0 ? ELFS_NOMEM : code;
}

/* *value is empty when the struct is deleted. */
static enum elfs_code prepare_one(struct elfs_ecto_context *c, const struct elfs_ecto_embed *embed,
                                  struct elfs_view changeset, bool insert, int depth,
                                  struct elfs_view *value) {
    struct part part = {.embed = embed};
    enum elfs_code code = read_part(c, changeset, insert, &part);
    *value = ELFS_VIEW_NONE;
    if (code != ELFS_OK || part.action == DELETE) return code;
    if (part.action == UPDATE && part.changes.count == 0) {
        *value = part.data_term;
        return ELFS_OK;
    }
    return complete(c, &part, depth, value);
}

static enum elfs_code prepare_many(struct elfs_ecto_context *c, const struct elfs_ecto_embed *embed,
                                   struct elfs_view changesets, bool insert, int depth,
                                   struct elfs_view *value) {
    struct elfs_ecto_list list;
    struct elfs_view item, one;
    struct elfs_buf items, whole;
    size_t count = 0;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(changesets, &list)) return ELFS_BADARG;
    elfs_buf_init(&items, SIZE_MAX);
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &item)) {
        code = prepare_one(c, embed, item, insert, depth, &one);
        count += one.len > 0;
        elfs_buf_append_view(&items, one);
    }
    struct elfs_view bytes = elfs_ecto_take(&items, c->arena);
    if (code == ELFS_OK && list.improper) code = ELFS_BADARG;
    if (code != ELFS_OK) return code;
    elfs_buf_init(&whole, SIZE_MAX);
    elfs_put_list_header(&whole, count);
    elfs_buf_append_view(&whole, bytes);
    elfs_put_nil(&whole);
    *value = elfs_ecto_take(&whole, c->arena);
    return value->len > 0 && (count == 0 || bytes.len > 0) ? ELFS_OK : ELFS_NOMEM;
}

static enum elfs_code prepare_field(struct elfs_ecto_context *c, const struct elfs_ecto_type *type,
                                    bool insert, int depth, struct elfs_view *value) {
    struct elfs_ecto_embed embed;
    if (depth == ELFS_ECTO_EMBED_DEPTH_MAX)
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "embedded schemas of more than %d levels",
                         ELFS_ECTO_EMBED_DEPTH_MAX);
    enum elfs_code code = elfs_ecto_embed_read(type, &c->env->embedded, &embed, c->err);
    if (code != ELFS_OK) return code;
    if (embed.many) return prepare_many(c, &embed, *value, insert, depth + 1, value);
    if (elfs_ecto_is_nil(*value)) return ELFS_OK;
    code = prepare_one(c, &embed, *value, insert, depth + 1, value);
    if (code == ELFS_OK && value->len == 0) *value = elfs_ecto_make_atom("nil", c->arena);
    return code;
}

static enum elfs_code prepare_fields(struct elfs_ecto_context *c,
                                     const struct elfs_ecto_schema *schema, bool insert, int depth,
                                     struct elfs_ecto_map *changes) {
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < changes->count; i++) {
        struct elfs_ecto_pair *pair = &changes->pairs[i];
        struct elfs_ecto_type type =
            elfs_ecto_type_read(elfs_ecto_map_find(&schema->types, pair->name));
        if (type.kind == ELFS_ECTO_EMBED)
            code = prepare_field(c, &type, insert, depth, &pair->value);
        if (type.kind == ELFS_ECTO_ASSOC)
            code = elfs_fail(c->err, ELFS_UNSUPPORTED, "nested associations need Ecto");
        if (code == ELFS_UNSUPPORTED)
            elfs_error_prefix(c->err, "field %.*s", ELFS_VIEW_ARGS(pair->name));
    }
    return code;
}

enum elfs_code elfs_ecto_embed_prepare(struct elfs_ecto_context *c, bool insert,
                                       struct elfs_ecto_map *changes) {
    return c->env->schema ? prepare_fields(c, c->env->schema, insert, 0, changes) : ELFS_OK;
}
