/* write_update - the plans of update and delete: see context.h. */
#include "ecto/autogenerate.h"
#include "ecto/changeset.h"
#include "ecto/embed_prepare.h"
#include "ecto/peek.h"
#include "ecto/statement.h"
#include "ecto/write_common.h"

/* The field types that the changeset and, for those that it does not name, the schema have. */
static const struct elfs_ecto_map *types_of(const struct elfs_ecto_context *c) {
    return c->env->schema ? &c->env->schema->types : &c->resource->types;
}

static bool same_integer_or_bytes(struct elfs_view a, struct elfs_view b) {
    struct elfs_reader x = elfs_reader_of(a), y = elfs_reader_of(b);
    int64_t i, k;
    if (elfs_term_int64(&x, &i) == ELFS_OK && elfs_term_int64(&y, &k) == ELFS_OK) return i == k;
    return elfs_view_equal(a, b);
}

/* A loaded parent that its new key no longer points to is forgotten: Ecto resets it to the schema's
 * default, which we leave to Ecto. */
static enum elfs_code check_parent(struct elfs_ecto_context *c, struct elfs_view name,
                                   struct elfs_view reflection) {
    struct elfs_view owner = elfs_ecto_atom(elfs_ecto_key(reflection, "owner_key"));
    struct elfs_view key = elfs_ecto_atom(elfs_ecto_key(reflection, "related_key"));
    struct elfs_view change = elfs_ecto_map_find(&c->resource->changes, owner);
    struct elfs_view parent = elfs_ecto_map_find(&c->resource->data, name);
    if (!elfs_ecto_is_atom(elfs_ecto_key(reflection, "relationship"), "parent") ||
        change.len == 0 || parent.len == 0)
        return ELFS_OK;
    bool forgotten;
    if (elfs_ecto_is_nil(parent)) {
        forgotten = !elfs_ecto_is_nil(change);
    } else {
        struct elfs_view value = elfs_ecto_key_find(parent, key);
        forgotten = value.len > 0 && !same_integer_or_bytes(value, change);
    }
    if (!forgotten) return ELFS_OK;
    return elfs_fail(
        c->err, ELFS_UNSUPPORTED,
        "field %.*s is loaded and its key changes, which needs Ecto: use the middleware "
        "of ecto_litefs",
        ELFS_VIEW_ARGS(name));
}

static enum elfs_code check_parents(struct elfs_ecto_context *c) {
    const struct elfs_ecto_map *types = types_of(c);
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < types->count; i++) {
        struct elfs_ecto_type type = elfs_ecto_type_read(types->pairs[i].value);
        if (type.kind == ELFS_ECTO_ASSOC) code = check_parent(c, types->pairs[i].name, type.detail);
    }
    return code;
}

static bool any_stored(const struct elfs_ecto_context *c, const struct elfs_ecto_map *changes) {
    struct elfs_ecto_field field;
    for (size_t i = 0; i < changes->count; i++) {
        if (elfs_ecto_field_find(c, changes->pairs[i].name, &field) == ELFS_OK) return true;
    }
    return false;
}

/* Only virtual fields changed, or nothing at all: no statement. */
static enum elfs_code settle_unwritten(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_map *changes) {
    const struct elfs_ecto_map none = {0};
    enum elfs_code code = elfs_ecto_set_loaded(c, changes, &none, "loaded");
    if (code != ELFS_OK) return code;
    struct elfs_view data = elfs_ecto_map_term(&c->write->loaded, c->arena);
    return elfs_ecto_settle(c, elfs_ecto_done(c->write, data, c->arena), false);
}

enum elfs_code elfs_ecto_plan_update(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    struct elfs_ecto_map changes, made;
    struct elfs_view sql;
    enum elfs_code code = elfs_ecto_set_filters(c);
    if (code == ELFS_OK) code = elfs_ecto_map_copy(&c->resource->changes, c->arena, &changes);
    if (code != ELFS_OK) return code;
    if (changes.count == 0 && !c->options.force) /* the very struct, not even its state changed */
        return elfs_ecto_settle(c, elfs_ecto_done(c->write, c->resource->data_term, c->arena),
                                false);
    code = elfs_ecto_check_changes(c, &changes, false);
    if (code == ELFS_OK) code = check_parents(c);
    if (code == ELFS_OK) code = elfs_ecto_embed_prepare(c, false, &changes);
    if (code == ELFS_OK) code = elfs_ecto_autogenerate(c, true, &changes, &made);
    if (code != ELFS_OK) return code;
    if (!any_stored(c, &changes) && !(c->options.force && made.count > 0))
        return settle_unwritten(c, &changes);
    code = elfs_ecto_set_returning(c, NULL);
    if (code == ELFS_OK) code = elfs_ecto_add_changes(c, &changes, &made);
    size_t set = c->count;
    if (code == ELFS_OK) code = elfs_ecto_add_filters(c);
    if (code == ELFS_OK) code = elfs_ecto_set_loaded(c, &changes, &made, "loaded");
    if (code == ELFS_OK) code = elfs_ecto_update_sql(c, c->resource->source, set, &sql);
    if (code == ELFS_OK) elfs_ecto_set_statement(c, sql, plan);
    return code;
}

/* Associations whose rows Ecto deletes or changes before it deletes the struct's. */
static enum elfs_code check_dependants(struct elfs_ecto_context *c) {
    const struct elfs_ecto_map *types = types_of(c), *data = &c->resource->data;
    for (size_t i = 0; i < types->count; i++) {
        struct elfs_ecto_type type = elfs_ecto_type_read(types->pairs[i].value);
        struct elfs_view on_delete = elfs_ecto_key(type.detail, "on_delete");
        if (type.kind == ELFS_ECTO_ASSOC && on_delete.len > 0 &&
            !elfs_ecto_is_atom(on_delete, "nothing"))
            return elfs_fail(c->err, ELFS_UNSUPPORTED,
                             "field %.*s: on_delete needs Ecto: use the middleware of ecto_litefs",
                             ELFS_VIEW_ARGS(types->pairs[i].name));
    }
    if (c->env->schema || c->resource->changeset) return ELFS_OK;
    for (size_t i = 0; i < data->count; i++) {
        if (elfs_view_is(elfs_ecto_struct(data->pairs[i].value),
                         "Elixir.Ecto.Association.NotLoaded"))
            return elfs_fail(c->err, ELFS_UNSUPPORTED,
                             "field %.*s may want more to be deleted, and its schema is not known",
                             ELFS_VIEW_ARGS(data->pairs[i].name));
    }
    return ELFS_OK;
}

enum elfs_code elfs_ecto_plan_delete(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    const struct elfs_ecto_map none = {0};
    struct elfs_view sql;
    enum elfs_code code = elfs_ecto_set_filters(c);
    if (code == ELFS_OK) code = check_dependants(c);
    if (code == ELFS_OK) code = elfs_ecto_set_returning(c, NULL);
    if (code == ELFS_OK) code = elfs_ecto_add_filters(c);
    if (code == ELFS_OK) code = elfs_ecto_set_loaded(c, &c->resource->changes, &none, "deleted");
    if (code == ELFS_OK) code = elfs_ecto_delete_sql(c, c->resource->source, &sql);
    if (code == ELFS_OK) elfs_ecto_set_statement(c, sql, plan);
    return code;
}
