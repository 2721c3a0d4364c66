/* alloc - see alloc.h. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct elfs_allocator libc_allocator = {malloc, realloc, free};
static struct elfs_allocator current = {malloc, realloc, free};

void elfs_allocator_set(const struct elfs_allocator *allocator) {
    current = allocator ? *allocator : libc_allocator;
}

void *elfs_malloc(size_t size) { return current.malloc(size ? size : 1); }

void *elfs_calloc(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *ptr = elfs_malloc(count * size);
    if (ptr) memset(ptr, 0, count * size);
    return ptr;
}

void *elfs_realloc(void *old, size_t size) { return current.realloc(old, size ? size : 1); }

void elfs_free(void *ptr) { current.free(ptr); }

char *elfs_strndup(const char *text, size_t len) {
    char *copy = elfs_malloc(len + 1);
    if (!copy) return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *elfs_strdup(const char *text) { return elfs_strndup(text, strlen(text)); }
