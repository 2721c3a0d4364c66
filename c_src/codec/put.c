/* put - see put.h. Always the shortest form that OTP 25 reads. */
#include "codec/put.h"

#include "codec/term_head.h"

static void fail(struct elfs_buf *buf, enum elfs_code code) {
    if (buf->status == ELFS_OK) buf->status = code;
}

/* A tag and a 32-bit length; false if the length does not fit. */
static bool put_counted(struct elfs_buf *buf, uint8_t tag, size_t count) {
    if (count > UINT32_MAX) {
        fail(buf, ELFS_LIMIT);
        return false;
    }
    elfs_buf_put_u8(buf, tag);
    elfs_buf_put_be32(buf, (uint32_t)count);
    return true;
}

void elfs_put_version(struct elfs_buf *buf) { elfs_buf_put_u8(buf, ELFS_TERM_VERSION); }

static void put_big(struct elfs_buf *buf, bool negative, uint64_t magnitude) {
    uint8_t digits[8];
    uint8_t n = 0;
    for (; magnitude > 0; magnitude >>= 8) digits[n++] = (uint8_t)magnitude;
    elfs_buf_put_u8(buf, ELFS_TAG_SMALL_BIG);
    elfs_buf_put_u8(buf, n);
    elfs_buf_put_u8(buf, negative);
    elfs_buf_append(buf, digits, n);
}

void elfs_put_int64(struct elfs_buf *buf, int64_t value) {
    if (value >= 0 && value <= UINT8_MAX) {
        elfs_buf_put_u8(buf, ELFS_TAG_SMALL_INTEGER);
        elfs_buf_put_u8(buf, (uint8_t)value);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        elfs_buf_put_u8(buf, ELFS_TAG_INTEGER);
        elfs_buf_put_be32(buf, (uint32_t)value);
    } else {
        put_big(buf, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
    }
}

void elfs_put_uint64(struct elfs_buf *buf, uint64_t value) {
    if (value <= INT64_MAX) {
        elfs_put_int64(buf, (int64_t)value);
    } else {
        put_big(buf, false, value);
    }
}

void elfs_put_float(struct elfs_buf *buf, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    elfs_buf_put_u8(buf, ELFS_TAG_NEW_FLOAT);
    elfs_buf_put_be64(buf, bits);
}

void elfs_put_atom(struct elfs_buf *buf, const char *text) {
    elfs_put_atom_view(buf, elfs_view_str(text));
}

void elfs_put_atom_view(struct elfs_buf *buf, struct elfs_view text) {
    if (text.len > UINT8_MAX) {
        fail(buf, ELFS_LIMIT);
        return;
    }
    elfs_buf_put_u8(buf, ELFS_TAG_SMALL_ATOM_UTF8);
    elfs_buf_put_u8(buf, (uint8_t)text.len);
    elfs_buf_append_view(buf, text);
}

void elfs_put_binary(struct elfs_buf *buf, struct elfs_view bytes) {
    if (put_counted(buf, ELFS_TAG_BINARY, bytes.len)) elfs_buf_append_view(buf, bytes);
}

void elfs_put_binary_str(struct elfs_buf *buf, const char *text) {
    elfs_put_binary(buf, elfs_view_str(text));
}

void elfs_put_tuple_header(struct elfs_buf *buf, size_t arity) {
    if (arity > UINT8_MAX) {
        put_counted(buf, ELFS_TAG_LARGE_TUPLE, arity);
        return;
    }
    elfs_buf_put_u8(buf, ELFS_TAG_SMALL_TUPLE);
    elfs_buf_put_u8(buf, (uint8_t)arity);
}

void elfs_put_list_header(struct elfs_buf *buf, size_t count) {
    if (count > 0) put_counted(buf, ELFS_TAG_LIST, count);
}

void elfs_put_nil(struct elfs_buf *buf) { elfs_buf_put_u8(buf, ELFS_TAG_NIL); }

void elfs_put_map_header(struct elfs_buf *buf, size_t pairs) {
    put_counted(buf, ELFS_TAG_MAP, pairs);
}

void elfs_put_pid(struct elfs_buf *buf, const struct elfs_identity *id, uint32_t num,
                  uint32_t serial) {
    elfs_buf_put_u8(buf, ELFS_TAG_NEW_PID);
    elfs_put_atom_view(buf, id->node);
    elfs_buf_put_be32(buf, num);
    elfs_buf_put_be32(buf, serial);
    elfs_buf_put_be32(buf, id->creation);
}

void elfs_put_ref(struct elfs_buf *buf, const struct elfs_identity *id, const uint32_t words[3]) {
    elfs_buf_put_u8(buf, ELFS_TAG_NEWER_REFERENCE);
    elfs_buf_put_be16(buf, 3);
    elfs_put_atom_view(buf, id->node);
    elfs_buf_put_be32(buf, id->creation);
    for (int i = 0; i < 3; i++) elfs_buf_put_be32(buf, words[i]);
}
