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

#define POS_SIZE 64 /* the file has 34 bytes */

/* Reads the -pos file: known is false if LiteFS has none yet, or it cannot be read. */
static struct elfs_position read_position(const char *pos_file) {
    struct elfs_position position = {.known = false};
    uint8_t bytes[POS_SIZE];
    int fd = open(pos_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return position;
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    if (n <= 0) return position;
    position.known = elfs_pos_parse((struct elfs_view){bytes, (size_t)n}, &position.txid,
                                    &position.checksum) == ELFS_OK;
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

/* The detector's word will do here: LiteFS refuses the COMMIT of a host that is not primary, and
 * after() looks closer at one that it has not refused. */
static enum elfs_code before(struct elfs_fence *self, struct elfs_error *err) {
    const struct elfs_litefs_fence *fence = (const struct elfs_litefs_fence *)self;
    return elfs_litefs_role(fence->litefs) == ELFS_ROLE_PRIMARY ? ELFS_OK : not_primary(err);
}

/* Each look at a file of LiteFS's takes several ways there and back. */
static void begun(struct elfs_fence *self, bool undisturbed) {
    struct elfs_litefs_fence *fence = (struct elfs_litefs_fence *)self;
    if (!undisturbed || !fence->last.known) fence->last = read_position(fence->pos_file);
}

static enum elfs_code explain(struct elfs_fence *self, struct elfs_error *err) {
    const struct elfs_litefs_fence *fence = (const struct elfs_litefs_fence *)self;
    return is_primary(fence->litefs) ? ELFS_OK : not_primary(err);
}

static enum elfs_code after(struct elfs_fence *self, bool changed, struct elfs_position *position,
                            struct elfs_error *err) {
    struct elfs_litefs_fence *fence = (struct elfs_litefs_fence *)self;
    struct elfs_position old = fence->last;
    *position = read_position(fence->pos_file);
    fence->last = *position;
    if (changed && (!position->known || (old.known && position->txid <= old.txid))) {
        fence->last.known = false; /* it may advance for this commit yet */
        return elfs_fail(err, ELFS_UNKNOWN,
                         "COMMIT returned, but LiteFS's position of the database did not advance: "
                         "the change may or may not survive");
    }
    if (changed && !is_primary(fence->litefs))
        return elfs_fail(err, ELFS_UNKNOWN,
                         "COMMIT returned, but this host is no longer the primary: the change may "
                         "or may not survive");
    return ELFS_OK;
}

enum elfs_code elfs_litefs_fence_init(struct elfs_litefs_fence *fence,
                                      const struct elfs_litefs *litefs, const char *path) {
    size_t size = strlen(path) + sizeof "-pos";
    *fence = (struct elfs_litefs_fence){
        .fence = {before, begun, explain, after}, .litefs = litefs, .pos_file = elfs_malloc(size)};
    if (!fence->pos_file) return ELFS_NOMEM;
    snprintf(fence->pos_file, size, "%s-pos", path);
    return ELFS_OK;
}

void elfs_litefs_fence_fini(struct elfs_litefs_fence *fence) { elfs_free(fence->pos_file); }
