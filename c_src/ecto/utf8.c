/* utf8 - see json.h: checks UTF-8 (no surrogates, nothing overlong, nothing past U+10FFFF). */
#include "ecto/json.h"

/* The bytes of the character at data; 0 if it is none. */
static size_t character(const uint8_t *data, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = data[0] < 0x80   ? 1
               : data[0] < 0xC0 ? 0
               : data[0] < 0xE0 ? 2
               : data[0] < 0xF0 ? 3
                                : 4;
    if (n < 2) return n;
    if (n > left || data[0] > 0xF4) return 0;
    uint32_t code = data[0] & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((data[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (data[i] & 0x3FU);
    }
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least[n] || code > 0x10FFFF || surrogate ? 0 : n;
}

bool elfs_utf8_is_valid(struct elfs_view bytes) {
    for (size_t i = 0; i < bytes.len;) {
        size_t n = character(bytes.data + i, bytes.len - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}
