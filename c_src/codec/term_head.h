/* term_head - the head of one term: its tag, its own bytes, and what is nested in it.
 *
 * PURE. Private to the term reader: the one place that knows the tags and their layouts.
 */
#ifndef ELFS_CODEC_TERM_HEAD_H
#define ELFS_CODEC_TERM_HEAD_H

#include "codec/term.h"

enum elfs_tag {
    ELFS_TAG_NEW_FLOAT = 70,
    ELFS_TAG_BIT_BINARY = 77,
    ELFS_TAG_NEW_PID = 88,
    ELFS_TAG_NEW_PORT = 89,
    ELFS_TAG_NEWER_REFERENCE = 90,
    ELFS_TAG_SMALL_INTEGER = 97,
    ELFS_TAG_INTEGER = 98,
    ELFS_TAG_ATOM = 100,
    ELFS_TAG_REFERENCE = 101,
    ELFS_TAG_PORT = 102,
    ELFS_TAG_PID = 103,
    ELFS_TAG_SMALL_TUPLE = 104,
    ELFS_TAG_LARGE_TUPLE = 105,
    ELFS_TAG_NIL = 106,
    ELFS_TAG_STRING = 107,
    ELFS_TAG_LIST = 108,
    ELFS_TAG_BINARY = 109,
    ELFS_TAG_SMALL_BIG = 110,
    ELFS_TAG_LARGE_BIG = 111,
    ELFS_TAG_NEW_FUN = 112,
    ELFS_TAG_EXPORT = 113,
    ELFS_TAG_NEW_REFERENCE = 114,
    ELFS_TAG_SMALL_ATOM = 115,
    ELFS_TAG_MAP = 116,
    ELFS_TAG_ATOM_UTF8 = 118,
    ELFS_TAG_SMALL_ATOM_UTF8 = 119,
    ELFS_TAG_V4_PORT = 120,
};

struct elfs_term_head {
    uint8_t tag;
    enum elfs_term_kind kind;
    struct elfs_view bytes; /* text of an atom; bytes of a binary or string; big-endian integer or
                               float; little-endian magnitude of a big integer; what a fun's Size
                               field says that it takes, nested terms included */
    uint8_t sign;           /* of a big integer: 0 or 1 */
    size_t count;           /* tuple arity, list elements without the tail, map pairs */
    size_t nested;          /* terms that follow and belong to this one; they fit what is left */
};

/* Reads the head and steps over it, to the first nested term. */
enum elfs_code elfs_term_head(struct elfs_reader *r, struct elfs_term_head *head);

#endif
