/* outcome - how a worker gives a job its outcome, before the mailbox takes it home. Internal. */
#ifndef ELFS_STORE_OUTCOME_H
#define ELFS_STORE_OUTCOME_H

#include "store/job.h"

/* Sets the outcome; its sink forgets what was pushed unless the job is done. */
void elfs_job_settle(struct elfs_job *job, enum elfs_job_outcome outcome);

/* Settles the job as failed with this error. */
void elfs_job_fail(struct elfs_job *job, const struct elfs_error *error);

#endif
