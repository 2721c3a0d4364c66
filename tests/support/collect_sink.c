/* collect_sink - see collect_sink.h. */
#include "collect_sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct collect_sink *of(struct elfs_sink *self) { return (struct collect_sink *)self; }

static void put(struct collect_sink *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct collect_sink *sink, const char *format, ...) {
    char piece[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    size_t add = (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1;
    if (sink->len + add + 1 > sink->cap) {
        sink->cap = 2 * (sink->len + add + 1);
        sink->text = realloc(sink->text, sink->cap);
        if (!sink->text) abort();
    }
    memcpy(sink->text + sink->len, piece, add + 1);
    sink->len += add;
}

static enum elfs_code on_columns(struct elfs_sink *self, size_t count, const char *const *names) {
    for (size_t i = 0; i < count; i++) put(of(self), "%s%s", i ? "," : "", names[i]);
    return ELFS_OK;
}

static enum elfs_code on_row(struct elfs_sink *self, size_t columns) {
    struct collect_sink *sink = of(self);
    sink->left = columns;
    put(sink, "[");
    if (sink->on_row) sink->on_row(sink->arg);
    return sink->row_code;
}

static void put_text(struct collect_sink *sink, struct elfs_view text) {
    put(sink, "'");
    for (size_t i = 0; i < text.len; i++) {
        put(sink, text.data[i] < ' ' ? "\\%02x" : "%c", text.data[i]);
    }
    put(sink, "'");
}

static enum elfs_code on_value(struct elfs_sink *self, const struct elfs_value *value) {
    struct collect_sink *sink = of(self);
    switch (value->type) {
    case ELFS_NULL: put(sink, "NULL"); break;
    case ELFS_INTEGER: put(sink, "%lld", (long long)value->integer); break;
    case ELFS_REAL: put(sink, "%.17g", value->real); break;
    case ELFS_TEXT: put_text(sink, value->bytes); break;
    case ELFS_BLOB:
        put(sink, "x'");
        for (size_t i = 0; i < value->bytes.len; i++) put(sink, "%02x", value->bytes.data[i]);
        put(sink, "'");
        break;
    }
    put(sink, --sink->left ? "," : "]");
    return ELFS_OK;
}

static enum elfs_code on_done(struct elfs_sink *self, const struct elfs_summary *summary) {
    struct collect_sink *sink = of(self);
    put(sink, "=%lld/%lld/%lld", (long long)summary->num_rows, (long long)summary->changes,
        (long long)summary->last_insert_rowid);
    return ELFS_OK;
}

static void on_reset(struct elfs_sink *self) {
    struct collect_sink *sink = of(self);
    sink->len = 0;
    sink->text[0] = '\0';
    sink->resets++;
    if (sink->on_reset) sink->on_reset(sink->arg);
}

static size_t size_of(const struct elfs_sink *self) {
    return ((const struct collect_sink *)self)->len;
}

/* [statements, as counted by '='][text]; a test uses no text with a '=' in it. */
static size_t statements_of(const char *text, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++) count += text[i] == '=';
    return count;
}

static enum elfs_code save(const struct elfs_sink *self, struct elfs_buf *buf) {
    const struct collect_sink *sink = (const struct collect_sink *)self;
    elfs_buf_put_u8(buf, 's');
    elfs_buf_append(buf, sink->text, sink->len);
    return buf->status;
}

static enum elfs_code restore(struct elfs_sink *self, struct elfs_view saved, size_t count) {
    if (saved.len < 1 || saved.data[0] != 's') return ELFS_MALFORMED;
    if (statements_of((const char *)saved.data, saved.len) != count) return ELFS_BADARG;
    put(of(self), "%.*s", (int)saved.len - 1, (const char *)saved.data + 1);
    return ELFS_OK;
}

void collect_sink_init(struct collect_sink *sink) {
    *sink = (struct collect_sink){
        .sink = {on_columns, on_row, on_value, on_done, on_reset, size_of, save, restore},
        .row_code = ELFS_OK,
    };
    put(sink, "%s", "");
}

void collect_sink_fini(struct collect_sink *sink) { free(sink->text); }
