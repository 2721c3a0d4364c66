/* look - the thread that touches files, so that a mount that hangs hangs nothing else.
 *
 * LiteFS's mount is served by a process: while that is stopped, whoever opens a file there waits, and
 * cannot be woken. So the mount and the tracker row are read on a thread of their own, one after the
 * other; the detector asks, goes on, and takes what came.
 */
#ifndef ELFS_DETECT_LOOK_H
#define ELFS_DETECT_LOOK_H

#include "detect/mount.h"

enum { ELFS_LOOK_MOUNT = 1, ELFS_LOOK_ROW = 2, ELFS_LOOK_NO_ROW = 4 };

struct elfs_look_config {
    struct elfs_mount_place place; /* its strings must stay */
    /* ELFS_MALFORMED: there is no usable row; another error: it could not be read this time. */
    enum elfs_code (*read_row)(void *row_arg, char node[ELFS_NODE_SIZE]);
    void *row_arg;
    /* Something can be taken; from the thread. */
    void (*wake)(void *arg);
    void *arg;
};

struct elfs_look_result {
    unsigned what; /* which of the two are new; ELFS_LOOK_NO_ROW: the row could not be read */
    struct elfs_reading reading;
    char node[ELFS_NODE_SIZE]; /* empty: no row */
};

struct elfs_look;

/* ELFS_NOMEM or ELFS_SYSTEM. */
enum elfs_code elfs_look_start(const struct elfs_look_config *config, struct elfs_look **out);

/* Asks for one or both, which are not under way. */
void elfs_look_ask(struct elfs_look *look, unsigned what);

/* Takes what is new since the last call. */
void elfs_look_take(struct elfs_look *look, struct elfs_look_result *result);

/* Ends and joins the thread. Waits for a look that is under way: for as long as the mount hangs. */
void elfs_look_stop(struct elfs_look *look);

#endif
