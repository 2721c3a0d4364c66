/* exec - runs the statements of a job on a connection. Internal.
 *
 * Knows nothing of transactions: the caller puts them around it.
 */
#ifndef ELFS_STORE_EXEC_H
#define ELFS_STORE_EXEC_H

#include "store/db.h"
#include "store/job.h"

/* Runs a QUERY, MANY or TRANSACTION job and pushes its rows into its sink, from the start. What
 * fails is in job->error and job->failed_index; the outcome is the caller's. */
enum elfs_code elfs_exec_job(struct elfs_db *db, struct elfs_job *job);

/* *reads: the statement changes nothing. Prepares it, runs nothing. */
enum elfs_code elfs_exec_reads_only(struct elfs_db *db, struct elfs_view sql, bool *reads,
                                    struct elfs_error *err);

#endif
