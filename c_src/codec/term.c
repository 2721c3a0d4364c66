/* term - see term.h. Typed readers over term_head.
 *
 * Skipping keeps a count of the terms that are still owed instead of a stack, so that no nesting
 * costs anything; each owed term needs a byte at least, which bounds the count.
 */
#include "codec/term.h"

#include "codec/term_head.h"

struct elfs_reader elfs_reader_of(struct elfs_view view) {
    if (view.len == 0) return (struct elfs_reader){view.data, view.data};
    return (struct elfs_reader){view.data, view.data + view.len};
}

size_t elfs_reader_left(const struct elfs_reader *r) { return (size_t)(r->end - r->pos); }

/* Steps over the head of a term of the commonest kinds, sound ones only, without taking it apart: skipping is most
 * of what reading a large term costs. False for all others, which elfs_term_head then reads. */
static bool step_over(struct elfs_reader *at, size_t *nested) {
    const uint8_t *p = at->pos;
    size_t left = (size_t)(at->end - p);
    size_t size = 2;
    size_t count = 0;
    *nested = 0;
    if (left < 5) return false;
    switch (p[0]) {
    case ELFS_TAG_NIL: size = 1; break;
    case ELFS_TAG_SMALL_INTEGER: break;
    case ELFS_TAG_INTEGER: size = 5; break;
    case ELFS_TAG_SMALL_ATOM:
    case ELFS_TAG_SMALL_ATOM_UTF8: size += p[1]; break;
    case ELFS_TAG_SMALL_TUPLE: *nested = p[1]; break;
    case ELFS_TAG_BINARY:
    case ELFS_TAG_LIST:
    case ELFS_TAG_MAP:
        count = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
        if (count > left) return false;
        size = p[0] == ELFS_TAG_BINARY ? 5 + count : 5;
        if (p[0] == ELFS_TAG_LIST) *nested = count + 1;
        if (p[0] == ELFS_TAG_MAP) *nested = 2 * count;
        break;
    default: return false;
    }
    if (size > left) return false;
    at->pos = p + size;
    return true;
}

/* What is owed in a closure is counted apart, up to the end that its Size field says, so that a
 * verdict depends on a term's own bytes, not on what follows it. Of closures in a closure the Size
 * need only fit: exactness would take a stack. */
static enum elfs_code skip(struct elfs_reader *r, bool checked, struct elfs_view *term) {
    struct elfs_reader at = *r;
    size_t owed = 1, outside = 0;
    bool in_fun = false;
    while (owed > 0) {
        struct elfs_term_head head = {.kind = ELFS_TERM_NIL};
        enum elfs_code code = ELFS_OK;
        if (!step_over(&at, &head.nested)) code = elfs_term_head(&at, &head);
        if (code != ELFS_OK) return code;
        owed--;
        if (head.kind == ELFS_TERM_FUN && checked) {
            at.pos = head.bytes.data + head.bytes.len;
            head.nested = 0;
        } else if (head.kind == ELFS_TERM_FUN && !in_fun) {
            in_fun = true;
            outside = owed;
            owed = 0;
            at.end = head.bytes.data + head.bytes.len;
        }
        size_t left = elfs_reader_left(&at);
        if (owed > left || head.nested > left - owed) return ELFS_MALFORMED;
        owed += head.nested;
        if (owed == 0 && in_fun) {
            if (at.pos != at.end) return ELFS_MALFORMED;
            in_fun = false;
            owed = outside;
            at.end = r->end;
        }
    }
    if (term) *term = (struct elfs_view){r->pos, (size_t)(at.pos - r->pos)};
    *r = at;
    return ELFS_OK;
}

enum elfs_code elfs_term_skip(struct elfs_reader *r, struct elfs_view *term) {
    return skip(r, false, term);
}

enum elfs_code elfs_term_skip_checked(struct elfs_reader *r, struct elfs_view *term) {
    return skip(r, true, term);
}

enum elfs_code elfs_term_version(struct elfs_reader *r) {
    if (elfs_reader_left(r) < 1 || *r->pos != ELFS_TERM_VERSION) return ELFS_MALFORMED;
    r->pos++;
    return ELFS_OK;
}

