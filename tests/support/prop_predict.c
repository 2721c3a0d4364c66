/* prop_predict - see prop_predict.h: insert, update and delete of a struct or changeset. */
#include "prop_predict.h"

#include "prop_options.h"

static uint32_t bit(size_t i) { return UINT32_C(1) << i; }

void prop_answer_exact(struct prop_world *w, bool raised, const char *text) {
    w->p->answers[w->p->answer_count++] = (struct prop_answer){.raised = raised, .exact = text};
}

void prop_answer_raise(struct prop_world *w, const char *exception, const char *text) {
    w->p->answers[w->p->answer_count++] = (struct prop_answer){
        .raised = true, .mentions = {prop_text(w->arena, "'__struct__' => %s", exception), text}};
}

void prop_check_value(struct prop_world *w, const struct prop_value *value, bool typed) {
    if (strcmp(value->term, "nil") == 0) {
        if (value->refused && typed) w->refused = true;
        return;
    }
    if (value->refused || (!typed && value->needs_type)) w->refused = true;
    if (!value->raises || value->refused) return;
    /* Without a type a datetime of any precision is one, and a tuple is nothing that is stored. */
    if (!typed && value->moment) w->p->outcome = PROP_OPEN;
    if (!typed) w->refused = true;
    if (!typed) return;
    if (w->raises && strcmp(w->raises, value->raises) != 0) w->p->outcome = PROP_OPEN;
    w->raises = value->raises;
}

bool prop_settle(struct prop_world *w) {
    if (w->p->outcome == PROP_OPEN) return true;
    if (w->refused && w->raises) {
        w->p->outcome = PROP_OPEN;
    } else if (w->refused) {
        w->p->outcome = PROP_REFUSED;
    } else if (w->raises) {
        prop_answer_raise(w, w->raises, "message => ");
    }
    return w->refused || w->raises;
}

uint32_t prop_generate_id(struct prop_world *w, struct prop_value *values, uint32_t given,
                          bool typed) {
    const struct prop_schema *schema = w->schema;
    enum prop_type type = schema->fields[0].type;
    bool made = schema->id_by_ecto || (type == PROP_STRING && !typed);
    if (given & 1 || !made) return given;
    values[0] = prop_uuid(w->arena, type, w->random++);
    return given | 1;
}

/* {error, Changeset}, or with ! an Ecto.InvalidChangesetError. */
static void answer_changeset(struct prop_world *w, const char *changes, const char *errors) {
    static const char *const actions[] = {"insert", "update", "delete"};
    const char *action = actions[w->call->kind];
    const char *text = prop_changeset(w->schema, w->arena, w->call, action, changes, errors);
    const char *form =
        w->call->bang
            ? "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.InvalidChangesetError', "
              "action => %s, changeset => %s}"
            : "{error%.0s, %s}";
    prop_answer_exact(w, w->call->bang, prop_text(w->arena, form, action, text));
}

static bool declares(const struct prop_constraint *c, const char *name) {
    size_t n = strlen(c->name), all = strlen(name);
    if (strcmp(c->match, "exact") == 0) return strcmp(c->name, name) == 0;
    if (n > all) return false;
    return memcmp(strcmp(c->match, "prefix") == 0 ? name : name + all - n, c->name, n) == 0;
}

/* Any of the violated indexes may be the one that SQLite names. */
static void answer_violated(struct prop_world *w, uint32_t violated, const char *changes) {
    const struct prop_call *call = w->call;
    for (size_t u = 0; u < w->schema->unique_count; u++) {
        const char *name = w->schema->uniques[u].name, *field = NULL;
        if (!(violated & bit(u))) continue;
        for (size_t i = call->constraint_count; i > 0; i--) {
            const struct prop_constraint *c = &call->constraints[i - 1];
            if (declares(c, name))
                field = w->schema->fields[prop_first_field(&w->schema->uniques[c->unique])].name;
        }
        if (field) {
            answer_changeset(w, changes,
                             prop_text(w->arena,
                                       "{%s, {<<\"has already been taken\">>, [{constraint, "
                                       "unique}, {constraint_name, <<\"%s\">>}]}}",
                                       field, name));
        } else {
            prop_answer_raise(w, "'Elixir.Ecto.ConstraintError'",
                              prop_text(w->arena, "constraint => <<\"%s\">>", name));
        }
    }
}

