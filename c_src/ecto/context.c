/* context - see context.h. */
#include "ecto/context.h"

#include "codec/params.h"
#include "ecto/changeset.h"
#include "ecto/dump.h"
#include "ecto/exception.h"
#include "ecto/inspect.h"
#include "ecto/load.h"
#include "ecto/make.h"
#include "ecto/peek.h"

enum elfs_code elfs_ecto_no_memory(struct elfs_error *err) {
    return elfs_fail(err, ELFS_NOMEM, "out of memory");
}

struct elfs_ecto_type elfs_ecto_field_type(const struct elfs_ecto_context *c,
                                           struct elfs_view name) {
    const struct elfs_ecto_schema *schema = c->env->schema;
    struct elfs_view type = ELFS_VIEW_NONE;
    if (schema) type = elfs_ecto_map_find(&schema->types, name);
    if (type.len == 0) type = elfs_ecto_map_find(&c->resource->types, name);
    return elfs_ecto_type_read(type);
}

/* {Source, Type} or {Source, Type, Writable}: always, insert or never. */
static enum elfs_code field_of_schema(const struct elfs_ecto_context *c, struct elfs_view name,
                                      struct elfs_ecto_field *field) {
    struct elfs_view entry = elfs_ecto_map_find(&c->env->schema->dump, name), e[3];
    *field = (struct elfs_ecto_field){.name = name, .insertable = true, .updatable = true};
    if (elfs_ecto_tuple(entry, 3, e)) {
        field->updatable = elfs_ecto_is_atom(e[2], "always");
        field->insertable = !elfs_ecto_is_atom(e[2], "never");
    } else if (!elfs_ecto_tuple(entry, 2, e)) {
        return ELFS_BADARG;
    }
    field->source = elfs_ecto_atom(e[0]);
    field->type = elfs_ecto_type_read(e[1]);
    field->column = elfs_ecto_column_find(c->env->table, field->source);
    return field->source.len ? ELFS_OK : ELFS_BADARG;
}

enum elfs_code elfs_ecto_field_find(const struct elfs_ecto_context *c, struct elfs_view name,
                                    struct elfs_ecto_field *field) {
    bool schemaless = c->resource->schema.len == 0;
    if (c->env->schema && !schemaless) return field_of_schema(c, name, field);
    *field = (struct elfs_ecto_field){
        .name = name,
        .source = name,
        .type = elfs_ecto_field_type(c, name),
        .column = elfs_ecto_column_find(c->env->table, name),
        .insertable = true,
        .updatable = true,
    };
    if (schemaless) field->type.kind = ELFS_ECTO_ANY;
    return field->column || schemaless ? ELFS_OK : ELFS_BADARG;
}

static size_t columns_in_key(const struct elfs_ecto_table *table, struct elfs_view *names) {
    size_t n = 0;
    for (int place = 1; (size_t)place <= table->count; place++) {
        for (size_t i = 0; i < table->count; i++) {
            if (table->columns[i].pk == place) names[n++] = table->columns[i].name;
        }
    }
    return n;
}

enum elfs_code elfs_ecto_primary_key(const struct elfs_ecto_context *c, struct elfs_view **names,
                                     size_t *count) {
    const struct elfs_ecto_schema *schema = c->env->schema;
    struct elfs_ecto_list list = {0};
    struct elfs_view item;
    if (schema) elfs_ecto_list_begin(schema->primary_key, &list);
    size_t most = schema ? list.items.left : c->env->table->count;
    *count = 0;
    *names = elfs_arena_array(c->arena, most, sizeof **names);
    if (!*names) return elfs_ecto_no_memory(c->err);
    if (schema) {
        while (elfs_ecto_list_next(&list, &item)) (*names)[(*count)++] = elfs_ecto_atom(item);
    } else {
        *count = columns_in_key(c->env->table, *names);
    }
    return ELFS_OK;
}

