/* litefs - see litefs.h. */
#include "node/litefs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/tracker_row.h"

/* Detector's thread. */
static void on_change(void *arg, const struct elfs_detect_state *state) {
    struct elfs_litefs *litefs = arg;
    atomic_store(&litefs->turns, state->turns); /* first: elfs_litefs_turns */
    atomic_store(&litefs->role, (int)state->role);
    atomic_store(&litefs->news, true);
    litefs->wake(litefs->arg);
}

/* Detector's thread. */
static void on_position(void *arg, const struct elfs_db_position *position) {
    struct elfs_litefs *litefs = arg;
    (void)position;
    atomic_store(&litefs->moved, true);
    litefs->wake(litefs->arg);
}

/* Detector's thread. */
static enum elfs_code read_row(void *arg, char node[ELFS_NODE_SIZE]) {
    struct elfs_litefs *litefs = arg;
    int64_t updated_at;
    atomic_store(&litefs->reading, true);
    enum elfs_code code =
        elfs_tracker_row_read(litefs->tracked_path, litefs->table_name, node, &updated_at, NULL);
    atomic_store(&litefs->reading, false);
    return code;
}

bool elfs_litefs_reads_row(const struct elfs_litefs *litefs) {
    return atomic_load(&litefs->reading);
}

enum elfs_code elfs_litefs_start(struct elfs_litefs *litefs,
                                 const struct elfs_litefs_config *config, void (*wake)(void *arg),
                                 void *arg, struct elfs_error *err) {
    litefs->primary_file = config->primary_file;
    litefs->table_name = config->table_name;
    litefs->tracked_path = config->tracked_path;
    litefs->wake = wake;
    litefs->arg = arg;
    atomic_init(&litefs->role, ELFS_ROLE_UNKNOWN);
    atomic_init(&litefs->turns, 0);
    atomic_init(&litefs->news, false);
    atomic_init(&litefs->moved, false);
    atomic_init(&litefs->reading, false);
    struct elfs_detector_config detector = {
        .primary_file = config->primary_file,
        .poll_interval_ms = config->poll_interval_ms,
        .event_stream_url = config->event_stream_url,
        .database = config->tracked_path,
        .read_row = read_row,
        .row_arg = litefs,
        .events = {.arg = litefs, .change = on_change, .position = on_position},
    };
    return elfs_detector_start(&detector, &litefs->detector, err);
}

void elfs_litefs_stop(struct elfs_litefs *litefs) {
    if (litefs->detector) elfs_detector_stop(litefs->detector);
    litefs->detector = NULL;
}

static bool taken(struct elfs_litefs *litefs) {
    const struct elfs_detect_state *state = &litefs->state;
    litefs->mount = state->mount;
    litefs->device = state->device;
    elfs_log(ELFS_LOG_INFO, "role", "role=s mount=s hostname=s node=s", elfs_role_name(state->role),
             elfs_mount_name(state->mount), state->hostname, state->node);
    return true;
}

bool elfs_litefs_take(struct elfs_litefs *litefs) {
    if (!litefs->detector || !atomic_exchange(&litefs->news, false)) return false;
    elfs_detector_state(litefs->detector, &litefs->state);
    return taken(litefs);
}

bool elfs_litefs_take_mount(struct elfs_litefs *litefs) {
    if (!litefs->detector) return false;
    elfs_detector_state(litefs->detector, &litefs->state);
    bool same = litefs->state.mount == litefs->mount && litefs->state.device == litefs->device;
    return !same && taken(litefs);
}

bool elfs_litefs_moved(struct elfs_litefs *litefs) {
    return litefs->detector && atomic_exchange(&litefs->moved, false);
}

enum elfs_role elfs_litefs_role(const struct elfs_litefs *litefs) {
    return (enum elfs_role)atomic_load(&litefs->role);
}

uint64_t elfs_litefs_turns(const struct elfs_litefs *litefs) { return atomic_load(&litefs->turns); }

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* The folder of path, resolved if it is there, as written otherwise: it may be mounted later. */
static void folder_of(const char *path, char folder[PATH_MAX]) {
    char written[PATH_MAX];
    size_t len = folder_length(path);
    if (len >= PATH_MAX) len = PATH_MAX - 1;
    memcpy(written, len > 0 ? path : ".", len > 0 ? len : 1);
    written[len > 0 ? len : 1] = '\0';
    if (!realpath(written, folder)) memcpy(folder, written, sizeof written);
}

bool elfs_litefs_holds(const struct elfs_litefs_config *config, const char *path) {
    char mount[PATH_MAX];
    char folder[PATH_MAX];
    folder_of(config->primary_file, mount);
    folder_of(path, folder);
    return strcmp(mount, folder) == 0;
}

struct elfs_position elfs_litefs_position(struct elfs_litefs *litefs, const char *path) {
    struct elfs_position position = {.known = false};
    elfs_detector_state(litefs->detector, &litefs->state);
    const struct elfs_db_position *found = elfs_positions_find(
        &litefs->state.positions, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    if (found) position = (struct elfs_position){true, found->txid, found->checksum};
    return position;
}
