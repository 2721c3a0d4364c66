/* exception - see exception.h. */
#include "ecto/exception.h"

#include "codec/put.h"
#include "ecto/inspect.h"
#include "ecto/make.h"
#include "ecto/peek.h"

static void begin(struct elfs_buf *buf, const char *name, size_t keys) {
    elfs_buf_init(buf, SIZE_MAX);
    elfs_put_map_header(buf, keys + 2);
    elfs_put_atom(buf, "__struct__");
    elfs_put_atom(buf, name);
    elfs_put_atom(buf, "__exception__");
    elfs_put_atom(buf, "true");
}

/* Takes the message's buffer over. */
static void put_message(struct elfs_buf *buf, struct elfs_buf *message) {
    elfs_put_atom(buf, "message");
    elfs_put_binary(buf, (struct elfs_view){message->data, message->len});
    if (message->status != ELFS_OK) buf->status = message->status;
    elfs_buf_fini(message);
}

static void put_term(struct elfs_buf *buf, const char *key, struct elfs_view value) {
    elfs_put_atom(buf, key);
    elfs_buf_append_view(buf, value);
    if (value.len == 0) buf->status = ELFS_NOMEM;
}

struct elfs_view elfs_ecto_exception(const char *name, struct elfs_buf *message,
                                     struct elfs_arena *arena) {
    struct elfs_buf buf;
    begin(&buf, name, 1);
    put_message(&buf, message);
    return elfs_ecto_take(&buf, arena);
}

struct elfs_view elfs_ecto_exception_with(const char *name, struct elfs_buf *message,
                                          const char *key, struct elfs_view value,
                                          struct elfs_arena *arena) {
    struct elfs_buf buf;
    begin(&buf, name, 2);
    put_message(&buf, message);
    put_term(&buf, key, value);
    return elfs_ecto_take(&buf, arena);
}

struct elfs_view elfs_ecto_invalid_changeset(const char *action, struct elfs_view changeset,
                                             struct elfs_arena *arena) {
    struct elfs_buf buf;
    begin(&buf, "Elixir.Ecto.InvalidChangesetError", 2);
    elfs_put_atom(&buf, "action");
    elfs_put_atom(&buf, action);
    put_term(&buf, "changeset", changeset);
    return elfs_ecto_take(&buf, arena);
}

/* "    * name (type_constraint)" for each of the changeset's. */
static void put_constraints(struct elfs_buf *buf, struct elfs_view constraints,
                            struct elfs_arena *arena) {
    struct elfs_ecto_list list;
    struct elfs_view item;
    if (elfs_ecto_is_empty_list(constraints) || !elfs_ecto_list_begin(constraints, &list)) {
        elfs_ecto_printf(buf, "The changeset has not defined any constraint.");
        return;
    }
    elfs_ecto_printf(buf, "The changeset defined the following constraints:\n\n");
    for (bool first = true; elfs_ecto_list_next(&list, &item); first = false) {
        struct elfs_view type = elfs_ecto_atom(elfs_ecto_key(item, "type"));
        elfs_ecto_printf(buf, "%s    * ", first ? "" : "\n");
        elfs_ecto_inspect(buf, elfs_ecto_key(item, "constraint"), arena);
        elfs_ecto_printf(buf, " (%.*s_constraint)", ELFS_VIEW_ARGS(type));
    }
}

struct elfs_view elfs_ecto_constraint_error(const char *action, const char *type,
                                            struct elfs_view constraint,
                                            struct elfs_view constraints,
                                            struct elfs_arena *arena) {
    struct elfs_buf message, buf;
    elfs_buf_init(&message, SIZE_MAX);
    elfs_ecto_printf(&message, "constraint error when attempting to %s struct:\n\n    * ", action);
    elfs_ecto_inspect(&message, constraint, arena);
    elfs_ecto_printf(&message,
                     " (%s_constraint)\n\n"
                     "If you would like to stop this constraint violation from raising an\n"
                     "exception and instead add it as an error to your changeset, please\n"
                     "call `%s_constraint/3` on your changeset with the constraint\n"
                     "`:name` as an option.\n\n",
                     type, type);
    put_constraints(&message, constraints, arena);
    elfs_ecto_printf(&message, "\n");
    begin(&buf, "Elixir.Ecto.ConstraintError", 3);
    elfs_put_atom(&buf, "type");
    elfs_put_atom(&buf, type);
    put_term(&buf, "constraint", constraint);
    put_message(&buf, &message);
    return elfs_ecto_take(&buf, arena);
}
