/* files - see files.h. */
#include "detect/files.h"

#define HEX_DIGITS 16
#define LAG_SIZE 11

enum elfs_code elfs_name_copy(char *to, size_t size, struct elfs_view text) {
    to[0] = '\0';
    if (text.len == 0 || text.len >= size) return ELFS_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7F) return ELFS_MALFORMED;
    }
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return ELFS_OK;
}

enum elfs_code elfs_primary_file_parse(struct elfs_view file, char hostname[ELFS_HOSTNAME_SIZE]) {
    hostname[0] = '\0';
    if (file.len == 0 || file.data[file.len - 1] != '\n') return ELFS_MALFORMED;
    struct elfs_view name = {file.data, file.len - 1};
    return elfs_name_copy(hostname, ELFS_HOSTNAME_SIZE, name);
}

enum elfs_code elfs_lag_parse(struct elfs_view file, int64_t *lag_ms) {
    *lag_ms = 0;
    if (file.len != LAG_SIZE || (file.data[0] != '+' && file.data[0] != '-')) return ELFS_MALFORMED;
    size_t end = file.data[LAG_SIZE - 1] == '\n' ? LAG_SIZE - 1 : LAG_SIZE;
    int64_t value = 0;
    for (size_t i = 1; i < end; i++) {
        if (file.data[i] < '0' || file.data[i] > '9') return ELFS_MALFORMED;
        value = value * 10 + (file.data[i] - '0');
    }
    *lag_ms = file.data[0] == '-' ? -value : value;
    return ELFS_OK;
}

enum elfs_code elfs_hex64_parse(struct elfs_view text, uint64_t *value) {
    *value = 0;
    if (text.len != HEX_DIGITS) return ELFS_MALFORMED;
    uint64_t v = 0;
    for (size_t i = 0; i < HEX_DIGITS; i++) {
        uint8_t c = text.data[i];
        if (c >= '0' && c <= '9') {
            v = v << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            return ELFS_MALFORMED;
        }
    }
    *value = v;
    return ELFS_OK;
}

enum elfs_code elfs_pos_parse(struct elfs_view file, uint64_t *txid, uint64_t *checksum) {
    *txid = *checksum = 0;
    if (file.len != ELFS_POS_SIZE || file.data[HEX_DIGITS] != '/' ||
        file.data[ELFS_POS_SIZE - 1] != '\n')
        return ELFS_MALFORMED;
    uint64_t id, sum;
    if (elfs_hex64_parse((struct elfs_view){file.data, HEX_DIGITS}, &id) != ELFS_OK ||
        elfs_hex64_parse((struct elfs_view){file.data + HEX_DIGITS + 1, HEX_DIGITS}, &sum) !=
            ELFS_OK)
        return ELFS_MALFORMED;
    *txid = id;
    *checksum = sum;
    return ELFS_OK;
}
