/* role - the truth table: what is known of LiteFS to primary, replica or unknown.
 *
 * PURE, and without a memory of its own: the machine (machine.h) collects the evidence. The table
 * itself, row by row, is docs/detection.md. What matters most: "primary" is only said where
 * somebody said so, or where two readings of the files prove it; everything that is not known is
 * "unknown".
 */
#ifndef ELFS_DETECT_ROLE_H
#define ELFS_DETECT_ROLE_H

#include "detect/event.h"

enum elfs_role { ELFS_ROLE_UNKNOWN, ELFS_ROLE_PRIMARY, ELFS_ROLE_REPLICA };

enum elfs_mount {
    ELFS_MOUNT_UNKNOWN, /* not looked at yet, or the system does not let us */
    ELFS_MOUNT_ABSENT,  /* no such folder */
    ELFS_MOUNT_PLAIN,   /* a folder, and LiteFS is not mounted on it */
    ELFS_MOUNT_DEAD,    /* mounted, and LiteFS is gone */
    ELFS_MOUNT_LIVE,
};

enum elfs_primary_file {
    ELFS_PRIMARY_FILE_UNREADABLE, /* may be there or not */
    ELFS_PRIMARY_FILE_ABSENT,
    ELFS_PRIMARY_FILE_PRESENT, /* hostname is empty if its text is none */
};

/* "primary", "replica", "unknown"; "unknown", "absent", "plain", "dead", "live". Static. */
const char *elfs_role_name(enum elfs_role role);
const char *elfs_mount_name(enum elfs_mount mount);

struct elfs_evidence {
    /* the newest reading of the mount */
    enum elfs_mount mount;
    enum elfs_primary_file primary_file;
    char file_hostname[ELFS_HOSTNAME_SIZE];
    bool files_prove_primary; /* .primary absent and .lag 0, twice: see machine.h */
    bool was_mounted;         /* an earlier reading found LiteFS here */
    /* LiteFS's own word, over the stream or /info; not valid if there is none, or none any more */
    bool claim_valid;
    struct elfs_claim claim;
    bool claim_is_newer;       /* than the reading */
    bool contradiction_stands; /* .primary there and "primary" said: both were asked again since */
    char own_hostname[ELFS_HOSTNAME_SIZE]; /* as LiteFS calls this host; empty if not known */
};

struct elfs_finding {
    enum elfs_role role;
    const char *hostname; /* of the primary, on a replica; points into the evidence or is "" */
};

/* True if the files say replica while LiteFS says primary. */
bool elfs_evidence_contradicts(const struct elfs_evidence *evidence);

struct elfs_finding elfs_role_decide(const struct elfs_evidence *evidence);

#endif
