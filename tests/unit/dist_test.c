/* dist: frames recorded from an OTP 25 node, their truncations, and what we write read back. */
#include "codec/dist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <ei.h>

#include "codec/frame.h"
#include "fail_alloc.h"
#include "vectors.h"

static const struct elfs_identity self = {
    .node = {(const uint8_t *)"litefs@host", 11},
    .creation = 77,
};

/* Letters for the fields that must be set: from, to, ref, reason (x), leader, name, module,
 * function (u), message (m). */
struct expected {
    const char *name;
    enum elfs_dist_op op;
    const char *fields;
};

static const struct expected table[] = {
    {"link", ELFS_DIST_LINK, "ft"},
    {"unlink_id", ELFS_DIST_UNLINK_ID, "rft"},
    {"made_unlink", ELFS_DIST_UNLINK, "ft"},
    {"made_unlink_id_64", ELFS_DIST_UNLINK_ID, "rft"},
    {"made_unlink_id_ack", ELFS_DIST_UNLINK_ID_ACK, "rft"},
    {"made_exit", ELFS_DIST_EXIT, "ftx"},
    {"made_exit2", ELFS_DIST_EXIT2, "ftx"},
    {"payload_exit", ELFS_DIST_PAYLOAD_EXIT, "ftx"},
    {"payload_exit2", ELFS_DIST_PAYLOAD_EXIT2, "ftx"},
    {"group_leader", ELFS_DIST_GROUP_LEADER, "ft"},
    {"monitor_p_pid", ELFS_DIST_MONITOR_P, "ftr"},
    {"monitor_p_name", ELFS_DIST_MONITOR_P, "ftr"},
    {"demonitor_p_pid", ELFS_DIST_DEMONITOR_P, "ftr"},
    {"demonitor_p_name", ELFS_DIST_DEMONITOR_P, "ftr"},
    {"made_monitor_p_exit", ELFS_DIST_MONITOR_P_EXIT, "ftrx"},
    {"made_monitor_p_exit_name", ELFS_DIST_MONITOR_P_EXIT, "ftrx"},
    {"made_payload_monitor_p_exit", ELFS_DIST_PAYLOAD_MONITOR_P_EXIT, "ftrx"},
    {"send_improper_list", ELFS_DIST_SEND, "tm"},
    {"send_every_kind_of_term", ELFS_DIST_SEND, "tm"},
    {"made_send_sender", ELFS_DIST_SEND_SENDER, "ftm"},
    {"made_alias_send", ELFS_DIST_ALIAS_SEND, "ftm"},
    {"reg_send_atom", ELFS_DIST_REG_SEND, "fnm"},
    {"reg_send_multi_call", ELFS_DIST_REG_SEND, "fnm"},
    {"spawn_request_erpc_call_query", ELFS_DIST_SPAWN_REQUEST, "frlMum"},
    {"spawn_request_spawn", ELFS_DIST_SPAWN_REQUEST, "frlMum"},
    {"send_tt", ELFS_DIST_OTHER, "m"},
    {"made_spawn_request_tt", ELFS_DIST_OTHER, "m"},
};

static struct elfs_view load_frame(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "dist/%s.frame", name);
    return vector_load(path);
}

static void assert_fields(const struct elfs_dist_msg *msg, const struct expected *expected) {
    const struct {
        char letter;
        struct elfs_view view;
    } fields[] = {
        {'f', msg->from},   {'t', msg->to},       {'r', msg->ref},
        {'x', msg->reason}, {'l', msg->leader},   {'n', msg->name},
        {'M', msg->module}, {'u', msg->function}, {'m', msg->message},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        bool must = strchr(expected->fields, fields[i].letter) != NULL;
        if (must != (fields[i].view.len > 0))
            fail_msg("%s: field %c", expected->name, fields[i].letter);
    }
}

static void parses_each_operation(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view frame = load_frame(table[i].name);
        struct elfs_dist_msg msg;
        if (elfs_dist_parse(frame, &msg) != ELFS_OK) fail_msg("%s is refused", table[i].name);
        assert_int_equal(msg.op, table[i].op);
        assert_fields(&msg, &table[i]);
        exact_free(frame);
    }
}

