/* poller_epoll - the epoll(7) backend of poller.h. */
#ifdef __linux__

#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "node/poller.h"

#define EVENTS_AT_ONCE 256

struct epoll_poller {
    struct elfs_poller base;
    int fd;
};

extern const struct elfs_poller_ops elfs_poller_epoll;

static int fd_of(struct elfs_poller *poller) { return ((struct epoll_poller *)poller)->fd; }

static struct elfs_poller *epoll_new(void) {
    struct epoll_poller *self = elfs_malloc(sizeof *self);
    if (!self) return NULL;
    self->base.ops = &elfs_poller_epoll;
    self->fd = epoll_create1(EPOLL_CLOEXEC);
    if (self->fd < 0) {
        elfs_free(self);
        return NULL;
    }
    return &self->base;
}

static void epoll_free(struct elfs_poller *poller) {
    close(fd_of(poller));
    elfs_free(poller);
}

static enum elfs_code epoll_set(struct elfs_poller *poller, struct elfs_watch *watch,
                                unsigned events) {
    struct epoll_event event = {.data.ptr = watch};
    if (events & ELFS_POLL_IN) event.events |= EPOLLIN;
    if (events & ELFS_POLL_OUT) event.events |= EPOLLOUT;
    int op = watch->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(fd_of(poller), op, watch->fd, &event) != 0) return ELFS_SYSTEM;
    watch->added = true;
    watch->events = events;
    return ELFS_OK;
}

static void epoll_remove(struct elfs_poller *poller, struct elfs_watch *watch) {
    epoll_ctl(fd_of(poller), EPOLL_CTL_DEL, watch->fd, NULL);
    watch->added = false;
    watch->events = 0;
}

static int epoll_wait_ms(struct elfs_poller *poller, struct elfs_poller_event *events, int max,
                         int timeout_ms) {
    struct epoll_event ready[EVENTS_AT_ONCE];
    if (max > EVENTS_AT_ONCE) max = EVENTS_AT_ONCE;
    int n = epoll_wait(fd_of(poller), ready, max, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct elfs_watch *watch = ready[i].data.ptr;
        unsigned got = 0;
        if (ready[i].events & EPOLLIN) got |= ELFS_POLL_IN;
        if (ready[i].events & EPOLLOUT) got |= ELFS_POLL_OUT;
        if (ready[i].events & (EPOLLERR | EPOLLHUP)) got |= watch->events;
        events[i] = (struct elfs_poller_event){watch, got};
    }
    return n < 0 ? 0 : n;
}

const struct elfs_poller_ops elfs_poller_epoll = {
    .name = "epoll",
    .new = epoll_new,
    .free = epoll_free,
    .set = epoll_set,
    .remove = epoll_remove,
    .wait = epoll_wait_ms,
};

#else
typedef int elfs_no_epoll_here;
#endif
