/* repo_options - see repo_options.h. A table of names; the first of two of a name counts, the
 * call's before the changeset's. */
#include "ecto/repo_options.h"

#include "codec/put.h"
#include "ecto/make.h"
#include "ecto/peek.h"

struct reading {
    struct elfs_ecto_options *options;
    struct elfs_arena *arena;
    struct elfs_error *err;
    uint32_t given;
};

typedef enum elfs_code read_fn(struct reading *r, struct elfs_view value);

static enum elfs_code bad(struct reading *r, const char *what) {
    return elfs_fail(r->err, ELFS_BADARG, "%s", what);
}

static enum elfs_code ignore(struct reading *r, struct elfs_view value) {
    (void)r;
    (void)value;
    return ELFS_OK;
}

static enum elfs_code read_prefix(struct reading *r, struct elfs_view value) {
    if (elfs_ecto_is_nil(value)) return ELFS_OK;
    return elfs_fail(r->err, ELFS_UNSUPPORTED, "the option prefix: SQLite has no prefixes");
}

static enum elfs_code read_timeout(struct reading *r, struct elfs_view value) {
    struct elfs_reader term = elfs_reader_of(value);
    int64_t ms;
    if (elfs_ecto_is_atom(value, "infinity")) return ELFS_OK;
    if (elfs_term_int64(&term, &ms) != ELFS_OK || ms < 0)
        return bad(r, "the option timeout takes milliseconds, or infinity");
    r->options->timeout_ms = ms > 0 ? ms : 1;
    return ELFS_OK;
}

static bool is_list_of_fields(struct elfs_view term) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    if (!elfs_ecto_list_begin(term, &list) || list.items.left == 0) return false;
    while (elfs_ecto_list_next(&list, &item)) {
        if (!elfs_ecto_is(item, ELFS_TERM_ATOM)) return false;
    }
    return !list.improper;
}

static enum elfs_code read_on_conflict(struct reading *r, struct elfs_view value) {
    static const char refusal[] = "unknown value for the option on_conflict";
    struct elfs_ecto_options *o = r->options;
    struct elfs_view pair[2];
    if (elfs_ecto_is_atom(value, "raise")) return ELFS_OK;
    if (elfs_ecto_is_atom(value, "nothing")) {
        o->on_conflict = ELFS_ECTO_CONFLICT_NOTHING;
    } else if (elfs_ecto_is_atom(value, "replace_all")) {
        o->on_conflict = ELFS_ECTO_CONFLICT_ALL;
    } else if (elfs_ecto_tuple(value, 2, pair)) {
        bool all_but = elfs_ecto_is_atom(pair[0], "replace_all_except");
        bool empty = all_but && elfs_ecto_is_empty_list(pair[1]);
        if (!all_but && !elfs_ecto_is_atom(pair[0], "replace")) return bad(r, refusal);
        if (!empty && !is_list_of_fields(pair[1])) return bad(r, refusal);
        o->on_conflict = all_but ? ELFS_ECTO_CONFLICT_ALL_EXCEPT : ELFS_ECTO_CONFLICT_REPLACE;
        o->conflict_list = pair[1];
    } else if (elfs_ecto_is(value, ELFS_TERM_LIST)) {
        o->on_conflict = ELFS_ECTO_CONFLICT_UPDATE;
        o->conflict_list = value;
    } else if (elfs_view_is(elfs_ecto_struct(value), "Elixir.Ecto.Query")) {
        return elfs_fail(r->err, ELFS_UNSUPPORTED,
                         "the option on_conflict with a query needs Ecto");
    } else {
        return bad(r, refusal);
    }
    return ELFS_OK;
}

/* One field is a list of one. */
static enum elfs_code read_target(struct reading *r, struct elfs_view value) {
    struct elfs_view pair[2];
    struct elfs_buf buf;
    if (elfs_ecto_is_empty_list(value) || elfs_ecto_is_nil(value)) return ELFS_OK;
    if (elfs_ecto_tuple(value, 2, pair) && elfs_ecto_is_atom(pair[0], "unsafe_fragment")) {
        r->options->target_fragment = elfs_ecto_binary(pair[1]);
        if (r->options->target_fragment.len > 0) return ELFS_OK;
    } else if (elfs_ecto_is(value, ELFS_TERM_ATOM)) {
        elfs_buf_init(&buf, SIZE_MAX);
        elfs_put_list_header(&buf, 1);
        elfs_buf_append_view(&buf, value);
        elfs_put_nil(&buf);
        r->options->target = elfs_ecto_take(&buf, r->arena);
        if (r->options->target.len > 0) return ELFS_OK;
        return elfs_fail(r->err, ELFS_NOMEM, "out of memory");
    } else if (is_list_of_fields(value)) {
        r->options->target = value;
        return ELFS_OK;
    }
    return bad(r, "the option conflict_target takes fields or {unsafe_fragment, Sql}");
}

