/* dist - see dist.h. One table says what each operation's control tuple holds; parsing walks it. */
#include "codec/dist.h"

#include "codec/frame.h"

#define PASS_THROUGH 112

/* Elements of a control tuple after the operation, one letter each:
 *   f from, a pid       F from, a pid or a name      t to, a pid     T to, a pid or a name
 *   a to, an alias      r ref, a reference           i ref, an id    n name, an atom
 *   l leader, a pid     m {Module,Function,Arity}    o spawn options x reason   _ anything */
enum payload { NO_PAYLOAD, MESSAGE, REASON };

struct shape {
    enum elfs_dist_op op;
    enum payload payload;
    const char *fields;
};

static const struct shape shapes[] = {
    {ELFS_DIST_LINK, NO_PAYLOAD, "ft"},           {ELFS_DIST_SEND, MESSAGE, "_t"},
    {ELFS_DIST_EXIT, NO_PAYLOAD, "ftx"},          {ELFS_DIST_UNLINK, NO_PAYLOAD, "ft"},
    {ELFS_DIST_REG_SEND, MESSAGE, "f_n"},         {ELFS_DIST_GROUP_LEADER, NO_PAYLOAD, "ft"},
    {ELFS_DIST_EXIT2, NO_PAYLOAD, "ftx"},         {ELFS_DIST_MONITOR_P, NO_PAYLOAD, "fTr"},
    {ELFS_DIST_DEMONITOR_P, NO_PAYLOAD, "fTr"},   {ELFS_DIST_MONITOR_P_EXIT, NO_PAYLOAD, "Ftrx"},
    {ELFS_DIST_SEND_SENDER, MESSAGE, "ft"},       {ELFS_DIST_PAYLOAD_EXIT, REASON, "ft"},
    {ELFS_DIST_PAYLOAD_EXIT2, REASON, "ft"},      {ELFS_DIST_PAYLOAD_MONITOR_P_EXIT, REASON, "Ftr"},
    {ELFS_DIST_SPAWN_REQUEST, MESSAGE, "rflmo"},  {ELFS_DIST_ALIAS_SEND, MESSAGE, "fa"},
    {ELFS_DIST_SPAWN_REPLY, NO_PAYLOAD, "rt_F"},  {ELFS_DIST_UNLINK_ID, NO_PAYLOAD, "ift"},
    {ELFS_DIST_UNLINK_ID_ACK, NO_PAYLOAD, "ift"},
};

static const struct shape *shape_of(int64_t op) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if ((int64_t)shapes[i].op == op) return &shapes[i];
    }
    return NULL;
}

/* Steps over a term of one of two kinds. */
static bool read_either(struct elfs_reader *r, enum elfs_term_kind a, enum elfs_term_kind b,
                        struct elfs_view *term) {
    enum elfs_term_kind kind;
    return elfs_term_peek(r, &kind) == ELFS_OK && (kind == a || kind == b) &&
           elfs_term_skip(r, term) == ELFS_OK;
}

static bool read_kind(struct elfs_reader *r, enum elfs_term_kind kind, struct elfs_view *term) {
    return read_either(r, kind, kind, term);
}

static bool read_mfa(struct elfs_reader *r, struct elfs_dist_msg *msg) {
    size_t arity;
    return elfs_term_tuple(r, &arity) == ELFS_OK && arity == 3 &&
           elfs_term_atom(r, &msg->module) == ELFS_OK &&
           elfs_term_atom(r, &msg->function) == ELFS_OK &&
           elfs_term_int64(r, &msg->arity) == ELFS_OK;
}

/* A BEAM sends {monitor, Options} as `monitor`; priorities, heap sizes and so on mean nothing to
 * us. */
static void read_option(struct elfs_view option, struct elfs_dist_msg *msg) {
    struct elfs_reader r = elfs_reader_of(option);
    struct elfs_view name;
    if (elfs_term_atom(&r, &name) != ELFS_OK) return;
    if (elfs_view_is(name, "monitor")) msg->monitor = true;
    if (elfs_view_is(name, "link")) msg->link = true;
}

static bool read_options(struct elfs_reader *r, struct elfs_dist_msg *msg) {
    struct elfs_items items;
    if (elfs_term_items_begin(r, &items) != ELFS_OK) return false;
    while (items.left > 0) {
        struct elfs_view option;
        if (elfs_term_items_next(r, &items, &option) != ELFS_OK) return false;
        read_option(option, msg);
    }
    return elfs_term_items_end(r, &items) == ELFS_OK;
}

