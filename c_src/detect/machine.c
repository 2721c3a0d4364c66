/* machine - see machine.h. Every input ends in settle(), which weighs the evidence anew. */
#include "detect/machine.h"

/* Asks for work at a time, or earlier if it was asked for already. */
static void want(struct elfs_machine *m, enum elfs_work work, int64_t at) {
    if (work == ELFS_WORK_ROW && !m->config.row) return;
    if ((work == ELFS_WORK_PROBE || work == ELFS_WORK_CONNECT) && !m->config.stream) return;
    if (at < m->due[work]) m->due[work] = at;
}

/* At once, unless it was done less than gap ago: whoever asks often must wait. */
static void want_soon(struct elfs_machine *m, enum elfs_work work, int64_t gap, int64_t now) {
    int64_t earliest = m->begun[work] < 0 ? now : m->begun[work] + gap;
    want(m, work, earliest > now ? earliest : now);
}

static bool claim_holds(const struct elfs_machine *m, int64_t now) {
    if (!m->has_claim) return false;
    return m->told || (m->info_at >= 0 && now - m->info_at < ELFS_INFO_FRESH_MS);
}

/* Follows a contradiction from its beginning to its end. */
static void settle_dispute(struct elfs_machine *m, int64_t now) {
    if (!elfs_evidence_contradicts(&m->evidence)) {
        m->dispute = 0;
    } else if (m->dispute == 0) {
        m->dispute = m->order;
        m->dispute_read = m->dispute_probed = false;
        want_soon(m, ELFS_WORK_READ, 0, now);
        want_soon(m, ELFS_WORK_PROBE, 0, now);
    } else {
        want_soon(m, ELFS_WORK_READ, ELFS_DISPUTE_MS, now);
        want_soon(m, ELFS_WORK_PROBE, ELFS_DISPUTE_MS, now);
    }
    m->evidence.contradiction_stands = m->dispute != 0 && m->dispute_read && m->dispute_probed;
}

static enum elfs_role files_say(const struct elfs_evidence *e) {
    if (e->mount == ELFS_MOUNT_ABSENT && !e->was_mounted) return ELFS_ROLE_PRIMARY;
    if (e->mount != ELFS_MOUNT_LIVE) return ELFS_ROLE_UNKNOWN;
    if (e->primary_file == ELFS_PRIMARY_FILE_PRESENT) return ELFS_ROLE_REPLICA;
    return e->files_prove_primary ? ELFS_ROLE_PRIMARY : ELFS_ROLE_UNKNOWN;
}

static bool has_databases(enum elfs_mount mount) {
    return mount == ELFS_MOUNT_LIVE || mount == ELFS_MOUNT_ABSENT;
}

/* When a look at the files that is under way counts as one that hangs. */
static int64_t stuck_at(const struct elfs_machine *m) {
    int64_t at = ELFS_NEVER;
    for (int i = ELFS_WORK_READ; i <= ELFS_WORK_ROW; i++) {
        if (m->busy[i] && m->begun[i] + ELFS_STUCK_MS < at) at = m->begun[i] + ELFS_STUCK_MS;
    }
    return at;
}

/* A mount that hangs tells nothing, and what it told before is no longer known. */
static void settle_stuck(struct elfs_machine *m, int64_t now) {
    m->stuck = stuck_at(m) <= now;
    if (!m->stuck) return;
    m->evidence.mount = m->state.mount = ELFS_MOUNT_UNKNOWN;
    m->state.lag_known = false;
    m->evidence.files_prove_primary = false;
    m->zero_since = -1;
    want(m, ELFS_WORK_READ, now);
}

static void settle(struct elfs_machine *m, int64_t now) {
    struct elfs_evidence *e = &m->evidence;
    struct elfs_detect_state *s = &m->state;
    settle_stuck(m, now);
    e->claim_valid = claim_holds(m, now);
    e->claim_is_newer = m->claim_order > m->reading_order;
    settle_dispute(m, now);
    struct elfs_finding found = elfs_role_decide(e);
    if (found.role != s->role || strcmp(found.hostname, s->hostname) != 0) {
        s->role = found.role;
        memcpy(s->hostname, found.hostname, strlen(found.hostname) + 1);
        s->turns++;
        m->row_gap_ms = ELFS_ROW_SEARCH_GAP_MS;
        m->row_sought_until = now + ELFS_ROW_SEARCH_MS;
        want(m, ELFS_WORK_ROW, now);
    }
    s->file.says = files_say(e);
    s->stream.says = !e->claim_valid       ? ELFS_ROLE_UNKNOWN
                     : e->claim.is_primary ? ELFS_ROLE_PRIMARY
                                           : ELFS_ROLE_REPLICA;
    memset(s->node, 0, sizeof s->node);
    if (s->role != ELFS_ROLE_UNKNOWN) memcpy(s->node, s->row_node, sizeof s->node);
}

