/* The parsers of .primary, .lag and -pos: what they take, every truncation, what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/files.h"
#include "vectors.h"

static struct elfs_view text(const char *s) { return elfs_view_str(s); }

static void primary_file(void **state) {
    (void)state;
    char hostname[ELFS_HOSTNAME_SIZE];
    assert_int_equal(elfs_primary_file_parse(text("node1\n"), hostname), ELFS_OK);
    assert_string_equal(hostname, "node1");
    assert_int_equal(elfs_primary_file_parse(text("a.b-c_d:9 (x)\n"), hostname), ELFS_OK);
    assert_int_equal(elfs_primary_file_parse(text("h\xC3\xB6st\n"), hostname), ELFS_OK);
    static const char *const bad[] = {"",       "\n",     "node1",     "node1\r\n",
                                      "a\nb\n", "a\tb\n", "node1\n\n", "a\x7F\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(elfs_primary_file_parse(text(bad[i]), hostname), ELFS_MALFORMED);
        assert_string_equal(hostname, "");
    }
    assert_int_equal(
        elfs_primary_file_parse((struct elfs_view){(const uint8_t *)"a\0b\n", 4}, hostname),
        ELFS_MALFORMED);
    char longest[ELFS_HOSTNAME_SIZE + 1];
    memset(longest, 'x', sizeof longest);
    longest[255] = '\n';
    assert_int_equal(elfs_primary_file_parse((struct elfs_view){(uint8_t *)longest, 256}, hostname),
                     ELFS_OK);
    assert_int_equal(strlen(hostname), 255);
    longest[255] = 'x';
    longest[256] = '\n';
    assert_int_equal(elfs_primary_file_parse((struct elfs_view){(uint8_t *)longest, 257}, hostname),
                     ELFS_MALFORMED);
}

static void lag(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"+000000000\n", 0},
                {"+000000315\n", 315},
                {"-000000042\n", -42},
                {"+2147483647", ELFS_LAG_NEVER},
                {"+1000000000", 1000000000}};
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(elfs_lag_parse(text(good[i].text), &value), ELFS_OK);
        assert_int_equal(value, good[i].value);
    }
    static const char *const bad[] = {"",
                                      "+00000000\n",
                                      "0000000000\n",
                                      "+0000000000\n",
                                      "+2147483647\n",
                                      "+00000 000\n",
                                      "+0000\n0000\n",
                                      " 000000000\n",
                                      "+-00000001\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        value = 5;
        assert_int_equal(elfs_lag_parse(text(bad[i]), &value), ELFS_MALFORMED);
        assert_int_equal(value, 0);
    }
}

static void pos(void **state) {
    (void)state;
    uint64_t txid, checksum;
    assert_int_equal(elfs_pos_parse(text("0000000000000003/a7dd8f28ea1b904d\n"), &txid, &checksum),
                     ELFS_OK);
    assert_true(txid == 3 && checksum == 0xa7dd8f28ea1b904d);
    assert_int_equal(elfs_pos_parse(text("ffffffffffffffff/0000000000000000\n"), &txid, &checksum),
                     ELFS_OK);
    assert_true(txid == UINT64_MAX && checksum == 0);
    static const char *const bad[] = {
        "0000000000000003/a7dd8f28ea1b904d",   "0000000000000003/a7dd8f28ea1b904d\n\n",
        "0000000000000003/a7dd8f28ea1b904d0",  "0000000000000003:a7dd8f28ea1b904d\n",
        "0000000000000003/A7dd8f28ea1b904d\n", "000000000000000g/a7dd8f28ea1b904d\n",
        "0000000000000003/a7dd8f28ea1b904 \n", "0000000000000003/+7dd8f28ea1b904d\n",
        "00000000000000003/7dd8f28ea1b904d\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        txid = checksum = 9;
        assert_int_equal(elfs_pos_parse(text(bad[i]), &txid, &checksum), ELFS_MALFORMED);
        assert_true(txid == 0 && checksum == 0);
    }
}

static void refuse_all(struct elfs_view bytes) {
    char hostname[ELFS_HOSTNAME_SIZE];
    int64_t value;
    uint64_t a, b;
    assert_int_equal(elfs_primary_file_parse(bytes, hostname), ELFS_MALFORMED);
    assert_int_equal(elfs_lag_parse(bytes, &value), ELFS_MALFORMED);
    assert_int_equal(elfs_pos_parse(bytes, &a, &b), ELFS_MALFORMED);
}

static void every_truncation(void **state) {
    (void)state;
    prefixes_each(text("node1\n"), refuse_all);
    prefixes_each(text("+000000315\n"), refuse_all);
    prefixes_each(text("+2147483647"), refuse_all);
    prefixes_each(text("0000000000000003/a7dd8f28ea1b904d\n"), refuse_all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(primary_file),
        cmocka_unit_test(lag),
        cmocka_unit_test(pos),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
