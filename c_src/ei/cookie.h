/* cookie - reads the cookie file as a BEAM node does.
 *
 * Source: auth.erl of OTP's kernel: a file that its group or others may access is refused; the cookie
 * ends at the first line's end.
 */
#ifndef ELFS_EI_COOKIE_H
#define ELFS_EI_COOKIE_H

#include "base/error.h"

#define ELFS_COOKIE_MAX 512 /* with the NUL; ei's limit */

/* Reads path, or ~/.erlang.cookie when path is NULL, into cookie. The error names the file and what
 * to do. */
enum elfs_code elfs_cookie_read(const char *path, char cookie[ELFS_COOKIE_MAX],
                                struct elfs_error *err);

#endif
