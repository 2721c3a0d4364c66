/* detector - detection as it runs: it asks LiteFS and tells what it knows.
 *
 * Two threads. The detector's own owns everything but the published state: it waits for the stream
 * and the probe, keeps the times, feeds the machine (machine.h), publishes the state under a lock,
 * and then calls the callbacks, without the lock. It never waits for anything else: the mount and
 * the row are read by a second thread (look.h).
 */
#ifndef ELFS_DETECT_DETECTOR_H
#define ELFS_DETECT_DETECTOR_H

#include "detect/mount.h"

#define ELFS_LINE_MAX 65536
#define ELFS_INFO_MAX 65536
#define ELFS_PROBE_TIMEOUT_MS 1000

/* All from the detector's thread; position and refreshed may be NULL. They must not block for long, nor
 * stop the detector. */
struct elfs_detector_events {
    void *arg;
    /* The role, the hostname or the node is another one; and once at the start, as soon as the role
     * is known or every source was asked. */
    void (*change)(void *arg, const struct elfs_detect_state *state);
    /* Transactions were announced; the last one of a database when there were several. */
    void (*position)(void *arg, const struct elfs_db_position *position);
    /* Every source was asked since elfs_detector_refresh returned this ticket, or a later one. */
    void (*refreshed)(void *arg, uint64_t ticket, const struct elfs_detect_state *state);
};

/* Everything is copied. */
struct elfs_detector_config {
    const char *primary_file;     /* its folder is the mount */
    int64_t poll_interval_ms;     /* 0: no polling */
    const char *event_stream_url; /* NULL: no stream and no /info */
    const char *database;         /* path of the database with the tracker row; NULL: no row */
    /* Reads that row: ELFS_OK and node, or any other code when there is none to be had. Called from
     * the second thread. It is a parameter since SQLite is not this layer's. */
    enum elfs_code (*read_row)(void *row_arg, char node[ELFS_NODE_SIZE]);
    void *row_arg;
    elfs_is_fuse_fn *is_fuse; /* NULL: what the system says */
    struct elfs_detector_events events;
};

struct elfs_detector;

/* Starts the threads; *out is NULL if it cannot. ELFS_BADARG (a bad URL or path), ELFS_NOMEM or
 * ELFS_SYSTEM, with err filled. */
enum elfs_code elfs_detector_start(const struct elfs_detector_config *config,
                                   struct elfs_detector **out, struct elfs_error *err);

/* A copy of the published state, without waiting. Any thread. */
void elfs_detector_state(struct elfs_detector *detector, struct elfs_detect_state *state);

/* Asks every enabled source once more (the probe takes at most ELFS_PROBE_TIMEOUT_MS). Returns the
 * ticket for the `refreshed` event. Any thread. */
uint64_t elfs_detector_refresh(struct elfs_detector *detector);

/* Ends and joins the threads, frees everything. No callback comes after it. Waits for a look at the
 * files, or at a name server, that is under way: as long as that hangs, if it does. */
void elfs_detector_stop(struct elfs_detector *detector);

/* The same if the threads end within timeout_ms. False if not: nothing is freed then, callbacks may
 * still come, and the threads end as soon as they can; to be tried again. */
bool elfs_detector_try_stop(struct elfs_detector *detector, int64_t timeout_ms);

#endif
