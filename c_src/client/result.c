/* result - see result.h.
 *
 * A result is one block of the answer's bytes and a part a statement, which points into it. Rows are
 * read one at a time, into `row`.
 */
#include "client/result.h"

#include "base/alloc.h"
#include "base/position.h"
#include "client/reply.h"
#include "codec/term.h"

/* Bytes, and fewer than any result takes: nobody can make us allocate a part for each byte. */
#define SMALLEST 32

struct part {
    struct elfs_view names; /* list terms; empty for a statement without columns */
    struct elfs_view rows;
    size_t columns;
    int64_t num_rows;
    int64_t changes;
    int64_t last_insert_rowid;
    struct elfs_position position;
    bool repeated;
    int64_t acked;
};

struct elfs_client_result {
    uint8_t *bytes;
    struct part *parts;
    size_t count;
    size_t at;                 /* the part */
    struct elfs_reader reader; /* in its rows */
    struct elfs_items items;   /* those that are left */
    bool on_row;
    struct elfs_client_value *row; /* of the part that has the most columns */
};

static bool is_nil(struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view text;
    return elfs_term_atom(&r, &text) == ELFS_OK && elfs_view_is(text, "nil");
}

static enum elfs_code read_value(struct elfs_view term, struct elfs_client_value *value) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view bytes;
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_peek(&r, &kind);
    if (code != ELFS_OK) return code;
    switch (kind) {
    case ELFS_TERM_INTEGER:
        value->type = ELFS_CLIENT_INTEGER;
        return elfs_term_int64(&r, &value->as.integer);
    case ELFS_TERM_FLOAT:
        value->type = ELFS_CLIENT_REAL;
        return elfs_term_float(&r, &value->as.real);
    case ELFS_TERM_BINARY:
        code = elfs_term_binary(&r, &bytes);
        value->type = ELFS_CLIENT_TEXT;
        value->as.bytes = (struct elfs_client_bytes){bytes.data, bytes.len};
        return code;
    case ELFS_TERM_ATOM:
        value->type = ELFS_CLIENT_NULL;
        return is_nil(term) ? ELFS_OK : ELFS_MALFORMED;
    default: return ELFS_MALFORMED;
    }
}

/* row: as many as there are columns. */
static enum elfs_code read_row(struct elfs_view term, size_t columns,
                               struct elfs_client_value *row) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_items items;
    enum elfs_code code = elfs_term_items_begin(&r, &items);
    if (code == ELFS_OK && items.left != columns) code = ELFS_MALFORMED;
    for (size_t c = 0; code == ELFS_OK && c < columns; c++) {
        struct elfs_view item = ELFS_VIEW_NONE;
        code = elfs_term_items_next(&r, &items, &item);
        if (code == ELFS_OK) code = read_value(item, &row[c]);
    }
    return code == ELFS_OK ? elfs_term_items_end(&r, &items) : code;
}

static enum elfs_code check_rows(const struct part *part, struct elfs_client_value *row) {
    struct elfs_reader r = elfs_reader_of(part->rows);
    struct elfs_items items;
    enum elfs_code code = elfs_term_items_begin(&r, &items);
    while (code == ELFS_OK && items.left > 0) {
        struct elfs_view item;
        code = elfs_term_items_next(&r, &items, &item);
        if (code == ELFS_OK) code = read_row(item, part->columns, row);
    }
    return code == ELFS_OK ? elfs_term_items_end(&r, &items) : code;
}

static enum elfs_code check_names(struct part *part) {
    struct elfs_reader r = elfs_reader_of(part->names);
    struct elfs_items items;
    enum elfs_code code = elfs_term_items_begin(&r, &items);
    if (code != ELFS_OK) return code;
    for (part->columns = items.left; code == ELFS_OK && items.left > 0;) {
        struct elfs_view item = ELFS_VIEW_NONE;
        code = elfs_term_items_next(&r, &items, &item);
        struct elfs_reader name = elfs_reader_of(item);
        if (code == ELFS_OK) code = elfs_term_binary(&name, &item);
    }
    return code == ELFS_OK ? elfs_term_items_end(&r, &items) : code;
}

