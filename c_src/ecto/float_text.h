/* float_text - a float's shortest text, as Erlang writes it.
 *
 * PURE. Source: float_to_list(F, [short]): the fewest digits that read back as the same float; the
 * shorter of the decimal and the scientific notation, the latter from 2^53 on.
 */
#ifndef ELFS_ECTO_FLOAT_TEXT_H
#define ELFS_ECTO_FLOAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define ELFS_FLOAT_TEXT_MAX 32

/* value = digits * 10^exponent, of the fewest digits, without trailing zeros. */
struct elfs_float_digits {
    char digits[20];
    size_t count;
    int exponent;
};

/* value is finite. */
void elfs_float_digits(double value, struct elfs_float_digits *out);

/* Writes the text with its NUL and returns its length. */
size_t elfs_float_text(double value, char text[ELFS_FLOAT_TEXT_MAX]);

#endif
