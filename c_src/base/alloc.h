/* alloc - the one door to the heap.
 *
 * All of our code allocates here, so that tests can make the n-th allocation fail. The functions
 * are those of the C library otherwise, and as thread-safe.
 */
#ifndef ELFS_BASE_ALLOC_H
#define ELFS_BASE_ALLOC_H

#include <stddef.h>

struct elfs_allocator {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *old, size_t size);
    void (*free)(void *ptr);
};

/* Replaces the functions below; NULL restores the C library's. Only before any thread starts
 * (tests). */
void elfs_allocator_set(const struct elfs_allocator *allocator);

/* malloc(3), calloc(3) (zeroed, overflow-checked), realloc(3), free(3). NULL when out of memory. */
void *elfs_malloc(size_t size);
void *elfs_calloc(size_t count, size_t size);
void *elfs_realloc(void *old, size_t size);
void elfs_free(void *ptr);

/* Owned copies; NULL when out of memory. elfs_strndup adds the NUL. */
char *elfs_strdup(const char *text);
char *elfs_strndup(const char *text, size_t len);

#endif