static void answer_null(struct prop_world *w, uint32_t field) {
    prop_answer_raise(w, "'Elixir.Exqlite.Error'",
                      prop_text(w->arena,
                                "message => <<\"NOT NULL constraint failed: " PROP_TABLE ".%s\">>",
                                w->schema->fields[field].source));
}

/* The struct: its values, over them what was changed, generated (both in values) and read back. */
static void answer_struct(struct prop_world *w, const char *state, const struct prop_value *values,
                          uint32_t given, const struct prop_row *row, uint32_t returned) {
    struct prop_value all[PROP_FIELDS];
    for (size_t i = 0; i < w->schema->count; i++) {
        all[i] = given & bit(i) ? values[i] : w->call->data[i];
        if (row && returned & bit(i)) all[i].term = row->cells[i].loaded;
    }
    const char *text = prop_struct(w->schema, w->arena, state, all);
    prop_answer_exact(w, false, prop_text(w->arena, w->call->bang ? "%s" : "{ok, %s}", text));
}

/* What RETURNING gives; made: SQLite makes the id. */
static uint32_t returned(struct prop_world *w, bool typed, bool made) {
    uint32_t fields = w->call->options.returning | w->schema->read_after_writes;
    for (size_t i = 0; i < w->schema->count; i++) {
        if (!(fields & bit(i)) || (i == 0 && made)) continue;
        if (!typed || !prop_type_loads(w->schema->fields[i].type)) w->refused = true;
    }
    return fields | made;
}

static uint32_t stamp(struct prop_world *w, struct prop_value *values, uint32_t given, bool insert,
                      bool typed) {
    const struct prop_schema *schema = w->schema;
    const int stamps[] = {insert ? schema->inserted_at : 0, schema->updated_at};
    for (size_t i = 0; i < 2; i++) {
        if (stamps[i] == 0 || given & bit((size_t)stamps[i])) continue;
        enum prop_type type = typed ? schema->fields[stamps[i]].type : PROP_NAIVE;
        values[stamps[i]] = prop_moment(w->arena, type, w->call->now_us);
        given |= bit((size_t)stamps[i]);
    }
    return given;
}

static void predict_insert(struct prop_world *w) {
    const struct prop_schema *schema = w->schema;
    const struct prop_call *call = w->call;
    bool typed = prop_is_typed(schema, call);
    uint32_t stored = prop_stored_fields(schema), given = call->changed, violated;
    struct prop_value values[PROP_FIELDS];
    for (size_t i = 0; i < schema->count; i++) {
        bool set = strcmp(call->data[i].term, "nil") != 0 && stored & bit(i);
        values[i] = call->changed & bit(i) ? call->changes[i] : call->data[i];
        if (set) given |= bit(i);
        if (given & stored & bit(i)) prop_check_value(w, &values[i], typed);
    }
    const char *changes = prop_map(schema, w->arena, values, given);
    bool made = schema->id_by_sqlite && !(given & 1);
    given = prop_generate_id(w, values, given, typed);
    given = stamp(w, values, given, true, typed);
    uint32_t returning = returned(w, typed, made);
    if (!prop_check_conflict(w, typed, false) || prop_settle(w)) return;
    struct prop_row row = prop_new_row(schema, w->arena, &w->p->after, values, given & stored);
    switch (prop_insert_row(w, (given & stored) != 0, &row, &violated)) {
    case PROP_WRITTEN: answer_struct(w, "loaded", values, given, &row, returning); break;
    case PROP_NOT_WRITTEN: answer_struct(w, "loaded", values, given, NULL, 0); break;
    case PROP_VIOLATED: answer_violated(w, violated, changes); break;
    case PROP_NULL: answer_null(w, violated); break;
    case PROP_UNDECIDED: w->p->outcome = PROP_OPEN; break;
    }
}

static void answer_stale(struct prop_world *w, const char *state, const struct prop_value *values,
                         uint32_t given) {
    const struct prop_options *o = &w->call->options;
    if (o->allow_stale) {
        answer_struct(w, state, values, given, NULL, 0);
    } else if (o->stale_field) {
        answer_changeset(w, prop_map(w->schema, w->arena, w->call->changes, w->call->changed),
                         prop_text(w->arena, "{%s, {<<\"is stale\">>, [{stale, true}]}}",
                                   w->schema->fields[1].name));
    } else {
        prop_answer_raise(w, "'Elixir.Ecto.StaleEntryError'", "attempted to ");
    }
}

