/* arena: alignment, separate blocks, sizes that overflow. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"

/* Pieces of many sizes, each filled with its own byte, do not overlap. */
static void pieces_are_aligned_and_apart(void **state) {
    (void)state;
    enum { PIECES = 200 };
    struct elfs_arena arena;
    uint8_t *pieces[PIECES];
    elfs_arena_init(&arena);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = elfs_arena_alloc(&arena, i * 7);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < i * 7; k++) assert_int_equal(pieces[i][k], i);
    }
    assert_true(arena.total >= 7 * PIECES * (PIECES - 1) / 2);
    elfs_arena_fini(&arena);
    assert_int_equal(arena.total, 0);
}

static void nothing_from_nothing(void **state) {
    (void)state;
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    assert_int_equal(arena.total, 0);
    uint8_t *none = elfs_arena_array(&arena, 0, 40);
    assert_non_null(none);
    assert_true((uintptr_t)none > 4096);
    elfs_arena_fini(&arena);
}

static void arrays_are_zeroed(void **state) {
    (void)state;
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    memset(elfs_arena_alloc(&arena, 500), 0xFF, 500);
    const uint8_t *array = elfs_arena_array(&arena, 25, 100);
    for (size_t i = 0; i < 2500; i++) assert_int_equal(array[i], 0);
    elfs_arena_fini(&arena);
}

static void sizes_that_overflow(void **state) {
    (void)state;
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    assert_null(elfs_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(elfs_arena_array(&arena, SIZE_MAX / 8 + 1, 8));
    assert_null(elfs_arena_alloc(&arena, SIZE_MAX));
    assert_null(elfs_arena_alloc(&arena, SIZE_MAX - 8));
    elfs_arena_fini(&arena);
}

static void copies(void **state) {
    (void)state;
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    char text[] = "text";
    char *copy = elfs_arena_copy(&arena, text, sizeof text);
    text[0] = 'n';
    assert_string_equal(copy, "text");
    assert_non_null(elfs_arena_copy(&arena, NULL, 0));
    elfs_arena_fini(&arena);
}

static bool fill(void *arg) {
    (void)arg;
    struct elfs_arena arena;
    bool ok = true;
    elfs_arena_init(&arena);
    for (size_t i = 0; ok && i < 10; i++) ok = elfs_arena_alloc(&arena, 600) != NULL;
    elfs_arena_fini(&arena);
    return ok;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    fail_alloc_each(fill, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(nothing_from_nothing),
        cmocka_unit_test(arrays_are_zeroed),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(copies),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