static enum elfs_code read_bool(struct elfs_reader *r, bool *value) {
    struct elfs_view text;
    enum elfs_code code = elfs_term_atom(r, &text);
    if (code == ELFS_OK) *value = elfs_view_is(text, "true");
    return code;
}

static enum elfs_code read_pair(struct elfs_reader *r, struct part *part) {
    struct elfs_view key, term;
    enum elfs_code code = elfs_term_atom(r, &key);
    if (code != ELFS_OK) return code;
    if (elfs_view_is(key, "columns")) return elfs_term_skip(r, &part->names);
    if (elfs_view_is(key, "rows")) return elfs_term_skip(r, &part->rows);
    if (elfs_view_is(key, "num_rows")) return elfs_term_int64(r, &part->num_rows);
    if (elfs_view_is(key, "changes")) return elfs_term_int64(r, &part->changes);
    if (elfs_view_is(key, "last_insert_rowid")) return elfs_term_int64(r, &part->last_insert_rowid);
    if (elfs_view_is(key, "acked")) return elfs_term_int64(r, &part->acked);
    if (elfs_view_is(key, "repeated")) return read_bool(r, &part->repeated);
    if (!elfs_view_is(key, "position")) return elfs_term_skip(r, NULL); /* of a later version */
    code = elfs_term_skip(r, &term);
    return code == ELFS_OK ? elfs_client_reply_position(term, &part->position) : code;
}

/* Both are nil for a statement without columns; both are lists else. */
static enum elfs_code read_part(struct elfs_reader *r, struct part *part) {
    size_t pairs;
    enum elfs_code code = elfs_term_map(r, &pairs);
    for (size_t i = 0; code == ELFS_OK && i < pairs; i++) code = read_pair(r, part);
    if (code != ELFS_OK) return code;
    if (is_nil(part->names) && is_nil(part->rows)) {
        part->names = part->rows = ELFS_VIEW_NONE;
        return ELFS_OK;
    }
    return check_names(part);
}

static enum elfs_code read_parts(struct elfs_client_result *result, struct elfs_view value,
                                 bool list) {
    struct elfs_reader r = elfs_reader_of(value);
    bool tail = false;
    enum elfs_code code = ELFS_OK;
    result->count = 1;
    if (list) code = elfs_term_list(&r, &result->count, &tail);
    if (code != ELFS_OK) return code;
    if (result->count > value.len / SMALLEST + 1) return ELFS_MALFORMED;
    result->parts = elfs_calloc(result->count > 0 ? result->count : 1, sizeof *result->parts);
    if (!result->parts) return ELFS_NOMEM;
    for (size_t i = 0; code == ELFS_OK && i < result->count; i++)
        code = read_part(&r, &result->parts[i]);
    return code;
}

static enum elfs_code check_all_rows(struct elfs_client_result *result) {
    size_t most = 1;
    for (size_t i = 0; i < result->count; i++) {
        if (result->parts[i].columns > most) most = result->parts[i].columns;
    }
    result->row = elfs_calloc(most, sizeof *result->row);
    if (!result->row) return ELFS_NOMEM;
    for (size_t i = 0; i < result->count; i++) {
        const struct part *part = &result->parts[i];
        enum elfs_code code = part->rows.len > 0 ? check_rows(part, result->row) : ELFS_OK;
        if (code != ELFS_OK) return code;
    }
    return ELFS_OK;
}

enum elfs_code elfs_client_result_make(struct elfs_view value, bool list,
                                       struct elfs_client_result **out) {
    *out = NULL;
    struct elfs_client_result *result = elfs_calloc(1, sizeof *result);
    if (!result) return ELFS_NOMEM;
    enum elfs_code code = ELFS_NOMEM;
    result->bytes = elfs_malloc(value.len);
    if (!result->bytes) goto fail;
    if (value.len > 0) memcpy(result->bytes, value.data, value.len);
    code = read_parts(result, (struct elfs_view){result->bytes, value.len}, list);
    if (code == ELFS_OK) code = check_all_rows(result);
    if (code != ELFS_OK) goto fail;
    elfs_client_result_select(result, 0);
    *out = result;
    return ELFS_OK;
fail:
    elfs_client_result_free(result);
    return code == ELFS_NOMEM ? code : ELFS_MALFORMED;
}

