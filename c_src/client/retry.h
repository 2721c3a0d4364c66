/* retry - may a request be repeated, and when, and what is the call's outcome if not?
 *
 * PURE. The rule: a request that surely has not run may be sent again; one that may have run only
 * with its key. Once one attempt may have run, the call can only end well, or refused by what the
 * transaction itself found after it had looked the key up; else it is `unknown`.
 */
#ifndef ELFS_CLIENT_RETRY_H
#define ELFS_CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "client/ecto_litefs.h"

/* What came of one attempt. */
enum elfs_client_attempt {
    ELFS_ATTEMPT_DONE,
    ELFS_ATTEMPT_REFUSED,    /* and would be refused again */
    ELFS_ATTEMPT_DECIDED,    /* refused by the transaction: an earlier attempt has not run either */
    ELFS_ATTEMPT_NOT_NOW,    /* refused, for a reason that passes */
    ELFS_ATTEMPT_MOVED,      /* refused: another node is the primary, and which is known */
    ELFS_ATTEMPT_NO_PRIMARY, /* nobody knows one */
    ELFS_ATTEMPT_UNREACHABLE, /* not sent, or not whole */
    ELFS_ATTEMPT_LOST,        /* sent, and no answer came */
    ELFS_ATTEMPT_UNKNOWN,     /* the node says that it does not know */
    ELFS_ATTEMPT_BROKEN,      /* the answer cannot be understood or kept, nor would another */
    ELFS_ATTEMPT_WRONG,       /* not sent: the request cannot be, and never will */
    ELFS_ATTEMPT_NOMEM,       /* not sent */
};

struct elfs_client_retry {
    int64_t deadline_ms;
    bool keyed;
    bool may_have_run;
    bool no_primary;    /* the attempt before was answered, and nobody was it */
    unsigned redirects; /* in a row */
    int64_t pause_ms;
    uint64_t random;
};

struct elfs_client_step {
    bool again;
    int64_t wait_ms;            /* before that */
    enum elfs_client_code code; /* if not again */
};

/* random: any number, for the jitter. */
void elfs_client_retry_init(struct elfs_client_retry *retry, int64_t deadline_ms, bool keyed,
                            uint64_t random);

struct elfs_client_step elfs_client_retry_next(struct elfs_client_retry *retry,
                                               enum elfs_client_attempt attempt, int64_t now_ms);

#endif
