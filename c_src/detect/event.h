/* event - what LiteFS says over HTTP: a line of GET /events, the answer of GET /info.
 *
 * PURE. Sources: LiteFS 0.5's event.go and http/server.go.
 *   {"type":"init","data":{"isPrimary":false,"hostname":"node1"}}
 *   {"type":"primaryChange","data":{...the same...}}
 *   {"type":"tx","db":"a.db","data":{"txID":"%016x","postApplyChecksum":"%016x",...}}
 *   {"isPrimary":false,"primary":{"hostname":"node1"},...}
 * Unknown keys and unknown types are ignored; a known key of the wrong type, or given twice, makes
 * the whole event invalid.
 */
#ifndef ELFS_DETECT_EVENT_H
#define ELFS_DETECT_EVENT_H

#include "detect/files.h"

/* "A host is primary" or "is not", and who is then: hostname is empty where it was not said. In an
 * answer of /info it is the primary's own hostname, also on the primary itself. */
struct elfs_claim {
    bool is_primary;
    char hostname[ELFS_HOSTNAME_SIZE];
};

enum elfs_event_type { ELFS_EVENT_INIT, ELFS_EVENT_CHANGE, ELFS_EVENT_TX, ELFS_EVENT_OTHER };

struct elfs_event {
    enum elfs_event_type type;
    struct elfs_claim claim;           /* INIT, CHANGE */
    char database[ELFS_DATABASE_SIZE]; /* TX */
    uint64_t txid;
    uint64_t checksum;
};

/* ELFS_MALFORMED: not JSON, or not an event. ELFS_LIMIT: larger than json.h allows. */
enum elfs_code elfs_event_parse(struct elfs_view line, struct elfs_event *event);

/* The same for the body of /info. */
enum elfs_code elfs_info_parse(struct elfs_view body, struct elfs_claim *claim);

#endif
