/* reply_rows - what a statement that ran answers: see reply.h. Sources: Ecto.Adapters.SQL.struct/10
 * and insert_all/9, Ecto.Repo.Schema.load_changes/8 and postprocess/5. */
#include "codec/put.h"
#include "ecto/changeset.h"
#include "ecto/exception.h"
#include "ecto/inspect.h"
#include "ecto/load.h"
#include "ecto/make.h"
#include "ecto/peek.h"
#include "ecto/reply.h"

static enum elfs_code raise_not_loaded(struct elfs_ecto_reply *a,
                                       const struct elfs_ecto_field *field,
                                       struct elfs_view value) {
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    elfs_ecto_printf(&text, "cannot load `");
    elfs_ecto_inspect(&text, value, a->arena);
    elfs_ecto_printf(&text, "` as type ");
    elfs_ecto_inspect_type(&text, &field->type, a->arena);
    elfs_ecto_printf(&text, " for field `%.*s` in schema ", ELFS_VIEW_ARGS(field->name));
    elfs_ecto_inspect_atom(&text, a->w->resource->schema);
    return elfs_ecto_reply_set(a, elfs_ecto_exception("Elixir.ArgumentError", &text, a->arena),
                               true);
}

static bool is_raw_id(const struct elfs_ecto_field *field) {
    bool id = field->type.kind == ELFS_ECTO_BINARY_ID || field->type.kind == ELFS_ECTO_UUID;
    return id && field->column && elfs_ecto_column_is_blob(field->column);
}

/* Puts a returned row's values into *into. ELFS_BADARG: the answer is an exception. */
enum elfs_code elfs_ecto_reply_load(struct elfs_ecto_reply *a, struct elfs_view row,
                                    struct elfs_ecto_map *into) {
    const struct elfs_ecto_write *w = a->w;
    struct elfs_ecto_list list;
    struct elfs_view value, loaded, copy;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(row, &list)) return ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && elfs_ecto_list_next(&list, &value); i++) {
        if (i == w->returning_count) break;
        const struct elfs_ecto_field *field = &w->returning[i];
        code = is_raw_id(field)
                   ? elfs_ecto_load_raw_id(value, a->arena, &loaded)
                   : elfs_ecto_load(&field->type, value, &w->embedded, a->arena, &loaded);
        if (code == ELFS_BADARG) {
            code = raise_not_loaded(a, field, value);
            return code == ELFS_OK ? ELFS_BADARG : code;
        }
        if (code != ELFS_OK) return code;
        const uint8_t *bytes = elfs_arena_copy(a->arena, loaded.data, loaded.len);
        if (!bytes) return ELFS_NOMEM;
        copy = (struct elfs_view){bytes, loaded.len};
        code = elfs_ecto_map_set(into, a->arena, field->name, copy);
    }
    return code;
}

static enum elfs_code written(struct elfs_ecto_reply *a, struct elfs_view rows) {
    struct elfs_ecto_map loaded;
    struct elfs_ecto_list list;
    struct elfs_view row;
    enum elfs_code code = elfs_ecto_map_copy(&a->w->loaded, a->arena, &loaded);
    if (code == ELFS_OK && elfs_ecto_list_begin(rows, &list) && elfs_ecto_list_next(&list, &row))
        code = elfs_ecto_reply_load(a, row, &loaded);
    if (code == ELFS_BADARG) return ELFS_OK; /* answered */
    if (code != ELFS_OK) return code;
    return elfs_ecto_reply_set(
        a, elfs_ecto_done(a->w, elfs_ecto_map_term(&loaded, a->arena), a->arena), false);
}

/* {Field, {Message, [{stale, true}]}} */
static struct elfs_view stale_error(struct elfs_ecto_reply *a) {
    const struct elfs_ecto_options *o = &a->w->options;
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_tuple_header(&buf, 2);
    elfs_buf_append_view(&buf, o->stale_field);
    elfs_put_tuple_header(&buf, 2);
    if (o->stale_message.len > 0) {
        elfs_buf_append_view(&buf, o->stale_message);
    } else {
        elfs_put_binary_str(&buf, "is stale");
    }
    elfs_put_list_header(&buf, 1);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, "stale");
    elfs_put_atom(&buf, "true");
    elfs_put_nil(&buf);
    return elfs_ecto_take(&buf, a->arena);
}

/* The row is gone. */
static enum elfs_code stale(struct elfs_ecto_reply *a) {
    const struct elfs_ecto_options *o = &a->w->options;
    struct elfs_ecto_map changeset;
    struct elfs_buf text;
    if (o->allow_stale) return written(a, ELFS_VIEW_NONE);
    if (o->stale_field.len > 0) return elfs_ecto_reply_invalid(a, stale_error(a));
    enum elfs_code code = elfs_ecto_changeset_make(a->w, a->arena, &changeset);
    if (code != ELFS_OK) return code;
    struct elfs_view term = elfs_ecto_map_term(&changeset, a->arena);
    elfs_buf_init(&text, SIZE_MAX);
    elfs_ecto_printf(&text, "attempted to %s a stale struct:\n\n",
                     elfs_ecto_action_name(a->w->action));
    elfs_ecto_inspect(&text, a->w->resource->data_term, a->arena);
    elfs_ecto_printf(
        &text, "\n\nThis typically happens when the struct no longer exists in the database or a "
               "database trigger/rule has forbidden the action. If stale entries are expected, you "
               "may use `:stale_error_field` to convert this into a changeset error, or set "
               "`:allow_stale` to true if you would like stale operations to be considered a "
               "success (such as a stale deletion)\n");
    return elfs_ecto_reply_set(
        a,
        elfs_ecto_exception_with("Elixir.Ecto.StaleEntryError", &text, "changeset", term, a->arena),
        true);
}

