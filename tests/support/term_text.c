/* term_text - see term_text.h. */
#include "term_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/put.h"
#include "codec/term.h"
#include "codec/term_head.h"
#include "vectors.h"

struct parser {
    const char *start;
    const char *at;
    struct elfs_buf buf;
};

static void parse(struct parser *p);

static void blank(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\n') p->at++;
}

static bool take(struct parser *p, const char *word) {
    blank(p);
    if (strncmp(p->at, word, strlen(word)) != 0) return false;
    p->at += strlen(word);
    return true;
}

static void expect(struct parser *p, const char *word) {
    if (!take(p, word)) fail_msg("expected %s at ...%.60s", word, p->at);
}

/* Up to a quote; \" \\ and \n are escapes. */
static size_t quoted(struct parser *p, char quote, char *out, size_t size) {
    size_t n = 0;
    for (; *p->at && *p->at != quote; p->at++) {
        char c = *p->at;
        if (c == '\\') c = *++p->at == 'n' ? '\n' : *p->at;
        if (n == size) fail_msg("too long: %s", p->start);
        out[n++] = c;
    }
    if (*p->at != quote) fail_msg("no closing quote: %s", p->start);
    p->at++;
    return n;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("_@", c);
}

static void parse_atom(struct parser *p, char *text) {
    size_t n = 0;
    if (take(p, "'")) {
        n = quoted(p, '\'', text, 255);
    } else {
        while (*p->at && is_word(*p->at) && n < 255) text[n++] = *p->at++;
        if (n == 0) fail_msg("no term at ...%.60s", p->at);
    }
    text[n] = '\0';
}

static void parse_number(struct parser *p) {
    char *end, *real_end;
    long long integer = strtoll(p->at, &end, 10);
    double real = strtod(p->at, &real_end);
    if (real_end > end) {
        elfs_put_float(&p->buf, real);
    } else {
        elfs_put_int64(&p->buf, integer);
    }
    p->at = real_end;
}

/* <<"text">> or <<1,2>> */
static void parse_binary(struct parser *p) {
    char bytes[4096];
    size_t n = 0;
    if (take(p, "\"")) {
        n = quoted(p, '"', bytes, sizeof bytes);
    } else {
        for (; !take(p, ">>"); take(p, ",")) {
            char *end;
            bytes[n++] = (char)strtol(p->at, &end, 10);
            if (end == p->at) fail_msg("no byte at ...%.60s", p->at);
            p->at = end;
        }
        p->at -= 2;
    }
    expect(p, ">>");
    elfs_put_binary(&p->buf, (struct elfs_view){(const uint8_t *)bytes, n});
}

/* The elements up to close, each a term or a pair; their number. */
static size_t parse_elements(struct parser *p, const char *close, bool pairs) {
    size_t n = 0;
    for (; !take(p, close); n++) {
        if (n > 0) expect(p, ",");
        parse(p);
        if (pairs) {
            expect(p, "=>");
            parse(p);
        }
        if (take(p, "|")) {
            parse(p);
            expect(p, close);
            return SIZE_MAX - n - 1; /* the tail is written */
        }
    }
    return n;
}

static void parse_list(struct parser *p) {
    size_t mark = p->buf.len;
    elfs_put_list_header(&p->buf, 1);
    size_t n = parse_elements(p, "]", false);
    bool tail = n > SIZE_MAX / 2;
    if (tail) n = SIZE_MAX - n;
    if (n == 0) {
        elfs_buf_truncate(&p->buf, mark);
    } else {
        elfs_buf_patch_be32(&p->buf, mark + 1, (uint32_t)n);
    }
    if (!tail) elfs_put_nil(&p->buf);
}

static void parse_tuple(struct parser *p) {
    size_t mark = p->buf.len;
    elfs_buf_put_u8(&p->buf, ELFS_TAG_LARGE_TUPLE);
    elfs_buf_put_be32(&p->buf, 0);
    elfs_buf_patch_be32(&p->buf, mark + 1, (uint32_t)parse_elements(p, "}", false));
}

static void parse_map(struct parser *p) {
    size_t mark = p->buf.len;
    elfs_put_map_header(&p->buf, 0);
    elfs_buf_patch_be32(&p->buf, mark + 1, (uint32_t)parse_elements(p, "}", true));
}