void elfs_machine_init(struct elfs_machine *m, const struct elfs_machine_config *config,
                       int64_t now) {
    memset(m, 0, sizeof *m);
    m->config = *config;
    m->info_at = m->zero_since = -1;
    m->row_gap_ms = ELFS_ROW_GAP_MS;
    for (int i = 0; i < ELFS_WORK_COUNT; i++) {
        m->due[i] = ELFS_NEVER;
        m->begun[i] = -1;
    }
    m->state.file = (struct elfs_source){.enabled = config->poll_ms > 0, .at_ms = -1};
    m->state.stream = (struct elfs_source){.enabled = config->stream, .at_ms = -1};
    m->state.row_enabled = config->row;
    m->state.row_at_ms = -1;
    want(m, ELFS_WORK_CONNECT, now);
    elfs_machine_refresh(m, now);
}

unsigned elfs_machine_take(struct elfs_machine *m, int64_t now) {
    unsigned taken = 0;
    settle(m, now);
    if (!has_databases(m->evidence.mount)) m->due[ELFS_WORK_ROW] = ELFS_NEVER;
    for (int i = 0; i < ELFS_WORK_COUNT; i++) {
        if (m->due[i] > now || m->busy[i]) continue;
        m->due[i] = ELFS_NEVER;
        m->begun[i] = now;
        m->before[i] = m->order;
        m->busy[i] = i == ELFS_WORK_READ || i == ELFS_WORK_ROW || i == ELFS_WORK_PROBE;
        taken |= ELFS_DUE(i);
    }
    for (size_t i = 0; taken & ELFS_DUE(ELFS_WORK_READ) && i < m->state.positions.count; i++)
        m->state.positions.items[i].fresh = false;
    if (taken & ELFS_DUE(ELFS_WORK_CONNECT)) want(m, ELFS_WORK_CUT, now + ELFS_INIT_MS);
    return taken;
}

int64_t elfs_machine_next(const struct elfs_machine *m) {
    int64_t next = ELFS_NEVER;
    for (int i = 0; i < ELFS_WORK_COUNT; i++) {
        if (m->due[i] < next && !m->busy[i]) next = m->due[i];
    }
    if (!m->stuck && stuck_at(m) < next) next = stuck_at(m);
    if (m->evidence.claim_valid && !m->told && m->info_at + ELFS_INFO_FRESH_MS < next)
        next = m->info_at + ELFS_INFO_FRESH_MS;
    return next;
}

void elfs_machine_refresh(struct elfs_machine *m, int64_t now) {
    m->busy[ELFS_WORK_PROBE] = false;
    want(m, ELFS_WORK_READ, now);
    want(m, ELFS_WORK_ROW, now);
    want(m, ELFS_WORK_PROBE, now);
}

bool elfs_machine_idle(const struct elfs_machine *m, int64_t now) {
    bool looking = (m->busy[ELFS_WORK_READ] || m->busy[ELFS_WORK_ROW]) && !m->stuck;
    return !looking && !m->busy[ELFS_WORK_PROBE] && elfs_machine_next(m) > now;
}

/* The run of readings that may prove primary. It spans the time from the first one's end to the beginning of this
 * one: what lies between a reading's own beginning and end is not known. */
static void count_zeros(struct elfs_machine *m, const struct elfs_reading *r, int64_t begun,
                        int64_t now) {
    bool zero = r->mount == ELFS_MOUNT_LIVE && r->primary_file == ELFS_PRIMARY_FILE_ABSENT &&
                r->lag_known && r->lag_ms == 0;
    if (m->config.poll_ms == 0 || !zero || m->state.stream.says == ELFS_ROLE_REPLICA) {
        m->zero_since = -1;
    } else if (m->zero_since < 0) {
        m->zero_since = now;
    }
    m->evidence.files_prove_primary = m->zero_since >= 0 && begun - m->zero_since >= ELFS_PROOF_MS;
    if (m->zero_since >= 0 && !m->evidence.files_prove_primary)
        want(m, ELFS_WORK_READ, m->zero_since + ELFS_PROOF_MS);
}