static void update_row(struct prop_world *w, size_t at, const struct prop_value *values,
                       uint32_t given, uint32_t returning) {
    struct prop_row row = w->p->after.rows[at];
    for (size_t i = 0; i < w->schema->count; i++) {
        if (given & prop_stored_fields(w->schema) & bit(i)) row.cells[i] = values[i];
    }
    int null = prop_null_field(w->schema, &row);
    uint32_t violated = prop_violated(w->schema, &w->p->after, &row, (int)at);
    if (null >= 0) {
        answer_null(w, (uint32_t)null);
    } else if (violated) {
        answer_violated(w, violated,
                        prop_map(w->schema, w->arena, w->call->changes, w->call->changed));
    } else {
        w->p->after.rows[at] = row;
        answer_struct(w, "loaded", values, given, &row, returning);
    }
}

static void predict_update(struct prop_world *w) {
    const struct prop_schema *schema = w->schema;
    const struct prop_call *call = w->call;
    uint32_t stored = prop_stored_fields(schema), given = call->changed;
    struct prop_value values[PROP_FIELDS];
    memcpy(values, call->changes, sizeof values);
    if (given == 0 && !call->options.force) {
        answer_struct(w, call->state, values, 0, NULL, 0);
        return;
    }
    bool forced = call->options.force && schema->updated_at > 0;
    if ((given & stored) == 0 && !forced) {
        answer_struct(w, "loaded", values, given, NULL, 0);
        return;
    }
    for (size_t i = 0; i < schema->count; i++) {
        if (given & stored & bit(i)) prop_check_value(w, &values[i], true);
    }
    prop_check_value(w, &call->data[0], true);
    given = stamp(w, values, given, false, true);
    uint32_t returning = returned(w, true, false);
    if (prop_settle(w)) return;
    int at = prop_find(&w->p->after, &call->data[0]);
    if (at < 0) {
        answer_stale(w, "loaded", values, given);
    } else {
        update_row(w, (size_t)at, values, given, returning);
    }
}

static void predict_delete(struct prop_world *w) {
    bool typed = prop_is_typed(w->schema, w->call);
    const struct prop_call *call = w->call;
    prop_check_value(w, &call->data[0], typed);
    uint32_t returning = returned(w, typed, false);
    if (prop_settle(w)) return;
    int at = prop_find(&w->p->after, &call->data[0]);
    if (at < 0) {
        answer_stale(w, "deleted", call->changes, call->changed);
    } else {
        answer_struct(w, "deleted", call->changes, call->changed, &w->p->after.rows[at], returning);
        prop_remove(&w->p->after, (size_t)at);
    }
}

static void predict_single(struct prop_world *w) {
    const struct prop_call *call = w->call;
    if (call->options.prefix) {
        w->p->outcome = PROP_REFUSED;
    } else if (!call->valid) {
        answer_changeset(w, prop_map(w->schema, w->arena, call->changes, call->changed),
                         "{a, {<<\"is invalid\">>, []}}");
    } else if (call->kind != PROP_INSERT && strcmp(call->data[0].term, "nil") == 0) {
        prop_answer_raise(w, "'Elixir.Ecto.NoPrimaryKeyValueError'",
                          "is missing primary key value");
    } else if (call->kind == PROP_INSERT) {
        predict_insert(w);
    } else if (call->kind == PROP_UPDATE) {
        predict_update(w);
    } else {
        predict_delete(w);
    }
}

void prop_predict(const struct prop_schema *schema, struct elfs_arena *arena,
                  const struct prop_table *before, const struct prop_call *call,
                  struct prop_prediction *prediction) {
    struct prop_world w = {
        .schema = schema, .arena = arena, .call = call, .p = prediction, .random = call->random};
    prediction->outcome = PROP_ANSWERED;
    prediction->answer_count = 0;
    prediction->after = *before;
    if (call->kind == PROP_INSERT_ALL) {
        prop_predict_all(&w);
    } else {
        predict_single(&w);
    }
    bool done = prediction->outcome == PROP_ANSWERED && prediction->answer_count == 1 &&
                !prediction->answers[0].raised;
    if (!done) prediction->after = *before;
}
