/* ref - what is inside a reference.
 *
 * PURE. Source: erl_ext_dist, NEWER_REFERENCE_EXT. References are echoed as the bytes they came in;
 * only those that we made ourselves are looked into.
 */
#ifndef ELFS_CODEC_REF_H
#define ELFS_CODEC_REF_H

#include "codec/put.h"

/* True if term is a NEWER_REFERENCE_EXT of three words that id made; words[] is then set, in the
 * order of elfs_put_ref. */
bool elfs_ref_is_ours(struct elfs_view term, const struct elfs_identity *id, uint32_t words[3]);

#endif
