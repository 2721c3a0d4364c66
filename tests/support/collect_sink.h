/* collect_sink - a sink that writes down what it gets, as text to compare with.
 *
 *   SELECT id, name ... two rows    id,name[1,'ann'][2,NULL]=2/0/0
 *   INSERT ... three rows           =3/3/17
 *
 * The part after = is num_rows/changes/last_insert_rowid. Blobs are x'00ff', control bytes in texts
 * \00. Uses the C library's allocator, so that fail_alloc does not see it.
 */
#ifndef ELFS_TESTS_COLLECT_SINK_H
#define ELFS_TESTS_COLLECT_SINK_H

#include "base/sink.h"

struct collect_sink {
    struct elfs_sink sink;
    char *text; /* "" when nothing came */
    size_t len;
    size_t cap;
    size_t left; /* values until the row is whole */
    int resets;
    /* what a test may set */
    enum elfs_code row_code;   /* what row() returns */
    void (*on_row)(void *arg); /* called by row(), on the worker's thread */
    void (*on_reset)(void *arg);
    void *arg;
};

void collect_sink_init(struct collect_sink *sink);
void collect_sink_fini(struct collect_sink *sink);

#endif
