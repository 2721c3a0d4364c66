/* txn - see txn.h. */
#include "node/txn.h"

#include <sys/random.h>

#include "base/alloc.h"
#include "codec/dist.h"
#include "codec/ref.h"
#include "node/conn.h"

/* The first word of a reference has 18 bits: a BEAM takes a larger one for a corrupt term. */
#define FIRST_WORD_MASK 0x3FFFF

static void make_token(struct elfs_node *node, uint32_t words[3]) {
    words[0] = node->next_token++ & FIRST_WORD_MASK;
    /* Random, so that a token cannot be guessed from another; ownership is checked all the same. */
    if (getentropy(&words[1], 2 * sizeof *words) != 0) {
        words[1] = (uint32_t)node->now_ms;
        words[2] = node->next_token;
    }
}

struct elfs_txn *elfs_txn_new(struct elfs_request *req, int64_t idle_ms, int64_t total_ms) {
    struct elfs_node *node = req->conn->node;
    struct elfs_view owner = req->call.caller;
    struct elfs_txn *txn = elfs_calloc(1, sizeof *txn);
    struct elfs_view key = req->job.key;
    uint8_t *terms = elfs_malloc(owner.len + req->pid.len + key.len);
    if (!txn || !terms) {
        elfs_free(txn);
        elfs_free(terms);
        return NULL;
    }
    memcpy(terms, owner.data, owner.len);
    memcpy(terms + owner.len, req->pid.data, req->pid.len);
    if (key.len > 0) memcpy(terms + owner.len + req->pid.len, key.data, key.len);
    elfs_tx_init(&txn->tx, idle_ms, total_ms);
    txn->node = node;
    txn->db = req->db;
    txn->store = req->db->store;
    txn->conn = req->conn;
    txn->terms = terms;
    txn->owner = (struct elfs_view){terms, owner.len};
    txn->pid = (struct elfs_view){terms + owner.len, req->pid.len};
    txn->key = (struct elfs_view){terms + owner.len + req->pid.len, key.len};
    txn->monitored = req->call.style == ELFS_CALL_ERPC;
    make_token(node, txn->words);
    elfs_list_push_back(&node->txns, &txn->link);
    return txn;
}

void elfs_txn_discard(struct elfs_txn *txn) {
    elfs_list_remove(&txn->link);
    elfs_free(txn->terms);
    elfs_free(txn);
}

static void abort_tx(struct elfs_txn *txn) {
    if (txn->store) elfs_store_abort_tx(txn->store, &txn->tx);
}

static struct elfs_view token_term(struct elfs_txn *txn) {
    struct elfs_buf *scratch = &txn->node->scratch;
    elfs_buf_truncate(scratch, 0);
    elfs_txn_put_token(scratch, txn);
    return (struct elfs_view){scratch->data, scratch->len};
}

void elfs_txn_opened(struct elfs_txn *txn, bool wanted) {
    struct elfs_conn *conn = txn->conn;
    txn->open = true;
    txn->db->transactions++;
    bool primary = elfs_database_is_primary(txn->db); /* or elfs_txns_abort_of is to come */
    if (!conn || !wanted || !primary || txn->node->stopping) {
        txn->monitored = false;
        abort_tx(txn);
    } else if (txn->monitored) {
        elfs_conn_wrote(
            conn, elfs_dist_monitor(elfs_conn_out(conn), txn->pid, txn->owner, token_term(txn)));
    }
}

static struct elfs_txn *find_words(struct elfs_node *node, const uint32_t words[3]) {
    for (struct elfs_list *l = node->txns.next; l != &node->txns; l = l->next) {
        struct elfs_txn *txn = ELFS_CONTAINER_OF(l, struct elfs_txn, link);
        if (memcmp(txn->words, words, sizeof txn->words) == 0) return txn;
    }
    return NULL;
}

static void explain_missing(const struct elfs_node *node, const uint32_t words[3],
                            struct elfs_error *err) {
    for (size_t i = 0; i < ELFS_ENDED_MAX; i++) {
        const struct elfs_ended_tx *ended = &node->ended[i];
        if (ended->end != ELFS_TX_OPEN && memcmp(ended->words, words, sizeof ended->words) == 0) {
            elfs_fail(err, ELFS_NO_TRANSACTION, "the transaction has ended: %s",
                      elfs_tx_end_text(ended->end));
            return;
        }
    }
    elfs_fail(err, ELFS_NO_TRANSACTION, "no transaction has this token (any more)");
}

