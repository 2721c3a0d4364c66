/* view - bytes that somebody else owns.
 *
 * A view is valid as long as the buffer it points into; decoded values are views into their frame.
 */
#ifndef ELFS_BASE_VIEW_H
#define ELFS_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct elfs_view {
    const uint8_t *data;
    size_t len;
};

#define ELFS_VIEW_NONE ((struct elfs_view){NULL, 0})

/* Both for printf's "%.*s". */
#define ELFS_VIEW_ARGS(v) (int)(v).len, (const char *)((v).data ? (v).data : (const uint8_t *)"")

static inline struct elfs_view elfs_view_str(const char *text) {
    return (struct elfs_view){(const uint8_t *)text, strlen(text)};
}

static inline bool elfs_view_equal(struct elfs_view a, struct elfs_view b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool elfs_view_is(struct elfs_view a, const char *text) {
    return elfs_view_equal(a, elfs_view_str(text));
}

#endif
