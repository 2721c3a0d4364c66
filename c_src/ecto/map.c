/* map - see map.h. */
#include "ecto/map.h"

#include <stdlib.h>

#include "codec/put.h"
#include "ecto/make.h"

static int compare(struct elfs_view a, struct elfs_view b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *a, const void *b) {
    return compare(((const struct elfs_ecto_pair *)a)->name,
                   ((const struct elfs_ecto_pair *)b)->name);
}

/* Peers send small maps sorted, as a rule. */
static enum elfs_code sort(struct elfs_ecto_map *map) {
    struct elfs_ecto_pair *pairs = map->pairs;
    bool sorted = true;
    for (size_t i = 1; sorted && i < map->count; i++)
        sorted = compare_pairs(&pairs[i - 1], &pairs[i]) < 0;
    if (sorted) return ELFS_OK;
    qsort(pairs, map->count, sizeof *pairs, compare_pairs);
    for (size_t i = 1; i < map->count; i++) {
        if (compare_pairs(&pairs[i - 1], &pairs[i]) == 0) return ELFS_BADARG;
    }
    return ELFS_OK;
}

enum elfs_code elfs_ecto_map_read(struct elfs_view term, struct elfs_arena *arena,
                                  struct elfs_ecto_map *map) {
    struct elfs_reader r = elfs_reader_of(term);
    size_t count;
    *map = (struct elfs_ecto_map){0};
    if (elfs_term_map(&r, &count) != ELFS_OK) return ELFS_BADARG;
    struct elfs_ecto_pair *pairs = elfs_arena_array(arena, count, sizeof *pairs);
    if (!pairs) return ELFS_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (elfs_term_atom(&r, &pairs[i].name) != ELFS_OK ||
            elfs_term_skip(&r, &pairs[i].value) != ELFS_OK)
            return ELFS_BADARG;
    }
    *map = (struct elfs_ecto_map){.pairs = pairs, .count = count, .cap = count};
    return sort(map);
}

/* Where the name is, or would be. */
static size_t place(const struct elfs_ecto_map *map, struct elfs_view name, bool *found) {
    size_t low = 0, high = map->count;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(map->pairs[mid].name, name);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

struct elfs_view elfs_ecto_map_find(const struct elfs_ecto_map *map, struct elfs_view name) {
    bool found;
    size_t i = place(map, name, &found);
    return found ? map->pairs[i].value : ELFS_VIEW_NONE;
}

struct elfs_view elfs_ecto_map_get(const struct elfs_ecto_map *map, const char *name) {
    return elfs_ecto_map_find(map, elfs_view_str(name));
}

/* The pairs, moved to room for cap of them. */
static enum elfs_code move(const struct elfs_ecto_map *map, struct elfs_arena *arena, size_t cap,
                           struct elfs_ecto_map *moved) {
    struct elfs_ecto_pair *pairs = elfs_arena_array(arena, cap, sizeof *pairs);
    if (!pairs) return ELFS_NOMEM;
    if (map->count) memcpy(pairs, map->pairs, map->count * sizeof *pairs);
    *moved = (struct elfs_ecto_map){.pairs = pairs, .count = map->count, .cap = cap};
    return ELFS_OK;
}

enum elfs_code elfs_ecto_map_copy(const struct elfs_ecto_map *map, struct elfs_arena *arena,
                                  struct elfs_ecto_map *copy) {
    return move(map, arena, map->count + 4, copy);
}

enum elfs_code elfs_ecto_map_set(struct elfs_ecto_map *map, struct elfs_arena *arena,
                                 struct elfs_view name, struct elfs_view value) {
    bool found;
    if (value.len == 0) return ELFS_NOMEM; /* a term that could not be made */
    size_t i = place(map, name, &found);
    if (!found) {
        if (map->count == map->cap) {
            enum elfs_code code = move(map, arena, map->cap * 2 + 4, map);
            if (code != ELFS_OK) return code;
        }
        memmove(&map->pairs[i + 1], &map->pairs[i], (map->count - i) * sizeof *map->pairs);
        map->pairs[i].name = name;
        map->count++;
    }
    map->pairs[i].value = value;
    return ELFS_OK;
}

void elfs_ecto_map_put(struct elfs_buf *buf, const struct elfs_ecto_map *map) {
    elfs_put_map_header(buf, map->count);
    for (size_t i = 0; i < map->count; i++) {
        elfs_put_atom_view(buf, map->pairs[i].name);
        elfs_buf_append_view(buf, map->pairs[i].value);
    }
}

struct elfs_view elfs_ecto_map_term(const struct elfs_ecto_map *map, struct elfs_arena *arena) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_ecto_map_put(&buf, map);
    return elfs_ecto_take(&buf, arena);
}
