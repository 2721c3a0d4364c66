/* database - see database.h. */
#include "node/database.h"

#include "base/alloc.h"
#include "base/log.h"
#include "node/acks.h"
#include "node/listeners.h"
#include "node/node.h"
#include "node/tables.h"
#include "node/tracker.h"
#include "node/txn.h"

#define RETRY_MS 1000

enum access { CLOSED, READING, WRITING };

static bool mounted(const struct elfs_node *node) {
    return node->litefs.state.mount == ELFS_MOUNT_LIVE;
}

/* What LiteFS lets us do with it now. Where there was no folder none of its files can be opened, until it comes: and then
 * it is LiteFS's mount, or will be under it, and nobody has looked at it yet. */
static enum access wanted(const struct elfs_database *db) {
    const struct elfs_detect_state *state = &db->node->litefs.state;
    if (!db->managed) return WRITING;
    if (state->mount != ELFS_MOUNT_LIVE) return CLOSED;
    return state->role == ELFS_ROLE_PRIMARY ? WRITING : READING;
}

/* A host without a folder is primary of what is its own, and this is not: its LiteFS has not made the folder yet. */
bool elfs_database_is_primary(const struct elfs_database *db) {
    return !db->managed ||
           (mounted(db->node) && elfs_litefs_role(&db->node->litefs) == ELFS_ROLE_PRIMARY);
}

struct elfs_view elfs_database_primary(const struct elfs_database *db) {
    const struct elfs_detect_state *state = &db->node->litefs.state;
    if (elfs_database_is_primary(db)) return db->node->identity.node;
    if (state->role != ELFS_ROLE_REPLICA) return ELFS_VIEW_NONE;
    /* The row is the last primary's word; when that was us, the new one has not written yet. */
    struct elfs_view node = elfs_view_str(state->node);
    return elfs_view_equal(node, db->node->identity.node) ? ELFS_VIEW_NONE : node;
}

struct elfs_position elfs_database_position(struct elfs_database *db) {
    if (!db->managed) return (struct elfs_position){.known = false};
    struct elfs_position told = elfs_litefs_position(&db->node->litefs, db->path);
    bool ours_is_newer = db->committed.known && elfs_database_is_primary(db) &&
                         (!told.known || db->committed.txid > told.txid);
    return ours_is_newer ? db->committed : told;
}

static enum elfs_code open_store(struct elfs_database *db, bool writable, struct elfs_error *err) {
    struct elfs_store_config config = db->node->options->store;
    config.path = db->path;
    config.read_only = !writable;
    if (db->managed) config.fence = &db->fence.fence;
    enum elfs_code code = elfs_store_start(&config, &db->node->mailbox, &db->store, err);
    db->writable = code == ELFS_OK && writable;
    return code;
}

static void close_store(struct elfs_database *db) {
    if (!db->store) return;
    elfs_txns_abort_of(db);
    elfs_txns_store_gone(db);
    elfs_closer_stop(&db->node->closer, db->store);
    db->store = NULL;
    db->writable = false;
}

/* Its LiteFS has died, and with it all that is open there. */
static void lose_store(struct elfs_database *db) {
    if (!db->store) return;
    db->lost = true;
    elfs_store_hurry(db->store, 0);
    close_store(db);
}

/* SQLite knows a file that is open twice in one process by its device and number, and keeps one table of locks for
 * it. The next mount's file has the same ones: a store opened beside one of the dead mount would ask that
 * for its locks, and never get any. The same goes for the detector, which opens the file for a moment. */
static bool must_wait(struct elfs_database *db) {
    db->lost = db->lost &&
               (elfs_closer_busy(&db->node->closer) || elfs_litefs_reads_row(&db->node->litefs));
    if (db->lost) db->retry_ms = db->node->now_ms;
    return db->lost;
}

/* Opens it the way it is wanted; a writer that is not wanted any more stays, behind its fence. */
static void open_as(struct elfs_database *db, bool writable) {
    struct elfs_error err;
    if (db->store && (db->writable || !writable)) return;
    if (must_wait(db)) return;
    close_store(db);
    if (open_store(db, writable, &err) == ELFS_OK) {
        elfs_log(ELFS_LOG_INFO, "opened", "repo=v path=s writable=d", db->name, db->path, writable);
        db->problem[0] = '\0';
        return;
    }
    db->retry_ms = db->node->now_ms + RETRY_MS;
    if (strcmp(db->problem, err.message) == 0) return;
    snprintf(db->problem, sizeof db->problem, "%s", err.message);
    elfs_log(ELFS_LOG_WARNING, "not_opened", "repo=v message=s", db->name, err.message);
}

