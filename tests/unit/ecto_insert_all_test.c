/* ecto: insert_all, and update_all and delete_all given as SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/put.h"
#include "ecto_run.h"
#include "ecto_terms.h"

static void plan(struct ecto_run *run, const char *function, const char *args) {
    ecto_init(run, "id INTEGER pk, name TEXT");
    ecto_plan(run, function, args);
}

static void rows_by_source(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all",
         "[<<\"users\">>, [#{name => <<\"a\">>, age => 1}, [{age, 2}, {name, "
         "<<\"b\">>}, {age, 9}]]]");
    assert_plan(&run, "INSERT INTO \"users\" (\"age\",\"name\") VALUES (?1,?2)", "1,'a';2,'b'");
    ecto_done(&run, NULL, 2);
    assert_returns(&run, "{2, nil}");
    ecto_fini(&run);
}

static void one_row_is_one_statement(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all", "[<<\"users\">>, [#{name => {blob, <<1>>}}]]");
    assert_plan(&run, "INSERT INTO \"users\" (\"name\") VALUES (?1)", "x'01'");
    assert_int_equal(run.plan.set_count, 0);
    ecto_fini(&run);
}

static void returned_rows_are_maps(void **state) {
    (void)state;
    struct ecto_run run;
    plan(
        &run, "insert_all",
        "[<<\"users\">>, [#{name => <<\"a\">>}, #{name => <<\"b\">>}], [{returning, [id, name]}]]");
    assert_plan(&run, "INSERT INTO \"users\" (\"name\") VALUES (?1) RETURNING \"id\",\"name\"",
                "'a';'b'");
    ecto_done(&run, "1,'a';2,'b'", 2);
    assert_returns(&run, "{2, [#{id => 1, name => <<\"a\">>}, #{id => 2, name => <<\"b\">>}]}");
    ecto_fini(&run);
}

static void no_rows(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all", "[<<\"users\">>, []]");
    ecto_settled(&run);
    assert_returns(&run, "{0, nil}");
    ecto_fini(&run);
    plan(&run, "insert_all", "[<<\"users\">>, [], [{returning, [id]}]]");
    ecto_settled(&run);
    assert_returns(&run, "{0, []}");
    ecto_fini(&run);
}

/* The parameters of ON CONFLICT come with every row. */
static void conflicts(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all",
         "[<<\"users\">>, [#{id => 1, name => <<\"a\">>}, #{id => 2, name => <<\"b\">>}], "
         "[{on_conflict, [{set, [{name, <<\"c\">>}]}]}, {conflict_target, [id]}]]");
    assert_plan(&run,
                "INSERT INTO \"users\" AS u0 (\"id\",\"name\") VALUES (?1,?2) ON CONFLICT (\"id\") "
                "DO UPDATE SET \"name\" = ?",
                "1,'a','c';2,'b','c'");
    ecto_fini(&run);
    plan(&run, "insert_all", "[<<\"users\">>, [#{id => 1}], [{on_conflict, nothing}]]");
    assert_plan(&run, "INSERT INTO \"users\" (\"id\") VALUES (?1) ON CONFLICT DO NOTHING", "1");
    ecto_done(&run, NULL, 0);
    assert_returns(&run, "{0, nil}");
    ecto_fini(&run);
    plan(&run, "insert_all",
         "[<<\"users\">>, [#{id => 1}], [{on_conflict, replace_all}, {conflict_target, id}]]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("cannot use :replace_all on operations without a schema"));
    ecto_fini(&run);
}

static void rows_that_raise(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all", "[<<\"users\">>, [#{a => 1}, #{b => 1}]]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("Cell-wise default values are not supported on INSERT "
                                       "statements by SQLite3"));
    ecto_fini(&run);
    plan(&run, "insert_all", "[<<\"users\">>, [#{a => 1}], [{returning, true}]]");
    ecto_settled(&run);
    assert_raises(&run,
                  ARGUMENT_ERROR(":returning option can only be set to true if a schema is given"));
    ecto_fini(&run);
}

