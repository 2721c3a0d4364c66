/* wake - see wake.h. */
#include "node/wake.h"

#include <stdint.h>
#include <unistd.h>

#include "ei/net.h"

enum elfs_code elfs_wake_init(struct elfs_wake *wake) {
    atomic_init(&wake->pending, false);
    if (pipe(wake->fds) != 0) return ELFS_SYSTEM;
    for (int i = 0; i < 2; i++) {
        elfs_net_set_nonblocking(wake->fds[i]);
        elfs_net_set_cloexec(wake->fds[i]);
    }
    return ELFS_OK;
}

void elfs_wake_fini(struct elfs_wake *wake) {
    close(wake->fds[0]);
    close(wake->fds[1]);
}

int elfs_wake_fd(const struct elfs_wake *wake) { return wake->fds[0]; }

void elfs_wake_signal(struct elfs_wake *wake) {
    if (atomic_exchange(&wake->pending, true)) return;
    /* The pipe is empty or about to be drained; if the byte does not fit, one is there already. */
    ssize_t ignored = write(wake->fds[1], "w", 1);
    (void)ignored;
}

void elfs_wake_drain(struct elfs_wake *wake) {
    uint8_t bytes[16];
    /* The flag goes down after the read: a signal that comes between the two is seen as pending and
     * writes nothing, but what it announces is looked at after this call. */
    while (read(wake->fds[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes) continue;
    atomic_store(&wake->pending, false);
}