static bool read_field(struct elfs_reader *r, char field, struct elfs_dist_msg *msg) {
    switch (field) {
    case 'f': return read_kind(r, ELFS_TERM_PID, &msg->from);
    case 'F': return read_either(r, ELFS_TERM_PID, ELFS_TERM_ATOM, &msg->from);
    case 't': return read_kind(r, ELFS_TERM_PID, &msg->to);
    case 'T': return read_either(r, ELFS_TERM_PID, ELFS_TERM_ATOM, &msg->to);
    case 'a': return read_kind(r, ELFS_TERM_REF, &msg->to);
    case 'r': return read_kind(r, ELFS_TERM_REF, &msg->ref);
    case 'i': return read_kind(r, ELFS_TERM_INTEGER, &msg->ref);
    case 'l': return read_kind(r, ELFS_TERM_PID, &msg->leader);
    case 'n': return elfs_term_atom(r, &msg->name) == ELFS_OK;
    case 'm': return read_mfa(r, msg);
    case 'o': return read_options(r, msg);
    case 'x': return elfs_term_skip(r, &msg->reason) == ELFS_OK;
    default: return elfs_term_skip(r, NULL) == ELFS_OK;
    }
}

static bool read_known(struct elfs_reader *r, const struct shape *shape, size_t fields,
                       struct elfs_dist_msg *msg) {
    if (fields != strlen(shape->fields)) return false;
    for (size_t i = 0; i < fields; i++) {
        if (!read_field(r, shape->fields[i], msg)) return false;
    }
    return true;
}

static bool read_payload(struct elfs_reader *r, struct elfs_view *term) {
    return elfs_term_version(r) == ELFS_OK && elfs_term_skip(r, term) == ELFS_OK;
}

static bool read_control(struct elfs_reader *r, struct elfs_dist_msg *msg) {
    size_t arity;
    int64_t op;
    if (elfs_term_version(r) != ELFS_OK) return false;
    if (elfs_term_tuple(r, &arity) != ELFS_OK || arity < 1) return false;
    if (elfs_term_int64(r, &op) != ELFS_OK) return false;
    size_t fields = arity - 1;
    const struct shape *shape = shape_of(op);
    if (!shape) {
        msg->op = ELFS_DIST_OTHER;
        for (size_t i = 0; i < fields; i++) {
            if (elfs_term_skip(r, NULL) != ELFS_OK) return false;
        }
        return elfs_reader_left(r) == 0 || read_payload(r, &msg->message);
    }
    msg->op = shape->op;
    if (!read_known(r, shape, fields, msg)) return false;
    if (shape->payload == NO_PAYLOAD) return true;
    return read_payload(r, shape->payload == MESSAGE ? &msg->message : &msg->reason);
}

enum elfs_code elfs_dist_parse(struct elfs_view frame, struct elfs_dist_msg *msg) {
    *msg = (struct elfs_dist_msg){0};
    if (frame.len < 1 || frame.data[0] != PASS_THROUGH) return ELFS_MALFORMED;
    struct elfs_reader r = elfs_reader_of((struct elfs_view){frame.data + 1, frame.len - 1});
    return read_control(&r, msg) && elfs_reader_left(&r) == 0 ? ELFS_OK : ELFS_MALFORMED;
}

/* Everything up to the elements: [length]112,131,{Op, ...}. */
static size_t open_control(struct elfs_buf *buf, enum elfs_dist_op op, size_t fields) {
    size_t mark = elfs_frame_open(buf);
    elfs_buf_put_u8(buf, PASS_THROUGH);
    elfs_put_version(buf);
    elfs_put_tuple_header(buf, fields + 1);
    elfs_put_int64(buf, op);
    return mark;
}

/* {Op, A, B, C} and nothing else. */
static enum elfs_code put_three(struct elfs_buf *buf, enum elfs_dist_op op, struct elfs_view a,
                                struct elfs_view b, struct elfs_view c) {
    size_t mark = open_control(buf, op, 3);
    elfs_buf_append_view(buf, a);
    elfs_buf_append_view(buf, b);
    elfs_buf_append_view(buf, c);
    return elfs_frame_close(buf, mark);
}

