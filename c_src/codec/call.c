/* call - see call.h.
 *
 * Shapes, from the sources named there:
 *
 *   execute_call    [Ref, M, F, A]     -> {Ref, return, V} | {Ref, error, Reason, Stack}
 *   execute_cast    [M, F, A]
 *   to rex          {Pid, {call, M, F, A, GL}}
 *                                      -> {rex, V} | {rex, {badrpc, Why}}
 *                   {'$gen_call', {Pid, Tag}, {call, M, F, A, GL}}
 *                                      -> {Tag, V} | {Tag, {badrpc, Why}}
 *                   {'$gen_cast', {cast, M, F, A, GL}}
 *   to net_kernel   {'$gen_call', {Pid, Tag}, {is_auth, Node}}
 *                                      -> {Tag, yes}
 */
#include "codec/call.h"

#include "codec/frame.h"

static bool read_tuple(struct elfs_reader *r, size_t arity) {
    size_t n;
    return elfs_term_tuple(r, &n) == ELFS_OK && n == arity;
}

static bool read_word(struct elfs_reader *r, const char *word) {
    struct elfs_view text;
    return elfs_term_atom(r, &text) == ELFS_OK && elfs_view_is(text, word);
}

/* M, F, A: three terms in a row, in a tuple or in a list. */
static bool read_mfa(struct elfs_reader *r, struct elfs_call *call) {
    const uint8_t *start = r->pos;
    enum elfs_term_kind kind;
    if (elfs_term_atom(r, &call->module) != ELFS_OK) return false;
    if (elfs_term_atom(r, &call->function) != ELFS_OK) return false;
    if (elfs_term_peek(r, &kind) != ELFS_OK) return false;
    if (kind != ELFS_TERM_LIST && kind != ELFS_TERM_STRING && kind != ELFS_TERM_NIL) return false;
    if (elfs_term_skip_checked(r, &call->args) != ELFS_OK) return false;
    call->mfa = (struct elfs_view){start, (size_t)(r->pos - start)};
    return true;
}

enum elfs_code elfs_call_of_spawn(const struct elfs_dist_msg *msg, struct elfs_call *call) {
    *call = (struct elfs_call){.req_id = msg->ref, .caller = msg->from};
    if (!elfs_view_is(msg->module, "erpc") || msg->link) return ELFS_UNDEF;
    if (elfs_view_is(msg->function, "execute_call") && msg->arity == 4 && msg->monitor) {
        call->style = ELFS_CALL_ERPC;
    } else if (elfs_view_is(msg->function, "execute_cast") && msg->arity == 3) {
        call->style = ELFS_CALL_CAST;
    } else {
        return ELFS_UNDEF;
    }
    struct elfs_reader r = elfs_reader_of(msg->message);
    size_t count;
    bool tail;
    if (elfs_term_list(&r, &count, &tail) != ELFS_OK || (int64_t)count != msg->arity)
        return ELFS_BADARG;
    if (call->style == ELFS_CALL_ERPC && elfs_term_skip(&r, &call->tag) != ELFS_OK)
        return ELFS_BADARG;
    if (!read_mfa(&r, call)) return ELFS_BADARG;
    return elfs_term_list(&r, &count, &tail) == ELFS_OK && !tail ? ELFS_OK : ELFS_BADARG;
}

/* {Word, M, F, A, GL}. */
static bool read_request(struct elfs_reader *r, const char *word, struct elfs_call *call) {
    return read_tuple(r, 5) && read_word(r, word) && read_mfa(r, call);
}

/* The start of {'$gen_call', {Pid, Tag}, Request}, up to Request. */
static bool read_gen_call(struct elfs_reader *r, struct elfs_view *pid, struct elfs_view *tag) {
    return read_tuple(r, 3) && read_word(r, "$gen_call") && read_tuple(r, 2) &&
           elfs_term_pid(r, pid) == ELFS_OK && elfs_term_skip(r, tag) == ELFS_OK;
}

static bool read_rex(struct elfs_reader r, struct elfs_call *call) {
    return read_tuple(&r, 2) && elfs_term_pid(&r, &call->caller) == ELFS_OK &&
           read_request(&r, "call", call);
}

/* block_call differs in that rex serves nothing else meanwhile, which no caller can tell. */
static bool read_gen_rex(struct elfs_reader r, struct elfs_call *call) {
    if (!read_gen_call(&r, &call->caller, &call->tag)) return false;
    struct elfs_reader again = r;
    return read_request(&r, "call", call) || read_request(&again, "block_call", call);
}

