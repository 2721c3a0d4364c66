/* prop_schema - see prop_schema.h. */
#include "prop_schema.h"

static const char *const field_names[] = {"a", "b", "c", "d", "e", "f"};
#define PLAIN_MAX 6

uint32_t prop_stored_fields(const struct prop_schema *schema) {
    uint32_t bits = 0;
    for (size_t i = 0; i < schema->count; i++)
        bits |= (uint32_t)(schema->fields[i].source != NULL) << i;
    return bits;
}

const char *prop_names(const struct prop_schema *schema, struct elfs_arena *arena,
                       uint32_t fields) {
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        if (fields >> i & 1) prop_list_add(&list, "%s", schema->fields[i].name);
    }
    return prop_text(arena, "[%s]", list.text);
}

const char *prop_struct(const struct prop_schema *schema, struct elfs_arena *arena,
                        const char *state, const struct prop_value *values) {
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    prop_list_add(&list,
                  "'__meta__' => #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, "
                  "prefix => nil, "
                  "schema => '" PROP_MODULE "', source => <<\"" PROP_TABLE "\">>, state => %s}",
                  state);
    for (size_t i = 0; i < schema->count; i++)
        prop_list_add(&list, "%s => %s", schema->fields[i].name, values ? values[i].term : "nil");
    return prop_text(arena, "#{'__struct__' => '" PROP_MODULE "', %s}", list.text);
}

static int add(struct prop_schema *schema, const char *name, enum prop_type type) {
    schema->fields[schema->count] = (struct prop_field){.name = name, .source = name, .type = type};
    return (int)schema->count++;
}

static void make_key(struct prop_random *r, struct prop_schema *schema) {
    static const enum prop_type keys[] = {
        PROP_ID, PROP_ID, PROP_ID, PROP_BINARY_ID, PROP_UUID, PROP_BINARY_ID_RAW, PROP_STRING};
    enum prop_type type = keys[prop_below(r, 7)];
    add(schema, "id", type);
    schema->fields[0].few = true;
    schema->id_by_sqlite = type == PROP_ID;
    schema->id_by_ecto = type != PROP_ID && type != PROP_STRING;
}

static void make_plain(struct prop_random *r, struct prop_schema *schema) {
    uint32_t count = 1 + prop_below(r, PLAIN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        bool few = prop_one_in(r, 3);
        enum prop_type type =
            few ? (enum prop_type)(PROP_INTEGER + prop_below(r, 3))
                : (enum prop_type)(PROP_INTEGER + prop_below(r, PROP_TYPES - PROP_INTEGER));
        struct prop_field *field = &schema->fields[add(schema, field_names[i], type)];
        field->few = few;
        field->not_null = prop_one_in(r, 12) && type != PROP_LISTS && type != PROP_CUSTOM;
        field->by_default = type == PROP_INTEGER && prop_one_in(r, 4);
    }
    if (prop_one_in(r, 2)) return;
    /* Of a type that is not known they are taken for naive ones. */
    enum prop_type type = (enum prop_type)(PROP_NAIVE + prop_below(r, schema->known ? 4 : 1));
    schema->inserted_at = add(schema, "inserted_at", type);
    schema->updated_at = add(schema, "updated_at", type);
}

/* Columns of other names; even of another field's. */
static void make_sources(struct prop_random *r, struct elfs_arena *arena,
                         struct prop_schema *schema) {
    size_t first = 1 + prop_below(r, (uint32_t)schema->count - 1);
    if (!schema->known) return;
    for (size_t i = 0; i < schema->count; i++) {
        if (prop_one_in(r, 4))
            schema->fields[i].source = prop_text(arena, "The_%s", schema->fields[i].name);
    }
    if (prop_one_in(r, 3) && first + 1 < schema->count) {
        schema->fields[first].source = schema->fields[first + 1].name;
        schema->fields[first + 1].source = schema->fields[first].name;
    }
    if (prop_one_in(r, 3)) schema->fields[add(schema, "virtual", PROP_STRING)].source = NULL;
}

static void add_unique(struct prop_schema *schema, struct elfs_arena *arena, uint32_t fields) {
    struct prop_list index, columns;
    prop_list_init(&index, arena, "_");
    prop_list_init(&columns, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        if (!(fields >> i & 1)) continue;
        prop_list_add(&index, "%s", schema->fields[i].source);
        prop_list_add(&columns, PROP_TABLE ".%s", schema->fields[i].source);
    }
    schema->uniques[schema->unique_count++] = (struct prop_unique){
        .fields = fields,
        .name = prop_text(arena, PROP_TABLE "_%s_index", index.text),
        .message = prop_text(arena, "UNIQUE constraint failed: %s", columns.text),
    };
}

static void make_uniques(struct prop_random *r, struct elfs_arena *arena,
                         struct prop_schema *schema) {
    uint32_t one = 0, two = 0;
    add_unique(schema, arena, 1);
    for (size_t i = 1; i < schema->count; i++) {
        if (!schema->fields[i].few || !schema->fields[i].source) continue;
        if (!one) {
            one = UINT32_C(1) << i;
        } else if (!two) {
            two = UINT32_C(1) << i;
        }
    }
    if (one && prop_one_in(r, 2)) add_unique(schema, arena, one);
    if (two && prop_one_in(r, 2)) add_unique(schema, arena, prop_one_in(r, 2) ? two : one | two);
}

