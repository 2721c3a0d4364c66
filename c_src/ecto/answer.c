/* answer - see answer.h. Sources: Ecto.Adapters.SQL.struct/10 and Ecto.Repo.Schema.apply/4. */
#include "ecto/answer.h"

#include "codec/put.h"
#include "ecto/changeset.h"
#include "ecto/constraint.h"
#include "ecto/exception.h"
#include "ecto/inspect.h"
#include "ecto/load.h"
#include "ecto/peek.h"

struct answer {
    const struct elfs_ecto_write *w;
    struct elfs_arena *arena;
    struct elfs_view term;
    bool raised;
};

static bool is_single(enum elfs_ecto_action action) {
    return action == ELFS_ECTO_INSERT || action == ELFS_ECTO_UPDATE || action == ELFS_ECTO_DELETE;
}

static enum elfs_code set(struct answer *a, struct elfs_view term, bool raised) {
    a->term = term;
    a->raised = raised;
    return term.len ? ELFS_OK : ELFS_NOMEM;
}

static struct elfs_view binary_term(struct elfs_view bytes, struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_binary(&buf, bytes);
    return elfs_ecto_take(&buf, arena);
}

static struct elfs_view map_term(const struct elfs_ecto_map *map, struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_ecto_map_put(&buf, map);
    return elfs_ecto_take(&buf, arena);
}

/* rows and num_rows of the result's slice. */
static bool read_result(const struct elfs_result *result, struct elfs_view *rows, int64_t *count) {
    if (result->count != 1) return false;
    struct elfs_reader r = elfs_reader_of((struct elfs_view){result->bytes.data, result->ends[0]});
    bool counted = false;
    *rows = ELFS_VIEW_NONE;
    while (elfs_reader_left(&r) > 0) {
        struct elfs_view key, value;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &value) != ELFS_OK)
            return false;
        struct elfs_reader v = elfs_reader_of(value);
        if (elfs_ecto_is_atom(key, "rows")) *rows = value;
        if (elfs_ecto_is_atom(key, "num_rows")) counted = elfs_term_int64(&v, count) == ELFS_OK;
    }
    return counted && rows->len > 0;
}

static enum elfs_code raise_not_loaded(struct answer *a, const struct elfs_ecto_field *field,
                                       struct elfs_view value) {
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    elfs_ecto_printf(&text, "cannot load `");
    elfs_ecto_inspect(&text, value, a->arena);
    elfs_ecto_printf(&text, "` as type ");
    elfs_ecto_inspect(&text, field->type.term, a->arena);
    elfs_ecto_printf(&text, " for field `%.*s` in schema ", ELFS_VIEW_ARGS(field->name));
    elfs_ecto_inspect_atom(&text, a->w->resource->schema);
    return set(a, elfs_ecto_exception("Elixir.ArgumentError", &text, a->arena), true);
}

