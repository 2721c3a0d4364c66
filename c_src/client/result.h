/* result - the results that ecto_litefs.h gives access to, made of an answer's bytes.
 *
 * PURE. All of it is checked when it is made, so that no accessor can fail.
 */
#ifndef ELFS_CLIENT_RESULT_H
#define ELFS_CLIENT_RESULT_H

#include "base/error.h"
#include "base/view.h"
#include "client/ecto_litefs.h"

/* Makes a result of the term in {ok, Term}, which is copied: one result map, or, if list, a list of
 * them. *out is owned by the caller. ELFS_MALFORMED, ELFS_NOMEM. */
enum elfs_code elfs_client_result_make(struct elfs_view value, bool list,
                                       struct elfs_client_result **out);

#endif
