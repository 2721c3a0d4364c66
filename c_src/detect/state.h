/* state - what detection tells: plain data, copied whole.
 *
 * PURE. Times are those of the clock that the machine was given (milliseconds); -1 is "never".
 */
#ifndef ELFS_DETECT_STATE_H
#define ELFS_DETECT_STATE_H

#include "detect/role.h"

/* Databases on one mount whose position is kept; those beyond are not told. */
#define ELFS_POSITIONS_MAX 64
#define ELFS_NODE_SIZE 256

struct elfs_db_position {
    char database[ELFS_DATABASE_SIZE];
    uint64_t txid;
    uint64_t checksum;
    /* the machine's own */
    uint64_t event_txid; /* of the last event on this connection, 0 for none */
    bool fresh;          /* an event came since the last reading was begun */
};

struct elfs_positions {
    size_t count;
    struct elfs_db_position items[ELFS_POSITIONS_MAX];
};

/* One look at the mount. Fields below primary_file are for a live mount only. */
struct elfs_reading {
    enum elfs_mount mount;
    uint64_t device; /* of the folder: another one is another mount */
    enum elfs_primary_file primary_file;
    char hostname[ELFS_HOSTNAME_SIZE];
    bool lag_known;
    int64_t lag_ms;
    struct elfs_positions positions;
};

/* says: by this source alone. */
struct elfs_source {
    bool enabled;
    enum elfs_role says;
    int64_t at_ms;
};

struct elfs_detect_state {
    enum elfs_role role;
    char hostname[ELFS_HOSTNAME_SIZE]; /* the primary's, while a replica knows it; else empty */
    uint64_t turns; /* how often one of these two has changed: they may be as before by now */
    char node[ELFS_NODE_SIZE]; /* the tracker row's, while the role is known; else empty */
    enum elfs_mount mount;
    uint64_t device; /* as last read */
    bool lag_known;
    int64_t lag_ms;
    struct elfs_positions positions;
    struct elfs_source file;
    struct elfs_source stream; /* and /info */
    bool row_enabled;
    char row_node[ELFS_NODE_SIZE]; /* what the row says; empty: nothing */
    int64_t row_at_ms;
    uint64_t bad_lines; /* of the stream: no events, or too long */
};

/* The position of the database, NULL if it is not kept. */
struct elfs_db_position *elfs_positions_find(struct elfs_positions *positions,
                                             const char *database);

/* The same, with room made for a new database; NULL when there is none left. name fits. */
struct elfs_db_position *elfs_positions_add(struct elfs_positions *positions, const char *database);

#endif
