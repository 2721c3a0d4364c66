/* sink - where the rows of a statement go.
 *
 * The store runs statements and pushes what they return into a sink; it does not know the format.
 * All calls for one job come from one thread. A function that returns anything but ELFS_OK stops
 * the statement, which is then rolled back.
 *
 * For each statement: columns() once if it returns columns, then row() and one value() a column for
 * each row, then done() once. query_many runs one statement for several parameter sets between one
 * columns() and one done().
 */
#ifndef ELFS_BASE_SINK_H
#define ELFS_BASE_SINK_H

#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

/* num_rows: rows returned, or changes when the statement returns no columns (as Exqlite.Result).
 * changes: rows inserted, updated or deleted by the statement itself. last_insert_rowid: 0 if the
 * request has inserted nothing. */
struct elfs_summary {
    bool has_columns;
    int64_t num_rows;
    int64_t changes;
    int64_t last_insert_rowid;
};

struct elfs_sink {
    enum elfs_code (*columns)(struct elfs_sink *self, size_t count, const char *const *names);
    enum elfs_code (*row)(struct elfs_sink *self, size_t columns);
    enum elfs_code (*value)(struct elfs_sink *self, const struct elfs_value *value);
    enum elfs_code (*done)(struct elfs_sink *self, const struct elfs_summary *summary);
    /* Forgets everything pushed for this job: it failed, or will run again from its start. */
    void (*reset)(struct elfs_sink *self);
    /* The bytes it holds for this job: what its result costs until the answer has left. */
    size_t (*size)(const struct elfs_sink *self);
    /* Appends all that was pushed, in a form that is never empty and that restore takes: ELFS_LIMIT,
     * ELFS_NOMEM. */
    enum elfs_code (*save)(const struct elfs_sink *self, struct elfs_buf *buf);
    /* As if what was saved had been pushed. count: the statements that it must be of. ELFS_BADARG:
     * it is of another number. ELFS_MALFORMED: save has not made this. ELFS_NOMEM. */
    enum elfs_code (*restore)(struct elfs_sink *self, struct elfs_view saved, size_t count);
};

#endif
