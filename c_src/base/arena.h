/* arena - memory that is freed all at once.
 *
 * What one request needs (its frame, statements, parameters, converted texts) lives in one arena
 * and dies with the request. Not thread-safe; ownership moves with the request.
 */
#ifndef ELFS_BASE_ARENA_H
#define ELFS_BASE_ARENA_H

#include <stddef.h>

struct elfs_arena_block;

struct elfs_arena {
    struct elfs_arena_block *blocks;
    size_t used;  /* bytes handed out from the newest block */
    size_t cap;   /* its size */
    size_t total; /* bytes of all blocks: what the arena costs */
};

/* Allocates nothing yet. */
void elfs_arena_init(struct elfs_arena *arena);
void elfs_arena_fini(struct elfs_arena *arena);

/* size bytes, aligned for any type, uninitialised; NULL when out of memory. Valid until fini. */
void *elfs_arena_alloc(struct elfs_arena *arena, size_t size);

/* count * size bytes, zeroed; NULL when out of memory or when the product overflows. */
void *elfs_arena_array(struct elfs_arena *arena, size_t count, size_t size);

/* A copy of len bytes; NULL when out of memory. */
void *elfs_arena_copy(struct elfs_arena *arena, const void *data, size_t len);

#endif
