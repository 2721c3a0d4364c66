/* watch - see watch.h. */
#include "store/watch.h"

#include "base/clock.h"

/* About ten microseconds of work between two looks at the clock. */
#define STEPS_BETWEEN_LOOKS 1000

int64_t elfs_deadline(int64_t now, int64_t ms) {
    return ms > INT64_MAX - now ? INT64_MAX : now + ms;
}

static int on_progress(void *arg) { return elfs_watch_expired(arg); }

void elfs_watch_install(struct elfs_watch *watch, sqlite3 *handle) {
    elfs_watch_stop(watch);
    sqlite3_progress_handler(handle, STEPS_BETWEEN_LOOKS, on_progress, watch);
}

void elfs_watch_start(struct elfs_watch *watch, int64_t timeout_ms, struct elfs_tx *tx) {
    *watch = (struct elfs_watch){
        .timeout_ms = timeout_ms,
        .deadline = elfs_deadline(elfs_clock_ms(), timeout_ms),
        .tx = tx,
        .end = ELFS_TX_OPEN,
    };
}

void elfs_watch_stop(struct elfs_watch *watch) {
    *watch = (struct elfs_watch){.deadline = INT64_MAX, .end = ELFS_TX_OPEN};
}

bool elfs_watch_expired(struct elfs_watch *watch) {
    int64_t now = elfs_clock_ms();
    if (watch->tx) watch->end = elfs_tx_due(watch->tx, now);
    watch->expired = watch->end != ELFS_TX_OPEN || now >= watch->deadline;
    return watch->expired;
}

enum elfs_code elfs_watch_fail(const struct elfs_watch *watch, struct elfs_error *err) {
    if (watch->end != ELFS_TX_OPEN) return elfs_tx_fail(err, watch->end);
    return elfs_fail(err, ELFS_TIMEOUT, "the request ran longer than %lld ms",
                     (long long)watch->timeout_ms);
}

enum elfs_tx_end elfs_tx_due(struct elfs_tx *tx, int64_t now) {
    if (atomic_load_explicit(&tx->abort, memory_order_relaxed)) return ELFS_TX_ABORTED;
    return now >= tx->total_deadline ? ELFS_TX_TOTAL : ELFS_TX_OPEN;
}

enum elfs_code elfs_tx_fail(struct elfs_error *err, enum elfs_tx_end end) {
    if (end == ELFS_TX_OPEN)
        return elfs_fail(err, ELFS_NO_TRANSACTION, "the transaction has ended");
    return elfs_fail(err, ELFS_NO_TRANSACTION, "the transaction has ended: %s",
                     elfs_tx_end_text(end));
}
