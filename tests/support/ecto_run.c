/* ecto_run - see ecto_run.h. */
#include "ecto_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/put.h"
#include "term_text.h"
#include "vectors.h"

const char ecto_users[] = "id INTEGER pk, name TEXT, email TEXT, inserted_at TEXT, updated_at TEXT";

/* 2026-11-24T21:05:41.123456 */
#define NOW_US INT64_C(1795554341123456)

/* The next word of a column, up to a blank or a comma; empty at its end. */
static struct elfs_view word(const char **at) {
    while (**at == ' ') (*at)++;
    const char *start = *at;
    while (**at && **at != ' ' && **at != ',') (*at)++;
    return (struct elfs_view){(const uint8_t *)start, (size_t)(*at - start)};
}

static void read_columns(struct ecto_run *run, const char *at) {
    int keys = 0;
    while (*at) {
        struct elfs_ecto_column *column = &run->columns[run->table.count++];
        assert_true(run->table.count <= ECTO_COLUMNS_MAX);
        column->name = word(&at);
        column->type = word(&at);
        if (elfs_view_is(word(&at), "pk")) column->pk = ++keys;
        if (*at == ',') at++;
    }
    run->table.columns = run->columns;
    run->table.rowid_key =
        keys == 1 && run->columns[0].pk == 1 && elfs_view_is(run->columns[0].type, "INTEGER");
}

void ecto_init(struct ecto_run *run, const char *columns) {
    *run = (struct ecto_run){.now_us = NOW_US};
    elfs_arena_init(&run->arena);
    elfs_buf_init(&run->buf, 1 << 20);
    read_columns(run, columns);
}

static void free_terms(const struct elfs_view *terms) {
    for (size_t i = 0; i < ELFS_ECTO_QUERY_COUNT; i++) {
        if (terms[i].len) exact_free(terms[i]);
    }
}

void ecto_fini(struct ecto_run *run) {
    free_terms(run->made);
    for (size_t i = 0; i < run->embedded_count; i++) free_terms(run->embedded_made[i]);
    if (run->args.len) exact_free(run->args);
    elfs_arena_fini(&run->arena);
    elfs_buf_fini(&run->buf);
}

static bool fill(void *arg, uint8_t bytes[16]) {
    struct ecto_run *run = arg;
    memset(bytes, 0x10 + run->random++, 16);
    return !run->no_random;
}

static bool has_schema(const struct ecto_run *run) {
    return run->answers[ELFS_ECTO_Q_DUMP] != NULL;
}

static void make_answers(const char *const *answers, struct elfs_view *made) {
    for (size_t i = 0; i < ELFS_ECTO_QUERY_COUNT; i++)
        made[i] = term_parse(answers[i] ? answers[i] : "nil");
}

static void make_schemas(struct ecto_run *run) {
    assert_true(run->embedded_count <= ECTO_EMBEDDED_MAX);
    if (has_schema(run)) make_answers(run->answers, run->made);
    for (size_t i = 0; i < run->embedded_count; i++)
        make_answers(run->embedded[i].answers, run->embedded_made[i]);
}

static enum elfs_code read_schema(struct ecto_run *run, const struct elfs_view *made,
                                  struct elfs_ecto_schema *schema) {
    struct elfs_ecto_answers answers;
    memcpy(answers.at, made, sizeof answers.at);
    return elfs_ecto_schema_read(&answers, &run->arena, schema);
}

static enum elfs_code read_schemas(struct ecto_run *run) {
    enum elfs_code code = ELFS_OK;
    if (has_schema(run)) code = read_schema(run, run->made, &run->schema);
    for (size_t i = 0; code == ELFS_OK && i < run->embedded_count; i++)
        code = read_schema(run, run->embedded_made[i], &run->embedded_schemas[i]);
    return code;
}

static const struct elfs_ecto_schema *find_embedded(void *arg, struct elfs_view module) {
    const struct ecto_run *run = arg;
    for (size_t i = 0; i < run->embedded_count; i++) {
        if (elfs_view_is(module, run->embedded[i].name)) return &run->embedded_schemas[i];
    }
    return NULL;
}