static void refuse(struct elfs_view frame) {
    struct elfs_dist_msg msg;
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_MALFORMED);
}

static void check_cuts(const char *name, struct elfs_view frame) {
    struct elfs_dist_msg msg;
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    bool optional = msg.op == ELFS_DIST_OTHER; /* what follows it may be missing: not a mistake */
    if (!optional) prefixes_each(frame, refuse);
    struct elfs_buf longer;
    elfs_buf_init(&longer, 1 << 16);
    elfs_buf_append_view(&longer, frame);
    elfs_buf_put_u8(&longer, 106);
    if (elfs_dist_parse((struct elfs_view){longer.data, longer.len}, &msg) != ELFS_MALFORMED)
        fail_msg("%s with a byte too many is taken", name);
    elfs_buf_fini(&longer);
}

static void refuses_every_cut_and_anything_left_over(void **state) {
    (void)state;
    vectors_each("dist", ".frame", check_cuts);
}

static void a_spawn_request_in_detail(void **state) {
    (void)state;
    struct elfs_view frame = load_frame("spawn_request_erpc_call_query");
    struct elfs_dist_msg msg;
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    assert_true(elfs_view_is(msg.module, "erpc"));
    assert_true(elfs_view_is(msg.function, "execute_call"));
    assert_int_equal(msg.arity, 4);
    assert_true(msg.monitor);
    assert_false(msg.link);
    struct elfs_reader r = elfs_reader_of(msg.message);
    size_t count;
    bool tail;
    assert_int_equal(elfs_term_list(&r, &count, &tail), ELFS_OK);
    assert_int_equal(count, 4);
    exact_free(frame);

    frame = load_frame("spawn_request_spawn_link");
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    assert_true(msg.link);
    assert_false(msg.monitor);
    exact_free(frame);

    frame = load_frame("spawn_request_options");
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    assert_true(msg.link);
    assert_true(msg.monitor);
    exact_free(frame);
}

static void a_name_is_text_and_a_monitored_name_a_term(void **state) {
    (void)state;
    struct elfs_view frame = load_frame("reg_send_net_kernel_is_auth"), text;
    struct elfs_dist_msg msg;
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    assert_true(elfs_view_is(msg.name, "net_kernel"));
    exact_free(frame);

    frame = load_frame("monitor_p_name");
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    struct elfs_reader r = elfs_reader_of(msg.to);
    assert_int_equal(elfs_term_atom(&r, &text), ELFS_OK);
    assert_true(elfs_view_is(text, "some_name"));
    exact_free(frame);
}

#define FRAME(...)                                                                                 \
    ((struct elfs_view){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})
#define PID 103, 119, 1, 'a', 0, 0, 0, 1, 0, 0, 0, 0, 1
#define REF 101, 119, 1, 'a', 0, 0, 0, 1, 1

static void refuses_tuples_of_the_wrong_shape(void **state) {
    (void)state;
    struct elfs_dist_msg msg;
    assert_int_equal(elfs_dist_parse(FRAME(112, 131, 104, 3, 97, 1, PID, PID), &msg), ELFS_OK);
    const struct elfs_view bad[] = {
        FRAME(112),
        FRAME(113, 131, 104, 3, 97, 1, PID, PID),       /* not pass through */
        FRAME(112, 130, 104, 3, 97, 1, PID, PID),       /* another version */
        FRAME(112, 131, 97, 1),                         /* no tuple */
        FRAME(112, 131, 104, 0),                        /* no operation */
        FRAME(112, 131, 104, 1, 119, 1, 'a'),           /* not a number */
        FRAME(112, 131, 104, 2, 97, 1, PID),            /* an element too few */
        FRAME(112, 131, 104, 4, 97, 1, PID, PID, PID),  /* one too many */
        FRAME(112, 131, 104, 3, 97, 1, PID, 97, 1),     /* a link to a number */
        FRAME(112, 131, 104, 4, 97, 19, PID, PID, PID), /* a monitor without reference */
        FRAME(112, 131, 104, 4, 97, 35, REF, PID, PID), /* an id that is no integer */
        FRAME(112, 131, 104, 3, 97, 2, 119, 0, 119, 1, 'a', 131, 106), /* SEND to a name */
        FRAME(112, 131, 104, 3, 97, 2, 119, 0, PID),                   /* SEND of nothing */
        FRAME(112, 131, 104, 3, 97, 2, 119, 0, PID, 106),              /* without its version */
        FRAME(112, 131, 104, 3, 97, 1, PID, PID, 131, 106),            /* LINK with a message */
        FRAME(112, 131, 104, 2, 97, 99, 104, 1), /* unknown, with a broken term */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct elfs_view copy = exact_copy(bad[i]);
        if (elfs_dist_parse(copy, &msg) != ELFS_MALFORMED) fail_msg("number %zu is taken", i);
        exact_free(copy);
    }
}