static void parse_string(struct parser *p) {
    char text[1024];
    size_t n = quoted(p, '"', text, sizeof text);
    elfs_buf_put_u8(&p->buf, ELFS_TAG_STRING);
    elfs_buf_put_be16(&p->buf, (uint16_t)n);
    elfs_buf_append(&p->buf, text, n);
}

/* fun M:F/A */
static void parse_export(struct parser *p) {
    char atom[256];
    elfs_buf_put_u8(&p->buf, ELFS_TAG_EXPORT);
    for (int i = 0; i < 2; i++) {
        if (i == 1) expect(p, ":");
        parse_atom(p, atom);
        elfs_put_atom(&p->buf, atom);
    }
    expect(p, "/");
    parse_number(p);
}

static void parse(struct parser *p) {
    char atom[256];
    blank(p);
    if (take(p, "#{")) {
        parse_map(p);
    } else if (take(p, "{")) {
        parse_tuple(p);
    } else if (take(p, "[")) {
        parse_list(p);
    } else if (take(p, "<<")) {
        parse_binary(p);
    } else if (take(p, "\"")) {
        parse_string(p);
    } else if (take(p, "fun ")) {
        parse_export(p);
    } else if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9')) {
        parse_number(p);
    } else {
        parse_atom(p, atom);
        elfs_put_atom(&p->buf, atom);
    }
}

struct elfs_view term_parse(const char *text) {
    struct parser p = {.start = text, .at = text};
    elfs_buf_init(&p.buf, SIZE_MAX);
    parse(&p);
    blank(&p);
    if (*p.at) fail_msg("after the term: ...%.60s", p.at);
    assert_int_equal(p.buf.status, ELFS_OK);
    struct elfs_view term = exact_copy((struct elfs_view){p.buf.data, p.buf.len});
    elfs_buf_fini(&p.buf);
    return term;
}

/* Text that grows; with the C library's allocator, which fail_alloc leaves alone. */
struct text {
    char *bytes;
    size_t len;
    size_t cap;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t n = (size_t)vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (t->len + n >= t->cap) {
        t->cap = (t->len + n) * 2 + 64;
        t->bytes = (realloc)(t->bytes, t->cap);
        assert_non_null(t->bytes);
    }
    vsnprintf(t->bytes + t->len, n + 1, format, again);
    va_end(again);
    t->len += n;
}

static void print(struct text *t, struct elfs_reader *r);

static void add_quoted(struct text *t, struct elfs_view bytes, char quote) {
    for (size_t i = 0; i < bytes.len; i++) {
        char c = (char)bytes.data[i];
        if (c == '\n') {
            add(t, "\\n");
        } else {
            add(t, c == quote || c == '\\' ? "\\%c" : "%c", c);
        }
    }
}

static void print_atom(struct text *t, struct elfs_view text) {
    bool bare = text.len > 0 && text.data[0] >= 'a' && text.data[0] <= 'z';
    for (size_t i = 0; bare && i < text.len; i++) bare = is_word((char)text.data[i]);
    if (!bare) add(t, "'");
    add_quoted(t, text, '\'');
    if (!bare) add(t, "'");
}