static void plan(struct ecto_run *run) {
    elfs_error_clear(&run->err);
    if (run->code == ELFS_OK) run->code = read_schemas(run);
    if (run->code == ELFS_OK)
        run->code = elfs_ecto_resource_read(&run->call, &run->arena, &run->resource, &run->err);
    if (run->code != ELFS_OK) return;
    struct elfs_ecto_env env = {
        .table = &run->table,
        .schema = has_schema(run) ? &run->schema : NULL,
        .embedded = {find_embedded, run},
        .now_us = run->now_us,
        .random = fill,
        .arg = run,
    };
    run->code =
        elfs_ecto_plan_make(&run->call, &run->resource, &env, &run->arena, &run->plan, &run->err);
}

void ecto_plan(struct ecto_run *run, const char *function, const char *args) {
    run->args = term_parse(args);
    run->code = elfs_ecto_call_of_repo(elfs_view_str("Elixir.My.Repo"), elfs_view_str(function),
                                       run->args, &run->call);
    make_schemas(run);
    plan(run);
}

void ecto_plan_closure(struct ecto_run *run, struct elfs_view fun) {
    struct elfs_buf buf;
    elfs_buf_init(&buf, SIZE_MAX);
    elfs_put_list_header(&buf, 2);
    elfs_buf_append(&buf, fun.data + 1, fun.len - 1);
    elfs_put_nil(&buf);
    elfs_put_nil(&buf);
    run->args = exact_copy((struct elfs_view){buf.data, buf.len});
    elfs_buf_fini(&buf);
    run->code = elfs_ecto_call_of_apply(run->args, &run->call);
    make_schemas(run);
    plan(run);
}

enum elfs_code ecto_again(struct ecto_run *run, const struct elfs_ecto_outcome *outcome,
                          size_t used) {
    const struct elfs_arena arena = run->arena;
    struct elfs_buf buf;
    run->random = 0;
    elfs_arena_init(&run->arena);
    elfs_buf_init(&buf, 1 << 20);
    run->code = elfs_arena_alloc(&run->arena, used) ? ELFS_OK : ELFS_NOMEM;
    plan(run);
    if (run->code == ELFS_OK)
        run->code = elfs_ecto_answer(&run->plan, outcome, &run->arena, &buf, &run->raised);
    elfs_buf_fini(&buf);
    elfs_arena_fini(&run->arena);
    run->arena = arena;
    return run->code;
}

static size_t value_text(const struct elfs_value *value, char *out, size_t size) {
    struct elfs_view b = value->bytes;
    int n = 0;
    switch (value->type) {
    case ELFS_NULL: n = snprintf(out, size, "NULL"); break;
    case ELFS_INTEGER: n = snprintf(out, size, "%lld", (long long)value->integer); break;
    case ELFS_REAL: n = snprintf(out, size, "%g", value->real); break;
    case ELFS_TEXT: n = snprintf(out, size, "'%.*s'", ELFS_VIEW_ARGS(b)); break;
    case ELFS_BLOB:
        n = snprintf(out, size, "x'");
        for (size_t i = 0; i < b.len; i++)
            n += snprintf(out + n, size - (size_t)n, "%02x", b.data[i]);
        n += snprintf(out + n, size - (size_t)n, "'");
        break;
    }
    return (size_t)n;
}

static size_t params_text(const struct elfs_params *params, char *out, size_t size) {
    size_t n = 0;
    for (size_t i = 0; i < params->count; i++) {
        n += (size_t)snprintf(out + n, size - n, "%s", i ? "," : "");
        n += value_text(&params->items[i].value, out + n, size - n);
    }
    return n;
}

void assert_plan(const struct ecto_run *run, const char *sql, const char *params) {
    char text[4096] = "";
    size_t n = 0;
    if (run->code != ELFS_OK) fail_msg("refused: %d %s", (int)run->code, run->err.message);
    assert_true(run->plan.run);
    if (!elfs_view_is(run->plan.statement.sql, sql))
        fail_msg("\n     got: %.*s\nexpected: %s", ELFS_VIEW_ARGS(run->plan.statement.sql), sql);
    if (run->plan.set_count == 0) params_text(&run->plan.statement.params, text, sizeof text);
    for (size_t i = 0; i < run->plan.set_count; i++) {
        if (i > 0) text[n++] = ';';
        n += params_text(&run->plan.sets[i], text + n, sizeof text - n);
    }
    assert_string_equal(text, params);
}

