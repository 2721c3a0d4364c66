/* prop_model - see prop_model.h. */
#include "prop_model.h"

static bool is_null(const struct prop_value *cell) { return strcmp(cell->stored, "null") == 0; }

static bool same(const struct prop_schema *schema, const struct prop_row *a,
                 const struct prop_row *b, uint32_t fields) {
    for (size_t i = 0; i < schema->count; i++) {
        if (!(fields >> i & 1)) continue;
        if (is_null(&a->cells[i]) || strcmp(a->cells[i].stored, b->cells[i].stored) != 0)
            return false;
    }
    return true;
}

int prop_conflicting(const struct prop_schema *schema, const struct prop_table *table,
                     const struct prop_row *row, size_t unique, int except) {
    for (size_t i = 0; i < table->count; i++) {
        if ((int)i != except && same(schema, row, &table->rows[i], schema->uniques[unique].fields))
            return (int)i;
    }
    return -1;
}

uint32_t prop_violated(const struct prop_schema *schema, const struct prop_table *table,
                       const struct prop_row *row, int except) {
    uint32_t bits = 0;
    for (size_t u = 0; u < schema->unique_count; u++) {
        if (prop_conflicting(schema, table, row, u, except) >= 0) bits |= UINT32_C(1) << u;
    }
    return bits;
}

int prop_null_field(const struct prop_schema *schema, const struct prop_row *row) {
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].not_null && is_null(&row->cells[i])) return (int)i;
    }
    return -1;
}

struct prop_row prop_new_row(const struct prop_schema *schema, struct elfs_arena *arena,
                             const struct prop_table *table, const struct prop_value *values,
                             uint32_t given) {
    struct prop_row row = {.cells = {prop_nil()}};
    int64_t last = 0;
    for (size_t i = 0; i < schema->count; i++) {
        row.cells[i] = schema->fields[i].by_default ? prop_integer(arena, 7) : prop_nil();
        if (given >> i & 1) row.cells[i] = values[i];
    }
    if (!schema->id_by_sqlite || !is_null(&row.cells[0])) return row;
    for (size_t i = 0; i < table->count; i++) {
        int64_t id = table->rows[i].cells[0].integer;
        if (id > last) last = id;
    }
    row.cells[0] = prop_integer(arena, last + 1);
    return row;
}

int prop_find(const struct prop_table *table, const struct prop_value *key) {
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].cells[0].stored, key->stored) == 0)
            return is_null(key) ? -1 : (int)i;
    }
    return -1;
}

void prop_remove(struct prop_table *table, size_t row) {
    table->rows[row] = table->rows[--table->count];
}
