/* result - see result.h.
 *
 * A slice is five map pairs without their map: columns, rows, num_rows, changes,
 * last_insert_rowid. The nil that ends a row is written when the next row, or the end, shows that
 * it is complete; the number of rows is patched in at the end.
 */
#include "codec/result.h"

#include <math.h>

#include "base/alloc.h"
#include "codec/put.h"
#include "codec/term.h"

#define PAIRS 5
#define SAVED_VERSION 1
#define SAVED_HEAD 5

static struct elfs_result *self_of(struct elfs_sink *sink) { return (struct elfs_result *)sink; }

static enum elfs_code status_of(const struct elfs_result *self) {
    return self->bytes.status == ELFS_LIMIT ? ELFS_RESULT_TOO_BIG : self->bytes.status;
}

static enum elfs_code put_columns(struct elfs_sink *sink, size_t count, const char *const *names) {
    struct elfs_result *self = self_of(sink);
    struct elfs_buf *buf = &self->bytes;
    elfs_put_atom(buf, "columns");
    elfs_put_list_header(buf, count);
    for (size_t i = 0; i < count; i++) elfs_put_binary_str(buf, names[i]);
    elfs_put_nil(buf);
    elfs_put_atom(buf, "rows");
    self->rows = 0;
    self->rows_at = buf->len;
    return status_of(self);
}

static enum elfs_code put_row(struct elfs_sink *sink, size_t columns) {
    struct elfs_result *self = self_of(sink);
    if (self->rows == 0) {
        elfs_put_list_header(&self->bytes, 1);
    } else {
        elfs_put_nil(&self->bytes);
    }
    self->rows++;
    elfs_put_list_header(&self->bytes, columns);
    return status_of(self);
}

static enum elfs_code put_value(struct elfs_sink *sink, const struct elfs_value *value) {
    struct elfs_result *self = self_of(sink);
    struct elfs_buf *buf = &self->bytes;
    switch (value->type) {
    case ELFS_NULL: elfs_put_atom(buf, "nil"); break;
    case ELFS_INTEGER: elfs_put_int64(buf, value->integer); break;
    case ELFS_REAL:
        if (!isfinite(value->real)) return ELFS_UNREPRESENTABLE;
        elfs_put_float(buf, value->real);
        break;
    case ELFS_TEXT:
    case ELFS_BLOB: elfs_put_binary(buf, value->bytes); break;
    }
    return status_of(self);
}

static void close_rows(struct elfs_result *self) {
    if (self->rows > 0) {
        elfs_put_nil(&self->bytes);
        elfs_buf_patch_be32(&self->bytes, self->rows_at + 1, self->rows);
    }
    elfs_put_nil(&self->bytes);
}

static void put_count(struct elfs_buf *buf, const char *key, int64_t count) {
    elfs_put_atom(buf, key);
    elfs_put_int64(buf, count);
}

static enum elfs_code end_slice(struct elfs_result *self) {
    if (self->count == self->cap) {
        size_t cap = self->cap ? self->cap * 2 : 1;
        size_t *ends = elfs_realloc(self->ends, cap * sizeof *ends);
        if (!ends) return ELFS_NOMEM;
        self->ends = ends;
        self->cap = cap;
    }
    self->ends[self->count++] = self->bytes.len;
    return ELFS_OK;
}

static enum elfs_code put_done(struct elfs_sink *sink, const struct elfs_summary *summary) {
    struct elfs_result *self = self_of(sink);
    struct elfs_buf *buf = &self->bytes;
    if (summary->has_columns) {
        close_rows(self);
    } else {
        elfs_put_atom(buf, "columns");
        elfs_put_atom(buf, "nil");
        elfs_put_atom(buf, "rows");
        elfs_put_atom(buf, "nil");
    }
    put_count(buf, "num_rows", summary->num_rows);
    put_count(buf, "changes", summary->changes);
    put_count(buf, "last_insert_rowid", summary->last_insert_rowid);
    enum elfs_code code = status_of(self);
    return code == ELFS_OK ? end_slice(self) : code;
}

static void forget(struct elfs_sink *sink) {
    struct elfs_result *self = self_of(sink);
    elfs_buf_truncate(&self->bytes, 0);
    self->count = 0;
}

static size_t size_of(const struct elfs_sink *sink) {
    return ((const struct elfs_result *)sink)->bytes.len;
}

static enum elfs_code save(const struct elfs_sink *sink, struct elfs_buf *buf) {
    const struct elfs_result *self = (const struct elfs_result *)sink;
    if (self->bytes.len > UINT32_MAX || self->count > UINT32_MAX) return ELFS_LIMIT;
    elfs_buf_put_u8(buf, SAVED_VERSION);
    elfs_buf_put_be32(buf, (uint32_t)self->count);
    for (size_t i = 0; i < self->count; i++) elfs_buf_put_be32(buf, (uint32_t)self->ends[i]);
    elfs_buf_append(buf, self->bytes.data, self->bytes.len);
    return buf->status;
}

