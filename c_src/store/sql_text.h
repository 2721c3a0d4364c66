/* sql_text - what can be seen of a statement without SQLite.
 *
 * PURE. Source: SQLite's tokenizer: white space, -- and block comments, semicolons.
 */
#ifndef ELFS_STORE_SQL_TEXT_H
#define ELFS_STORE_SQL_TEXT_H

#include "base/view.h"

/* The first word of the text after white space, comments and semicolons; empty if there is none. */
struct elfs_view elfs_sql_first_word(struct elfs_view sql);

/* Case-insensitive comparison of a word with an upper-case keyword. */
bool elfs_sql_word_is(struct elfs_view word, const char *keyword);

/* True if nothing but white space, comments and semicolons is left. An unfinished block comment
 * counts as blank, as SQLite has it. */
bool elfs_sql_is_blank(struct elfs_view sql);

/* True if the statement probably only reads (SELECT, VALUES, WITH, EXPLAIN, PRAGMA): a hint for
 * routing, the reader decides by sqlite3_stmt_readonly. */
bool elfs_sql_looks_read_only(struct elfs_view sql);

#endif