/* Terms of ours to write with, each in a buffer of its own. */
struct terms {
    struct elfs_buf bufs[3];
    struct elfs_view pid, peer, ref;
};

static void terms_init(struct terms *t) {
    for (size_t i = 0; i < 3; i++) elfs_buf_init(&t->bufs[i], 1024);
    elfs_put_pid(&t->bufs[0], &self, 1, 0);
    elfs_put_pid(&t->bufs[1], &self, 2, 0);
    elfs_put_ref(&t->bufs[2], &self, (const uint32_t[]){1, 2, 3});
    t->pid = (struct elfs_view){t->bufs[0].data, t->bufs[0].len};
    t->peer = (struct elfs_view){t->bufs[1].data, t->bufs[1].len};
    t->ref = (struct elfs_view){t->bufs[2].data, t->bufs[2].len};
}

static void terms_fini(struct terms *t) {
    for (size_t i = 0; i < 3; i++) elfs_buf_fini(&t->bufs[i]);
}

static struct elfs_view only_frame(const struct elfs_buf *buf) {
    struct elfs_view frame;
    size_t used;
    assert_int_equal(
        elfs_frame_next((struct elfs_view){buf->data, buf->len}, 4096, &frame, &used, NULL),
        ELFS_OK);
    assert_int_equal(used, buf->len);
    return frame;
}

static void what_is_written_reads_back(void **state) {
    (void)state;
    struct terms t;
    terms_init(&t);
    struct elfs_buf buf;
    elfs_buf_init(&buf, 4096);
    struct elfs_dist_msg msg;

    assert_int_equal(elfs_dist_monitor(&buf, t.pid, t.peer, t.ref), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_MONITOR_P);
    assert_true(elfs_view_equal(msg.from, t.pid));
    assert_true(elfs_view_equal(msg.to, t.peer));
    assert_true(elfs_view_equal(msg.ref, t.ref));
    elfs_buf_truncate(&buf, 0);

    assert_int_equal(elfs_dist_demonitor(&buf, t.pid, t.peer, t.ref), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_DEMONITOR_P);
    assert_true(elfs_view_equal(msg.from, t.pid));
    elfs_buf_truncate(&buf, 0);

    assert_int_equal(elfs_dist_exit(&buf, t.pid, t.peer, "noproc"), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_PAYLOAD_EXIT);
    assert_true(elfs_view_equal(msg.to, t.peer));
    assert_true(elfs_view_is(msg.reason, "w\6noproc"));
    elfs_buf_truncate(&buf, 0);

    struct elfs_view id = elfs_view_str("a\7");
    assert_int_equal(elfs_dist_unlink_ack(&buf, id, t.pid, t.peer), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_UNLINK_ID_ACK);
    assert_true(elfs_view_equal(msg.ref, id));
    assert_true(elfs_view_equal(msg.from, t.pid));
    elfs_buf_truncate(&buf, 0);

    size_t mark = elfs_dist_open_send(&buf, t.peer);
    elfs_put_nil(&buf);
    assert_int_equal(elfs_frame_close(&buf, mark), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_SEND);
    assert_true(elfs_view_equal(msg.to, t.peer));
    assert_true(elfs_view_is(msg.message, "j"));
    elfs_buf_truncate(&buf, 0);

    mark = elfs_dist_open_reg_send(&buf, t.pid, "ecto_litefs");
    elfs_put_nil(&buf);
    assert_int_equal(elfs_frame_close(&buf, mark), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_REG_SEND);
    assert_true(elfs_view_equal(msg.from, t.pid));
    assert_true(elfs_view_is(msg.name, "ecto_litefs"));
    assert_true(elfs_view_is(msg.message, "j"));
    elfs_buf_truncate(&buf, 0);

    mark = elfs_dist_open_monitor_exit(&buf, t.pid, t.peer, t.ref);
    elfs_put_nil(&buf);
    assert_int_equal(elfs_frame_close(&buf, mark), ELFS_OK);
    assert_int_equal(elfs_dist_parse(only_frame(&buf), &msg), ELFS_OK);
    assert_int_equal(msg.op, ELFS_DIST_PAYLOAD_MONITOR_P_EXIT);
    assert_true(elfs_view_equal(msg.from, t.pid));
    assert_true(elfs_view_equal(msg.ref, t.ref));
    assert_true(elfs_view_is(msg.reason, "j"));
    elfs_buf_fini(&buf);
    terms_fini(&t);
}

