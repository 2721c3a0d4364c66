/* plan - see plan.h. Decides which write it is; the write's own file makes the statement. */
#include "ecto/plan.h"

#include <strings.h>

#include "codec/params.h"
#include "ecto/changeset.h"
#include "ecto/context.h"
#include "ecto/exception.h"
#include "ecto/make.h"
#include "ecto/peek.h"
#include "ecto/statement.h"

struct elfs_view elfs_ecto_source(const struct elfs_ecto_resource *resource,
                                  const struct elfs_ecto_schema *schema) {
    if (resource->source.len > 0 || !schema) return resource->source;
    return schema->source;
}

/* update_all and delete_all of {Sql, Params}: only UPDATE and DELETE are taken. */
enum elfs_code elfs_ecto_plan_sql(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    const struct elfs_ecto_resource *res = c->resource;
    const char *verb = c->write->action == ELFS_ECTO_UPDATE_ALL ? "UPDATE" : "DELETE";
    struct elfs_view sql = res->sql;
    while (sql.len > 0 && (*sql.data == ' ' || *sql.data == '\n' || *sql.data == '\t'))
        sql = (struct elfs_view){sql.data + 1, sql.len - 1};
    if (sql.len < 7 || strncasecmp((const char *)sql.data, verb, 6) != 0)
        return elfs_fail(c->err, ELFS_UNSUPPORTED, "%s_all takes SQL that begins with %s",
                         c->write->action == ELFS_ECTO_UPDATE_ALL ? "update" : "delete", verb);
    if (c->call->rows.len > 0 && !elfs_ecto_is_empty_list(c->call->rows))
        return elfs_fail(c->err, ELFS_UNSUPPORTED,
                         "update_all of {Sql, Params} takes [] as its updates");
    plan->statement.sql = res->sql;
    return elfs_params_of_term(res->params, c->arena, &plan->statement.params, c->err);
}

/* insert_or_update of a changeset is one or the other, by its data's state. */
static enum elfs_code decide(struct elfs_ecto_context *c) {
    const struct elfs_ecto_resource *res = c->resource;
    const char *bang = c->call->bang ? "!" : "";
    c->write->action = c->call->action;
    if (c->call->action == ELFS_ECTO_UPDATE && !res->changeset)
        return elfs_ecto_argument_error(
            c, "giving a struct to Ecto.Repo.update/2 is not supported. Ecto is unable to properly "
               "track changes when a struct is given, an Ecto.Changeset must be given instead");
    if (c->call->action != ELFS_ECTO_INSERT_OR_UPDATE) return ELFS_OK;
    if (!res->changeset)
        return elfs_ecto_argument_error(
            c, "giving a struct to Repo.insert_or_update/2 or Repo.insert_or_update!/2 is not "
               "supported. Please use an Ecto.Changeset");
    if (elfs_view_is(res->state, "built")) {
        c->write->action = ELFS_ECTO_INSERT;
    } else if (elfs_view_is(res->state, "loaded")) {
        c->write->action = ELFS_ECTO_UPDATE;
    } else {
        return elfs_ecto_argument_error(
            c, "the changeset has an invalid state for Repo.insert_or_update%s/2: %.*s", bang,
            ELFS_VIEW_ARGS(res->state));
    }
    return ELFS_OK;
}

/* Everything that Ecto itself checks before it looks at the schema. */
static enum elfs_code check_changeset(struct elfs_ecto_context *c) {
    struct elfs_ecto_map changeset;
    enum elfs_code code = elfs_ecto_changeset_check(c);
    if (code != ELFS_OK || c->resource->valid) return code;
    code = elfs_ecto_changeset_make(c->write, c->arena, &changeset);
    if (code != ELFS_OK) return elfs_ecto_no_memory(c->err);
    code = elfs_ecto_settle(c, elfs_ecto_invalid(c->write, &changeset, c->arena), c->call->bang);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

/* Without columns there is no such table, and SQLite would say so, if without a schema a statement could
 * be made. */
static enum elfs_code check_table(struct elfs_ecto_context *c) {
    struct elfs_view table = elfs_ecto_source(c->resource, c->env->schema);
    struct elfs_buf message;
    if (c->env->table->count > 0 || c->env->schema) return ELFS_OK;
    elfs_buf_init(&message, SIZE_MAX);
    elfs_ecto_printf(&message, "no such table: %.*s", ELFS_VIEW_ARGS(table));
    struct elfs_view term =
        elfs_ecto_exception_with("Elixir.Exqlite.Error", &message, "statement",
                                 elfs_ecto_make_atom("nil", c->arena), c->arena);
    enum elfs_code code = elfs_ecto_settle(c, term, true);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

static enum elfs_code make_single(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    enum elfs_code code = check_changeset(c);
    if (code == ELFS_OK) code = check_table(c);
    if (code != ELFS_OK) return code;
    switch (c->write->action) {
    case ELFS_ECTO_INSERT: return elfs_ecto_plan_insert(c, plan);
    case ELFS_ECTO_UPDATE: return elfs_ecto_plan_update(c, plan);
    default: return elfs_ecto_plan_delete(c, plan);
    }
}

static enum elfs_code make(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan) {
    enum elfs_code code = decide(c);
    if (code == ELFS_OK)
        code = elfs_ecto_options_read(c->call, c->resource, c->arena, &c->options, c->err);
    if (code != ELFS_OK) return code;
    c->write->options = c->options;
    plan->timeout_ms = c->options.timeout_ms;
    switch (c->write->action) {
    case ELFS_ECTO_INSERT_ALL: return elfs_ecto_plan_insert_all(c, plan);
    case ELFS_ECTO_UPDATE_ALL:
    case ELFS_ECTO_DELETE_ALL: return elfs_ecto_plan_sql(c, plan);
    default: return make_single(c, plan);
    }
}

enum elfs_code elfs_ecto_plan_make(const struct elfs_ecto_call *call,
                                   const struct elfs_ecto_resource *resource,
                                   const struct elfs_ecto_env *env, struct elfs_arena *arena,
                                   struct elfs_ecto_plan *plan, struct elfs_error *err) {
    struct elfs_ecto_context c = {
        .call = call, .resource = resource, .env = env, .arena = arena, .err = err};
    *plan = (struct elfs_ecto_plan){.timeout_ms = -1};
    elfs_error_clear(err);
    c.write = elfs_arena_array(arena, 1, sizeof *c.write);
    if (!c.write) return elfs_ecto_no_memory(err);
    c.write->call = call;
    c.write->resource = resource;
    c.write->embedded = env->embedded;
    if (env->schema) c.write->types = env->schema->types_term;
    enum elfs_code code = make(&c, plan);
    bool settled = c.write->term.len > 0;
    plan->write = c.write;
    plan->run = code == ELFS_OK && !settled;
    if (settled || code == ELFS_OK) return ELFS_OK;
    if (code == ELFS_NOMEM) return elfs_ecto_no_memory(err);
    if (err && err->code != code)
        return elfs_fail(err, code, "a term of a shape that Ecto does not send");
    return code;
}
