/* value - an SQLite value, and a statement with its parameters, as views. */
#ifndef ELFS_BASE_VALUE_H
#define ELFS_BASE_VALUE_H

#include "base/view.h"

enum elfs_type { ELFS_NULL, ELFS_INTEGER, ELFS_REAL, ELFS_TEXT, ELFS_BLOB };

struct elfs_value {
    enum elfs_type type;
    union {
        int64_t integer;
        double real;
        struct elfs_view bytes; /* ELFS_TEXT and ELFS_BLOB; may hold any byte */
    };
};

/* name is without SQLite's prefix (: @ $) and empty in a positional list. */
struct elfs_param {
    struct elfs_view name;
    struct elfs_value value;
};

struct elfs_params {
    const struct elfs_param *items;
    size_t count;
    bool named;
};

struct elfs_statement {
    struct elfs_view sql;
    struct elfs_params params;
};

#endif
