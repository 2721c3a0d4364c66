/* prop_number - see prop_number.h. */
#include "prop_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is read back as it was given. */
static struct prop_value plain(const char *term, const char *stored) {
    return (struct prop_value){.term = term, .stored = stored, .loaded = term};
}

static const char *float_term(struct elfs_arena *arena, double real) {
    const char *text = prop_text(arena, "%.17g", real);
    return strpbrk(text, ".e") ? text : prop_text(arena, "%s.0", text);
}

/* NUMERIC affinity: an integral float that fits is stored as an integer. */
struct prop_value prop_float(struct prop_random *r, struct elfs_arena *arena) {
    static const double edges[] = {0.0, -0.5, 1e300, -1e-7, 0.1, 1e15, 123456789.125, -3.0};
    double real =
        prop_one_in(r, 2) ? edges[prop_below(r, 8)] : ((double)prop_below(r, 800) - 400) / 8;
    bool integral = fabs(real) < 1e18 && real <= floor(real);
    return plain(float_term(arena, real), integral ? prop_text(arena, "integer %.0f", real)
                                                   : prop_text(arena, "real %.17g", real));
}

static const char *decimal_term(struct elfs_arena *arena, bool negative, uint64_t coef, int exp) {
    return prop_text(arena,
                     "#{'__struct__' => 'Elixir.Decimal', sign => %d, coef => %llu, exp => %d}",
                     negative ? -1 : 1, (unsigned long long)coef, exp);
}

/* Plain decimal text: all digits, no exponent. */
static const char *decimal_text(struct elfs_arena *arena, bool negative, uint64_t coef, int exp) {
    const char *sign = negative ? "-" : "";
    uint64_t scale = 1;
    for (int i = 0; i < exp || i < -exp; i++) scale *= 10;
    if (exp >= 0)
        return prop_text(arena, "%s%llu%.*s", sign, (unsigned long long)coef, coef ? exp : 0,
                         "000000");
    return prop_text(arena, "%s%llu.%0*llu", sign, (unsigned long long)(coef / scale), -exp,
                     (unsigned long long)(coef % scale));
}

/* NUMERIC affinity: the text becomes a number, and zeros at its end are lost. */
struct prop_value prop_decimal(struct prop_random *r, struct elfs_arena *arena, bool numeric) {
    uint64_t coef = prop_one_in(r, 4) ? prop_below(r, 10) * 100 : 1 + prop_below(r, 100000000);
    int exp = (int)prop_below(r, 7) - 3;
    bool negative = coef > 0 && prop_one_in(r, 3);
    if (coef == 0 && exp > 0) exp = 0;
    const char *text = decimal_text(arena, negative, coef, exp);
    struct prop_value value = plain(decimal_term(arena, negative, coef, exp),
                                    prop_stored(arena, "text", text, strlen(text)));
    if (exp > 0) {
        for (; exp > 0; exp--) coef *= 10;
        value.loaded = decimal_term(arena, negative, coef, 0);
    }
    if (!numeric) return value;
    for (; exp < 0 && coef % 10 == 0; exp++) coef /= 10;
    value.loaded = decimal_term(arena, negative, coef, exp);
    value.stored =
        exp == 0 ? prop_text(arena, "integer %s%llu", negative ? "-" : "", (unsigned long long)coef)
                 : prop_text(arena, "real %.17g", strtod(text, NULL));
    return value;
}