static void print_binary(struct text *t, struct elfs_view bytes) {
    bool plain = true;
    for (size_t i = 0; i < bytes.len; i++)
        plain = plain && (bytes.data[i] == '\n' || bytes.data[i] >= ' ') && bytes.data[i] != 127;
    add(t, "<<");
    if (plain) {
        add(t, "\"");
        add_quoted(t, bytes, '"');
        add(t, "\"");
    }
    for (size_t i = 0; !plain && i < bytes.len; i++) add(t, "%s%d", i ? "," : "", bytes.data[i]);
    add(t, ">>");
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_map(struct text *t, struct elfs_reader *r) {
    size_t pairs;
    assert_int_equal(elfs_term_map(r, &pairs), ELFS_OK);
    char **texts = (calloc)(pairs + 1, sizeof *texts);
    for (size_t i = 0; i < pairs; i++) {
        struct text pair = {0};
        print(&pair, r);
        add(&pair, " => ");
        print(&pair, r);
        texts[i] = pair.bytes;
    }
    qsort(texts, pairs, sizeof *texts, compare_texts);
    add(t, "#{");
    for (size_t i = 0; i < pairs; i++) {
        add(t, "%s%s", i ? "," : "", texts[i]);
        (free)(texts[i]);
    }
    add(t, "}");
    (free)(texts);
}

static void print_items(struct text *t, struct elfs_reader *r) {
    struct elfs_items items;
    struct elfs_view item;
    assert_int_equal(elfs_term_items_begin(r, &items), ELFS_OK);
    add(t, "[");
    for (bool first = true; items.left > 0; first = false) {
        assert_int_equal(elfs_term_items_next(r, &items, &item), ELFS_OK);
        struct elfs_reader in = elfs_reader_of(item);
        if (!first) add(t, ",");
        print(t, &in);
    }
    if (items.tail && elfs_term_items_end(r, &items) != ELFS_OK) {
        add(t, "|");
        print(t, r);
    }
    add(t, "]");
}

static void print_number(struct text *t, struct elfs_reader *r) {
    struct elfs_view magnitude;
    uint8_t scratch[8];
    int64_t integer;
    double real;
    int sign;
    if (elfs_term_float(r, &real) == ELFS_OK) {
        size_t start = t->len;
        add(t, "%.17g", real);
        if (!strpbrk(t->bytes + start, ".e")) add(t, ".0");
    } else if (elfs_term_int64(r, &integer) == ELFS_OK) {
        add(t, "%lld", (long long)integer);
    } else {
        assert_int_equal(elfs_term_integer(r, &sign, &magnitude, scratch), ELFS_OK);
        add(t, "%s16#", sign ? "-" : "");
        for (size_t i = magnitude.len; i > 0; i--) add(t, "%02X", magnitude.data[i - 1]);
    }
}

static void print(struct text *t, struct elfs_reader *r) {
    enum elfs_term_kind kind;
    struct elfs_view view;
    size_t arity;
    static const char *const others[] = {
        [ELFS_TERM_BITSTRING] = "<bits>", [ELFS_TERM_PID] = "<pid>", [ELFS_TERM_PORT] = "<port>",
        [ELFS_TERM_REF] = "<ref>",        [ELFS_TERM_FUN] = "<fun>", [ELFS_TERM_EXPORT] = ""};
    assert_int_equal(elfs_term_peek(r, &kind), ELFS_OK);
    switch (kind) {
    case ELFS_TERM_INTEGER:
    case ELFS_TERM_FLOAT: print_number(t, r); break;
    case ELFS_TERM_ATOM:
        assert_int_equal(elfs_term_atom(r, &view), ELFS_OK);
        print_atom(t, view);
        break;
    case ELFS_TERM_BINARY:
        assert_int_equal(elfs_term_binary(r, &view), ELFS_OK);
        print_binary(t, view);
        break;
    case ELFS_TERM_TUPLE:
        assert_int_equal(elfs_term_tuple(r, &arity), ELFS_OK);
        add(t, "{");
        for (size_t i = 0; i < arity; i++) {
            if (i > 0) add(t, ",");
            print(t, r);
        }
        add(t, "}");
        break;
    case ELFS_TERM_LIST:
    case ELFS_TERM_STRING:
    case ELFS_TERM_NIL: print_items(t, r); break;
    case ELFS_TERM_MAP: print_map(t, r); break;
    case ELFS_TERM_EXPORT:
        r->pos++;
        add(t, "fun ");
        print(t, r);
        add(t, ":");
        print(t, r);
        add(t, "/");
        print(t, r);
        break;
    default:
        assert_int_equal(elfs_term_skip(r, NULL), ELFS_OK);
        add(t, "%s", others[kind]);
        break;
    }
}

char *term_print(struct elfs_view term) {
    struct text t = {0};
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view whole;
    assert_int_equal(elfs_term_skip(&r, &whole), ELFS_OK);
    assert_int_equal(whole.len, term.len);
    r = elfs_reader_of(term);
    print(&t, &r);
    return t.bytes;
}

void assert_term(struct elfs_view term, const char *expected) {
    struct elfs_view parsed = term_parse(expected);
    char *want = term_print(parsed), *got = term_print(term);
    if (strcmp(want, got) != 0) fail_msg("\n     got: %s\nexpected: %s", got, want);
    (free)(want);
    (free)(got);
    exact_free(parsed);
}