static void database_errors_raise(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all", "[<<\"users\">>, [#{id => 1}]]");
    ecto_failed(&run, ELFS_SQLITE, "UNIQUE constraint failed: users.id");
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => 'Elixir.Exqlite.Error', "
                        "message => <<\"UNIQUE constraint failed: users.id\">>, statement => "
                        "<<\"INSERT INTO \\\"users\\\" (\\\"id\\\") VALUES (?1)\">>}");
    ecto_fini(&run);
    plan(&run, "insert_all", "[<<\"users\">>, [#{id => 1}]]");
    ecto_failed(&run, ELFS_BUSY, "full");
    assert_raises(&run, "busy");
    ecto_fini(&run);
}

/* notes(key TEXT PRIMARY KEY, body): the key is a binary id, body is stored as text. */
static void with_schema(struct ecto_run *run) {
    ecto_init(run, "key TEXT pk, text TEXT");
    run->answers[ELFS_ECTO_Q_SOURCE] = "<<\"notes\">>";
    run->answers[ELFS_ECTO_Q_FIELDS] = "[id, body]";
    run->answers[ELFS_ECTO_Q_DUMP] = "#{id => {key, binary_id}, body => {text, string}}";
    run->answers[ELFS_ECTO_Q_PRIMARY_KEY] = "[id]";
    run->answers[ELFS_ECTO_Q_AUTOGENERATE_ID] = "{id, key, binary_id}";
    run->answers[ELFS_ECTO_Q_AUTOGENERATE] = "[]";
    run->answers[ELFS_ECTO_Q_AUTOUPDATE] = "[]";
    run->answers[ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]";
    run->answers[ELFS_ECTO_Q_CHANGESET] = "#{id => binary_id, body => string}";
    run->answers[ELFS_ECTO_Q_LOADED] =
        "#{'__struct__' => 'Elixir.My.Note', " META("Elixir.My.Note", "notes", "loaded") //
        ", id => nil, body => nil}";
}

#define FIRST_ID "10101010-1010-4010-9010-101010101010"
#define NOTE(source, id, body)                                                                     \
    "#{'__struct__' => 'Elixir.My.Note', " META("Elixir.My.Note", source,                          \
                                                "loaded") ", id => " id ", body => " body "}"

static void rows_by_schema(void **state) {
    (void)state;
    struct ecto_run run;
    with_schema(&run);
    ecto_plan(&run, "insert_all",
              "['Elixir.My.Note', [[{body, <<\"a\">>}], [{id, <<\"x\">>}, {body, nil}]], "
              "[{returning, true}]]");
    assert_plan(&run,
                "INSERT INTO \"notes\" (\"text\",\"key\") VALUES (?1,?2) RETURNING "
                "\"key\",\"text\"",
                "'a','" FIRST_ID "';NULL,'x'");
    ecto_done(&run, "'" FIRST_ID "','a';'x',NULL", 2);
    assert_returns(&run, "{2, [" NOTE("notes", "<<\"" FIRST_ID "\">>", "<<\"a\">>") //
                   ", " NOTE("notes", "<<\"x\">>", "nil") "]}");
    ecto_fini(&run);
    with_schema(&run);
    ecto_plan(&run, "insert_all",
              "[{<<\"other\">>, 'Elixir.My.Note'}, [[{id, <<\"x\">>}]], [{returning, [body]}]]");
    assert_plan(&run, "INSERT INTO \"other\" (\"key\") VALUES (?1) RETURNING \"text\"", "'x'");
    ecto_done(&run, "NULL", 1);
    assert_returns(&run, "{1, [" NOTE("other", "nil", "nil") "]}");
    ecto_fini(&run);
}

