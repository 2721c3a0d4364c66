/* peek - what a checked term is, at a glance.
 *
 * PURE. Every function takes a whole term that has been checked, or an empty view (what an absent
 * key gives), and answers "no" for the latter and for a term of another kind.
 */
#ifndef ELFS_ECTO_PEEK_H
#define ELFS_ECTO_PEEK_H

#include "codec/term.h"

bool elfs_ecto_is(struct elfs_view term, enum elfs_term_kind kind);
bool elfs_ecto_is_atom(struct elfs_view term, const char *text);
/* nil, or not there at all. */
bool elfs_ecto_is_nil(struct elfs_view term);
bool elfs_ecto_is_empty_list(struct elfs_view term);

/* The text of an atom, the bytes of a binary; empty if it is none. */
struct elfs_view elfs_ecto_atom(struct elfs_view term);
struct elfs_view elfs_ecto_binary(struct elfs_view term);

/* The value under an atom key of a map; empty if there is none. For a key or two: map.h reads whole
 * maps. */
struct elfs_view elfs_ecto_key(struct elfs_view map, const char *key);

struct elfs_view elfs_ecto_key_find(struct elfs_view map, struct elfs_view key);

/* The value under a key that is a binary. */
struct elfs_view elfs_ecto_text_key(struct elfs_view map, struct elfs_view key);

/* The text of a map's __struct__; empty if it is no struct. */
struct elfs_view elfs_ecto_struct(struct elfs_view term);

/* The elements of a tuple of this arity; false if it is none. */
bool elfs_ecto_tuple(struct elfs_view term, size_t arity, struct elfs_view *elements);

/* A list, element by element. An element of a STRING_EXT is valid until the next one. */
struct elfs_ecto_list {
    struct elfs_reader reader;
    struct elfs_items items;
    bool improper; /* set at the end */
};
/* False if it is no list. */
bool elfs_ecto_list_begin(struct elfs_view term, struct elfs_ecto_list *list);
bool elfs_ecto_list_next(struct elfs_ecto_list *list, struct elfs_view *item);

/* True if a list of atoms holds this one. */
bool elfs_ecto_list_has(struct elfs_view list, struct elfs_view atom);

#endif
