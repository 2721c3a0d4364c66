/* prop_model - a table in memory, with its unique indexes. */
#ifndef ELFS_TESTS_PROP_MODEL_H
#define ELFS_TESTS_PROP_MODEL_H

#include "prop_schema.h"

#define PROP_ROWS 64

struct prop_row {
    struct prop_value cells[PROP_FIELDS]; /* by field; of a virtual one: unused */
};

struct prop_table {
    struct prop_row rows[PROP_ROWS];
    size_t count;
};

/* The row, but for `except`, that has the same values in the fields of a unique index; -1: there is
 * none. NULL is equal to nothing. */
int prop_conflicting(const struct prop_schema *schema, const struct prop_table *table,
                     const struct prop_row *row, size_t unique, int except);

/* All unique indexes that the row would violate, as bits. */
uint32_t prop_violated(const struct prop_schema *schema, const struct prop_table *table,
                       const struct prop_row *row, int except);

/* The first field that is NULL and must not be; -1: there is none. */
int prop_null_field(const struct prop_schema *schema, const struct prop_row *row);

/* A row of these fields' values: the others NULL or their default, an INTEGER PRIMARY KEY that is
 * NULL the next one. */
struct prop_row prop_new_row(const struct prop_schema *schema, struct elfs_arena *arena,
                             const struct prop_table *table, const struct prop_value *values,
                             uint32_t given);

/* The row of this key; -1: there is none. */
int prop_find(const struct prop_table *table, const struct prop_value *key);

void prop_remove(struct prop_table *table, size_t row);

#endif