struct elfs_txn *elfs_txn_find(struct elfs_conn *conn, struct elfs_view caller,
                               struct elfs_view token, const struct elfs_database *db,
                               struct elfs_error *err) {
    struct elfs_node *node = conn->node;
    uint32_t words[3];
    if (!elfs_ref_is_ours(token, &node->identity, words)) {
        elfs_fail(err, ELFS_NO_TRANSACTION, "this reference is no token of this node");
        return NULL;
    }
    struct elfs_txn *txn = find_words(node, words);
    if (!txn || !txn->open) {
        explain_missing(node, words, err);
    } else if (txn->db != db) {
        elfs_fail(err, ELFS_NO_TRANSACTION, "the transaction belongs to the repo %.*s",
                  ELFS_VIEW_ARGS(txn->db->name));
    } else if (txn->conn != conn || !elfs_view_equal(txn->owner, caller)) {
        elfs_fail(err, ELFS_NO_TRANSACTION,
                  "the transaction belongs to another process: only the one that called 'begin' "
                  "may use it");
    } else {
        return txn;
    }
    return NULL;
}

void elfs_txn_put_token(struct elfs_buf *buf, const struct elfs_txn *txn) {
    elfs_put_ref(buf, &txn->node->identity, txn->words);
}

void elfs_txn_ended(struct elfs_node *node, struct elfs_tx *tx) {
    struct elfs_txn *txn = ELFS_CONTAINER_OF(tx, struct elfs_txn, tx);
    struct elfs_ended_tx *slot = &node->ended[node->ended_next++ % ELFS_ENDED_MAX];
    memcpy(slot->words, txn->words, sizeof slot->words);
    slot->end = tx->end;
    elfs_log(ELFS_LOG_DEBUG, "transaction_ended", "repo=v reason=s", txn->db->name,
             elfs_tx_end_text(tx->end));
    txn->db->transactions--;
    if (txn->conn && txn->monitored)
        elfs_conn_wrote(txn->conn, elfs_dist_demonitor(elfs_conn_out(txn->conn), txn->pid,
                                                       txn->owner, token_term(txn)));
    elfs_txn_discard(txn);
}

void elfs_txns_owner_down(struct elfs_conn *conn, struct elfs_view ref) {
    uint32_t words[3];
    if (!elfs_ref_is_ours(ref, &conn->node->identity, words)) return;
    struct elfs_txn *txn = find_words(conn->node, words);
    if (!txn || txn->conn != conn) return;
    txn->monitored = false; /* it has fired */
    abort_tx(txn);
}

void elfs_txns_conn_gone(struct elfs_conn *conn) {
    struct elfs_list *txns = &conn->node->txns;
    for (struct elfs_list *l = txns->next; l != txns; l = l->next) {
        struct elfs_txn *txn = ELFS_CONTAINER_OF(l, struct elfs_txn, link);
        if (txn->conn != conn) continue;
        txn->conn = NULL;
        if (txn->open) abort_tx(txn);
    }
}

void elfs_txns_abort_of(const struct elfs_database *db) {
    struct elfs_list *txns = &db->node->txns;
    for (struct elfs_list *l = txns->next; l != txns; l = l->next) {
        struct elfs_txn *txn = ELFS_CONTAINER_OF(l, struct elfs_txn, link);
        if (txn->db == db && txn->open) abort_tx(txn);
    }
}

void elfs_txns_store_gone(const struct elfs_database *db) {
    struct elfs_list *txns = &db->node->txns;
    for (struct elfs_list *l = txns->next; l != txns; l = l->next) {
        struct elfs_txn *txn = ELFS_CONTAINER_OF(l, struct elfs_txn, link);
        if (txn->db == db && txn->store == db->store) txn->store = NULL;
    }
}

void elfs_txns_abort_all(struct elfs_node *node) {
    for (struct elfs_list *l = node->txns.next; l != &node->txns; l = l->next) {
        struct elfs_txn *txn = ELFS_CONTAINER_OF(l, struct elfs_txn, link);
        if (txn->open) abort_tx(txn);
    }
}
