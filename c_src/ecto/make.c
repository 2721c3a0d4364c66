/* make - see make.h. */
#include "ecto/make.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/put.h"
#include "codec/term_head.h"

struct elfs_view elfs_ecto_take(struct elfs_buf *buf, struct elfs_arena *arena) {
    struct elfs_view term = ELFS_VIEW_NONE;
    if (buf->status == ELFS_OK) {
        const uint8_t *copy = elfs_arena_copy(arena, buf->data, buf->len);
        if (copy) term = (struct elfs_view){copy, buf->len};
    }
    elfs_buf_fini(buf);
    return term;
}

struct elfs_view elfs_ecto_make_atom(const char *text, struct elfs_arena *arena) {
    return elfs_ecto_make_atom_view(elfs_view_str(text), arena);
}

struct elfs_view elfs_ecto_make_atom_view(struct elfs_view text, struct elfs_arena *arena) {
    if (text.len > UINT8_MAX) return ELFS_VIEW_NONE;
    uint8_t *term = elfs_arena_alloc(arena, 2 + text.len);
    if (!term) return ELFS_VIEW_NONE;
    term[0] = ELFS_TAG_SMALL_ATOM_UTF8;
    term[1] = (uint8_t)text.len;
    memcpy(term + 2, text.data, text.len);
    return (struct elfs_view){term, 2 + text.len};
}

struct elfs_view elfs_ecto_make_binary(struct elfs_view bytes, struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_binary(&buf, bytes);
    return elfs_ecto_take(&buf, arena);
}

struct elfs_view elfs_ecto_make_tagged(const char *tag, struct elfs_view value,
                                       struct elfs_arena *arena) {
    struct elfs_buf buf;
    if (value.len == 0) return value;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, tag);
    elfs_buf_append_view(&buf, value);
    return elfs_ecto_take(&buf, arena);
}

void elfs_ecto_puts(struct elfs_buf *buf, const char *text) {
    elfs_buf_append(buf, text, strlen(text));
}

void elfs_ecto_printf(struct elfs_buf *buf, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = n < 0 ? NULL : (char *)elfs_buf_reserve(buf, (size_t)n + 1);
    if (room) {
        vsnprintf(room, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
}
