/* lines - cuts a stream of bytes into lines, whatever pieces it comes in.
 *
 * PURE. A line that lies whole in one piece is not copied; one that does not is collected in a
 * buffer of at most max bytes. A longer line, or one for which there is no memory, is skipped to
 * its end and counted: the memory stays bounded whatever the other side sends. Not thread-safe.
 */
#ifndef ELFS_DETECT_LINES_H
#define ELFS_DETECT_LINES_H

#include "base/buf.h"

struct elfs_lines {
    struct elfs_buf rest; /* the beginning of a line whose end has not come yet */
    bool taken;           /* rest holds the line given last: to be emptied */
    bool skipping;        /* until the end of a line that was given up */
    uint64_t skipped;     /* lines given up so far */
};

void elfs_lines_init(struct elfs_lines *lines, size_t max);
void elfs_lines_fini(struct elfs_lines *lines);

/* Forgets a line that has begun (a new connection); keeps the count. */
void elfs_lines_reset(struct elfs_lines *lines);

/* The next line, without its '\n', from what was kept and *piece, which is moved past it. The line
 * is valid until the next call and as long as the piece. ELFS_AGAIN: the piece is used up. */
enum elfs_code elfs_lines_next(struct elfs_lines *lines, struct elfs_view *piece,
                               struct elfs_view *line);

#endif
