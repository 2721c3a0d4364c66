/* integer - integers written as digits.
 *
 * PURE.
 */
#ifndef ELFS_ECTO_INTEGER_H
#define ELFS_ECTO_INTEGER_H

#include "base/buf.h"

/* More digits than any number that we take has. */
#define ELFS_DIGITS_MAX 600

/* Appends the integer of these decimal digits. ELFS_BADARG: there are none, more than
 * ELFS_DIGITS_MAX, or something else among them. */
enum elfs_code elfs_put_digits(struct elfs_buf *buf, bool negative, struct elfs_view digits);

#endif
