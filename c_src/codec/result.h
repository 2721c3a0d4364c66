/* result - rows and errors as Erlang terms.
 *
 * PURE. A result map is written in two steps: the rows and counts while the statement runs (by the
 * thread that runs it, through a sink), the position when the answer is made, since it is known
 * only after COMMIT.
 *
 * Saved (sink.h), for a request that may be repeated: [1][count:4][end:4]... and the slices, numbers
 * big-endian.
 */
#ifndef ELFS_CODEC_RESULT_H
#define ELFS_CODEC_RESULT_H

#include "base/buf.h"
#include "base/position.h"
#include "base/sink.h"

/* Encodes each statement's columns, rows, num_rows, changes and last_insert_rowid as the first five
 * pairs of its map, one slice of `bytes` a statement. `sink` is what the store gets. */
struct elfs_result {
    struct elfs_sink sink;
    struct elfs_buf bytes; /* the slices, one after the other */
    size_t *ends;          /* where slice i ends; owned */
    size_t count;          /* whole slices */
    size_t cap;
    size_t rows_at; /* where the rows of the slice under way are, to patch their number */
    uint32_t rows;
};

/* An empty result that may grow to max bytes (then the sink's functions return
 * ELFS_RESULT_TOO_BIG). A value without an Erlang term (an infinite REAL) makes them return
 * ELFS_UNREPRESENTABLE. */
void elfs_result_init(struct elfs_result *result, size_t max);
void elfs_result_fini(struct elfs_result *result);

/* What an answer says of its commit. */
struct elfs_receipt {
    struct elfs_position position;
    bool repeated; /* the request had run before: its result was kept */
    bool counted;  /* it was to wait for replicas */
    int acked;     /* and so many have it */
};

/* Appends #{columns, rows, num_rows, changes, last_insert_rowid} of statement i with the receipt's
 * pairs: position, `repeated => true` where it is, `acked => N` where they were counted. */
void elfs_result_put(struct elfs_buf *buf, const struct elfs_result *result, size_t i,
                     const struct elfs_receipt *receipt);

/* Appends the receipt as a map of its own. */
void elfs_receipt_put(struct elfs_buf *buf, const struct elfs_receipt *receipt);

/* Appends {Txid, Checksum}, or nil. */
void elfs_position_put(struct elfs_buf *buf, const struct elfs_position *position);

/* Appends the term that stands for an error in {error, Term}:
 *   ELFS_BUSY ............. the atom busy
 *   ELFS_UNSUPPORTED ...... {unsupported, Message}
 *   ELFS_UNKNOWN .......... {unknown, Message}
 *   ELFS_SQLITE ........... #{code => Name, extended_code => Int, message => Bin}, Name as
 *                           elfs_sqlite_code_name gives it
 *   others ................ #{code => elfs_code_name(code), message => Bin} */
void elfs_error_put(struct elfs_buf *buf, const struct elfs_error *err);

/* The name of an SQLite result code without SQLITE_, in lower case: 2067 is "constraint_unique". An
 * unknown extended code gives its primary code's name, an unknown primary code "error". */
const char *elfs_sqlite_code_name(int extended_code);

#endif
