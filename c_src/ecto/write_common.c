/* write_common - see write_common.h. */
#include "ecto/write_common.h"

#include "ecto/exception.h"
#include "ecto/inspect.h"
#include "ecto/make.h"
#include "ecto/peek.h"

enum elfs_code elfs_ecto_refuse_nested(struct elfs_ecto_context *c, struct elfs_view name) {
    return elfs_fail(c->err, ELFS_UNSUPPORTED,
                     "field %.*s: nested associations need Ecto: use the middleware of ecto_litefs",
                     ELFS_VIEW_ARGS(name));
}

static enum elfs_code check_change(struct elfs_ecto_context *c, struct elfs_view name,
                                   bool insert) {
    struct elfs_ecto_field field;
    enum elfs_ecto_kind kind = elfs_ecto_field_type(c, name).kind;
    if (kind == ELFS_ECTO_ASSOC) return elfs_ecto_refuse_nested(c, name);
    if (elfs_ecto_field_find(c, name, &field) != ELFS_OK) {
        if (c->env->schema) return ELFS_OK; /* virtual */
        return elfs_fail(c->err, ELFS_UNSUPPORTED,
                         "field %.*s is no column, and its schema is not known",
                         ELFS_VIEW_ARGS(name));
    }
    if (insert ? field.insertable : field.updatable) return ELFS_OK;
    return elfs_fail(c->err, ELFS_UNSUPPORTED, "field %.*s is not writable", ELFS_VIEW_ARGS(name));
}

enum elfs_code elfs_ecto_check_changes(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_map *changes, bool insert) {
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < changes->count; i++)
        code = check_change(c, changes->pairs[i].name, insert);
    return code;
}

static enum elfs_code merge(struct elfs_ecto_context *c, const struct elfs_ecto_map *from) {
    struct elfs_ecto_map *loaded = &c->write->loaded;
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < from->count; i++) {
        const struct elfs_ecto_pair *pair = &from->pairs[i];
        if (elfs_ecto_map_find(&c->resource->data, pair->name).len == 0) continue;
        code = elfs_ecto_map_set(loaded, c->arena, pair->name, pair->value);
    }
    return code;
}

enum elfs_code elfs_ecto_set_loaded(struct elfs_ecto_context *c,
                                    const struct elfs_ecto_map *changes,
                                    const struct elfs_ecto_map *made, const char *state) {
    struct elfs_ecto_map meta;
    struct elfs_view name = elfs_ecto_make_atom(state, c->arena);
    enum elfs_code code = elfs_ecto_map_copy(&c->resource->data, c->arena, &c->write->loaded);
    if (code == ELFS_OK) code = merge(c, changes);
    if (code == ELFS_OK) code = merge(c, made);
    if (code == ELFS_OK) code = elfs_ecto_map_copy(&c->resource->meta, c->arena, &meta);
    if (code == ELFS_OK) code = elfs_ecto_map_set(&meta, c->arena, elfs_view_str("state"), name);
    if (code != ELFS_OK) return code;
    return elfs_ecto_map_set(&c->write->loaded, c->arena, elfs_view_str("__meta__"),
                             elfs_ecto_map_term(&meta, c->arena));
}

enum elfs_code elfs_ecto_add_changes(struct elfs_ecto_context *c,
                                     const struct elfs_ecto_map *changes,
                                     const struct elfs_ecto_map *made) {
    const struct elfs_ecto_map *both[] = {changes, made};
    struct elfs_ecto_field field;
    enum elfs_code code = ELFS_OK;
    for (size_t m = 0; m < 2; m++) {
        for (size_t i = 0; code == ELFS_OK && i < both[m]->count; i++) {
            if (elfs_ecto_field_find(c, both[m]->pairs[i].name, &field) != ELFS_OK) continue;
            code = elfs_ecto_add(c, &field, both[m]->pairs[i].value);
        }
    }
    return code;
}

static enum elfs_code raise_no_key(struct elfs_ecto_context *c, bool no_field) {
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    struct elfs_view term;
    if (no_field) {
        elfs_ecto_printf(&text, "schema `");
        elfs_ecto_inspect_atom(&text, c->resource->schema);
        elfs_ecto_printf(&text, "` has no primary key");
        term =
            elfs_ecto_exception_with("Elixir.Ecto.NoPrimaryKeyFieldError", &text, "schema",
                                     elfs_ecto_map_get(&c->resource->data, "__struct__"), c->arena);
    } else {
        elfs_ecto_printf(&text, "struct `");
        elfs_ecto_inspect(&text, c->resource->data_term, c->arena);
        elfs_ecto_printf(&text, "` is missing primary key value");
        term = elfs_ecto_exception_with("Elixir.Ecto.NoPrimaryKeyValueError", &text, "struct",
                                        c->resource->data_term, c->arena);
    }
    enum elfs_code code = elfs_ecto_settle(c, term, true);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

enum elfs_code elfs_ecto_set_filters(struct elfs_ecto_context *c) {
    struct elfs_view *names;
    size_t count;
    enum elfs_code code = elfs_ecto_primary_key(c, &names, &count);
    if (code == ELFS_OK)
        code = elfs_ecto_map_copy(&c->resource->filters, c->arena, &c->write->filters);
    if (code == ELFS_OK && count == 0) return raise_no_key(c, true);
    for (size_t i = 0; code == ELFS_OK && i < count; i++) {
        struct elfs_view value = elfs_ecto_map_find(&c->resource->data, names[i]);
        if (value.len == 0)
            return elfs_fail(c->err, ELFS_UNSUPPORTED,
                             "the table's key %.*s is no field of the struct, and its schema is "
                             "not known",
                             ELFS_VIEW_ARGS(names[i]));
        if (elfs_ecto_is_nil(value)) return raise_no_key(c, false);
        code = elfs_ecto_map_set(&c->write->filters, c->arena, names[i], value);
    }
    return code;
}

enum elfs_code elfs_ecto_add_filters(struct elfs_ecto_context *c) {
    const struct elfs_ecto_map *filters = &c->write->filters;
    struct elfs_ecto_field field;
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < filters->count; i++) {
        if (elfs_ecto_field_find(c, filters->pairs[i].name, &field) != ELFS_OK)
            return elfs_fail(c->err, ELFS_UNSUPPORTED, "a filter on %.*s, which is no known field",
                             ELFS_VIEW_ARGS(filters->pairs[i].name));
        if (elfs_ecto_is_nil(filters->pairs[i].value)) continue;
        code = elfs_ecto_add(c, &field, filters->pairs[i].value);
    }
    return code;
}

void elfs_ecto_set_statement(const struct elfs_ecto_context *c, struct elfs_view sql,
                             struct elfs_ecto_plan *plan) {
    plan->statement.sql = sql;
    plan->statement.params = elfs_ecto_params(c);
}
