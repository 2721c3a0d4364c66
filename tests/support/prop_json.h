/* prop_json - random maps and lists, the JSON text that Jason makes of them and the terms that are
 * read back. */
#ifndef ELFS_TESTS_PROP_JSON_H
#define ELFS_TESTS_PROP_JSON_H

#include "prop_value.h"

/* PROP_MAP to PROP_ENUMS. */
struct prop_value prop_json_value(struct prop_random *r, struct elfs_arena *arena,
                                  enum prop_type type);

#endif
