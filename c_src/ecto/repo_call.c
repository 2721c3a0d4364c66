/* repo_call - see repo_call.h.
 *
 * NEW_FUN_EXT, after its tag: Size:4, Arity:1, Uniq:16, Index:4, NumFree:4, then the terms Module,
 * OldIndex, OldUniq, Pid and NumFree free variables.
 */
#include "ecto/repo_call.h"

#include "ecto/peek.h"

#define ARGS_MAX 3
#define ARITY_AT 5
#define FREE_AT 26
#define MODULE_AT 30

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

/* A reader of the closure's free variables; false if it is not EctoLiteFS's closure. */
static bool free_variables(struct elfs_view fun, struct elfs_reader *r) {
    struct elfs_view module;
    if (!elfs_ecto_is(fun, ELFS_TERM_FUN) || fun.len < MODULE_AT) return false;
    static const uint8_t three[4] = {0, 0, 0, 3};
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

/* repo, action and the options out of a Resolution. */
static bool read_resolution(struct elfs_view resolution, struct elfs_ecto_call *call) {
    struct elfs_view repo = elfs_ecto_atom(elfs_ecto_key(resolution, "repo"));
    size_t f = find(elfs_ecto_atom(elfs_ecto_key(resolution, "action")));
    struct elfs_ecto_list args;
    struct elfs_view arg;
    if (repo.len == 0 || f == FUNCTION_COUNT || !functions[f].single) return false;
    if (!elfs_ecto_list_begin(elfs_ecto_key(resolution, "args"), &args) || args.items.string ||
        args.items.left < 1 || args.items.left > 2)
        return false;
    for (size_t i = 0; elfs_ecto_list_next(&args, &arg); i++) {
        if (i == 1) call->options = arg;
    }
    if (args.improper) return false;
    call->action = functions[f].action;
    call->bang = functions[f].bang;
    set_module(call, repo);
    return true;
}

enum elfs_code elfs_ecto_call_of_apply(struct elfs_view args, struct elfs_ecto_call *call) {
    struct elfs_ecto_list list;
    struct elfs_view fun, none, resolution = ELFS_VIEW_NONE;
    struct elfs_reader r;
    *call = (struct elfs_ecto_call){0};
    if (!elfs_ecto_list_begin(args, &list) || list.items.string || list.items.left != 2)
        return ELFS_UNDEF;
    if (!elfs_ecto_list_next(&list, &fun) || !elfs_ecto_list_next(&list, &none) ||
        !elfs_ecto_is_empty_list(none) || elfs_ecto_list_next(&list, &none) || list.improper)
        return ELFS_UNDEF;
    if (!free_variables(fun, &r)) return ELFS_UNDEF;
    for (int i = 0; i < 3; i++) {
        struct elfs_view variable;
        if (elfs_term_skip(&r, &variable) != ELFS_OK) return ELFS_UNDEF;
        struct elfs_view name = elfs_ecto_struct(variable);
        if (name.len == 0) continue;
        struct elfs_view *place =
            elfs_view_is(name, "Elixir.EctoMiddleware.Resolution") ? &resolution : &call->resource;
        if (place->len > 0) return ELFS_UNDEF;
        *place = variable;
    }
    if (resolution.len == 0 || call->resource.len == 0 || !read_resolution(resolution, call))
        return ELFS_UNDEF;
    return ELFS_OK;
}