static void follow(struct elfs_database *db) {
    enum access access = wanted(db);
    db->retry_ms = 0;
    if (access != WRITING) {
        elfs_txns_abort_of(db);
        db->committed.known = false;
        elfs_acks_forget(db);
    }
    /* LiteFS may have gone and come back between two looks at it. (It has just answered: this does not hang.) */
    if (db->store && db->managed && access != CLOSED && elfs_store_is_lost(db->store)) {
        lose_store(db);
        elfs_acks_forget(db); /* another host may have been the primary meanwhile */
        db->row_due = access == WRITING;
    }
    if (access == CLOSED) {
        lose_store(db);
    } else {
        open_as(db, access == WRITING);
    }
    if (db->row_due && db->writable) {
        elfs_listeners_tell(db);
        elfs_tracker_write(db);
    }
}

void elfs_databases_follow(struct elfs_node *node) {
    const struct elfs_detect_state *state = &node->litefs.state;
    bool primary = state->role == ELFS_ROLE_PRIMARY && mounted(node);
    /* It may have lost the role and have it again, before we looked: another host may have been the primary. */
    bool turned = node->turns != state->turns;
    bool became = primary && (!node->was_primary || turned);
    node->was_primary = primary;
    node->turns = state->turns;
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (!db->managed) continue;
        db->row_due = primary && (db->row_due || became);
        if (turned) elfs_tables_forget(db);
        if (became) {
            elfs_txns_abort_of(db);
            elfs_acks_forget(db);
        }
        follow(db);
    }
}

/* The position counts with the role that was known together with it. */
void elfs_databases_moved(struct elfs_node *node) {
    const struct elfs_detect_state *state = &node->litefs.state;
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (!db->managed) continue;
        struct elfs_position position = elfs_litefs_position(&node->litefs, db->path);
        if (state->role == ELFS_ROLE_PRIMARY && state->turns == node->turns)
            elfs_acks_committed(db, position);
    }
}

enum elfs_code elfs_database_unavailable(const struct elfs_database *db, struct elfs_error *err) {
    if (db->problem[0]) return elfs_fail(err, ELFS_UNAVAILABLE, "%s", db->problem);
    return elfs_fail(err, ELFS_UNAVAILABLE,
                     "LiteFS is not mounted on this host, or not running (%s)",
                     elfs_mount_name(db->node->litefs.state.mount));
}

/* Closed between the turn's calls and its end. */
static void fail_pending(struct elfs_database *db) {
    for (struct elfs_list *l; (l = elfs_list_pop_front(&db->pending));) {
        struct elfs_job *job = ELFS_CONTAINER_OF(l, struct elfs_job, link);
        job->outcome = ELFS_JOB_FAILED;
        elfs_database_unavailable(db, &job->error);
        job->finished(job, db->node);
    }
}

void elfs_databases_submit(struct elfs_node *node) {
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (!db->store) {
            fail_pending(db);
        } else if (!elfs_list_empty(&db->pending)) {
            elfs_store_submit(db->store, &db->pending);
        }
    }
}

void elfs_databases_tick(struct elfs_node *node) {
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (db->retry_ms != 0 && node->now_ms >= db->retry_ms) follow(db);
    }
}

static enum elfs_code init_one(struct elfs_node *node, struct elfs_database *db,
                               const struct elfs_repo_option *repo, struct elfs_error *err) {
    db->node = node;
    db->name = elfs_view_str(repo->name);
    db->path = repo->path;
    db->managed = elfs_litefs_holds(&node->options->litefs, repo->path);
    elfs_list_init(&db->pending);
    elfs_list_init(&db->awaiting);
    elfs_list_init(&db->tables);
    if (db->managed) {
        if (elfs_litefs_fence_init(&db->fence, &node->litefs, db->path) == ELFS_OK) return ELFS_OK;
        return elfs_fail(err, ELFS_NOMEM, "out of memory");
    }
    return open_store(db, true, err);
}

enum elfs_code elfs_databases_init(struct elfs_node *node, struct elfs_error *err) {
    const struct elfs_options *o = node->options;
    node->databases = elfs_calloc(o->repo_count, sizeof *node->databases);
    if (!node->databases) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    enum elfs_code code = ELFS_OK;
    for (size_t i = 0; i < o->repo_count && code == ELFS_OK; i++) {
        code = elfs_options_check_file(o, i, err);
        if (code != ELFS_OK) break;
        node->database_count++;
        code = init_one(node, &node->databases[i], &o->repos[i], err);
    }
    return code;
}

void elfs_databases_hurry(struct elfs_node *node) {
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (db->store) elfs_store_hurry(db->store, node->options->store.busy_timeout_ms);
    }
}

void elfs_databases_fini(struct elfs_node *node) {
    for (size_t i = 0; i < node->database_count; i++) {
        struct elfs_database *db = &node->databases[i];
        if (db->store) elfs_store_stop(db->store);
    }
    elfs_closer_fini(&node->closer);
    for (size_t i = 0; i < node->database_count; i++) {
        elfs_litefs_fence_fini(&node->databases[i].fence);
        elfs_tables_fini(&node->databases[i]);
        elfs_history_clear(&node->databases[i].history);
    }
    elfs_free(node->databases);
}
