/* write_insert - the plan of insert: see context.h.
 *
 * Ecto inserts what is not nil in the struct (it "surfaces" it as changes), whatever the changes
 * say, then what it generates itself, then an id that is made here.
 */
#include "ecto/autogenerate.h"
#include "ecto/changeset.h"
#include "ecto/embed_prepare.h"
#include "ecto/peek.h"
#include "ecto/statement.h"
#include "ecto/write_common.h"

/* A schema's struct or a changeset, or a list that begins with one. */
static bool is_nested(struct elfs_view value) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    if (elfs_ecto_list_begin(value, &list) && elfs_ecto_list_next(&list, &item)) value = item;
    return elfs_ecto_key(value, "__meta__").len > 0 ||
           elfs_view_is(elfs_ecto_struct(value), "Elixir.Ecto.Changeset");
}

static bool is_unset(struct elfs_view value) {
    return elfs_ecto_is_nil(value) || elfs_ecto_is_empty_list(value) ||
           elfs_view_is(elfs_ecto_struct(value), "Elixir.Ecto.Association.NotLoaded");
}

/* One field of the struct that has not been changed. */
static enum elfs_code surface_field(struct elfs_ecto_context *c, const struct elfs_ecto_pair *pair,
                                    struct elfs_ecto_map *changes) {
    struct elfs_ecto_field field;
    struct elfs_ecto_type type = elfs_ecto_field_type(c, pair->name);
    bool stored = elfs_ecto_field_find(c, pair->name, &field) == ELFS_OK;
    struct elfs_view value = pair->value;
    if (type.kind == ELFS_ECTO_ASSOC)
        return is_unset(value) ? ELFS_OK : elfs_ecto_refuse_nested(c, pair->name);
    if (type.kind == ELFS_ECTO_EMBED) {
        enum elfs_code code = elfs_ecto_embed_surface(c, &type, value, &value);
        if (code == ELFS_UNSUPPORTED)
            elfs_error_prefix(c->err, "field %.*s", ELFS_VIEW_ARGS(pair->name));
        if (code != ELFS_OK) return code;
    }
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    if (!stored) {
        if (c->env->schema || is_unset(pair->value)) return ELFS_OK;
        if (is_nested(pair->value)) return elfs_ecto_refuse_nested(c, pair->name);
        return elfs_fail(c->err, ELFS_UNSUPPORTED,
                         "field %.*s is no column, and its schema is not known",
                         ELFS_VIEW_ARGS(pair->name));
    }
    if (!field.insertable)
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "field %.*s is not writable",
                         ELFS_VIEW_ARGS(pair->name));
    return elfs_ecto_map_set(changes, c->arena, pair->name, value);
}

/* Ecto's changes: those of the changeset and what the struct has. */
static enum elfs_code surface(struct elfs_ecto_context *c, struct elfs_ecto_map *changes) {
    const struct elfs_ecto_map *data = &c->resource->data;
    enum elfs_code code = elfs_ecto_check_changes(c, &c->resource->changes, true);
    if (code == ELFS_OK) code = elfs_ecto_map_copy(&c->resource->changes, c->arena, changes);
    for (size_t i = 0; code == ELFS_OK && i < data->count; i++) {
        struct elfs_view name = data->pairs[i].name;
        if (elfs_view_is(name, "__meta__") || elfs_view_is(name, "__struct__") ||
            elfs_ecto_map_find(&c->resource->changes, name).len > 0)
            continue;
        code = surface_field(c, &data->pairs[i], changes);
    }
    return code;
}

enum elfs_code elfs_ecto_plan_insert(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    struct elfs_ecto_map changes = {0}, made;
    struct elfs_ecto_field id;
    struct elfs_view id_value, sql;
    enum elfs_ecto_id how;
    enum elfs_code code = surface(c, &changes);
    if (code == ELFS_OK) code = elfs_ecto_map_copy(&changes, c->arena, &c->write->surface);
    c->write->surfaced = true;
    if (code == ELFS_OK) code = elfs_ecto_embed_prepare(c, true, &changes);
    if (code == ELFS_OK) code = elfs_ecto_autogenerate_id(c, &changes, &how, &id, &id_value);
    if (code == ELFS_OK) code = elfs_ecto_autogenerate(c, false, &changes, &made);
    if (code != ELFS_OK) return code;
    code = elfs_ecto_set_returning(c, how == ELFS_ECTO_ID_RETURNED ? &id : NULL);
    if (code == ELFS_OK) code = elfs_ecto_add_changes(c, &changes, &made);
    if (code == ELFS_OK) code = elfs_ecto_set_loaded(c, &changes, &made, "loaded");
    if (code == ELFS_OK && how == ELFS_ECTO_ID_MADE) {
        code = elfs_ecto_add(c, &id, id_value);
        if (code == ELFS_OK)
            code = elfs_ecto_map_set(&c->write->loaded, c->arena, id.name, id_value);
    }
    if (code == ELFS_OK) code = elfs_ecto_insert_sql(c, c->resource->source, 1, &sql);
    if (code == ELFS_OK) elfs_ecto_set_statement(c, sql, plan);
    return code;
}
