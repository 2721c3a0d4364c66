/* dump - see dump.h. */
#include "ecto/dump.h"

#include "codec/params.h"
#include "codec/put.h"
#include "codec/struct_text.h"
#include "ecto/embed_json.h"
#include "ecto/float_text.h"
#include "ecto/json.h"
#include "ecto/make.h"
#include "ecto/peek.h"
#include "ecto/uuid.h"

struct dump {
    const struct elfs_ecto_type *type;
    struct elfs_view term;
    const struct elfs_ecto_column *column;
    const struct elfs_ecto_schemas *schemas;
    struct elfs_arena *arena;
    struct elfs_value *value;
    struct elfs_error *err;
};

static bool in_blob(const struct dump *d) {
    return d->column && elfs_ecto_column_is_blob(d->column);
}

static enum elfs_code unsupported(const struct dump *d, const char *what) {
    return elfs_fail(d->err, ELFS_UNSUPPORTED, "%s", what);
}

static enum elfs_code no_memory(const struct dump *d) {
    return elfs_fail(d->err, ELFS_NOMEM, "out of memory");
}

static enum elfs_code store(struct dump *d, enum elfs_type type, struct elfs_view bytes) {
    *d->value = (struct elfs_value){.type = type, .bytes = bytes};
    return ELFS_OK;
}

/* A copy in the arena; never NULL, be it empty. */
static enum elfs_code store_copy(struct dump *d, const void *bytes, size_t len) {
    const uint8_t *copy = elfs_arena_copy(d->arena, bytes, len);
    return copy ? store(d, ELFS_TEXT, (struct elfs_view){copy, len}) : no_memory(d);
}

static enum elfs_code dump_integer(struct dump *d) {
    if (!elfs_ecto_is(d->term, ELFS_TERM_INTEGER)) return ELFS_BADARG;
    return elfs_value_of_term(d->term, d->arena, d->value, d->err);
}

static enum elfs_code dump_float(struct dump *d) {
    if (!elfs_ecto_is(d->term, ELFS_TERM_FLOAT)) return ELFS_BADARG;
    return elfs_value_of_term(d->term, d->arena, d->value, d->err);
}

static enum elfs_code dump_boolean(struct dump *d) {
    if (!elfs_ecto_is_atom(d->term, "true") && !elfs_ecto_is_atom(d->term, "false"))
        return ELFS_BADARG;
    return elfs_value_of_term(d->term, d->arena, d->value, d->err);
}

static enum elfs_code dump_binary(struct dump *d, enum elfs_type type) {
    if (!elfs_ecto_is(d->term, ELFS_TERM_BINARY)) return ELFS_BADARG;
    return store(d, type, elfs_ecto_binary(d->term));
}

/* As text an Ecto.UUID is not dumped: what is none is stored as whatever it is. */
static enum elfs_code dump_id(struct dump *d) {
    uint8_t bytes[16];
    if (!in_blob(d) && d->type->kind == ELFS_ECTO_UUID && !elfs_ecto_is(d->term, ELFS_TERM_BINARY))
        return unsupported(d, "what is no UUID");
    if (!in_blob(d)) return dump_binary(d, ELFS_TEXT);
    if (!elfs_uuid_parse(elfs_ecto_binary(d->term), bytes)) return ELFS_BADARG;
    return store_copy(d, bytes, sizeof bytes);
}

/* A float becomes the Decimal of its shortest text. */
static enum elfs_code float_as_decimal(struct dump *d) {
    struct elfs_reader r = elfs_reader_of(d->term);
    char text[ELFS_FLOAT_TEXT_MAX];
    double real;
    if (elfs_term_float(&r, &real) != ELFS_OK) return ELFS_BADARG;
    size_t len = elfs_float_text(real, text);
    if (memchr(text, 'e', len))
        return unsupported(d, "so large or small a float as a decimal: give a Decimal");
    return store_copy(d, text, len);
}

static enum elfs_code integer_as_decimal(struct dump *d) {
    struct elfs_buf buf;
    struct elfs_value value;
    enum elfs_code code = elfs_value_of_term(d->term, d->arena, &value, d->err);
    if (code != ELFS_OK) return code;
    elfs_buf_init(&buf, 64);
    code = elfs_ecto_json_value(&buf, &value, d->err);
    struct elfs_view text = elfs_ecto_take(&buf, d->arena);
    if (code != ELFS_OK) return code;
    return text.len ? store(d, ELFS_TEXT, text) : no_memory(d);
}

