/* answer - see answer.h. */
#include "ecto/answer.h"

#include "codec/put.h"
#include "ecto/peek.h"
#include "ecto/reply.h"

/* rows and changes of the result's slice. Ecto counts the changes, also where rows come back: of a view
 * with an INSTEAD OF trigger SQLite returns the row, and has changed none itself. */
static bool read_result(const struct elfs_result *result, struct elfs_view *rows, int64_t *count) {
    if (result->count != 1) return false;
    struct elfs_reader r = elfs_reader_of((struct elfs_view){result->bytes.data, result->ends[0]});
    bool counted = false;
    *rows = ELFS_VIEW_NONE;
    while (elfs_reader_left(&r) > 0) {
        struct elfs_view key, value;
        if (elfs_term_skip(&r, &key) != ELFS_OK || elfs_term_skip(&r, &value) != ELFS_OK)
            return false;
        struct elfs_reader v = elfs_reader_of(value);
        if (elfs_ecto_is_atom(key, "rows")) *rows = value;
        if (elfs_ecto_is_atom(key, "changes")) counted = elfs_term_int64(&v, count) == ELFS_OK;
    }
    return counted && rows->len > 0;
}

static enum elfs_code conclude(struct elfs_ecto_reply *a, const struct elfs_ecto_outcome *outcome) {
    struct elfs_view rows;
    int64_t count;
    if (a->w->term.len > 0) return elfs_ecto_reply_set(a, a->w->term, a->w->raised);
    if (outcome->error) return elfs_ecto_reply_error(a, outcome->error);
    if (!read_result(outcome->result, &rows, &count)) return ELFS_MALFORMED;
    return elfs_ecto_is_single(a->w->action) ? elfs_ecto_reply_single(a, rows, count)
                                             : elfs_ecto_reply_all(a, rows, count);
}

enum elfs_code elfs_ecto_answer(const struct elfs_ecto_plan *plan,
                                const struct elfs_ecto_outcome *outcome, struct elfs_arena *arena,
                                struct elfs_buf *buf, bool *raised) {
    struct elfs_ecto_reply a = {.w = plan->write, .arena = arena, .max = buf->max};
    size_t start = buf->len;
    if (plan->run && outcome->error && outcome->error->code != ELFS_SQLITE)
        return elfs_ecto_refuse(plan->write->call, outcome->error, buf, raised);
    enum elfs_code code = conclude(&a, outcome);
    if (code == ELFS_UNSUPPORTED) {
        struct elfs_error error;
        elfs_fail(&error, code, "a constraint that is a regular expression: nothing was written");
        return elfs_ecto_refuse(plan->write->call, &error, buf, raised);
    }
    if (code != ELFS_OK) return code;
    *raised = a.raised;
    elfs_buf_append_view(buf, a.term);
    code = buf->status;
    if (code != ELFS_OK) elfs_buf_truncate(buf, start);
    return code;
}

enum elfs_code elfs_ecto_refuse(const struct elfs_ecto_call *call, const struct elfs_error *error,
                                struct elfs_buf *buf, bool *raised) {
    size_t start = buf->len;
    *raised = call->bang || call->action >= ELFS_ECTO_INSERT_ALL;
    if (!*raised) {
        elfs_put_tuple_header(buf, 2);
        elfs_put_atom(buf, "error");
    }
    elfs_error_put(buf, error);
    enum elfs_code code = buf->status;
    if (code != ELFS_OK) elfs_buf_truncate(buf, start);
    return code;
}
