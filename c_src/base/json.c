/* json - see json.h. The tokens give the extents of strings and primitives; the checker below walks
 * the text from the first byte to the last, so that each byte belongs to a token or to the
 * punctuation that must stand between two of them. */
#include "base/json.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS /* or it takes time by the square of the count */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <jsmn.h>
#pragma GCC diagnostic pop

struct checker {
    struct elfs_json *json;
    int len; /* of the text */
    int pos; /* the next byte to be checked */
    int at;  /* the next token */
};

static int peek(const struct checker *c) {
    return c->pos < c->len ? (unsigned char)c->json->text[c->pos] : -1;
}

static void skip_space(struct checker *c) {
    while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\n' || peek(c) == '\r') c->pos++;
}

static bool take(struct checker *c, char byte) {
    if (peek(c) != byte) return false;
    c->pos++;
    return true;
}

static bool is_digit(int byte) { return byte >= '0' && byte <= '9'; }

/* The length of the UTF-8 character at p, 0 if it is none (Unicode 15, table 3-7). */
static int utf8_length(const uint8_t *p, int left) {
    if (p[0] < 0x80) return 1;
    int n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || n > left) return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    return n;
}

/* jsmn has checked the escapes and found the closing quote. */
static bool check_string(struct checker *c, const struct elfs_json_token *token) {
    if (!take(c, '"') || c->pos != token->start) return false;
    while (c->pos < token->end) {
        const uint8_t *p = (const uint8_t *)c->json->text + c->pos;
        int n = *p < 0x20 ? 0 : utf8_length(p, token->end - c->pos);
        if (n == 0) return false;
        c->pos += n;
    }
    return take(c, '"');
}

static bool skip_digits(struct checker *c) {
    if (!is_digit(peek(c))) return false;
    while (is_digit(peek(c))) c->pos++;
    return true;
}

static bool check_number(struct checker *c) {
    take(c, '-');
    if (!take(c, '0') && !skip_digits(c)) return false;
    if (take(c, '.') && !skip_digits(c)) return false;
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+')) take(c, '-');
        return skip_digits(c);
    }
    return true;
}

bool elfs_json_is(const struct elfs_json *json, int at, const char *text) {
    const struct elfs_json_token *token = &json->tokens[at];
    size_t n = (size_t)(token->end - token->start);
    return token->kind == ELFS_JSON_PRIMITIVE && n == strlen(text) &&
           memcmp(json->text + token->start, text, n) == 0;
}

static bool check_primitive(struct checker *c, const struct elfs_json_token *token) {
    int at = c->at - 1;
    if (c->pos != token->start) return false;
    if (elfs_json_is(c->json, at, "true") || elfs_json_is(c->json, at, "false") ||
        elfs_json_is(c->json, at, "null")) {
        c->pos = token->end;
        return true;
    }
    return check_number(c) && c->pos == token->end;
}

static enum elfs_code check_value(struct checker *c, int depth);

static enum elfs_code check_pair(struct checker *c, int depth) {
    skip_space(c);
    if (peek(c) != '"') return ELFS_MALFORMED;
    enum elfs_code code = check_value(c, depth);
    if (code != ELFS_OK) return code;
    skip_space(c);
    if (!take(c, ':')) return ELFS_MALFORMED;
    return check_value(c, depth);
}

static enum elfs_code check_container(struct checker *c, bool object, int depth) {
    if (depth == ELFS_JSON_DEPTH_MAX) return ELFS_LIMIT;
    char close = object ? '}' : ']';
    if (!take(c, object ? '{' : '[')) return ELFS_MALFORMED;
    skip_space(c);
    if (take(c, close)) return ELFS_OK;
    for (;;) {
        enum elfs_code code = object ? check_pair(c, depth + 1) : check_value(c, depth + 1);
        if (code != ELFS_OK) return code;
        skip_space(c);
        if (take(c, close)) return ELFS_OK;
        if (!take(c, ',')) return ELFS_MALFORMED;
    }
}

static enum elfs_code check_value(struct checker *c, int depth) {
    skip_space(c);
    if (c->at >= c->json->count) return ELFS_MALFORMED;
    struct elfs_json_token *token = &c->json->tokens[c->at++];
    enum elfs_code code = ELFS_MALFORMED;
    switch (token->kind) {
    case ELFS_JSON_OBJECT:
    case ELFS_JSON_ARRAY: code = check_container(c, token->kind == ELFS_JSON_OBJECT, depth); break;
    case ELFS_JSON_STRING: code = check_string(c, token) ? ELFS_OK : ELFS_MALFORMED; break;
    case ELFS_JSON_PRIMITIVE: code = check_primitive(c, token) ? ELFS_OK : ELFS_MALFORMED; break;
    }
    token->next = c->at;
    return code;
}

static enum elfs_json_kind kind_of(jsmntype_t type) {
    switch (type) {
    case JSMN_OBJECT: return ELFS_JSON_OBJECT;
    case JSMN_ARRAY: return ELFS_JSON_ARRAY;
    case JSMN_STRING: return ELFS_JSON_STRING;
    default: return ELFS_JSON_PRIMITIVE;
    }
}