static enum elfs_code dump_decimal(struct dump *d) {
    if (elfs_ecto_is(d->term, ELFS_TERM_FLOAT)) return float_as_decimal(d);
    if (elfs_ecto_is(d->term, ELFS_TERM_INTEGER)) return integer_as_decimal(d);
    if (!elfs_view_is(elfs_ecto_struct(d->term), "Elixir.Decimal")) return ELFS_BADARG;
    return elfs_value_of_term(d->term, d->arena, d->value, d->err);
}

/* {0, 0} for whole seconds, {_, 6} for microseconds: anything else makes Ecto raise. */
static bool precise(struct elfs_view term, bool usec) {
    struct elfs_view both[2];
    int64_t microsecond, precision;
    if (!elfs_ecto_tuple(elfs_ecto_key(term, "microsecond"), 2, both)) return false;
    struct elfs_reader m = elfs_reader_of(both[0]), p = elfs_reader_of(both[1]);
    if (elfs_term_int64(&m, &microsecond) != ELFS_OK || elfs_term_int64(&p, &precision) != ELFS_OK)
        return false;
    return usec ? precision == 6 : precision == 0 && microsecond == 0;
}

static enum elfs_code dump_utc(struct dump *d) {
    struct elfs_view text;
    enum elfs_code code = elfs_struct_text(d->term, d->arena, &text, d->err);
    if (code != ELFS_OK) return code;
    uint8_t *with_z = elfs_arena_alloc(d->arena, text.len + 1);
    if (!with_z) return no_memory(d);
    memcpy(with_z, text.data, text.len);
    with_z[text.len] = 'Z';
    return store(d, ELFS_TEXT, (struct elfs_view){with_z, text.len + 1});
}

static enum elfs_code dump_moment(struct dump *d) {
    static const struct {
        const char *name;
        enum elfs_ecto_kind whole, usec;
    } structs[] = {
        {"Elixir.Time", ELFS_ECTO_TIME, ELFS_ECTO_TIME_USEC},
        {"Elixir.NaiveDateTime", ELFS_ECTO_NAIVE, ELFS_ECTO_NAIVE_USEC},
        {"Elixir.DateTime", ELFS_ECTO_UTC, ELFS_ECTO_UTC_USEC},
    };
    struct elfs_view name = elfs_ecto_struct(d->term);
    enum elfs_ecto_kind kind = d->type->kind;
    bool matches = kind == ELFS_ECTO_DATE && elfs_view_is(name, "Elixir.Date");
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++) {
        if ((kind != structs[i].whole && kind != structs[i].usec) ||
            !elfs_view_is(name, structs[i].name))
            continue;
        matches = precise(d->term, kind == structs[i].usec);
    }
    if (!matches) return ELFS_BADARG;
    if (kind == ELFS_ECTO_UTC || kind == ELFS_ECTO_UTC_USEC) return dump_utc(d);
    return elfs_value_of_term(d->term, d->arena, d->value, d->err);
}

static enum elfs_code dump_enum(struct dump *d) {
    struct elfs_view mapping = elfs_ecto_key(d->type->detail, "on_dump");
    struct elfs_view atom = elfs_ecto_atom(d->term);
    struct elfs_reader r = elfs_reader_of(mapping);
    size_t pairs;
    if (!elfs_ecto_is(d->term, ELFS_TERM_ATOM) || elfs_term_map(&r, &pairs) != ELFS_OK)
        return ELFS_BADARG;
    for (; pairs > 0; pairs--) {
        struct elfs_view key, stored;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &stored) != ELFS_OK) break;
        if (elfs_ecto_is(key, ELFS_TERM_ATOM) && elfs_view_equal(elfs_ecto_atom(key), atom))
            return elfs_value_of_term(stored, d->arena, d->value, d->err);
    }
    return ELFS_BADARG;
}

static enum elfs_code take_json(struct dump *d, struct elfs_buf *buf, enum elfs_code code) {
    struct elfs_view text = elfs_ecto_take(buf, d->arena);
    if (code != ELFS_OK) return code == ELFS_NOMEM ? no_memory(d) : code;
    return text.len ? store(d, ELFS_TEXT, text) : no_memory(d);
}

