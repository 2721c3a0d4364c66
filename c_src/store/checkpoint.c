/* checkpoint - see checkpoint.h. */
#include "store/checkpoint.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "store/condition.h"

/* As SQLite's own automatic checkpoint, in whose place this is. */
#define CHECKPOINT_PAGES 1000
#define PAUSE_PAGES (4 * CHECKPOINT_PAGES)
/* Where commits are rare a read waits no longer: one of the next commits will fall into such a pause. */
#define PAUSE_US 100000

enum elfs_code elfs_checkpoint_init(struct elfs_checkpoint *checkpoint, struct elfs_error *err) {
    *checkpoint = (struct elfs_checkpoint){.pause_pages = PAUSE_PAGES};
    int rc = pthread_mutex_init(&checkpoint->lock, NULL);
    if (rc != 0) return elfs_fail(err, ELFS_SYSTEM, "cannot make a lock: %s", strerror(rc));
    rc = elfs_condition_init(&checkpoint->resumed);
    if (rc == 0) return ELFS_OK;
    pthread_mutex_destroy(&checkpoint->lock);
    return elfs_fail(err, ELFS_SYSTEM, "cannot make a condition variable: %s", strerror(rc));
}

void elfs_checkpoint_fini(struct elfs_checkpoint *checkpoint) {
    pthread_cond_destroy(&checkpoint->resumed);
    pthread_mutex_destroy(&checkpoint->lock);
}

/* True: the reader is in no job, and begins none. */
static bool ask_for_pause(struct elfs_checkpoint *checkpoint) {
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->pause = true;
    bool paused = !checkpoint->reading;
    pthread_mutex_unlock(&checkpoint->lock);
    return paused;
}

static void resume(struct elfs_checkpoint *checkpoint) {
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->pause = false;
    pthread_mutex_unlock(&checkpoint->lock);
    pthread_cond_signal(&checkpoint->resumed);
}

void elfs_checkpoint_after_commit(struct elfs_checkpoint *checkpoint, sqlite3 *handle,
                                  const char *schema, int pages) {
    int length = 0;
    int copied = 0;
    if (pages < PAUSE_PAGES) checkpoint->pause_pages = PAUSE_PAGES;
    if (pages < CHECKPOINT_PAGES) return;
    bool paused = pages >= checkpoint->pause_pages && ask_for_pause(checkpoint);
    int rc = sqlite3_wal_checkpoint_v2(handle, schema, SQLITE_CHECKPOINT_PASSIVE, &length, &copied);
    if (!paused) return;
    resume(checkpoint);
    /* Another program's read is in the way: reads of ours wait in vain, and not for every COMMIT from now on. */
    if (rc != SQLITE_OK || copied < length)
        checkpoint->pause_pages = pages > INT_MAX / 2 ? INT_MAX : 2 * pages;
}

void elfs_checkpoint_read_begins(struct elfs_checkpoint *checkpoint) {
    pthread_mutex_lock(&checkpoint->lock);
    if (checkpoint->pause) {
        int64_t until_us = elfs_clock_us() + PAUSE_US;
        while (checkpoint->pause &&
               elfs_condition_wait_until(&checkpoint->resumed, &checkpoint->lock, until_us)) {
        }
        checkpoint->pause = false;
    }
    checkpoint->reading = true;
    pthread_mutex_unlock(&checkpoint->lock);
}

void elfs_checkpoint_read_ended(struct elfs_checkpoint *checkpoint) {
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->reading = false;
    pthread_mutex_unlock(&checkpoint->lock);
}