/* Reads the head of a term that must be of this kind; on failure *r stays. */
static enum elfs_code expect(struct elfs_reader *r, enum elfs_term_kind kind,
                             struct elfs_term_head *head) {
    struct elfs_reader at = *r;
    enum elfs_code code = elfs_term_head(&at, head);
    if (code != ELFS_OK) return code;
    if (head->kind != kind) return ELFS_BADARG;
    *r = at;
    return ELFS_OK;
}

static enum elfs_code expect_bytes(struct elfs_reader *r, enum elfs_term_kind kind,
                                   struct elfs_view *bytes) {
    struct elfs_term_head head;
    enum elfs_code code = expect(r, kind, &head);
    if (code == ELFS_OK) *bytes = head.bytes;
    return code;
}

static enum elfs_code expect_count(struct elfs_reader *r, enum elfs_term_kind kind, size_t *count) {
    struct elfs_term_head head;
    enum elfs_code code = expect(r, kind, &head);
    if (code == ELFS_OK) *count = head.count;
    return code;
}

static enum elfs_code expect_whole(struct elfs_reader *r, enum elfs_term_kind kind,
                                   struct elfs_view *term) {
    struct elfs_reader at = *r;
    struct elfs_term_head head;
    enum elfs_code code = expect(&at, kind, &head);
    return code == ELFS_OK ? elfs_term_skip(r, term) : code;
}

static int64_t small_value(const struct elfs_term_head *head) {
    const uint8_t *b = head->bytes.data;
    if (head->tag == ELFS_TAG_SMALL_INTEGER) return b[0];
    uint32_t bits = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return (int32_t)bits;
}

/* The sign and magnitude of any integer; small ones are written into scratch. */
static void magnitude_of(const struct elfs_term_head *head, int *sign, struct elfs_view *magnitude,
                         uint8_t scratch[8]) {
    *sign = head->sign;
    *magnitude = head->bytes;
    if (head->tag == ELFS_TAG_SMALL_INTEGER || head->tag == ELFS_TAG_INTEGER) {
        int64_t value = small_value(head);
        *sign = value < 0;
        uint64_t rest = (uint64_t)(value < 0 ? -value : value);
        for (int i = 0; i < 8; i++, rest >>= 8) scratch[i] = (uint8_t)rest;
        *magnitude = (struct elfs_view){scratch, 8};
    }
    while (magnitude->len > 0 && magnitude->data[magnitude->len - 1] == 0) magnitude->len--;
    if (magnitude->len == 0) *sign = 0;
}

enum elfs_code elfs_term_integer(struct elfs_reader *r, int *sign, struct elfs_view *magnitude,
                                 uint8_t scratch[8]) {
    struct elfs_term_head head;
    enum elfs_code code = expect(r, ELFS_TERM_INTEGER, &head);
    if (code == ELFS_OK) magnitude_of(&head, sign, magnitude, scratch);
    return code;
}

enum elfs_code elfs_term_int64(struct elfs_reader *r, int64_t *value) {
    struct elfs_reader at = *r;
    struct elfs_term_head head;
    int sign;
    struct elfs_view magnitude;
    uint8_t scratch[8];
    enum elfs_code code = expect(&at, ELFS_TERM_INTEGER, &head);
    if (code != ELFS_OK) return code;
    if (head.tag == ELFS_TAG_SMALL_INTEGER || head.tag == ELFS_TAG_INTEGER) {
        *value = small_value(&head);
        *r = at;
        return ELFS_OK;
    }
    magnitude_of(&head, &sign, &magnitude, scratch);
    if (magnitude.len > 8) return ELFS_LIMIT;
    uint64_t bits = 0;
    for (size_t i = magnitude.len; i > 0; i--) bits = bits << 8 | magnitude.data[i - 1];
    if (bits > (uint64_t)INT64_MAX + (uint64_t)sign) return ELFS_LIMIT;
    *value = (int64_t)(sign ? -bits : bits);
    *r = at;
    return ELFS_OK;
}

