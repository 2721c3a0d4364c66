/* schema - see schema.h. */
#include "ecto/schema.h"

#include "ecto/make.h"
#include "ecto/peek.h"

const char *elfs_ecto_query_function(enum elfs_ecto_query query) {
    static const char *const functions[] = {
#define X(id, function, argument) [id] = function,
        ELFS_ECTO_QUERIES(X)
#undef X
    };
    return functions[query];
}

const char *elfs_ecto_query_argument(enum elfs_ecto_query query) {
    static const char *const arguments[] = {
#define X(id, function, argument) [id] = argument,
        ELFS_ECTO_QUERIES(X)
#undef X
    };
    return arguments[query];
}

static bool read_list(struct elfs_view answer, struct elfs_view *list) {
    struct elfs_ecto_list l;
    *list = answer;
    return elfs_ecto_list_begin(answer, &l) && !l.items.string;
}

static enum elfs_code read_sources(const struct elfs_ecto_map *dump, struct elfs_arena *arena,
                                   struct elfs_ecto_map *by_source) {
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; code == ELFS_OK && i < dump->count; i++) {
        const struct elfs_ecto_pair *pair = &dump->pairs[i];
        struct elfs_view e[3];
        if (!elfs_ecto_tuple(pair->value, 3, e) && !elfs_ecto_tuple(pair->value, 2, e))
            return ELFS_BADARG;
        code = elfs_ecto_map_set(by_source, arena, elfs_ecto_atom(e[0]),
                                 elfs_ecto_make_atom_view(pair->name, arena));
    }
    return code;
}

enum elfs_code elfs_ecto_schema_read(const struct elfs_ecto_answers *answers,
                                     struct elfs_arena *arena, struct elfs_ecto_schema *schema) {
    const struct elfs_view *at = answers->at;
    struct elfs_view id[3];
    *schema = (struct elfs_ecto_schema){0};
    enum elfs_code code = elfs_ecto_map_read(at[ELFS_ECTO_Q_DUMP], arena, &schema->dump);
    if (code == ELFS_OK) code = read_sources(&schema->dump, arena, &schema->by_source);
    if (code == ELFS_OK)
        code = elfs_ecto_map_read(at[ELFS_ECTO_Q_CHANGESET], arena, &schema->types);
    if (code == ELFS_OK) code = elfs_ecto_map_read(at[ELFS_ECTO_Q_LOADED], arena, &schema->loaded);
    if (code != ELFS_OK) return code;
    schema->types_term = at[ELFS_ECTO_Q_CHANGESET];
    schema->source = elfs_ecto_binary(at[ELFS_ECTO_Q_SOURCE]);
    if (!elfs_ecto_is_nil(at[ELFS_ECTO_Q_PREFIX])) schema->prefix = at[ELFS_ECTO_Q_PREFIX];
    if (!elfs_ecto_is_nil(at[ELFS_ECTO_Q_AUTOGENERATE_ID])) {
        schema->autogenerate_id = at[ELFS_ECTO_Q_AUTOGENERATE_ID];
        if (!elfs_ecto_tuple(schema->autogenerate_id, 3, id)) return ELFS_BADARG;
    }
    bool lists = read_list(at[ELFS_ECTO_Q_FIELDS], &schema->fields) &&
                 read_list(at[ELFS_ECTO_Q_PRIMARY_KEY], &schema->primary_key) &&
                 read_list(at[ELFS_ECTO_Q_AUTOGENERATE], &schema->autogenerate) &&
                 read_list(at[ELFS_ECTO_Q_AUTOUPDATE], &schema->autoupdate) &&
                 read_list(at[ELFS_ECTO_Q_READ_AFTER_WRITES], &schema->read_after_writes);
    return lists ? ELFS_OK : ELFS_BADARG;
}
