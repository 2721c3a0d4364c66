/* commit_test - what each result of COMMIT means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "store/commit.h"

static void verdicts(void **state) {
    static const struct {
        int rc;
        enum elfs_verdict verdict;
    } cases[] = {
        {SQLITE_OK, ELFS_COMMITTED},
        {SQLITE_BUSY, ELFS_NOT_COMMITTED},
        {SQLITE_BUSY_SNAPSHOT, ELFS_NOT_COMMITTED},
        {SQLITE_LOCKED, ELFS_NOT_COMMITTED},
        {SQLITE_CONSTRAINT_FOREIGNKEY, ELFS_NOT_COMMITTED},
        {SQLITE_FULL, ELFS_NOT_COMMITTED},
        {SQLITE_READONLY_DIRECTORY, ELFS_NOT_COMMITTED},
        {SQLITE_INTERRUPT, ELFS_NOT_COMMITTED},
        {SQLITE_ERROR, ELFS_NOT_COMMITTED},
        {SQLITE_IOERR_WRITE, ELFS_NOT_COMMITTED}, /* a LiteFS replica's refusal */
        {SQLITE_IOERR, ELFS_IN_DOUBT},
        {SQLITE_IOERR_FSYNC, ELFS_IN_DOUBT},
        {SQLITE_IOERR_DIR_FSYNC, ELFS_IN_DOUBT},
        {SQLITE_IOERR_SHMSIZE, ELFS_IN_DOUBT}, /* the wal-index, after the frames */
        {SQLITE_NOMEM, ELFS_IN_DOUBT},         /* likewise */
        {SQLITE_PROTOCOL, ELFS_IN_DOUBT},
        {SQLITE_CORRUPT, ELFS_IN_DOUBT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (elfs_commit_verdict(cases[i].rc) != cases[i].verdict) fail_msg("rc %d", cases[i].rc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts)};
    return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
