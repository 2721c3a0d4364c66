/* link_delay - two TAP devices with a long cable between them: each frame that enters one leaves the other later.
 *
 *   link_delay DEVICE DEVICE MILLISECONDS
 *
 * Makes both devices in the network namespace that it runs in, and is all there is between them until it is killed; they
 * go with it. Frames keep their order. What is longer than the queue holds is lost, as on a cable. Linux, root,
 * /dev/net/tun (Documentation/networking/tuntap). netem would do it too, where the kernel has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048
#define QUEUE_MAX 8192 /* frames on their way, in one direction */

struct frame {
    int64_t due_us;
    size_t size;
    uint8_t bytes[FRAME_MAX];
};

/* One direction. A ring. */
struct cable {
    int from;
    int to;
    size_t first;
    size_t count;
    struct frame *frames;
};

static int64_t now_us(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int fail(const char *what) {
    fprintf(stderr, "link_delay: %s: %s\n", what, strerror(errno));
    return -1;
}

static int open_tap(const char *name) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (strlen(name) >= sizeof request.ifr_name) {
        errno = ENAMETOOLONG;
        return fail(name);
    }
    strcpy(request.ifr_name, name);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return fail("/dev/net/tun");
    return ioctl(fd, TUNSETIFF, &request) == 0 ? fd : fail(name);
}

static void take_in(struct cable *cable, int64_t delay_us) {
    static uint8_t lost[FRAME_MAX];
    for (;;) {
        bool full = cable->count == QUEUE_MAX;
        struct frame *frame = &cable->frames[(cable->first + cable->count) % QUEUE_MAX];
        ssize_t size = read(cable->from, full ? lost : frame->bytes, FRAME_MAX);
        if (size <= 0) return;
        if (full) continue;
        frame->size = (size_t)size;
        frame->due_us = now_us() + delay_us;
        cable->count++;
    }
}

/* A device that is down takes nothing: what is due then is lost. */
static void let_out(struct cable *cable) {
    while (cable->count > 0 && cable->frames[cable->first].due_us <= now_us()) {
        const struct frame *frame = &cable->frames[cable->first];
        ssize_t written = write(cable->to, frame->bytes, frame->size);
        (void)written;
        cable->first = (cable->first + 1) % QUEUE_MAX;
        cable->count--;
    }
}

/* Milliseconds until the next frame is due; -1: none is. */
static int wait_ms(const struct cable cables[2]) {
    int64_t now = now_us(), least = -1;
    for (int i = 0; i < 2; i++) {
        if (cables[i].count == 0) continue;
        int64_t left = cables[i].frames[cables[i].first].due_us - now;
        if (left < 0) left = 0;
        if (least < 0 || left < least) least = left;
    }
    return least < 0 ? -1 : (int)((least + 999) / 1000);
}

int main(int argc, char **argv) {
    char *end = NULL;
    long delay_ms = argc == 4 ? strtol(argv[3], &end, 10) : -1;
    if (argc != 4 || *end || delay_ms < 0 || delay_ms > 60000) {
        fprintf(stderr, "usage: link_delay DEVICE DEVICE MILLISECONDS\n");
        return 2;
    }
    int a = open_tap(argv[1]), b = open_tap(argv[2]);
    if (a < 0 || b < 0) return 1;
    struct cable cables[2] = {{.from = a, .to = b}, {.from = b, .to = a}};
    for (int i = 0; i < 2; i++) {
        cables[i].frames = calloc(QUEUE_MAX, sizeof *cables[i].frames);
        if (!cables[i].frames) return 1;
    }
    for (;;) {
        struct pollfd fds[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
        if (poll(fds, 2, wait_ms(cables)) < 0 && errno != EINTR) return fail("poll"), 1;
        for (int i = 0; i < 2; i++) {
            take_in(&cables[i], delay_ms * 1000);
            let_out(&cables[i]);
        }
    }
}
