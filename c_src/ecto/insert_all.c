/* insert_all - the plan of insert_all: see context.h.
 *
 * Ecto writes one statement with all rows in it. We write the statement of one row, run once for
 * each row in one transaction: the same rows, for any number of them, and one text for the
 * statement cache. Only a foreign key tells the two apart: it is checked at the end of a statement,
 * and a row may refer to a later one. So where it fails, Ecto's statement is made (env.whole). As
 * with Ecto, timestamps are not filled in; a binary id is.
 */
#include <stdlib.h>

#include "codec/op.h"
#include "codec/params.h"
#include "ecto/autogenerate.h"
#include "ecto/exception.h"
#include "ecto/inspect.h"
#include "ecto/make.h"
#include "ecto/peek.h"
#include "ecto/statement.h"

struct rows {
    struct elfs_ecto_map *maps;
    size_t count;
    struct elfs_ecto_map header; /* every field of any row; the values mean nothing */
};

/* By name, and those of one name as they came: their values lie in one frame. */
static int by_name(const void *a, const void *b) {
    const struct elfs_ecto_pair *x = a, *y = b;
    size_t common = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = common ? memcmp(x->name.data, y->name.data, common) : 0;
    if (order == 0) order = (x->name.len > y->name.len) - (x->name.len < y->name.len);
    return order ? order : (x->value.data > y->value.data) - (x->value.data < y->value.data);
}

/* Of a key that is given twice the first counts. Sorted once: a peer may give very many. */
static enum elfs_code read_keywords(struct elfs_ecto_context *c, struct elfs_view term,
                                    struct elfs_ecto_map *row) {
    struct elfs_ecto_list list;
    struct elfs_view item, pair[2];
    size_t count = 0, kept = 0;
    if (!elfs_ecto_list_begin(term, &list)) return ELFS_BADARG;
    size_t cap = list.items.left;
    struct elfs_ecto_pair *pairs = elfs_arena_array(c->arena, cap, sizeof *pairs);
    if (!pairs) return ELFS_NOMEM;
    while (elfs_ecto_list_next(&list, &item)) {
        if (!elfs_ecto_tuple(item, 2, pair) || !elfs_ecto_is(pair[0], ELFS_TERM_ATOM))
            return ELFS_BADARG;
        pairs[count++] = (struct elfs_ecto_pair){elfs_ecto_atom(pair[0]), pair[1]};
    }
    if (list.improper) return ELFS_BADARG;
    qsort(pairs, count, sizeof *pairs, by_name);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !elfs_view_equal(pairs[kept - 1].name, pairs[i].name))
            pairs[kept++] = pairs[i];
    }
    *row = (struct elfs_ecto_map){.pairs = pairs, .count = kept, .cap = cap};
    return ELFS_OK;
}

static enum elfs_code read_row(struct elfs_ecto_context *c, struct elfs_view term,
                               struct elfs_ecto_map *row) {
    enum elfs_code code = elfs_ecto_is(term, ELFS_TERM_MAP)
                              ? elfs_ecto_map_read(term, c->arena, row)
                              : read_keywords(c, term, row);
    if (code == ELFS_BADARG)
        return elfs_fail(c->err, code, "insert_all takes a list of maps or keyword lists");
    return code;
}

static enum elfs_code too_many(struct elfs_ecto_context *c, int most) {
    return elfs_fail(c->err, ELFS_INVALID_PARAMETER, "more than %d parameters", most);
}

/* The row's fields are the header's too. */
static enum elfs_code add_to_header(struct elfs_ecto_context *c, const struct elfs_ecto_map *row,
                                    struct elfs_ecto_map *header) {
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < row->count; i++) {
        code = elfs_ecto_map_set(header, c->arena, row->pairs[i].name, row->pairs[i].value);
        if (header->count > ELFS_PARAMS_MAX) return too_many(c, ELFS_PARAMS_MAX);
    }
    return code;
}

static enum elfs_code read_rows(struct elfs_ecto_context *c, struct rows *rows) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    enum elfs_code code = ELFS_OK;
    if (elfs_view_is(elfs_ecto_struct(c->call->rows), "Elixir.Ecto.Query"))
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "insert_all of a query needs Ecto");
    if (!elfs_ecto_list_begin(c->call->rows, &list) || list.items.string)
        return elfs_fail(c->err, ELFS_BADARG, "insert_all takes a list of maps or keyword lists");
    if (list.items.left > ELFS_OP_PARAMS_MAX) return too_many(c, ELFS_OP_PARAMS_MAX);
    rows->maps = elfs_arena_array(c->arena, list.items.left, sizeof *rows->maps);
    if (!rows->maps) return ELFS_NOMEM;
    while (code == ELFS_OK && elfs_ecto_list_next(&list, &item)) {
        struct elfs_ecto_map *row = &rows->maps[rows->count++];
        code = read_row(c, item, row);
        if (code == ELFS_OK) code = add_to_header(c, row, &rows->header);
    }
    return code == ELFS_OK && list.improper ? ELFS_BADARG : code;
}

/* A binary id that some row lacks becomes a column of all. */
static enum elfs_code find_id(struct elfs_ecto_context *c, struct rows *rows) {
    enum elfs_code code = ELFS_OK;
    if (!c->env->schema || c->resource->schema.len == 0) return ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < rows->count; i++) {
        struct elfs_ecto_field field;
        struct elfs_view value;
        enum elfs_ecto_id how;
        code = elfs_ecto_autogenerate_id(c, &rows->maps[i], &how, &field, &value);
        if (code != ELFS_OK || how != ELFS_ECTO_ID_MADE) continue;
        code = elfs_ecto_map_set(&rows->maps[i], c->arena, field.name, value);
        if (code == ELFS_OK) code = elfs_ecto_map_set(&rows->header, c->arena, field.name, value);
    }
    return code;
}

