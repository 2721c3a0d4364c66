/* error - see error.h. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
#define X(id, name, text) [id] = name,
    ELFS_CODES(X)
#undef X
};

static const char *const code_texts[] = {
#define X(id, name, text) [id] = text,
    ELFS_CODES(X)
#undef X
};

const char *elfs_code_name(enum elfs_code code) { return code_names[code]; }

const char *elfs_code_text(enum elfs_code code) { return code_texts[code]; }

void elfs_error_clear(struct elfs_error *err) {
    if (!err) return;
    err->code = ELFS_OK;
    err->sqlite_code = 0;
    err->message[0] = '\0';
}

/* A cut text may end in the middle of a character: drop continuation bytes and their lead byte. */
static void cut_at_character(char *text) {
    size_t len = strlen(text);
    while (len > 0 && ((unsigned char)text[len - 1] & 0xC0) == 0x80) len--;
    if (len > 0 && ((unsigned char)text[len - 1] & 0x80)) len--;
    text[len] = '\0';
}

enum elfs_code(elfs_fail)(struct elfs_error *err, enum elfs_code code, const char *format, ...) {
    if (!err) return code;
    err->code = code;
    err->sqlite_code = 0;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (n < 0) err->message[0] = '\0';
    if (n >= (int)sizeof err->message) cut_at_character(err->message);
    return code;
}

void elfs_error_prefix(struct elfs_error *err, const char *format, ...) {
    if (!err) return;
    struct elfs_error old = *err;
    char where[128];
    va_list args;
    va_start(args, format);
    vsnprintf(where, sizeof where, format, args);
    va_end(args);
    elfs_fail(err, old.code, "%s: %s", where, old.message);
    err->sqlite_code = old.sqlite_code;
}