static void make_table(struct elfs_arena *arena, struct prop_schema *schema) {
    struct prop_list columns, plain, indexes, names;
    prop_list_init(&columns, arena, ", ");
    prop_list_init(&plain, arena, ",");
    prop_list_init(&indexes, arena, "; ");
    for (size_t i = 0; i < schema->count; i++) {
        const struct prop_field *field = &schema->fields[i];
        if (!field->source) continue;
        const char *declared = prop_type_declared(field->type);
        prop_list_add(&columns, "\"%s\" %s%s%s%s", field->source, declared,
                      i == 0 ? " PRIMARY KEY" : "", field->not_null ? " NOT NULL" : "",
                      field->by_default ? " DEFAULT 7" : "");
        prop_list_add(&plain, "%s %s%s", field->source, declared, i == 0 ? " pk" : "");
    }
    for (size_t u = 1; u < schema->unique_count; u++) {
        prop_list_init(&names, arena, ", ");
        for (size_t i = 0; i < schema->count; i++) {
            if (schema->uniques[u].fields >> i & 1)
                prop_list_add(&names, "\"%s\"", schema->fields[i].source);
        }
        prop_list_add(&indexes, "CREATE UNIQUE INDEX i%zu ON " PROP_TABLE " (%s)", u, names.text);
    }
    schema->create =
        prop_text(arena, "CREATE TABLE " PROP_TABLE " (%s); %s", columns.text, indexes.text);
    schema->columns = plain.text;
}

static void make_types(struct elfs_arena *arena, struct prop_schema *schema) {
    struct prop_list list;
    prop_list_init(&list, arena, ", ");
    for (size_t i = 0; i < schema->count; i++)
        prop_list_add(&list, "%s => %s", schema->fields[i].name,
                      prop_type_text(schema->fields[i].type));
    schema->types = prop_text(arena, "#{%s}", list.text);
}

static void make_answers(struct elfs_arena *arena, struct prop_schema *schema) {
    struct prop_list dump;
    const struct prop_field *id = &schema->fields[0];
    const char *stamp = prop_type_text(schema->fields[schema->inserted_at].type);
    const char *group = "{%s, {'Elixir.Ecto.Schema', '__timestamps__', [%s]}}";
    bool stamped = schema->inserted_at > 0;
    prop_list_init(&dump, arena, ", ");
    for (size_t i = 0; i < schema->count; i++) {
        const struct prop_field *field = &schema->fields[i];
        if (field->source)
            prop_list_add(&dump, "%s => {'%s', %s, always}", field->name, field->source,
                          prop_type_text(field->type));
    }
    const char **answers = schema->answers;
    answers[ELFS_ECTO_Q_SOURCE] = "<<\"" PROP_TABLE "\">>";
    answers[ELFS_ECTO_Q_PREFIX] = "nil";
    answers[ELFS_ECTO_Q_FIELDS] = prop_names(schema, arena, prop_stored_fields(schema));
    answers[ELFS_ECTO_Q_DUMP] = prop_text(arena, "#{%s}", dump.text);
    answers[ELFS_ECTO_Q_PRIMARY_KEY] = "[id]";
    answers[ELFS_ECTO_Q_AUTOGENERATE_ID] =
        id->type == PROP_ID || id->type == PROP_BINARY_ID || id->type == PROP_BINARY_ID_RAW
            ? prop_text(arena, "{id, '%s', %s}", id->source, prop_type_text(id->type))
            : "nil";
    /* field :id, Ecto.UUID, autogenerate: true generates as timestamps do. */
    const char *uuid =
        id->type == PROP_UUID ? "{[id], {'Elixir.Ecto.UUID', autogenerate, []}}" : "";
    const char *both = stamped ? prop_text(arena, group, "[inserted_at, updated_at]", stamp) : "";
    answers[ELFS_ECTO_Q_AUTOGENERATE] =
        prop_text(arena, "[%s%s%s]", uuid, *uuid && *both ? ", " : "", both);
    answers[ELFS_ECTO_Q_AUTOUPDATE] =
        stamped ? prop_text(arena, "[%s]", prop_text(arena, group, "[updated_at]", stamp)) : "[]";
    answers[ELFS_ECTO_Q_READ_AFTER_WRITES] = prop_names(schema, arena, schema->read_after_writes);
    answers[ELFS_ECTO_Q_LOADED] = prop_struct(schema, arena, "loaded", NULL);
    answers[ELFS_ECTO_Q_CHANGESET] = schema->types;
}

void prop_schema_make(struct prop_random *r, struct elfs_arena *arena, struct prop_schema *schema) {
    *schema = (struct prop_schema){.known = !prop_one_in(r, 4)};
    make_key(r, schema);
    make_plain(r, schema);
    make_sources(r, arena, schema);
    make_uniques(r, arena, schema);
    for (size_t i = 1; i < schema->count; i++) {
        if (schema->fields[i].source && prop_type_loads(schema->fields[i].type) &&
            prop_one_in(r, 12))
            schema->read_after_writes |= UINT32_C(1) << i;
    }
    make_types(arena, schema);
    make_table(arena, schema);
    if (schema->known) {
        make_answers(arena, schema);
    } else {
        schema->read_after_writes = 0;
    }
}
