/* prop_predict_all - what insert_all has to answer: see prop_predict.h. */
#include "prop_predict.h"

static uint32_t bit(size_t i) { return UINT32_C(1) << i; }

static bool is_bare(const struct prop_world *w) { return w->call->source == PROP_SOURCE_NAME; }

/* Without a schema a row is a map of columns; else a struct with nil in what was not read back. */
static const char *row_text(struct prop_world *w, const struct prop_row *row, uint32_t fields) {
    struct prop_value values[PROP_FIELDS];
    struct prop_list list;
    prop_list_init(&list, w->arena, ", ");
    for (size_t i = 0; i < w->schema->count; i++) {
        values[i] = prop_nil();
        if (!(fields & bit(i))) continue;
        values[i].term = row->cells[i].loaded;
        prop_list_add(&list, "'%s' => %s", w->schema->fields[i].source, values[i].term);
    }
    return is_bare(w) ? prop_text(w->arena, "#{%s}", list.text)
                      : prop_struct(w->schema, w->arena, "loaded", values);
}

/* The rows' values with the ids that are made; *even: all rows have the same columns. */
static void read_rows(struct prop_world *w, struct prop_value values[][PROP_FIELDS],
                      uint32_t *given, bool *even) {
    *even = true;
    for (size_t r = 0; r < w->call->row_count; r++) {
        memcpy(values[r], w->call->rows[r], sizeof w->call->rows[r]);
        given[r] = w->call->given[r];
        if (!is_bare(w) && w->schema->fields[0].type != PROP_UUID)
            given[r] = prop_generate_id(w, values[r], given[r], true);
        for (size_t i = 0; i < w->schema->count; i++) {
            if (given[r] & bit(i)) prop_check_value(w, &values[r][i], true);
        }
        *even = *even && given[r] == given[0];
    }
}

/* SQLite has no defaults cell by cell. */
static void answer_uneven(struct prop_world *w) {
    if (w->refused || w->raises) {
        w->p->outcome = PROP_OPEN;
    } else {
        prop_answer_raise(w, "'Elixir.ArgumentError'", "Cell-wise default values");
    }
}

static void answer_violated(struct prop_world *w, enum prop_write how, uint32_t violated) {
    if (how == PROP_NULL) {
        const char *source = w->schema->fields[violated].source;
        prop_answer_raise(
            w, "'Elixir.Exqlite.Error'",
            prop_text(w->arena, "NOT NULL constraint failed: " PROP_TABLE ".%s", source));
    }
    for (size_t u = 0; how == PROP_VIOLATED && u < w->schema->unique_count; u++) {
        if (violated & bit(u))
            prop_answer_raise(w, "'Elixir.Exqlite.Error'", w->schema->uniques[u].message);
    }
}

/* One after the other, until one fails. */
static void insert_rows(struct prop_world *w, struct prop_value values[][PROP_FIELDS],
                        const uint32_t *given) {
    struct prop_list rows;
    size_t count = 0;
    uint32_t returning = w->call->options.returning, violated;
    prop_list_init(&rows, w->arena, ", ");
    for (size_t r = 0; r < w->call->row_count; r++) {
        struct prop_row row = prop_new_row(w->schema, w->arena, &w->p->after, values[r], given[r]);
        enum prop_write how = prop_insert_row(w, true, &row, &violated);
        if (how == PROP_UNDECIDED) w->p->outcome = PROP_OPEN;
        if (how != PROP_WRITTEN && how != PROP_NOT_WRITTEN) {
            answer_violated(w, how, violated);
            return;
        }
        if (how == PROP_NOT_WRITTEN) continue;
        count++;
        prop_list_add(&rows, "%s", row_text(w, &row, returning));
    }
    prop_answer_exact(
        w, false, prop_text(w->arena, returning ? "{%zu, [%s]}" : "{%zu, nil}", count, rows.text));
}

void prop_predict_all(struct prop_world *w) {
    struct prop_value values[PROP_ALL_ROWS][PROP_FIELDS];
    uint32_t given[PROP_ALL_ROWS] = {0};
    bool even;
    const struct prop_call *call = w->call;
    if (call->options.prefix || (!is_bare(w) && !w->schema->known)) {
        w->p->outcome = PROP_REFUSED;
        return;
    }
    if (call->row_count == 0) {
        prop_answer_exact(w, false, call->options.returning ? "{0, []}" : "{0, nil}");
        return;
    }
    for (size_t i = 0; i < w->schema->count; i++) {
        if (call->options.returning & bit(i) && !prop_type_loads(w->schema->fields[i].type))
            w->refused = true;
    }
    read_rows(w, values, given, &even);
    bool usable = prop_check_conflict(w, true, is_bare(w));
    if (!even) answer_uneven(w);
    if (!even || !usable || prop_settle(w)) return;
    if (given[0] == 0) {
        w->p->outcome = PROP_OPEN;
    } else {
        insert_rows(w, values, given);
    }
}
