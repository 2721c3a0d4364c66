/* prop_value - Ecto types and random values of them: as a term, as stored, as read back.
 *
 * What is stored is written down here from the rules of ecto_sqlite3 and of SQLite's affinities,
 * with none of the code under test.
 */
#ifndef ELFS_TESTS_PROP_VALUE_H
#define ELFS_TESTS_PROP_VALUE_H

#include "prop_random.h"

enum prop_type {
    PROP_ID,
    PROP_INTEGER,
    PROP_STRING,
    PROP_DATE,
    PROP_BOOLEAN,
    PROP_FLOAT,
    PROP_DECIMAL,      /* in a column of numeric affinity */
    PROP_DECIMAL_TEXT, /* in a TEXT column */
    PROP_TIME,
    PROP_TIME_USEC,
    PROP_NAIVE,
    PROP_NAIVE_USEC,
    PROP_UTC,
    PROP_UTC_USEC,
    PROP_MAP,
    PROP_MAP_OF,
    PROP_STRINGS, /* {array, string} and so on */
    PROP_INTEGERS,
    PROP_BOOLEANS,
    PROP_DATES,
    PROP_ENUMS,
    PROP_BINARY,
    PROP_UUID,
    PROP_BINARY_ID,
    PROP_BINARY_ID_RAW, /* in a BLOB column */
    PROP_ENUM,
    PROP_ENUM_INTEGER,
    PROP_LISTS,  /* {array, {array, integer}}: refused */
    PROP_CUSTOM, /* a module of the application: refused */
    PROP_TYPES,
};

/* The type as a term, and as the column is declared. */
const char *prop_type_text(enum prop_type type);
const char *prop_type_declared(enum prop_type type);
/* The option `returning` takes it. */
bool prop_type_loads(enum prop_type type);
/* A parameter of query is stored as a value of this type is. */
bool prop_type_binds(enum prop_type type);

struct prop_value {
    const char *term;   /* as text, for term_parse */
    const char *stored; /* as prop_stored */
    const char *loaded; /* the term that RETURNING gives */
    bool refused;       /* whether its type is known or not */
    bool needs_type;    /* refused without its type */
    const char *raises; /* not of its type: the exception; NULL otherwise */
    bool moment;        /* that raises: for its precision */
    int64_t integer;    /* PROP_INTEGER, PROP_ID */
};

/* SQLite's storage class and the bytes, readable: "text a\x00b". */
const char *prop_stored(struct elfs_arena *arena, const char *class, const void *bytes, size_t len);

/* A binary as the text of a term. */
const char *prop_binary(struct elfs_arena *arena, const void *bytes, size_t len);

struct prop_value prop_nil(void);
/* nil as a value of the type that is stored: of what is stored as JSON it is JSON too. */
struct prop_value prop_nil_of(enum prop_type type);
struct prop_value prop_integer(struct elfs_arena *arena, int64_t integer);
/* The UUID of which every random byte is this one. */
struct prop_value prop_uuid(struct elfs_arena *arena, enum prop_type type, uint8_t byte);
/* PROP_DATE, PROP_TIME to PROP_UTC_USEC: the moment, cut to the type's precision. */
struct prop_value prop_moment(struct elfs_arena *arena, enum prop_type type, int64_t unix_us);
/* Not nil. few: one of so few that they meet again. */
struct prop_value prop_value(struct prop_random *r, struct elfs_arena *arena, enum prop_type type,
                             bool few);
/* One that is not of the type. */
struct prop_value prop_wrong(struct prop_random *r, struct elfs_arena *arena, enum prop_type type);

#endif
