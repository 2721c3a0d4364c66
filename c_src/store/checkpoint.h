/* checkpoint - copies the WAL into the database, so that it begins anew. Internal.
 *
 * The WAL begins anew with the first write after a checkpoint that came to its end, and a checkpoint does not come past
 * what some read under way has for the end (wal.c, walCheckpoint). Where one read follows the other there always is such
 * a read, and the WAL would grow for ever. So when it is long the reader waits before its next job: for the next
 * COMMIT and its checkpoint, a moment at most. The writer never waits.
 */
#ifndef ELFS_STORE_CHECKPOINT_H
#define ELFS_STORE_CHECKPOINT_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "base/error.h"

struct elfs_checkpoint {
    pthread_mutex_t lock;
    pthread_cond_t resumed;
    bool reading;    /* the reader runs a job */
    bool pause;      /* it is to wait before its next one */
    int pause_pages; /* a WAL of so many asks for that; the writer's own */
};

enum elfs_code elfs_checkpoint_init(struct elfs_checkpoint *checkpoint, struct elfs_error *err);
void elfs_checkpoint_fini(struct elfs_checkpoint *checkpoint);

/* Writer, in SQLite's WAL hook: a COMMIT has made the WAL so many pages long. What a checkpoint cannot do now the next
 * one does. */
void elfs_checkpoint_after_commit(struct elfs_checkpoint *checkpoint, sqlite3 *handle,
                                  const char *schema, int pages);

/* Reader: around each job. */
void elfs_checkpoint_read_begins(struct elfs_checkpoint *checkpoint);
void elfs_checkpoint_read_ended(struct elfs_checkpoint *checkpoint);

#endif
