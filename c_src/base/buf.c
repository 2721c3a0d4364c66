/* buf - see buf.h. Grows by doubling, never past max. */
#include "base/buf.h"

#include "base/alloc.h"

void elfs_buf_init(struct elfs_buf *buf, size_t max) {
    *buf = (struct elfs_buf){.max = max, .status = ELFS_OK};
}

void elfs_buf_fini(struct elfs_buf *buf) {
    elfs_free(buf->data);
    elfs_buf_init(buf, buf->max);
}

void elfs_buf_reset(struct elfs_buf *buf, size_t keep) {
    if (buf->cap > keep) {
        elfs_buf_fini(buf);
        return;
    }
    buf->len = 0;
    buf->status = ELFS_OK;
}

void elfs_buf_truncate(struct elfs_buf *buf, size_t len) {
    buf->len = len;
    buf->status = ELFS_OK;
}

void elfs_buf_consume(struct elfs_buf *buf, size_t n) {
    if (n == 0) return;
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}

/* Holds most results and answers without growing. */
#define FIRST_SIZE 256

bool elfs_buf_grow(struct elfs_buf *buf, size_t n) {
    if (n > buf->max - buf->len) {
        buf->status = ELFS_LIMIT;
        return false;
    }
    size_t need = buf->len + n;
    size_t cap = buf->cap < FIRST_SIZE ? FIRST_SIZE : buf->cap;
    while (cap < need) cap = cap > buf->max / 2 ? need : cap * 2;
    if (cap > buf->max) cap = buf->max;
    uint8_t *data = elfs_realloc(buf->data, cap);
    if (!data) {
        buf->status = ELFS_NOMEM;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

static void store_be(uint8_t *to, uint64_t v, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, v >>= 8) to[i] = (uint8_t)v;
}

static void put_be(struct elfs_buf *buf, uint64_t v, int bytes) {
    uint8_t *to = elfs_buf_reserve(buf, (size_t)bytes);
    if (!to) return;
    store_be(to, v, bytes);
    buf->len += (size_t)bytes;
}

void elfs_buf_put_be16(struct elfs_buf *buf, uint16_t v) { put_be(buf, v, 2); }
void elfs_buf_put_be32(struct elfs_buf *buf, uint32_t v) { put_be(buf, v, 4); }
void elfs_buf_put_be64(struct elfs_buf *buf, uint64_t v) { put_be(buf, v, 8); }

void elfs_buf_patch_be32(struct elfs_buf *buf, size_t offset, uint32_t v) {
    if (buf->status == ELFS_OK) store_be(buf->data + offset, v, 4);
}
