/* conflict - ON CONFLICT, of the options on_conflict and conflict_target: see statement.h. */
#include "codec/struct_text.h"
#include "ecto/cast.h"
#include "ecto/dump.h"
#include "ecto/make.h"
#include "ecto/peek.h"
#include "ecto/statement.h"

/* A field's column; without a schema any name is a column's. */
static bool source_of(struct elfs_ecto_context *c, struct elfs_view name,
                      struct elfs_ecto_field *field) {
    if (elfs_ecto_field_find(c, name, field) == ELFS_OK) return true;
    if (c->env->schema) return false;
    field->source = name;
    return true;
}

static enum elfs_code put_target(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    struct elfs_ecto_field field;
    if (c->options.target_fragment.len > 0) {
        elfs_buf_append_view(buf, c->options.target_fragment);
        elfs_ecto_puts(buf, " ");
    }
    if (!elfs_ecto_list_begin(c->options.target, &list)) return ELFS_OK;
    for (bool first = true; elfs_ecto_list_next(&list, &item); first = false) {
        struct elfs_view name = elfs_ecto_atom(item);
        if (!source_of(c, name, &field))
            return elfs_ecto_argument_error(c, "unknown field `:%.*s` in conflict_target",
                                            ELFS_VIEW_ARGS(name));
        elfs_ecto_puts(buf, first ? "(" : ",");
        elfs_ecto_put_name(buf, field.source);
    }
    elfs_ecto_puts(buf, ") ");
    return ELFS_OK;
}

/* "a" = EXCLUDED."a" */
static void put_replacement(struct elfs_buf *buf, struct elfs_view source, size_t *written) {
    elfs_ecto_puts(buf, *written == 0 ? "DO UPDATE SET " : ",");
    elfs_ecto_put_name(buf, source);
    elfs_ecto_puts(buf, " = EXCLUDED.");
    elfs_ecto_put_name(buf, source);
    (*written)++;
}

static enum elfs_code put_replace(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    struct elfs_ecto_field field;
    size_t written = 0;
    if (!elfs_ecto_list_begin(c->options.conflict_list, &list)) return ELFS_BADARG;
    while (elfs_ecto_list_next(&list, &item)) {
        struct elfs_view name = elfs_ecto_atom(item);
        if (!source_of(c, name, &field) || (c->env->schema && !field.updatable))
            return elfs_ecto_argument_error(
                c, "cannot replace non-updatable field `:%.*s` in :on_conflict option",
                ELFS_VIEW_ARGS(name));
        put_replacement(buf, field.source, &written);
    }
    return ELFS_OK;
}

/* The conflict target's columns need no update, since they are the same. Ecto compares the columns
 * with the fields' names: a field that is stored under another name stays, and one that is called
 * as a target's column goes. */
static bool is_target(struct elfs_ecto_context *c, struct elfs_view name) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    struct elfs_ecto_field field;
    if (!c->options.replace_changed || !elfs_ecto_list_begin(c->options.target, &list))
        return false;
    while (elfs_ecto_list_next(&list, &item)) {
        if (source_of(c, elfs_ecto_atom(item), &field) && elfs_view_equal(field.source, name))
            return true;
    }
    return false;
}

static void put_unless_excluded(struct elfs_ecto_context *c, struct elfs_buf *buf,
                                struct elfs_view name, size_t *written) {
    struct elfs_ecto_field field;
    struct elfs_view except = c->options.on_conflict == ELFS_ECTO_CONFLICT_ALL_EXCEPT
                                  ? c->options.conflict_list
                                  : ELFS_VIEW_NONE;
    if (elfs_ecto_field_find(c, name, &field) != ELFS_OK || !field.updatable) return;
    if (elfs_ecto_list_has(except, name)) return;
    if (is_target(c, name)) return;
    put_replacement(buf, field.source, written);
}

static enum elfs_code put_replace_all(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    const struct elfs_ecto_map *fields =
        c->env->schema ? &c->env->schema->dump : &c->resource->data;
    size_t written = 0;
    if (!c->env->schema && c->write->action == ELFS_ECTO_INSERT_ALL)
        return elfs_ecto_argument_error(c, "cannot use :%s on operations without a schema",
                                        c->options.on_conflict == ELFS_ECTO_CONFLICT_ALL
                                            ? "replace_all"
                                            : "replace_all_except");
    for (size_t i = 0; i < fields->count; i++)
        put_unless_excluded(c, buf, fields->pairs[i].name, &written);
    if (written == 0)
        return elfs_ecto_argument_error(
            c, "empty list of fields to update, use the `:replace` option instead");
    return ELFS_OK;
}

static bool is_moment(enum elfs_ecto_kind kind) {
    return kind >= ELFS_ECTO_DATE && kind <= ELFS_ECTO_UTC_USEC;
}

/* True if what such a type can store, and is no JSON's, is cast to itself. */
static bool casts_to_itself(const struct elfs_ecto_type *type) {
    bool list = type->kind == ELFS_ECTO_ARRAY;
    enum elfs_ecto_kind kind = list ? elfs_ecto_type_read(type->detail).kind : type->kind;
    return kind == ELFS_ECTO_DECIMAL || kind == ELFS_ECTO_ENUM || (list && is_moment(kind));
}

/* set and inc are a query's, whose values Ecto casts: a DateTime's microseconds are cut off where the
 * type has none, a UUID gets lower case. ELFS_BADARG: only Ecto can. */
