/* mount - see mount.h. */
#include "detect/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#define FUSE_TYPE 0x65735546
#define LAG_FILE ".lag"
#define POS_SUFFIX "-pos"
/* More than the longest file here has. */
#define FILE_MAX_BYTES 512
/* Entries of the folder that are looked at: it may be any folder. */
#define ENTRIES_MAX 4096

int elfs_mount_is_fuse(int dir_fd, bool *is_fuse) {
    *is_fuse = false;
#ifdef __linux__
    struct statfs fs;
    if (fstatfs(dir_fd, &fs) != 0) return errno;
    *is_fuse = fs.f_type == FUSE_TYPE;
#else
    (void)dir_fd;
#endif
    return 0;
}

struct small_file {
    uint8_t bytes[FILE_MAX_BYTES];
    size_t len;
};

/* Reads the beginning of a file; 0 or an errno. */
static int read_file(int dir_fd, const char *name, struct small_file *file) {
    file->len = 0;
    /* non-blocking: it may be a FIFO of somebody's */
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return errno;
    int error = 0;
    while (file->len < sizeof file->bytes) {
        ssize_t n = read(fd, file->bytes + file->len, sizeof file->bytes - file->len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) error = errno;
        if (n <= 0) break;
        file->len += (size_t)n;
    }
    close(fd);
    return error;
}

static struct elfs_view view_of(const struct small_file *file) {
    return (struct elfs_view){file->bytes, file->len};
}

static bool is_dead(int error) { return error == ENOTCONN || error == ECONNABORTED; }

/* What an error at the folder itself says. */
static enum elfs_mount mount_of_error(int error) {
    if (error == ENOENT || error == ENOTDIR) return ELFS_MOUNT_ABSENT;
    return is_dead(error) ? ELFS_MOUNT_DEAD : ELFS_MOUNT_UNKNOWN;
}

static enum elfs_mount read_lag(int dir_fd, elfs_is_fuse_fn *is_fuse,
                                struct elfs_reading *reading) {
    struct small_file file;
    bool fuse;
    int error = is_fuse(dir_fd, &fuse);
    if (error) return mount_of_error(error);
    error = read_file(dir_fd, LAG_FILE, &file);
    if (is_dead(error)) return ELFS_MOUNT_DEAD;
    if (error) return fuse ? ELFS_MOUNT_LIVE : ELFS_MOUNT_PLAIN;
    reading->lag_known = elfs_lag_parse(view_of(&file), &reading->lag_ms) == ELFS_OK;
    return ELFS_MOUNT_LIVE;
}

static void read_primary(int dir_fd, const char *name, struct elfs_reading *reading) {
    struct small_file file;
    int error = read_file(dir_fd, name, &file);
    if (error == ENOENT) {
        reading->primary_file = ELFS_PRIMARY_FILE_ABSENT;
    } else if (is_dead(error)) {
        reading->mount = ELFS_MOUNT_DEAD;
    } else if (error == 0) {
        reading->primary_file = ELFS_PRIMARY_FILE_PRESENT;
        elfs_primary_file_parse(view_of(&file), reading->hostname);
    }
}

static void read_position(int dir_fd, const char *name, struct elfs_positions *positions) {
    size_t len = strlen(name), suffix = strlen(POS_SUFFIX);
    char database[ELFS_DATABASE_SIZE];
    struct small_file file;
    uint64_t txid, checksum;
    if (len <= suffix || strcmp(name + len - suffix, POS_SUFFIX) != 0) return;
    struct elfs_view view = {(const uint8_t *)name, len - suffix};
    if (elfs_name_copy(database, sizeof database, view) != ELFS_OK ||
        read_file(dir_fd, name, &file) != 0 ||
        elfs_pos_parse(view_of(&file), &txid, &checksum) != ELFS_OK)
        return;
    struct elfs_db_position *item = elfs_positions_add(positions, database);
    if (!item) return;
    item->txid = txid;
    item->checksum = checksum;
}

/* Takes dir_fd over. */
static void read_positions(int dir_fd, struct elfs_positions *positions) {
    DIR *dir = fdopendir(dir_fd);
    if (!dir) {
        close(dir_fd);
        return;
    }
    struct dirent *entry;
    for (int i = 0; i < ENTRIES_MAX && (entry = readdir(dir)); i++)
        read_position(dir_fd, entry->d_name, positions);
    closedir(dir);
}

void elfs_mount_read(const struct elfs_mount_place *place, struct elfs_reading *reading) {
    memset(reading, 0, sizeof *reading);
    int dir_fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        reading->mount = mount_of_error(errno);
        return;
    }
    struct stat attributes;
    if (fstat(dir_fd, &attributes) == 0) reading->device = (uint64_t)attributes.st_dev;
    reading->mount = read_lag(dir_fd, place->is_fuse, reading);
    if (reading->mount == ELFS_MOUNT_LIVE) read_primary(dir_fd, place->primary_file, reading);
    if (reading->mount == ELFS_MOUNT_LIVE)
        read_positions(dir_fd, &reading->positions);
    else
        close(dir_fd);
}