void elfs_client_result_free(struct elfs_client_result *result) {
    if (!result) return;
    elfs_free(result->bytes);
    elfs_free(result->parts);
    elfs_free(result->row);
    elfs_free(result);
}

size_t elfs_client_result_count(const struct elfs_client_result *result) { return result->count; }

bool elfs_client_result_select(struct elfs_client_result *result, size_t i) {
    if (i >= result->count) return false;
    const struct part *part = &result->parts[i];
    result->at = i;
    result->on_row = false;
    result->items = (struct elfs_items){.left = 0};
    result->reader = elfs_reader_of(part->rows);
    if (part->rows.len > 0) elfs_term_items_begin(&result->reader, &result->items);
    return true;
}

/* A transaction of no statement has a result of none: all of it is zero then. */
static const struct part *part_of(const struct elfs_client_result *result) {
    return &result->parts[result->at];
}

size_t elfs_client_result_columns(const struct elfs_client_result *result) {
    return part_of(result)->columns;
}

int64_t elfs_client_result_num_rows(const struct elfs_client_result *result) {
    return part_of(result)->num_rows;
}

int64_t elfs_client_result_changes(const struct elfs_client_result *result) {
    return part_of(result)->changes;
}

int64_t elfs_client_result_last_insert_rowid(const struct elfs_client_result *result) {
    return part_of(result)->last_insert_rowid;
}

struct elfs_client_position elfs_client_result_position(const struct elfs_client_result *result) {
    const struct elfs_position *position = &part_of(result)->position;
    return (struct elfs_client_position){position->known, position->txid, position->checksum};
}

bool elfs_client_result_repeated(const struct elfs_client_result *result) {
    return part_of(result)->repeated;
}

int64_t elfs_client_result_acked(const struct elfs_client_result *result) {
    return part_of(result)->acked;
}

struct elfs_client_bytes elfs_client_result_name(const struct elfs_client_result *result,
                                                 size_t column) {
    const struct part *part = part_of(result);
    struct elfs_reader r = elfs_reader_of(part->names);
    struct elfs_items items;
    struct elfs_view name = ELFS_VIEW_NONE;
    if (column < part->columns && elfs_term_items_begin(&r, &items) == ELFS_OK) {
        for (size_t i = 0; i <= column; i++) elfs_term_items_next(&r, &items, &name);
        r = elfs_reader_of(name);
        if (elfs_term_binary(&r, &name) != ELFS_OK) name = ELFS_VIEW_NONE;
    }
    return (struct elfs_client_bytes){name.data, name.len};
}

bool elfs_client_result_next(struct elfs_client_result *result) {
    struct elfs_view item = ELFS_VIEW_NONE;
    result->on_row = result->items.left > 0 &&
                     elfs_term_items_next(&result->reader, &result->items, &item) == ELFS_OK &&
                     read_row(item, part_of(result)->columns, result->row) == ELFS_OK;
    return result->on_row;
}

struct elfs_client_value elfs_client_result_value(const struct elfs_client_result *result,
                                                  size_t column) {
    if (!result->on_row || column >= part_of(result)->columns)
        return (struct elfs_client_value){.type = ELFS_CLIENT_NULL};
    return result->row[column];
}

bool elfs_client_result_int(const struct elfs_client_result *result, size_t column,
                            int64_t *value) {
    struct elfs_client_value found = elfs_client_result_value(result, column);
    if (found.type != ELFS_CLIENT_INTEGER) return false;
    *value = found.as.integer;
    return true;
}

bool elfs_client_result_real(const struct elfs_client_result *result, size_t column,
                             double *value) {
    struct elfs_client_value found = elfs_client_result_value(result, column);
    if (found.type != ELFS_CLIENT_REAL && found.type != ELFS_CLIENT_INTEGER) return false;
    *value = found.type == ELFS_CLIENT_REAL ? found.as.real : (double)found.as.integer;
    return true;
}

bool elfs_client_result_bytes(const struct elfs_client_result *result, size_t column,
                              struct elfs_client_bytes *value) {
    struct elfs_client_value found = elfs_client_result_value(result, column);
    if (found.type != ELFS_CLIENT_TEXT && found.type != ELFS_CLIENT_BLOB) return false;
    *value = found.as.bytes;
    return true;
}
