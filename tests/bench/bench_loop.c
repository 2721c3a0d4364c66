/* bench_loop - the limit that the benchmark compares with: SQLite alone, in one thread.
 *
 *   bench_loop DATABASE normal|full BATCH MILLISECONDS
 *
 * Makes the benchmark's table anew, inserts rows with one prepared INSERT ... RETURNING, BATCH of
 * them a transaction (with 1 each INSERT commits itself), until the time is over, and prints one
 * line:
 *
 *   rows=N elapsed_us=N p50_us=F p99_us=F
 *
 * The percentiles are of whole transactions, from BEGIN to the end of COMMIT.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"

static const char *const TABLE = "DROP TABLE IF EXISTS users;"
                                 "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                 "email TEXT UNIQUE, inserted_at TEXT, updated_at TEXT)";
static const char *const INSERT = "INSERT INTO users (name, email, inserted_at, updated_at) "
                                  "VALUES (?1, ?2, ?3, ?4) RETURNING id";
static const char *const NOW = "2026-01-31T12:00:00";

struct loop {
    sqlite3 *db;
    sqlite3_stmt *begin;
    sqlite3_stmt *insert;
    sqlite3_stmt *commit;
    long long rows;
    struct elfs_buf samples; /* int64_t nanoseconds, one a transaction */
};

static int64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Steps to the end and resets. */
static int run(sqlite3_stmt *stmt) {
    int rc;
    do {
        rc = sqlite3_step(stmt);
    } while (rc == SQLITE_ROW);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int insert_row(struct loop *loop) {
    char name[32];
    char email[48];
    long long n = loop->rows + 1;
    snprintf(name, sizeof name, "user %lld", n);
    snprintf(email, sizeof email, "user%lld@example.com", n);
    sqlite3_bind_text(loop->insert, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(loop->insert, 2, email, -1, SQLITE_STATIC);
    sqlite3_bind_text(loop->insert, 3, NOW, -1, SQLITE_STATIC);
    sqlite3_bind_text(loop->insert, 4, NOW, -1, SQLITE_STATIC);
    int rc = run(loop->insert);
    if (rc == SQLITE_OK) loop->rows = n;
    return rc;
}

static int insert_batch(struct loop *loop, int batch) {
    if (batch == 1) return insert_row(loop);
    int rc = run(loop->begin);
    for (int i = 0; rc == SQLITE_OK && i < batch; i++) rc = insert_row(loop);
    return rc == SQLITE_OK ? run(loop->commit) : rc;
}

static int open_database(struct loop *loop, const char *path, bool full) {
    int rc = sqlite3_open(path, &loop->db);
    if (rc != SQLITE_OK) return rc;
    rc = sqlite3_exec(loop->db,
                      full ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"
                           : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                      NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_exec(loop->db, TABLE, NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(loop->db, INSERT, -1, &loop->insert, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_prepare_v2(loop->db, "BEGIN IMMEDIATE", -1, &loop->begin, NULL);
    }
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(loop->db, "COMMIT", -1, &loop->commit, NULL);
    return rc;
}

static void close_database(struct loop *loop) {
    sqlite3_finalize(loop->begin);
    sqlite3_finalize(loop->insert);
    sqlite3_finalize(loop->commit);
    sqlite3_close(loop->db);
}

static int compare(const void *a, const void *b) {
    int64_t x;
    int64_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double percentile_us(const struct elfs_buf *samples, size_t percent) {
    size_t count = samples->len / sizeof(int64_t);
    int64_t ns;
    memcpy(&ns, samples->data + count * percent / 100 * sizeof ns, sizeof ns);
    return (double)ns / 1e3;
}

static int measure(struct loop *loop, int batch, int64_t duration_ns, int64_t *elapsed_ns) {
    int64_t started = now_ns();
    int64_t before = started;
    do {
        int rc = insert_batch(loop, batch);
        if (rc != SQLITE_OK) return rc;
        int64_t after = now_ns();
        int64_t took = after - before;
        elfs_buf_append(&loop->samples, &took, sizeof took);
        before = after;
    } while (before - started < duration_ns);
    *elapsed_ns = before - started;
    qsort(loop->samples.data, loop->samples.len / sizeof(int64_t), sizeof(int64_t), compare);
    return loop->samples.status == ELFS_OK ? SQLITE_OK : SQLITE_NOMEM;
}

int main(int argc, char **argv) {
    int batch = argc == 5 ? atoi(argv[3]) : 0;
    long milliseconds = argc == 5 ? atol(argv[4]) : 0;
    if (batch < 1 || milliseconds < 1 ||
        (strcmp(argv[2], "full") != 0 && strcmp(argv[2], "normal") != 0)) {
        fprintf(stderr, "usage: bench_loop DATABASE normal|full BATCH MILLISECONDS\n");
        return 2;
    }
    struct loop loop = {0};
    elfs_buf_init(&loop.samples, SIZE_MAX);
    int64_t elapsed_ns = 0;
    int rc = open_database(&loop, argv[1], strcmp(argv[2], "full") == 0);
    if (rc == SQLITE_OK) rc = measure(&loop, batch, (int64_t)milliseconds * 1000000, &elapsed_ns);
    if (rc == SQLITE_OK) {
        printf("rows=%lld elapsed_us=%lld p50_us=%.1f p99_us=%.1f\n", loop.rows,
               (long long)(elapsed_ns / 1000), percentile_us(&loop.samples, 50),
               percentile_us(&loop.samples, 99));
    } else {
        fprintf(stderr, "bench_loop: %s: %s\n", argv[1],
                loop.db ? sqlite3_errmsg(loop.db) : sqlite3_errstr(rc));
    }
    close_database(&loop);
    elfs_buf_fini(&loop.samples);
    return rc == SQLITE_OK ? 0 : 1;
}
