/* call_fuzz - a frame from a peer: control message, call, arguments, and the answers to it.
 *
 * Beside memory errors it finds answers that are not sound: what we write must parse.
 */
#include <stdlib.h>

#include "codec/call.h"
#include "codec/frame.h"
#include "codec/op.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t pid[] = {88, 119, 1, 'a', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
static const struct elfs_view own = {pid, sizeof pid};

static void require(bool condition) {
    if (!condition) abort();
}

/* Closed and read back. */
static void check_frame(struct elfs_buf *buf) {
    struct elfs_view frame;
    struct elfs_dist_msg msg;
    size_t used;
    struct elfs_view written = {buf->data, buf->len};
    require(elfs_frame_next(written, SIZE_MAX, &frame, &used, NULL) == ELFS_OK);
    require(used == buf->len);
    require(elfs_dist_parse(frame, &msg) == ELFS_OK);
    elfs_buf_truncate(buf, 0);
}

static void answer(const struct elfs_call *call) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    size_t mark = elfs_call_open_return(&buf, call, own);
    elfs_put_nil(&buf);
    require(elfs_frame_close(&buf, mark) == ELFS_OK);
    check_frame(&buf);
    require(elfs_call_raise(&buf, call, own, "undef") == ELFS_OK);
    check_frame(&buf);
    if (call->req_id.len > 0) {
        require(elfs_dist_spawn_reply(&buf, call->req_id, call->caller, 2, own) == ELFS_OK);
        check_frame(&buf);
    }
    elfs_buf_fini(&buf);
}

static void ping(const struct elfs_dist_msg *msg) {
    struct elfs_view to, tag;
    if (!elfs_call_is_auth(msg, &to, &tag)) return;
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    require(elfs_call_put_auth(&buf, to, tag) == ELFS_OK);
    check_frame(&buf);
    elfs_buf_fini(&buf);
}

static void serve(const struct elfs_call *call) {
    struct elfs_arena arena;
    struct elfs_op op;
    struct elfs_error err;
    elfs_arena_init(&arena);
    elfs_op_parse(call->function, call->args, &arena, &op, &err);
    elfs_arena_fini(&arena);
    bool cast = call->style == ELFS_CALL_CAST || call->style == ELFS_CALL_REX_CAST;
    if (!cast) answer(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elfs_dist_msg msg;
    struct elfs_call call;
    if (elfs_dist_parse((struct elfs_view){data, size}, &msg) != ELFS_OK) return 0;
    ping(&msg);
    enum elfs_code code = msg.op == ELFS_DIST_SPAWN_REQUEST ? elfs_call_of_spawn(&msg, &call)
                                                            : elfs_call_of_rex(&msg, &call);
    if (code == ELFS_OK) serve(&call);
    return 0;
}