static size_t be32(const uint8_t *b) {
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

/* A slice is what put_done ends: the pairs of a map, whole terms. */
static bool is_slice(struct elfs_view bytes) {
    struct elfs_reader r = elfs_reader_of(bytes);
    for (int i = 0; i < 2 * PAIRS; i++) {
        if (elfs_term_skip(&r, NULL) != ELFS_OK) return false;
    }
    return elfs_reader_left(&r) == 0;
}

static enum elfs_code push_slice(struct elfs_result *self, struct elfs_view slice) {
    if (!is_slice(slice)) return ELFS_MALFORMED;
    elfs_buf_append_view(&self->bytes, slice);
    enum elfs_code code = status_of(self);
    return code == ELFS_OK ? end_slice(self) : code;
}

static enum elfs_code restore(struct elfs_sink *sink, struct elfs_view saved, size_t count) {
    struct elfs_result *self = self_of(sink);
    enum elfs_code code = ELFS_OK;
    forget(sink);
    if (saved.len < SAVED_HEAD || saved.data[0] != SAVED_VERSION) return ELFS_MALFORMED;
    if (be32(saved.data + 1) != count) return ELFS_BADARG;
    if (count > (saved.len - SAVED_HEAD) / 4) return ELFS_MALFORMED;
    const uint8_t *ends = saved.data + SAVED_HEAD, *bytes = ends + 4 * count;
    size_t len = saved.len - SAVED_HEAD - 4 * count, start = 0;
    for (size_t i = 0; code == ELFS_OK && i < count; i++) {
        size_t end = be32(ends + 4 * i);
        code = end < start || end > len
                   ? ELFS_MALFORMED
                   : push_slice(self, (struct elfs_view){bytes + start, end - start});
        start = end;
    }
    if (code == ELFS_OK && start != len) code = ELFS_MALFORMED;
    if (code != ELFS_OK) forget(sink);
    return code;
}

void elfs_result_init(struct elfs_result *result, size_t max) {
    *result = (struct elfs_result){.sink = {
                                       .columns = put_columns,
                                       .row = put_row,
                                       .value = put_value,
                                       .done = put_done,
                                       .reset = forget,
                                       .size = size_of,
                                       .save = save,
                                       .restore = restore,
                                   }};
    elfs_buf_init(&result->bytes, max);
}

void elfs_result_fini(struct elfs_result *result) {
    elfs_free(result->ends);
    elfs_buf_fini(&result->bytes);
    result->ends = NULL;
    result->count = 0;
    result->cap = 0;
}

void elfs_position_put(struct elfs_buf *buf, const struct elfs_position *position) {
    if (!position->known) {
        elfs_put_atom(buf, "nil");
        return;
    }
    elfs_put_tuple_header(buf, 2);
    elfs_put_uint64(buf, position->txid);
    elfs_put_uint64(buf, position->checksum);
}

static size_t pairs_of(const struct elfs_receipt *receipt) {
    return 1U + receipt->repeated + receipt->counted;
}

static void put_pairs(struct elfs_buf *buf, const struct elfs_receipt *receipt) {
    elfs_put_atom(buf, "position");
    elfs_position_put(buf, &receipt->position);
    if (receipt->repeated) {
        elfs_put_atom(buf, "repeated");
        elfs_put_atom(buf, "true");
    }
    if (receipt->counted) put_count(buf, "acked", receipt->acked);
}

void elfs_result_put(struct elfs_buf *buf, const struct elfs_result *result, size_t i,
                     const struct elfs_receipt *receipt) {
    size_t start = i > 0 ? result->ends[i - 1] : 0;
    elfs_put_map_header(buf, PAIRS + pairs_of(receipt));
    elfs_buf_append(buf, result->bytes.data + start, result->ends[i] - start);
    put_pairs(buf, receipt);
}

void elfs_receipt_put(struct elfs_buf *buf, const struct elfs_receipt *receipt) {
    elfs_put_map_header(buf, pairs_of(receipt));
    put_pairs(buf, receipt);
}

static void put_tagged(struct elfs_buf *buf, const char *tag, const char *message) {
    elfs_put_tuple_header(buf, 2);
    elfs_put_atom(buf, tag);
    elfs_put_binary_str(buf, message);
}

static void put_map(struct elfs_buf *buf, const struct elfs_error *err) {
    bool sqlite = err->code == ELFS_SQLITE;
    elfs_put_map_header(buf, sqlite ? 3 : 2);
    elfs_put_atom(buf, "code");
    elfs_put_atom(buf,
                  sqlite ? elfs_sqlite_code_name(err->sqlite_code) : elfs_code_name(err->code));
    if (sqlite) put_count(buf, "extended_code", err->sqlite_code);
    elfs_put_atom(buf, "message");
    elfs_put_binary_str(buf, err->message);
}

void elfs_error_put(struct elfs_buf *buf, const struct elfs_error *err) {
    switch (err->code) {
    case ELFS_BUSY: elfs_put_atom(buf, elfs_code_name(err->code)); break;
    case ELFS_UNSUPPORTED:
    case ELFS_UNKNOWN: put_tagged(buf, elfs_code_name(err->code), err->message); break;
    default: put_map(buf, err); break;
    }
}