static bool read_rex_cast(struct elfs_reader r, struct elfs_call *call) {
    return read_tuple(&r, 2) && read_word(&r, "$gen_cast") && read_request(&r, "cast", call);
}

enum elfs_code elfs_call_of_rex(const struct elfs_dist_msg *msg, struct elfs_call *call) {
    struct elfs_reader r = elfs_reader_of(msg->message);
    *call = (struct elfs_call){.style = ELFS_CALL_REX};
    if (read_rex(r, call)) return ELFS_OK;
    *call = (struct elfs_call){.style = ELFS_CALL_GEN_REX};
    if (read_gen_rex(r, call)) return ELFS_OK;
    *call = (struct elfs_call){.style = ELFS_CALL_REX_CAST, .caller = msg->from};
    if (read_rex_cast(r, call)) return ELFS_OK;
    return ELFS_BADARG;
}

bool elfs_call_is_auth(const struct elfs_dist_msg *msg, struct elfs_view *to,
                       struct elfs_view *tag) {
    struct elfs_reader r = elfs_reader_of(msg->message);
    return read_gen_call(&r, to, tag) && read_tuple(&r, 2) && read_word(&r, "is_auth");
}

/* The answer up to its value: a message {rex, or {Tag, to the caller. */
static size_t open_message(struct elfs_buf *buf, const struct elfs_call *call) {
    size_t mark = elfs_dist_open_send(buf, call->caller);
    elfs_put_tuple_header(buf, 2);
    if (call->style == ELFS_CALL_REX) {
        elfs_put_atom(buf, "rex");
    } else {
        elfs_buf_append_view(buf, call->tag);
    }
    return mark;
}

/* The end of the call's process, with the reason {Ref, Word, ...} of so many elements. */
static size_t open_exit(struct elfs_buf *buf, const struct elfs_call *call, struct elfs_view pid,
                        size_t arity, const char *word) {
    size_t mark = elfs_dist_open_monitor_exit(buf, pid, call->caller, call->req_id);
    elfs_put_tuple_header(buf, arity);
    elfs_buf_append_view(buf, call->tag);
    elfs_put_atom(buf, word);
    return mark;
}

size_t elfs_call_open_return(struct elfs_buf *buf, const struct elfs_call *call,
                             struct elfs_view pid) {
    return call->style == ELFS_CALL_ERPC ? open_exit(buf, call, pid, 3, "return")
                                         : open_message(buf, call);
}

/* [{M, F, Args, []}] */
static void put_stack(struct elfs_buf *buf, const struct elfs_call *call) {
    elfs_put_list_header(buf, 1);
    elfs_put_tuple_header(buf, 4);
    elfs_buf_append_view(buf, call->mfa);
    elfs_put_nil(buf);
    elfs_put_nil(buf);
}

size_t elfs_call_open_raise(struct elfs_buf *buf, const struct elfs_call *call,
                            struct elfs_view pid) {
    if (call->style == ELFS_CALL_ERPC) return open_exit(buf, call, pid, 4, "error");
    size_t mark = open_message(buf, call);
    elfs_put_tuple_header(buf, 2);
    elfs_put_atom(buf, "badrpc");
    elfs_put_tuple_header(buf, 2);
    elfs_put_atom(buf, "EXIT");
    elfs_put_tuple_header(buf, 2);
    return mark;
}

enum elfs_code elfs_call_close_raise(struct elfs_buf *buf, const struct elfs_call *call,
                                     size_t mark) {
    put_stack(buf, call);
    return elfs_frame_close(buf, mark);
}

enum elfs_code elfs_call_raise(struct elfs_buf *buf, const struct elfs_call *call,
                               struct elfs_view pid, const char *reason) {
    size_t mark = elfs_call_open_raise(buf, call, pid);
    elfs_put_atom(buf, reason);
    return elfs_call_close_raise(buf, call, mark);
}

enum elfs_code elfs_call_put_auth(struct elfs_buf *buf, struct elfs_view to, struct elfs_view tag) {
    size_t mark = elfs_dist_open_send(buf, to);
    elfs_put_tuple_header(buf, 2);
    elfs_buf_append_view(buf, tag);
    elfs_put_atom(buf, "yes");
    return elfs_frame_close(buf, mark);
}
