/* frame: a stream cut anywhere gives the frames that it gives whole. */
#include "codec/frame.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "vectors.h"

#define VIEW(text) ((struct elfs_view){(const uint8_t *)(text), sizeof(text) - 1})

/* "abc", a tick, "x" */
static const struct elfs_view stream = {(const uint8_t *)"\0\0\0\3abc\0\0\0\0\0\0\0\1x", 16};

static void takes_frames_one_by_one(void **state) {
    (void)state;
    static const char *const expected[] = {"abc", "", "x"};
    struct elfs_view in = stream, frame;
    for (size_t i = 0; i < 3; i++) {
        size_t used, need;
        assert_int_equal(elfs_frame_next(in, 100, &frame, &used, &need), ELFS_OK);
        assert_true(elfs_view_is(frame, expected[i]));
        assert_int_equal(used, 4 + strlen(expected[i]));
        assert_int_equal(need, used);
        in = (struct elfs_view){in.data + used, in.len - used};
    }
    assert_int_equal(in.len, 0);
}

static void cut_frames_say_what_they_need(void **state) {
    (void)state;
    for (size_t len = 0; len < 7; len++) {
        struct elfs_view copy = exact_copy((struct elfs_view){stream.data, len}), frame;
        size_t used = 99, need = 99;
        assert_int_equal(elfs_frame_next(copy, 100, &frame, &used, &need), ELFS_AGAIN);
        assert_int_equal(used, 0);
        assert_int_equal(need, len < 4 ? 4 : 7);
        assert_int_equal(elfs_frame_next(copy, 100, &frame, &used, NULL), ELFS_AGAIN);
        exact_free(copy);
    }
}

/* Fed byte by byte, the stream gives the same three frames at the bytes that complete them. */
static void byte_by_byte_equals_all_at_once(void **state) {
    (void)state;
    struct elfs_buf in, got;
    elfs_buf_init(&in, 100);
    elfs_buf_init(&got, 100);
    for (size_t i = 0; i < stream.len; i++) {
        elfs_buf_put_u8(&in, stream.data[i]);
        struct elfs_view frame;
        size_t used;
        enum elfs_code code =
            elfs_frame_next((struct elfs_view){in.data, in.len}, 100, &frame, &used, NULL);
        if (code == ELFS_AGAIN) continue;
        assert_int_equal(code, ELFS_OK);
        elfs_buf_append_view(&got, frame);
        elfs_buf_put_u8(&got, '|');
        elfs_buf_consume(&in, used);
    }
    assert_int_equal(in.len, 0);
    assert_true(elfs_view_equal((struct elfs_view){got.data, got.len}, VIEW("abc||x|")));
    elfs_buf_fini(&in);
    elfs_buf_fini(&got);
}

static void the_limit_is_the_frame_without_its_length(void **state) {
    (void)state;
    struct elfs_view frame;
    size_t used, need;
    assert_int_equal(elfs_frame_next(stream, 3, &frame, &used, &need), ELFS_OK);
    assert_int_equal(elfs_frame_next(stream, 2, &frame, &used, &need), ELFS_LIMIT);
    assert_int_equal(need, 3);
    struct elfs_view huge = VIEW("\xFF\xFF\xFF\xFF");
    assert_int_equal(elfs_frame_next(huge, 1000, &frame, &used, &need), ELFS_LIMIT);
    assert_int_equal(need, UINT32_MAX);
}

static void close_patches_the_length(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 100);
    elfs_buf_append(&buf, "before", 6);
    size_t mark = elfs_frame_open(&buf);
    elfs_buf_append(&buf, "abc", 3);
    assert_int_equal(elfs_frame_close(&buf, mark), ELFS_OK);
    mark = elfs_frame_open(&buf);
    assert_int_equal(elfs_frame_close(&buf, mark), ELFS_OK);
    assert_true(
        elfs_view_equal((struct elfs_view){buf.data, buf.len}, VIEW("before\0\0\0\3abc\0\0\0\0")));
    elfs_buf_fini(&buf);
}

static void a_failed_frame_leaves_nothing(void **state) {
    (void)state;
    for (size_t max = 6; max < 6 + 7; max++) {
        struct elfs_buf buf;
        elfs_buf_init(&buf, max);
        elfs_buf_append(&buf, "before", 6);
        size_t mark = elfs_frame_open(&buf);
        elfs_buf_append(&buf, "abc", 3);
        assert_int_equal(elfs_frame_close(&buf, mark), ELFS_LIMIT);
        assert_int_equal(buf.len, 6);
        assert_int_equal(buf.status, ELFS_OK);
        elfs_buf_fini(&buf);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_frames_one_by_one),
        cmocka_unit_test(cut_frames_say_what_they_need),
        cmocka_unit_test(byte_by_byte_equals_all_at_once),
        cmocka_unit_test(the_limit_is_the_frame_without_its_length),
        cmocka_unit_test(close_patches_the_length),
        cmocka_unit_test(a_failed_frame_leaves_nothing),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
