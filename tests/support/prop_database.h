/* prop_database - a Repo call taken all the way: c_src/ecto, and SQLite behind the store's own
 * connection, statement cache, parameters and results. */
#ifndef ELFS_TESTS_PROP_DATABASE_H
#define ELFS_TESTS_PROP_DATABASE_H

#include "prop_call.h"
#include "store/db.h"

struct prop_database {
    char dir[64];
    char path[80];
    struct elfs_db db;
};

/* A file in a folder of its own. Asserts (cmocka). */
void prop_database_open(struct prop_database *d);
void prop_database_close(struct prop_database *d);

/* Makes the schema's table; it is gone after `end`. */
void prop_database_begin(struct prop_database *d, const struct prop_schema *schema);
void prop_database_end(struct prop_database *d);

/* Runs the call: what came of it is in run, which is to be freed with ecto_fini. run->code is not
 * ELFS_OK when it was refused. A call that fails leaves nothing behind. */
void prop_database_call(struct prop_database *d, const struct prop_schema *schema,
                        const struct prop_call *call, struct ecto_run *run);

/* All rows, sorted, a line each: with typeof and the bytes of each column. */
const char *prop_database_text(struct prop_database *d, const struct prop_schema *schema,
                               struct elfs_arena *arena);
/* The same of the model's. */
const char *prop_table_text(const struct prop_schema *schema, struct elfs_arena *arena,
                            const struct prop_table *table);

#endif