/* Puts a returned row's values into *into. ELFS_BADARG: the answer is an exception. */
static enum elfs_code load_row(struct answer *a, struct elfs_view row, struct elfs_ecto_map *into) {
    const struct elfs_ecto_write *w = a->w;
    struct elfs_ecto_list list;
    struct elfs_view value, loaded, copy;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(row, &list)) return ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && elfs_ecto_list_next(&list, &value); i++) {
        if (i == w->returning_count) break;
        const struct elfs_ecto_field *field = &w->returning[i];
        code = elfs_ecto_load(&field->type, value, a->arena, &loaded);
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

static enum elfs_code written(struct answer *a, struct elfs_view rows) {
    struct elfs_ecto_map loaded;
    struct elfs_ecto_list list;
    struct elfs_view row;
    enum elfs_code code = elfs_ecto_map_copy(&a->w->loaded, a->arena, &loaded);
    if (code == ELFS_OK && elfs_ecto_list_begin(rows, &list) && elfs_ecto_list_next(&list, &row))
        code = load_row(a, row, &loaded);
    if (code == ELFS_BADARG) return ELFS_OK; /* answered */
    if (code != ELFS_OK) return code;
    return set(a, elfs_ecto_done(a->w, map_term(&loaded, a->arena), a->arena), false);
}

static enum elfs_code answer_invalid(struct answer *a, struct elfs_view error) {
    struct elfs_ecto_map changeset;
    enum elfs_code code = elfs_ecto_map_copy(&a->w->changeset, a->arena, &changeset);
    if (code == ELFS_OK) code = elfs_ecto_changeset_add_error(&changeset, error, a->arena);
    if (code != ELFS_OK) return code;
    return set(a, elfs_ecto_invalid(a->w, &changeset, a->arena), a->w->call->bang);
}

/* {Field, {Message, [{stale, true}]}} */
static struct elfs_view stale_error(struct answer *a) {
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
static enum elfs_code stale(struct answer *a) {
    const struct elfs_ecto_options *o = &a->w->options;
    struct elfs_buf text;
    if (o->allow_stale) return written(a, ELFS_VIEW_NONE);
    if (o->stale_field.len > 0) return answer_invalid(a, stale_error(a));
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
    struct elfs_view changeset = elfs_ecto_changeset_term(&a->w->changeset, a->arena);
    return set(a,
               elfs_ecto_exception_with("Elixir.Ecto.StaleEntryError", &text, "changeset",
                                        changeset, a->arena),
               true);
}

static enum elfs_code too_many(struct answer *a, int64_t count) {
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
    return set(a, elfs_ecto_exception("Elixir.Ecto.MultiplePrimaryKeyError", &text, a->arena),
               true);
}

static enum elfs_code answer_single(struct answer *a, struct elfs_view rows, int64_t count) {
    if (count == 1) return written(a, rows);
    if (count > 1) return too_many(a, count);
    if (a->w->options.on_conflict == ELFS_ECTO_CONFLICT_NOTHING) return written(a, ELFS_VIEW_NONE);
    return stale(a);
}

/* The struct of a loaded row, with the source that was named. */
static enum elfs_code fresh_struct(struct answer *a, struct elfs_ecto_map *into) {
    const struct elfs_ecto_write *w = a->w;
    struct elfs_ecto_map meta;
    enum elfs_code code = elfs_ecto_map_copy(&w->loaded, a->arena, into);
    if (code != ELFS_OK || w->resource->schema.len == 0 || w->resource->source.len == 0)
        return code;
    code = elfs_ecto_map_read(elfs_ecto_map_get(into, "__meta__"), a->arena, &meta);
    if (code != ELFS_OK) return ELFS_OK; /* not a struct with a source */
    code = elfs_ecto_map_set(&meta, a->arena, elfs_view_str("source"),
                             binary_term(w->resource->source, a->arena));
    if (code != ELFS_OK) return code;
    return elfs_ecto_map_set(into, a->arena, elfs_view_str("__meta__"), map_term(&meta, a->arena));
}

static enum elfs_code put_rows(struct answer *a, struct elfs_view rows, struct elfs_buf *buf) {
    struct elfs_ecto_list list;
    struct elfs_view row;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(rows, &list)) return ELFS_OK;
    elfs_put_list_header(buf, list.items.left);
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &row)) {
        struct elfs_ecto_map into;
        code = fresh_struct(a, &into);
        if (code == ELFS_OK) code = load_row(a, row, &into);
        if (code == ELFS_OK) elfs_ecto_map_put(buf, &into);
    }
    elfs_put_nil(buf);
    return code;
}

/* {Count, Rows}, Rows nil if nothing was to be returned. */
static enum elfs_code answer_all(struct answer *a, struct elfs_view rows, int64_t count) {
    struct elfs_buf buf;
    enum elfs_code code = ELFS_OK;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_int64(&buf, count);
    if (a->w->returning_count == 0 || a->w->action != ELFS_ECTO_INSERT_ALL) {
        elfs_buf_append_view(&buf, rows);
    } else {
        code = put_rows(a, rows, &buf);
    }
    struct elfs_view term = elfs_ecto_take(&buf, a->arena);
    if (code == ELFS_BADARG) return ELFS_OK; /* answered */
    return code == ELFS_OK ? set(a, term, false) : code;
}

/* {Field, {Message, [{constraint, Type}, {constraint_name, Name}]}} */
static struct elfs_view constraint_error(struct answer *a, struct elfs_view declared,
                                         struct elfs_view name) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_tuple_header(&buf, 2);
    elfs_buf_append_view(&buf, elfs_ecto_key(declared, "field"));
    elfs_put_tuple_header(&buf, 2);
    elfs_buf_append_view(&buf, elfs_ecto_key(declared, "error_message"));
    elfs_put_list_header(&buf, 2);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, "constraint");
    elfs_buf_append_view(&buf, elfs_ecto_key(declared, "error_type"));
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, "constraint_name");
    elfs_buf_append_view(&buf, name);
    elfs_put_nil(&buf);
    return elfs_ecto_take(&buf, a->arena);
}

