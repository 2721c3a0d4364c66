/* lines - see lines.h. */
#include "detect/lines.h"

/* What is kept of the buffer between lines: most events are far shorter. */
#define KEEP_BYTES 1024

void elfs_lines_init(struct elfs_lines *lines, size_t max) {
    *lines = (struct elfs_lines){.taken = false};
    elfs_buf_init(&lines->rest, max);
}

void elfs_lines_fini(struct elfs_lines *lines) { elfs_buf_fini(&lines->rest); }

void elfs_lines_reset(struct elfs_lines *lines) {
    elfs_buf_reset(&lines->rest, KEEP_BYTES);
    lines->taken = false;
    lines->skipping = false;
}

/* Appends to the line under way, or gives it up. */
static void keep(struct elfs_lines *lines, const uint8_t *data, size_t n) {
    if (lines->skipping) return;
    elfs_buf_append(&lines->rest, data, n);
    if (lines->rest.status == ELFS_OK) return;
    elfs_buf_reset(&lines->rest, 0);
    lines->skipping = true;
    lines->skipped++;
}

enum elfs_code elfs_lines_next(struct elfs_lines *lines, struct elfs_view *piece,
                               struct elfs_view *line) {
    *line = ELFS_VIEW_NONE;
    if (lines->taken) elfs_lines_reset(lines);
    while (piece->len > 0) {
        const uint8_t *data = piece->data;
        const uint8_t *end = memchr(data, '\n', piece->len);
        size_t n = end ? (size_t)(end - data) : piece->len;
        size_t used = end ? n + 1 : n;
        *piece = (struct elfs_view){data + used, piece->len - used};
        if (end && !lines->skipping && lines->rest.len == 0 && n <= lines->rest.max) {
            *line = (struct elfs_view){data, n};
            return ELFS_OK;
        }
        keep(lines, data, n);
        if (!end) break;
        if (!lines->skipping) {
            *line = (struct elfs_view){lines->rest.data, lines->rest.len};
            lines->taken = true;
            return ELFS_OK;
        }
        lines->skipping = false;
    }
    return ELFS_AGAIN;
}
