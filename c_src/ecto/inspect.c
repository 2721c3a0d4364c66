/* inspect - see inspect.h. */
#include "ecto/inspect.h"

#include <stdio.h>

#include "codec/struct_text.h"
#include "ecto/float_text.h"
#include "ecto/json.h"
#include "ecto/make.h"
#include "ecto/peek.h"

#define DEPTH_MAX 5
#define ITEMS_MAX 50

static void put_int(struct elfs_buf *buf, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    elfs_ecto_puts(buf, text);
}

static bool is_module(struct elfs_view text) {
    static const char prefix[] = "Elixir.";
    return text.len > sizeof prefix - 1 && memcmp(text.data, prefix, sizeof prefix - 1) == 0;
}

static void put_module(struct elfs_buf *buf, struct elfs_view text) {
    elfs_buf_append(buf, text.data + 7, text.len - 7);
}

static bool is_word(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* An atom that needs no quotes: a word that does not begin with a digit, and may end in ? or !. */
static bool is_plain(struct elfs_view text) {
    if (text.len == 0 || (text.data[0] >= '0' && text.data[0] <= '9')) return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool last = i > 0 && i + 1 == text.len;
        if (!is_word(c) && !(last && (c == '?' || c == '!'))) return false;
    }
    return true;
}

static void put_quoted(struct elfs_buf *buf, struct elfs_view text) {
    static const char plain[] = "\"\\\a\b\x1b\f\n\r\t\v", letters[] = "\"\\abefnrtv";
    elfs_buf_put_u8(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        const char *escaped = c ? strchr(plain, c) : NULL;
        bool interpolates = c == '#' && i + 1 < text.len && text.data[i + 1] == '{';
        if (escaped || interpolates) elfs_buf_put_u8(buf, '\\');
        elfs_buf_put_u8(buf, escaped ? (uint8_t)letters[escaped - plain] : c);
    }
    elfs_buf_put_u8(buf, '"');
}

void elfs_ecto_inspect_atom(struct elfs_buf *buf, struct elfs_view text) {
    bool bare =
        elfs_view_is(text, "nil") || elfs_view_is(text, "true") || elfs_view_is(text, "false");
    if (is_module(text)) {
        put_module(buf, text);
        return;
    }
    if (!bare) elfs_buf_put_u8(buf, ':');
    if (is_plain(text)) {
        elfs_buf_append_view(buf, text);
    } else {
        put_quoted(buf, text);
    }
}

static bool is_printable(struct elfs_view bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.data[i];
        bool escaped = (c >= 7 && c <= 13) || c == 27;
        if ((c < 0x20 && !escaped) || c == 0x7F) return false;
    }
    return elfs_utf8_is_valid(bytes);
}

void elfs_ecto_inspect_binary(struct elfs_buf *buf, struct elfs_view bytes) {
    if (is_printable(bytes)) {
        put_quoted(buf, bytes);
        return;
    }
    elfs_ecto_puts(buf, "<<");
    for (size_t i = 0; i < bytes.len && i < ITEMS_MAX; i++) {
        if (i > 0) elfs_ecto_puts(buf, ", ");
        put_int(buf, bytes.data[i]);
    }
    elfs_ecto_puts(buf, bytes.len > ITEMS_MAX ? ", ...>>" : ">>");
}

static void put_term(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                     int depth);

static void put_number(struct elfs_buf *buf, struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    char text[ELFS_FLOAT_TEXT_MAX];
    int64_t integer;
    double real;
    if (elfs_term_float(&r, &real) == ELFS_OK) {
        elfs_float_text(real, text);
        elfs_ecto_puts(buf, text);
    } else if (elfs_term_int64(&r, &integer) == ELFS_OK) {
        put_int(buf, integer);
    } else {
        elfs_ecto_puts(buf, "...");
    }
}

/* "key: ", as keyword lists and maps of such keys have it. */
static void put_key(struct elfs_buf *buf, struct elfs_view name) {
    if (is_plain(name)) {
        elfs_buf_append_view(buf, name);
    } else {
        put_quoted(buf, name);
    }
    elfs_ecto_puts(buf, ": ");
}

static bool is_key(struct elfs_view term) {
    return elfs_ecto_is(term, ELFS_TERM_ATOM) && !is_module(elfs_ecto_atom(term));
}

static bool is_keywords(struct elfs_view term) {
    struct elfs_ecto_list list;
    struct elfs_view item, pair[2];
    elfs_ecto_list_begin(term, &list);
    if (list.items.left == 0) return false;
    while (elfs_ecto_list_next(&list, &item)) {
        if (!elfs_ecto_tuple(item, 2, pair) || !is_key(pair[0])) return false;
    }
    return !list.improper;
}

static void put_list(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                     int depth) {
    struct elfs_ecto_list list;
    struct elfs_view item, pair[2];
    bool keywords = is_keywords(term);
    elfs_ecto_list_begin(term, &list);
    elfs_ecto_puts(buf, "[");
    for (size_t i = 0; i <= ITEMS_MAX && elfs_ecto_list_next(&list, &item); i++) {
        if (i > 0) elfs_ecto_puts(buf, ", ");
        if (i < ITEMS_MAX && keywords && elfs_ecto_tuple(item, 2, pair)) {
            put_key(buf, elfs_ecto_atom(pair[0]));
            put_term(buf, pair[1], arena, depth);
        } else if (i < ITEMS_MAX) {
            put_term(buf, item, arena, depth);
        } else {
            elfs_ecto_puts(buf, "...");
        }
    }
    elfs_ecto_puts(buf, "]");
}

