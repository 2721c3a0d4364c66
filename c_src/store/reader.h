/* reader - the thread that owns the read-only connection. Internal.
 *
 * Runs one job after the other, each in a read transaction of its own that ends with the job: an
 * open one would keep the WAL from being reset, and LiteFS's replication from going on.
 */
#ifndef ELFS_STORE_READER_H
#define ELFS_STORE_READER_H

#include "store/db.h"
#include "store/worker.h"

struct elfs_reader_thread {
    struct elfs_worker worker;
    struct elfs_db db;
    struct elfs_mailbox *box;
    const struct elfs_fence *fence; /* or NULL */
    int folder;                     /* see dead_mount.h; borrowed */
};

/* As the writer's; after the writer has put the file into WAL mode. */
enum elfs_code elfs_reader_init(struct elfs_reader_thread *reader,
                                const struct elfs_store_config *config, struct elfs_mailbox *box,
                                struct elfs_error *err);
void elfs_reader_fini(struct elfs_reader_thread *reader);
enum elfs_code elfs_reader_start(struct elfs_reader_thread *reader, struct elfs_error *err);
void elfs_reader_stop(struct elfs_reader_thread *reader);

#endif
