/* prop_conflict - what ON CONFLICT does: see prop_predict.h. */
#include "prop_predict.h"

static uint32_t bit(size_t i) { return UINT32_C(1) << i; }

/* Ecto compares fields' names with the columns of the target, which is none if it is SQL. */
static bool is_removed(const struct prop_world *w, size_t field) {
    const struct prop_options *o = &w->call->options;
    if (!o->replace_changed || o->target == PROP_NO_TARGET || o->fragment) return false;
    for (size_t i = 0; i < w->schema->count; i++) {
        if (w->schema->uniques[o->target].fields & bit(i) &&
            strcmp(w->schema->fields[i].source, w->schema->fields[field].name) == 0)
            return true;
    }
    return false;
}

uint32_t prop_replaced(const struct prop_world *w) {
    const struct prop_options *o = &w->call->options;
    uint32_t fields = prop_stored_fields(w->schema);
    if (o->on_conflict == PROP_REPLACE) return o->listed;
    if (o->on_conflict == PROP_ALL_EXCEPT) fields &= ~o->listed;
    for (size_t i = 0; i < w->schema->count; i++) {
        if (is_removed(w, i)) fields &= ~bit(i);
    }
    return fields;
}

bool prop_check_conflict(struct prop_world *w, bool typed, bool bare) {
    const struct prop_options *o = &w->call->options;
    for (size_t i = 0; i < w->schema->count; i++) {
        if (o->set & bit(i)) prop_check_value(w, &o->values[i], typed);
    }
    bool all = o->on_conflict == PROP_ALL || o->on_conflict == PROP_ALL_EXCEPT;
    const char *problem = NULL;
    if (o->on_conflict == PROP_RAISE && o->target != PROP_NO_TARGET)
        problem = ":conflict_target option is forbidden";
    if (all && bare) problem = "on operations without a schema";
    if (all && !bare && !prop_replaced(w)) problem = "empty list of fields to update";
    if (!problem) return true;
    if (w->refused || w->raises) {
        w->p->outcome = PROP_OPEN;
    } else {
        prop_answer_raise(w, "'Elixir.ArgumentError'", problem);
    }
    return false;
}

/* SET "a" = EXCLUDED."a", SET "a" = ?, SET "a" = "a" + ? */
static struct prop_row updated(const struct prop_world *w, const struct prop_row *old,
                               const struct prop_row *new) {
    const struct prop_options *o = &w->call->options;
    struct prop_row row = *old;
    uint32_t replaced = o->on_conflict == PROP_SET ? 0 : prop_replaced(w);
    bool typed = w->call->kind == PROP_INSERT_ALL || prop_is_typed(w->schema, w->call);
    for (size_t i = 0; i < w->schema->count; i++) {
        if (replaced & bit(i)) row.cells[i] = new->cells[i];
        if (!(o->set & bit(i))) continue;
        bool nil = strcmp(o->values[i].term, "nil") == 0;
        row.cells[i] = nil && !typed ? prop_nil() : o->values[i];
    }
    struct prop_value *cell = &row.cells[o->inc];
    if (o->inc && strcmp(cell->stored, "null") != 0)
        *cell = prop_integer(w->arena, cell->integer + 2);
    return row;
}

static enum prop_write update_row(struct prop_world *w, size_t at, struct prop_row *row,
                                  uint32_t *violated) {
    struct prop_table *table = &w->p->after;
    *row = updated(w, &table->rows[at], row);
    int null = prop_null_field(w->schema, row);
    if (null >= 0) {
        *violated = (uint32_t)null;
        return PROP_NULL;
    }
    *violated = prop_violated(w->schema, table, row, (int)at);
    if (*violated) return PROP_VIOLATED;
    table->rows[at] = *row;
    return PROP_WRITTEN;
}

enum prop_write prop_insert_row(struct prop_world *w, bool columns, struct prop_row *row,
                                uint32_t *violated) {
    const struct prop_options *o = &w->call->options;
    struct prop_table *table = &w->p->after;
    int null = prop_null_field(w->schema, row);
    if (null >= 0) {
        *violated = (uint32_t)null;
        return PROP_NULL;
    }
    *violated = prop_violated(w->schema, table, row, -1);
    if (!*violated) {
        if (table->count == PROP_ROWS) return PROP_UNDECIDED;
        table->rows[table->count++] = *row;
        return PROP_WRITTEN;
    }
    if (o->on_conflict == PROP_RAISE || !columns) return PROP_VIOLATED;
    bool several = (*violated & (*violated - 1)) != 0;
    if (o->on_conflict == PROP_NOTHING && o->target == PROP_NO_TARGET) return PROP_NOT_WRITTEN;
    uint32_t target = o->target == PROP_NO_TARGET ? *violated : bit((size_t)o->target);
    if (!(*violated & target)) return PROP_VIOLATED;
    if (several) return PROP_UNDECIDED;
    if (o->on_conflict == PROP_NOTHING) return PROP_NOT_WRITTEN;
    size_t unique = 0;
    while (!(*violated >> unique & 1)) unique++;
    return update_row(w, (size_t)prop_conflicting(w->schema, table, row, unique, -1), row,
                      violated);
}
