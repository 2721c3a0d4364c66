/* put: byte for byte what term_to_binary makes, or what ei reads back. */
#include "codec/put.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <ei.h>

#include "fail_alloc.h"
#include "vectors.h"

static const struct elfs_identity self = {
    .node = {(const uint8_t *)"litefs@host", 11},
    .creation = 0xDEADBEEF,
};

static void assert_vector(const struct elfs_buf *buf, const char *path) {
    struct elfs_view expected = vector_load(path);
    assert_int_equal(buf->status, ELFS_OK);
    if (!elfs_view_equal((struct elfs_view){buf->data, buf->len}, expected))
        fail_msg("not as in %s", path);
    exact_free(expected);
}

static void integers(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        const char *path;
    } table[] = {
        {0, "terms/int_0.etf"},
        {255, "terms/int_255.etf"},
        {256, "terms/int_256.etf"},
        {-1, "terms/int_minus_1.etf"},
        {INT32_MAX, "terms/int_max_32.etf"},
        {INT32_MIN, "terms/int_min_32.etf"},
        {(int64_t)INT32_MAX + 1, "terms/int_over_32.etf"},
        {(int64_t)INT32_MIN - 1, "terms/int_under_32.etf"},
        {INT64_MAX, "terms/int_max_64.etf"},
        {INT64_MIN, "terms/int_min_64.etf"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_buf buf;
        elfs_buf_init(&buf, 1024);
        elfs_put_version(&buf);
        elfs_put_int64(&buf, table[i].value);
        assert_vector(&buf, table[i].path);
        elfs_buf_fini(&buf);
    }
}

static void put_one(struct elfs_buf *buf, const char *what) {
    elfs_put_version(buf);
    if (strcmp(what, "float_1_5") == 0) elfs_put_float(buf, 1.5);
    if (strcmp(what, "float_max") == 0) elfs_put_float(buf, DBL_MAX);
    if (strcmp(what, "float_minus_0") == 0) elfs_put_float(buf, -0.0);
    if (strcmp(what, "binary_empty") == 0) elfs_put_binary(buf, ELFS_VIEW_NONE);
    if (strcmp(what, "binary_hello") == 0) elfs_put_binary_str(buf, "hello");
    if (strcmp(what, "nil") == 0) elfs_put_nil(buf);
    if (strcmp(what, "tuple_0") == 0) elfs_put_tuple_header(buf, 0);
    if (strcmp(what, "map_0") == 0) elfs_put_map_header(buf, 0);
    if (strcmp(what, "list_256") == 0) {
        elfs_put_list_header(buf, 1);
        elfs_put_int64(buf, 256);
        elfs_put_nil(buf);
    }
    if (strcmp(what, "tuple_300") == 0) {
        elfs_put_tuple_header(buf, 300);
        for (int i = 1; i <= 300; i++) elfs_put_int64(buf, i);
    }
}

static void other_terms(void **state) {
    (void)state;
    static const char *const names[] = {
        "float_1_5", "float_max", "float_minus_0", "binary_empty", "binary_hello",
        "nil",       "tuple_0",   "map_0",         "list_256",     "tuple_300"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "terms/%s.etf", names[i]);
        struct elfs_buf buf;
        elfs_buf_init(&buf, 8192);
        put_one(&buf, names[i]);
        assert_vector(&buf, path);
        elfs_buf_fini(&buf);
    }
}

static void an_empty_list_is_only_its_nil(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 16);
    elfs_put_list_header(&buf, 0);
    assert_int_equal(buf.len, 0);
    elfs_buf_fini(&buf);
}

static void ei_reads_atoms_pids_and_references(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1024);
    elfs_put_map_header(&buf, 1);
    elfs_put_atom(&buf, "日本");
    elfs_put_pid(&buf, &self, 7, 9);
    elfs_put_ref(&buf, &self, (const uint32_t[]){0x3FFFF, 2, 0xFFFFFFFF});
    assert_int_equal(buf.status, ELFS_OK);

    struct elfs_view copy = exact_copy((struct elfs_view){buf.data, buf.len});
    const char *bytes = (const char *)copy.data;
    int index = 0, arity;
    char atom[MAXATOMLEN_UTF8];
    erlang_pid pid;
    erlang_ref ref;
    assert_int_equal(ei_decode_map_header(bytes, &index, &arity), 0);
    assert_int_equal(arity, 1);
    assert_int_equal(ei_decode_atom_as(bytes, &index, atom, sizeof atom, ERLANG_UTF8, NULL, NULL),
                     0);
    assert_string_equal(atom, "日本");
    assert_int_equal(ei_decode_pid(bytes, &index, &pid), 0);
    assert_string_equal(pid.node, "litefs@host");
    assert_int_equal(pid.num, 7);
    assert_int_equal(pid.serial, 9);
    assert_int_equal(pid.creation, self.creation);
    assert_int_equal(ei_decode_ref(bytes, &index, &ref), 0);
    assert_int_equal(ref.len, 3);
    assert_int_equal(ref.n[0], 0x3FFFF);
    assert_int_equal(ref.n[2], 0xFFFFFFFF);
    assert_int_equal(ref.creation, self.creation);
    assert_int_equal(index, copy.len);
    exact_free(copy);
    elfs_buf_fini(&buf);
}

static void a_long_atom_fails_the_buffer(void **state) {
    (void)state;
    uint8_t text[256];
    memset(text, 'a', sizeof text);
    struct elfs_buf buf;
    elfs_buf_init(&buf, 1024);
    elfs_put_atom_view(&buf, (struct elfs_view){text, 255});
    assert_int_equal(buf.status, ELFS_OK);
    elfs_put_atom_view(&buf, (struct elfs_view){text, 256});
    assert_int_equal(buf.status, ELFS_LIMIT);
    assert_int_equal(buf.len, 257);
    elfs_put_nil(&buf);
    assert_int_equal(buf.len, 257);
    elfs_buf_fini(&buf);
}

/* The address is never read: the length is refused first. */
static void a_length_over_32_bits_fails_the_buffer(void **state) {
    (void)state;
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_binary(&buf, (struct elfs_view){(const uint8_t *)"", (size_t)UINT32_MAX + 1});
    assert_int_equal(buf.status, ELFS_LIMIT);
    assert_int_equal(buf.len, 0);
    elfs_buf_fini(&buf);
}

static bool put_much(void *arg) {
    (void)arg;
    struct elfs_buf buf;
    elfs_buf_init(&buf, 8192);
    put_one(&buf, "tuple_300");
    bool ok = buf.status == ELFS_OK;
    if (!ok) assert_int_equal(buf.status, ELFS_NOMEM);
    elfs_buf_fini(&buf);
    return ok;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    fail_alloc_each(put_much, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(other_terms),
        cmocka_unit_test(an_empty_list_is_only_its_nil),
        cmocka_unit_test(ei_reads_atoms_pids_and_references),
        cmocka_unit_test(a_long_atom_fails_the_buffer),
        cmocka_unit_test(a_length_over_32_bits_fails_the_buffer),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("put", tests, NULL, NULL);
}
