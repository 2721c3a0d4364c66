/* fail_alloc - see fail_alloc.h. Atomic counts: writers and readers allocate on their own threads.
 */
#include "fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"

static atomic_long countdown;
static atomic_bool limited;
static atomic_bool once;
static atomic_bool failed;
static atomic_long live;

static bool must_fail(void) {
    if (!atomic_load(&limited)) return false;
    long left = atomic_fetch_sub(&countdown, 1);
    if (left > 1 || (left < 1 && atomic_load(&once))) return false;
    atomic_store(&failed, true);
    return true;
}

static void *failing_malloc(size_t size) {
    if (must_fail()) return NULL;
    void *ptr = malloc(size);
    if (ptr) atomic_fetch_add(&live, 1);
    return ptr;
}

static void *failing_realloc(void *old, size_t size) {
    if (must_fail()) return NULL;
    void *ptr = realloc(old, size);
    if (ptr && !old) atomic_fetch_add(&live, 1);
    return ptr;
}

static void counting_free(void *ptr) {
    if (ptr) atomic_fetch_sub(&live, 1);
    free(ptr);
}

void fail_alloc_start(long n) {
    static const struct elfs_allocator failing = {failing_malloc, failing_realloc, counting_free};
    atomic_store(&countdown, n);
    atomic_store(&limited, n > 0);
    atomic_store(&failed, false);
    atomic_store(&live, 0);
    elfs_allocator_set(&failing);
}

bool fail_alloc_stop(void) {
    elfs_allocator_set(NULL);
    return atomic_load(&failed);
}

long fail_alloc_live(void) { return atomic_load(&live); }

static void each(bool (*scenario)(void *arg), void *arg) {
    for (long n = 1;; n++) {
        fail_alloc_start(n);
        bool ok = scenario(arg);
        long leaked = fail_alloc_live();
        bool hit = fail_alloc_stop();
        assert_int_equal(leaked, 0);
        assert_int_equal(ok, !hit);
        if (!hit) return;
        assert_true(n < 100000);
    }
}

void fail_alloc_each(bool (*scenario)(void *arg), void *arg) { each(scenario, arg); }

void fail_alloc_each_once(bool (*scenario)(void *arg), void *arg) {
    atomic_store(&once, true);
    each(scenario, arg);
    atomic_store(&once, false);
}
