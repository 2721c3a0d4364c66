/* stmt_cache - a connection's prepared statements, least recently used out first.
 *
 * The key is the SQL, byte for byte. A hit costs a hash and a compare. Very long texts are prepared
 * for one use, so that the cache's memory stays bounded. One statement is in use at a time, by the
 * thread that owns the connection. Internal.
 */
#ifndef ELFS_STORE_STMT_CACHE_H
#define ELFS_STORE_STMT_CACHE_H

#include <sqlite3.h>

#include "base/error.h"
#include "base/list.h"
#include "base/view.h"
#include "store/guard.h"

struct elfs_stmt {
    sqlite3_stmt *handle;
    bool savepoint; /* as the guard saw it when the statement was prepared */
    bool inserts;
    /* the cache's own */
    struct elfs_list use; /* place in the order of use; on no list when not cached */
    struct elfs_stmt *next;
    uint64_t hash;
    size_t len;
    uint8_t sql[];
};

struct elfs_stmt_cache {
    sqlite3 *db;
    struct elfs_guard *guard;
    struct elfs_stmt **buckets;
    size_t mask;
    size_t count;
    size_t capacity;
    struct elfs_list used; /* oldest use first */
};

/* capacity is at least 1. ELFS_NOMEM. */
enum elfs_code elfs_stmt_cache_init(struct elfs_stmt_cache *cache, sqlite3 *db,
                                    struct elfs_guard *guard, size_t capacity);
void elfs_stmt_cache_fini(struct elfs_stmt_cache *cache);

/* The statement, ready to be bound. Errors: ELFS_EMPTY_STATEMENT, ELFS_MULTIPLE_STATEMENTS,
 * ELFS_UNSUPPORTED, ELFS_NOMEM, ELFS_SQLITE. */
enum elfs_code elfs_stmt_cache_get(struct elfs_stmt_cache *cache, struct elfs_view sql,
                                   struct elfs_stmt **stmt, struct elfs_error *err);

/* Gives it back: resets it, so that it holds no lock, and forgets its parameters, so that it does
 * not point into the job. */
void elfs_stmt_put(struct elfs_stmt *stmt);

#endif
