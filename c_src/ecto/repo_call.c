/* repo_call - see repo_call.h.
 *
 * NEW_FUN_EXT, after its tag: Size:4, Arity:1, Uniq:16, Index:4, NumFree:4, then the terms Module,
 * OldIndex, OldUniq, Pid and NumFree free variables.
 */
#include "ecto/repo_call.h"

#include "codec/term_head.h"
#include "ecto/peek.h"

#define ARGS_MAX 3
#define ARITY_AT 5
#define FREE_AT 26
#define MODULE_AT 30
#define VARIABLES 3

static const struct {
    const char *name;
    enum elfs_ecto_action action;
    bool bang;
    bool single;    /* of one row: what EctoLiteFS forwards */
    uint8_t needed; /* arguments before the options */
} functions[] = {
    {"insert", ELFS_ECTO_INSERT, false, true, 1},
    {"insert!", ELFS_ECTO_INSERT, true, true, 1},
    {"update", ELFS_ECTO_UPDATE, false, true, 1},
    {"update!", ELFS_ECTO_UPDATE, true, true, 1},
    {"delete", ELFS_ECTO_DELETE, false, true, 1},
    {"delete!", ELFS_ECTO_DELETE, true, true, 1},
    {"insert_or_update", ELFS_ECTO_INSERT_OR_UPDATE, false, true, 1},
    {"insert_or_update!", ELFS_ECTO_INSERT_OR_UPDATE, true, true, 1},
    {"insert_all", ELFS_ECTO_INSERT_ALL, false, false, 2},
    {"update_all", ELFS_ECTO_UPDATE_ALL, false, false, 2},
    {"delete_all", ELFS_ECTO_DELETE_ALL, false, false, 1},
};

#define FUNCTION_COUNT (sizeof functions / sizeof *functions)

static size_t find(struct elfs_view name) {
    size_t i = 0;
    while (i < FUNCTION_COUNT && !elfs_view_is(name, functions[i].name)) i++;
    return i;
}

static void set_module(struct elfs_ecto_call *call, struct elfs_view module) {
    static const char prefix[] = "Elixir.";
    const size_t n = sizeof prefix - 1;
    call->module = module;
    call->repo = module;
    if (module.len > n && memcmp(module.data, prefix, n) == 0)
        call->repo = (struct elfs_view){module.data + n, module.len - n};
}

enum elfs_code elfs_ecto_call_of_repo(struct elfs_view module, struct elfs_view function,
                                      struct elfs_view args, struct elfs_ecto_call *call) {
    struct elfs_view given[ARGS_MAX];
    struct elfs_reader r = elfs_reader_of(args);
    struct elfs_items items;
    size_t f = find(function);
    *call = (struct elfs_ecto_call){0};
    if (f == FUNCTION_COUNT) return ELFS_UNDEF;
    enum elfs_code code = elfs_term_items_begin(&r, &items);
    if (code != ELFS_OK) return code == ELFS_BADARG ? ELFS_UNDEF : code;
    size_t arity = items.left, needed = functions[f].needed;
    if (items.string || (arity != needed && arity != needed + 1)) return ELFS_UNDEF;
    for (size_t i = 0; i < arity; i++) {
        code = elfs_term_items_next(&r, &items, &given[i]);
        if (code != ELFS_OK) return code;
    }
    if (elfs_term_items_end(&r, &items) != ELFS_OK) return ELFS_UNDEF;
    call->action = functions[f].action;
    call->bang = functions[f].bang;
    call->resource = given[0];
    if (needed == 2) call->rows = given[1];
    if (arity > needed) call->options = given[needed];
    set_module(call, module);
    return ELFS_OK;
}

/* The closure of the arguments [Fun, []], found by its Size; it was checked whole with them. */
static bool find_fun(struct elfs_view args, struct elfs_view *fun) {
    struct elfs_reader r = elfs_reader_of(args);
    size_t count, left;
    bool tail;
    if (elfs_term_list(&r, &count, &tail) != ELFS_OK || count != 2 || !tail) return false;
    left = elfs_reader_left(&r);
    if (left < MODULE_AT || *r.pos != ELFS_TAG_NEW_FUN) return false;
    size_t size =
        (size_t)r.pos[1] << 24 | (size_t)r.pos[2] << 16 | (size_t)r.pos[3] << 8 | r.pos[4];
    if (size < MODULE_AT - 1 || size > left - 1) return false;
    *fun = (struct elfs_view){r.pos, 1 + size};
    static const uint8_t no_arguments[] = {ELFS_TAG_NIL, ELFS_TAG_NIL}; /* [], and the end */
    return left - fun->len == sizeof no_arguments &&
           memcmp(fun->data + fun->len, no_arguments, sizeof no_arguments) == 0;
}

