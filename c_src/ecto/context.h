/* context - what a plan under way knows, and the columns that it collects.
 *
 * PURE. Private to the plans (plan, write_*, insert_all).
 */
#ifndef ELFS_ECTO_CONTEXT_H
#define ELFS_ECTO_CONTEXT_H

#include "ecto/plan.h"
#include "ecto/repo_options.h"
#include "ecto/type.h"

/* A field that is stored. */
struct elfs_ecto_field {
    struct elfs_view name;   /* text */
    struct elfs_view source; /* its column, text */
    struct elfs_ecto_type type;
    const struct elfs_ecto_column *column; /* NULL: the table has none of this name */
    bool insertable;
    bool updatable;
};

/* What the answer needs to know: see answer.h. A plan that runs nothing has `term`. */
struct elfs_ecto_write {
    const struct elfs_ecto_call *call;
    const struct elfs_ecto_resource *resource;
    enum elfs_ecto_action action; /* never INSERT_OR_UPDATE */
    struct elfs_ecto_options options;
    struct elfs_view term; /* the answer itself, when nothing is run */
    bool raised;           /* it is the reason of an error */
    struct elfs_view sql;
    struct elfs_ecto_map loaded; /* the struct as it will be, but for what is returned */
    bool surfaced;               /* INSERT: `surface` is what an error's changeset has changed */
    struct elfs_ecto_map surface;
    struct elfs_view types; /* a whole term: the schema's, or empty */
    struct elfs_ecto_schemas embedded;
    struct elfs_ecto_map filters; /* UPDATE, DELETE: which row */
    struct elfs_ecto_field *returning;
    size_t returning_count;
};

struct elfs_ecto_context {
    const struct elfs_ecto_call *call;
    const struct elfs_ecto_resource *resource;
    const struct elfs_ecto_env *env;
    struct elfs_arena *arena;
    struct elfs_error *err;
    struct elfs_ecto_options options;
    struct elfs_ecto_write *write;
    /* the columns of the statement, in order, and their values */
    struct elfs_ecto_field *fields;
    struct elfs_param *params;
    size_t count;
    size_t cap;
    /* now, as it was made last */
    struct elfs_view moment;
    enum elfs_ecto_kind moment_kind;
};

/* Finds a stored field. ELFS_BADARG: there is none of this name (it is virtual, an association, or,
 * without the schema, perhaps stored under another name). */
enum elfs_code elfs_ecto_field_find(const struct elfs_ecto_context *c, struct elfs_view name,
                                    struct elfs_ecto_field *field);

/* A field's type as the changeset or the schema names it; embeds and associations too. */
struct elfs_ecto_type elfs_ecto_field_type(const struct elfs_ecto_context *c,
                                           struct elfs_view name);

/* The primary key's fields, as texts in arena. */
enum elfs_code elfs_ecto_primary_key(const struct elfs_ecto_context *c, struct elfs_view **names,
                                     size_t *count);

/* Appends a column and its dumped value. ELFS_BADARG: the value is not of the field's type, and the
 * plan's answer has been set to what Ecto raises. */
enum elfs_code elfs_ecto_add(struct elfs_ecto_context *c, const struct elfs_ecto_field *field,
                             struct elfs_view value);

/* The statement's parameters, of all that was added. */
struct elfs_params elfs_ecto_params(const struct elfs_ecto_context *c);

/* What RETURNING gives: the option `returning` and the schema's read_after_writes. extra: a field
 * that comes first, or NULL. Refuses what cannot be loaded. */
enum elfs_code elfs_ecto_set_returning(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_field *extra);

/* Settles the plan without the database: the answer is this term. */
enum elfs_code elfs_ecto_settle(struct elfs_ecto_context *c, struct elfs_view term, bool raised);

enum elfs_code elfs_ecto_no_memory(struct elfs_error *err);

/* The plans: each sets c->write and plan->statement, or settles. */
enum elfs_code elfs_ecto_plan_insert(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan);
enum elfs_code elfs_ecto_plan_update(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan);
enum elfs_code elfs_ecto_plan_delete(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan);
enum elfs_code elfs_ecto_plan_insert_all(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan);
enum elfs_code elfs_ecto_plan_sql(struct elfs_ecto_context *c, struct elfs_ecto_plan *plan);

#endif
