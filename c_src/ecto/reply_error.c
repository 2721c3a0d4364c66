/* reply_error - what a statement that SQLite refused answers: see reply.h. Source:
 * Ecto.Repo.Schema.constraints_to_errors/3. */
#include "codec/put.h"
#include "ecto/changeset.h"
#include "ecto/constraint.h"
#include "ecto/exception.h"
#include "ecto/make.h"
#include "ecto/peek.h"
#include "ecto/reply.h"

enum elfs_code elfs_ecto_reply_set(struct elfs_ecto_reply *a, struct elfs_view term, bool raised) {
    a->term = term;
    a->raised = raised;
    return term.len ? ELFS_OK : ELFS_NOMEM;
}

bool elfs_ecto_is_single(enum elfs_ecto_action action) {
    return action == ELFS_ECTO_INSERT || action == ELFS_ECTO_UPDATE || action == ELFS_ECTO_DELETE;
}

enum elfs_code elfs_ecto_reply_invalid(struct elfs_ecto_reply *a, struct elfs_view error) {
    struct elfs_ecto_map changeset;
    enum elfs_code code = elfs_ecto_changeset_make(a->w, a->arena, &changeset);
    if (code == ELFS_OK) code = elfs_ecto_changeset_add_error(&changeset, error, a->arena);
    if (code != ELFS_OK) return code;
    return elfs_ecto_reply_set(a, elfs_ecto_invalid(a->w, &changeset, a->arena), a->w->call->bang);
}

/* {Field, {Message, [{constraint, Type}, {constraint_name, Name}]}} */
static struct elfs_view constraint_error(struct elfs_ecto_reply *a, struct elfs_view declared,
                                         struct elfs_view name) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_tuple_header(&buf, 2);
    elfs_buf_append_view(&buf, elfs_ecto_key(declared, "field"));
    elfs_put_tuple_header(&buf, 2);
    elfs_buf_append_view(&buf, elfs_ecto_key(declared, "error_message"));
    elfs_put_list_header(&buf, 2);
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, "constraint");
    elfs_buf_append_view(&buf, elfs_ecto_key(declared, "error_type"));
    elfs_put_tuple_header(&buf, 2);
    elfs_put_atom(&buf, "constraint_name");
    elfs_buf_append_view(&buf, name);
    elfs_put_nil(&buf);
    return elfs_ecto_take(&buf, a->arena);
}

static bool is_whole(struct elfs_view declared) {
    return elfs_ecto_key(declared, "field").len > 0 &&
           elfs_ecto_key(declared, "error_message").len > 0 &&
           elfs_ecto_key(declared, "error_type").len > 0;
}

static enum elfs_code answer_constraint(struct elfs_ecto_reply *a,
                                        const struct elfs_ecto_constraint *constraint) {
    struct elfs_view constraints = a->w->resource->constraints, declared;
    struct elfs_view name = constraint->name.len ? elfs_ecto_make_binary(constraint->name, a->arena)
                                                 : elfs_ecto_make_atom("nil", a->arena);
    if (name.len == 0) return ELFS_NOMEM;
    enum elfs_code code = elfs_ecto_constraint_find(constraint, constraints, &declared);
    if (code != ELFS_OK) return code;
    if (declared.len > 0 && is_whole(declared))
        return elfs_ecto_reply_invalid(a, constraint_error(a, declared, name));
    return elfs_ecto_reply_set(a,
                               elfs_ecto_constraint_error(elfs_ecto_action_name(a->w->action),
                                                          constraint->type, name, constraints,
                                                          a->arena),
                               true);
}

static enum elfs_code raise_database_error(struct elfs_ecto_reply *a,
                                           const struct elfs_error *error) {
    struct elfs_buf text;
    elfs_buf_init(&text, SIZE_MAX);
    elfs_buf_append(&text, error->message, strlen(error->message));
    struct elfs_view sql =
        elfs_ecto_make_binary(a->w->sql.len ? a->w->sql : a->w->resource->sql, a->arena);
    return elfs_ecto_reply_set(
        a, elfs_ecto_exception_with("Elixir.Exqlite.Error", &text, "statement", sql, a->arena),
        true);
}

enum elfs_code elfs_ecto_reply_error(struct elfs_ecto_reply *a, const struct elfs_error *error) {
    struct elfs_ecto_constraint constraint;
    enum elfs_code code = elfs_ecto_is_single(a->w->action)
                              ? elfs_ecto_constraint_read(error->message, a->arena, &constraint)
                              : ELFS_BADARG;
    if (code == ELFS_BADARG) return raise_database_error(a, error);
    return code == ELFS_OK ? answer_constraint(a, &constraint) : code;
}
