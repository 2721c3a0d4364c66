/* The truth table of docs/detection.md, row by row, as far as it needs no time; what takes time is
 * in machine_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "detect/role.h"

enum said { NONE, PRIMARY, REPLICA };
enum flags { NEWER = 1, STANDS = 2, PROOF = 4, MOUNTED = 8 };

struct row {
    enum elfs_mount mount;
    enum elfs_primary_file file;
    const char *file_hostname;
    enum said said;
    const char *said_hostname;
    unsigned flags;
    enum elfs_role role;
    const char *hostname;
};

#define OWN "self"
#define LIVE ELFS_MOUNT_LIVE
#define THERE ELFS_PRIMARY_FILE_PRESENT
#define NO_FILE ELFS_PRIMARY_FILE_ABSENT
#define UNREAD ELFS_PRIMARY_FILE_UNREADABLE
#define IS_PRIMARY ELFS_ROLE_PRIMARY, ""
#define IS_UNKNOWN ELFS_ROLE_UNKNOWN, ""
#define IS_REPLICA_OF(h) ELFS_ROLE_REPLICA, h

static void check(const struct row *row) {
    struct elfs_evidence e = {.mount = row->mount,
                              .primary_file = row->file,
                              .files_prove_primary = row->flags & PROOF,
                              .was_mounted = row->flags & MOUNTED,
                              .claim_valid = row->said != NONE,
                              .claim = {.is_primary = row->said == PRIMARY},
                              .claim_is_newer = row->flags & NEWER,
                              .contradiction_stands = row->flags & STANDS,
                              .own_hostname = OWN};
    strcpy(e.file_hostname, row->file_hostname);
    strcpy(e.claim.hostname, row->said_hostname);
    struct elfs_finding found = elfs_role_decide(&e);
    assert_string_equal(elfs_role_name(found.role), elfs_role_name(row->role));
    assert_string_equal(found.hostname, row->hostname);
}

#define ROW(name, ...)                                                                             \
    static void name(void **state) {                                                               \
        (void)state;                                                                               \
        static const struct row rows[] = {__VA_ARGS__};                                            \
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i]);                   \
    }

ROW(NOT_READ, {ELFS_MOUNT_UNKNOWN, UNREAD, "", NONE, "", 0, IS_UNKNOWN},
    {ELFS_MOUNT_UNKNOWN, UNREAD, "", PRIMARY, "", NEWER, IS_UNKNOWN},
    {ELFS_MOUNT_UNKNOWN, UNREAD, "", REPLICA, "a", NEWER, IS_UNKNOWN})

ROW(STANDALONE, {ELFS_MOUNT_ABSENT, NO_FILE, "", NONE, "", 0, IS_PRIMARY},
    {ELFS_MOUNT_ABSENT, NO_FILE, "", PRIMARY, "", NEWER, IS_PRIMARY})

ROW(WRONG_PATH, {ELFS_MOUNT_ABSENT, NO_FILE, "", REPLICA, "a", NEWER, IS_UNKNOWN},
    {ELFS_MOUNT_ABSENT, NO_FILE, "", REPLICA, "", 0, IS_UNKNOWN})

ROW(GONE, {ELFS_MOUNT_ABSENT, NO_FILE, "", NONE, "", MOUNTED, IS_UNKNOWN},
    {ELFS_MOUNT_ABSENT, NO_FILE, "", PRIMARY, "", MOUNTED | NEWER, IS_UNKNOWN})

ROW(UNMOUNTED, {ELFS_MOUNT_PLAIN, NO_FILE, "", NONE, "", PROOF, IS_UNKNOWN},
    {ELFS_MOUNT_PLAIN, NO_FILE, "", PRIMARY, "", NEWER, IS_UNKNOWN},
    {ELFS_MOUNT_PLAIN, THERE, "a", REPLICA, "a", 0, IS_UNKNOWN})

ROW(DEAD, {ELFS_MOUNT_DEAD, UNREAD, "", NONE, "", 0, IS_UNKNOWN},
    {ELFS_MOUNT_DEAD, NO_FILE, "", PRIMARY, "", NEWER | PROOF, IS_UNKNOWN},
    {ELFS_MOUNT_DEAD, THERE, "a", REPLICA, "a", NEWER, IS_UNKNOWN})

ROW(FILE_REPLICA, {LIVE, THERE, "a", NONE, "", 0, IS_REPLICA_OF("a")},
    {LIVE, THERE, "a", NONE, "b", PROOF | NEWER, IS_REPLICA_OF("a")})

ROW(BOTH_REPLICA, {LIVE, THERE, "a", REPLICA, "b", 0, IS_REPLICA_OF("a")},
    {LIVE, THERE, "a", REPLICA, "b", NEWER, IS_REPLICA_OF("b")},
    {LIVE, THERE, "a", REPLICA, "", NEWER, IS_REPLICA_OF("")})

ROW(NO_NAME, {LIVE, THERE, "", NONE, "", 0, IS_REPLICA_OF("")})

ROW(SAID_PRIMARY, {LIVE, NO_FILE, "", PRIMARY, "", NEWER, IS_PRIMARY},
    {LIVE, NO_FILE, "", PRIMARY, "", 0, IS_PRIMARY}, {LIVE, UNREAD, "", PRIMARY, "", 0, IS_PRIMARY})

ROW(SAID_REPLICA, {LIVE, NO_FILE, "", REPLICA, "b", 0, IS_REPLICA_OF("b")},
    {LIVE, NO_FILE, "", REPLICA, "", NEWER, IS_REPLICA_OF("")},
    {LIVE, UNREAD, "", REPLICA, "b", NEWER, IS_REPLICA_OF("b")})

ROW(OWN_NAME, {LIVE, NO_FILE, "", REPLICA, OWN, NEWER, IS_REPLICA_OF("")},
    {LIVE, THERE, OWN, NONE, "", 0, IS_REPLICA_OF("")})

ROW(PROVED, {LIVE, NO_FILE, "", NONE, "", PROOF, IS_PRIMARY})

ROW(PROOF_OVERRULED, {LIVE, NO_FILE, "", REPLICA, "b", PROOF, IS_REPLICA_OF("b")})

ROW(NOTHING_SAID, {LIVE, NO_FILE, "", NONE, "", 0, IS_UNKNOWN})

ROW(UNREADABLE, {LIVE, UNREAD, "", NONE, "", 0, IS_UNKNOWN})

ROW(PROMOTED, {LIVE, THERE, "a", PRIMARY, "", NEWER, IS_PRIMARY})

ROW(DEMOTED, {LIVE, THERE, "a", PRIMARY, "", 0, IS_REPLICA_OF("a")})

ROW(CONTRADICTION, {LIVE, THERE, "a", PRIMARY, "", STANDS, IS_UNKNOWN},
    {LIVE, THERE, "a", PRIMARY, "", STANDS | NEWER, IS_UNKNOWN})

/* Over every combination: "primary" is only ever said for one of these reasons. */
static void primary_always_has_a_reason(void **state) {
    (void)state;
    for (unsigned n = 0; n < 5 * 3 * 3 * 16; n++) {
        struct elfs_evidence e = {.mount = (enum elfs_mount)(n % 5),
                                  .primary_file = (enum elfs_primary_file)(n / 5 % 3),
                                  .claim_valid = n / 15 % 3 != NONE,
                                  .claim = {.is_primary = n / 15 % 3 == PRIMARY},
                                  .claim_is_newer = n / 45 & NEWER,
                                  .contradiction_stands = n / 45 & STANDS,
                                  .files_prove_primary = n / 45 & PROOF,
                                  .was_mounted = n / 45 & MOUNTED};
        if (elfs_role_decide(&e).role != ELFS_ROLE_PRIMARY) continue;
        bool says_replica = e.claim_valid && !e.claim.is_primary;
        bool says_primary = e.claim_valid && e.claim.is_primary;
        bool alone = e.mount == ELFS_MOUNT_ABSENT && !e.was_mounted;
        bool live = e.mount == LIVE && (says_primary || e.files_prove_primary);
        assert_true(alone || live);
        assert_false(says_replica);
        if (e.mount == LIVE && e.primary_file == THERE)
            assert_true(e.claim_is_newer && !e.contradiction_stands);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(NOT_READ),      cmocka_unit_test(STANDALONE),
        cmocka_unit_test(WRONG_PATH),    cmocka_unit_test(GONE),
        cmocka_unit_test(UNMOUNTED),     cmocka_unit_test(DEAD),
        cmocka_unit_test(FILE_REPLICA),  cmocka_unit_test(BOTH_REPLICA),
        cmocka_unit_test(NO_NAME),       cmocka_unit_test(SAID_PRIMARY),
        cmocka_unit_test(SAID_REPLICA),  cmocka_unit_test(OWN_NAME),
        cmocka_unit_test(PROVED),        cmocka_unit_test(PROOF_OVERRULED),
        cmocka_unit_test(NOTHING_SAID),  cmocka_unit_test(UNREADABLE),
        cmocka_unit_test(PROMOTED),      cmocka_unit_test(DEMOTED),
        cmocka_unit_test(CONTRADICTION), cmocka_unit_test(primary_always_has_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