static enum elfs_code dump_json(struct dump *d) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    return take_json(d, &buf, elfs_ecto_json(&buf, d->term, d->arena, d->err));
}

/* Elements are dumped as fields are, and then written as JSON: a list of booleans is [1,0], one of
 * maps a list of texts. A nil is not dumped. */
static enum elfs_code dump_array(struct dump *d) {
    struct elfs_ecto_type of = elfs_ecto_type_read(d->type->detail);
    struct elfs_ecto_list list;
    struct elfs_view item;
    struct elfs_buf buf;
    enum elfs_code code = ELFS_OK;
    if (!elfs_ecto_list_begin(d->term, &list)) return ELFS_BADARG;
    if (of.kind == ELFS_ECTO_ARRAY)
        return unsupported(d, "a list of lists: use the middleware of ecto_litefs");
    if (of.kind == ELFS_ECTO_ANY) return dump_json(d); /* they are what they are */
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_buf_put_u8(&buf, '[');
    for (bool first = true; code == ELFS_OK && elfs_ecto_list_next(&list, &item); first = false) {
        struct elfs_value value = {.type = ELFS_NULL};
        if (!first) elfs_buf_put_u8(&buf, ',');
        if (!elfs_ecto_is_nil(item) || elfs_ecto_type_owns_nil(&of))
            code = elfs_ecto_dump(&of, item, NULL, d->schemas, d->arena, &value, d->err);
        if (code == ELFS_OK) code = elfs_ecto_json_value(&buf, &value, d->err);
    }
    if (code == ELFS_OK && list.improper) code = ELFS_BADARG;
    elfs_buf_put_u8(&buf, ']');
    return take_json(d, &buf, code);
}

static enum elfs_code dump_embed(struct dump *d) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    return take_json(d, &buf,
                     elfs_ecto_embed_json(&buf, d->type, d->term, d->schemas, d->arena, d->err));
}

static bool is_plain_map(struct elfs_view term) {
    return elfs_ecto_is(term, ELFS_TERM_MAP) && elfs_ecto_key(term, "__struct__").len == 0;
}

/* The values of a {map, T} are written as they are, but for types that say otherwise. What is no map
 * passes, as with Ecto, if JSON can hold it; a binary is taken for JSON. */
static enum elfs_code dump_map_of(struct dump *d) {
    struct elfs_ecto_type of = elfs_ecto_type_read(d->type->detail);
    if (of.kind > ELFS_ECTO_UTC_USEC)
        return unsupported(d, "a map of a type that only the application knows");
    if (elfs_ecto_is(d->term, ELFS_TERM_BINARY)) return dump_binary(d, ELFS_TEXT);
    enum elfs_code code = dump_json(d);
    bool map = elfs_ecto_is(d->term, ELFS_TERM_MAP);
    return code == ELFS_INVALID_PARAMETER && !map ? ELFS_BADARG : code;
}

/* Elements are stored by a type of their own, which a boolean, an atom, a list and a map show to be
 * several: [true] of {array, boolean} is [1], and of {array, any} [true]; of {array, map} it is a list of
 * texts. */
static enum elfs_code dump_untyped_list(struct dump *d) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    elfs_ecto_list_begin(d->term, &list);
    while (elfs_ecto_list_next(&list, &item)) {
        struct elfs_ecto_list inner;
        bool atom = elfs_ecto_is(item, ELFS_TERM_ATOM) && !elfs_ecto_is_nil(item);
        if (atom || elfs_ecto_list_begin(item, &inner) || is_plain_map(item))
            return unsupported(d, "without its type, a list of what may be stored in several ways");
    }
    return dump_json(d);
}

