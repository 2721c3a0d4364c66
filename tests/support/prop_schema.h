/* prop_schema - a random Ecto schema, and the table that belongs to it. */
#ifndef ELFS_TESTS_PROP_SCHEMA_H
#define ELFS_TESTS_PROP_SCHEMA_H

#include "ecto_run.h"
#include "prop_value.h"

#define PROP_FIELDS 12
#define PROP_UNIQUES 4
#define PROP_MODULE "Elixir.My.Thing"
#define PROP_TABLE "things"

struct prop_field {
    const char *name;
    const char *source; /* its column; NULL: virtual */
    enum prop_type type;
    bool few;        /* of so few values that they meet again */
    bool not_null;   /* the column is NOT NULL */
    bool by_default; /* the column has DEFAULT 7 */
};

/* Bits are fields' numbers. */
struct prop_unique {
    uint32_t fields;
    const char *name;    /* as Ecto names the index */
    const char *message; /* SQLite's, when it is violated */
};

struct prop_schema {
    bool known; /* its module answers */
    size_t count;
    struct prop_field fields[PROP_FIELDS]; /* the first is the primary key */
    bool id_by_sqlite;                     /* INTEGER PRIMARY KEY */
    bool id_by_ecto;                       /* a UUID */
    int inserted_at, updated_at;           /* fields' numbers; 0: there are none */
    uint32_t read_after_writes;
    struct prop_unique uniques[PROP_UNIQUES]; /* the first is the primary key */
    size_t unique_count;
    const char *create;  /* SQL, statements separated by ; */
    const char *columns; /* for ecto_init */
    const char *types;   /* a changeset's */
    const char *answers[ELFS_ECTO_QUERY_COUNT];
};

void prop_schema_make(struct prop_random *r, struct elfs_arena *arena, struct prop_schema *schema);

/* A struct of the schema: fields' terms, or nil for all. */
const char *prop_struct(const struct prop_schema *schema, struct elfs_arena *arena,
                        const char *state, const struct prop_value *values);

/* The stored fields, as bits. */
uint32_t prop_stored_fields(const struct prop_schema *schema);

/* A list of these fields' names. */
const char *prop_names(const struct prop_schema *schema, struct elfs_arena *arena, uint32_t fields);

#endif
