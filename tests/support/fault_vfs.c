/* fault_vfs - see fault_vfs.h.
 *
 * A file of ours is followed in memory by the default VFS's own file; every method but xWrite and
 * xSync only passes the call on.
 */
#include "fault_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault_file {
    sqlite3_file base;
    char name[256];
    sqlite3_file real[]; /* in fact szOsFile bytes */
};

static sqlite3_vfs *real_vfs;
static char armed_suffix[32];
static atomic_int armed_op = FAULT_OPS;
static atomic_int countdown;
static atomic_bool struck;
static atomic_int armed_rc;

static sqlite3_file *real_of(sqlite3_file *file) { return ((struct fault_file *)file)->real; }

static bool ends_with(const char *text, const char *suffix) {
    size_t n = strlen(text);
    size_t m = strlen(suffix);
    return m <= n && strcmp(text + n - m, suffix) == 0;
}

/* The result code to fail with, or 0. */
static int fault(sqlite3_file *file, enum fault_op op) {
    if (atomic_load(&armed_op) != (int)op) return 0;
    if (!ends_with(((struct fault_file *)file)->name, armed_suffix)) return 0;
    if (atomic_fetch_sub(&countdown, 1) != 1) return 0;
    atomic_store(&struck, true);
    return atomic_load(&armed_rc);
}

static int on_close(sqlite3_file *file) { return real_of(file)->pMethods->xClose(real_of(file)); }

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at) {
    return real_of(file)->pMethods->xRead(real_of(file), to, n, at);
}

static char counted_suffix[32];
static atomic_int counted;

static void count(sqlite3_file *file) {
    if (counted_suffix[0] && ends_with(((struct fault_file *)file)->name, counted_suffix))
        atomic_fetch_add(&counted, 1);
}

static int on_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at) {
    int rc = fault(file, FAULT_WRITE);
    count(file);
    return rc ? rc : real_of(file)->pMethods->xWrite(real_of(file), from, n, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags) {
    int rc = fault(file, FAULT_SYNC);
    return rc ? rc : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *held) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int on_control(sqlite3_file *file, int op, void *arg) {
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector_size(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_characteristics(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **at) {
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, at);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file) {
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int delete_it) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
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
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    struct fault_file *ours = (struct fault_file *)file;
    (void)vfs;
    snprintf(ours->name, sizeof ours->name, "%s", name ? name : "");
    int rc = real_vfs->xOpen(real_vfs, name, ours->real, flags, out);
    file->pMethods = ours->real->pMethods ? &methods : NULL;
    return rc;
}

void fault_vfs_install(void) {
    static sqlite3_vfs vfs;
    if (real_vfs) return;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "elfs-fault";
    vfs.szOsFile += (int)sizeof(struct fault_file);
    vfs.xOpen = on_open;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) abort();
}

void fault_vfs_arm(enum fault_op op, const char *suffix, int n, int rc) {
    snprintf(armed_suffix, sizeof armed_suffix, "%s", suffix);
    atomic_store(&countdown, n);
    atomic_store(&struck, false);
    atomic_store(&armed_rc, rc);
    atomic_store(&armed_op, (int)op);
}

bool fault_vfs_disarm(void) {
    atomic_store(&armed_op, FAULT_OPS);
    return atomic_load(&struck);
}

void fault_vfs_count(const char *suffix) {
    snprintf(counted_suffix, sizeof counted_suffix, "%s", suffix);
    atomic_store(&counted, 0);
}

int fault_vfs_counted(void) { return atomic_load(&counted); }
