/* read_lock - see read_lock.h. */
#include "store/read_lock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"

/* The locks' places, and those of the read marks that are written (wal.c; the first mark is always 0). */
enum { WRITE_LOCK = 0, MARK_FIRST = 4, MARK_LAST = 7, NONE = -1 };

enum {
    TAKE_SHARED = SQLITE_SHM_LOCK | SQLITE_SHM_SHARED,
    TAKE_EXCLUSIVE = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE,
    GIVE_SHARED = SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED,
};

/* The file's methods: SQLite's own, but for those below. */
struct read_lock {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *real;
    int mark;   /* the lock that the file has; NONE */
    bool lent;  /* and that SQLite knows of */
    bool wrote; /* the transaction has had the write lock */
    int64_t since_ms;
};

/* Its first member is what the file points to, as something constant, which it is to SQLite. */
static struct read_lock *self_of(const sqlite3_file *file) {
    struct read_lock *self;
    memcpy(&self, &file->pMethods, sizeof self);
    return self;
}

static bool is_mark(int at, int n) { return n == 1 && at >= MARK_FIRST && at <= MARK_LAST; }

static bool is_kept(const struct read_lock *self) { return self->mark != NONE && !self->lent; }

static int give_back(struct read_lock *self, sqlite3_file *file) {
    int mark = self->mark;
    self->mark = NONE;
    self->lent = false;
    return self->real->xShmLock(file, mark, 1, GIVE_SHARED);
}

/* A transaction ends. */
static int on_end(struct read_lock *self, sqlite3_file *file, int mark) {
    bool wrote = self->wrote;
    self->wrote = false;
    if (self->mark == NONE && wrote) {
        self->mark = mark;
        self->since_ms = elfs_clock_ms();
        return SQLITE_OK;
    }
    if (self->mark != mark) return self->real->xShmLock(file, mark, 1, GIVE_SHARED);
    self->lent = false;
    bool enough = elfs_clock_ms() - self->since_ms >= ELFS_READ_LOCK_MS;
    return wrote && !enough ? SQLITE_OK : give_back(self, file);
}

static int on_lock(sqlite3_file *file, int at, int n, int flags) {
    struct read_lock *self = self_of(file);
    if (flags == GIVE_SHARED && is_mark(at, n)) return on_end(self, file, at);
    if (flags == TAKE_SHARED && is_kept(self) && at == self->mark) {
        self->lent = true;
        return SQLITE_OK;
    }
    if (flags == TAKE_EXCLUSIVE && is_kept(self) && is_mark(at, n)) return SQLITE_BUSY;
    if ((flags & SQLITE_SHM_LOCK) && is_kept(self)) give_back(self, file);
    int rc = self->real->xShmLock(file, at, n, flags);
    if (flags == TAKE_EXCLUSIVE && at == WRITE_LOCK && rc == SQLITE_OK) self->wrote = true;
    return rc;
}

static int on_unmap(sqlite3_file *file, int delete) {
    struct read_lock *self = self_of(file);
    if (is_kept(self)) give_back(self, file);
    return self->real->xShmUnmap(file, delete);
}

static int on_close(sqlite3_file *file) {
    struct read_lock *self = self_of(file);
    file->pMethods = self->real;
    sqlite3_free(self);
    return file->pMethods->xClose(file);
}

static sqlite3_file *file_of(sqlite3 *handle) {
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK)
        return NULL;
    return file && file->pMethods ? file : NULL;
}

enum elfs_code elfs_read_lock_keep(sqlite3 *handle) {
    sqlite3_file *file = file_of(handle);
    if (!file || file->pMethods->iVersion < 2 || !file->pMethods->xShmLock) return ELFS_OK;
    struct read_lock *self = sqlite3_malloc(sizeof *self);
    if (!self) return ELFS_NOMEM;
    *self = (struct read_lock){.methods = *file->pMethods, .real = file->pMethods, .mark = NONE};
    self->methods.xShmLock = on_lock;
    self->methods.xShmUnmap = on_unmap;
    self->methods.xClose = on_close;
    file->pMethods = &self->methods;
    return ELFS_OK;
}

void elfs_read_lock_drop(sqlite3 *handle) {
    sqlite3_file *file = file_of(handle);
    if (!file || file->pMethods->xShmLock != on_lock) return;
    struct read_lock *self = self_of(file);
    if (is_kept(self)) give_back(self, file);
}