/* A reader of the free variables; false if the closure is not EctoLiteFS's. */
static bool free_variables(struct elfs_view fun, struct elfs_reader *r) {
    static const uint8_t three[4] = {0, 0, 0, VARIABLES};
    struct elfs_view module;
    if (fun.data[ARITY_AT] != 0 || memcmp(fun.data + FREE_AT, three, sizeof three) != 0)
        return false;
    *r = elfs_reader_of((struct elfs_view){fun.data + MODULE_AT, fun.len - MODULE_AT});
    if (elfs_term_atom(r, &module) != ELFS_OK ||
        !elfs_view_is(module, "Elixir.EctoLiteFS.Middleware"))
        return false;
    for (int i = 0; i < 3; i++) {
        if (elfs_term_skip(r, NULL) != ELFS_OK) return false; /* OldIndex, OldUniq, Pid */
    }
    return true;
}

/* What a free variable is; the last three are a Resolution's. */
struct variable {
    struct elfs_view term;
    struct elfs_view name; /* of its struct; empty if it is none */
    struct elfs_view repo;
    struct elfs_view action;
    struct elfs_view args;
};

/* One pass over a variable: the resource travels five times in a closure. */
static bool read_variable(struct elfs_reader *r, struct variable *v) {
    const uint8_t *start = r->pos;
    size_t pairs;
    *v = (struct variable){0};
    if (elfs_term_map(r, &pairs) != ELFS_OK) return elfs_term_skip(r, &v->term) == ELFS_OK;
    for (; pairs > 0; pairs--) {
        struct elfs_view key = ELFS_VIEW_NONE, value;
        if (elfs_term_atom(r, &key) != ELFS_OK && elfs_term_skip(r, NULL) != ELFS_OK) return false;
        if (elfs_term_skip(r, &value) != ELFS_OK) return false;
        if (elfs_view_is(key, "__struct__")) v->name = elfs_ecto_atom(value);
        if (elfs_view_is(key, "repo")) v->repo = elfs_ecto_atom(value);
        if (elfs_view_is(key, "action")) v->action = elfs_ecto_atom(value);
        if (elfs_view_is(key, "args")) v->args = value;
    }
    v->term = (struct elfs_view){start, (size_t)(r->pos - start)};
    return true;
}

/* The Repo, the action and the options out of a Resolution. */
static bool read_resolution(const struct variable *resolution, struct elfs_ecto_call *call) {
    size_t f = find(resolution->action);
    struct elfs_ecto_list args;
    struct elfs_view arg;
    if (resolution->repo.len == 0 || f == FUNCTION_COUNT || !functions[f].single) return false;
    if (!elfs_ecto_list_begin(resolution->args, &args) || args.items.string ||
        args.items.left < 1 || args.items.left > 2)
        return false;
    for (size_t i = 0; elfs_ecto_list_next(&args, &arg); i++) {
        if (i == 1) call->options = arg;
    }
    if (args.improper) return false;
    call->action = functions[f].action;
    call->bang = functions[f].bang;
    set_module(call, resolution->repo);
    return true;
}

enum elfs_code elfs_ecto_call_of_apply(struct elfs_view args, struct elfs_ecto_call *call) {
    struct variable resolution = {0};
    struct elfs_view fun;
    struct elfs_reader r;
    *call = (struct elfs_ecto_call){0};
    if (!find_fun(args, &fun) || !free_variables(fun, &r)) return ELFS_UNDEF;
    for (int i = 0; i < VARIABLES; i++) {
        struct variable v;
        if (!read_variable(&r, &v)) return ELFS_UNDEF;
        bool is_resolution = elfs_view_is(v.name, "Elixir.EctoMiddleware.Resolution");
        if (v.name.len == 0) continue;
        if (is_resolution ? resolution.term.len > 0 : call->resource.len > 0) return ELFS_UNDEF;
        if (is_resolution) {
            resolution = v;
        } else {
            call->resource = v.term;
        }
    }
    if (call->resource.len == 0 || !read_resolution(&resolution, call)) return ELFS_UNDEF;
    return ELFS_OK;
}
