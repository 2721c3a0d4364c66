/* changeset - see changeset.h. */
#include "ecto/changeset.h"

#include "codec/put.h"
#include "codec/term_head.h"
#include "ecto/exception.h"
#include "ecto/inspect.h"
#include "ecto/make.h"
#include "ecto/peek.h"

const char *elfs_ecto_action_name(enum elfs_ecto_action action) {
    static const char *const names[] = {
        [ELFS_ECTO_INSERT] = "insert",
        [ELFS_ECTO_UPDATE] = "update",
        [ELFS_ECTO_DELETE] = "delete",
        [ELFS_ECTO_INSERT_ALL] = "insert_all",
    };
    return names[action];
}

static struct elfs_view empty_list(void) {
    static const uint8_t nil[] = {ELFS_TAG_NIL};
    return (struct elfs_view){nil, sizeof nil};
}

static struct elfs_view empty_map(void) {
    static const uint8_t map[] = {ELFS_TAG_MAP, 0, 0, 0, 0};
    return (struct elfs_view){map, sizeof map};
}

/* [&Ecto.Type.empty_trimmed?/2], as Ecto's own default from 3.10 on. */
static struct elfs_view empty_values(struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_list_header(&buf, 1);
    elfs_buf_put_u8(&buf, ELFS_TAG_EXPORT);
    elfs_put_atom(&buf, "Elixir.Ecto.Type");
    elfs_put_atom(&buf, "empty_trimmed?");
    elfs_put_int64(&buf, 2);
    elfs_put_nil(&buf);
    return elfs_ecto_take(&buf, arena);
}

static enum elfs_code set(struct elfs_ecto_map *map, struct elfs_arena *arena, const char *key,
                          struct elfs_view value) {
    return elfs_ecto_map_set(map, arena, elfs_view_str(key), value);
}

enum elfs_code elfs_ecto_changeset_change(struct elfs_view data, struct elfs_view types,
                                          struct elfs_arena *arena,
                                          struct elfs_ecto_map *changeset) {
    struct elfs_view yes = elfs_ecto_make_atom("true", arena);
    struct elfs_view nil = elfs_ecto_make_atom("nil", arena);
    struct elfs_view name = elfs_ecto_make_atom("Elixir.Ecto.Changeset", arena);
    const struct {
        const char *key;
        struct elfs_view value;
    } fields[] = {
        {"__struct__", name},
        {"valid?", yes},
        {"data", data},
        {"params", nil},
        {"changes", empty_map()},
        {"errors", empty_list()},
        {"validations", empty_list()},
        {"required", empty_list()},
        {"prepare", empty_list()},
        {"constraints", empty_list()},
        {"filters", empty_map()},
        {"action", nil},
        {"repo", nil},
        {"repo_opts", empty_list()},
        {"types", types.len > 0 ? types : empty_map()},
        {"empty_values", empty_values(arena)},
    };
    enum elfs_code code = ELFS_OK;
    *changeset = (struct elfs_ecto_map){0};
    for (size_t i = 0; code == ELFS_OK && i < sizeof fields / sizeof *fields; i++)
        code = set(changeset, arena, fields[i].key, fields[i].value);
    return code;
}

enum elfs_code elfs_ecto_changeset_check(struct elfs_ecto_context *c) {
    const char *action = elfs_ecto_action_name(c->write->action);
    const struct elfs_ecto_resource *res = c->resource;
    struct elfs_buf text;
    bool ignore = elfs_view_is(res->action, "ignore");
    if (!res->changeset || elfs_view_is(res->action, "nil") || elfs_view_is(res->action, action) ||
        (ignore && !res->valid))
        return ELFS_OK;
    elfs_buf_init(&text, SIZE_MAX);
    if (ignore) {
        elfs_ecto_printf(&text, "a valid changeset with action :ignore was given to ");
    } else {
        elfs_ecto_printf(&text, "a changeset with action ");
        elfs_ecto_inspect_atom(&text, res->action);
        elfs_ecto_printf(&text, " was given to ");
    }
    elfs_ecto_inspect_atom(&text, c->call->module);
    elfs_ecto_printf(&text, ".%s/2%s", action,
                     ignore ? ". Changesets can only be ignored in a repository action if they are "
                              "also invalid"
                            : "");
    enum elfs_code code =
        elfs_ecto_settle(c, elfs_ecto_exception("Elixir.ArgumentError", &text, c->arena), true);
    return code == ELFS_OK ? ELFS_BADARG : code;
}

enum elfs_code elfs_ecto_changeset_make(const struct elfs_ecto_write *w, struct elfs_arena *arena,
                                        struct elfs_ecto_map *changeset) {
    const char *action = elfs_ecto_action_name(w->action);
    struct elfs_view options = w->call->options.len ? w->call->options : empty_list();
    enum elfs_code code = elfs_ecto_map_copy(&w->resource->outer, arena, changeset);
    if (code == ELFS_OK && !w->resource->changeset)
        code = elfs_ecto_changeset_change(w->resource->data_term, w->types, arena, changeset);
    if (code == ELFS_OK && w->surfaced)
        code = set(changeset, arena, "changes", elfs_ecto_map_term(&w->surface, arena));
    if (code == ELFS_OK) code = set(changeset, arena, "action", elfs_ecto_make_atom(action, arena));
    if (code == ELFS_OK)
        code = set(changeset, arena, "repo", elfs_ecto_make_atom_view(w->call->module, arena));
    return code == ELFS_OK ? set(changeset, arena, "repo_opts", options) : code;
}

enum elfs_code elfs_ecto_changeset_add_error(struct elfs_ecto_map *changeset,
                                             struct elfs_view error, struct elfs_arena *arena) {
    struct elfs_view old = elfs_ecto_map_get(changeset, "errors"), item;
    struct elfs_ecto_list list;
    struct elfs_buf buf;
    if (error.len == 0) return ELFS_NOMEM;
    if (!elfs_ecto_list_begin(old, &list)) return ELFS_BADARG;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_list_header(&buf, 1 + list.items.left);
    elfs_buf_append_view(&buf, error);
    while (elfs_ecto_list_next(&list, &item)) elfs_buf_append_view(&buf, item);
    elfs_put_nil(&buf);
    enum elfs_code code = set(changeset, arena, "errors", elfs_ecto_take(&buf, arena));
    if (code != ELFS_OK) return code;
    return set(changeset, arena, "valid?", elfs_ecto_make_atom("false", arena));
}

struct elfs_view elfs_ecto_invalid(const struct elfs_ecto_write *w,
                                   const struct elfs_ecto_map *changeset,
                                   struct elfs_arena *arena) {
    struct elfs_view term = elfs_ecto_map_term(changeset, arena);
    if (!w->call->bang) return elfs_ecto_make_tagged("error", term, arena);
    return elfs_ecto_invalid_changeset(elfs_ecto_action_name(w->action), term, arena);
}

struct elfs_view elfs_ecto_done(const struct elfs_ecto_write *w, struct elfs_view data,
                                struct elfs_arena *arena) {
    return w->call->bang ? data : elfs_ecto_make_tagged("ok", data, arena);
}
