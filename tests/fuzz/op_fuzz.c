/* op_fuzz - {Function, Arguments} of module ecto_litefs, checked or not.
 *
 * What parses is read to its last byte, as the store would.
 */
#include <stdlib.h>

#include "codec/op.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

static void read_bytes(struct elfs_view bytes) {
    for (size_t i = 0; i < bytes.len; i++) sum += bytes.data[i];
}

static void read_params(const struct elfs_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        const struct elfs_value *value = &params->items[i].value;
        read_bytes(params->items[i].name);
        if (value->type == ELFS_TEXT || value->type == ELFS_BLOB) {
            if (!value->bytes.data) abort();
            read_bytes(value->bytes);
        }
    }
}

static void read_op(const struct elfs_op *op) {
    read_bytes(op->repo);
    read_bytes(op->tx);
    read_bytes(op->options.tx);
    for (size_t i = 0; i < op->count; i++) {
        read_bytes(op->statements[i].sql);
        read_params(&op->statements[i].params);
    }
    for (size_t i = 0; i < op->set_count; i++) read_params(&op->sets[i]);
}

static void parse(struct elfs_view function, struct elfs_view args) {
    struct elfs_arena arena;
    struct elfs_op op;
    struct elfs_error err;
    elfs_arena_init(&arena);
    if (elfs_op_parse(function, args, &arena, &op, &err) == ELFS_OK) read_op(&op);
    elfs_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elfs_reader r = elfs_reader_of((struct elfs_view){data, size});
    struct elfs_view function, args;
    size_t arity;
    if (elfs_term_version(&r) != ELFS_OK || elfs_term_tuple(&r, &arity) != ELFS_OK) return 0;
    if (elfs_term_atom(&r, &function) != ELFS_OK) return 0;
    parse(function, (struct elfs_view){r.pos, elfs_reader_left(&r)});
    if (elfs_term_skip(&r, &args) == ELFS_OK) parse(function, args);
    return 0;
}
