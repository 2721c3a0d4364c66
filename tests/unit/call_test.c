/* call: calls as an OTP 25 node and erl_call sent them, and the answers that they get. */
#include "codec/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/frame.h"
#include "fail_alloc.h"
#include "vectors.h"

#define VIEW(text) ((struct elfs_view){(const uint8_t *)(text), sizeof(text) - 1})

static struct elfs_view load(const char *name, struct elfs_dist_msg *msg) {
    char path[128];
    snprintf(path, sizeof path, "dist/%s.frame", name);
    struct elfs_view frame = vector_load(path);
    assert_int_equal(elfs_dist_parse(frame, msg), ELFS_OK);
    return frame;
}

static enum elfs_code read_call(const struct elfs_dist_msg *msg, struct elfs_call *call) {
    return msg->op == ELFS_DIST_SPAWN_REQUEST ? elfs_call_of_spawn(msg, call)
                                              : elfs_call_of_rex(msg, call);
}

static void reads_every_style(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum elfs_call_style style;
        const char *module;
        const char *function;
        size_t args;
    } table[] = {
        {"spawn_request_erpc_call_query", ELFS_CALL_ERPC, "ecto_litefs", "query", 3},
        {"spawn_request_erpc_call_string_args", ELFS_CALL_ERPC, "foo", "bar", 3},
        {"spawn_request_erpc_call_no_args", ELFS_CALL_ERPC, "foo", "bar", 0},
        {"spawn_request_rpc_call", ELFS_CALL_ERPC, "foo", "bar", 2},
        {"spawn_request_erpc_cast", ELFS_CALL_CAST, "foo", "bar", 1},
        {"reg_send_rex_gen_call", ELFS_CALL_GEN_REX, "foo", "bar", 1},
        {"reg_send_rex_block_call", ELFS_CALL_GEN_REX, "foo", "bar", 1},
        {"reg_send_rex_erl_call", ELFS_CALL_REX, "foo", "bar", 2},
        {"made_reg_send_rex_cast", ELFS_CALL_REX_CAST, "foo", "bar", 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_dist_msg msg;
        struct elfs_call call;
        struct elfs_items items;
        struct elfs_view frame = load(table[i].name, &msg), pid;
        if (read_call(&msg, &call) != ELFS_OK) fail_msg("%s is refused", table[i].name);
        assert_int_equal(call.style, table[i].style);
        assert_true(elfs_view_is(call.module, table[i].module));
        assert_true(elfs_view_is(call.function, table[i].function));
        struct elfs_reader r = elfs_reader_of(call.args);
        assert_int_equal(elfs_term_items_begin(&r, &items), ELFS_OK);
        assert_int_equal(items.left, table[i].args);
        assert_ptr_equal(call.mfa.data + call.mfa.len, call.args.data + call.args.len);
        r = elfs_reader_of(call.caller);
        assert_int_equal(elfs_term_pid(&r, &pid), ELFS_OK);
        bool tagged = call.style == ELFS_CALL_ERPC || call.style == ELFS_CALL_GEN_REX;
        assert_int_equal(call.tag.len > 0, tagged);
        bool spawned = call.style == ELFS_CALL_ERPC || call.style == ELFS_CALL_CAST;
        assert_int_equal(call.req_id.len > 0, spawned);
        exact_free(frame);
    }
}

static void other_spawns_are_undef(void **state) {
    (void)state;
    static const char *const names[] = {"spawn_request_spawn", "spawn_request_spawn_link",
                                        "spawn_request_options"};
    struct elfs_dist_msg msg;
    struct elfs_call call;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct elfs_view frame = load(names[i], &msg);
        assert_int_equal(elfs_call_of_spawn(&msg, &call), ELFS_UNDEF);
        exact_free(frame);
    }
    struct elfs_view frame = load("spawn_request_rpc_call", &msg);
    struct elfs_dist_msg other = msg;
    other.monitor = false;
    assert_int_equal(elfs_call_of_spawn(&other, &call), ELFS_UNDEF);
    other = msg;
    other.link = true;
    assert_int_equal(elfs_call_of_spawn(&other, &call), ELFS_UNDEF);
    other = msg;
    other.arity = 3;
    assert_int_equal(elfs_call_of_spawn(&other, &call), ELFS_UNDEF);
    other = msg;
    other.function = VIEW("execute");
    assert_int_equal(elfs_call_of_spawn(&other, &call), ELFS_UNDEF);
    exact_free(frame);
}

#define M "w\1m"
#define F "w\1f"
#define FOUR "l\0\0\0\4"

