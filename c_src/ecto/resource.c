/* resource - see resource.h. */
#include "ecto/resource.h"

#include "ecto/peek.h"

#define USE_MIDDLEWARE                                                                             \
    "needs Ecto: use the middleware of ecto_litefs, which runs Ecto on the caller"

static enum elfs_code unsupported(struct elfs_error *err, const char *what) {
    return elfs_fail(err, ELFS_UNSUPPORTED, "%s", what);
}

static enum elfs_code bad(struct elfs_error *err, const char *what) {
    return elfs_fail(err, ELFS_BADARG, "%s", what);
}

static enum elfs_code failed(struct elfs_error *err, enum elfs_code code, const char *what) {
    return code == ELFS_NOMEM ? elfs_fail(err, code, "out of memory") : bad(err, what);
}

static enum elfs_code read_data(struct elfs_view term, struct elfs_arena *arena,
                                struct elfs_ecto_resource *res, struct elfs_error *err) {
    res->data_term = term;
    enum elfs_code code = elfs_ecto_map_read(term, arena, &res->data);
    if (code != ELFS_OK) return failed(err, code, "neither a struct nor a changeset was given");
    code = elfs_ecto_map_read(elfs_ecto_map_get(&res->data, "__meta__"), arena, &res->meta);
    if (code == ELFS_BADARG) return bad(err, "the struct is of no schema with a source");
    if (code != ELFS_OK) return failed(err, code, "");
    res->schema = elfs_ecto_atom(elfs_ecto_map_get(&res->data, "__struct__"));
    res->source = elfs_ecto_binary(elfs_ecto_map_get(&res->meta, "source"));
    res->state = elfs_ecto_atom(elfs_ecto_map_get(&res->meta, "state"));
    if (res->schema.len == 0 || res->source.len == 0 || res->state.len == 0)
        return bad(err, "the struct is of no schema with a source");
    if (!elfs_ecto_is_nil(elfs_ecto_map_get(&res->meta, "prefix")))
        return unsupported(err, "SQLite has no prefixes");
    return ELFS_OK;
}

static enum elfs_code read_changeset(struct elfs_view term, struct elfs_arena *arena,
                                     struct elfs_ecto_resource *res, struct elfs_error *err) {
    static const char refusal[] = "the changeset is not as Ecto makes it";
    const struct elfs_ecto_map *outer = &res->outer;
    struct elfs_ecto_list list;
    enum elfs_code code = elfs_ecto_map_read(term, arena, &res->outer);
    if (code == ELFS_OK)
        code = elfs_ecto_map_read(elfs_ecto_map_get(outer, "changes"), arena, &res->changes);
    if (code == ELFS_OK)
        code = elfs_ecto_map_read(elfs_ecto_map_get(outer, "types"), arena, &res->types);
    if (code == ELFS_OK)
        code = elfs_ecto_map_read(elfs_ecto_map_get(outer, "filters"), arena, &res->filters);
    if (code != ELFS_OK) return failed(err, code, refusal);
    res->changeset = true;
    res->valid = elfs_ecto_is_atom(elfs_ecto_map_get(outer, "valid?"), "true");
    res->action = elfs_ecto_atom(elfs_ecto_map_get(outer, "action"));
    res->repo_opts = elfs_ecto_map_get(outer, "repo_opts");
    res->constraints = elfs_ecto_map_get(outer, "constraints");
    res->errors = elfs_ecto_map_get(outer, "errors");
    if (res->action.len == 0 || !elfs_ecto_list_begin(res->errors, &list) ||
        !elfs_ecto_list_begin(res->constraints, &list))
        return bad(err, refusal);
    if (res->valid && !elfs_ecto_is_empty_list(elfs_ecto_map_get(outer, "prepare")))
        return unsupported(err, "a changeset with prepare_changes " USE_MIDDLEWARE);
    return read_data(elfs_ecto_map_get(outer, "data"), arena, res, err);
}

/* A source's name, a schema, or both. */
static enum elfs_code read_source(struct elfs_view term, struct elfs_ecto_resource *res,
                                  struct elfs_error *err) {
    struct elfs_view both[2];
    if (elfs_ecto_tuple(term, 2, both)) {
        res->source = elfs_ecto_binary(both[0]);
        res->schema = elfs_ecto_atom(both[1]);
        if (res->source.len > 0 && res->schema.len > 0) return ELFS_OK;
    } else {
        res->source = elfs_ecto_binary(term);
        res->schema = elfs_ecto_atom(term);
        if (res->source.len > 0 || res->schema.len > 0) return ELFS_OK;
    }
    return bad(err, "insert_all takes a source's name, a schema or both");
}

static enum elfs_code read_sql(struct elfs_view term, struct elfs_ecto_resource *res,
                               struct elfs_error *err) {
    struct elfs_view both[2];
    struct elfs_ecto_list list;
    if (elfs_ecto_tuple(term, 2, both) &&
        (elfs_ecto_list_begin(both[1], &list) || elfs_ecto_is(both[1], ELFS_TERM_MAP))) {
        res->sql = elfs_ecto_binary(both[0]);
        res->params = both[1];
        if (res->sql.len > 0) return ELFS_OK;
    }
    return unsupported(err, "update_all and delete_all with a query need Ecto: give {Sql, Params}, "
                            "or use the middleware of ecto_litefs");
}

enum elfs_code elfs_ecto_resource_read(const struct elfs_ecto_call *call, struct elfs_arena *arena,
                                       struct elfs_ecto_resource *res, struct elfs_error *err) {
    *res = (struct elfs_ecto_resource){.valid = true};
    switch (call->action) {
    case ELFS_ECTO_INSERT_ALL: return read_source(call->resource, res, err);
    case ELFS_ECTO_UPDATE_ALL:
    case ELFS_ECTO_DELETE_ALL: return read_sql(call->resource, res, err);
    default: break;
    }
    if (elfs_view_is(elfs_ecto_struct(call->resource), "Elixir.Ecto.Changeset"))
        return read_changeset(call->resource, arena, res, err);
    return read_data(call->resource, arena, res, err);
}