static enum elfs_code grow(struct elfs_ecto_context *c) {
    if (c->count < c->cap) return ELFS_OK;
    size_t cap = c->cap ? c->cap * 2 : 16;
    struct elfs_ecto_field *fields = elfs_arena_array(c->arena, cap, sizeof *fields);
    struct elfs_param *params = elfs_arena_array(c->arena, cap, sizeof *params);
    if (!fields || !params) return elfs_ecto_no_memory(c->err);
    if (c->count) {
        memcpy(fields, c->fields, c->count * sizeof *fields);
        memcpy(params, c->params, c->count * sizeof *params);
    }
    c->fields = fields;
    c->params = params;
    c->cap = cap;
    return ELFS_OK;
}

/* A datetime of the right struct and the wrong precision is an ArgumentError, everything else a
 * ChangeError. */
static const char *precision_problem(const struct elfs_ecto_field *field, struct elfs_view value) {
    struct elfs_view name = elfs_ecto_struct(value);
    switch (field->type.kind) {
    case ELFS_ECTO_TIME:
        return elfs_view_is(name, "Elixir.Time") ? "expects microseconds to be empty" : NULL;
    case ELFS_ECTO_NAIVE:
        return elfs_view_is(name, "Elixir.NaiveDateTime") ? "expects microseconds to be empty"
                                                          : NULL;
    case ELFS_ECTO_UTC:
        return elfs_view_is(name, "Elixir.DateTime") ? "expects microseconds to be empty" : NULL;
    case ELFS_ECTO_TIME_USEC:
        return elfs_view_is(name, "Elixir.Time") ? "expects microsecond precision" : NULL;
    case ELFS_ECTO_NAIVE_USEC:
        return elfs_view_is(name, "Elixir.NaiveDateTime") ? "expects microsecond precision" : NULL;
    case ELFS_ECTO_UTC_USEC:
        return elfs_view_is(name, "Elixir.DateTime") ? "expects microsecond precision" : NULL;
    default: return NULL;
    }
}

static enum elfs_code raise_change_error(struct elfs_ecto_context *c,
                                         const struct elfs_ecto_field *field,
                                         struct elfs_view value) {
    const char *problem = precision_problem(field, value);
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    if (problem) {
        struct elfs_view name = elfs_ecto_struct(value);
        elfs_ecto_inspect_type(&text, &field->type, c->arena);
        elfs_ecto_printf(&text, " %s, got: ", problem);
        elfs_ecto_inspect(&text, value, c->arena);
        if (field->type.kind == ELFS_ECTO_TIME || field->type.kind == ELFS_ECTO_NAIVE ||
            field->type.kind == ELFS_ECTO_UTC) {
            elfs_ecto_printf(&text, "\n\nUse `");
            elfs_ecto_inspect_atom(&text, name);
            elfs_ecto_printf(&text,
                             ".truncate(%.*s, :second)` (available in Elixir v1.6+) to remove "
                             "microseconds.\n",
                             ELFS_VIEW_ARGS(elfs_ecto_atom(field->type.term)));
        }
    } else {
        elfs_ecto_printf(&text, "value `");
        elfs_ecto_inspect(&text, value, c->arena);
        elfs_ecto_printf(&text, "` for `");
        elfs_ecto_inspect_atom(&text, c->resource->schema);
        elfs_ecto_printf(&text, ".%.*s` in `%s` does not match type ", ELFS_VIEW_ARGS(field->name),
                         elfs_ecto_action_name(c->write->action));
        elfs_ecto_inspect_type(&text, &field->type, c->arena);
    }
    const char *name = problem ? "Elixir.ArgumentError" : "Elixir.Ecto.ChangeError";
    enum elfs_code code = elfs_ecto_settle(c, elfs_ecto_exception(name, &text, c->arena), true);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

enum elfs_code elfs_ecto_add(struct elfs_ecto_context *c, const struct elfs_ecto_field *field,
                             struct elfs_view value) {
    enum elfs_code code = grow(c);
    if (code != ELFS_OK) return code;
    if (c->count == ELFS_PARAMS_MAX)
        return elfs_fail(c->err, ELFS_INVALID_PARAMETER, "more than %d parameters",
                         ELFS_PARAMS_MAX);
    struct elfs_param *param = &c->params[c->count];
    code = elfs_ecto_dump(&field->type, value, field->column, &c->env->embedded, c->arena,
                          &param->value, c->err);
    if (code == ELFS_BADARG) return raise_change_error(c, field, value);
    if (code == ELFS_UNSUPPORTED || code == ELFS_INVALID_PARAMETER)
        elfs_error_prefix(c->err, "field %.*s", ELFS_VIEW_ARGS(field->name));
    if (code == ELFS_NOMEM) return elfs_ecto_no_memory(c->err);
    if (code == ELFS_OK) c->fields[c->count++] = *field;
    return code;
}

struct elfs_params elfs_ecto_params(const struct elfs_ecto_context *c) {
    return (struct elfs_params){.items = c->params, .count = c->count};
}

static bool is_returned(const struct elfs_ecto_write *w, struct elfs_view name) {
    for (size_t i = 0; i < w->returning_count; i++) {
        if (elfs_view_equal(w->returning[i].name, name)) return true;
    }
    return false;
}

static enum elfs_code add_returned(struct elfs_ecto_context *c, struct elfs_view name) {
    struct elfs_ecto_write *w = c->write;
    struct elfs_ecto_field *field = &w->returning[w->returning_count];
    if (is_returned(w, name)) return ELFS_OK;
    if (elfs_ecto_field_find(c, name, field) != ELFS_OK)
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "returning %.*s, which is no known field",
                         ELFS_VIEW_ARGS(name));
    if (!elfs_ecto_can_load(&field->type, &c->env->embedded))
        return elfs_fail(c->err, ELFS_UNSUPPORTED,
                         "returning %.*s, whose type only the application can load",
                         ELFS_VIEW_ARGS(name));
    w->returning_count++;
    return ELFS_OK;
}

