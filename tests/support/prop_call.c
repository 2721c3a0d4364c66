/* prop_call - see prop_call.h. Options are in prop_options.c. */
#include "prop_call.h"

#include "ecto_terms.h"
#include "prop_options.h"

bool prop_is_typed(const struct prop_schema *schema, const struct prop_call *call) {
    return schema->known || call->changeset;
}

const char *prop_map(const struct prop_schema *schema, struct elfs_arena *arena,
                     const struct prop_value *values, uint32_t fields) {
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        if (fields >> i & 1)
            prop_list_add(&list, "%s => %s", schema->fields[i].name, values[i].term);
    }
    return prop_text(arena, "#{%s}", list.text);
}

static const char *constraints_text(const struct prop_schema *schema, struct elfs_arena *arena,
                                    const struct prop_call *call) {
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    for (size_t i = 0; i < call->constraint_count; i++) {
        const struct prop_constraint *c = &call->constraints[i];
        prop_list_add(&list,
                      "#{type => unique, field => %s, constraint => <<\"%s\">>, match => %s, "
                      "error_type => unique, "
                      "error_message => <<\"has already been taken\">>}",
                      schema->fields[prop_first_field(&schema->uniques[c->unique])].name, c->name,
                      c->match);
    }
    return list.text;
}

const char *prop_changeset(const struct prop_schema *schema, struct elfs_arena *arena,
                           const struct prop_call *call, const char *action, const char *changes,
                           const char *errors) {
    bool given = strcmp(action, "nil") == 0;
    return prop_text(
        arena,
        "#{" CHANGESET_BASE
        ", action => %s, repo => %s, repo_opts => %s, errors => [%s], 'valid?' => %s, "
        "data => %s, changes => %s, types => %s, constraints => [%s]}",
        action, given ? "nil" : "'Elixir.My.Repo'", given ? "[]" : call->opts, errors,
        *errors ? "false" : "true", prop_struct(schema, arena, call->state, call->data), changes,
        prop_is_typed(schema, call) ? schema->types : "#{}", constraints_text(schema, arena, call));
}

/* A value, nil, or, rarely, one that is not of the type. */
static struct prop_value any_value(struct prop_random *r, struct elfs_arena *arena,
                                   const struct prop_field *field) {
    if (prop_one_in(r, 6)) return prop_nil_of(field->type);
    if (prop_one_in(r, 80) && field->source) return prop_wrong(r, arena, field->type);
    /* Those that are always refused would leave nothing else to be seen. */
    if (field->type >= PROP_LISTS && !prop_one_in(r, 8)) return prop_nil_of(field->type);
    return prop_value(r, arena, field->type, field->few);
}

static void make_values(struct prop_random *r, struct elfs_arena *arena,
                        const struct prop_schema *schema, struct prop_value *values) {
    for (size_t i = 0; i < schema->count; i++) values[i] = any_value(r, arena, &schema->fields[i]);
    if (!prop_one_in(r, 4)) values[0] = prop_nil();
    for (size_t i = 1; i < schema->count; i++) {
        bool stamp = schema->inserted_at > 0 &&
                     ((int)i == schema->inserted_at || (int)i == schema->updated_at);
        if (stamp && !prop_one_in(r, 8)) values[i] = prop_nil();
    }
}

/* Most of the time as the application has them: a row that is there. */
static void make_old_values(struct prop_random *r, struct elfs_arena *arena,
                            const struct prop_schema *schema, const struct prop_table *table,
                            struct prop_value *values) {
    make_values(r, arena, schema, values);
    if (table->count == 0) return;
    const struct prop_row *row = &table->rows[prop_below(r, (uint32_t)table->count)];
    bool stale = prop_one_in(r, 6);
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].source && !(i == 0 && stale)) values[i] = row->cells[i];
    }
}

static void make_constraints(struct prop_random *r, struct elfs_arena *arena,
                             const struct prop_schema *schema, struct prop_call *call) {
    for (size_t u = 0; u < schema->unique_count; u++) {
        const char *name = schema->uniques[u].name;
        struct prop_constraint *c = &call->constraints[call->constraint_count];
        if (!prop_one_in(r, 2)) continue;
        call->constraint_count++;
        *c = (struct prop_constraint){u, "exact", name};
        if (prop_one_in(r, 4))
            *c = (struct prop_constraint){u, "suffix", name + strlen(PROP_TABLE)};
        if (prop_one_in(r, 4))
            *c = (struct prop_constraint){u, "prefix",
                                          prop_text(arena, "%.*s", (int)strlen(name) - 5, name)};
    }
}

