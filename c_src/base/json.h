/* json - a JSON document of bounded size: jsmn cuts it into tokens, we check that it is JSON.
 *
 * PURE. jsmn is a tokenizer: it takes "[1,,2]", "{\"a\" 1}", numbers like "1e.-", raw control bytes
 * and several documents in a row. elfs_json_parse accepts what RFC 8259 allows and nothing else,
 * UTF-8 included, within ELFS_JSON_DEPTH_MAX levels; at the top it wants an object, a list or a
 * string.
 */
#ifndef ELFS_BASE_JSON_H
#define ELFS_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

#define ELFS_JSON_DEPTH_MAX 64
/* Keeps offsets within an int. */
#define ELFS_JSON_TEXT_MAX (1 << 30)

enum elfs_json_kind { ELFS_JSON_OBJECT, ELFS_JSON_ARRAY, ELFS_JSON_STRING, ELFS_JSON_PRIMITIVE };

/* start and end are offsets in the text; a string's are inside its quotes. Values of a container
 * follow it: an object's as key, value, key, value. next is the token after the whole value. */
struct elfs_json_token {
    enum elfs_json_kind kind;
    int start;
    int end;
    int next;
};

/* A document; token 0 is its value. A view into the text, which must stay. */
struct elfs_json {
    const char *text;
    int count;
    struct elfs_json_token *tokens;
};

/* Parses; the tokens are in arena. most: so many values (keys count) at most. ELFS_MALFORMED: not
 * JSON, or cut off. ELFS_LIMIT: larger or deeper than the limits. ELFS_NOMEM. */
enum elfs_code elfs_json_parse(struct elfs_view text, int most, struct elfs_arena *arena,
                               struct elfs_json *json);

/* The value of key in the object `at`: *value is its token, -1 if there is no such key.
 * ELFS_BADARG if `at` is no object, or has that key twice. */
enum elfs_code elfs_json_get(const struct elfs_json *json, int at, const char *key, int *value);

/* True if the value is the primitive that is written so: true, false, null. */
bool elfs_json_is(const struct elfs_json *json, int at, const char *text);

/* ELFS_BADARG if the value is not true or false. */
enum elfs_code elfs_json_bool(const struct elfs_json *json, int at, bool *value);

/* Appends the string with its escapes decoded. ELFS_BADARG if the value is no string, or holds a
 * surrogate without its other half. A buffer that fails says so itself. */
enum elfs_code elfs_json_text(const struct elfs_json *json, int at, struct elfs_buf *buf);

/* The string with its escapes decoded, in a NUL-terminated field of size bytes. ELFS_BADARG if the
 * value is no string, holds a NUL, or a surrogate without its other half; ELFS_LIMIT if it does not
 * fit. */
enum elfs_code elfs_json_string(const struct elfs_json *json, int at, char *to, size_t size);

#endif