/* An event that came after the reading was begun is the newer one. */
static void take_positions(struct elfs_machine *m, const struct elfs_reading *r) {
    struct elfs_positions old = m->state.positions;
    m->state.positions = r->positions;
    for (size_t i = 0; i < old.count && r->mount == ELFS_MOUNT_LIVE; i++) {
        const struct elfs_db_position *before = &old.items[i];
        struct elfs_db_position *item =
            before->fresh ? elfs_positions_add(&m->state.positions, before->database)
                          : elfs_positions_find(&m->state.positions, before->database);
        if (!item) continue;
        item->event_txid = before->event_txid;
        if (!before->fresh) continue;
        item->txid = before->txid;
        item->checksum = before->checksum;
    }
}

void elfs_machine_reading(struct elfs_machine *m, const struct elfs_reading *r, int64_t now) {
    struct elfs_evidence *e = &m->evidence;
    int64_t begun = m->busy[ELFS_WORK_READ] ? m->begun[ELFS_WORK_READ] : now;
    m->busy[ELFS_WORK_READ] = false;
    m->reading_order = m->before[ELFS_WORK_READ];
    m->dispute_read |= m->dispute != 0 && m->reading_order >= m->dispute;
    m->order++;
    if (!has_databases(e->mount) && has_databases(r->mount)) want(m, ELFS_WORK_ROW, now);
    e->mount = r->mount;
    e->was_mounted |= r->mount == ELFS_MOUNT_LIVE || r->mount == ELFS_MOUNT_DEAD;
    e->primary_file = r->primary_file;
    memcpy(e->file_hostname, r->hostname, sizeof e->file_hostname);
    m->state.mount = r->mount;
    m->state.device = r->device;
    m->state.lag_known = r->lag_known;
    m->state.lag_ms = r->lag_ms;
    take_positions(m, r);
    m->state.file.at_ms = now;
    count_zeros(m, r, begun, now);
    if (m->config.poll_ms > 0) want(m, ELFS_WORK_READ, now + m->config.poll_ms);
    settle(m, now);
}

static void widen_row_gap(struct elfs_machine *m, int64_t now) {
    if (now < m->row_sought_until) return;
    m->row_gap_ms *= 2;
    if (m->row_gap_ms < ELFS_ROW_GAP_MS) m->row_gap_ms = ELFS_ROW_GAP_MS;
    if (m->row_gap_ms > ELFS_ROW_GAP_MAX_MS) m->row_gap_ms = ELFS_ROW_GAP_MAX_MS;
}

void elfs_machine_row_failed(struct elfs_machine *m, int64_t now) {
    m->busy[ELFS_WORK_ROW] = false;
    widen_row_gap(m, now);
    want(m, ELFS_WORK_ROW, now + m->row_gap_ms);
    settle(m, now);
}

void elfs_machine_row(struct elfs_machine *m, const char *node, int64_t now) {
    size_t len = node ? strlen(node) : 0;
    if (len >= sizeof m->state.row_node) len = 0;
    m->busy[ELFS_WORK_ROW] = false;
    bool same =
        strlen(m->state.row_node) == len && (len == 0 || memcmp(m->state.row_node, node, len) == 0);
    if (same) {
        widen_row_gap(m, now);
    } else {
        m->row_sought_until = now;
        m->row_gap_ms = ELFS_ROW_GAP_MS;
    }
    memset(m->state.row_node, 0, sizeof m->state.row_node);
    if (len > 0) memcpy(m->state.row_node, node, len);
    m->state.row_at_ms = now;
    if (m->config.poll_ms > 0) want(m, ELFS_WORK_ROW, now + m->config.poll_ms);
    settle(m, now);
}

/* Takes LiteFS's word. */
static void set_claim(struct elfs_machine *m, const struct elfs_claim *claim, uint64_t order,
                      int64_t now) {
    m->claim_order = order;
    m->has_claim = true;
    m->state.stream.at_ms = now;
    m->evidence.claim = *claim;
    if (claim->is_primary) {
        m->evidence.claim.hostname[0] = '\0';
    } else {
        m->zero_since = -1;
        m->evidence.files_prove_primary = false;
    }
}

