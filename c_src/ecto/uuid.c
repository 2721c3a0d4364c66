/* uuid - see uuid.h. */
#include "ecto/uuid.h"

void elfs_uuid_make(uint8_t bytes[16]) {
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
}

static bool is_dash(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

void elfs_uuid_text(const uint8_t bytes[16], char text[ELFS_UUID_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    size_t nibble = 0;
    for (size_t i = 0; i < ELFS_UUID_TEXT; i++) {
        if (is_dash(i)) {
            text[i] = '-';
            continue;
        }
        uint8_t byte = bytes[nibble / 2];
        text[i] = digits[nibble % 2 == 0 ? byte >> 4 : byte & 0x0F];
        nibble++;
    }
}

static int hex(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool elfs_uuid_parse(struct elfs_view text, uint8_t bytes[16]) {
    size_t nibble = 0;
    if (text.len != ELFS_UUID_TEXT) return false;
    memset(bytes, 0, 16);
    for (size_t i = 0; i < ELFS_UUID_TEXT; i++) {
        if (is_dash(i)) {
            if (text.data[i] != '-') return false;
            continue;
        }
        int digit = hex(text.data[i]);
        if (digit < 0) return false;
        bytes[nibble / 2] = (uint8_t)(bytes[nibble / 2] << 4 | digit);
        nibble++;
    }
    return true;
}
