/* ecto_fuzz - a closure, {Function, Args} of a Repo, or {Function, Args, Answers} with what the
 * schema answers, through the whole translation.
 *
 * The schema is also that of every embedded struct. The input chooses what the database says.
 * Whatever comes out as an answer is a sound term.
 */
#include <stdlib.h>

#include "ecto/answer.h"
#include "ecto/peek.h"
#include "ecto/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

static bool fill(void *arg, uint8_t bytes[16]) {
    (void)arg;
    memset(bytes, 7, 16);
    return true;
}

static const struct elfs_ecto_schema *find(void *arg, struct elfs_view module) {
    (void)module;
    return arg;
}

static const char *const column_names[] = {"id",    "name", "email", "inserted_at", "updated_at",
                                           "price", "tags", "prefs", "kind",        "device",
                                           "day",   "at",   "score", "active"};
#define COLUMNS (sizeof column_names / sizeof *column_names)

/* A row of the answer: NULL, integers, texts and JSON, by the bytes of the input. */
static void push_rows(struct elfs_result *result, uint8_t choice) {
    static const char *const json[] = {"{\"name\":\"a\",\"tags\":[{}],\"prefs\":{\"at\":null}}",
                                       "[{\"id\":\"a\",\"price\":\"1.5\",\"tags\":[]},{}]", "null",
                                       "[[1,-2.5e3,18446744073709551616]]"};
    struct elfs_sink *sink = &result->sink;
    struct elfs_summary summary = {
        .has_columns = choice & 1, .num_rows = choice >> 6, .changes = choice >> 6};
    if (choice & 1) {
        sink->columns(sink, COLUMNS, column_names);
        for (int64_t row = 0; row < summary.num_rows; row++) {
            sink->row(sink, COLUMNS);
            for (size_t i = 0; i < COLUMNS; i++) {
                struct elfs_value value = {.type = ELFS_NULL};
                if ((choice >> 1 & 3) == 1)
                    value = (struct elfs_value){.type = ELFS_INTEGER, .integer = (int64_t)i};
                if ((choice >> 1 & 3) == 2)
                    value = (struct elfs_value){.type = ELFS_TEXT, .bytes = elfs_view_str("2026")};
                if ((choice >> 1 & 3) == 3)
                    value = (struct elfs_value){
                        .type = ELFS_TEXT, .bytes = elfs_view_str(json[(i + (choice >> 3)) % 4])};
                sink->value(sink, &value);
            }
        }
    }
    sink->done(sink, &summary);
}

static void check_answer(const struct elfs_buf *buf) {
    struct elfs_reader r = elfs_reader_of((struct elfs_view){buf->data, buf->len});
    require(elfs_term_skip(&r, NULL) == ELFS_OK && elfs_reader_left(&r) == 0);
}

static void conclude(const struct elfs_ecto_plan *plan, struct elfs_arena *arena, uint8_t choice) {
    static const char *const messages[] = {"UNIQUE constraint failed: users.email",
                                           "FOREIGN KEY constraint failed", "no such table"};
    struct elfs_error error;
    struct elfs_result result;
    struct elfs_buf buf;
    bool raised;
    struct elfs_ecto_outcome outcome = {0};
    elfs_result_init(&result, 1 << 16);
    elfs_buf_init(&buf, 1 << 20);
    if (plan->run && (choice & 32)) {
        elfs_fail(&error, choice & 1 ? ELFS_SQLITE : ELFS_BUSY, "%s", messages[choice % 3]);
        outcome.error = &error;
    } else if (plan->run) {
        push_rows(&result, choice);
        outcome.result = &result;
    }
    if (elfs_ecto_answer(plan, &outcome, arena, &buf, &raised) == ELFS_OK) check_answer(&buf);
    elfs_buf_fini(&buf);
    elfs_result_fini(&result);
}

static void refuse(const struct elfs_ecto_call *call, const struct elfs_error *error) {
    struct elfs_buf buf;
    bool raised;
    elfs_buf_init(&buf, 1 << 16);
    require(elfs_ecto_refuse(call, error, &buf, &raised) == ELFS_OK);
    check_answer(&buf);
    elfs_buf_fini(&buf);
}

