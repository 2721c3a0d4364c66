/* integer - see integer.h. */
#include "ecto/integer.h"

#include "codec/put.h"
#include "codec/term_head.h"

enum elfs_code elfs_put_digits(struct elfs_buf *buf, bool negative, struct elfs_view digits) {
    uint8_t magnitude[UINT8_MAX] = {0}; /* base 256, little-endian: so many digits fit */
    size_t len = 0;
    if (digits.len == 0 || digits.len > ELFS_DIGITS_MAX) return ELFS_BADARG;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') return ELFS_BADARG;
        unsigned carry = (unsigned)(digits.data[i] - '0');
        for (size_t k = 0; k < len; k++) {
            carry += magnitude[k] * 10U;
            magnitude[k] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry) magnitude[len++] = (uint8_t)carry;
    }
    if (len <= sizeof(uint64_t)) {
        uint64_t value = 0;
        for (size_t i = len; i > 0; i--) value = value << 8 | magnitude[i - 1];
        if (!negative) {
            elfs_put_uint64(buf, value);
            return ELFS_OK;
        }
        if (value <= INT64_MAX) {
            elfs_put_int64(buf, -(int64_t)value);
            return ELFS_OK;
        }
    }
    elfs_buf_put_u8(buf, ELFS_TAG_SMALL_BIG);
    elfs_buf_put_u8(buf, (uint8_t)len);
    elfs_buf_put_u8(buf, negative);
    elfs_buf_append(buf, magnitude, len);
    return ELFS_OK;
}
