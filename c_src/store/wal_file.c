/* wal_file - see wal_file.h. */
#include "store/wal_file.h"

#include <stdbool.h>
#include <string.h>

#define HELD_MOST 65536 /* the kernel gives FUSE no write of more than twice that */

struct wal_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    bool holding;
    char *held; /* what follows `at` and is not written yet */
    sqlite3_int64 at;
    int length;
};

static struct wal_file *self_of(sqlite3_file *file) { return (struct wal_file *)file; }

/* What cannot be written fails the COMMIT, and with it is of no use. */
static int flush(struct wal_file *self) {
    int length = self->length;
    self->length = 0;
    if (length == 0) return SQLITE_OK;
    return self->real->pMethods->xWrite(self->real, self->held, length, self->at);
}

static void hold(struct wal_file *self, const void *from, int n, sqlite3_int64 at) {
    if (self->length == 0) self->at = at;
    memcpy(self->held + self->length, from, (size_t)n);
    self->length += n;
}

static int on_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at) {
    struct wal_file *self = self_of(file);
    bool follows = at == self->at + self->length && n <= HELD_MOST - self->length;
    int rc = follows ? SQLITE_OK : flush(self);
    if (rc != SQLITE_OK) return rc;
    if (!self->holding || n > HELD_MOST)
        return self->real->pMethods->xWrite(self->real, from, n, at);
    hold(self, from, n, at);
    return SQLITE_OK;
}

static int on_close(sqlite3_file *file) {
    struct wal_file *self = self_of(file);
    sqlite3_free(self->held);
    return self->real->pMethods->xClose(self->real);
}

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at) {
    struct wal_file *self = self_of(file);
    int rc = flush(self);
    return rc == SQLITE_OK ? self->real->pMethods->xRead(self->real, to, n, at) : rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct wal_file *self = self_of(file);
    int rc = flush(self);
    return rc == SQLITE_OK ? self->real->pMethods->xTruncate(self->real, size) : rc;
}

static int on_sync(sqlite3_file *file, int flags) {
    struct wal_file *self = self_of(file);
    int rc = flush(self);
    return rc == SQLITE_OK ? self->real->pMethods->xSync(self->real, flags) : rc;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct wal_file *self = self_of(file);
    int rc = flush(self);
    return rc == SQLITE_OK ? self->real->pMethods->xFileSize(self->real, size) : rc;
}

static int on_control(sqlite3_file *file, int op, void *arg) {
    struct wal_file *self = self_of(file);
    int rc = flush(self);
    return rc == SQLITE_OK ? self->real->pMethods->xFileControl(self->real, op, arg) : rc;
}

/* A WAL file is not locked itself: SQLite asks none of these of it. */

static int on_lock(sqlite3_file *file, int level) {
    sqlite3_file *real = self_of(file)->real;
    return real->pMethods->xLock(real, level);
}

static int on_unlock(sqlite3_file *file, int level) {
    sqlite3_file *real = self_of(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static int on_check_lock(sqlite3_file *file, int *held) {
    sqlite3_file *real = self_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, held);
}

static int on_sector_size(sqlite3_file *file) {
    sqlite3_file *real = self_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int on_characteristics(sqlite3_file *file) {
    sqlite3_file *real = self_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    if (!(flags & SQLITE_OPEN_WAL)) return base->xOpen(vfs, name, file, flags, out);
    struct wal_file *self = self_of(file);
    *self =
        (struct wal_file){.real = (sqlite3_file *)(self + 1), .held = sqlite3_malloc(HELD_MOST)};
    if (!self->held) return SQLITE_NOMEM;
    int rc = base->xOpen(vfs, name, self->real, flags, out);
    file->pMethods = &methods;
    if (!self->real->pMethods) {
        file->pMethods = NULL; /* SQLite does not close such a one */
        sqlite3_free(self->held);
    }
    return rc;
}

void elfs_wal_file_install(sqlite3_vfs *vfs) {
    vfs->szOsFile += (int)sizeof(struct wal_file);
    vfs->xOpen = on_open;
}

static struct wal_file *wal_of(sqlite3 *handle) {
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK)
        return NULL;
    return file && file->pMethods == &methods ? self_of(file) : NULL;
}

void elfs_wal_hold(sqlite3 *handle) {
    struct wal_file *self = wal_of(handle);
    if (self) self->holding = true;
}

void elfs_wal_settle(sqlite3 *handle) {
    struct wal_file *self = wal_of(handle);
    if (!self) return;
    self->holding = false;
    self->length = 0; /* of a COMMIT that failed before its sync */
}
