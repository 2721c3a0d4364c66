/* poller - see poller.h: chooses the backend. */
#include "node/poller.h"

#include <string.h>

#ifdef __linux__
extern const struct elfs_poller_ops elfs_poller_epoll;
#endif
extern const struct elfs_poller_ops elfs_poller_poll;

static const struct elfs_poller_ops *const backends[] = {
#ifdef __linux__
    &elfs_poller_epoll,
#endif
    &elfs_poller_poll,
    NULL,
};

struct elfs_poller *elfs_poller_new(const char *name) {
    for (size_t i = 0; backends[i]; i++) {
        if (!name || strcmp(name, backends[i]->name) == 0) return backends[i]->new ();
    }
    return NULL;
}

void elfs_poller_free(struct elfs_poller *poller) {
    if (poller) poller->ops->free(poller);
}

enum elfs_code elfs_poller_set(struct elfs_poller *poller, struct elfs_watch *watch,
                               unsigned events) {
    if (watch->added && watch->events == events) return ELFS_OK;
    return poller->ops->set(poller, watch, events);
}

void elfs_poller_remove(struct elfs_poller *poller, struct elfs_watch *watch) {
    if (watch->added) poller->ops->remove(poller, watch);
}

int elfs_poller_wait(struct elfs_poller *poller, struct elfs_poller_event *events, int max,
                     int timeout_ms) {
    return poller->ops->wait(poller, events, max, timeout_ms);
}
