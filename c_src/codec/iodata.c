/* iodata - flattens iodata: elfs_iodata_of_term of params.h.
 *
 * Lists are walked with a stack of the elements that each open list still owes. A list is popped
 * before its tail is read, so that only nesting proper takes room.
 */
#include "codec/params.h"
#include "codec/term_head.h"

#define STACK_START 16

struct flatten {
    struct elfs_reader r;
    struct elfs_arena *arena;
    uint8_t *out;
    size_t len;
    size_t *owed;
    size_t depth;
    size_t cap;
};

static void append(struct flatten *f, struct elfs_view bytes) {
    if (bytes.len > 0) memcpy(f->out + f->len, bytes.data, bytes.len);
    f->len += bytes.len;
}

static enum elfs_code push(struct flatten *f, size_t count) {
    if (f->depth == f->cap) {
        size_t *owed = elfs_arena_array(f->arena, f->cap * 2, sizeof *owed);
        if (!owed) return ELFS_NOMEM;
        memcpy(owed, f->owed, f->depth * sizeof *owed);
        f->owed = owed;
        f->cap *= 2;
    }
    f->owed[f->depth++] = count;
    return ELFS_OK;
}

/* Reads one term; a list is opened, not read. Neither a tail nor the whole may be a byte. */
static enum elfs_code take_part(struct flatten *f, bool byte_allowed) {
    struct elfs_term_head head;
    enum elfs_code code = elfs_term_head(&f->r, &head);
    if (code != ELFS_OK) return code;
    switch (head.tag) {
    case ELFS_TAG_BINARY:
    case ELFS_TAG_STRING: append(f, head.bytes); return ELFS_OK;
    case ELFS_TAG_NIL: return ELFS_OK;
    case ELFS_TAG_LIST: return push(f, head.count);
    case ELFS_TAG_SMALL_INTEGER:
        if (!byte_allowed) return ELFS_BADARG;
        append(f, head.bytes);
        return ELFS_OK;
    default: return ELFS_BADARG;
    }
}

static enum elfs_code flatten(struct flatten *f) {
    bool element = false;
    for (;;) {
        enum elfs_code code = take_part(f, element);
        if (code != ELFS_OK) return code;
        if (f->depth == 0) return ELFS_OK;
        size_t *owed = &f->owed[f->depth - 1];
        element = *owed > 0;
        if (element) {
            --*owed;
        } else {
            f->depth--;
        }
    }
}

/* Every byte of the result took one of the term at least, so the term's size is enough. */
static enum elfs_code flatten_list(struct elfs_view term, struct elfs_arena *arena,
                                   struct elfs_view *bytes) {
    size_t stack[STACK_START];
    struct flatten f = {
        .r = elfs_reader_of(term), .arena = arena, .owed = stack, .cap = STACK_START};
    f.out = elfs_arena_alloc(arena, term.len);
    if (!f.out) return ELFS_NOMEM;
    enum elfs_code code = flatten(&f);
    if (code == ELFS_OK) *bytes = (struct elfs_view){f.out, f.len};
    return code;
}

enum elfs_code elfs_iodata_of_term(struct elfs_view term, struct elfs_arena *arena,
                                   struct elfs_view *bytes) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_term_head head;
    enum elfs_code code = elfs_term_head(&r, &head);
    if (code != ELFS_OK) return code;
    switch (head.kind) {
    case ELFS_TERM_BINARY:
    case ELFS_TERM_STRING: *bytes = head.bytes; return ELFS_OK;
    case ELFS_TERM_NIL: *bytes = (struct elfs_view){term.data, 0}; return ELFS_OK;
    case ELFS_TERM_LIST: return flatten_list(term, arena, bytes);
    default: return ELFS_BADARG;
    }
}
