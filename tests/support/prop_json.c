/* prop_json - see prop_json.h. */
#include "prop_json.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 3

/* A term, its JSON and the term that is read back, built side by side. */
struct json {
    const char *term;
    const char *text;
    const char *loaded;
};

struct lists {
    struct prop_list terms, texts, loaded;
};

struct maker {
    struct prop_random *r;
    struct elfs_arena *arena;
};

static const char *const words[] = {"a",           "",          "two words", "\"quoted\"",
                                    "back\\slash", "line\nend", "\x01",      "gr\xC3\xBC\xC3\x9F",
                                    "/",           "tab\t"};
#define WORD_COUNT (sizeof words / sizeof *words)

static const char *quote(struct elfs_arena *arena, const char *text) {
    const char *out = "\"";
    for (const char *at = text; *at; at++) {
        switch (*at) {
        case '"': out = prop_text(arena, "%s\\\"", out); break;
        case '\\': out = prop_text(arena, "%s\\\\", out); break;
        case '\n': out = prop_text(arena, "%s\\n", out); break;
        case '\t': out = prop_text(arena, "%s\\t", out); break;
        default: out = prop_text(arena, (uint8_t)*at < ' ' ? "%s\\u%04X" : "%s%c", out, *at); break;
        }
    }
    return prop_text(arena, "%s\"", out);
}

/* What is read back as it was given. */
static struct json plain(const char *term, const char *text) {
    return (struct json){term, text, term};
}

static struct json make_string(struct maker *m) {
    const char *word = words[prop_below(m->r, WORD_COUNT)];
    return plain(prop_binary(m->arena, word, strlen(word)), quote(m->arena, word));
}

static void begin(struct maker *m, struct lists *l) {
    prop_list_init(&l->terms, m->arena, ", ");
    prop_list_init(&l->texts, m->arena, ",");
    prop_list_init(&l->loaded, m->arena, ", ");
}

static void add(struct lists *l, const struct json *item) {
    prop_list_add(&l->terms, "%s", item->term);
    prop_list_add(&l->texts, "%s", item->text);
    prop_list_add(&l->loaded, "%s", item->loaded);
}

static struct json list(struct maker *m, const struct lists *l) {
    return (struct json){prop_text(m->arena, "[%s]", l->terms.text),
                         prop_text(m->arena, "[%s]", l->texts.text),
                         prop_text(m->arena, "[%s]", l->loaded.text)};
}

static struct json make(struct maker *m, int depth);

static struct json make_list(struct maker *m, int depth) {
    struct lists l;
    begin(m, &l);
    for (uint32_t n = prop_below(m->r, 4); n > 0; n--) {
        struct json item = make(m, depth + 1);
        add(&l, &item);
    }
    return list(m, &l);
}

/* Keys are atoms or binaries, in the order in which they come; read back they are binaries. */
static struct json make_map(struct maker *m, int depth, bool integers) {
    struct lists l;
    begin(m, &l);
    uint32_t first = prop_below(m->r, 10);
    for (uint32_t n = prop_below(m->r, 4); n > 0; n--) {
        bool atom = prop_one_in(m->r, 2);
        struct json item = integers ? plain("7", "7") : make(m, depth + 1);
        const char *key = prop_text(m->arena, "k%u", (first + n * 3) % 10);
        prop_list_add(&l.terms, atom ? "%s => %s" : "<<\"%s\">> => %s", key, item.term);
        prop_list_add(&l.texts, "\"%s\":%s", key, item.text);
        prop_list_add(&l.loaded, "<<\"%s\">> => %s", key, item.loaded);
    }
    return (struct json){prop_text(m->arena, "#{%s}", l.terms.text),
                         prop_text(m->arena, "{%s}", l.texts.text),
                         prop_text(m->arena, "#{%s}", l.loaded.text)};
}

static struct json make_number(struct maker *m) {
    int quarters = (int)prop_below(m->r, 80) - 40;
    const char *text = prop_one_in(m->r, 2) ? prop_text(m->arena, "%d", quarters)
                       : quarters % 4       ? prop_text(m->arena, "%g", quarters / 4.0)
                                            : prop_text(m->arena, "%d.0", quarters / 4);
    return plain(text, text);
}

static struct json make(struct maker *m, int depth) {
    switch (prop_below(m->r, depth < DEPTH_MAX ? 8 : 6)) {
    case 0: return plain("nil", "null");
    case 1: return plain("true", "true");
    case 2: return (struct json){"some_atom", "\"some_atom\"", "<<\"some_atom\">>"};
    case 3:
    case 4: return make_number(m);
    case 5: return make_string(m);
    case 6: return make_list(m, depth);
    default: return make_map(m, depth, false);
    }
}

/* A list of values of one type; nil is one of any. */
static struct json list_of(struct maker *m, enum prop_type type, bool *needs_type) {
    struct lists l;
    begin(m, &l);
    for (uint32_t n = prop_below(m->r, 4); n > 0; n--) {
        struct json item = plain("nil", "null");
        uint32_t which = prop_below(m->r, 5);
        int number = (int)prop_below(m->r, 300);
        if (which > 0 && type == PROP_STRINGS) item = make_string(m);
        if (which > 0 && type == PROP_INTEGERS) {
            const char *text = prop_text(m->arena, "%d", number);
            item = plain(text, text);
        }
        if (which > 0 && type == PROP_BOOLEANS)
            item = which % 2 ? plain("true", "1") : plain("false", "0");
        if (which > 0 && type == PROP_ENUMS)
            item = which % 2 ? plain("red", "\"R\"") : plain("blue", "\"blue\"");
        if (which > 0 && type == PROP_DATES) {
            struct prop_value date =
                prop_moment(m->arena, PROP_DATE, number * INT64_C(86400000000));
            item = plain(date.term, prop_text(m->arena, "\"%s\"", date.stored + strlen("text ")));
        }
        *needs_type = *needs_type || (which > 0 && (type == PROP_BOOLEANS || type == PROP_ENUMS));
        add(&l, &item);
    }
    return list(m, &l);
}

struct prop_value prop_json_value(struct prop_random *r, struct elfs_arena *arena,
                                  enum prop_type type) {
    struct maker m = {r, arena};
    struct prop_value value = {0};
    bool is_map = type == PROP_MAP || type == PROP_MAP_OF;
    struct json json =
        is_map ? make_map(&m, 1, type == PROP_MAP_OF) : list_of(&m, type, &value.needs_type);
    value.term = json.term;
    value.loaded = json.loaded;
    value.stored = prop_stored(arena, "text", json.text, strlen(json.text));
    return value;
}
