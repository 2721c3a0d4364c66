/* params - see params.h. Views into the term wherever the bytes are there already. */
#include "codec/params.h"

#include <stdlib.h>

#include "codec/struct_text.h"

static enum elfs_code invalid(struct elfs_error *err, const char *what) {
    elfs_fail(err, ELFS_INVALID_PARAMETER, "%s", what);
    return ELFS_INVALID_PARAMETER;
}

static enum elfs_code no_memory(struct elfs_error *err) {
    elfs_fail(err, ELFS_NOMEM, "out of memory");
    return ELFS_NOMEM;
}

static enum elfs_code integer_value(struct elfs_reader *r, struct elfs_value *value,
                                    struct elfs_error *err) {
    value->type = ELFS_INTEGER;
    enum elfs_code code = elfs_term_int64(r, &value->integer);
    return code == ELFS_LIMIT ? invalid(err, "the integer does not fit 64 bits") : code;
}

static enum elfs_code atom_value(struct elfs_reader *r, struct elfs_value *value) {
    struct elfs_view text;
    enum elfs_code code = elfs_term_atom(r, &text);
    if (code != ELFS_OK) return code;
    bool yes = elfs_view_is(text, "true");
    if (elfs_view_is(text, "nil") || elfs_view_is(text, "undefined")) {
        *value = (struct elfs_value){.type = ELFS_NULL};
    } else if (yes || elfs_view_is(text, "false")) {
        *value = (struct elfs_value){.type = ELFS_INTEGER, .integer = yes};
    } else {
        *value = (struct elfs_value){.type = ELFS_TEXT, .bytes = text};
    }
    return ELFS_OK;
}

static enum elfs_code bytes_value(struct elfs_view term, struct elfs_arena *arena,
                                  enum elfs_type type, struct elfs_value *value,
                                  struct elfs_error *err) {
    value->type = type;
    enum elfs_code code = elfs_iodata_of_term(term, arena, &value->bytes);
    if (code == ELFS_BADARG) return invalid(err, "the list is not iodata");
    return code == ELFS_NOMEM ? no_memory(err) : code;
}

/* {blob, Iodata} */
static enum elfs_code tuple_value(struct elfs_reader *r, struct elfs_arena *arena,
                                  struct elfs_value *value, struct elfs_error *err) {
    static const char refusal[] = "no tuple but {blob, Iodata} can be bound";
    size_t arity;
    struct elfs_view tag, iodata;
    enum elfs_code code = elfs_term_tuple(r, &arity);
    if (code != ELFS_OK) return code;
    if (arity != 2 || elfs_term_atom(r, &tag) != ELFS_OK || !elfs_view_is(tag, "blob"))
        return invalid(err, refusal);
    code = elfs_term_skip(r, &iodata);
    if (code != ELFS_OK) return code;
    return bytes_value(iodata, arena, ELFS_BLOB, value, err);
}

static enum elfs_code map_value(struct elfs_view term, struct elfs_arena *arena,
                                struct elfs_value *value, struct elfs_error *err) {
    value->type = ELFS_TEXT;
    enum elfs_code code = elfs_struct_text(term, arena, &value->bytes, err);
    if (code == ELFS_BADARG)
        return invalid(err, "no map but Date, Time, NaiveDateTime, DateTime and Decimal structs "
                            "can be bound");
    return code;
}

enum elfs_code elfs_value_of_term(struct elfs_view term, struct elfs_arena *arena,
                                  struct elfs_value *value, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_peek(&r, &kind);
    if (code != ELFS_OK) return code;
    switch (kind) {
    case ELFS_TERM_INTEGER: return integer_value(&r, value, err);
    case ELFS_TERM_FLOAT: value->type = ELFS_REAL; return elfs_term_float(&r, &value->real);
    case ELFS_TERM_ATOM: return atom_value(&r, value);
    case ELFS_TERM_BINARY:
    case ELFS_TERM_LIST:
    case ELFS_TERM_STRING:
    case ELFS_TERM_NIL: return bytes_value(term, arena, ELFS_TEXT, value, err);
    case ELFS_TERM_TUPLE: return tuple_value(&r, arena, value, err);
    case ELFS_TERM_MAP: return map_value(term, arena, value, err);
    case ELFS_TERM_BITSTRING: return invalid(err, "a bitstring of odd bits cannot be bound");
    case ELFS_TERM_PID: return invalid(err, "a pid cannot be bound");
    case ELFS_TERM_PORT: return invalid(err, "a port cannot be bound");
    case ELFS_TERM_REF: return invalid(err, "a reference cannot be bound");
    case ELFS_TERM_FUN:
    case ELFS_TERM_EXPORT: return invalid(err, "a function cannot be bound");
    }
    return ELFS_MALFORMED;
}

