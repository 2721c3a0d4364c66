/* ecto_run - a Repo call taken through c_src/ecto, for tests.
 *
 * The table, the schema's answers and what the database says are given as text.
 */
#ifndef ELFS_TESTS_ECTO_RUN_H
#define ELFS_TESTS_ECTO_RUN_H

#include "base/arena.h"
#include "ecto/answer.h"
#include "ecto/plan.h"

#define ECTO_COLUMNS_MAX 16
#define ECTO_EMBEDDED_MAX 4

/* What the module of an embedded schema answers: terms as text. */
struct ecto_module {
    const char *name;
    const char *answers[ELFS_ECTO_QUERY_COUNT];
};

struct ecto_run {
    /* set by the test before ecto_plan; ecto_init has set a default */
    int64_t now_us;
    const char
        *answers[ELFS_ECTO_QUERY_COUNT]; /* terms as text; all NULL: the schema is not known */
    const struct ecto_module *embedded;  /* the schemas of embedded structs that are known */
    size_t embedded_count;
    bool no_random; /* the system has no random bytes */
    /* the call, read */
    struct elfs_view args;
    struct elfs_arena arena;
    struct elfs_ecto_column columns[ECTO_COLUMNS_MAX];
    struct elfs_ecto_table table;
    struct elfs_view made[ELFS_ECTO_QUERY_COUNT];
    struct elfs_ecto_schema schema;
    struct elfs_view embedded_made[ECTO_EMBEDDED_MAX][ELFS_ECTO_QUERY_COUNT];
    struct elfs_ecto_schema embedded_schemas[ECTO_EMBEDDED_MAX];
    struct elfs_ecto_call call;
    struct elfs_ecto_resource resource;
    struct elfs_ecto_plan plan;
    struct elfs_error err;
    enum elfs_code code;
    /* the answer */
    struct elfs_buf buf;
    bool raised;
    uint8_t random; /* the next UUID's bytes */
};

/* users(id INTEGER PRIMARY KEY, name, email, inserted_at, updated_at). */
extern const char ecto_users[];

/* columns: "id INTEGER pk, name TEXT, ..."; a first column "INTEGER pk" is the rowid. */
void ecto_init(struct ecto_run *run, const char *columns);
void ecto_fini(struct ecto_run *run);

/* 'Elixir.My.Repo':Function(Args), Args as text. Plans it: run->code and run->err. */
void ecto_plan(struct ecto_run *run, const char *function, const char *args);
/* The call that was planned, planned and answered once more, all in memory of its own: for
 * allocations that fail. An arena allocates in blocks: with `used` bytes of the first one gone it
 * is other places that meet the end of a block. */
enum elfs_code ecto_again(struct ecto_run *run, const struct elfs_ecto_outcome *outcome,
                          size_t used);
/* The closure of a vector, its version byte included. */
void ecto_plan_closure(struct ecto_run *run, struct elfs_view fun);

/* Asserts that the plan runs this SQL with these parameters: "1,'text',x'00',NULL,1.5", sets
 * separated by ";". */
void assert_plan(const struct ecto_run *run, const char *sql, const char *params);
/* Asserts that it was refused, with this part of a message. */
void assert_refused(const struct ecto_run *run, enum elfs_code code, const char *message);

/* The answer to what came of the statement. The term is in run->buf. */
void ecto_answer(struct ecto_run *run, const struct elfs_ecto_outcome *outcome);

/* What the database says: rows as in ecto_done. */
void ecto_result(struct elfs_result *result, const char *rows, int64_t changes);

/* The same, when the database returned rows (values as in assert_plan, rows separated by ";";
 * NULL: the statement returns no columns) and changed so many; when it failed; when nothing was
 * run. */
void ecto_done(struct ecto_run *run, const char *rows, int64_t changes);
void ecto_failed(struct ecto_run *run, enum elfs_code code, const char *message);
void ecto_settled(struct ecto_run *run);

/* Asserts on the answer. */
void assert_returns(const struct ecto_run *run, const char *expected);
void assert_raises(const struct ecto_run *run, const char *expected);

#endif
