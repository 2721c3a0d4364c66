/* error - result codes and the error record.
 *
 * Every function that can fail returns an enum elfs_code. Where a person will read the reason, it
 * also takes a struct elfs_error, which is filled once, at the place where the context is known.
 * Codes and their names come from one table; the names are also the atoms that travel as `code` in
 * an error map.
 */
#ifndef ELFS_BASE_ERROR_H
#define ELFS_BASE_ERROR_H

#include <stdarg.h>

/* X(identifier, name, what it means) */
#define ELFS_CODES(X)                                                                              \
    X(ELFS_OK, "ok", "done")                                                                       \
    X(ELFS_AGAIN, "again", "not enough bytes yet; nothing is wrong")                               \
    X(ELFS_MALFORMED, "malformed", "the bytes are not what the format allows")                     \
    X(ELFS_LIMIT, "limit", "larger than a configured limit")                                       \
    X(ELFS_NOMEM, "nomem", "out of memory")                                                        \
    X(ELFS_BADARG, "badarg", "an argument has the wrong shape")                                    \
    X(ELFS_UNDEF, "undef", "no such function is served")                                           \
    X(ELFS_INVALID_PARAMETER, "invalid_parameter", "a SQL parameter cannot be bound")              \
    X(ELFS_INVALID_OPTION, "invalid_option", "an option is unknown or has a bad value")            \
    X(ELFS_EMPTY_STATEMENT, "empty_statement", "the SQL holds no statement")                       \
    X(ELFS_MULTIPLE_STATEMENTS, "multiple_statements", "the SQL holds more than one statement")    \
    X(ELFS_UNSUPPORTED, "unsupported", "understood, and refused")                                  \
    X(ELFS_NO_TRANSACTION, "no_transaction", "the transaction token is not, or no longer, valid")  \
    X(ELFS_RESULT_TOO_BIG, "result_too_big", "the result is larger than the limit")                \
    X(ELFS_UNREPRESENTABLE, "unrepresentable", "a value that Erlang has no term for")              \
    X(ELFS_TIMEOUT, "timeout", "a deadline passed")                                                \
    X(ELFS_BUSY, "busy", "the queue is full")                                                      \
    X(ELFS_NOT_PRIMARY, "not_primary", "this host is not the primary")                             \
    X(ELFS_STALE_SCHEMA, "stale_schema", "the schema has changed since the statement was made")    \
    X(ELFS_UNAVAILABLE, "unavailable", "the database cannot be used now")                          \
    X(ELFS_ABORTED, "aborted", "given up by resolve before it ran")                                \
    X(ELFS_ALREADY_COMMITTED, "already_committed", "what has this key was committed before")       \
    X(ELFS_CANCELLED, "cancelled", "given up before it started")                                   \
    X(ELFS_SQLITE, "sqlite", "SQLite said no; see sqlite_code")                                    \
    X(ELFS_UNKNOWN, "unknown", "whether it happened cannot be known")                              \
    X(ELFS_CLOSED, "closed", "the other side closed")                                              \
    X(ELFS_SYSTEM, "system", "the operating system said no")

enum elfs_code {
#define X(id, name, text) id,
    ELFS_CODES(X)
#undef X
};

#define ELFS_ERROR_TEXT_MAX 1024

/* sqlite_code is SQLite's extended result code when code is ELFS_SQLITE (or ELFS_UNKNOWN after a
 * failed COMMIT), else 0. message is a NUL-terminated UTF-8 sentence. */
struct elfs_error {
    enum elfs_code code;
    int sqlite_code;
    char message[ELFS_ERROR_TEXT_MAX];
};

/* The code's name ("constraint" style, as sent to clients) and its meaning. Static strings. */
const char *elfs_code_name(enum elfs_code code);
const char *elfs_code_text(enum elfs_code code);

/* Clears err (may be NULL). */
void elfs_error_clear(struct elfs_error *err);

/* Fills err (may be NULL) and returns code, so that a caller writes `return elfs_fail(err, ...)`. A
 * text that does not fit is cut at a UTF-8 character. */
enum elfs_code elfs_fail(struct elfs_error *err, enum elfs_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "where: " before the message of a filled err (may be NULL), for a caller that knows better
 * where it happened. The code stays. */
void elfs_error_prefix(struct elfs_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The analyzer sees one file at a time: without this it would think that a failure may be ELFS_OK. */
#ifdef __clang_analyzer__
#define elfs_fail(err, code, ...) ((elfs_fail)(err, code, __VA_ARGS__), (code))
#endif

#endif
