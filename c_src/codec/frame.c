/* frame - see frame.h. */
#include "codec/frame.h"

#define LENGTH_SIZE 4

enum elfs_code elfs_frame_next(struct elfs_view in, size_t max, struct elfs_view *frame,
                               size_t *used, size_t *need) {
    size_t unused;
    if (!need) need = &unused;
    *frame = ELFS_VIEW_NONE;
    *used = 0;
    *need = LENGTH_SIZE;
    if (in.len < LENGTH_SIZE) return ELFS_AGAIN;
    const uint8_t *b = in.data;
    size_t len = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    if (len > max) {
        *need = len;
        return ELFS_LIMIT;
    }
    *need = LENGTH_SIZE + len;
    if (len > in.len - LENGTH_SIZE) return ELFS_AGAIN;
    *frame = (struct elfs_view){b + LENGTH_SIZE, len};
    *used = LENGTH_SIZE + len;
    return ELFS_OK;
}

size_t elfs_frame_open(struct elfs_buf *buf) {
    size_t mark = buf->len;
    elfs_buf_put_be32(buf, 0);
    return mark;
}

enum elfs_code elfs_frame_close(struct elfs_buf *buf, size_t mark) {
    enum elfs_code code = buf->status;
    size_t len = code == ELFS_OK ? buf->len - mark - LENGTH_SIZE : 0;
    if (len > UINT32_MAX) code = ELFS_LIMIT;
    if (code != ELFS_OK) {
        elfs_buf_truncate(buf, mark);
        return code;
    }
    elfs_buf_patch_be32(buf, mark, (uint32_t)len);
    return ELFS_OK;
}
