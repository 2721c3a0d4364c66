/* LiteFS's events and /info answers: real samples, every truncation, wrong types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/event.h"
#include "vectors.h"

static struct elfs_event event;
static struct elfs_claim claim;

static enum elfs_code parse(const char *text) {
    struct elfs_view copy = exact_copy(elfs_view_str(text));
    enum elfs_code code = elfs_event_parse(copy, &event);
    exact_free(copy);
    return code;
}

static enum elfs_code parse_info(const char *text) {
    struct elfs_view copy = exact_copy(elfs_view_str(text));
    enum elfs_code code = elfs_info_parse(copy, &claim);
    exact_free(copy);
    return code;
}

#define TX                                                                                         \
    "{\"type\":\"tx\",\"db\":\"wal.db\",\"data\":{\"txID\":\"0000000000000004\","                  \
    "\"postApplyChecksum\":\"a2fc350ac2962d33\",\"pageSize\":4096,\"commit\":2,"                   \
    "\"timestamp\":\"2026-11-24T20:46:38.141Z\"}}"

static void samples(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum elfs_event_type type;
        bool is_primary;
        const char *hostname;
    } claims[] = {
        {"{\"type\":\"init\",\"data\":{\"isPrimary\":true}}", ELFS_EVENT_INIT, true, ""},
        {"{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":\"node1\"}}",
         ELFS_EVENT_INIT, false, "node1"},
        {"{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false}}", ELFS_EVENT_CHANGE, false,
         ""},
        {"{\"type\":\"primaryChange\",\"data\":{\"isPrimary\":false,\"hostname\":\"c2\"}}\r",
         ELFS_EVENT_CHANGE, false, "c2"},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        assert_int_equal(parse(claims[i].line), ELFS_OK);
        assert_int_equal(event.type, claims[i].type);
        assert_int_equal(event.claim.is_primary, claims[i].is_primary);
        assert_string_equal(event.claim.hostname, claims[i].hostname);
    }
    assert_int_equal(parse(TX), ELFS_OK);
    assert_int_equal(event.type, ELFS_EVENT_TX);
    assert_string_equal(event.database, "wal.db");
    assert_true(event.txid == 4 && event.checksum == 0xa2fc350ac2962d33);
}

static void what_is_unknown_is_ignored(void **state) {
    (void)state;
    assert_int_equal(parse("{\"type\":\"later\",\"data\":7}"), ELFS_OK);
    assert_int_equal(event.type, ELFS_EVENT_OTHER);
    assert_int_equal(parse("{\"type\":\"\",\"db\":[]}"), ELFS_OK);
    char text[200];
    snprintf(text, sizeof text, "{\"type\":\"%0100d\"}", 0);
    assert_int_equal(parse(text), ELFS_OK);
    assert_int_equal(event.type, ELFS_EVENT_OTHER);
    assert_int_equal(parse("{\"new\":{\"type\":\"init\"},\"data\":{\"x\":[{}],\"isPrimary\":true},"
                           "\"ty\\u0070e\":\"in\\u0069t\"}"),
                     ELFS_OK);
    assert_int_equal(event.type, ELFS_EVENT_INIT);
    assert_true(event.claim.is_primary);
}

static void wrong_types_are_invalid(void **state) {
    (void)state;
    static const char *const bad[] = {
        "[]",
        "\"init\"",
        "{}",
        "{\"data\":{\"isPrimary\":true}}",
        "{\"type\":1}",
        "{\"type\":null,\"data\":{\"isPrimary\":true}}",
        "{\"type\":\"init\"}",
        "{\"type\":\"init\",\"data\":null}",
        "{\"type\":\"init\",\"data\":[true]}",
        "{\"type\":\"init\",\"data\":{}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":1}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":\"true\"}}",
        "{\"type\":\"init\",\"data\":{\"isprimary\":true}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":true,\"isPrimary\":false}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":true},\"type\":\"tx\"}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":7}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":null}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":\"a\\u0000b\"}}",
        "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":\"a\\nb\"}}",
        "{\"type\":\"tx\",\"data\":{\"txID\":\"0000000000000004\",\"postApplyChecksum\":"
        "\"a2fc350ac2962d33\"}}",
        "{\"type\":\"tx\",\"db\":\"\",\"data\":{\"txID\":\"0000000000000004\","
        "\"postApplyChecksum\":\"a2fc350ac2962d33\"}}",
        "{\"type\":\"tx\",\"db\":\"a\",\"data\":{\"txID\":4,\"postApplyChecksum\":"
        "\"a2fc350ac2962d33\"}}",
        "{\"type\":\"tx\",\"db\":\"a\",\"data\":{\"txID\":\"4\",\"postApplyChecksum\":"
        "\"a2fc350ac2962d33\"}}",
        "{\"type\":\"tx\",\"db\":\"a\",\"data\":{\"txID\":\"0000000000000004\"}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (parse(bad[i]) != ELFS_MALFORMED) fail_msg("taken: %s", bad[i]);
    }
}

static void names_have_a_limit(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof text,
             "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":\"%0255d\"}}", 0);
    assert_int_equal(parse(text), ELFS_OK);
    assert_int_equal(strlen(event.claim.hostname), 255);
    snprintf(text, sizeof text,
             "{\"type\":\"init\",\"data\":{\"isPrimary\":false,\"hostname\":\"%0256d\"}}", 0);
    assert_int_equal(parse(text), ELFS_MALFORMED);
    assert_string_equal(event.claim.hostname, "");
}

static void refuse(struct elfs_view prefix) {
    assert_int_equal(elfs_event_parse(prefix, &event), ELFS_MALFORMED);
    assert_int_equal(elfs_info_parse(prefix, &claim), ELFS_MALFORMED);
}

#define INFO_REPLICA                                                                               \
    "{\n  \"clusterID\": \"LFSCB40223C1D14F0751\",\n  \"isPrimary\": false,\n"                     \
    "  \"candidate\": false,\n  \"path\": \"/data\",\n  \"primary\": {\n"                          \
    "    \"hostname\": \"n1\"\n  }\n}"

static void every_truncation(void **state) {
    (void)state;
    prefixes_each(elfs_view_str(TX), refuse);
    prefixes_each(elfs_view_str("{\"type\":\"init\",\"data\":{\"isPrimary\":false}}"), refuse);
    prefixes_each(elfs_view_str(INFO_REPLICA), refuse);
}

static void info(void **state) {
    (void)state;
    assert_int_equal(parse_info(INFO_REPLICA "\n"), ELFS_OK);
    assert_false(claim.is_primary);
    assert_string_equal(claim.hostname, "n1");
    assert_int_equal(parse_info("{\"isPrimary\":true,\"primary\":{\"hostname\":\"n1\"}}"), ELFS_OK);
    assert_true(claim.is_primary);
    assert_string_equal(claim.hostname, "n1");
    assert_int_equal(parse_info("{\"isPrimary\":false,\"primary\":{\"hostname\":\"\"}}"), ELFS_OK);
    assert_string_equal(claim.hostname, "");
    assert_int_equal(parse_info("{\"isPrimary\":false,\"primary\":{}}"), ELFS_OK);
    assert_int_equal(parse_info("{\"isPrimary\":false}"), ELFS_OK);
    static const char *const bad[] = {"",
                                      "404 page not found\n",
                                      "{}",
                                      "[]",
                                      "{\"isPrimary\":\"yes\"}",
                                      "{\"isPrimary\":true,\"primary\":\"n1\"}",
                                      "{\"isPrimary\":true,\"primary\":{\"hostname\":1}}",
                                      "{\"isPrimary\":true}{}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse_info(bad[i]), ELFS_MALFORMED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples),
        cmocka_unit_test(what_is_unknown_is_ignored),
        cmocka_unit_test(wrong_types_are_invalid),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