static enum elfs_code too_many(struct elfs_ecto_reply *a, int64_t count) {
    const struct elfs_ecto_map *filters = &a->w->filters;
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    elfs_ecto_printf(&text,
                     "expected %s on %.*s to return at most one entry but got %lld entries.\n\n"
                     "This typically means the field(s) set as primary_key in your schema/source\n"
                     "are not enough to uniquely identify entries in the repository.\n\n"
                     "Those are the parameters sent to the repository:\n\n[",
                     elfs_ecto_action_name(a->w->action), ELFS_VIEW_ARGS(a->w->resource->source),
                     (long long)count);
    for (size_t i = 0; i < filters->count; i++) {
        elfs_ecto_printf(&text, "%s%.*s: ", i ? ", " : "", ELFS_VIEW_ARGS(filters->pairs[i].name));
        elfs_ecto_inspect(&text, filters->pairs[i].value, a->arena);
    }
    elfs_ecto_printf(&text, "]\n");
    return elfs_ecto_reply_set(
        a, elfs_ecto_exception("Elixir.Ecto.MultiplePrimaryKeyError", &text, a->arena), true);
}

enum elfs_code elfs_ecto_reply_single(struct elfs_ecto_reply *a, struct elfs_view rows,
                                      int64_t count) {
    if (count == 1) return written(a, rows);
    if (count > 1) return too_many(a, count);
    bool kept =
        a->w->action == ELFS_ECTO_INSERT && a->w->options.on_conflict == ELFS_ECTO_CONFLICT_NOTHING;
    return kept ? written(a, ELFS_VIEW_NONE) : stale(a);
}

/* The struct of a loaded row, with the source that was named. */
static enum elfs_code fresh_struct(struct elfs_ecto_reply *a, struct elfs_ecto_map *into) {
    const struct elfs_ecto_write *w = a->w;
    struct elfs_ecto_map meta;
    enum elfs_code code = elfs_ecto_map_copy(&w->loaded, a->arena, into);
    if (code != ELFS_OK || w->resource->schema.len == 0 || w->resource->source.len == 0)
        return code;
    code = elfs_ecto_map_read(elfs_ecto_map_get(into, "__meta__"), a->arena, &meta);
    if (code != ELFS_OK) return ELFS_OK; /* not a struct with a source */
    code = elfs_ecto_map_set(&meta, a->arena, elfs_view_str("source"),
                             elfs_ecto_make_binary(w->resource->source, a->arena));
    if (code != ELFS_OK) return code;
    return elfs_ecto_map_set(into, a->arena, elfs_view_str("__meta__"),
                             elfs_ecto_map_term(&meta, a->arena));
}

static enum elfs_code put_rows(struct elfs_ecto_reply *a, struct elfs_view rows,
                               struct elfs_buf *buf) {
    struct elfs_ecto_list list;
    struct elfs_ecto_map into;
    struct elfs_view row;
    if (!elfs_ecto_list_begin(rows, &list)) return ELFS_OK;
    elfs_put_list_header(buf, list.items.left);
    enum elfs_code code = fresh_struct(a, &into); /* of which each row sets the same fields */
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &row)) {
        code = elfs_ecto_reply_load(a, row, &into);
        if (code == ELFS_OK) elfs_ecto_map_put(buf, &into);
        if (code == ELFS_OK && buf->status == ELFS_LIMIT) code = ELFS_LIMIT;
    }
    elfs_put_nil(buf);
    return code;
}

/* {Count, Rows}, Rows nil if nothing was to be returned. */
enum elfs_code elfs_ecto_reply_all(struct elfs_ecto_reply *a, struct elfs_view rows,
                                   int64_t count) {
    struct elfs_buf buf;
    enum elfs_code code = ELFS_OK;
    elfs_buf_init(&buf, a->max);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_int64(&buf, count);
    bool raw = a->w->returning_count == 0 || a->w->action != ELFS_ECTO_INSERT_ALL;
    if (raw || elfs_ecto_is_nil(rows)) {
        elfs_buf_append_view(&buf, rows);
    } else {
        code = put_rows(a, rows, &buf);
    }
    if (code == ELFS_OK && buf.status == ELFS_LIMIT) code = ELFS_LIMIT;
    struct elfs_view term = elfs_ecto_take(&buf, a->arena);
    if (code == ELFS_BADARG) return ELFS_OK; /* answered */
    return code == ELFS_OK ? elfs_ecto_reply_set(a, term, false) : code;
}
