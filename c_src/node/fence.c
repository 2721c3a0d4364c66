/* fence - see fence.h. Writer's thread, but for init and fini. */
#include "node/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "detect/files.h"

#ifndef O_DIRECT
#define O_DIRECT 0 /* macOS has none, and no LiteFS */
#endif

/* Each look at a file of LiteFS's is a way through FUSE and back, or several: the file is opened once, and
 * read past the kernel's copy of it, where the file system lets us (plain files do not: not so few bytes). */
static void open_position(struct elfs_litefs_fence *fence) {
    if (fence->pos_fd < 0) fence->pos_fd = open(fence->pos_file, O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (fence->pos_fd < 0) fence->pos_fd = open(fence->pos_file, O_RDONLY | O_CLOEXEC);
}

static void close_position(struct elfs_litefs_fence *fence) {
    if (fence->pos_fd >= 0) close(fence->pos_fd);
    fence->pos_fd = -1;
}

/* known is false if LiteFS has none yet, or it cannot be read. */
static struct elfs_position read_position(struct elfs_litefs_fence *fence) {
    struct elfs_position position = {.known = false};
    uint8_t bytes[ELFS_POS_SIZE];
    open_position(fence);
    if (fence->pos_fd < 0) return position;
    ssize_t n = pread(fence->pos_fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINVAL && fcntl(fence->pos_fd, F_SETFL, 0) == 0)
        n = pread(fence->pos_fd, bytes, sizeof bytes, 0);
    struct elfs_view file = {bytes, n > 0 ? (size_t)n : 0};
    position.known = elfs_pos_parse(file, &position.txid, &position.checksum) == ELFS_OK;
    if (!position.known) close_position(fence);
    return position;
}

/* The detector may not have heard yet what the file shows already. Its attributes tell, which LiteFS
 * lets nobody keep; access(2) would not ask for them, and find it for another minute by its name,
 * which the kernel does keep. */
static bool is_primary(const struct elfs_litefs *litefs) {
    struct stat attributes;
    return elfs_litefs_role(litefs) == ELFS_ROLE_PRIMARY &&
           stat(litefs->primary_file, &attributes) != 0 && errno == ENOENT;
}

static enum elfs_code not_primary(struct elfs_error *err) {
    return elfs_fail(err, ELFS_NOT_PRIMARY, "this host is not the primary (any more)");
}

static enum elfs_code check_role(const struct elfs_litefs_fence *fence, struct elfs_error *err) {
    return elfs_litefs_role(fence->litefs) == ELFS_ROLE_PRIMARY ? ELFS_OK : not_primary(err);
}

/* The detector's word will do here: LiteFS commits nothing on a host that is not primary. */
static enum elfs_code before(struct elfs_fence *self, struct elfs_error *err) {
    struct elfs_litefs_fence *fence = (struct elfs_litefs_fence *)self;
    fence->turn = elfs_litefs_turns(fence->litefs);
    return check_role(fence, err);
}

static bool is_same_reign(const struct elfs_litefs_fence *fence) {
    return elfs_litefs_role(fence->litefs) == ELFS_ROLE_PRIMARY &&
           elfs_litefs_turns(fence->litefs) == fence->turn;
}

static void begun(struct elfs_fence *self, bool undisturbed) {
    struct elfs_litefs_fence *fence = (struct elfs_litefs_fence *)self;
    if (!undisturbed || !fence->last.known) fence->last = read_position(fence);
}

static enum elfs_code explain(struct elfs_fence *self, struct elfs_error *err) {
    const struct elfs_litefs_fence *fence = (const struct elfs_litefs_fence *)self;
    return is_primary(fence->litefs) ? ELFS_OK : not_primary(err);
}

static enum elfs_code after(struct elfs_fence *self, bool changed, struct elfs_position *position,
                            struct elfs_error *err) {
    struct elfs_litefs_fence *fence = (struct elfs_litefs_fence *)self;
    struct elfs_position old = fence->last;
    *position = read_position(fence);
    fence->last = *position;
    if (changed && (!position->known || (old.known && position->txid <= old.txid))) {
        fence->last.known = false; /* it may advance for this commit yet */
        close_position(fence);     /* and it may be a file that is no longer LiteFS's */
        return elfs_fail(err, ELFS_UNKNOWN,
                         "COMMIT returned, but LiteFS's position of the database did not advance: "
                         "the change may or may not survive");
    }
    if (changed && !is_same_reign(fence))
        return elfs_fail(err, ELFS_UNKNOWN,
                         "COMMIT returned, but this host is no longer the primary, or is it anew: "
                         "the change may or may not survive");
    return ELFS_OK;
}

static void ended(struct elfs_fence *self) { close_position((struct elfs_litefs_fence *)self); }

static uint64_t turn(const struct elfs_fence *self) {
    return elfs_litefs_turns(((const struct elfs_litefs_fence *)self)->litefs);
}

enum elfs_code elfs_litefs_fence_init(struct elfs_litefs_fence *fence,
                                      const struct elfs_litefs *litefs, const char *path) {
    size_t size = strlen(path) + sizeof "-pos";
    *fence = (struct elfs_litefs_fence){.fence = {before, begun, explain, after, ended, turn},
                                        .litefs = litefs,
                                        .pos_file = elfs_malloc(size),
                                        .pos_fd = -1};
    if (!fence->pos_file) return ELFS_NOMEM;
    snprintf(fence->pos_file, size, "%s-pos", path);
    return ELFS_OK;
}

void elfs_litefs_fence_fini(struct elfs_litefs_fence *fence) { elfs_free(fence->pos_file); }
