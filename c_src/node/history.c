/* history - see history.h. */
#include "node/history.h"

#include "base/alloc.h"

enum elfs_code elfs_history_add(struct elfs_history *history, struct elfs_position position) {
    if (!position.known) return ELFS_OK;
    if (!history->slots) history->slots = elfs_calloc(ELFS_HISTORY_SIZE, sizeof *history->slots);
    if (!history->slots) return ELFS_NOMEM;
    history->slots[position.txid % ELFS_HISTORY_SIZE] = position;
    return ELFS_OK;
}

bool elfs_history_has(const struct elfs_history *history, struct elfs_position position) {
    if (!history->slots || !position.known) return false;
    const struct elfs_position *slot = &history->slots[position.txid % ELFS_HISTORY_SIZE];
    return slot->known && slot->txid == position.txid && slot->checksum == position.checksum;
}

void elfs_history_clear(struct elfs_history *history) {
    elfs_free(history->slots);
    history->slots = NULL;
}
