/* store_test - opening, routing, values, and the life of a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_fixture.h"

static struct store_fixture f;

static int setup(void **state) {
    (void)state;
    fixture_open(&f);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fixture_close(&f);
    return 0;
}

static void writes_and_reads(void **state) {
    (void)state;
    assert_string_equal(fixture_query(&f, "INSERT INTO t(v) VALUES (7) RETURNING id, v"),
                        "id,v[1,7]=1/1/1");
    assert_string_equal(fixture_query(&f, "SELECT v FROM t"), "v[7]=1/0/0");
    assert_string_equal(fixture_query(&f, "UPDATE t SET v = 8"), "=1/1/0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_and_reads, setup, teardown),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
