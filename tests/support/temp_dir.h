/* temp_dir - a folder of its own for a test. */
#ifndef ELFS_TESTS_TEMP_DIR_H
#define ELFS_TESTS_TEMP_DIR_H

#include <stddef.h>

/* Makes a new folder and writes its path (at most 64 bytes) to path. Asserts (cmocka). */
void temp_dir_make(char path[64]);

/* Removes the folder and the files in it. */
void temp_dir_remove(const char *path);

#endif