static void make_resource(struct prop_random *r, struct elfs_arena *arena,
                          const struct prop_schema *schema, const struct prop_table *table,
                          struct prop_call *call) {
    bool update = call->kind == PROP_UPDATE;
    call->changeset = update || prop_one_in(r, 2) || strncmp(call->function, "insert_or", 9) == 0;
    call->valid = true;
    call->state = call->kind == PROP_INSERT ? "built" : "loaded";
    if (call->kind == PROP_INSERT) {
        make_values(r, arena, schema, call->data);
    } else {
        make_old_values(r, arena, schema, table, call->data);
    }
    const char *resource = prop_struct(schema, arena, call->state, call->data);
    if (call->changeset) {
        uint32_t all = (UINT32_C(1) << schema->count) - 1;
        make_values(r, arena, schema, call->changes);
        call->valid = !prop_one_in(r, 20);
        call->changed = prop_subset(r, all);
        if (!prop_one_in(r, 6)) call->changed &= ~UINT32_C(1);
        if (prop_one_in(r, 12)) call->changed = 0;
        /* A key that is set to NULL is a matter of SQLite's. */
        if (update && strcmp(call->changes[0].term, "nil") == 0) call->changed &= ~UINT32_C(1);
        make_constraints(r, arena, schema, call);
        resource = prop_changeset(schema, arena, call, "nil",
                                  prop_map(schema, arena, call->changes, call->changed),
                                  call->valid ? "" : "{a, {<<\"is invalid\">>, []}}");
    }
    call->args =
        prop_text(arena, strcmp(call->opts, "[]") == 0 ? "[%s]" : "[%s, %s]", resource, call->opts);
}

static uint32_t insert_all_fields(struct prop_random *r, const struct prop_schema *schema,
                                  const struct prop_call *call) {
    uint32_t all = prop_stored_fields(schema), fields = prop_subset(r, all) | (all & 2);
    for (size_t i = 0; i < schema->count; i++) {
        bool binds = prop_type_binds(schema->fields[i].type);
        if (call->source == PROP_SOURCE_NAME && !binds) fields &= ~(UINT32_C(1) << i);
    }
    return fields;
}

/* A map or a keyword list; without a schema it has the columns' names. */
static const char *row_text(struct prop_random *r, struct elfs_arena *arena,
                            const struct prop_schema *schema, const struct prop_call *call,
                            size_t row) {
    bool map = prop_one_in(r, 2);
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        const struct prop_field *field = &schema->fields[i];
        if (!(call->given[row] >> i & 1)) continue;
        prop_list_add(&list, map ? "'%s' => %s" : "{'%s', %s}",
                      call->source == PROP_SOURCE_NAME ? field->source : field->name,
                      call->rows[row][i].term);
    }
    return prop_text(arena, map ? "#{%s}" : "[%s]", list.text);
}

static void make_all(struct prop_random *r, struct elfs_arena *arena,
                     const struct prop_schema *schema, struct prop_call *call) {
    static const char *const sources[] = {"'" PROP_MODULE "'",
                                          "{<<\"" PROP_TABLE "\">>, '" PROP_MODULE "'}",
                                          "<<\"" PROP_TABLE "\">>"};
    struct prop_list rows;
    uint32_t fields = insert_all_fields(r, schema, call);
    prop_list_init(&rows, arena, ", ");
    call->row_count = prop_below(r, PROP_ALL_ROWS + 1);
    for (size_t i = 0; i < call->row_count; i++) {
        make_values(r, arena, schema, call->rows[i]);
        for (size_t k = 0; k < schema->count; k++) {
            bool wrong = call->rows[i][k].raises != NULL;
            if (wrong && call->source == PROP_SOURCE_NAME) call->rows[i][k] = prop_nil();
        }
        call->given[i] = prop_one_in(r, 15) ? insert_all_fields(r, schema, call) : fields;
        prop_list_add(&rows, "%s", row_text(r, arena, schema, call, i));
    }
    call->args = prop_text(arena, strcmp(call->opts, "[]") == 0 ? "[%s, [%s]]" : "[%s, [%s], %s]",
                           sources[call->source], rows.text, call->opts);
}

void prop_call_make(struct prop_random *r, struct elfs_arena *arena,
                    const struct prop_schema *schema, const struct prop_table *table,
                    struct prop_call *call) {
    static const struct {
        enum prop_kind kind;
        const char *functions[2];
    } kinds[] = {
        {PROP_INSERT, {"insert", "insert!"}},
        {PROP_INSERT, {"insert", "insert!"}},
        {PROP_INSERT, {"insert_or_update", "insert_or_update!"}},
        {PROP_UPDATE, {"update", "update!"}},
        {PROP_UPDATE, {"insert_or_update", "insert_or_update!"}},
        {PROP_DELETE, {"delete", "delete!"}},
        {PROP_INSERT_ALL, {"insert_all", "insert_all"}},
        {PROP_INSERT_ALL, {"insert_all", "insert_all"}},
    };
    uint32_t which = prop_below(r, sizeof kinds / sizeof *kinds);
    int64_t now_us = call->now_us + 1 + prop_below(r, 2000000000);
    *call = (struct prop_call){.kind = kinds[which].kind, .now_us = now_us, .random = call->random};
    call->bang = call->kind != PROP_INSERT_ALL && prop_one_in(r, 2);
    call->function = kinds[which].functions[call->bang];
    call->source = (enum prop_source)prop_below(r, 3);
    prop_options_make(r, arena, schema, call);
    if (call->kind == PROP_INSERT_ALL) {
        make_all(r, arena, schema, call);
    } else {
        make_resource(r, arena, schema, table, call);
    }
}
