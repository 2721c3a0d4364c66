/* ecto: random schemas and calls, against a model in memory.
 *
 * Each case is a schema, its table in a real database and a sequence of Repo calls. Of each call the
 * answer is compared, term by term, with what the model says that Ecto answers, and the stored rows,
 * with their types, with the model's. ELFS_SEED (printed) and ELFS_CASES change what is tried; with
 * ELFS_CASE only the case of that number is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "prop_database.h"
#include "prop_predict.h"
#include "term_text.h"
#include "vectors.h"

#define CASES 150
#define CALLS 16
#define NOW_US INT64_C(1795554341000000)

/* A case under way; seen: how often each came. */
struct trial {
    struct prop_database database;
    uint64_t seed;
    long number;
    struct prop_random random;
    struct elfs_arena arena;
    struct prop_schema schema;
    struct prop_table table;
    struct prop_call call;
    struct prop_prediction prediction;
};

static struct trial trial;
static struct { unsigned written, violated, raised, refused, open; } seen;

static long from_environment(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

static void print_answers(void) {
    for (size_t i = 0; i < trial.prediction.answer_count; i++) {
        const struct prop_answer *a = &trial.prediction.answers[i];
        char *text = NULL;
        if (a->exact) {
            struct elfs_view term = term_parse(a->exact);
            text = term_print(term);
            exact_free(term);
        }
        fprintf(stderr, "expected: %s %s %s\n", a->raised ? "raises" : "returns",
                text ? text : a->mentions[0], text ? "" : a->mentions[1]);
        (free)(text);
    }
}

/* All that one needs to see the case again. */
static void report(const char *what, const char *got, const char *rows) {
    fprintf(stderr, "ELFS_SEED=%llu ELFS_CASE=%ld: %s\n", (unsigned long long)trial.seed,
            trial.number, what);
    fprintf(stderr, "%s\nschema: %s %s\n", trial.schema.create,
            trial.schema.known ? "known" : "not known",
            trial.schema.known ? trial.schema.answers[ELFS_ECTO_Q_DUMP] : trial.schema.types);
    fprintf(stderr, "before:\n%s\n", prop_table_text(&trial.schema, &trial.arena, &trial.table));
    fprintf(stderr, "call: %s %s\n     got: %s\n", trial.call.function, trial.call.args, got);
    print_answers();
    if (rows)
        fprintf(stderr, "rows:\n%s\nexpected rows:\n%s\n", rows,
                prop_table_text(&trial.schema, &trial.arena, &trial.prediction.after));
    fail_msg("%s: ELFS_SEED=%llu ELFS_CASE=%ld", what, (unsigned long long)trial.seed,
             trial.number);
}

static bool matches(const struct prop_answer *answer, bool raised, const char *got) {
    if (answer->raised != raised) return false;
    if (!answer->exact) return strstr(got, answer->mentions[0]) && strstr(got, answer->mentions[1]);
    struct elfs_view term = term_parse(answer->exact);
    char *text = term_print(term);
    bool same = strcmp(text, got) == 0;
    exact_free(term);
    (free)(text);
    return same;
}

static void check_refused(const struct ecto_run *run) {
    bool refused = run->code == ELFS_UNSUPPORTED || run->code == ELFS_INVALID_PARAMETER;
    if (trial.prediction.outcome != PROP_REFUSED) report("refused", run->err.message, NULL);
    if (!refused) report("refused in another way", run->err.message, NULL);
    seen.refused++;
}

static void check_answered(const struct ecto_run *run) {
    struct elfs_view term = {run->buf.data, run->buf.len};
    char *got = term_print(term);
    bool found = false;
    for (size_t i = 0; i < trial.prediction.answer_count; i++)
        found = found || matches(&trial.prediction.answers[i], run->raised, got);
    if (trial.prediction.outcome == PROP_REFUSED) report("not refused", got, NULL);
    if (!found) report(run->raised ? "raised" : "returned", got, NULL);
    seen.raised += run->raised;
    seen.violated += strstr(got, "has already been taken") != NULL;
    (free)(got);
}

static void check_rows(void) {
    const char *rows = prop_database_text(&trial.database, &trial.schema, &trial.arena);
    const char *expected = prop_table_text(&trial.schema, &trial.arena, &trial.prediction.after);
    const char *before = prop_table_text(&trial.schema, &trial.arena, &trial.table);
    if (strcmp(rows, expected) != 0) report("stored", "as expected", rows);
    seen.written += strcmp(rows, before) != 0;
}

static void run_call(void) {
    struct ecto_run run;
    prop_call_make(&trial.random, &trial.arena, &trial.schema, &trial.table, &trial.call);
    prop_predict(&trial.schema, &trial.arena, &trial.table, &trial.call, &trial.prediction);
    if (trial.prediction.outcome == PROP_OPEN) {
        seen.open++;
        return;
    }
    prop_database_call(&trial.database, &trial.schema, &trial.call, &run);
    if (run.code != ELFS_OK) {
        check_refused(&run);
    } else {
        check_answered(&run);
    }
    check_rows();
    trial.call.random = (uint8_t)(run.random + 0x10);
    trial.table = trial.prediction.after;
    ecto_fini(&run);
}

static void run_case(long number) {
    trial.number = number;
    prop_seed(&trial.random, trial.seed, (uint64_t)number);
    elfs_arena_init(&trial.arena);
    prop_schema_make(&trial.random, &trial.arena, &trial.schema);
    trial.table.count = 0;
    trial.call.now_us = NOW_US;
    trial.call.random = 0x80; /* others than those that are given */
    prop_database_begin(&trial.database, &trial.schema);
    for (int i = 0; i < CALLS; i++) run_call();
    prop_database_end(&trial.database);
    elfs_arena_fini(&trial.arena);
}

static void calls_do_as_the_model_says(void **state) {
    (void)state;
    long cases = from_environment("ELFS_CASES", CASES), only = from_environment("ELFS_CASE", -1);
    trial.seed = (uint64_t)from_environment("ELFS_SEED", (long)time(NULL));
    print_message("# seed %llu\n", (unsigned long long)trial.seed);
    prop_database_open(&trial.database);
    for (long i = 0; i < cases && only < 0; i++) run_case(i);
    if (only >= 0) run_case(only);
    prop_database_close(&trial.database);
    print_message("# %u written, %u violated, %u raised, %u refused, %u left open\n", seen.written,
                  seen.violated, seen.raised, seen.refused, seen.open);
    /* A generator that makes nothing of a kind would check nothing of it. */
    if (cases >= CASES && only < 0)
        assert_true(seen.written > 100 && seen.violated > 10 && seen.raised > 100 &&
                    seen.refused > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_do_as_the_model_says),
    };
    return cmocka_run_group_tests_name("ecto_property", tests, NULL, NULL);
}
