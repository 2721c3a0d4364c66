/* vectors - the files of tests/vectors, on heap blocks of their exact size.
 *
 * A read past the end of such a block is seen by AddressSanitizer and valgrind.
 */
#ifndef ELFS_TESTS_VECTORS_H
#define ELFS_TESTS_VECTORS_H

#include "base/view.h"

/* A copy that the caller frees with exact_free. */
struct elfs_view exact_copy(struct elfs_view bytes);
void exact_free(struct elfs_view copy);

/* The file tests/vectors/path. The caller frees it with exact_free; asserts (cmocka) that it is
 * there. */
struct elfs_view vector_load(const char *path);

/* Calls check for each file of tests/vectors/folder whose name ends so, with its name without
 * the suffix. Asserts that there is one at least. */
void vectors_each(const char *folder, const char *suffix,
                  void (*check)(const char *name, struct elfs_view bytes));

/* Calls check for each proper prefix of bytes, shortest first. */
void prefixes_each(struct elfs_view bytes, void (*check)(struct elfs_view prefix));

#endif
