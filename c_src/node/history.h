/* history - the positions that a database has had while this host is its primary.
 *
 * PURE. What a replica reports counts only if it is one of these, TXID and checksum: a former
 * primary that comes back may have the same TXIDs, or greater ones, of a history that was lost.
 * Remembers the newest ELFS_HISTORY_SIZE; TXIDs grow by one a transaction.
 */
#ifndef ELFS_NODE_HISTORY_H
#define ELFS_NODE_HISTORY_H

#include "base/error.h"
#include "base/position.h"

#define ELFS_HISTORY_SIZE 16384

/* Zeroed: empty. */
struct elfs_history {
    struct elfs_position *slots; /* by TXID modulo the size; owned */
};

/* ELFS_NOMEM. A position that is not known is left out. */
enum elfs_code elfs_history_add(struct elfs_history *history, struct elfs_position position);
bool elfs_history_has(const struct elfs_history *history, struct elfs_position position);

/* Forgets all; the memory too. */
void elfs_history_clear(struct elfs_history *history);

#endif