static size_t open_spawn_reply(struct elfs_buf *buf, struct elfs_view req_id, struct elfs_view to,
                               int flags) {
    size_t mark = open_control(buf, ELFS_DIST_SPAWN_REPLY, 4);
    elfs_buf_append_view(buf, req_id);
    elfs_buf_append_view(buf, to);
    elfs_put_int64(buf, flags);
    return mark;
}

enum elfs_code elfs_dist_spawn_reply(struct elfs_buf *buf, struct elfs_view req_id,
                                     struct elfs_view to, int flags, struct elfs_view pid) {
    size_t mark = open_spawn_reply(buf, req_id, to, flags);
    elfs_buf_append_view(buf, pid);
    return elfs_frame_close(buf, mark);
}

enum elfs_code elfs_dist_spawn_error(struct elfs_buf *buf, struct elfs_view req_id,
                                     struct elfs_view to, const char *reason) {
    size_t mark = open_spawn_reply(buf, req_id, to, 0);
    elfs_put_atom(buf, reason);
    return elfs_frame_close(buf, mark);
}

enum elfs_code elfs_dist_monitor(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                                 struct elfs_view ref) {
    return put_three(buf, ELFS_DIST_MONITOR_P, from, to, ref);
}

enum elfs_code elfs_dist_demonitor(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                                   struct elfs_view ref) {
    return put_three(buf, ELFS_DIST_DEMONITOR_P, from, to, ref);
}

enum elfs_code elfs_dist_unlink_ack(struct elfs_buf *buf, struct elfs_view id,
                                    struct elfs_view from, struct elfs_view to) {
    return put_three(buf, ELFS_DIST_UNLINK_ID_ACK, id, from, to);
}

enum elfs_code elfs_dist_exit(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                              const char *reason) {
    size_t mark = open_control(buf, ELFS_DIST_PAYLOAD_EXIT, 2);
    elfs_buf_append_view(buf, from);
    elfs_buf_append_view(buf, to);
    elfs_put_version(buf);
    elfs_put_atom(buf, reason);
    return elfs_frame_close(buf, mark);
}

size_t elfs_dist_open_send(struct elfs_buf *buf, struct elfs_view to) {
    size_t mark = open_control(buf, ELFS_DIST_SEND, 2);
    elfs_put_atom(buf, "");
    elfs_buf_append_view(buf, to);
    elfs_put_version(buf);
    return mark;
}

size_t elfs_dist_open_reg_send(struct elfs_buf *buf, struct elfs_view from, const char *name) {
    size_t mark = open_control(buf, ELFS_DIST_REG_SEND, 3);
    elfs_buf_append_view(buf, from);
    elfs_put_atom(buf, "");
    elfs_put_atom(buf, name);
    elfs_put_version(buf);
    return mark;
}

size_t elfs_dist_open_monitor_exit(struct elfs_buf *buf, struct elfs_view from, struct elfs_view to,
                                   struct elfs_view ref) {
    size_t mark = open_control(buf, ELFS_DIST_PAYLOAD_MONITOR_P_EXIT, 3);
    elfs_buf_append_view(buf, from);
    elfs_buf_append_view(buf, to);
    elfs_buf_append_view(buf, ref);
    elfs_put_version(buf);
    return mark;
}

size_t elfs_dist_open_erpc(struct elfs_buf *buf, const struct elfs_identity *id,
                           const uint32_t words[3], struct elfs_view from) {
    size_t mark = open_control(buf, ELFS_DIST_SPAWN_REQUEST, 5);
    elfs_put_ref(buf, id, words);
    elfs_buf_append_view(buf, from);
    elfs_buf_append_view(buf, from); /* the group leader: nothing is printed */
    elfs_put_tuple_header(buf, 3);
    elfs_put_atom(buf, "erpc");
    elfs_put_atom(buf, "execute_call");
    elfs_put_int64(buf, 4);
    elfs_put_list_header(buf, 1);
    elfs_put_atom(buf, "monitor");
    elfs_put_nil(buf);
    elfs_put_version(buf);
    elfs_put_list_header(buf, 4);
    elfs_put_ref(buf, id, words);
    return mark;
}

enum elfs_code elfs_dist_close_erpc(struct elfs_buf *buf, size_t mark) {
    elfs_put_nil(buf);
    return elfs_frame_close(buf, mark);
}
