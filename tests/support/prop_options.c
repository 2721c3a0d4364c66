/* prop_options - see prop_options.h. */
#include "prop_options.h"

size_t prop_first_field(const struct prop_unique *unique) {
    size_t i = 0;
    while (!(unique->fields >> i & 1)) i++;
    return i;
}

/* Without a schema fields are called as their columns are. */
static const char *name_of(const struct prop_schema *schema, const struct prop_call *call,
                           size_t field) {
    bool bare = call->kind == PROP_INSERT_ALL && call->source == PROP_SOURCE_NAME;
    return bare ? schema->fields[field].source : schema->fields[field].name;
}

static const char *names_of(const struct prop_schema *schema, struct elfs_arena *arena,
                            const struct prop_call *call, uint32_t fields) {
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        if (fields >> i & 1) prop_list_add(&list, "'%s'", name_of(schema, call, i));
    }
    return prop_text(arena, "[%s]", list.text);
}

static void make_target(struct prop_random *r, struct elfs_arena *arena,
                        const struct prop_schema *schema, struct prop_call *call,
                        struct prop_list *list) {
    struct prop_options *o = &call->options;
    struct prop_list columns;
    if (o->target == PROP_NO_TARGET) return;
    uint32_t fields = schema->uniques[o->target].fields;
    o->fragment = prop_one_in(r, 6);
    prop_list_init(&columns, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        if (fields >> i & 1) prop_list_add(&columns, "\\\"%s\\\"", schema->fields[i].source);
    }
    if (o->fragment) {
        prop_list_add(list, "{conflict_target, {unsafe_fragment, <<\"(%s)\">>}}", columns.text);
    } else if ((fields & (fields - 1)) == 0 && prop_one_in(r, 2)) {
        prop_list_add(list, "{conflict_target, '%s'}",
                      name_of(schema, call, prop_first_field(&schema->uniques[o->target])));
    } else {
        prop_list_add(list, "{conflict_target, %s}", names_of(schema, arena, call, fields));
    }
}

/* [{set, [{a, 1}]}, {inc, [{b, 2}]}] */
static const char *make_set(struct prop_random *r, struct elfs_arena *arena,
                            const struct prop_schema *schema, struct prop_call *call) {
    struct prop_options *o = &call->options;
    bool bare = call->kind == PROP_INSERT_ALL && call->source == PROP_SOURCE_NAME;
    struct prop_list list;
    uint32_t fields = prop_subset(r, prop_stored_fields(schema)) & ~UINT32_C(1);
    prop_list_init(&list, arena, ", ");
    for (size_t i = 1; i < schema->count; i++) {
        const struct prop_field *field = &schema->fields[i];
        if (!field->source || field->type >= PROP_LISTS || (bare && !prop_type_binds(field->type)))
            continue;
        if (field->type == PROP_INTEGER && field->few && prop_one_in(r, 2)) {
            o->inc = (int)i;
        } else if (fields >> i & 1) {
            o->set |= UINT32_C(1) << i;
            o->values[i] = prop_one_in(r, 6) ? prop_nil_of(field->type)
                                             : prop_value(r, arena, field->type, field->few);
            prop_list_add(&list, "{'%s', %s}", name_of(schema, call, i), o->values[i].term);
        }
    }
    const char *set = *list.text ? prop_text(arena, "{set, [%s]}", list.text) : "";
    const char *inc =
        o->inc ? prop_text(arena, "{inc, [{'%s', 2}]}", name_of(schema, call, (size_t)o->inc)) : "";
    return prop_text(arena, "[%s%s%s]", set, *set && *inc ? ", " : "", inc);
}

static void make_conflict(struct prop_random *r, struct elfs_arena *arena,
                          const struct prop_schema *schema, struct prop_call *call,
                          struct prop_list *list) {
    static const char *const names[] = {"raise", "nothing", "{replace, %s}", "replace_all",
                                        "{replace_all_except, %s}"};
    struct prop_options *o = &call->options;
    const char *set = "";
    o->on_conflict = (enum prop_conflict)prop_below(r, 6);
    if (o->on_conflict == PROP_SET) set = make_set(r, arena, schema, call);
    if (o->on_conflict == PROP_SET && !o->set && !o->inc) o->on_conflict = PROP_NOTHING;
    o->target =
        prop_one_in(r, 4) ? PROP_NO_TARGET : (int)prop_below(r, (uint32_t)schema->unique_count);
    if (o->on_conflict == PROP_RAISE && !prop_one_in(r, 8)) o->target = PROP_NO_TARGET;
    o->listed = prop_subset(r, prop_stored_fields(schema));
    if (o->on_conflict == PROP_REPLACE && !o->listed) o->listed = 1;
    if (o->on_conflict == PROP_SET) {
        prop_list_add(list, "{on_conflict, %s}", set);
    } else {
        const char *form = prop_text(arena, "{on_conflict, %s}", names[o->on_conflict]);
        prop_list_add(list, form, names_of(schema, arena, call, o->listed));
    }
    make_target(r, arena, schema, call, list);
    o->replace_changed = !prop_one_in(r, 4);
    if (!o->replace_changed) prop_list_add(list, "{replace_changed, false}");
}

static void make_returning(struct prop_random *r, struct elfs_arena *arena,
                           const struct prop_schema *schema, struct prop_call *call,
                           struct prop_list *list) {
    struct prop_options *o = &call->options;
    bool bare = call->kind == PROP_INSERT_ALL && call->source == PROP_SOURCE_NAME;
    uint32_t fields = prop_subset(r, prop_stored_fields(schema));
    if (!bare && prop_one_in(r, 3)) {
        o->returning_all = true;
        o->returning = prop_stored_fields(schema);
        prop_list_add(list, "{returning, true}");
        return;
    }
    for (size_t i = 0; i < schema->count; i++) {
        enum prop_type type = schema->fields[i].type;
        bool as_it_is = type == PROP_ID || type == PROP_INTEGER || type == PROP_STRING;
        if (bare ? !as_it_is : !prop_type_loads(type) && !prop_one_in(r, 10))
            fields &= ~(UINT32_C(1) << i);
    }
    o->returning = fields;
    if (fields) prop_list_add(list, "{returning, %s}", names_of(schema, arena, call, fields));
}

void prop_options_make(struct prop_random *r, struct elfs_arena *arena,
                       const struct prop_schema *schema, struct prop_call *call) {
    struct prop_options *o = &call->options;
    struct prop_list list;
    bool insert = call->kind == PROP_INSERT || call->kind == PROP_INSERT_ALL;
    o->target = PROP_NO_TARGET;
    o->replace_changed = true;
    prop_list_init(&list, arena, ", ");
    if (insert && prop_one_in(r, 2)) make_conflict(r, arena, schema, call, &list);
    if (prop_one_in(r, 3)) make_returning(r, arena, schema, call, &list);
    o->force = call->kind == PROP_UPDATE && prop_one_in(r, 5);
    o->allow_stale = !insert && prop_one_in(r, 5);
    o->stale_field = !insert && prop_one_in(r, 3) ? 1 : 0;
    o->prefix = prop_one_in(r, 40);
    if (o->force) prop_list_add(&list, "{force, true}");
    if (o->allow_stale) prop_list_add(&list, "{allow_stale, true}");
    if (o->stale_field) prop_list_add(&list, "{stale_error_field, %s}", schema->fields[1].name);
    if (o->prefix) prop_list_add(&list, "{prefix, <<\"p\">>}");
    if (prop_one_in(r, 10)) prop_list_add(&list, "{timeout, 1000}, {log, false}");
    call->opts = prop_text(arena, "[%s]", list.text);
}
