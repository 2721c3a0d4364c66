/* stmt_cache - see stmt_cache.h. */
#include "store/stmt_cache.h"

#include <limits.h>

#include "base/alloc.h"
#include "store/sql_text.h"

/* Longer texts are not kept: bulk inserts whose text depends on the number of rows. */
#define CACHED_SQL_MAX 65536

enum elfs_code elfs_stmt_cache_init(struct elfs_stmt_cache *cache, sqlite3 *db,
                                    struct elfs_guard *guard, size_t capacity) {
    size_t buckets = 1;
    while (buckets < 2 * capacity) buckets *= 2;
    *cache = (struct elfs_stmt_cache){
        .db = db, .guard = guard, .mask = buckets - 1, .capacity = capacity};
    elfs_list_init(&cache->used);
    cache->buckets = elfs_calloc(buckets, sizeof(struct elfs_stmt *));
    return cache->buckets ? ELFS_OK : ELFS_NOMEM;
}

/* FNV-1a. Whoever makes texts collide only makes a chain of `capacity` compares. */
static uint64_t hash_of(struct elfs_view sql) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sql.len; i++) hash = (hash ^ sql.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct elfs_stmt **bucket_of(struct elfs_stmt_cache *cache, uint64_t hash) {
    return &cache->buckets[(hash ^ hash >> 32) & cache->mask];
}

static void stmt_free(struct elfs_stmt *stmt) {
    sqlite3_finalize(stmt->handle);
    elfs_free(stmt);
}

static void evict(struct elfs_stmt_cache *cache, struct elfs_stmt *stmt) {
    struct elfs_stmt **at = bucket_of(cache, stmt->hash);
    while (*at != stmt) at = &(*at)->next;
    *at = stmt->next;
    elfs_list_remove(&stmt->use);
    cache->count--;
    stmt_free(stmt);
}

static struct elfs_stmt *oldest(struct elfs_stmt_cache *cache) {
    return ELFS_CONTAINER_OF(cache->used.next, struct elfs_stmt, use);
}

void elfs_stmt_cache_fini(struct elfs_stmt_cache *cache) {
    while (!elfs_list_empty(&cache->used)) evict(cache, oldest(cache));
    elfs_free(cache->buckets);
    cache->buckets = NULL;
}

static struct elfs_stmt *find(struct elfs_stmt_cache *cache, uint64_t hash, struct elfs_view sql) {
    struct elfs_stmt *stmt = *bucket_of(cache, hash);
    for (; stmt; stmt = stmt->next) {
        if (stmt->hash == hash && elfs_view_equal((struct elfs_view){stmt->sql, stmt->len}, sql)) {
            return stmt;
        }
    }
    return NULL;
}

static enum elfs_code prepare(struct elfs_stmt_cache *cache, struct elfs_view sql,
                              sqlite3_stmt **handle, struct elfs_error *err) {
    const char *text = sql.len ? (const char *)sql.data : "";
    const char *tail = NULL;
    enum elfs_code code = elfs_guard_check_text(sql, err);
    if (code != ELFS_OK) return code;
    if (sql.len > INT_MAX) return elfs_fail(err, ELFS_LIMIT, "the SQL is longer than 2 GiB");
    elfs_guard_reset(cache->guard);
    unsigned flags = sql.len <= CACHED_SQL_MAX ? SQLITE_PREPARE_PERSISTENT : 0;
    if (sqlite3_prepare_v3(cache->db, text, (int)sql.len, flags, handle, &tail) != SQLITE_OK) {
        return elfs_guard_fail(cache->guard, cache->db, err);
    }
    if (!*handle) return elfs_fail(err, ELFS_EMPTY_STATEMENT, "the SQL holds no statement");
    size_t used = (size_t)(tail - text);
    if (!elfs_sql_is_blank((struct elfs_view){sql.data + used, sql.len - used})) {
        sqlite3_finalize(*handle);
        return elfs_fail(err, ELFS_MULTIPLE_STATEMENTS,
                         "the SQL holds more than one statement: use transaction");
    }
    return ELFS_OK;
}

static void insert(struct elfs_stmt_cache *cache, struct elfs_stmt *stmt) {
    if (cache->count == cache->capacity) evict(cache, oldest(cache));
    struct elfs_stmt **at = bucket_of(cache, stmt->hash);
    stmt->next = *at;
    *at = stmt;
    cache->count++;
    elfs_list_push_back(&cache->used, &stmt->use);
}

enum elfs_code elfs_stmt_cache_get(struct elfs_stmt_cache *cache, struct elfs_view sql,
                                   struct elfs_stmt **stmt, struct elfs_error *err) {
    bool cached = sql.len <= CACHED_SQL_MAX;
    uint64_t hash = cached ? hash_of(sql) : 0;
    struct elfs_stmt *found = cached ? find(cache, hash, sql) : NULL;
    *stmt = found;
    if (found) {
        elfs_list_remove(&found->use);
        elfs_list_push_back(&cache->used, &found->use);
        return ELFS_OK;
    }
    sqlite3_stmt *handle = NULL;
    enum elfs_code code = prepare(cache, sql, &handle, err);
    if (code != ELFS_OK) return code;
    size_t kept = cached ? sql.len : 0;
    struct elfs_stmt *made = elfs_malloc(sizeof *made + kept);
    if (!made) {
        sqlite3_finalize(handle);
        return elfs_fail(err, ELFS_NOMEM, "out of memory");
    }
    *made = (struct elfs_stmt){
        .handle = handle,
        .savepoint = cache->guard->savepoint,
        .inserts = cache->guard->inserts,
        .hash = hash,
        .len = kept,
    };
    memcpy(made->sql, sql.data, kept);
    elfs_list_init(&made->use);
    if (cached) insert(cache, made);
    *stmt = made;
    return ELFS_OK;
}

void elfs_stmt_put(struct elfs_stmt *stmt) {
    if (elfs_list_empty(&stmt->use)) {
        stmt_free(stmt);
        return;
    }
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle);
}