/* Each row is a whole struct: what they take is limited as any answer is. */
static void rows_that_are_too_large(void **state) {
    (void)state;
    enum { ROWS = 1000 };
    static char loaded[2000], rows[4 * ROWS];
    struct ecto_run run;
    struct elfs_ecto_outcome outcome = {0};
    struct elfs_result result;
    snprintf(loaded, sizeof loaded,
             "#{'__struct__' => 'Elixir.My.Note', " META("Elixir.My.Note", "notes", "loaded") //
             ", id => nil, body => nil, more => [<<\"%0500d\">>, <<\"%0500d\">>, <<\"%0500d\">>]}",
             0, 0, 0);
    for (size_t i = 0; i < ROWS; i++) memcpy(rows + 4 * i, "'a';", 4);
    rows[4 * ROWS - 1] = '\0';
    with_schema(&run);
    run.answers[ELFS_ECTO_Q_LOADED] = loaded;
    ecto_plan(&run, "insert_all",
              "['Elixir.My.Note', [[{body, <<\"a\">>}]], [{returning, [body]}]]");
    assert_int_equal(run.code, ELFS_OK);
    elfs_result_init(&result, 1 << 20);
    ecto_result(&result, rows, ROWS);
    outcome.result = &result;
    assert_int_equal(elfs_ecto_answer(&run.plan, &outcome, &run.arena, &run.buf, &run.raised),
                     ELFS_LIMIT);
    assert_int_equal(run.buf.len, 0);
    assert_true(run.arena.total < 100000);
    elfs_result_fini(&result);
    ecto_fini(&run);
}

static void rows_that_the_schema_refuses(void **state) {
    (void)state;
    struct ecto_run run;
    with_schema(&run);
    ecto_plan(&run, "insert_all", "['Elixir.My.Note', [[{id, <<\"x\">>}, {title, 1}]]]");
    ecto_settled(&run);
    assert_raises(&run,
                  ARGUMENT_ERROR("unknown field `:title` in schema My.Note given to insert_all. "
                                 "Unwritable fields, such as virtual and read only fields are not "
                                 "supported. Associations are also not supported"));
    ecto_fini(&run);
    with_schema(&run);
    ecto_plan(&run, "insert_all", "['Elixir.My.Note', [[{id, <<\"x\">>}, {body, 1}]]]");
    ecto_settled(&run);
    assert_raises(&run,
                  "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.ChangeError', "
                  "message => <<\"value `1` for `My.Note.body` in `insert_all` does not match "
                  "type :string\">>}");
    ecto_fini(&run);
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *function;
        const char *args;
        enum elfs_code code;
        const char *message;
    } table[] = {
        {"insert_all", "['Elixir.My.Note', [[{id, 1}]]]", ELFS_UNSUPPORTED, "give its source"},
        {"insert_all", "[<<\"users\">>, #{'__struct__' => 'Elixir.Ecto.Query'}]", ELFS_UNSUPPORTED,
         "query needs Ecto"},
        {"insert_all", "[<<\"users\">>, [1]]", ELFS_BADARG, "maps or keyword lists"},
        {"insert_all", "[<<\"users\">>, \"rows\"]", ELFS_BADARG, "maps or keyword lists"},
        {"insert_all", "[<<\"users\">>, [#{<<\"a\">> => 1}]]", ELFS_BADARG, "maps or keyword"},
        {"insert_all", "[<<\"users\">>, [#{}, #{}]]", ELFS_UNSUPPORTED, "without a field"},
        {"insert_all", "[1, []]", ELFS_BADARG, "a source's name"},
        {"insert_all", "[<<\"users\">>, [#{a => {1}}]]", ELFS_INVALID_PARAMETER, "field a"},
        {"update_all", "[#{'__struct__' => 'Elixir.Ecto.Query'}, []]", ELFS_UNSUPPORTED,
         "give {Sql, Params}, or use the middleware"},
        {"delete_all", "['Elixir.My.Note']", ELFS_UNSUPPORTED, "give {Sql, Params}"},
        {"delete_all", "[{<<\"notes\">>, 'Elixir.My.Note'}]", ELFS_UNSUPPORTED, "give {Sql"},
        {"delete_all", "[{<<\"UPDATE notes SET a = 1\">>, []}]", ELFS_UNSUPPORTED,
         "begins with DELETE"},
        {"update_all", "[{<<\"DELETE FROM notes\">>, []}, []]", ELFS_UNSUPPORTED,
         "begins with UPDATE"},
        {"update_all", "[{<<\"UPDATE t SET a = 1\">>, []}, [{set, []}]]", ELFS_UNSUPPORTED,
         "takes []"},
        {"update_all", "[{<<\"UPDATE t SET a = 1\">>, [1 | 2]}, []]", ELFS_BADARG, "shape"},
        {"update_all", "[{<<\"UPDATE t SET a = ?\">>, [{}]}, []]", ELFS_INVALID_PARAMETER,
         "parameter 1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        bool raised;
        plan(&run, table[i].function, table[i].args);
        assert_refused(&run, table[i].code, table[i].message);
        assert_int_equal(elfs_ecto_refuse(&run.call, &run.err, &run.buf, &raised), ELFS_OK);
        assert_true(raised);
        ecto_fini(&run);
    }
}

