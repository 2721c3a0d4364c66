/* buf: growth, the limit, and the failure that sticks. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fail_alloc.h"

static void assert_bytes(const struct elfs_buf *buf, const char *bytes, size_t len) {
    assert_int_equal(buf->status, ELFS_OK);
    assert_int_equal(buf->len, len);
    assert_memory_equal(buf->data, bytes, len);
}

static void numbers_are_big_endian(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 100);
    elfs_buf_put_u8(&buf, 1);
    elfs_buf_put_be16(&buf, 0x0203);
    elfs_buf_put_be32(&buf, 0x04050607);
    elfs_buf_put_be64(&buf, 0x08090A0B0C0D0E0F);
    assert_bytes(&buf, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 15);
    elfs_buf_patch_be32(&buf, 3, 0xFFFEFDFC);
    assert_bytes(&buf, "\1\2\3\xFF\xFE\xFD\xFC\10\11\12\13\14\15\16\17", 15);
    elfs_buf_fini(&buf);
}

/* Every limit holds to the byte, and what did not fit is not there in part. */
static void the_limit_holds_to_the_byte(void **state) {
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        struct elfs_buf buf;
        elfs_buf_init(&buf, max);
        for (size_t i = 0; i < max; i++) elfs_buf_put_u8(&buf, (uint8_t)i);
        assert_int_equal(buf.status, ELFS_OK);
        elfs_buf_put_u8(&buf, 0);
        assert_int_equal(buf.status, ELFS_LIMIT);
        assert_int_equal(buf.len, max);
        assert_true(buf.cap <= max);
        elfs_buf_fini(&buf);
    }
    struct elfs_buf buf;
    elfs_buf_init(&buf, 7);
    elfs_buf_put_be64(&buf, 1);
    assert_int_equal(buf.len, 0);
    elfs_buf_fini(&buf);
}

static void a_failure_sticks_until_it_is_forgotten(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 4);
    elfs_buf_append(&buf, "abc", 3);
    elfs_buf_append(&buf, "de", 2);
    elfs_buf_append(&buf, "f", 1);
    elfs_buf_patch_be32(&buf, 0, 0);
    assert_int_equal(buf.status, ELFS_LIMIT);
    assert_null(elfs_buf_reserve(&buf, 1));
    elfs_buf_truncate(&buf, 2);
    assert_bytes(&buf, "ab", 2);
    elfs_buf_append(&buf, "cd", 2);
    assert_bytes(&buf, "abcd", 4);
    elfs_buf_fini(&buf);
}

static void consume_moves_the_rest(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 100);
    elfs_buf_consume(&buf, 0);
    elfs_buf_append(&buf, "abcdef", 6);
    elfs_buf_consume(&buf, 4);
    assert_bytes(&buf, "ef", 2);
    elfs_buf_consume(&buf, 2);
    assert_int_equal(buf.len, 0);
    elfs_buf_fini(&buf);
}

static void reset_keeps_little(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1000);
    elfs_buf_append(&buf, "abc", 3);
    const uint8_t *data = buf.data;
    elfs_buf_reset(&buf, buf.cap);
    assert_ptr_equal(buf.data, data);
    assert_int_equal(buf.len, 0);
    elfs_buf_append(&buf, "abc", 3);
    elfs_buf_reset(&buf, buf.cap - 1);
    assert_null(buf.data);
    assert_int_equal(buf.max, 1000);
    elfs_buf_fini(&buf);
}

static void reserve_gives_room_to_write(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 10000);
    assert_non_null(elfs_buf_reserve(&buf, 0));
    uint8_t *to = elfs_buf_reserve(&buf, 5000);
    assert_non_null(to);
    memset(to, 'x', 5000);
    buf.len += 5000;
    assert_null(elfs_buf_reserve(&buf, 5001));
    elfs_buf_fini(&buf);
}

static bool fill(void *arg) {
    (void)arg;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1 << 16);
    for (int i = 0; i < 1000; i++) elfs_buf_put_be64(&buf, (uint64_t)i);
    bool ok = buf.status == ELFS_OK;
    if (ok) assert_int_equal(buf.len, 8000);
    if (!ok) assert_int_equal(buf.status, ELFS_NOMEM);
    elfs_buf_fini(&buf);
    return ok;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    fail_alloc_each(fill, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(the_limit_holds_to_the_byte),
        cmocka_unit_test(a_failure_sticks_until_it_is_forgotten),
        cmocka_unit_test(consume_moves_the_rest),
        cmocka_unit_test(reset_keeps_little),
        cmocka_unit_test(reserve_gives_room_to_write),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
