/* struct_text: the texts that Elixir and Decimal make themselves. */
#include "codec/struct_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "vectors.h"

static struct elfs_view load(const char *name, const char *suffix) {
    char path[128];
    snprintf(path, sizeof path, "structs/%s%s", name, suffix);
    return vector_load(path);
}

static struct elfs_view term_of(struct elfs_view bytes) {
    return (struct elfs_view){bytes.data + 1, bytes.len - 1};
}

static void check_good(const char *name, struct elfs_view expected) {
    struct elfs_view bytes = load(name, ".etf"), text;
    struct elfs_arena arena;
    struct elfs_error err = {.code = ELFS_OK};
    elfs_arena_init(&arena);
    if (elfs_struct_text(term_of(bytes), &arena, &text, &err) != ELFS_OK)
        fail_msg("%s: %s", name, err.message);
    if (!elfs_view_equal(text, expected)) fail_msg("%s: %.*s", name, ELFS_VIEW_ARGS(text));
    elfs_arena_fini(&arena);
    exact_free(bytes);
}

static void texts(void **state) {
    (void)state;
    vectors_each("structs", ".txt", check_good);
}

static void check_bad(const char *name, struct elfs_view bytes) {
    if (strncmp(name, "bad_", 4) != 0) return;
    struct elfs_arena arena;
    struct elfs_error err = {.code = ELFS_OK};
    struct elfs_view text;
    elfs_arena_init(&arena);
    if (elfs_struct_text(term_of(bytes), &arena, &text, &err) != ELFS_INVALID_PARAMETER)
        fail_msg("%s is taken", name);
    assert_int_equal(err.code, ELFS_INVALID_PARAMETER);
    assert_true(err.message[0] != '\0');
    elfs_arena_fini(&arena);
}

static void what_cannot_be_stored(void **state) {
    (void)state;
    vectors_each("structs", ".etf", check_bad);
}

static void messages(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *message;
    } table[] = {
        {"bad_date_month_13", "the struct's month is missing or out of range"},
        {"bad_date_no_day", "the struct's day is missing or out of range"},
        {"bad_date_calendar", "only Calendar.ISO can be bound"},
        {"bad_time_us_precision", "the struct's microsecond is missing or out of range"},
        {"bad_datetime_zone", "the DateTime is not in UTC"},
        {"bad_decimal_nan", "a Decimal that is not a number, or infinite, cannot be bound"},
        {"bad_decimal_4097_digits", "the Decimal has more than 4096 digits"},
        {"bad_decimal_exp_big", "the Decimal has more than 4096 digits"},
        {"bad_decimal_no_exp", "the Decimal's exp is missing or no integer"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_view bytes = load(table[i].name, ".etf"), text;
        struct elfs_arena arena;
        struct elfs_error err;
        elfs_arena_init(&arena);
        elfs_struct_text(term_of(bytes), &arena, &text, &err);
        assert_string_equal(err.message, table[i].message);
        elfs_arena_fini(&arena);
        exact_free(bytes);
    }
}

static void other_maps_are_badarg(void **state) {
    (void)state;
    static const char *const names[] = {"terms/map_0.etf", "terms/map_2.etf", "terms/map_40.etf"};
    for (size_t i = 0; i < 3; i++) {
        struct elfs_view bytes = vector_load(names[i]), text;
        struct elfs_arena arena;
        elfs_arena_init(&arena);
        assert_int_equal(elfs_struct_text(term_of(bytes), &arena, &text, NULL), ELFS_BADARG);
        elfs_arena_fini(&arena);
        exact_free(bytes);
    }
}

static bool convert(void *arg) {
    const struct elfs_view *term = arg;
    struct elfs_arena arena;
    struct elfs_error err;
    struct elfs_view text;
    elfs_arena_init(&arena);
    enum elfs_code code = elfs_struct_text(*term, &arena, &text, &err);
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    elfs_arena_fini(&arena);
    return code == ELFS_OK;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const names[] = {"utc_us", "decimal_big"};
    for (size_t i = 0; i < 2; i++) {
        struct elfs_view bytes = load(names[i], ".etf"), term = term_of(bytes);
        fail_alloc_each(convert, &term);
        exact_free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(what_cannot_be_stored),
        cmocka_unit_test(messages),
        cmocka_unit_test(other_maps_are_badarg),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("struct_text", tests, NULL, NULL);
}
