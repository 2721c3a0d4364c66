/* frame - distribution frames after the handshake: [length:4][bytes].
 *
 * PURE. Source: erl_dist_protocol, "Protocol between Connected Nodes". A length of 0 is a tick.
 */
#ifndef ELFS_CODEC_FRAME_H
#define ELFS_CODEC_FRAME_H

#include "base/buf.h"

/* Looks at the start of in. ELFS_OK: *frame is the first frame's bytes without the length (empty
 * for a tick) and *used what it takes of in. ELFS_AGAIN: the frame is not whole yet, *need (may be
 * NULL) is the size that it will have with its length, or 4 when not even that is known.
 * ELFS_LIMIT: its length is over max, *need is what it claims. */
enum elfs_code elfs_frame_next(struct elfs_view in, size_t max, struct elfs_view *frame,
                               size_t *used, size_t *need);

/* Opens a frame at the end of buf and returns its mark; the caller appends its bytes and closes it,
 * which patches the length. A frame whose buffer has failed meanwhile is cut off again by
 * elfs_frame_close, which then returns the reason, so that nothing half-written is ever sent. */
size_t elfs_frame_open(struct elfs_buf *buf);
enum elfs_code elfs_frame_close(struct elfs_buf *buf, size_t mark);

#endif