static enum elfs_code add_returned_list(struct elfs_ecto_context *c, struct elfs_view names) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(names, &list)) return ELFS_OK;
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &item))
        code = add_returned(c, elfs_ecto_atom(item));
    return code;
}

/* All fields: the schema's, or those of the struct that are columns. */
static enum elfs_code add_all_returned(struct elfs_ecto_context *c) {
    const struct elfs_ecto_map *data = &c->resource->data;
    struct elfs_ecto_field field;
    enum elfs_code code = ELFS_OK;
    if (c->env->schema) return add_returned_list(c, c->env->schema->fields);
    for (size_t i = 0; code == ELFS_OK && i < data->count; i++) {
        if (elfs_ecto_field_find(c, data->pairs[i].name, &field) == ELFS_OK)
            code = add_returned(c, data->pairs[i].name);
    }
    return code;
}

static size_t length_of(struct elfs_view list) {
    struct elfs_ecto_list l;
    return elfs_ecto_list_begin(list, &l) ? l.items.left : 0;
}

enum elfs_code elfs_ecto_set_returning(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_field *extra) {
    const struct elfs_ecto_schema *schema = c->env->schema;
    const struct elfs_ecto_options *o = &c->options;
    struct elfs_ecto_write *w = c->write;
    enum elfs_code code = ELFS_OK;
    size_t most = 2 + c->resource->data.count + length_of(o->returning_list);
    if (schema) most += length_of(schema->read_after_writes) + length_of(schema->fields);
    w->returning = elfs_arena_array(c->arena, most, sizeof *w->returning);
    if (!w->returning) return elfs_ecto_no_memory(c->err);
    if (extra) w->returning[w->returning_count++] = *extra;
    if (o->returning == ELFS_ECTO_RETURNING_ALL) code = add_all_returned(c);
    if (o->returning == ELFS_ECTO_RETURNING_FIELDS) code = add_returned_list(c, o->returning_list);
    if (code == ELFS_OK && schema && w->action != ELFS_ECTO_INSERT_ALL)
        code = add_returned_list(c, schema->read_after_writes);
    return code;
}

enum elfs_code elfs_ecto_settle(struct elfs_ecto_context *c, struct elfs_view term, bool raised) {
    if (term.len == 0) return elfs_ecto_no_memory(c->err);
    c->write->term = term;
    c->write->raised = raised;
    return ELFS_OK;
}
