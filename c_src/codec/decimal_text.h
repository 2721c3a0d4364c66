/* decimal_text - a Decimal's sign, coefficient and exponent as plain decimal digits.
 *
 * PURE. Source: Decimal.to_string/2, :normal: no exponent, trailing zeros kept, a 0 before the
 * point.
 */
#ifndef ELFS_CODEC_DECIMAL_TEXT_H
#define ELFS_CODEC_DECIMAL_TEXT_H

#include "base/arena.h"
#include "codec/term.h"

/* The longest text, without sign and point. */
#define ELFS_DECIMAL_DIGITS_MAX 4096

/* The three are whole terms, or empty where the struct lacks the field. *text is in arena.
 * ELFS_INVALID_PARAMETER for NaN, infinity, a field of another type and for too many digits. */
enum elfs_code elfs_decimal_text(struct elfs_view sign, struct elfs_view coef, struct elfs_view exp,
                                 struct elfs_arena *arena, struct elfs_view *text,
                                 struct elfs_error *err);

#endif
