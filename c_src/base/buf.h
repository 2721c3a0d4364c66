/* buf - a growing byte buffer with a limit and a sticky failure.
 *
 * Writers append without checking each step; the first failure (ELFS_NOMEM, or ELFS_LIMIT past
 * `max`) is kept in `status`, later writes do nothing, and the caller looks once at the end. Not
 * thread-safe.
 */
#ifndef ELFS_BASE_BUF_H
#define ELFS_BASE_BUF_H

#include "base/error.h"
#include "base/view.h"

struct elfs_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max;
    enum elfs_code status;
};

/* An empty buffer that holds at most max bytes; allocates nothing yet. */
void elfs_buf_init(struct elfs_buf *buf, size_t max);
void elfs_buf_fini(struct elfs_buf *buf);

/* Empties the buffer and forgets a failure; keeps the memory up to keep bytes of it, frees it
 * otherwise. */
void elfs_buf_reset(struct elfs_buf *buf, size_t keep);

/* Cuts back to len bytes (len <= buf->len) and forgets a failure. */
void elfs_buf_truncate(struct elfs_buf *buf, size_t len);

/* Drops the first n bytes (n <= buf->len), moving the rest to the front. */
void elfs_buf_consume(struct elfs_buf *buf, size_t n);

/* Makes room for n more bytes; false, with status set, if there is none. For elfs_buf_reserve. */
bool elfs_buf_grow(struct elfs_buf *buf, size_t n);

/* Room for n more bytes at data + len, for a caller that writes there itself and then adds to len.
 * NULL, with status set, if there is none. Inline, with those that follow: most of what is written
 * is a few bytes at a time. */
static inline uint8_t *elfs_buf_reserve(struct elfs_buf *buf, size_t n) {
    if (buf->status != ELFS_OK) return NULL;
    if ((!buf->data || n > buf->cap - buf->len) && !elfs_buf_grow(buf, n)) return NULL;
    return buf->data + buf->len;
}

static inline void elfs_buf_append(struct elfs_buf *buf, const void *data, size_t n) {
    if (n == 0) return;
    uint8_t *to = elfs_buf_reserve(buf, n);
    if (!to) return;
    memcpy(to, data, n);
    buf->len += n;
}

static inline void elfs_buf_append_view(struct elfs_buf *buf, struct elfs_view view) {
    elfs_buf_append(buf, view.data, view.len);
}

static inline void elfs_buf_put_u8(struct elfs_buf *buf, uint8_t v) {
    uint8_t *to = elfs_buf_reserve(buf, 1);
    if (!to) return;
    *to = v;
    buf->len++;
}

void elfs_buf_put_be16(struct elfs_buf *buf, uint16_t v);
void elfs_buf_put_be32(struct elfs_buf *buf, uint32_t v);
void elfs_buf_put_be64(struct elfs_buf *buf, uint64_t v);

/* Overwrites four bytes at offset (offset + 4 <= len); nothing if the buffer has failed. */
void elfs_buf_patch_be32(struct elfs_buf *buf, size_t offset, uint32_t v);

#endif
