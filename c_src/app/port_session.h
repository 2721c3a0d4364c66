/* port_session - serves one port: its requests, and the news of its detector (docs/port.md).
 *
 * Shared by the port program and the port driver; how messages travel is theirs. A message that is
 * to be sent is handed, whole, to `emit`. News are marks, not messages: when they can be told, the
 * last state and each database's last position are.
 *
 * Thread-safe. The detector's thread makes the marks and calls `news`, which sees to it that
 * elfs_port_session_tell is called: right there, or by a loop that it wakes. `emit` is called with
 * the session locked, by the two functions that say so, and calls none of them.
 */
#ifndef ELFS_APP_PORT_SESSION_H
#define ELFS_APP_PORT_SESSION_H

#include "app/port_proto.h"

/* elfs_tracker_row_read, or the like. */
typedef enum elfs_code elfs_port_row_fn(const char *path, const char *table,
                                        char node[ELFS_NODE_SIZE], int64_t *updated_at,
                                        struct elfs_error *err);

struct elfs_port_hooks {
    void *arg;
    /* Takes the message. False: no more for now; the news that are left wait for the next tell. */
    bool (*emit)(void *arg, struct elfs_view message);
    /* From the detector's thread, without locks. */
    void (*news)(void *arg);
    /* NULL: a configuration that names a database is refused. */
    elfs_port_row_fn *read_row;
};

struct elfs_port_session;

/* ELFS_NOMEM. */
enum elfs_code elfs_port_session_new(const struct elfs_port_hooks *hooks,
                                     struct elfs_port_session **session);

/* Stops the detector and frees everything. False if the detector hangs (in a dead file system, in a
 * name's look-up) for longer than timeout_ms: then nothing is freed, hooks may still be called, and
 * this may be tried again. */
bool elfs_port_session_free(struct elfs_port_session *session, int64_t timeout_ms);

/* Serves one message and emits the answer, but that of a refresh, which is told later. ELFS_NOMEM:
 * there is no answer, since there is no memory for one. */
enum elfs_code elfs_port_session_request(struct elfs_port_session *session,
                                         struct elfs_view message);

/* Emits the news. ELFS_NOMEM: some are left for the next time. */
enum elfs_code elfs_port_session_tell(struct elfs_port_session *session);

/* Refreshes that are not answered yet. */
size_t elfs_port_session_pending(struct elfs_port_session *session);

/* Appends the State that is published now, without waiting for anything. ELFS_BADARG before
 * configure. */
enum elfs_code elfs_port_session_state(struct elfs_port_session *session, struct elfs_buf *buf);

#endif
