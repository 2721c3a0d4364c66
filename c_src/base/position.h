/* position - where a LiteFS database stands: transaction id and checksum. */
#ifndef ELFS_BASE_POSITION_H
#define ELFS_BASE_POSITION_H

#include <stdbool.h>
#include <stdint.h>

/* known is false where there is no LiteFS, or it has not said yet. */
struct elfs_position {
    bool known;
    uint64_t txid;
    uint64_t checksum;
};

#endif
