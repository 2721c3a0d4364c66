/* prop_call - a random call of a Repo, and its text. */
#ifndef ELFS_TESTS_PROP_CALL_H
#define ELFS_TESTS_PROP_CALL_H

#include "prop_model.h"

#define PROP_ALL_ROWS 4
#define PROP_NO_TARGET (-1)

enum prop_kind { PROP_INSERT, PROP_UPDATE, PROP_DELETE, PROP_INSERT_ALL };

enum prop_conflict { PROP_RAISE, PROP_NOTHING, PROP_REPLACE, PROP_ALL, PROP_ALL_EXCEPT, PROP_SET };

/* What insert_all is given as the source. */
enum prop_source { PROP_SOURCE_SCHEMA, PROP_SOURCE_BOTH, PROP_SOURCE_NAME };

/* A constraint that a changeset declares. */
struct prop_constraint {
    size_t unique;
    const char *match; /* exact, suffix or prefix */
    const char *name;
};

struct prop_options {
    enum prop_conflict on_conflict;
    int target;    /* a unique index's number */
    bool fragment; /* the target is given as SQL */
    bool replace_changed;
    uint32_t listed; /* REPLACE, ALL_EXCEPT */
    uint32_t set;    /* SET: fields and their values */
    struct prop_value values[PROP_FIELDS];
    int inc; /* SET: a field's number; 0: none */
    bool returning_all;
    uint32_t returning;
    bool force;
    bool allow_stale;
    int stale_field; /* 0: none */
    bool prefix;
};

struct prop_call {
    enum prop_kind kind;
    const char *function;
    bool bang;
    int64_t now_us;
    uint8_t random; /* of the first UUID that is made */
    struct prop_options options;
    /* a struct or a changeset */
    bool changeset;
    bool valid;
    const char *state;
    struct prop_value data[PROP_FIELDS];
    struct prop_value changes[PROP_FIELDS];
    uint32_t changed;
    struct prop_constraint constraints[PROP_UNIQUES];
    size_t constraint_count;
    /* insert_all */
    enum prop_source source;
    size_t row_count;
    struct prop_value rows[PROP_ALL_ROWS][PROP_FIELDS];
    uint32_t given[PROP_ALL_ROWS];
    /* texts */
    const char *opts;
    const char *args;
};

void prop_call_make(struct prop_random *r, struct elfs_arena *arena,
                    const struct prop_schema *schema, const struct prop_table *table,
                    struct prop_call *call);

/* The types of the struct's fields are known: by the schema or the changeset. */
bool prop_is_typed(const struct prop_schema *schema, const struct prop_call *call);

/* A map of these fields' values. */
const char *prop_map(const struct prop_schema *schema, struct elfs_arena *arena,
                     const struct prop_value *values, uint32_t fields);

/* The call's changeset (or that of its struct), with changes and errors as texts; action nil: as
 * it is given, else as it comes back. */
const char *prop_changeset(const struct prop_schema *schema, struct elfs_arena *arena,
                           const struct prop_call *call, const char *action, const char *changes,
                           const char *errors);

#endif
