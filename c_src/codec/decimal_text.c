/* decimal_text - see decimal_text.h.
 *
 * The coefficient is turned into digits by long division: 32-bit limbs by 10^9, nine digits a
 * round. Its size is limited before, which bounds the work.
 */
#include "codec/decimal_text.h"

/* 4,096 digits take 13,607 bits: 1,701 bytes. */
#define COEF_BYTES_MAX 1701
#define LIMBS_MAX ((COEF_BYTES_MAX + 3) / 4)
#define CHUNK 1000000000U
#define CHUNK_DIGITS 9

/* The digits stand at the end of bytes. 1,701 bytes may have 4,097 digits, and a round always
 * writes nine. */
struct digits {
    char bytes[ELFS_DECIMAL_DIGITS_MAX + 2 * CHUNK_DIGITS];
    size_t len;
};

static const char *digits_start(const struct digits *d) {
    return d->bytes + sizeof d->bytes - d->len;
}

static enum elfs_code invalid(struct elfs_error *err, const char *what) {
    elfs_fail(err, ELFS_INVALID_PARAMETER, "%s", what);
    return ELFS_INVALID_PARAMETER;
}

static enum elfs_code too_long(struct elfs_error *err) {
    return invalid(err, "the Decimal has more than 4096 digits");
}

/* Divides the limbs by 10^9 in place and returns the remainder. */
static uint32_t divide(uint32_t *limbs, size_t count) {
    uint64_t rest = 0;
    for (size_t i = count; i > 0; i--) {
        uint64_t part = rest << 32 | limbs[i - 1];
        limbs[i - 1] = (uint32_t)(part / CHUNK);
        rest = part % CHUNK;
    }
    return (uint32_t)rest;
}

static void put_chunk(struct digits *d, uint32_t chunk) {
    for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10)
        d->bytes[sizeof d->bytes - ++d->len] = (char)('0' + chunk % 10);
}

/* magnitude: little-endian, at most COEF_BYTES_MAX bytes. */
static void make_digits(struct elfs_view magnitude, struct digits *d) {
    uint32_t limbs[LIMBS_MAX] = {0};
    for (size_t i = 0; i < magnitude.len; i++)
        limbs[i / 4] |= (uint32_t)magnitude.data[i] << (8 * (i % 4));
    size_t count = (magnitude.len + 3) / 4;
    d->len = 0;
    while (count > 0) {
        put_chunk(d, divide(limbs, count));
        while (count > 0 && limbs[count - 1] == 0) count--;
    }
    while (d->len > 0 && *digits_start(d) == '0') d->len--;
    if (d->len == 0) {
        put_chunk(d, 0);
        d->len = 1;
    }
}

static enum elfs_code read_coef(struct elfs_view coef, struct digits *d, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(coef);
    struct elfs_view magnitude, word;
    uint8_t scratch[8];
    int sign;
    if (elfs_term_atom(&r, &word) == ELFS_OK)
        return invalid(err, "a Decimal that is not a number, or infinite, cannot be bound");
    if (elfs_term_integer(&r, &sign, &magnitude, scratch) != ELFS_OK || sign != 0)
        return invalid(err, "the Decimal's coef is missing, negative or no integer");
    if (magnitude.len > COEF_BYTES_MAX) return too_long(err);
    make_digits(magnitude, d);
    return ELFS_OK;
}

static enum elfs_code read_sign(struct elfs_view sign, bool *negative, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(sign);
    int64_t value;
    if (elfs_term_int64(&r, &value) != ELFS_OK || (value != 1 && value != -1))
        return invalid(err, "the Decimal's sign is neither 1 nor -1");
    *negative = value < 0;
    return ELFS_OK;
}

static enum elfs_code read_exp(struct elfs_view exp, int64_t *value, struct elfs_error *err) {
    struct elfs_reader r = elfs_reader_of(exp);
    enum elfs_code code = elfs_term_int64(&r, value);
    if (code == ELFS_LIMIT) return too_long(err);
    if (code != ELFS_OK) return invalid(err, "the Decimal's exp is missing or no integer");
    bool fits = *value >= -ELFS_DECIMAL_DIGITS_MAX && *value <= ELFS_DECIMAL_DIGITS_MAX;
    return fits ? ELFS_OK : too_long(err);
}

static void append(char **to, const char *from, size_t n) {
    memcpy(*to, from, n);
    *to += n;
}

static void append_zeros(char **to, size_t n) {
    memset(*to, '0', n);
    *to += n;
}

/* exp >= 0: the digits and exp zeros. Otherwise the point stands -exp digits from the right, after
 * zeros if there are not as many. */
static enum elfs_code compose(bool negative, const struct digits *d, int64_t exp,
                              struct elfs_arena *arena, struct elfs_view *text,
                              struct elfs_error *err) {
    const char *digits = digits_start(d);
    size_t after = exp < 0 ? (size_t)-exp : 0;
    size_t zeros = exp < 0 ? 0 : (size_t)exp;
    size_t pad = after >= d->len ? after + 1 - d->len : 0; /* zeros before the digits */
    size_t total = pad + d->len + zeros;
    if (total > ELFS_DECIMAL_DIGITS_MAX) return too_long(err);
    char *out = elfs_arena_alloc(arena, total + 2);
    if (!out) return elfs_fail(err, ELFS_NOMEM, "out of memory");
    char *to = out;
    if (negative) append(&to, "-", 1);
    if (pad > 0) {
        append(&to, "0.", 2);
        append_zeros(&to, pad - 1);
        append(&to, digits, d->len);
    } else {
        append(&to, digits, d->len - after);
        if (after > 0) append(&to, ".", 1);
        append(&to, digits + d->len - after, after);
    }
    append_zeros(&to, zeros);
    *text = (struct elfs_view){(const uint8_t *)out, (size_t)(to - out)};
    return ELFS_OK;
}

enum elfs_code elfs_decimal_text(struct elfs_view sign, struct elfs_view coef, struct elfs_view exp,
                                 struct elfs_arena *arena, struct elfs_view *text,
                                 struct elfs_error *err) {
    struct digits digits;
    bool negative;
    int64_t exponent;
    enum elfs_code code = read_sign(sign, &negative, err);
    if (code == ELFS_OK) code = read_coef(coef, &digits, err);
    if (code == ELFS_OK) code = read_exp(exp, &exponent, err);
    return code == ELFS_OK ? compose(negative, &digits, exponent, arena, text, err) : code;
}
