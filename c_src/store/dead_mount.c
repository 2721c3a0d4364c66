/* dead_mount - see dead_mount.h. */
#include "store/dead_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Thread_local volatile int working_in = -1;
static uintptr_t page_size;
static bool (*dead)(int folder);

/* Opening a folder takes a word with the one who serves it. Async-signal-safe. */
bool elfs_dead_mount_is(int folder) {
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == ENOTCONN || errno == ECONNABORTED;
    close(fd);
    return false;
}

static bool replace_page(void *address) {
    void *page =
        (void *)((uintptr_t)address & ~(page_size - 1)); // NOLINT(performance-no-int-to-ptr)
    return mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0) == page;
}

/* In the thread that touched the page. Returning from here touches it again. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
    int error = errno;
    (void)context;
    bool replaced = info->si_code == BUS_ADRERR && working_in >= 0 && dead(working_in) &&
                    replace_page(info->si_addr);
    if (!replaced) signal(number, SIG_DFL);
    errno = error;
}

void elfs_dead_mount_install(bool (*is_dead)(int folder)) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    dead = is_dead ? is_dead : elfs_dead_mount_is;
    sigaction(SIGBUS, &action, NULL);
}

int elfs_dead_mount_folder(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int elfs_dead_mount_enter(int folder) {
    int before = working_in;
    working_in = folder;
    return before;
}