static enum elfs_code cast(struct elfs_ecto_context *c, const struct elfs_ecto_type *type,
                           struct elfs_view value, struct elfs_view *cast) {
    struct elfs_view given = value;
    enum elfs_code code = ELFS_OK;
    *cast = value;
    bool many = elfs_ecto_is_atom(elfs_ecto_key(type->detail, "cardinality"), "many");
    if (type->kind == ELFS_ECTO_EMBED && many && elfs_ecto_is_nil(value)) return ELFS_BADARG;
    if (type->kind > ELFS_ECTO_ENUM) return ELFS_OK;
    if (is_moment(type->kind) && elfs_ecto_struct(value).len > 0) {
        code = elfs_struct_text(value, c->arena, &given, NULL);
        if (code != ELFS_OK) return code == ELFS_NOMEM ? code : ELFS_BADARG;
        given = elfs_ecto_make_binary(given, c->arena);
        if (given.len == 0) return ELFS_NOMEM;
    }
    code = elfs_ecto_cast(type, given, c->arena, cast);
    if (code != ELFS_BADARG || !casts_to_itself(type)) return code;
    *cast = value;
    return ELFS_OK;
}

static enum elfs_code add_cast(struct elfs_ecto_context *c, const struct elfs_ecto_field *field,
                               struct elfs_view given) {
    struct elfs_view value;
    struct elfs_value stored;
    enum elfs_code code = cast(c, &field->type, given, &value);
    if (code == ELFS_NOMEM) return elfs_ecto_no_memory(c->err);
    if (code == ELFS_OK)
        code = elfs_ecto_dump(&field->type, value, field->column, &c->env->embedded, c->arena,
                              &stored, c->err);
    if (code == ELFS_BADARG)
        return elfs_fail(c->err, ELFS_UNSUPPORTED,
                         "the option on_conflict has a value for %.*s that only Ecto can cast",
                         ELFS_VIEW_ARGS(field->name));
    return elfs_ecto_add(c, field, value);
}

/* Among those that are set so far: Ecto refuses it, SQLite would take the last. */
static bool is_set_twice(const struct elfs_ecto_context *c, const struct elfs_ecto_field *field,
                         size_t written) {
    for (size_t i = c->count - written; i < c->count; i++) {
        if (elfs_view_equal(c->fields[i].name, field->name)) return true;
    }
    return false;
}

/* "a" = ?, or for inc "a" = "a" + ? */
static enum elfs_code put_operation(struct elfs_ecto_context *c, struct elfs_buf *buf, bool inc,
                                    struct elfs_view pairs, size_t *written) {
    struct elfs_ecto_list list;
    struct elfs_view item, pair[2];
    struct elfs_ecto_field field;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(pairs, &list)) return ELFS_BADARG;
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &item)) {
        if (!elfs_ecto_tuple(item, 2, pair) || !elfs_ecto_is(pair[0], ELFS_TERM_ATOM) ||
            elfs_ecto_field_find(c, elfs_ecto_atom(pair[0]), &field) != ELFS_OK)
            return elfs_fail(c->err, ELFS_UNSUPPORTED,
                             "the option on_conflict sets what is no known field");
        if (is_set_twice(c, &field, *written))
            return elfs_fail(c->err, ELFS_UNSUPPORTED, "the option on_conflict sets %.*s twice",
                             ELFS_VIEW_ARGS(field.name));
        elfs_ecto_puts(buf, (*written)++ == 0 ? "DO UPDATE SET " : ", ");
        elfs_ecto_put_name(buf, field.source);
        elfs_ecto_puts(buf, " = ");
        if (inc) {
            elfs_ecto_put_name(buf, field.source);
            elfs_ecto_puts(buf, " + ");
        }
        elfs_ecto_puts(buf, "?");
        code = add_cast(c, &field, pair[1]);
    }
    return code;
}

static enum elfs_code put_update(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    struct elfs_ecto_list list;
    struct elfs_view item, pair[2];
    enum elfs_code code = ELFS_OK;
    size_t written = 0;
    if (!elfs_ecto_list_begin(c->options.conflict_list, &list)) return ELFS_BADARG;
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &item)) {
        bool known = elfs_ecto_tuple(item, 2, pair) &&
                     (elfs_ecto_is_atom(pair[0], "set") || elfs_ecto_is_atom(pair[0], "inc"));
        if (!known)
            return elfs_fail(c->err, ELFS_UNSUPPORTED,
                             "the option on_conflict takes set and inc, nothing else");
        code = put_operation(c, buf, elfs_ecto_is_atom(pair[0], "inc"), pair[1], &written);
    }
    if (code == ELFS_OK && written == 0)
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "the option on_conflict sets nothing");
    return code;
}

enum elfs_code elfs_ecto_put_conflict(struct elfs_ecto_context *c, struct elfs_buf *buf) {
    bool has_target = c->options.target.len > 0 || c->options.target_fragment.len > 0;
    if (c->options.on_conflict == ELFS_ECTO_CONFLICT_RAISE) {
        if (!has_target) return ELFS_OK;
        return elfs_ecto_argument_error(
            c, ":conflict_target option is forbidden when :on_conflict is :raise");
    }
    elfs_ecto_puts(buf, " ON CONFLICT ");
    enum elfs_code code = put_target(c, buf);
    if (code != ELFS_OK) return code;
    switch (c->options.on_conflict) {
    case ELFS_ECTO_CONFLICT_NOTHING: elfs_ecto_puts(buf, "DO NOTHING"); return ELFS_OK;
    case ELFS_ECTO_CONFLICT_REPLACE: return put_replace(c, buf);
    case ELFS_ECTO_CONFLICT_UPDATE: return put_update(c, buf);
    default: return put_replace_all(c, buf);
    }
}