/* Without a type: what can only be stored in one way. */
static enum elfs_code dump_untyped(struct dump *d) {
    struct elfs_view bytes = elfs_ecto_binary(d->term), id = elfs_ecto_struct(d->term);
    uint8_t uuid[16];
    if (elfs_ecto_is(d->term, ELFS_TERM_BINARY)) {
        if (!in_blob(d) && elfs_utf8_is_valid(bytes)) return store(d, ELFS_TEXT, bytes);
        if (in_blob(d) && !elfs_uuid_parse(bytes, uuid)) return store(d, ELFS_BLOB, bytes);
        return unsupported(d, "without its type, a binary that may be bytes or text");
    }
    if (elfs_ecto_is(d->term, ELFS_TERM_ATOM) && dump_boolean(d) != ELFS_OK)
        return unsupported(d, "without its type, an atom that may be stored in several ways");
    if (elfs_view_is(id, "Elixir.DateTime")) return dump_utc(d);
    struct elfs_ecto_list list;
    if (is_plain_map(d->term)) return dump_json(d);
    if (elfs_ecto_list_begin(d->term, &list)) return dump_untyped_list(d);
    enum elfs_code code = elfs_value_of_term(d->term, d->arena, d->value, d->err);
    if (code == ELFS_INVALID_PARAMETER && id.len > 0)
        return unsupported(d, "a struct that only the application knows how to store");
    return code;
}

static enum elfs_code dump(struct dump *d) {
    switch (d->type->kind) {
    case ELFS_ECTO_ID:
    case ELFS_ECTO_INTEGER: return dump_integer(d);
    case ELFS_ECTO_FLOAT: return dump_float(d);
    case ELFS_ECTO_BOOLEAN: return dump_boolean(d);
    case ELFS_ECTO_STRING: return dump_binary(d, ELFS_TEXT);
    case ELFS_ECTO_BINARY: return dump_binary(d, ELFS_BLOB);
    case ELFS_ECTO_BINARY_ID:
    case ELFS_ECTO_UUID: return dump_id(d);
    case ELFS_ECTO_DECIMAL: return dump_decimal(d);
    case ELFS_ECTO_MAP: return elfs_ecto_is(d->term, ELFS_TERM_MAP) ? dump_json(d) : ELFS_BADARG;
    case ELFS_ECTO_DATE:
    case ELFS_ECTO_TIME:
    case ELFS_ECTO_TIME_USEC:
    case ELFS_ECTO_NAIVE:
    case ELFS_ECTO_NAIVE_USEC:
    case ELFS_ECTO_UTC:
    case ELFS_ECTO_UTC_USEC: return dump_moment(d);
    case ELFS_ECTO_ARRAY: return dump_array(d);
    case ELFS_ECTO_MAP_OF: return dump_map_of(d);
    case ELFS_ECTO_ENUM: return dump_enum(d);
    case ELFS_ECTO_EMBED: return dump_embed(d);
    case ELFS_ECTO_ASSOC: return unsupported(d, "a nested association needs Ecto");
    case ELFS_ECTO_ANY: return elfs_value_of_term(d->term, d->arena, d->value, d->err);
    case ELFS_ECTO_CUSTOM: return unsupported(d, "a type that only the application knows");
    case ELFS_ECTO_UNTYPED: return dump_untyped(d);
    }
    return ELFS_MALFORMED;
}

/* A type of the application's own, or of a library's: a module. */
static bool is_module(const struct elfs_ecto_type *type) {
    static const char prefix[] = "Elixir.";
    struct elfs_view name = elfs_ecto_atom(type->term);
    return type->kind == ELFS_ECTO_CUSTOM && name.len >= sizeof prefix &&
           memcmp(name.data, prefix, sizeof prefix - 1) == 0;
}

/* A module's type says whether it is stored as JSON, and so its nil: as null or as NULL. */
static enum elfs_code dump_nil(struct dump *d) {
    if (elfs_ecto_type_is_json(d->type)) return store(d, ELFS_TEXT, elfs_view_str("null"));
    if (is_module(d->type)) return unsupported(d, "a type that only the application knows");
    return ELFS_OK;
}

enum elfs_code elfs_ecto_dump(const struct elfs_ecto_type *type, struct elfs_view term,
                              const struct elfs_ecto_column *column,
                              const struct elfs_ecto_schemas *schemas, struct elfs_arena *arena,
                              struct elfs_value *value, struct elfs_error *err) {
    struct dump d = {type, term, column, schemas, arena, value, err};
    *value = (struct elfs_value){.type = ELFS_NULL};
    return elfs_ecto_is_nil(term) && !elfs_ecto_type_owns_nil(type) ? dump_nil(&d) : dump(&d);
}