static bool is_whole(struct elfs_view declared) {
    return elfs_ecto_key(declared, "field").len > 0 &&
           elfs_ecto_key(declared, "error_message").len > 0 &&
           elfs_ecto_key(declared, "error_type").len > 0;
}

static enum elfs_code answer_constraint(struct answer *a,
                                        const struct elfs_ecto_constraint *constraint) {
    struct elfs_view constraints = elfs_ecto_map_get(&a->w->changeset, "constraints"), declared;
    struct elfs_view name = constraint->name.len ? binary_term(constraint->name, a->arena)
                                                 : elfs_ecto_make_atom("nil", a->arena);
    if (name.len == 0) return ELFS_NOMEM;
    enum elfs_code code = elfs_ecto_constraint_find(constraint, constraints, &declared);
    if (code != ELFS_OK) return code;
    if (declared.len > 0 && is_whole(declared))
        return answer_invalid(a, constraint_error(a, declared, name));
    return set(a,
               elfs_ecto_constraint_error(elfs_ecto_action_name(a->w->action), constraint->type,
                                          name, constraints, a->arena),
               true);
}

static enum elfs_code raise_database_error(struct answer *a, const struct elfs_error *error) {
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    elfs_buf_append(&text, error->message, strlen(error->message));
    struct elfs_view sql = binary_term(a->w->sql.len ? a->w->sql : a->w->resource->sql, a->arena);
    return set(a,
               elfs_ecto_exception_with("Elixir.Exqlite.Error", &text, "statement", sql, a->arena),
               true);
}

static enum elfs_code answer_error(struct answer *a, const struct elfs_error *error) {
    struct elfs_ecto_constraint constraint;
    enum elfs_code code = is_single(a->w->action)
                              ? elfs_ecto_constraint_read(error->message, a->arena, &constraint)
                              : ELFS_BADARG;
    if (code == ELFS_BADARG) return raise_database_error(a, error);
    return code == ELFS_OK ? answer_constraint(a, &constraint) : code;
}

static enum elfs_code conclude(struct answer *a, const struct elfs_ecto_outcome *outcome) {
    struct elfs_view rows;
    int64_t count;
    if (a->w->term.len > 0) return set(a, a->w->term, a->w->raised);
    if (outcome->error) return answer_error(a, outcome->error);
    if (!read_result(outcome->result, &rows, &count)) return ELFS_MALFORMED;
    return is_single(a->w->action) ? answer_single(a, rows, count) : answer_all(a, rows, count);
}

enum elfs_code elfs_ecto_answer(const struct elfs_ecto_plan *plan,
                                const struct elfs_ecto_outcome *outcome, struct elfs_arena *arena,
                                struct elfs_buf *buf, bool *raised) {
    struct answer a = {.w = plan->write, .arena = arena};
    size_t start = buf->len;
    if (plan->run && outcome->error && outcome->error->code != ELFS_SQLITE)
        return elfs_ecto_refuse(plan->write->call, outcome->error, buf, raised);
    enum elfs_code code = conclude(&a, outcome);
    if (code == ELFS_UNSUPPORTED) {
        struct elfs_error error;
        elfs_fail(&error, code, "a constraint that is a regular expression: nothing was written");
        return elfs_ecto_refuse(plan->write->call, &error, buf, raised);
    }
    if (code != ELFS_OK) return code;
    *raised = a.raised;
    elfs_buf_append_view(buf, a.term);
    code = buf->status;
    if (code != ELFS_OK) elfs_buf_truncate(buf, start);
    return code;
}

enum elfs_code elfs_ecto_refuse(const struct elfs_ecto_call *call, const struct elfs_error *error,
                                struct elfs_buf *buf, bool *raised) {
    size_t start = buf->len;
    *raised = call->bang || call->action >= ELFS_ECTO_INSERT_ALL;
    if (!*raised) {
        elfs_put_tuple_header(buf, 2);
        elfs_put_atom(buf, "error");
    }
    elfs_error_put(buf, error);
    enum elfs_code code = buf->status;
    if (code != ELFS_OK) elfs_buf_truncate(buf, start);
    return code;
}
