/* poller_poll - the poll(2) backend of poller.h.
 *
 * Two parallel arrays without holes: removing a watch moves the last one into its place. Events are
 * reported from where the last wait left off, so that a full event array starves nobody.
 */
#include <poll.h>

#include "base/alloc.h"
#include "node/poller.h"

struct poll_poller {
    struct elfs_poller base;
    struct pollfd *fds;
    struct elfs_watch **watches;
    size_t count;
    size_t cap;
    size_t next;
};

extern const struct elfs_poller_ops elfs_poller_poll;

static struct elfs_poller *poll_new(void) {
    struct poll_poller *self = elfs_calloc(1, sizeof *self);
    if (!self) return NULL;
    self->base.ops = &elfs_poller_poll;
    return &self->base;
}

static void poll_free(struct elfs_poller *poller) {
    struct poll_poller *self = (struct poll_poller *)poller;
    elfs_free(self->fds);
    elfs_free(self->watches);
    elfs_free(self);
}

static bool grow(struct poll_poller *self) {
    size_t cap = self->cap ? self->cap * 2 : 16;
    struct pollfd *fds = elfs_realloc(self->fds, cap * sizeof *fds);
    if (!fds) return false;
    self->fds = fds;
    struct elfs_watch **watches = elfs_realloc(self->watches, cap * sizeof(struct elfs_watch *));
    if (!watches) return false;
    self->watches = watches;
    self->cap = cap;
    return true;
}

static enum elfs_code poll_set(struct elfs_poller *poller, struct elfs_watch *watch,
                               unsigned events) {
    struct poll_poller *self = (struct poll_poller *)poller;
    if (!watch->added) {
        if (self->count == self->cap && !grow(self)) return ELFS_NOMEM;
        watch->slot = self->count++;
        watch->added = true;
        self->watches[watch->slot] = watch;
        self->fds[watch->slot] = (struct pollfd){.fd = watch->fd};
    }
    short wanted = 0;
    if (events & ELFS_POLL_IN) wanted |= POLLIN;
    if (events & ELFS_POLL_OUT) wanted |= POLLOUT;
    self->fds[watch->slot].events = wanted;
    watch->events = events;
    return ELFS_OK;
}

static void poll_remove(struct elfs_poller *poller, struct elfs_watch *watch) {
    struct poll_poller *self = (struct poll_poller *)poller;
    size_t last = --self->count;
    self->fds[watch->slot] = self->fds[last];
    self->watches[watch->slot] = self->watches[last];
    self->watches[watch->slot]->slot = watch->slot;
    watch->added = false;
    watch->events = 0;
}

static int poll_wait_ms(struct elfs_poller *poller, struct elfs_poller_event *events, int max,
                        int timeout_ms) {
    struct poll_poller *self = (struct poll_poller *)poller;
    int found = 0;
    if (poll(self->fds, (nfds_t)self->count, timeout_ms) <= 0) return 0;
    size_t at = self->next;
    for (size_t i = 0; i < self->count && found < max; i++, at++) {
        if (at >= self->count) at = 0;
        short revents = self->fds[at].revents;
        if (revents == 0) continue;
        struct elfs_watch *watch = self->watches[at];
        unsigned got = 0;
        if (revents & POLLIN) got |= ELFS_POLL_IN;
        if (revents & POLLOUT) got |= ELFS_POLL_OUT;
        if (revents & (POLLERR | POLLHUP | POLLNVAL)) got |= watch->events;
        events[found++] = (struct elfs_poller_event){watch, got};
    }
    self->next = at;
    return found;
}

const struct elfs_poller_ops elfs_poller_poll = {
    .name = "poll",
    .new = poll_new,
    .free = poll_free,
    .set = poll_set,
    .remove = poll_remove,
    .wait = poll_wait_ms,
};
