/* sql_text - see sql_text.h. */
#include "store/sql_text.h"

/* SQLite's tokenizer starts a run of white space at these, and lets \v continue one. */
static bool starts_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool in_word(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

static bool begins_with(struct elfs_view sql, size_t at, const char *text) {
    size_t len = strlen(text);
    return len <= sql.len - at && memcmp(sql.data + at, text, len) == 0;
}

/* The end of the white space, comment or byte order mark that begins at `at`; `at` if none does. */
static size_t skip_one(struct elfs_view sql, size_t at) {
    size_t end = at;
    if (starts_space(sql.data[at])) {
        while (end < sql.len && (starts_space(sql.data[end]) || sql.data[end] == '\v')) end++;
    } else if (begins_with(sql, at, "--")) {
        while (end < sql.len && sql.data[end] != '\n') end++;
    } else if (begins_with(sql, at, "/*") && sql.len - at > 2) {
        end = at + 2;
        while (end < sql.len && !begins_with(sql, end, "*/")) end++;
        end = end < sql.len ? end + 2 : end;
    } else if (begins_with(sql, at, "\xEF\xBB\xBF")) {
        end = at + 3;
    }
    return end;
}

static size_t skip_blank(struct elfs_view sql) {
    size_t at = 0;
    while (at < sql.len) {
        size_t end = sql.data[at] == ';' ? at + 1 : skip_one(sql, at);
        if (end == at) break;
        at = end;
    }
    return at;
}

struct elfs_view elfs_sql_first_word(struct elfs_view sql) {
    size_t start = skip_blank(sql);
    size_t end = start;
    while (end < sql.len && in_word(sql.data[end])) end++;
    if (end == start) return ELFS_VIEW_NONE;
    return (struct elfs_view){sql.data + start, end - start};
}

bool elfs_sql_word_is(struct elfs_view word, const char *keyword) {
    if (word.len != strlen(keyword)) return false;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        if (c >= 'a' && c <= 'z') c = (uint8_t)(c - 'a' + 'A');
        if (c != (uint8_t)keyword[i]) return false;
    }
    return true;
}

bool elfs_sql_is_blank(struct elfs_view sql) { return skip_blank(sql) == sql.len; }

bool elfs_sql_looks_read_only(struct elfs_view sql) {
    static const char *const reading[] = {"SELECT", "VALUES", "WITH", "EXPLAIN", "PRAGMA"};
    struct elfs_view word = elfs_sql_first_word(sql);
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        if (elfs_sql_word_is(word, reading[i])) return true;
    }
    return false;
}