static enum elfs_code unknown_field(struct elfs_ecto_context *c, struct elfs_view name) {
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    elfs_ecto_printf(&text, "unknown field `");
    elfs_ecto_inspect_atom(&text, name);
    elfs_ecto_printf(&text, "` in schema ");
    elfs_ecto_inspect_atom(&text, c->resource->schema);
    elfs_ecto_printf(&text,
                     " given to insert_all. Unwritable fields, such as virtual and read only "
                     "fields are not supported. Associations are also not supported");
    enum elfs_code code =
        elfs_ecto_settle(c, elfs_ecto_exception("Elixir.ArgumentError", &text, c->arena), true);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

/* One row's columns, in the header's order. */
static enum elfs_code add_row(struct elfs_ecto_context *c, const struct rows *rows, size_t i) {
    enum elfs_code code = ELFS_OK;
    for (size_t k = 0; code == ELFS_OK && k < rows->header.count; k++) {
        struct elfs_view name = rows->header.pairs[k].name;
        struct elfs_view value = elfs_ecto_map_find(&rows->maps[i], name);
        struct elfs_ecto_field field;
        if (elfs_ecto_field_find(c, name, &field) != ELFS_OK || !field.insertable)
            return unknown_field(c, name);
        if (value.len == 0)
            return elfs_ecto_argument_error(c, "Cell-wise default values are not supported on "
                                               "INSERT statements by SQLite3");
        code = elfs_ecto_add(c, &field, value);
    }
    return code;
}

/* The sets of the rows after the first, each with the parameters that ON CONFLICT takes. */
static enum elfs_code add_rows(struct elfs_ecto_context *c, const struct rows *rows,
                               struct elfs_ecto_plan *plan) {
    const struct elfs_param *first = c->params;
    size_t columns = rows->header.count, all = c->count;
    struct elfs_params *sets = elfs_arena_array(c->arena, rows->count, sizeof *sets);
    if (!sets) return ELFS_NOMEM;
    if (all > 0 && rows->count > ELFS_OP_PARAMS_MAX / all)
        return elfs_fail(c->err, ELFS_INVALID_PARAMETER, "more than %d parameters in one call",
                         ELFS_OP_PARAMS_MAX);
    sets[0] = elfs_ecto_params(c);
    for (size_t i = 1; i < rows->count; i++) {
        c->params = elfs_arena_array(c->arena, all, sizeof *c->params);
        if (!c->params) return ELFS_NOMEM;
        c->count = 0;
        c->cap = all;
        enum elfs_code code = add_row(c, rows, i);
        if (code != ELFS_OK) return code;
        if (all > columns)
            memcpy(c->params + columns, first + columns, (all - columns) * sizeof *first);
        c->count = all;
        sets[i] = elfs_ecto_params(c);
    }
    plan->sets = sets;
    plan->set_count = rows->count;
    return ELFS_OK;
}

static struct elfs_view nothing_inserted(struct elfs_ecto_context *c) {
    static const uint8_t no_rows[] = {104, 2, 97, 0, 106}; /* {0, []} */
    struct elfs_buf buf;
    if (c->options.returning != ELFS_ECTO_RETURNING_NONE)
        return (struct elfs_view){no_rows, sizeof no_rows};
    elfs_buf_init(&buf, 32);
    elfs_buf_append(&buf, no_rows, sizeof no_rows - 1);
    elfs_buf_append_view(&buf, elfs_ecto_make_atom("nil", c->arena));
    return elfs_ecto_take(&buf, c->arena);
}

enum elfs_code elfs_ecto_plan_insert_all(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    struct elfs_view table = elfs_ecto_source(c->resource, c->env->schema), sql;
    struct rows rows = {0};
    if (c->resource->schema.len > 0 && !c->env->schema)
        return elfs_fail(c->err, ELFS_UNSUPPORTED,
                         "insert_all with a schema that is not known: give its source's name");
    if (c->resource->schema.len > 0 && c->env->schema->prefix.len > 0)
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "SQLite has no prefixes");
    enum elfs_code code = read_rows(c, &rows);
    if (code != ELFS_OK) return code;
    if (rows.count == 0) return elfs_ecto_settle(c, nothing_inserted(c), false);
    if (c->resource->schema.len == 0 && c->options.returning == ELFS_ECTO_RETURNING_ALL)
        return elfs_ecto_argument_error(
            c, ":returning option can only be set to true if a schema is given");
    if (c->resource->schema.len > 0) c->write->loaded = c->env->schema->loaded;
    code = find_id(c, &rows);
    if (code == ELFS_OK) code = elfs_ecto_set_returning(c, NULL);
    size_t at_once = c->env->whole ? rows.count : 1;
    for (size_t i = 0; code == ELFS_OK && i < at_once; i++) code = add_row(c, &rows, i);
    if (code == ELFS_OK) code = elfs_ecto_insert_sql(c, table, at_once, &sql);
    if (code != ELFS_OK) return code;
    if (rows.header.count == 0 && rows.count > 1) /* Ecto makes a statement that SQLite refuses */
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "several rows without a field");
    plan->statement.sql = sql;
    plan->statement.params = elfs_ecto_params(c);
    plan->divided = rows.count > at_once && c->count <= ELFS_PARAMS_MAX / rows.count;
    return rows.count > at_once ? add_rows(c, &rows, plan) : ELFS_OK;
}
