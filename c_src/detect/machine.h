/* machine - turns what the sources say, in the order it comes, into the state, and says what to do.
 *
 * PURE: time and randomness are parameters, and it does nothing itself. The shell (detector.h)
 * feeds it, asks elfs_machine_take() for what is due, does that, and feeds the outcome back. What
 * there is to do is kept as one due time for each kind of work, so that asking twice costs nothing.
 *
 * What it adds to the truth table (role.h) is memory:
 *   - The claim: LiteFS's last word on the role, over the stream or /info. It holds while the
 *     stream it came on (or that confirmed it) is connected, or ELFS_INFO_FRESH_MS after an /info
 *     answer. An answer that was asked for before a stream's event, and disagrees with it, is asked
 *     again.
 *   - The files' proof: .primary absent and .lag 0 in readings that span ELFS_PROOF_MS, none of
 *     them otherwise, and no claim "replica" since the first. Only with polling on: without it
 *     nobody would notice the end of it.
 *   - Age: what was asked for is as old as the asking, what comes by itself is as old as its coming.
 *   - Contradictions: see role.h; both sources are asked at once, and again while they disagree.
 *   - Looks at the files that hang: after ELFS_STUCK_MS the mount counts as one that cannot be looked
 *     at, until the outcome comes.
 *
 * Not thread-safe; allocates nothing.
 */
#ifndef ELFS_DETECT_MACHINE_H
#define ELFS_DETECT_MACHINE_H

#include "detect/backoff.h"
#include "detect/state.h"

#define ELFS_PROOF_MS 1000
#define ELFS_INFO_FRESH_MS 5000
#define ELFS_PROBE_MS 5000      /* between probes while the stream is there */
#define ELFS_PROBE_ONLY_MS 2000 /* and while /info is all that answers */
#define ELFS_PROBE_FAILURES 2   /* in a row cut a stream that has fallen silent */
#define ELFS_INIT_MS 5000       /* for a new stream to say its first word */
#define ELFS_LIVED_MS 5000      /* a stream this old was a good one: the back-off starts anew */
#define ELFS_ROW_GAP_MS 100     /* between readings of the row that transactions cause, at first */
#define ELFS_ROW_GAP_MAX_MS                                                                        \
    1600 /* and while it stays as it is: a reading costs LiteFS as much as a write */
#define ELFS_ROW_SEARCH_MS 1000 /* a new primary's row is sought for so long: */
#define ELFS_ROW_SEARCH_GAP_MS 20
#define ELFS_EVENT_GAP_MS 50 /* between readings of the mount that events cause */
#define ELFS_DISPUTE_MS 250  /* between looks while the sources contradict each other */
#define ELFS_STUCK_MS 2000   /* a look at the files that takes longer: the mount hangs */
#define ELFS_NEVER INT64_MAX

enum elfs_work {
    ELFS_WORK_READ,    /* read the mount: elfs_machine_reading */
    ELFS_WORK_ROW,     /* read the tracker row: elfs_machine_row */
    ELFS_WORK_PROBE,   /* GET /info: elfs_machine_info or _info_failed */
    ELFS_WORK_CONNECT, /* GET /events: elfs_machine_claim, _tx, _bad_line, in the end _stream_lost
                        */
    ELFS_WORK_CUT,     /* end the stream, then elfs_machine_stream_lost */
    ELFS_WORK_COUNT
};
#define ELFS_DUE(work) (1u << (work))

struct elfs_machine_config {
    int64_t poll_ms; /* 0: no polling */
    bool stream;
    bool row;
    char database[ELFS_DATABASE_SIZE]; /* the one that holds the row, as LiteFS names it */
};

struct elfs_machine {
    struct elfs_machine_config config;
    struct elfs_detect_state state;
    struct elfs_evidence evidence;
    int64_t due[ELFS_WORK_COUNT];
    int64_t begun[ELFS_WORK_COUNT];   /* when it was last taken; -1: never */
    uint64_t before[ELFS_WORK_COUNT]; /* observations made until then */
    bool busy[ELFS_WORK_COUNT]; /* READ, ROW, PROBE: taken, and its outcome has not come yet */
    bool stuck;                 /* a look at the files hangs */
    uint64_t order;             /* counts observations */
    uint64_t reading_order;     /* of the newest reading: when it was begun */
    uint64_t claim_order;
    bool has_claim;
    bool told;          /* the stream that is connected has made a claim */
    int64_t told_at;    /* its first */
    int64_t info_at;    /* the last /info answer that agrees with the claim; -1: none */
    int64_t zero_since; /* the first reading of a run that may prove primary; -1: none */
    int64_t row_gap_ms;
    int64_t row_sought_until;
    int probe_failures; /* in a row */
    uint64_t dispute;   /* the observation that began it; 0: none */
    bool dispute_read;  /* both were asked since? */
    bool dispute_probed;
    struct elfs_backoff backoff;
};

void elfs_machine_init(struct elfs_machine *m, const struct elfs_machine_config *config,
                       int64_t now);

/* The work that is due (a set of ELFS_DUE bits), which counts as begun. READ, ROW and PROBE are not
 * given out again before their outcome came; only after a refresh PROBE is, and then the one under
 * way is to be dropped. */
unsigned elfs_machine_take(struct elfs_machine *m, int64_t now);

/* When to call elfs_machine_take next; ELFS_NEVER: nothing is waiting. */
int64_t elfs_machine_next(const struct elfs_machine *m);

/* Asks every enabled source once more, now. The outcome of a probe under way is not fed any more.
 */
void elfs_machine_refresh(struct elfs_machine *m, int64_t now);

/* True if nothing is due and nothing under way (but a look at files that hangs): a refresh is
 * complete. */
bool elfs_machine_idle(const struct elfs_machine *m, int64_t now);

void elfs_machine_reading(struct elfs_machine *m, const struct elfs_reading *reading, int64_t now);

/* node is NULL or empty when there is no usable row. */
void elfs_machine_row(struct elfs_machine *m, const char *node, int64_t now);

/* It could not be read: what is known of it stays, and it is read again. */
void elfs_machine_row_failed(struct elfs_machine *m, int64_t now);

/* init and primaryChange. */
void elfs_machine_claim(struct elfs_machine *m, const struct elfs_claim *claim, int64_t now);

/* tx. Returns the position that is now known, NULL if there is no room to keep it; valid until the
 * next call. */
const struct elfs_db_position *elfs_machine_tx(struct elfs_machine *m,
                                               const struct elfs_event *event, int64_t now);

/* A line of the stream that could not be understood: whatever it said is asked for. */
void elfs_machine_bad_line(struct elfs_machine *m, int64_t now);

/* The stream ended, or could not be had. random: any 32 random bits. */
void elfs_machine_stream_lost(struct elfs_machine *m, uint32_t random, int64_t now);

void elfs_machine_info(struct elfs_machine *m, const struct elfs_claim *claim, int64_t now);

/* answered: there was an answer, but not one that says anything (an older LiteFS, a proxy). */
void elfs_machine_info_failed(struct elfs_machine *m, bool answered, int64_t now);

#endif