static enum elfs_code read_returning(struct reading *r, struct elfs_view value) {
    if (elfs_ecto_is_atom(value, "true")) {
        r->options->returning = ELFS_ECTO_RETURNING_ALL;
    } else if (is_list_of_fields(value)) {
        r->options->returning = ELFS_ECTO_RETURNING_FIELDS;
        r->options->returning_list = value;
    } else if (!elfs_ecto_is_atom(value, "false")) {
        return bad(r, "the option returning takes true, false or at least one field");
    }
    return ELFS_OK;
}

static bool is_true(struct elfs_view value) {
    return !elfs_ecto_is_nil(value) && !elfs_ecto_is_atom(value, "false");
}

static enum elfs_code read_force(struct reading *r, struct elfs_view value) {
    r->options->force = is_true(value);
    return ELFS_OK;
}

static enum elfs_code read_replace_changed(struct reading *r, struct elfs_view value) {
    r->options->replace_changed = is_true(value);
    return ELFS_OK;
}

static enum elfs_code read_allow_stale(struct reading *r, struct elfs_view value) {
    r->options->allow_stale = is_true(value);
    return ELFS_OK;
}

static enum elfs_code read_stale_field(struct reading *r, struct elfs_view value) {
    if (elfs_ecto_is(value, ELFS_TERM_ATOM)) r->options->stale_field = value;
    return ELFS_OK;
}

static enum elfs_code read_stale_message(struct reading *r, struct elfs_view value) {
    r->options->stale_message = value;
    return ELFS_OK;
}

static const struct {
    const char *name;
    read_fn *read;
} table[] = {
    {"timeout", read_timeout},
    {"on_conflict", read_on_conflict},
    {"conflict_target", read_target},
    {"replace_changed", read_replace_changed},
    {"returning", read_returning},
    {"force", read_force},
    {"allow_stale", read_allow_stale},
    {"stale_error_field", read_stale_field},
    {"stale_error_message", read_stale_message},
    {"prefix", read_prefix},
    {"log", ignore},
    {"telemetry_event", ignore},
    {"telemetry_options", ignore},
    {"stacktrace", ignore},
    {"queue", ignore},
    {"deadline", ignore},
    {"cache_statement", ignore},
};

static enum elfs_code read_option(struct reading *r, struct elfs_view name,
                                  struct elfs_view value) {
    for (uint32_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!elfs_view_is(name, table[i].name)) continue;
        if (r->given & UINT32_C(1) << i) return ELFS_OK;
        r->given |= UINT32_C(1) << i;
        return table[i].read(r, value);
    }
    return elfs_fail(r->err, ELFS_UNSUPPORTED, "the option %.*s", ELFS_VIEW_ARGS(name));
}

static enum elfs_code read_list(struct reading *r, struct elfs_view term) {
    static const char refusal[] = "the options are no keyword list";
    struct elfs_ecto_list list;
    struct elfs_view item, pair[2];
    if (term.len == 0) return ELFS_OK;
    if (!elfs_ecto_list_begin(term, &list) || list.items.string) return bad(r, refusal);
    while (elfs_ecto_list_next(&list, &item)) {
        if (!elfs_ecto_tuple(item, 2, pair) || !elfs_ecto_is(pair[0], ELFS_TERM_ATOM))
            return bad(r, refusal);
        enum elfs_code code = read_option(r, elfs_ecto_atom(pair[0]), pair[1]);
        if (code != ELFS_OK) return code;
    }
    return list.improper ? bad(r, refusal) : ELFS_OK;
}

enum elfs_code elfs_ecto_options_read(const struct elfs_ecto_call *call,
                                      const struct elfs_ecto_resource *resource,
                                      struct elfs_arena *arena, struct elfs_ecto_options *options,
                                      struct elfs_error *err) {
    struct reading r = {.options = options, .arena = arena, .err = err};
    *options = (struct elfs_ecto_options){.replace_changed = true, .timeout_ms = -1};
    enum elfs_code code = read_list(&r, call->options);
    return code == ELFS_OK ? read_list(&r, resource->repo_opts) : code;
}
