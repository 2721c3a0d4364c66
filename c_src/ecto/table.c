/* table - see table.h. */
#include "ecto/table.h"

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

/* a, as far as n bytes, in either case. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

const struct elfs_ecto_column *elfs_ecto_column_find(const struct elfs_ecto_table *table,
                                                     struct elfs_view name) {
    for (size_t i = 0; i < table->count; i++) {
        const struct elfs_ecto_column *column = &table->columns[i];
        if (column->name.len == name.len && same(column->name.data, name.data, name.len))
            return column;
    }
    return NULL;
}

bool elfs_ecto_column_mentions(const struct elfs_ecto_column *column, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= column->type.len; i++) {
        if (same(column->type.data + i, (const uint8_t *)word, n)) return true;
    }
    return false;
}

bool elfs_ecto_column_is_blob(const struct elfs_ecto_column *column) {
    return elfs_ecto_column_mentions(column, "blob");
}