enum elfs_code elfs_term_uint64(struct elfs_reader *r, uint64_t *value) {
    struct elfs_reader at = *r;
    int sign;
    struct elfs_view magnitude;
    uint8_t scratch[8];
    enum elfs_code code = elfs_term_integer(&at, &sign, &magnitude, scratch);
    if (code != ELFS_OK) return code;
    if (sign || magnitude.len > 8) return ELFS_LIMIT;
    *value = 0;
    for (size_t i = magnitude.len; i > 0; i--) *value = *value << 8 | magnitude.data[i - 1];
    *r = at;
    return ELFS_OK;
}

enum elfs_code elfs_term_float(struct elfs_reader *r, double *value) {
    struct elfs_view bytes;
    enum elfs_code code = expect_bytes(r, ELFS_TERM_FLOAT, &bytes);
    if (code != ELFS_OK) return code;
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; i++) bits = bits << 8 | bytes.data[i];
    memcpy(value, &bits, sizeof bits);
    return ELFS_OK;
}

/* The form that every peer sends first: keys of maps make it the commonest of all reads. */
enum elfs_code elfs_term_atom(struct elfs_reader *r, struct elfs_view *text) {
    const uint8_t *p = r->pos;
    size_t left = elfs_reader_left(r);
    if (left >= 2 && p[0] == ELFS_TAG_SMALL_ATOM_UTF8 && p[1] <= left - 2) {
        *text = (struct elfs_view){p + 2, p[1]};
        r->pos = p + 2 + p[1];
        return ELFS_OK;
    }
    return expect_bytes(r, ELFS_TERM_ATOM, text);
}

enum elfs_code elfs_term_binary(struct elfs_reader *r, struct elfs_view *bytes) {
    return expect_bytes(r, ELFS_TERM_BINARY, bytes);
}

enum elfs_code elfs_term_string(struct elfs_reader *r, struct elfs_view *bytes) {
    return expect_bytes(r, ELFS_TERM_STRING, bytes);
}

enum elfs_code elfs_term_tuple(struct elfs_reader *r, size_t *arity) {
    return expect_count(r, ELFS_TERM_TUPLE, arity);
}

enum elfs_code elfs_term_map(struct elfs_reader *r, size_t *pairs) {
    return expect_count(r, ELFS_TERM_MAP, pairs);
}

enum elfs_code elfs_term_list(struct elfs_reader *r, size_t *count, bool *tail) {
    enum elfs_code code = expect_count(r, ELFS_TERM_NIL, count);
    *tail = code == ELFS_BADARG;
    return *tail ? expect_count(r, ELFS_TERM_LIST, count) : code;
}

enum elfs_code elfs_term_pid(struct elfs_reader *r, struct elfs_view *term) {
    return expect_whole(r, ELFS_TERM_PID, term);
}

enum elfs_code elfs_term_ref(struct elfs_reader *r, struct elfs_view *term) {
    return expect_whole(r, ELFS_TERM_REF, term);
}

/* A string's bytes stay ahead of the reader, which items_next moves over one by one. */
enum elfs_code elfs_term_items_begin(struct elfs_reader *r, struct elfs_items *items) {
    *items = (struct elfs_items){0};
    struct elfs_view bytes;
    enum elfs_code code = expect_bytes(r, ELFS_TERM_STRING, &bytes);
    if (code == ELFS_BADARG) return elfs_term_list(r, &items->left, &items->tail);
    if (code != ELFS_OK) return code;
    items->string = true;
    items->left = bytes.len;
    r->pos -= bytes.len;
    return ELFS_OK;
}

enum elfs_code elfs_term_items_next(struct elfs_reader *r, struct elfs_items *items,
                                    struct elfs_view *item) {
    if (items->string) {
        items->scratch[0] = ELFS_TAG_SMALL_INTEGER;
        items->scratch[1] = *r->pos++;
        *item = (struct elfs_view){items->scratch, sizeof items->scratch};
    } else {
        enum elfs_code code = elfs_term_skip(r, item);
        if (code != ELFS_OK) return code;
    }
    items->left--;
    return ELFS_OK;
}

enum elfs_code elfs_term_items_end(struct elfs_reader *r, struct elfs_items *items) {
    struct elfs_term_head head;
    return items->tail ? expect(r, ELFS_TERM_NIL, &head) : ELFS_OK;
}
