/* drive - runs a fuzz target on mutated vectors, without libFuzzer.
 *
 *   NAME_fuzz SEED COUNT FOLDER ...
 *
 * Each run takes a vector, changes it in one to four places, and gives it to the target on a heap
 * block of its exact size (build with AddressSanitizer). The same seed, count and folders give the
 * same runs. With clang the targets are libFuzzer's without this file:
 *   clang -fsanitize=fuzzer,address ... NAME_fuzz.c, and the folders as its corpus.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VECTORS_MAX 512
#define SIZE_LIMIT (1 << 14)

struct bytes {
    uint8_t *data;
    size_t len;
};

static struct bytes vectors[VECTORS_MAX];
static size_t vector_count;
static uint64_t state;

/* xorshift64* */
static uint64_t next_random(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1DULL;
}

static size_t below(size_t n) { return (size_t)(next_random() >> 11) % n; }

static void load_file(const char *path) {
    static uint8_t content[SIZE_LIMIT];
    FILE *file = fopen(path, "rb");
    if (!file) return;
    size_t len = fread(content, 1, sizeof content, file);
    fclose(file);
    if (len == 0 || vector_count == VECTORS_MAX) return;
    struct bytes *v = &vectors[vector_count++];
    v->data = malloc(len);
    if (!v->data) abort();
    memcpy(v->data, content, len);
    v->len = len;
}

static int is_vector(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    static const char *const kinds[] = {".etf", ".frame", ".json", ".file"};
    for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(dot, kinds[i]) == 0) return 1;
    }
    return 0;
}

/* In the order of names, so that a seed means the same everywhere. */
static void load_folder(const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, is_vector, alphasort);
    for (int i = 0; i < n; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        load_file(path);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

static uint8_t interesting(void) {
    static const uint8_t bytes[] = {0,   1,   2,   4,   70,  77,  88,  90,  97,  98,
                                    100, 104, 105, 106, 107, 108, 109, 110, 111, 112,
                                    113, 116, 118, 119, 120, 127, 128, 131, 254, 255};
    return bytes[below(sizeof bytes)];
}

static void erase(struct bytes *b, size_t at, size_t n) {
    memmove(b->data + at, b->data + at + n, b->len - at - n);
    b->len -= n;
}

static void insert(struct bytes *b, size_t at, const uint8_t *from, size_t n) {
    if (b->len + n > SIZE_LIMIT) return;
    memmove(b->data + at + n, b->data + at, b->len - at);
    memcpy(b->data + at, from, n);
    b->len += n;
}

static void splice(struct bytes *b, size_t at) {
    const struct bytes *other = &vectors[below(vector_count)];
    size_t from = below(other->len);
    size_t n = 1 + below(other->len - from);
    insert(b, at, other->data + from, n > 64 ? 64 : n);
}

static void mutate(struct bytes *b) {
    if (b->len == 0) return;
    size_t at = below(b->len);
    uint8_t byte = interesting();
    switch (below(8)) {
    case 0: b->data[at] ^= (uint8_t)(1U << below(8)); break;
    case 1: b->data[at] = byte; break;
    case 2: b->data[at] = (uint8_t)next_random(); break;
    case 3: b->len = at; break;
    case 4: erase(b, at, 1 + below(b->len - at)); break;
    case 5: insert(b, at, &byte, 1); break;
    case 6: splice(b, at); break;
    default: /* a length of four bytes */
        if (b->len - at >= 4) memset(b->data + at, byte, 1 + below(4));
        break;
    }
}

static void run(const struct bytes *input) {
    uint8_t *exact = malloc(input->len ? input->len : 1);
    if (!exact) abort();
    memcpy(exact, input->data, input->len);
    LLVMFuzzerTestOneInput(exact, input->len);
    free(exact);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s SEED COUNT FOLDER ...\n", argv[0]);
        return 2;
    }
    static uint8_t work[SIZE_LIMIT];
    unsigned long long seed = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) load_folder(argv[i]);
    if (vector_count == 0) {
        fprintf(stderr, "%s: no vectors\n", argv[0]);
        return 1;
    }
    printf("%s: seed %llu, %llu runs, %zu vectors\n", argv[0], seed, count, vector_count);
    fflush(stdout);
    for (size_t i = 0; i < vector_count; i++) run(&vectors[i]);
    state = seed * 2 + 1;
    for (unsigned long long i = 0; i < count; i++) {
        const struct bytes *v = &vectors[below(vector_count)];
        struct bytes input = {work, v->len};
        memcpy(work, v->data, v->len);
        for (size_t n = 1 + below(4); n > 0; n--) mutate(&input);
        run(&input);
    }
    for (size_t i = 0; i < vector_count; i++) free(vectors[i].data);
    return 0;
}
