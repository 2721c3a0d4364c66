/* write_common - what insert, update and delete of one row have in common.
 *
 * PURE. Private to the plans.
 */
#ifndef ELFS_ECTO_WRITE_COMMON_H
#define ELFS_ECTO_WRITE_COMMON_H

#include "ecto/context.h"

/* A struct or list of associations in the field, which we leave to Ecto. */
enum elfs_code elfs_ecto_refuse_nested(struct elfs_ecto_context *c, struct elfs_view name);

/* Refuses changes that need Ecto (associations) or that Ecto would not write as they are (fields
 * that may not be written). */
enum elfs_code elfs_ecto_check_changes(struct elfs_ecto_context *c,
                                       const struct elfs_ecto_map *changes, bool insert);

/* Sets c->write->loaded: the struct with these changes and generated values, in this state. */
enum elfs_code elfs_ecto_set_loaded(struct elfs_ecto_context *c,
                                    const struct elfs_ecto_map *changes,
                                    const struct elfs_ecto_map *made, const char *state);

/* Adds the stored fields of changes and the generated ones as columns, in Ecto's order. */
enum elfs_code elfs_ecto_add_changes(struct elfs_ecto_context *c,
                                     const struct elfs_ecto_map *changes,
                                     const struct elfs_ecto_map *made);

/* Sets c->write->filters: the changeset's and the primary key. ELFS_BADARG: settled, since there is
 * no key, or it has no value. */
enum elfs_code elfs_ecto_set_filters(struct elfs_ecto_context *c);

/* Adds the values of the filters that are not nil as parameters. */
enum elfs_code elfs_ecto_add_filters(struct elfs_ecto_context *c);

/* Sets the plan's one statement of what was added. */
void elfs_ecto_set_statement(const struct elfs_ecto_context *c, struct elfs_view sql,
                             struct elfs_ecto_plan *plan);

#endif
