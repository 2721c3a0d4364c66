/* prop_number - random floats and decimals, and what SQLite's affinities make of them. */
#ifndef ELFS_TESTS_PROP_NUMBER_H
#define ELFS_TESTS_PROP_NUMBER_H

#include "prop_value.h"

/* In a column of numeric affinity. */
struct prop_value prop_float(struct prop_random *r, struct elfs_arena *arena);
/* numeric: in such a column; else in a TEXT column. */
struct prop_value prop_decimal(struct prop_random *r, struct elfs_arena *arena, bool numeric);

#endif
