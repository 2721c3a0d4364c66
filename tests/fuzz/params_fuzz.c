/* params_fuzz - a term, checked or not, as parameters, iodata, a struct, and by every reader.
 *
 * Skipping must agree with itself: what skip takes as a term, the items of a list included, is a
 * term again.
 */
#include <stdlib.h>

#include "codec/params.h"
#include "codec/struct_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

static void convert(struct elfs_view term) {
    struct elfs_arena arena;
    struct elfs_params params;
    struct elfs_value value;
    struct elfs_view bytes;
    struct elfs_error err;
    elfs_arena_init(&arena);
    elfs_params_of_term(term, &arena, &params, &err);
    elfs_value_of_term(term, &arena, &value, &err);
    elfs_iodata_of_term(term, &arena, &bytes);
    elfs_struct_text(term, &arena, &bytes, &err);
    elfs_arena_fini(&arena);
}

static void read_items(struct elfs_reader r) {
    struct elfs_items items;
    if (elfs_term_items_begin(&r, &items) != ELFS_OK) return;
    while (items.left > 0) {
        struct elfs_view item, again;
        if (elfs_term_items_next(&r, &items, &item) != ELFS_OK) return;
        struct elfs_reader in = elfs_reader_of(item);
        require(elfs_term_skip(&in, &again) == ELFS_OK && elfs_view_equal(item, again));
    }
    elfs_term_items_end(&r, &items);
}

/* Each reader from the same place; one of them at most takes the term. */
static void read_each(struct elfs_reader r) {
    int64_t integer;
    double real;
    struct elfs_view view;
    size_t count;
    bool tail;
    const struct elfs_reader start = r;
    struct elfs_reader at;
    int taken = 0;
    taken += (at = start, elfs_term_int64(&at, &integer) == ELFS_OK);
    taken += (at = start, elfs_term_float(&at, &real) == ELFS_OK);
    taken += (at = start, elfs_term_atom(&at, &view) == ELFS_OK);
    taken += (at = start, elfs_term_binary(&at, &view) == ELFS_OK);
    taken += (at = start, elfs_term_string(&at, &view) == ELFS_OK);
    taken += (at = start, elfs_term_tuple(&at, &count) == ELFS_OK);
    taken += (at = start, elfs_term_list(&at, &count, &tail) == ELFS_OK);
    taken += (at = start, elfs_term_map(&at, &count) == ELFS_OK);
    taken += (at = start, elfs_term_pid(&at, &view) == ELFS_OK);
    taken += (at = start, elfs_term_ref(&at, &view) == ELFS_OK);
    require(taken <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elfs_reader r = elfs_reader_of((struct elfs_view){data, size});
    struct elfs_view term;
    if (elfs_term_version(&r) != ELFS_OK) return 0;
    convert((struct elfs_view){r.pos, elfs_reader_left(&r)});
    read_items(r);
    read_each(r);
    if (elfs_term_skip(&r, &term) == ELFS_OK) convert(term);
    return 0;
}
