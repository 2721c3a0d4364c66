/* role - see role.h. Names in capitals are rows of the table in docs/detection.md. */
#include "detect/role.h"

const char *elfs_role_name(enum elfs_role role) {
    static const char *const names[] = {"unknown", "primary", "replica"};
    return names[role];
}

const char *elfs_mount_name(enum elfs_mount mount) {
    static const char *const names[] = {"unknown", "absent", "plain", "dead", "live"};
    return names[mount];
}

static bool says_primary(const struct elfs_evidence *e) {
    return e->claim_valid && e->claim.is_primary;
}

static bool says_replica(const struct elfs_evidence *e) {
    return e->claim_valid && !e->claim.is_primary;
}

bool elfs_evidence_contradicts(const struct elfs_evidence *e) {
    return e->mount == ELFS_MOUNT_LIVE && e->primary_file == ELFS_PRIMARY_FILE_PRESENT &&
           says_primary(e);
}

/* In a hand-over the old primary may name itself: that is no primary to send anything to. */
static struct elfs_finding replica_of(const struct elfs_evidence *e, const char *hostname) {
    bool own = e->own_hostname[0] != '\0' && strcmp(hostname, e->own_hostname) == 0;
    return (struct elfs_finding){ELFS_ROLE_REPLICA, own ? "" : hostname};
}

static struct elfs_finding role_only(enum elfs_role role) {
    return (struct elfs_finding){role, ""};
}

/* No folder: no LiteFS on this host, unless something else tells that there is. */
static struct elfs_finding decide_absent(const struct elfs_evidence *e) {
    bool litefs_here = e->was_mounted || says_replica(e);                  /* GONE, WRONG_PATH */
    return role_only(litefs_here ? ELFS_ROLE_UNKNOWN : ELFS_ROLE_PRIMARY); /* STANDALONE */
}

static struct elfs_finding decide_live(const struct elfs_evidence *e) {
    if (e->primary_file == ELFS_PRIMARY_FILE_PRESENT) {
        if (!says_primary(e)) { /* FILE_REPLICA, BOTH_REPLICA */
            bool claim_knows = says_replica(e) && e->claim_is_newer;
            return replica_of(e, claim_knows ? e->claim.hostname : e->file_hostname);
        }
        if (e->contradiction_stands) return role_only(ELFS_ROLE_UNKNOWN); /* CONTRADICTION */
        return e->claim_is_newer ? role_only(ELFS_ROLE_PRIMARY)           /* PROMOTED */
                                 : replica_of(e, e->file_hostname);       /* DEMOTED */
    }
    if (says_primary(e)) return role_only(ELFS_ROLE_PRIMARY);        /* SAID_PRIMARY */
    if (says_replica(e)) return replica_of(e, e->claim.hostname);    /* SAID_REPLICA */
    if (e->files_prove_primary) return role_only(ELFS_ROLE_PRIMARY); /* PROVED */
    return role_only(ELFS_ROLE_UNKNOWN);                             /* NOTHING_SAID */
}

struct elfs_finding elfs_role_decide(const struct elfs_evidence *e) {
    switch (e->mount) {
    case ELFS_MOUNT_ABSENT: return decide_absent(e);
    case ELFS_MOUNT_LIVE: return decide_live(e);
    case ELFS_MOUNT_UNKNOWN:     /* NOT_READ */
    case ELFS_MOUNT_PLAIN:       /* UNMOUNTED */
    case ELFS_MOUNT_DEAD: break; /* DEAD */
    }
    return role_only(ELFS_ROLE_UNKNOWN);
}
