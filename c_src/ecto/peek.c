/* peek - see peek.h. */
#include "ecto/peek.h"

bool elfs_ecto_is(struct elfs_view term, enum elfs_term_kind kind) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_term_kind found;
    return elfs_term_peek(&r, &found) == ELFS_OK && found == kind;
}

struct elfs_view elfs_ecto_atom(struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view text;
    return elfs_term_atom(&r, &text) == ELFS_OK ? text : ELFS_VIEW_NONE;
}

struct elfs_view elfs_ecto_binary(struct elfs_view term) {
    struct elfs_reader r = elfs_reader_of(term);
    struct elfs_view bytes;
    return elfs_term_binary(&r, &bytes) == ELFS_OK ? bytes : ELFS_VIEW_NONE;
}

bool elfs_ecto_is_atom(struct elfs_view term, const char *text) {
    return elfs_ecto_is(term, ELFS_TERM_ATOM) && elfs_view_is(elfs_ecto_atom(term), text);
}

bool elfs_ecto_is_nil(struct elfs_view term) {
    return term.len == 0 || elfs_ecto_is_atom(term, "nil");
}

bool elfs_ecto_is_empty_list(struct elfs_view term) { return elfs_ecto_is(term, ELFS_TERM_NIL); }

static struct elfs_view find_key(struct elfs_view map, enum elfs_term_kind kind,
                                 struct elfs_view text) {
    struct elfs_reader r = elfs_reader_of(map);
    size_t pairs;
    if (elfs_term_map(&r, &pairs) != ELFS_OK) return ELFS_VIEW_NONE;
    for (; pairs > 0; pairs--) {
        struct elfs_view key, value;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &value) != ELFS_OK) break;
        if (elfs_ecto_is(key, kind) &&
            elfs_view_equal(kind == ELFS_TERM_ATOM ? elfs_ecto_atom(key) : elfs_ecto_binary(key),
                            text))
            return value;
    }
    return ELFS_VIEW_NONE;
}

struct elfs_view elfs_ecto_key_find(struct elfs_view map, struct elfs_view key) {
    return find_key(map, ELFS_TERM_ATOM, key);
}

struct elfs_view elfs_ecto_text_key(struct elfs_view map, struct elfs_view key) {
    return find_key(map, ELFS_TERM_BINARY, key);
}

struct elfs_view elfs_ecto_key(struct elfs_view map, const char *key) {
    return elfs_ecto_key_find(map, elfs_view_str(key));
}

struct elfs_view elfs_ecto_struct(struct elfs_view term) {
    return elfs_ecto_atom(elfs_ecto_key(term, "__struct__"));
}

bool elfs_ecto_tuple(struct elfs_view term, size_t arity, struct elfs_view *elements) {
    struct elfs_reader r = elfs_reader_of(term);
    size_t found;
    if (elfs_term_tuple(&r, &found) != ELFS_OK || found != arity) return false;
    for (size_t i = 0; i < arity; i++) {
        if (elfs_term_skip(&r, &elements[i]) != ELFS_OK) return false;
    }
    return true;
}

bool elfs_ecto_list_begin(struct elfs_view term, struct elfs_ecto_list *list) {
    *list = (struct elfs_ecto_list){.reader = elfs_reader_of(term)};
    return elfs_term_items_begin(&list->reader, &list->items) == ELFS_OK;
}

bool elfs_ecto_list_next(struct elfs_ecto_list *list, struct elfs_view *item) {
    if (list->items.left > 0)
        return elfs_term_items_next(&list->reader, &list->items, item) == ELFS_OK;
    list->improper = elfs_term_items_end(&list->reader, &list->items) != ELFS_OK;
    return false;
}

bool elfs_ecto_list_has(struct elfs_view list, struct elfs_view atom) {
    struct elfs_ecto_list l;
    struct elfs_view item;
    if (!elfs_ecto_list_begin(list, &l)) return false;
    while (elfs_ecto_list_next(&l, &item)) {
        if (elfs_ecto_is(item, ELFS_TERM_ATOM) && elfs_view_equal(elfs_ecto_atom(item), atom))
            return true;
    }
    return false;
}