void elfs_machine_claim(struct elfs_machine *m, const struct elfs_claim *claim, int64_t now) {
    if (!m->told) {
        m->told = true;
        m->told_at = now;
        m->due[ELFS_WORK_CUT] = ELFS_NEVER;
    }
    m->info_at = -1;
    set_claim(m, claim, ++m->order, now);
    want_soon(m, ELFS_WORK_READ, ELFS_EVENT_GAP_MS, now);
    want(m, ELFS_WORK_PROBE, now + ELFS_PROBE_MS);
    if (claim->is_primary && m->evidence.own_hostname[0] == '\0' && !m->busy[ELFS_WORK_PROBE])
        want_soon(m, ELFS_WORK_PROBE, ELFS_EVENT_GAP_MS, now);
    settle(m, now);
}

const struct elfs_db_position *elfs_machine_tx(struct elfs_machine *m,
                                               const struct elfs_event *event, int64_t now) {
    struct elfs_db_position *item = elfs_positions_add(&m->state.positions, event->database);
    if (strcmp(event->database, m->config.database) == 0)
        want_soon(m, ELFS_WORK_ROW, m->row_gap_ms, now);
    if (!item) return NULL;
    /* Behind what a reading has seen: the reading was faster than the stream. Behind the last
     * event: the database went back, as it does after a failover. */
    if (event->txid >= item->txid || event->txid < item->event_txid) {
        item->txid = event->txid;
        item->checksum = event->checksum;
    }
    item->event_txid = event->txid;
    item->fresh = true;
    return item;
}

void elfs_machine_bad_line(struct elfs_machine *m, int64_t now) {
    want_soon(m, ELFS_WORK_READ, ELFS_DISPUTE_MS, now);
    want_soon(m, ELFS_WORK_PROBE, ELFS_DISPUTE_MS, now);
}

void elfs_machine_stream_lost(struct elfs_machine *m, uint32_t random, int64_t now) {
    if (m->told && now - m->told_at >= ELFS_LIVED_MS) elfs_backoff_reset(&m->backoff);
    m->told = false;
    m->probe_failures = 0;
    m->due[ELFS_WORK_CUT] = ELFS_NEVER;
    for (size_t i = 0; i < m->state.positions.count; i++)
        m->state.positions.items[i].event_txid = 0;
    want(m, ELFS_WORK_CONNECT, now + elfs_backoff_next(&m->backoff, random));
    want(m, ELFS_WORK_READ, now);
    want(m, ELFS_WORK_PROBE, now);
    settle(m, now);
}

static void probed(struct elfs_machine *m) {
    m->busy[ELFS_WORK_PROBE] = false;
    m->order++;
    m->dispute_probed |= m->dispute != 0 && m->before[ELFS_WORK_PROBE] >= m->dispute;
}

void elfs_machine_info(struct elfs_machine *m, const struct elfs_claim *claim, int64_t now) {
    struct elfs_evidence *e = &m->evidence;
    bool overtaken = m->claim_order > m->before[ELFS_WORK_PROBE];
    bool disagrees = overtaken && claim->is_primary != e->claim.is_primary;
    m->probe_failures = 0;
    probed(m);
    /* the primary that a primary names is itself */
    if (claim->is_primary && claim->hostname[0] != '\0')
        memcpy(e->own_hostname, claim->hostname, sizeof e->own_hostname);
    if (!overtaken) set_claim(m, claim, m->before[ELFS_WORK_PROBE], now);
    if (disagrees) {
        want_soon(m, ELFS_WORK_PROBE, ELFS_EVENT_GAP_MS, now);
    } else {
        m->info_at = now;
        want(m, ELFS_WORK_PROBE, now + (m->told ? ELFS_PROBE_MS : ELFS_PROBE_ONLY_MS));
    }
    settle(m, now);
}

void elfs_machine_info_failed(struct elfs_machine *m, bool answered, int64_t now) {
    probed(m);
    if (!m->told) {
        m->has_claim = false; /* tried again when the stream is */
    } else if (answered) {
        m->probe_failures = 0;
        want(m, ELFS_WORK_PROBE, now + ELFS_PROBE_MS);
    } else if (++m->probe_failures >= ELFS_PROBE_FAILURES) {
        want(m, ELFS_WORK_CUT, now);
    } else {
        want(m, ELFS_WORK_PROBE, now + ELFS_PROBE_ONLY_MS);
        want(m, ELFS_WORK_READ, now); /* which hangs too, if LiteFS does */
    }
    settle(m, now);
}
