/* plan - a Repo call as the statement that Ecto would run.
 *
 * PURE: time and randomness are parameters. The statement is Ecto's own text; parameters are stored
 * as ecto_sqlite3 stores them. What cannot be done exactly as Ecto does it is refused here, before
 * anything is written. What Ecto settles without the database (an invalid changeset, an update
 * without changes, a misuse that raises) is a plan with nothing to run.
 */
#ifndef ELFS_ECTO_PLAN_H
#define ELFS_ECTO_PLAN_H

#include "base/value.h"
#include "ecto/resource.h"
#include "ecto/schema.h"
#include "ecto/table.h"

struct elfs_ecto_env {
    const struct elfs_ecto_table *table;
    const struct elfs_ecto_schema *schema; /* NULL: not known */
    struct elfs_ecto_schemas embedded;
    int64_t now_us; /* Unix time in microseconds */
    /* Fills 16 bytes, different every time: for the UUIDs of new rows. False: there are none to be had. */
    bool (*random)(void *arg, uint8_t bytes[16]);
    void *arg;
    bool whole; /* insert_all: one statement with all rows in it, as Ecto's is */
};

struct elfs_ecto_write; /* what the answer needs to know */

struct elfs_ecto_plan {
    bool run;                        /* false: nothing to run, go on to elfs_ecto_answer */
    struct elfs_statement statement; /* with its parameters when set_count is 0 */
    /* insert_all of several rows: one statement, a set a row, all or nothing */
    const struct elfs_params *sets;
    size_t set_count;
    bool divided;       /* they would fit in one statement: see env.whole */
    int64_t timeout_ms; /* the option `timeout`; -1: not given, or infinity */
    const struct elfs_ecto_write *write;
};

/* The table that the call writes, text: the resource's, or the schema's. Empty for update_all and
 * delete_all (no columns are needed) and when only the schema knows it and schema is NULL. */
struct elfs_view elfs_ecto_source(const struct elfs_ecto_resource *resource,
                                  const struct elfs_ecto_schema *schema);

/* Makes the plan in arena; it points into call, resource, env->schema and the frame too, which must
 * outlive it. ELFS_UNSUPPORTED and ELFS_INVALID_PARAMETER: refused, err says why; ELFS_BADARG: a
 * term of a shape that Ecto does not send; ELFS_NOMEM. */
enum elfs_code elfs_ecto_plan_make(const struct elfs_ecto_call *call,
                                   const struct elfs_ecto_resource *resource,
                                   const struct elfs_ecto_env *env, struct elfs_arena *arena,
                                   struct elfs_ecto_plan *plan, struct elfs_error *err);

#endif