/* SPAWN_REPLY is only written, so ei reads it: {31, ReqId, To, Flags, PidOrReason}. */
static void spawn_replies_as_ei_reads_them(void **state) {
    (void)state;
    struct terms t;
    terms_init(&t);
    for (int refused = 0; refused < 2; refused++) {
        struct elfs_buf buf;
        elfs_buf_init(&buf, 4096);
        assert_int_equal(refused ? elfs_dist_spawn_error(&buf, t.ref, t.peer, "notsup")
                                 : elfs_dist_spawn_reply(&buf, t.ref, t.peer, 2, t.pid),
                         ELFS_OK);
        const char *bytes = (const char *)only_frame(&buf).data;
        int index = 1, version, arity;
        long op, flags;
        erlang_ref ref;
        erlang_pid pid;
        char reason[MAXATOMLEN];
        assert_int_equal(ei_decode_version(bytes, &index, &version), 0);
        assert_int_equal(ei_decode_tuple_header(bytes, &index, &arity), 0);
        assert_int_equal(arity, 5);
        assert_int_equal(ei_decode_long(bytes, &index, &op), 0);
        assert_int_equal(op, 31);
        assert_int_equal(ei_decode_ref(bytes, &index, &ref), 0);
        assert_int_equal(ref.n[1], 2);
        assert_int_equal(ei_decode_pid(bytes, &index, &pid), 0);
        assert_int_equal(pid.num, 2);
        assert_int_equal(ei_decode_long(bytes, &index, &flags), 0);
        assert_int_equal(flags, refused ? 0 : 2);
        if (refused) {
            assert_int_equal(ei_decode_atom(bytes, &index, reason), 0);
            assert_string_equal(reason, "notsup");
        } else {
            assert_int_equal(ei_decode_pid(bytes, &index, &pid), 0);
            assert_int_equal(pid.num, 1);
        }
        assert_int_equal(index + 4, buf.len);
        elfs_buf_fini(&buf);
    }
    terms_fini(&t);
}

static bool write_reply(void *arg) {
    const struct terms *t = arg;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 4096);
    enum elfs_code code = elfs_dist_spawn_reply(&buf, t->ref, t->peer, 2, t->pid);
    if (code != ELFS_OK) {
        assert_int_equal(code, ELFS_NOMEM);
        assert_int_equal(buf.len, 0);
    }
    elfs_buf_fini(&buf);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    struct terms t;
    terms_init(&t);
    fail_alloc_each(write_reply, &t);
    terms_fini(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_each_operation),
        cmocka_unit_test(refuses_every_cut_and_anything_left_over),
        cmocka_unit_test(a_spawn_request_in_detail),
        cmocka_unit_test(a_name_is_text_and_a_monitored_name_a_term),
        cmocka_unit_test(refuses_tuples_of_the_wrong_shape),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(spawn_replies_as_ei_reads_them),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("dist", tests, NULL, NULL);
}
