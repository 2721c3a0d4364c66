/* litefs_fuzz - what LiteFS says: events in pieces, answers of /info, files of the mount. JSON as it
 * is, the input is also read as what a database holds in a column of JSON. */
#include <stdlib.h>
#include <string.h>

#include "codec/term.h"
#include "detect/event.h"
#include "detect/lines.h"
#include "ecto/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX_BYTES 256

static void check_name(const char *name, size_t size) {
    if (!memchr(name, '\0', size)) abort();
}

static uint64_t parse_event(struct elfs_view line) {
    struct elfs_event event;
    if (elfs_event_parse(line, &event) != ELFS_OK) return 0;
    check_name(event.database, sizeof event.database);
    check_name(event.claim.hostname, sizeof event.claim.hostname);
    if (event.type == ELFS_EVENT_TX && event.database[0] == '\0') abort();
    return 1 + event.txid + event.checksum;
}

/* The stream in pieces of `step` bytes; the sum of what its events say. */
static uint64_t parse_stream(struct elfs_view stream, size_t step) {
    struct elfs_lines lines;
    uint64_t sum = 0;
    elfs_lines_init(&lines, LINE_MAX_BYTES);
    for (size_t at = 0; at < stream.len; at += step) {
        size_t left = stream.len - at;
        struct elfs_view piece = {stream.data + at, left < step ? left : step}, line;
        while (elfs_lines_next(&lines, &piece, &line) == ELFS_OK) sum += parse_event(line);
        if (lines.rest.cap > LINE_MAX_BYTES) abort();
    }
    sum += lines.skipped << 32;
    elfs_lines_fini(&lines);
    return sum;
}

static void parse_files(struct elfs_view file) {
    char hostname[ELFS_HOSTNAME_SIZE];
    int64_t lag;
    uint64_t txid, checksum;
    elfs_primary_file_parse(file, hostname);
    check_name(hostname, sizeof hostname);
    elfs_lag_parse(file, &lag);
    elfs_pos_parse(file, &txid, &checksum);
}

/* What comes out is a sound term. */
static void read_json(struct elfs_view input) {
    struct elfs_view term;
    struct elfs_arena arena;
    elfs_arena_init(&arena);
    if (elfs_ecto_json_read(input, &arena, &term) == ELFS_OK) {
        struct elfs_reader r = elfs_reader_of(term);
        if (elfs_term_skip(&r, NULL) != ELFS_OK || elfs_reader_left(&r) > 0) abort();
    }
    elfs_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elfs_view input = {data, size};
    struct elfs_claim claim;
    parse_event(input);
    if (elfs_info_parse(input, &claim) == ELFS_OK)
        check_name(claim.hostname, sizeof claim.hostname);
    parse_files(input);
    read_json(input);
    uint64_t whole = parse_stream(input, size ? size : 1);
    if (parse_stream(input, 1) != whole || parse_stream(input, 7) != whole) abort();
    return 0;
}