static void put_tuple(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                      int depth) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view item;
    size_t arity;
    if (elfs_term_tuple(&r, &arity) != ELFS_OK) return;
    elfs_ecto_puts(buf, "{");
    for (size_t i = 0; i < arity && i < ITEMS_MAX && elfs_term_skip(&r, &item) == ELFS_OK; i++) {
        if (i > 0) elfs_ecto_puts(buf, ", ");
        put_term(buf, item, arena, depth);
    }
    elfs_ecto_puts(buf, arity > ITEMS_MAX ? ", ...}" : "}");
}

/* A sigil, or the name alone. */
static void put_struct(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena) {
    static const struct {
        const char *name, *before, *after;
    } shown[] = {
        {"Elixir.Date", "~D[", "]"},
        {"Elixir.Time", "~T[", "]"},
        {"Elixir.NaiveDateTime", "~N[", "]"},
        {"Elixir.DateTime", "~U[", "Z]"},
    };
    struct elfs_view name = elfs_ecto_struct(term), text;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (!elfs_view_is(name, shown[i].name) ||
            elfs_struct_text(term, arena, &text, NULL) != ELFS_OK)
            continue;
        elfs_ecto_puts(buf, shown[i].before);
        for (size_t k = 0; k < text.len; k++)
            elfs_buf_put_u8(buf, text.data[k] == 'T' ? ' ' : text.data[k]);
        elfs_ecto_puts(buf, shown[i].after);
        return;
    }
    elfs_ecto_puts(buf, "#");
    if (is_module(name)) put_module(buf, name);
    elfs_ecto_puts(buf, "<...>");
}

/* The keys are all atoms, and no modules. */
static bool has_keys_only(struct elfs_reader r, size_t pairs) {
    struct elfs_view key;
    for (; pairs > 0; pairs--) {
        if (elfs_term_skip(&r, &key) != ELFS_OK || !is_key(key)) return false;
        if (elfs_term_skip(&r, NULL) != ELFS_OK) return false;
    }
    return true;
}

static void put_map(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                    int depth) {
    struct elfs_reader r = elfs_reader_of(term);
    size_t pairs;
    if (elfs_term_map(&r, &pairs) != ELFS_OK) return;
    bool keys_only = has_keys_only(r, pairs);
    elfs_ecto_puts(buf, "%{");
    for (size_t i = 0; i < pairs && i < ITEMS_MAX; i++) {
        struct elfs_view key, value;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &value) != ELFS_OK) return;
        if (i > 0) elfs_ecto_puts(buf, ", ");
        if (keys_only) {
            put_key(buf, elfs_ecto_atom(key));
        } else {
            put_term(buf, key, arena, depth);
            elfs_ecto_puts(buf, " => ");
        }
        put_term(buf, value, arena, depth);
    }
    elfs_ecto_puts(buf, pairs > ITEMS_MAX ? ", ...}" : "}");
}

static void put_term(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena,
                     int depth) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_term_kind kind;
    if (depth == DEPTH_MAX || elfs_term_peek(&r, &kind) != ELFS_OK) {
        elfs_ecto_puts(buf, "...");
        return;
    }
    switch (kind) {
    case ELFS_TERM_INTEGER:
    case ELFS_TERM_FLOAT: put_number(buf, term); break;
    case ELFS_TERM_ATOM: elfs_ecto_inspect_atom(buf, elfs_ecto_atom(term)); break;
    case ELFS_TERM_BINARY: elfs_ecto_inspect_binary(buf, elfs_ecto_binary(term)); break;
    case ELFS_TERM_LIST:
    case ELFS_TERM_STRING:
    case ELFS_TERM_NIL: put_list(buf, term, arena, depth + 1); break;
    case ELFS_TERM_TUPLE: put_tuple(buf, term, arena, depth + 1); break;
    case ELFS_TERM_MAP:
        if (elfs_ecto_struct(term).len > 0) {
            put_struct(buf, term, arena);
        } else {
            put_map(buf, term, arena, depth + 1);
        }
        break;
    default: elfs_ecto_puts(buf, "..."); break;
    }
}

void elfs_ecto_inspect(struct elfs_buf *buf, struct elfs_view term, struct elfs_arena *arena) {
    put_term(buf, term, arena, 0);
}

/* The names of an Ecto.Enum, in the order in which they were declared. */
static void put_enum(struct elfs_buf *buf, const struct elfs_ecto_type *type,
                     struct elfs_arena *arena) {
    struct elfs_view mapping, pair[2];
    struct elfs_ecto_list list;
    if (!elfs_ecto_list_begin(elfs_ecto_key(type->detail, "mappings"), &list)) {
        elfs_ecto_inspect(buf, type->term, arena);
        return;
    }
    elfs_ecto_puts(buf, "#Ecto.Enum<values: [");
    for (bool first = true; elfs_ecto_list_next(&list, &mapping); first = false) {
        if (!elfs_ecto_tuple(mapping, 2, pair)) break;
        if (!first) elfs_ecto_puts(buf, ", ");
        elfs_ecto_inspect(buf, pair[0], arena);
    }
    elfs_ecto_puts(buf, "]>");
}

void elfs_ecto_inspect_type(struct elfs_buf *buf, const struct elfs_ecto_type *type,
                            struct elfs_arena *arena) {
    struct elfs_ecto_type inner = *type;
    size_t depth = 0;
    for (; inner.kind == ELFS_ECTO_ARRAY || inner.kind == ELFS_ECTO_MAP_OF; depth++) {
        elfs_ecto_puts(buf, inner.kind == ELFS_ECTO_ARRAY ? "{:array, " : "{:map, ");
        inner = elfs_ecto_type_read(inner.detail);
    }
    if (inner.kind == ELFS_ECTO_ENUM) {
        put_enum(buf, &inner, arena);
    } else {
        elfs_ecto_inspect(buf, inner.term, arena);
    }
    for (; depth > 0; depth--) elfs_ecto_puts(buf, "}");
}
