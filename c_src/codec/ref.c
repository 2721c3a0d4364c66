/* ref - see ref.h. [90][words:2][node atom][creation:4][word:4]... */
#include "codec/ref.h"

#include "codec/term.h"

#define NEWER_REFERENCE_EXT 90
#define WORDS 3

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool elfs_ref_is_ours(struct elfs_view term, const struct elfs_identity *id, uint32_t words[3]) {
    if (term.len < 3 || term.data[0] != NEWER_REFERENCE_EXT) return false;
    if (term.data[1] != 0 || term.data[2] != WORDS) return false;
    struct elfs_reader r = elfs_reader_of((struct elfs_view){term.data + 3, term.len - 3});
    struct elfs_view node;
    if (elfs_term_atom(&r, &node) != ELFS_OK || !elfs_view_equal(node, id->node)) return false;
    if (elfs_reader_left(&r) != 4 + 4 * WORDS || be32(r.pos) != id->creation) return false;
    for (int i = 0; i < WORDS; i++) words[i] = be32(r.pos + 4 + 4 * i);
    return true;
}
