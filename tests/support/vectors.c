/* vectors - see vectors.h. */
#include "vectors.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PATH_SIZE 512

struct elfs_view exact_copy(struct elfs_view bytes) {
    uint8_t *copy = (malloc)(bytes.len ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len) memcpy(copy, bytes.data, bytes.len);
    /* no byte of an empty block may be read either: its view starts at its end */
    return (struct elfs_view){bytes.len ? copy : copy + 1, bytes.len};
}

void exact_free(struct elfs_view copy) {
    const uint8_t *start = copy.len ? copy.data : copy.data - 1;
    (free)((void *)(uintptr_t)start);
}

struct elfs_view vector_load(const char *path) {
    char full[PATH_SIZE];
    snprintf(full, sizeof full, "%s/%s", VECTORS_DIR, path);
    FILE *file = fopen(full, "rb");
    if (!file) fail_msg("no such vector: %s", full);
    static uint8_t bytes[1 << 16];
    size_t len = fread(bytes, 1, sizeof bytes, file);
    assert_true(feof(file));
    fclose(file);
    return exact_copy((struct elfs_view){bytes, len});
}

static bool ends_with(const char *name, const char *suffix) {
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

void vectors_each(const char *folder, const char *suffix,
                  void (*check)(const char *name, struct elfs_view bytes)) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", VECTORS_DIR, folder);
    DIR *dir = opendir(path);
    if (!dir) fail_msg("no such folder: %s", path);
    size_t seen = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!ends_with(entry->d_name, suffix)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct elfs_view bytes = vector_load(path);
        entry->d_name[strlen(entry->d_name) - strlen(suffix)] = '\0';
        check(entry->d_name, bytes);
        exact_free(bytes);
        seen++;
    }
    closedir(dir);
    assert_true(seen > 0);
}

void prefixes_each(struct elfs_view bytes, void (*check)(struct elfs_view prefix)) {
    for (size_t len = 0; len < bytes.len; len++) {
        struct elfs_view prefix = exact_copy((struct elfs_view){bytes.data, len});
        check(prefix);
        exact_free(prefix);
    }
}
