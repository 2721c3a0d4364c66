/* prop_random - see prop_random.h. The generator is SplitMix64. */
#include "prop_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t next(struct prop_random *r) {
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void prop_seed(struct prop_random *r, uint64_t seed, uint64_t number) {
    r->state = seed;
    r->state = next(r) + number;
    r->state = next(r);
}

uint32_t prop_below(struct prop_random *r, uint32_t n) { return (uint32_t)(next(r) % n); }

bool prop_one_in(struct prop_random *r, uint32_t n) { return prop_below(r, n) == 0; }

uint32_t prop_subset(struct prop_random *r, uint32_t bits) { return bits & (uint32_t)next(r); }

static const char *format_text(struct elfs_arena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    size_t size = (size_t)vsnprintf(NULL, 0, format, args) + 1;
    char *text = elfs_arena_alloc(arena, size);
    assert_non_null(text);
    vsnprintf(text, size, format, again);
    va_end(again);
    return text;
}

const char *prop_text(struct elfs_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_text(arena, format, args);
    va_end(args);
    return text;
}

void prop_list_init(struct prop_list *list, struct elfs_arena *arena, const char *separator) {
    *list = (struct prop_list){arena, separator, ""};
}

void prop_list_add(struct prop_list *list, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_text(list->arena, format, args);
    va_end(args);
    list->text =
        prop_text(list->arena, "%s%s%s", list->text, *list->text ? list->separator : "", text);
}
