/* retry - see retry.h. One table says what each outcome of an attempt means. */
#include "client/retry.h"

#define PAUSE_MIN_MS 20
#define PAUSE_MAX_MS 1000
/* With less than that left another attempt is of no use. */
#define LEFT_MIN_MS 10
/* Nodes that send us to one another are asked at once so often, then with pauses. */
#define REDIRECTS_MAX 2

enum repeat {
    NEVER,
    IF_UNSENT, /* unless an earlier attempt may have run, which the key may yet tell */
    SAFE,      /* this attempt has not run */
    WITH_KEY,  /* it may have run */
};

static const struct {
    enum repeat repeat;
    enum elfs_client_code code; /* if no attempt may have run */
} meanings[] = {
    [ELFS_ATTEMPT_DONE] = {NEVER, ELFS_CLIENT_OK},
    [ELFS_ATTEMPT_REFUSED] = {IF_UNSENT, ELFS_CLIENT_REFUSED},
    [ELFS_ATTEMPT_DECIDED] = {NEVER, ELFS_CLIENT_REFUSED},
    [ELFS_ATTEMPT_NOT_NOW] = {SAFE, ELFS_CLIENT_REFUSED},
    [ELFS_ATTEMPT_MOVED] = {SAFE, ELFS_CLIENT_NO_PRIMARY},
    [ELFS_ATTEMPT_NO_PRIMARY] = {SAFE, ELFS_CLIENT_NO_PRIMARY},
    [ELFS_ATTEMPT_UNREACHABLE] = {SAFE, ELFS_CLIENT_UNREACHABLE},
    [ELFS_ATTEMPT_LOST] = {WITH_KEY, ELFS_CLIENT_UNKNOWN},
    [ELFS_ATTEMPT_UNKNOWN] = {WITH_KEY, ELFS_CLIENT_UNKNOWN},
    [ELFS_ATTEMPT_BROKEN] = {NEVER, ELFS_CLIENT_UNKNOWN},
    [ELFS_ATTEMPT_WRONG] = {NEVER, ELFS_CLIENT_BADARG},
    [ELFS_ATTEMPT_NOMEM] = {NEVER, ELFS_CLIENT_NOMEM},
};

void elfs_client_retry_init(struct elfs_client_retry *retry, int64_t deadline_ms, bool keyed,
                            uint64_t random) {
    *retry = (struct elfs_client_retry){
        .deadline_ms = deadline_ms,
        .keyed = keyed,
        .pause_ms = PAUSE_MIN_MS,
        .random = random | 1,
    };
}

/* xorshift64 */
static uint64_t next_random(struct elfs_client_retry *retry) {
    retry->random ^= retry->random << 13;
    retry->random ^= retry->random >> 7;
    retry->random ^= retry->random << 17;
    return retry->random;
}

/* Half of the pause and a random part of the other half, so that clients that lost the same node do
 * not come back together. */
static int64_t next_pause(struct elfs_client_retry *retry) {
    int64_t half = retry->pause_ms / 2;
    int64_t pause = half + (int64_t)(next_random(retry) % (uint64_t)(half + 1));
    retry->pause_ms = retry->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : retry->pause_ms * 2;
    return pause;
}

static bool may_repeat(const struct elfs_client_retry *retry, enum repeat repeat) {
    switch (repeat) {
    case IF_UNSENT: return retry->may_have_run;
    case SAFE: return true;
    case WITH_KEY: return retry->keyed;
    default: return false;
    }
}

/* What an attempt that ends the call means if an earlier one may have run. */
static enum elfs_client_code code_of(const struct elfs_client_retry *retry,
                                     enum elfs_client_attempt attempt) {
    if (!retry->may_have_run || attempt == ELFS_ATTEMPT_DONE || attempt == ELFS_ATTEMPT_DECIDED)
        return meanings[attempt].code;
    return ELFS_CLIENT_UNKNOWN;
}

struct elfs_client_step elfs_client_retry_next(struct elfs_client_retry *retry,
                                               enum elfs_client_attempt attempt, int64_t now_ms) {
    enum repeat repeat = meanings[attempt].repeat;
    int64_t left = retry->deadline_ms - now_ms;
    if (repeat == WITH_KEY) retry->may_have_run = true;
    retry->redirects = attempt == ELFS_ATTEMPT_MOVED ? retry->redirects + 1 : 0;
    /* One that had no time for more than to time out says less than the one before. */
    if (attempt == ELFS_ATTEMPT_UNREACHABLE && left < LEFT_MIN_MS && retry->no_primary)
        attempt = ELFS_ATTEMPT_NO_PRIMARY;
    retry->no_primary = attempt == ELFS_ATTEMPT_NO_PRIMARY;
    struct elfs_client_step step = {.code = code_of(retry, attempt)};
    if (!may_repeat(retry, repeat) || left < LEFT_MIN_MS) return step;
    step.again = true;
    if (attempt == ELFS_ATTEMPT_MOVED && retry->redirects <= REDIRECTS_MAX) return step;
    step.wait_ms = next_pause(retry);
    if (step.wait_ms > left / 2) step.wait_ms = left / 2;
    return step;
}
