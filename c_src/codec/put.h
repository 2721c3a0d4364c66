/* put - writes the external term format into a buffer.
 *
 * PURE. Source: erl_ext_dist of OTP 25. A failure sticks to the buffer (base/buf.h): check
 * buf->status once at the end. Headers are followed by their elements; a list of n > 0 elements
 * ends with elfs_put_nil (elfs_put_list_header(0) writes nothing: the nil is the empty list).
 */
#ifndef ELFS_CODEC_PUT_H
#define ELFS_CODEC_PUT_H

#include "base/buf.h"

/* Who we are on the wire, in the pids and references that we make. creation is not 0. */
struct elfs_identity {
    struct elfs_view node; /* "name@host" */
    uint32_t creation;
};

void elfs_put_version(struct elfs_buf *buf);
void elfs_put_int64(struct elfs_buf *buf, int64_t value);
void elfs_put_uint64(struct elfs_buf *buf, uint64_t value);
/* value is finite: a BEAM drops the connection for any other. */
void elfs_put_float(struct elfs_buf *buf, double value);
/* UTF-8, at most 255 bytes; longer sets ELFS_LIMIT. */
void elfs_put_atom(struct elfs_buf *buf, const char *text);
void elfs_put_atom_view(struct elfs_buf *buf, struct elfs_view text);
void elfs_put_binary(struct elfs_buf *buf, struct elfs_view bytes);
void elfs_put_binary_str(struct elfs_buf *buf, const char *text);
void elfs_put_tuple_header(struct elfs_buf *buf, size_t arity);
void elfs_put_list_header(struct elfs_buf *buf, size_t count);
void elfs_put_nil(struct elfs_buf *buf);
void elfs_put_map_header(struct elfs_buf *buf, size_t pairs);
/* NEW_PID_EXT and NEWER_REFERENCE_EXT of ours. */
void elfs_put_pid(struct elfs_buf *buf, const struct elfs_identity *id, uint32_t num,
                  uint32_t serial);
void elfs_put_ref(struct elfs_buf *buf, const struct elfs_identity *id, const uint32_t words[3]);

#endif
