/* wake - lets other threads and signal handlers wake the loop: a pipe and a flag.
 *
 * elfs_wake_signal is async-signal-safe and may be called from any thread; only the first call
 * after a drain writes to the pipe.
 */
#ifndef ELFS_NODE_WAKE_H
#define ELFS_NODE_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

struct elfs_wake {
    int fds[2];
    atomic_bool pending;
};

/* ELFS_SYSTEM if the pipe cannot be had. */
enum elfs_code elfs_wake_init(struct elfs_wake *wake);
void elfs_wake_fini(struct elfs_wake *wake);

/* The descriptor that becomes readable. */
int elfs_wake_fd(const struct elfs_wake *wake);

void elfs_wake_signal(struct elfs_wake *wake);

/* Loop: empties the pipe. Look at what was announced only afterwards. */
void elfs_wake_drain(struct elfs_wake *wake);

#endif
