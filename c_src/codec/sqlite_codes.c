/* sqlite_codes - names of SQLite's result codes: elfs_sqlite_code_name of result.h.
 *
 * Source: sqlite3.h of SQLite 3.40, "Result Codes" and "Extended Result Codes". As numbers, so that
 * this folder needs no header of SQLite; a unit test compares them with it.
 */
#include <stddef.h>

#include "codec/result.h"

static const struct {
    int number;
    const char *name;
} codes[] = {
    {0, "ok"},
    {1, "error"},
    {2, "internal"},
    {3, "perm"},
    {4, "abort"},
    {5, "busy"},
    {6, "locked"},
    {7, "nomem"},
    {8, "readonly"},
    {9, "interrupt"},
    {10, "ioerr"},
    {11, "corrupt"},
    {12, "notfound"},
    {13, "full"},
    {14, "cantopen"},
    {15, "protocol"},
    {16, "empty"},
    {17, "schema"},
    {18, "toobig"},
    {19, "constraint"},
    {20, "mismatch"},
    {21, "misuse"},
    {22, "nolfs"},
    {23, "auth"},
    {24, "format"},
    {25, "range"},
    {26, "notadb"},
    {27, "notice"},
    {28, "warning"},
    {100, "row"},
    {101, "done"},
    {257, "error_missing_collseq"},
    {513, "error_retry"},
    {769, "error_snapshot"},
    {266, "ioerr_read"},
    {522, "ioerr_short_read"},
    {778, "ioerr_write"},
    {1034, "ioerr_fsync"},
    {1290, "ioerr_dir_fsync"},
    {1546, "ioerr_truncate"},
    {1802, "ioerr_fstat"},
    {2058, "ioerr_unlock"},
    {2314, "ioerr_rdlock"},
    {2570, "ioerr_delete"},
    {2826, "ioerr_blocked"},
    {3082, "ioerr_nomem"},
    {3338, "ioerr_access"},
    {3594, "ioerr_checkreservedlock"},
    {3850, "ioerr_lock"},
    {4106, "ioerr_close"},
    {4362, "ioerr_dir_close"},
    {4618, "ioerr_shmopen"},
    {4874, "ioerr_shmsize"},
    {5130, "ioerr_shmlock"},
    {5386, "ioerr_shmmap"},
    {5642, "ioerr_seek"},
    {5898, "ioerr_delete_noent"},
    {6154, "ioerr_mmap"},
    {6410, "ioerr_gettemppath"},
    {6666, "ioerr_convpath"},
    {6922, "ioerr_vnode"},
    {7178, "ioerr_auth"},
    {7434, "ioerr_begin_atomic"},
    {7690, "ioerr_commit_atomic"},
    {7946, "ioerr_rollback_atomic"},
    {8202, "ioerr_data"},
    {8458, "ioerr_corruptfs"},
    {262, "locked_sharedcache"},
    {518, "locked_vtab"},
    {261, "busy_recovery"},
    {517, "busy_snapshot"},
    {773, "busy_timeout"},
    {270, "cantopen_notempdir"},
    {526, "cantopen_isdir"},
    {782, "cantopen_fullpath"},
    {1038, "cantopen_convpath"},
    {1294, "cantopen_dirtywal"},
    {1550, "cantopen_symlink"},
    {267, "corrupt_vtab"},
    {523, "corrupt_sequence"},
    {779, "corrupt_index"},
    {264, "readonly_recovery"},
    {520, "readonly_cantlock"},
    {776, "readonly_rollback"},
    {1032, "readonly_dbmoved"},
    {1288, "readonly_cantinit"},
    {1544, "readonly_directory"},
    {516, "abort_rollback"},
    {275, "constraint_check"},
    {531, "constraint_commithook"},
    {787, "constraint_foreignkey"},
    {1043, "constraint_function"},
    {1299, "constraint_notnull"},
    {1555, "constraint_primarykey"},
    {1811, "constraint_trigger"},
    {2067, "constraint_unique"},
    {2323, "constraint_vtab"},
    {2579, "constraint_rowid"},
    {2835, "constraint_pinned"},
    {3091, "constraint_datatype"},
    {283, "notice_recover_wal"},
    {539, "notice_recover_rollback"},
    {284, "warning_autoindex"},
    {279, "auth_user"},
    {256, "ok_load_permanently"},
    {512, "ok_symlink"},
};

static const char *find(int number) {
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].number == number) return codes[i].name;
    }
    return NULL;
}

/* The low byte of an extended code is its primary code. */
const char *elfs_sqlite_code_name(int extended_code) {
    const char *name = find(extended_code);
    if (!name) name = find(extended_code & 0xFF);
    return name ? name : "error";
}