void assert_refused(const struct ecto_run *run, enum elfs_code code, const char *message) {
    if (run->code != code)
        fail_msg("%s, not %s: %s", elfs_code_name(run->code), elfs_code_name(code),
                 run->err.message);
    assert_int_equal(run->err.code, code);
    if (!strstr(run->err.message, message)) fail_msg("%s", run->err.message);
}

/* One value of a scripted row. */
static const char *push_value(struct elfs_sink *sink, const char *at) {
    struct elfs_value value = {.type = ELFS_NULL};
    char *end;
    if (*at == '\'') {
        end = strchr(at + 1, '\'');
        assert_non_null(end);
        value = (struct elfs_value){
            .type = ELFS_TEXT,
            .bytes = {(const uint8_t *)at + 1, (size_t)(end - at - 1)},
        };
        end++;
    } else if (strncmp(at, "NULL", 4) == 0) {
        end = (char *)(uintptr_t)at + 4;
    } else {
        char *int_end;
        value = (struct elfs_value){.type = ELFS_INTEGER, .integer = strtoll(at, &int_end, 10)};
        double real = strtod(at, &end);
        if (end > int_end) value = (struct elfs_value){.type = ELFS_REAL, .real = real};
        assert_true(end > at);
    }
    assert_int_equal(sink->value(sink, &value), ELFS_OK);
    return *end == ',' ? end + 1 : end;
}

static size_t count_values(const char *row) {
    size_t n = 1;
    bool quoted = false;
    for (; *row && (quoted || *row != ';'); row++) {
        if (*row == '\'') quoted = !quoted;
        n += *row == ',' && !quoted;
    }
    return n;
}

void ecto_result(struct elfs_result *result, const char *rows, int64_t changes) {
    static const char *const names[ECTO_COLUMNS_MAX] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                        "i", "j", "k", "l", "m", "n", "o", "p"};
    struct elfs_sink *sink = &result->sink;
    struct elfs_summary summary = {
        .has_columns = rows != NULL, .num_rows = rows ? 0 : changes, .changes = changes};
    if (rows) assert_int_equal(sink->columns(sink, count_values(rows), names), ELFS_OK);
    for (const char *at = rows; at && *at;) {
        size_t n = count_values(at);
        assert_int_equal(sink->row(sink, n), ELFS_OK);
        for (size_t i = 0; i < n; i++) at = push_value(sink, at);
        if (*at == ';') at++;
        summary.num_rows++;
    }
    assert_int_equal(sink->done(sink, &summary), ELFS_OK);
}

void ecto_answer(struct ecto_run *run, const struct elfs_ecto_outcome *outcome) {
    if (run->code != ELFS_OK) fail_msg("refused: %s", run->err.message);
    elfs_buf_truncate(&run->buf, 0);
    run->code = elfs_ecto_answer(&run->plan, outcome, &run->arena, &run->buf, &run->raised);
}

void ecto_done(struct ecto_run *run, const char *rows, int64_t changes) {
    struct elfs_result result;
    elfs_result_init(&result, 1 << 20);
    ecto_result(&result, rows, changes);
    struct elfs_ecto_outcome outcome = {.result = &result};
    ecto_answer(run, &outcome);
    elfs_result_fini(&result);
}

void ecto_failed(struct ecto_run *run, enum elfs_code code, const char *message) {
    struct elfs_error err;
    elfs_fail(&err, code, "%s", message);
    struct elfs_ecto_outcome outcome = {.error = &err};
    ecto_answer(run, &outcome);
}

void ecto_settled(struct ecto_run *run) {
    struct elfs_ecto_outcome outcome = {0};
    assert_false(run->plan.run);
    ecto_answer(run, &outcome);
}

static void assert_answer(const struct ecto_run *run, bool raised, const char *expected) {
    assert_int_equal(run->code, ELFS_OK);
    if (run->raised != raised) {
        char *text = term_print((struct elfs_view){run->buf.data, run->buf.len});
        fail_msg("%s: %s", run->raised ? "raised" : "returned", text);
    }
    assert_term((struct elfs_view){run->buf.data, run->buf.len}, expected);
}

void assert_returns(const struct ecto_run *run, const char *expected) {
    assert_answer(run, false, expected);
}

void assert_raises(const struct ecto_run *run, const char *expected) {
    assert_answer(run, true, expected);
}
