/* term - a bounds-checked reader of the external term format.
 *
 * PURE. Source: erl_ext_dist (External Term Format) of OTP 25. Every function checks the bytes
 * against the reader's end before it looks at them, so that no term can make it read outside;
 * nothing here recurses. A function that fails leaves the reader where it was. Codes: ELFS_OK;
 * ELFS_MALFORMED, the bytes are not a term or end too early; ELFS_BADARG, a sound term of another
 * type.
 *
 * What is read as a view stays in the frame: pids, references and argument lists are kept as the
 * bytes they came in, and echoed as such.
 */
#ifndef ELFS_CODEC_TERM_H
#define ELFS_CODEC_TERM_H

#include "base/error.h"
#include "base/view.h"

#define ELFS_TERM_VERSION 131

struct elfs_reader {
    const uint8_t *pos;
    const uint8_t *end;
};

enum elfs_term_kind {
    ELFS_TERM_INTEGER, /* any size */
    ELFS_TERM_FLOAT,
    ELFS_TERM_ATOM,
    ELFS_TERM_BINARY,
    ELFS_TERM_BITSTRING, /* a last byte that is not whole */
    ELFS_TERM_TUPLE,
    ELFS_TERM_LIST,   /* LIST_EXT */
    ELFS_TERM_STRING, /* STRING_EXT: a list of bytes */
    ELFS_TERM_NIL,
    ELFS_TERM_MAP,
    ELFS_TERM_PID,
    ELFS_TERM_PORT,
    ELFS_TERM_REF,
    ELFS_TERM_FUN,
    ELFS_TERM_EXPORT,
};

struct elfs_reader elfs_reader_of(struct elfs_view view);
size_t elfs_reader_left(const struct elfs_reader *r);

/* The kind of the next term, by its tag alone. ELFS_MALFORMED at the end or for an unknown tag. */
enum elfs_code elfs_term_peek(const struct elfs_reader *r, enum elfs_term_kind *kind);

/* Checks the next term whole, nested terms included, and steps over it. *term (may be NULL) is its
 * bytes. Floats must be finite and element counts must fit the bytes that are left. */
enum elfs_code elfs_term_skip(struct elfs_reader *r, struct elfs_view *term);

/* Steps over a term that elfs_term_skip has checked as a part of a whole one, and that lies in no
 * closure: the closures in it are not entered, since their Size is known to be right. */
enum elfs_code elfs_term_skip_checked(struct elfs_reader *r, struct elfs_view *term);

/* The version byte 131. */
enum elfs_code elfs_term_version(struct elfs_reader *r);

/* An integer of any encoding that fits 64 bits; ELFS_LIMIT for a larger one. */
enum elfs_code elfs_term_int64(struct elfs_reader *r, int64_t *value);

/* The same, from 0 to 2^64 - 1. */
enum elfs_code elfs_term_uint64(struct elfs_reader *r, uint64_t *value);

/* An integer of any size: sign (0 or 1) and magnitude as little-endian bytes without leading zero
 * bytes at the high end (len 0 for zero). For small integers the magnitude is written into scratch.
 */
enum elfs_code elfs_term_integer(struct elfs_reader *r, int *sign, struct elfs_view *magnitude,
                                 uint8_t scratch[8]);

/* A finite double (NEW_FLOAT_EXT; the old FLOAT_EXT is ELFS_MALFORMED: no peer since OTP 17 sends
 * it). */
enum elfs_code elfs_term_float(struct elfs_reader *r, double *value);

/* The text of an atom. Latin-1 atoms (ATOM_EXT, SMALL_ATOM_EXT) are given as they came: peers send
 * them for ASCII names only. */
enum elfs_code elfs_term_atom(struct elfs_reader *r, struct elfs_view *text);

enum elfs_code elfs_term_binary(struct elfs_reader *r, struct elfs_view *bytes);

/* Headers: the elements follow and are read next. The counts are already known to fit what is left.
 * A list of count elements is followed by its tail. NIL_EXT reads as a list of 0 elements WITHOUT a
 * tail term (tail is false). A STRING_EXT is ELFS_BADARG: see elfs_term_string. */
enum elfs_code elfs_term_tuple(struct elfs_reader *r, size_t *arity);
enum elfs_code elfs_term_list(struct elfs_reader *r, size_t *count, bool *tail);
enum elfs_code elfs_term_map(struct elfs_reader *r, size_t *pairs);

/* STRING_EXT: a list of small integers, one a byte. */
enum elfs_code elfs_term_string(struct elfs_reader *r, struct elfs_view *bytes);

/* The whole bytes of a pid, a reference. */
enum elfs_code elfs_term_pid(struct elfs_reader *r, struct elfs_view *term);
enum elfs_code elfs_term_ref(struct elfs_reader *r, struct elfs_view *term);

/* A proper list in either encoding (LIST_EXT ending in NIL_EXT, STRING_EXT, NIL_EXT), element by
 * element. Usage: elfs_term_items_begin(), then elfs_term_items_next() until left is 0, then
 * elfs_term_items_end(), which checks the tail and steps over it. Each item is a whole checked
 * term; those of a STRING_EXT are written into the cursor's scratch as SMALL_INTEGER_EXT, valid
 * until the next call. */
struct elfs_items {
    size_t left;
    bool string;
    bool tail;
    uint8_t scratch[2];
};
enum elfs_code elfs_term_items_begin(struct elfs_reader *r, struct elfs_items *items);
enum elfs_code elfs_term_items_next(struct elfs_reader *r, struct elfs_items *items,
                                    struct elfs_view *item);
enum elfs_code elfs_term_items_end(struct elfs_reader *r, struct elfs_items *items);

#endif
