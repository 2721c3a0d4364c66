/* watch - stops a statement that runs too long, or whose transaction was given up.
 *
 * SQLite calls the watch every thousand or so of its virtual machine's steps (progress handler).
 * Used by the thread that owns the connection; the only thing it reads of others is the
 * transaction's abort flag. Internal.
 */
#ifndef ELFS_STORE_WATCH_H
#define ELFS_STORE_WATCH_H

#include <sqlite3.h>

#include "store/job.h"

struct elfs_watch {
    int64_t timeout_ms;
    int64_t deadline;     /* elfs_clock_ms() */
    struct elfs_tx *tx;   /* whose abort flag and total deadline count too, or NULL */
    bool expired;         /* it said stop since elfs_watch_start */
    enum elfs_tx_end end; /* why, if that was for the transaction; else ELFS_TX_OPEN */
};

/* now + ms, or the end of time. */
int64_t elfs_deadline(int64_t now, int64_t ms);

/* Installs the watch, which must outlive the connection. It is off until elfs_watch_start. */
void elfs_watch_install(struct elfs_watch *watch, sqlite3 *handle);

void elfs_watch_start(struct elfs_watch *watch, int64_t timeout_ms, struct elfs_tx *tx);
void elfs_watch_stop(struct elfs_watch *watch);

/* Looks at the clock and at the abort flag now. */
bool elfs_watch_expired(struct elfs_watch *watch);

/* The error of a watch that has expired: ELFS_TIMEOUT or ELFS_NO_TRANSACTION. */
enum elfs_code elfs_watch_fail(const struct elfs_watch *watch, struct elfs_error *err);

/* Why the transaction must end now, or ELFS_TX_OPEN: its abort flag, then its total deadline. */
enum elfs_tx_end elfs_tx_due(struct elfs_tx *tx, int64_t now);

/* ELFS_NO_TRANSACTION with the reason. */
enum elfs_code elfs_tx_fail(struct elfs_error *err, enum elfs_tx_end end);

#endif