enum elfs_code elfs_json_parse(struct elfs_view text, int most, struct elfs_arena *arena,
                               struct elfs_json *json) {
    jsmn_parser parser;
    json->count = 0;
    if (text.len > ELFS_JSON_TEXT_MAX) return ELFS_LIMIT;
    if (text.len == 0) return ELFS_MALFORMED;
    json->text = (const char *)text.data;
    jsmn_init(&parser);
    int count = jsmn_parse(&parser, json->text, text.len, NULL, 0);
    if (count < 1) return ELFS_MALFORMED;
    if (count > most) return ELFS_LIMIT;
    jsmntok_t *tokens = elfs_arena_array(arena, (size_t)count, sizeof *tokens);
    json->tokens = elfs_arena_array(arena, (size_t)count, sizeof *json->tokens);
    if (!tokens || !json->tokens) return ELFS_NOMEM;
    jsmn_init(&parser);
    if (jsmn_parse(&parser, json->text, text.len, tokens, (unsigned)count) < 1)
        return ELFS_MALFORMED;
    json->count = (int)parser.toknext;
    for (int i = 0; i < json->count; i++) {
        json->tokens[i] = (struct elfs_json_token){
            .kind = kind_of(tokens[i].type), .start = tokens[i].start, .end = tokens[i].end};
    }
    struct checker c = {.json = json, .len = (int)text.len};
    enum elfs_code code = check_value(&c, 0);
    if (code != ELFS_OK) return code;
    skip_space(&c);
    return c.pos == c.len && c.at == json->count ? ELFS_OK : ELFS_MALFORMED;
}

enum elfs_code elfs_json_get(const struct elfs_json *json, int at, const char *key, int *value) {
    *value = -1;
    const struct elfs_json_token *object = &json->tokens[at];
    if (object->kind != ELFS_JSON_OBJECT) return ELFS_BADARG;
    for (int i = at + 1; i < object->next; i = json->tokens[i + 1].next) {
        char name[64];
        if (elfs_json_string(json, i, name, sizeof name) != ELFS_OK || strcmp(name, key) != 0)
            continue;
        if (*value >= 0) return ELFS_BADARG;
        *value = i + 1;
    }
    return ELFS_OK;
}

enum elfs_code elfs_json_bool(const struct elfs_json *json, int at, bool *value) {
    *value = elfs_json_is(json, at, "true");
    return *value || elfs_json_is(json, at, "false") ? ELFS_OK : ELFS_BADARG;
}

/* The four digits of \uXXXX, checked by jsmn. */
static uint32_t hex4(const char *p) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v << 4 | (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

/* The character of the escape at *p (after its backslash), which is moved past it. False for half a
 * surrogate pair. */
static bool unescape(const char **p, const char *end, uint32_t *character) {
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char c = *(*p)++;
    if (c != 'u') {
        *character = (unsigned char)values[strchr(names, c) - names];
        return true;
    }
    uint32_t high = *character = hex4(*p);
    *p += 4;
    if (high < 0xD800 || high > 0xDFFF) return true;
    if (high > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u') return false;
    uint32_t low = hex4(*p + 2);
    *p += 6;
    *character = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return low >= 0xDC00 && low <= 0xDFFF;
}

static size_t put_utf8(uint8_t out[4], uint32_t c) {
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)((0xF00 >> n) | c);
    return n;
}

/* The next character of a string, decoded: its bytes, how many; 0 if it is half a pair. */
static size_t next_character(const char **p, const char *end, uint8_t bytes[4]) {
    uint32_t c;
    bytes[0] = (uint8_t) * *p;
    (*p)++;
    if (bytes[0] != '\\') return 1;
    return unescape(p, end, &c) ? put_utf8(bytes, c) : 0;
}

enum elfs_code elfs_json_text(const struct elfs_json *json, int at, struct elfs_buf *buf) {
    const struct elfs_json_token *token = &json->tokens[at];
    if (token->kind != ELFS_JSON_STRING) return ELFS_BADARG;
    const char *p = json->text + token->start, *end = json->text + token->end;
    while (p < end) {
        uint8_t bytes[4];
        size_t n = next_character(&p, end, bytes);
        if (n == 0) return ELFS_BADARG;
        elfs_buf_append(buf, bytes, n);
    }
    return ELFS_OK;
}

enum elfs_code elfs_json_string(const struct elfs_json *json, int at, char *to, size_t size) {
    const struct elfs_json_token *token = &json->tokens[at];
    size_t len = 0;
    to[0] = '\0';
    if (token->kind != ELFS_JSON_STRING) return ELFS_BADARG;
    const char *p = json->text + token->start, *end = json->text + token->end;
    while (p < end) {
        uint8_t bytes[4];
        size_t n = next_character(&p, end, bytes);
        bool bad = n == 0 || bytes[0] == '\0';
        if (bad || n >= size - len) {
            to[0] = '\0';
            return bad ? ELFS_BADARG : ELFS_LIMIT;
        }
        memcpy(to + len, bytes, n);
        len += n;
    }
    to[len] = '\0';
    return ELFS_OK;
}