/* Room for the parameters, whose number is known. */
static enum elfs_code new_items(size_t count, bool named, struct elfs_arena *arena,
                                struct elfs_params *params, struct elfs_param **items,
                                struct elfs_error *err) {
    if (count > ELFS_PARAMS_MAX) return invalid(err, "more than 32766 parameters");
    *items = elfs_arena_array(arena, count, sizeof **items);
    if (!*items) return no_memory(err);
    *params = (struct elfs_params){.items = *items, .count = count, .named = named};
    return ELFS_OK;
}

/* Says which parameter it was: by its name if that is plain and short (a message is text, a name is
 * any bytes), otherwise by its number. */
static void blame(const struct elfs_params *params, size_t i, struct elfs_error *err) {
    struct elfs_view name = params->items[i].name;
    bool plain = params->named && name.len > 0 && name.len <= 64;
    for (size_t k = 0; plain && k < name.len; k++) plain = name.data[k] > ' ' && name.data[k] < 127;
    if (plain) {
        elfs_error_prefix(err, "parameter %.*s", ELFS_VIEW_ARGS(name));
    } else {
        elfs_error_prefix(err, "parameter %zu", i + 1);
    }
}

static enum elfs_code convert(struct elfs_view term, struct elfs_arena *arena,
                              const struct elfs_params *params, struct elfs_param *item,
                              struct elfs_error *err) {
    enum elfs_code code = elfs_value_of_term(term, arena, &item->value, err);
    if (code == ELFS_INVALID_PARAMETER) blame(params, (size_t)(item - params->items), err);
    return code;
}

static enum elfs_code positional(struct elfs_reader *r, struct elfs_arena *arena,
                                 struct elfs_params *params, struct elfs_error *err) {
    struct elfs_items list;
    struct elfs_param *items = NULL;
    enum elfs_code code = elfs_term_items_begin(r, &list);
    if (code == ELFS_OK) code = new_items(list.left, false, arena, params, &items, err);
    if (code != ELFS_OK) return code;
    for (size_t i = 0; list.left > 0; i++) {
        struct elfs_view term;
        code = elfs_term_items_next(r, &list, &term);
        if (code == ELFS_OK) code = convert(term, arena, params, &items[i], err);
        if (code != ELFS_OK) return code;
    }
    return elfs_term_items_end(r, &list);
}

static int compare_names(const void *a, const void *b) {
    const struct elfs_view *x = &(*(const struct elfs_param *const *)a)->name;
    const struct elfs_view *y = &(*(const struct elfs_param *const *)b)->name;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return x->len == 0 ? 0 : memcmp(x->data, y->data, x->len);
}

/* An atom and a binary may spell the same name; sorting keeps a peer from making this quadratic. */
static enum elfs_code check_unique(const struct elfs_params *params, struct elfs_arena *arena,
                                   struct elfs_error *err) {
    if (params->count < 2) return ELFS_OK;
    const struct elfs_param **sorted =
        elfs_arena_array(arena, params->count, sizeof(struct elfs_param *));
    if (!sorted) return no_memory(err);
    for (size_t i = 0; i < params->count; i++) sorted[i] = &params->items[i];
    qsort(sorted, params->count, sizeof(struct elfs_param *), compare_names);
    for (size_t i = 1; i < params->count; i++) {
        if (compare_names(&sorted[i - 1], &sorted[i]) != 0) continue;
        invalid(err, "given twice");
        blame(params, (size_t)(sorted[i] - params->items), err);
        return ELFS_INVALID_PARAMETER;
    }
    return ELFS_OK;
}

static enum elfs_code read_name(struct elfs_reader *r, struct elfs_view *name,
                                struct elfs_error *err) {
    enum elfs_code code = elfs_term_atom(r, name);
    if (code == ELFS_BADARG) code = elfs_term_binary(r, name);
    return code == ELFS_BADARG ? invalid(err, "a parameter's name is an atom or a binary") : code;
}

static enum elfs_code named(struct elfs_reader *r, struct elfs_arena *arena,
                            struct elfs_params *params, struct elfs_error *err) {
    size_t pairs;
    struct elfs_param *items = NULL;
    enum elfs_code code = elfs_term_map(r, &pairs);
    if (code == ELFS_OK) code = new_items(pairs, true, arena, params, &items, err);
    if (code != ELFS_OK) return code;
    for (size_t i = 0; i < pairs; i++) {
        struct elfs_view term;
        code = read_name(r, &items[i].name, err);
        if (code == ELFS_OK) code = elfs_term_skip(r, &term);
        if (code == ELFS_OK) code = convert(term, arena, params, &items[i], err);
        if (code != ELFS_OK) return code;
    }
    return check_unique(params, arena, err);
}

enum elfs_code elfs_params_of_term(struct elfs_view term, struct elfs_arena *arena,
                                   struct elfs_params *params, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(term);
    enum elfs_term_kind kind;
    enum elfs_code code = elfs_term_peek(&r, &kind);
    if (code != ELFS_OK) return code;
    return kind == ELFS_TERM_MAP ? named(&r, arena, params, err)
                                 : positional(&r, arena, params, err);
}
