/* map - a map whose keys are atoms, as pairs sorted by name.
 *
 * PURE. Structs, changesets, changes and types are such maps. Sorted as Elixir walks a small map,
 * so that statements have their columns in Ecto's order. Values are whole terms, echoed as they
 * came.
 */
#ifndef ELFS_ECTO_MAP_H
#define ELFS_ECTO_MAP_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/term.h"

struct elfs_ecto_pair {
    struct elfs_view name;  /* the atom's text */
    struct elfs_view value; /* a whole term */
};

struct elfs_ecto_map {
    struct elfs_ecto_pair *pairs;
    size_t count;
    size_t cap;
};

/* Reads a whole term. ELFS_BADARG: no map, a key that is no atom, a key given twice; ELFS_NOMEM. */
enum elfs_code elfs_ecto_map_read(struct elfs_view term, struct elfs_arena *arena,
                                  struct elfs_ecto_map *map);

/* The value of a key; an empty view if it is not there. */
struct elfs_view elfs_ecto_map_get(const struct elfs_ecto_map *map, const char *name);
struct elfs_view elfs_ecto_map_find(const struct elfs_ecto_map *map, struct elfs_view name);

/* A copy that may be changed without changing *map. */
enum elfs_code elfs_ecto_map_copy(const struct elfs_ecto_map *map, struct elfs_arena *arena,
                                  struct elfs_ecto_map *copy);

/* Sets a key, new or not. */
enum elfs_code elfs_ecto_map_set(struct elfs_ecto_map *map, struct elfs_arena *arena,
                                 struct elfs_view name, struct elfs_view value);

/* The map as a term: appended, or made in arena (empty if there was no memory). */
void elfs_ecto_map_put(struct elfs_buf *buf, const struct elfs_ecto_map *map);
struct elfs_view elfs_ecto_map_term(const struct elfs_ecto_map *map, struct elfs_arena *arena);

#endif