static void anything_else_to_erpc_is_badarg(void **state) {
    (void)state;
    struct elfs_dist_msg msg;
    struct elfs_call call;
    struct elfs_view frame = load("spawn_request_rpc_call", &msg);
    msg.message = VIEW(FOUR "j" M F "jj");
    assert_int_equal(elfs_call_of_spawn(&msg, &call), ELFS_OK);
    const struct elfs_view bad[] = {
        VIEW("j"),
        VIEW("k\0\4abcd"),          /* four small integers */
        VIEW("h\4j" M F "j"),       /* a tuple */
        VIEW("l\0\0\0\3j" M F "j"), /* an element too few */
        VIEW(FOUR "j" M F "j" M),   /* an improper list */
        VIEW(FOUR "jj" F "jj"),     /* a module that is no atom */
        VIEW(FOUR "j" M "a\1jj"),   /* a function that is none */
        VIEW(FOUR "j" M F M "j"),   /* arguments that are no list */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        msg.message = bad[i];
        if (elfs_call_of_spawn(&msg, &call) != ELFS_BADARG) fail_msg("number %zu is taken", i);
    }
    exact_free(frame);
}

static void other_messages_to_rex_are_badarg(void **state) {
    (void)state;
    static const char *const names[] = {"reg_send_rex_features_request", "reg_send_atom",
                                        "reg_send_multi_call", "reg_send_net_kernel_is_auth",
                                        "send_every_kind_of_term"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct elfs_dist_msg msg;
        struct elfs_call call;
        struct elfs_view frame = load(names[i], &msg);
        assert_int_equal(elfs_call_of_rex(&msg, &call), ELFS_BADARG);
        exact_free(frame);
    }
}

/* The message of the only frame in buf, whose operation and addresses are checked. */
static struct elfs_view answer_to(const struct elfs_buf *buf, const struct elfs_call *call,
                                  struct elfs_view pid) {
    struct elfs_view frame;
    struct elfs_dist_msg msg;
    size_t used;
    assert_int_equal(
        elfs_frame_next((struct elfs_view){buf->data, buf->len}, 4096, &frame, &used, NULL),
        ELFS_OK);
    assert_int_equal(used, buf->len);
    assert_int_equal(elfs_dist_parse(frame, &msg), ELFS_OK);
    assert_true(elfs_view_equal(msg.to, call->caller));
    if (call->style != ELFS_CALL_ERPC) {
        assert_int_equal(msg.op, ELFS_DIST_SEND);
        return msg.message;
    }
    assert_int_equal(msg.op, ELFS_DIST_PAYLOAD_MONITOR_P_EXIT);
    assert_true(elfs_view_equal(msg.from, pid));
    assert_true(elfs_view_equal(msg.ref, call->req_id));
    return msg.reason;
}

static void append_str(struct elfs_buf *buf, const char *text) {
    elfs_buf_append_view(buf, elfs_view_str(text));
}

static void assert_same(const struct elfs_buf *expected, struct elfs_view got) {
    assert_int_equal(expected->status, ELFS_OK);
    assert_true(elfs_view_equal((struct elfs_view){expected->data, expected->len}, got));
}

/* A frame, its call, a pid of ours, and buffers for the answer and for what it must be. */
struct fixture {
    struct elfs_view frame;
    struct elfs_dist_msg msg;
    struct elfs_call call;
    struct elfs_buf own, answer, expected;
    struct elfs_view pid;
};

static void fixture_init(struct fixture *f, const char *name) {
    static const struct elfs_identity self = {{(const uint8_t *)"litefs@host", 11}, 77};
    f->frame = load(name, &f->msg);
    assert_int_equal(read_call(&f->msg, &f->call), ELFS_OK);
    elfs_buf_init(&f->own, 100);
    elfs_buf_init(&f->answer, 4096);
    elfs_buf_init(&f->expected, 4096);
    elfs_put_pid(&f->own, &self, 1, 0);
    f->pid = (struct elfs_view){f->own.data, f->own.len};
}

static void fixture_fini(struct fixture *f) {
    elfs_buf_fini(&f->own);
    elfs_buf_fini(&f->answer);
    elfs_buf_fini(&f->expected);
    exact_free(f->frame);
}

static void check_return(const char *name, const char *head, const char *word) {
    struct fixture f;
    fixture_init(&f, name);
    size_t mark = elfs_call_open_return(&f.answer, &f.call, f.pid);
    elfs_put_atom(&f.answer, "ok");
    assert_int_equal(elfs_frame_close(&f.answer, mark), ELFS_OK);
    append_str(&f.expected, head);
    elfs_buf_append_view(&f.expected, f.call.tag);
    append_str(&f.expected, word);
    append_str(&f.expected, "w\2ok");
    assert_same(&f.expected, answer_to(&f.answer, &f.call, f.pid));
    fixture_fini(&f);
}

static void returned_values(void **state) {
    (void)state;
    check_return("spawn_request_erpc_call_query", "h\3", "w\6return");
    check_return("reg_send_rex_gen_call", "h\2", "");
    check_return("reg_send_rex_erl_call", "h\2", "w\3rex");
}

