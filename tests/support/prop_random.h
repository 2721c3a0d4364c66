/* prop_random - random numbers from a seed, and texts in an arena, for property tests. */
#ifndef ELFS_TESTS_PROP_RANDOM_H
#define ELFS_TESTS_PROP_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct prop_random {
    uint64_t state;
};

/* Equal seeds and numbers give equal sequences. */
void prop_seed(struct prop_random *r, uint64_t seed, uint64_t number);

/* 0 to n - 1; n > 0. */
uint32_t prop_below(struct prop_random *r, uint32_t n);
bool prop_one_in(struct prop_random *r, uint32_t n);
/* Any subset of these bits. */
uint32_t prop_subset(struct prop_random *r, uint32_t bits);

/* A formatted text that lives in the arena. */
const char *prop_text(struct elfs_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Text that grows piece by piece: "a", "a, b", ... */
struct prop_list {
    struct elfs_arena *arena;
    const char *separator;
    const char *text;
};

void prop_list_init(struct prop_list *list, struct elfs_arena *arena, const char *separator);
void prop_list_add(struct prop_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