/* Keys from the last to the first: to put each before the others would take a minute. */
static void very_many_fields(void **state) {
    (void)state;
    enum { FIELDS = 200000 };
    struct ecto_run run;
    struct elfs_ecto_env env = {.table = &run.table};
    struct elfs_buf args;
    ecto_init(&run, "id INTEGER pk");
    elfs_buf_init(&args, SIZE_MAX);
    elfs_put_list_header(&args, 2);
    elfs_put_binary_str(&args, "users");
    elfs_put_list_header(&args, 1);
    elfs_put_list_header(&args, FIELDS);
    for (int i = FIELDS; i > 0; i--) {
        char name[16];
        snprintf(name, sizeof name, "k%06d", i);
        elfs_put_tuple_header(&args, 2);
        elfs_put_atom(&args, name);
        elfs_put_int64(&args, 1);
    }
    for (int i = 0; i < 3; i++) elfs_put_nil(&args);
    assert_int_equal(args.status, ELFS_OK);
    assert_int_equal(elfs_ecto_call_of_repo(elfs_view_str("Elixir.My.Repo"),
                                            elfs_view_str("insert_all"),
                                            (struct elfs_view){args.data, args.len}, &run.call),
                     ELFS_OK);
    assert_int_equal(elfs_ecto_resource_read(&run.call, &run.arena, &run.resource, &run.err),
                     ELFS_OK);
    run.code = elfs_ecto_plan_make(&run.call, &run.resource, &env, &run.arena, &run.plan, &run.err);
    assert_refused(&run, ELFS_INVALID_PARAMETER, "more than 32766 parameters");
    ecto_fini(&run);
    elfs_buf_fini(&args);
}

static void all_given_as_sql(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "update_all", "[{<<\" update t SET a = ? WHERE b = ?\">>, [1, <<\"x\">>]}, []]");
    assert_plan(&run, " update t SET a = ? WHERE b = ?", "1,'x'");
    ecto_done(&run, NULL, 3);
    assert_returns(&run, "{3, nil}");
    ecto_fini(&run);
    plan(&run, "delete_all", "[{<<\"DELETE FROM t RETURNING a, b\">>, []}, [{timeout, 5}]]");
    assert_int_equal(run.plan.timeout_ms, 5);
    ecto_done(&run, "1,'x';2,NULL", 2);
    assert_returns(&run, "{2, [[1, <<\"x\">>], [2, nil]]}");
    ecto_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_by_source),
        cmocka_unit_test(one_row_is_one_statement),
        cmocka_unit_test(returned_rows_are_maps),
        cmocka_unit_test(no_rows),
        cmocka_unit_test(conflicts),
        cmocka_unit_test(rows_that_raise),
        cmocka_unit_test(database_errors_raise),
        cmocka_unit_test(rows_by_schema),
        cmocka_unit_test(rows_that_are_too_large),
        cmocka_unit_test(rows_that_the_schema_refuses),
        cmocka_unit_test(refusals),
        cmocka_unit_test(very_many_fields),
        cmocka_unit_test(all_given_as_sql),
    };
    return cmocka_run_group_tests_name("ecto_insert_all", tests, NULL, NULL);
}
