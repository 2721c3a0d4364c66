/* arena - see arena.h. Blocks of at least BLOCK_SIZE bytes; only the newest has free space that
 * counts. With its header and malloc's a block stays below 1,032 bytes, up to which glibc keeps freed blocks
 * at hand for their thread. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

#define BLOCK_SIZE 1000

struct elfs_arena_block {
    struct elfs_arena_block *next;
    max_align_t data[];
};

void elfs_arena_init(struct elfs_arena *arena) { *arena = (struct elfs_arena){0}; }

void elfs_arena_fini(struct elfs_arena *arena) {
    struct elfs_arena_block *block = arena->blocks;
    while (block) {
        struct elfs_arena_block *next = block->next;
        elfs_free(block);
        block = next;
    }
    elfs_arena_init(arena);
}

void *elfs_arena_alloc(struct elfs_arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (!arena->blocks || size > arena->cap - arena->used) {
        size_t cap = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct elfs_arena_block *block = elfs_malloc(sizeof *block + cap);
        if (!block) return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->cap = cap;
        arena->total += sizeof *block + cap;
        arena->used = 0;
    }
    void *ptr = (char *)arena->blocks->data + arena->used;
    arena->used += size;
    return ptr;
}

void *elfs_arena_array(struct elfs_arena *arena, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *ptr = elfs_arena_alloc(arena, count * size);
    if (ptr) memset(ptr, 0, count * size);
    return ptr;
}

void *elfs_arena_copy(struct elfs_arena *arena, const void *data, size_t len) {
    void *copy = elfs_arena_alloc(arena, len);
    if (copy && len) memcpy(copy, data, len);
    return copy;
}