/* A list of one answer a query. */
static bool read_schema(struct elfs_view term, struct elfs_arena *arena,
                        struct elfs_ecto_schema *schema) {
    struct elfs_ecto_answers answers = {0};
    struct elfs_ecto_list list;
    if (!elfs_ecto_list_begin(term, &list) || list.items.string) return false;
    for (size_t i = 0; i < ELFS_ECTO_QUERY_COUNT; i++) {
        if (!elfs_ecto_list_next(&list, &answers.at[i])) return false;
    }
    return elfs_ecto_schema_read(&answers, arena, schema) == ELFS_OK;
}

static void drive(const struct elfs_ecto_call *call, struct elfs_view answers, uint8_t choice) {
    struct elfs_ecto_column columns[COLUMNS];
    struct elfs_ecto_table table = {.columns = columns, .count = COLUMNS, .rowid_key = true};
    struct elfs_ecto_env env = {.table = &table, .now_us = 1, .random = fill};
    struct elfs_ecto_resource resource;
    struct elfs_ecto_plan plan;
    struct elfs_ecto_schema schema;
    struct elfs_arena arena;
    struct elfs_error err;
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (struct elfs_ecto_column){.name = elfs_view_str(column_names[i]),
                                               .type = elfs_view_str(i == 0       ? "INTEGER"
                                                                     : choice & 8 ? "BLOB"
                                                                                  : "TEXT"),
                                               .pk = i == 0};
    elfs_error_clear(&err);
    elfs_arena_init(&arena);
    if (read_schema(answers, &arena, &schema)) {
        env.schema = &schema;
        env.embedded = (struct elfs_ecto_schemas){find, &schema};
    }
    enum elfs_code code = elfs_ecto_resource_read(call, &arena, &resource, &err);
    if (code == ELFS_OK) code = elfs_ecto_plan_make(call, &resource, &env, &arena, &plan, &err);
    if (code == ELFS_OK) {
        conclude(&plan, &arena, choice);
    } else {
        require(err.code == code); /* every refusal says why */
        refuse(call, &err);
    }
    elfs_arena_fini(&arena);
}

/* {Function, Args} or {Function, Args, Answers} */
static bool read_repo_call(struct elfs_view term, struct elfs_ecto_call *call,
                           struct elfs_view *answers) {
    struct elfs_view e[3] = {0};
    if (!elfs_ecto_tuple(term, 3, e) && !elfs_ecto_tuple(term, 2, e)) return false;
    *answers = e[2];
    return elfs_ecto_call_of_repo(elfs_view_str("Elixir.R"), elfs_ecto_atom(e[0]), e[1], call) ==
           ELFS_OK;
}

/* [Fun, []] */
static bool read_closure(struct elfs_view term, struct elfs_buf *args,
                         struct elfs_ecto_call *call) {
    static const uint8_t head[] = {108, 0, 0, 0, 2}, tail[] = {106, 106};
    elfs_buf_append(args, head, sizeof head);
    elfs_buf_append_view(args, term);
    elfs_buf_append(args, tail, sizeof tail);
    return elfs_ecto_call_of_apply((struct elfs_view){args->data, args->len}, call) == ELFS_OK;
}

/* Another one for nearly every input: a byte at one place would seldom change. */
static uint8_t sum(const uint8_t *data, size_t size) {
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) all = (uint8_t)(all + data[i]);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elfs_reader r = elfs_reader_of((struct elfs_view){data, size});
    struct elfs_view term, answers = ELFS_VIEW_NONE;
    struct elfs_ecto_call call;
    struct elfs_buf args;
    if (size < 2 || elfs_term_version(&r) != ELFS_OK || elfs_term_skip(&r, &term) != ELFS_OK)
        return 0;
    elfs_buf_init(&args, SIZE_MAX);
    if (read_repo_call(term, &call, &answers) || read_closure(term, &args, &call))
        drive(&call, answers, sum(data, size));
    elfs_buf_fini(&args);
    return 0;
}