/* {M, F, Args, []} as it came. */
static void append_stack(struct fixture *f) {
    elfs_buf_append_view(&f->expected, VIEW("l\0\0\0\1h\4"));
    elfs_buf_append_view(&f->expected, f->call.mfa);
    append_str(&f->expected, "jj");
}

static void a_raise_through_erpc(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, "spawn_request_erpc_call_query");
    assert_int_equal(elfs_call_raise(&f.answer, &f.call, f.pid, "undef"), ELFS_OK);
    append_str(&f.expected, "h\4");
    elfs_buf_append_view(&f.expected, f.call.tag);
    append_str(&f.expected, "w\5errorw\5undef");
    append_stack(&f);
    assert_same(&f.expected, answer_to(&f.answer, &f.call, f.pid));
    fixture_fini(&f);
}

static void check_badrpc(const char *name, const char *head) {
    struct fixture f;
    fixture_init(&f, name);
    assert_int_equal(elfs_call_raise(&f.answer, &f.call, f.pid, "badarg"), ELFS_OK);
    append_str(&f.expected, "h\2");
    elfs_buf_append_view(&f.expected, f.call.tag);
    append_str(&f.expected, head);
    append_str(&f.expected, "h\2w\6badrpch\2w\4EXITh\2w\6badarg");
    append_stack(&f);
    assert_same(&f.expected, answer_to(&f.answer, &f.call, f.pid));
    fixture_fini(&f);
}

static void a_raise_through_rex(void **state) {
    (void)state;
    check_badrpc("reg_send_rex_gen_call", "");
    check_badrpc("reg_send_rex_erl_call", "w\3rex");
}

/* A module of 255 characters outside ASCII cannot be written by put_atom; it is echoed. */
static void a_raise_echoes_any_atom(void **state) {
    (void)state;
    struct elfs_view atom = vector_load("terms/atom_255_chars.etf");
    struct elfs_buf message;
    elfs_buf_init(&message, 4096);
    append_str(&message, "h\2");
    struct fixture f;
    fixture_init(&f, "reg_send_rex_erl_call");
    elfs_buf_append_view(&message, f.call.caller);
    append_str(&message, "h\5w\4call");
    elfs_buf_append(&message, atom.data + 1, atom.len - 1);
    append_str(&message, F "jw\4user");
    f.msg.message = (struct elfs_view){message.data, message.len};
    assert_int_equal(elfs_call_of_rex(&f.msg, &f.call), ELFS_OK);
    assert_int_equal(elfs_call_raise(&f.answer, &f.call, f.pid, "undef"), ELFS_OK);
    append_str(&f.expected, "h\2w\3rexh\2w\6badrpch\2w\4EXITh\2w\5undef");
    append_stack(&f);
    assert_same(&f.expected, answer_to(&f.answer, &f.call, f.pid));
    fixture_fini(&f);
    elfs_buf_fini(&message);
    exact_free(atom);
}

static void net_adm_ping(void **state) {
    (void)state;
    struct fixture f = {.call.style = ELFS_CALL_GEN_REX};
    struct elfs_view tag;
    f.frame = load("reg_send_net_kernel_is_auth", &f.msg);
    elfs_buf_init(&f.answer, 1024);
    elfs_buf_init(&f.expected, 1024);
    assert_true(elfs_call_is_auth(&f.msg, &f.call.caller, &tag));
    assert_true(elfs_view_equal(f.call.caller, f.msg.from));
    assert_int_equal(elfs_call_put_auth(&f.answer, f.call.caller, tag), ELFS_OK);
    append_str(&f.expected, "h\2");
    elfs_buf_append_view(&f.expected, tag);
    append_str(&f.expected, "w\3yes");
    assert_same(&f.expected, answer_to(&f.answer, &f.call, f.pid));
    fixture_fini(&f);

    struct elfs_dist_msg msg;
    struct elfs_view other = load("reg_send_rex_gen_call", &msg);
    assert_false(elfs_call_is_auth(&msg, &f.call.caller, &tag));
    exact_free(other);
}

static bool raise_once(void *arg) {
    const struct fixture *f = arg;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 4096);
    enum elfs_code code = elfs_call_raise(&buf, &f->call, f->pid, "undef");
    if (code != ELFS_OK) {
        assert_int_equal(code, ELFS_NOMEM);
        assert_int_equal(buf.len, 0);
    }
    elfs_buf_fini(&buf);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, "spawn_request_erpc_call_query");
    fail_alloc_each(raise_once, &f);
    fixture_fini(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_style),
        cmocka_unit_test(other_spawns_are_undef),
        cmocka_unit_test(anything_else_to_erpc_is_badarg),
        cmocka_unit_test(other_messages_to_rex_are_badarg),
        cmocka_unit_test(returned_values),
        cmocka_unit_test(a_raise_through_erpc),
        cmocka_unit_test(a_raise_through_rex),
        cmocka_unit_test(a_raise_echoes_any_atom),
        cmocka_unit_test(net_adm_ping),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
