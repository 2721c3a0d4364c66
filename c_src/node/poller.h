/* poller - waits for file descriptors: one interface, two backends.
 *
 * epoll(7) on Linux, poll(2) on every POSIX system; both level-triggered. The caller embeds a
 * struct elfs_watch in what owns the descriptor. Loop's thread only.
 *
 * A watch that is removed may still stand in events that were already returned: its owner must stay
 * allocated until the events of that wait have been gone through, and ignore them.
 */
#ifndef ELFS_NODE_POLLER_H
#define ELFS_NODE_POLLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { ELFS_POLL_IN = 1, ELFS_POLL_OUT = 2 };

struct elfs_watch {
    int fd;
    unsigned events; /* what is waited for: ELFS_POLL_* */
    void (*ready)(struct elfs_watch *watch, unsigned events);
    size_t slot; /* the backend's own */
    bool added;  /* the backend's own */
};

struct elfs_poller_event {
    struct elfs_watch *watch;
    unsigned events; /* what is ready; an error or a hang-up counts as whatever was waited for */
};

struct elfs_poller;

struct elfs_poller_ops {
    const char *name;
    struct elfs_poller *(*new)(void);
    void (*free)(struct elfs_poller *poller);
    enum elfs_code (*set)(struct elfs_poller *poller, struct elfs_watch *watch, unsigned events);
    void (*remove)(struct elfs_poller *poller, struct elfs_watch *watch);
    int (*wait)(struct elfs_poller *poller, struct elfs_poller_event *events, int max,
                int timeout_ms);
};

/* Every backend begins with its table. */
struct elfs_poller {
    const struct elfs_poller_ops *ops;
};

/* name: "epoll", "poll", or NULL for the best one here. NULL if there is no such backend, or none
 * of it can be had. */
struct elfs_poller *elfs_poller_new(const char *name);
void elfs_poller_free(struct elfs_poller *poller);

/* Waits for `events` on watch->fd from now on (adding the watch if needed; 0 keeps it added but
 * quiet). ELFS_NOMEM or ELFS_SYSTEM. */
enum elfs_code elfs_poller_set(struct elfs_poller *poller, struct elfs_watch *watch,
                               unsigned events);

/* Forgets the watch; harmless if it was never added. Before its descriptor is closed. */
void elfs_poller_remove(struct elfs_poller *poller, struct elfs_watch *watch);

/* Waits at most timeout_ms and fills up to max events. The number of them; 0 also when a signal
 * came. */
int elfs_poller_wait(struct elfs_poller *poller, struct elfs_poller_event *events, int max,
                     int timeout_ms);

#endif
