/* prop_options - random options of a Repo call. */
#ifndef ELFS_TESTS_PROP_OPTIONS_H
#define ELFS_TESTS_PROP_OPTIONS_H

#include "prop_call.h"

/* Sets call->options and call->opts; call's kind and source are set. */
void prop_options_make(struct prop_random *r, struct elfs_arena *arena,
                       const struct prop_schema *schema, struct prop_call *call);

/* The number of the first field of a unique index. */
size_t prop_first_field(const struct prop_unique *unique);

#endif
