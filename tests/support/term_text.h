/* term_text - terms as Erlang writes them, for tests.
 *
 *   #{email => <<"a@b">>, id => 1, '__struct__' => 'Elixir.My.User'}
 *
 * Parsed: integers, floats, atoms (bare words, or quoted), <<"text">> and <<1,2,255>>, lists, with
 * a tail or without, tuples, maps, "texts" (as STRING_EXT), fun M:F/A. Printed: the same, with maps
 * in the order of their keys' texts, so that equal terms print alike; what else there is as <pid>,
 * <ref>, <port>, <fun>.
 */
#ifndef ELFS_TESTS_TERM_TEXT_H
#define ELFS_TESTS_TERM_TEXT_H

#include "base/view.h"

/* A term on a heap block of its exact size, without the version byte; to be freed with exact_free.
 * Asserts (cmocka) that the text is one term. */
struct elfs_view term_parse(const char *text);

/* The text of a whole term; to be freed with free. Asserts that it is sound. */
char *term_print(struct elfs_view term);

/* Asserts that a term prints as this text, parsed and printed, does. */
void assert_term(struct elfs_view term, const char *expected);

#endif
