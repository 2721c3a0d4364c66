/* answer - what the BEAM primary would have answered.
 *
 * PURE. One term: what the call returns, or the reason of the error that it raises (an exception
 * struct; erpc carries it as {Ref, error, Reason, Stacktrace}).
 */
#ifndef ELFS_ECTO_ANSWER_H
#define ELFS_ECTO_ANSWER_H

#include "codec/result.h"
#include "ecto/plan.h"

/* What came of the statement: one of the two is not NULL. Both are NULL for a plan with nothing to
 * run. result holds one slice, as codec/result.h writes it. */
struct elfs_ecto_outcome {
    const struct elfs_result *result;
    const struct elfs_error *error;
};

/* Appends the term to buf; *raised says that it is the reason of an error. An error of the database
 * becomes a changeset's error or an exception as Ecto does it; any other error (the queue is full,
 * a deadline passed, the outcome is unknown) is answered as by elfs_ecto_refuse. arena takes what
 * is made on the way. ELFS_OK; or ELFS_NOMEM, ELFS_LIMIT (buf's) and, for a result that is not one
 * slice, ELFS_MALFORMED, with buf as it was. */
enum elfs_code elfs_ecto_answer(const struct elfs_ecto_plan *plan,
                                const struct elfs_ecto_outcome *outcome, struct elfs_arena *arena,
                                struct elfs_buf *buf, bool *raised);

/* Appends the answer of a call that was refused or failed outside SQLite: {error, Reason}, Reason
 * as elfs_error_put writes it ({unsupported, Message}, busy, ...); a call that never returns an
 * error tuple (the ! forms and the _all ones) raises the Reason. */
enum elfs_code elfs_ecto_refuse(const struct elfs_ecto_call *call, const struct elfs_error *error,
                                struct elfs_buf *buf, bool *raised);

#endif
