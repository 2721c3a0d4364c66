/* litefs - what the node knows of LiteFS.
 *
 * The detector (detect/detector.h) has a thread of its own; its word on the role is kept in an atomic, so that
 * the writers' fences see it the moment it changes, and the loop takes the whole state after being woken.
 */
#ifndef ELFS_NODE_LITEFS_H
#define ELFS_NODE_LITEFS_H

#include <stdatomic.h>

#include "base/position.h"
#include "detect/detector.h"

struct elfs_litefs_config {
    const char *primary_file;
    int64_t poll_interval_ms;     /* 0: no polling */
    const char *event_stream_url; /* NULL: no stream */
    const char *table_name;       /* the tracker table */
    const char *tracked_path;     /* the database whose tracker row is read; NULL: none */
};

struct elfs_litefs {
    struct elfs_detector *detector;
    const char *primary_file;
    const char *table_name;
    const char *tracked_path;
    _Atomic int role; /* enum elfs_role */
    _Atomic uint64_t turns;
    atomic_bool news;
    atomic_bool moved;
    atomic_bool reading; /* the tracker row, with a connection of the detector's own */
    void (*wake)(void *arg);
    void *arg;
    struct elfs_detect_state state; /* the loop's copy */
    enum elfs_mount mount;          /* as last taken */
    uint64_t device;
};

/* Starts the detector. wake is called from its thread when elfs_litefs_take has something to take. */
enum elfs_code elfs_litefs_start(struct elfs_litefs *litefs,
                                 const struct elfs_litefs_config *config, void (*wake)(void *arg),
                                 void *arg, struct elfs_error *err);

/* Harmless if it has not been started. */
void elfs_litefs_stop(struct elfs_litefs *litefs);

/* Loop: true if the role or the primary changed; litefs->state is new then. */
bool elfs_litefs_take(struct elfs_litefs *litefs);

/* Loop, now and then: true if the mount changed, or is another one, which the detector tells of only together with the
 * role. */
bool elfs_litefs_take_mount(struct elfs_litefs *litefs);

/* Loop: true if LiteFS has announced transactions since the last time. */
bool elfs_litefs_moved(struct elfs_litefs *litefs);

/* Any thread: is the detector in the database, to read the tracker row? */
bool elfs_litefs_reads_row(const struct elfs_litefs *litefs);

/* Any thread: the role as of now. */
enum elfs_role elfs_litefs_role(const struct elfs_litefs *litefs);

/* Any thread: how often the role has changed. Asked for before the role, and again later: the same number and the same
 * role are the same reign. */
uint64_t elfs_litefs_turns(const struct elfs_litefs *litefs);

/* True if path lies in the folder that is LiteFS's mount. */
bool elfs_litefs_holds(const struct elfs_litefs_config *config, const char *path);

/* Loop: where LiteFS says the database of this path stands. */
struct elfs_position elfs_litefs_position(struct elfs_litefs *litefs, const char *path);

#endif
