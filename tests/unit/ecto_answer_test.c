/* ecto: what comes back when the database refuses, or the row is gone; and what is refused. */
#include "ecto/constraint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ecto_run.h"
#include "ecto_terms.h"
#include "term_text.h"
#include "vectors.h"

static void names(void **state) {
    (void)state;
    static const struct {
        const char *message;
        const char *type;
        const char *name;
    } table[] = {
        {"UNIQUE constraint failed: users.email", "unique", "users_email_index"},
        {"UNIQUE constraint failed: users.a, users.b", "unique", "users_a_b_index"},
        {"UNIQUE constraint failed: my.users.a, my.users.b, my.users.c", "unique",
         "my_users_a_b_c_index"},
        {"UNIQUE constraint failed: index 'users_lower_index'", "unique", "users_lower_index"},
        {"FOREIGN KEY constraint failed", "foreign_key", ""},
        {"CHECK constraint failed: positive", "check", "positive"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_ecto_constraint constraint;
        struct elfs_arena arena;
        elfs_arena_init(&arena);
        assert_int_equal(elfs_ecto_constraint_read(table[i].message, &arena, &constraint), ELFS_OK);
        assert_string_equal(constraint.type, table[i].type);
        if (!elfs_view_is(constraint.name, table[i].name))
            fail_msg("%.*s", ELFS_VIEW_ARGS(constraint.name));
        elfs_arena_fini(&arena);
    }
    static const char *const others[] = {
        "NOT NULL constraint failed: users.email", "disk full", "",
        "UNIQUE constraint failed: ", "FOREIGN KEY constraint failed "};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct elfs_ecto_constraint constraint;
        struct elfs_arena arena;
        elfs_arena_init(&arena);
        assert_int_equal(elfs_ecto_constraint_read(others[i], &arena, &constraint), ELFS_BADARG);
        elfs_arena_fini(&arena);
    }
}

/* Which of the constraints, counted from 1, matches users_a_b_index; 0: none. */
static void matches(void **state) {
    (void)state;
    static const struct {
        const char *constraints;
        const char *message; /* of the one that matches */
    } table[] = {
        {"[]", NULL},
        {"[" CONSTRAINT("unique", "a", "users_a_b_index", "exact", "exact") "]", "exact"},
        {"[" CONSTRAINT("unique", "a", "a_b_index", "exact", "x") "]", NULL},
        {"[" CONSTRAINT("unique", "a", "a_b_index", "suffix", "suffix") "]", "suffix"},
        {"[" CONSTRAINT("unique", "a", "users_a", "suffix", "x") "]", NULL},
        {"[" CONSTRAINT("unique", "a", "users_a", "prefix", "prefix") "]", "prefix"},
        {"[" CONSTRAINT("unique", "a", "b_index", "prefix", "x") "]", NULL},
        {"[" CONSTRAINT("unique", "a", "longer_than_users_a_b_index", "suffix", "x") "]", NULL},
        {"[" CONSTRAINT("check", "a", "users_a_b_index", "exact", "x") "]", NULL},
        {"[" CONSTRAINT("check", "a", "users_a_b_index", "exact", "x") //
         ", " CONSTRAINT("unique", "a", "users", "prefix", "first")    //
         ", " CONSTRAINT("unique", "a", "users_a_b_index", "exact", "second") "]",
         "first"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct elfs_ecto_constraint constraint = {"unique", elfs_view_str("users_a_b_index")};
        struct elfs_view constraints = term_parse(table[i].constraints), found;
        assert_int_equal(elfs_ecto_constraint_find(&constraint, constraints, &found), ELFS_OK);
        assert_int_equal(found.len > 0, table[i].message != NULL);
        if (found.len > 0) {
            char *text = term_print(found), part[32];
            snprintf(part, sizeof part, "<<\"%s\">>", table[i].message);
            if (!strstr(text, part)) fail_msg("%s", text);
            (free)(text);
        }
        exact_free(constraints);
    }
}

#define TYPES "#{email => string, id => id, age => integer}"
#define COLUMNS "id INTEGER pk, email TEXT, age INTEGER"
#define GIVEN USER("built", "age => 3, email => nil, id => nil")
#define CHANGES "#{email => <<\"a@b\">>}"
#define SURFACED "#{age => 3, email => <<\"a@b\">>}"
#define UNIQUE CONSTRAINT("unique", "email", "users_email_index", "exact", "has already been taken")
#define CARD "{embed, #{cardinality => one, related => 'Elixir.My.Card'}}"
#define TAKEN                                                                                      \
    "{email, {<<\"has already been taken\">>, [{constraint, unique}, {constraint_name, "           \
    "<<\"users_email_index\">>}]}}"

static void insert(struct ecto_run *run, const char *function, const char *constraints) {
    char args[4096];
    snprintf(args, sizeof args, "[" CHANGESET_WITH(GIVEN, CHANGES, TYPES, "%s") "]", constraints);
    ecto_init(run, COLUMNS);
    ecto_plan(run, function, args);
}

static void a_declared_constraint(void **state) {
    (void)state;
    struct ecto_run run;
    insert(&run, "insert", "[" UNIQUE "]");
    ecto_failed(&run, ELFS_SQLITE, "UNIQUE constraint failed: users.email");
    assert_returns(
        &run, "{error, " ANSWERED("insert", GIVEN, SURFACED, TYPES, "[" UNIQUE "]", TAKEN) "}");
    ecto_fini(&run);
    insert(&run, "insert_or_update!", "[" UNIQUE "]");
    ecto_failed(&run, ELFS_SQLITE, "UNIQUE constraint failed: users.email");
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => "
                        "'Elixir.Ecto.InvalidChangesetError', action => insert, changeset => " //
                  ANSWERED("insert", GIVEN, SURFACED, TYPES, "[" UNIQUE "]", TAKEN) "}");
    ecto_fini(&run);
}

static void an_undeclared_constraint(void **state) {
    (void)state;
    struct ecto_run run;
    insert(&run, "insert", "[]");
    ecto_failed(&run, ELFS_SQLITE, "UNIQUE constraint failed: users.email");
    assert_raises(
        &run,
        "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.ConstraintError', type => unique, "
        "constraint => <<\"users_email_index\">>, message => <<\"constraint error when attempting "
        "to insert struct:\\n\\n    * \\\"users_email_index\\\" (unique_constraint)\\n\\nIf you "
        "would like to stop this constraint violation from raising an\\nexception and instead add "
        "it as an error to your changeset, please\\ncall `unique_constraint/3` on your changeset "
        "with the constraint\\n`:name` as an option.\\n\\nThe changeset has not defined any "
        "constraint.\\n\">>}");
    ecto_fini(&run);
    insert(&run, "insert", "[" UNIQUE "]");
    ecto_failed(&run, ELFS_SQLITE, "FOREIGN KEY constraint failed");
    assert_raises(
        &run,
        "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.ConstraintError', type => "
        "foreign_key, constraint => nil, message => <<\"constraint error when attempting to insert "
        "struct:\\n\\n    * nil (foreign_key_constraint)\\n\\nIf you would like to stop this "
        "constraint violation from raising an\\nexception and instead add it as an error to your "
        "changeset, please\\ncall `foreign_key_constraint/3` on your changeset with the "
        "constraint\\n`:name` as an option.\\n\\nThe changeset defined the following "
        "constraints:\\n\\n    * \\\"users_email_index\\\" (unique_constraint)\\n\">>}");
    ecto_fini(&run);
}

static void a_regular_expression(void **state) {
    (void)state;
    struct ecto_run run;
    insert(&run, "insert",
           "[#{type => unique, field => email, constraint => #{'__struct__' => 'Elixir.Regex', "
           "source => <<\"email\">>}, match => exact}]");
    ecto_failed(&run, ELFS_SQLITE, "UNIQUE constraint failed: users.email");
    assert_returns(&run, "{error, {unsupported, <<\"a constraint that is a regular expression: "
                         "nothing was written\">>}}");
    ecto_fini(&run);
}

static void other_errors_of_sqlite(void **state) {
    (void)state;
    struct ecto_run run;
    insert(&run, "insert", "[]");
    ecto_failed(&run, ELFS_SQLITE, "NOT NULL constraint failed: users.name");
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => 'Elixir.Exqlite.Error', "
                        "message => <<\"NOT NULL constraint failed: users.name\">>, statement => "
                        "<<\"INSERT INTO \\\"users\\\" (\\\"age\\\",\\\"email\\\") VALUES (?1,?2) "
                        "RETURNING \\\"id\\\"\">>}");
    ecto_fini(&run);
}

static void errors_that_are_not_sqlites(void **state) {
    (void)state;
    struct ecto_run run;
    insert(&run, "insert", "[]");
    ecto_failed(&run, ELFS_BUSY, "full");
    assert_returns(&run, "{error, busy}");
    run.code = ELFS_OK;
    ecto_failed(&run, ELFS_UNKNOWN, "COMMIT failed");
    assert_returns(&run, "{error, {unknown, <<\"COMMIT failed\">>}}");
    ecto_fini(&run);
    insert(&run, "insert!", "[]");
    ecto_failed(&run, ELFS_BUSY, "full");
    assert_raises(&run, "busy");
    ecto_fini(&run);
}

#define GONE USER("loaded", "age => 3, email => nil, id => 9")
#define STALE_TAIL                                                                                 \
    "\\n\\nThis typically happens when the struct no longer exists in the database or a database " \
    "trigger/rule has forbidden the action. If stale entries are expected, you may use "           \
    "`:stale_error_field` to convert this into a changeset error, or set `:allow_stale` to true "  \
    "if you would like stale operations to be considered a success (such as a stale "              \
    "deletion)\\n\">>"

static void update_gone(struct ecto_run *run, const char *options) {
    char args[4096];
    snprintf(args, sizeof args, "[" CHANGESET(GONE, "#{age => 4}", TYPES) ", %s]", options);
    ecto_init(run, COLUMNS);
    ecto_plan(run, "update", args);
    ecto_done(run, NULL, 0);
}

static void a_stale_entry(void **state) {
    (void)state;
    struct ecto_run run;
    update_gone(&run, "[]");
    assert_raises(&run,
                  "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.StaleEntryError', "
                  "changeset => #{" CHANGESET_BASE ", action => update, repo => "
                  "'Elixir.My.Repo', repo_opts => [], errors => [], 'valid?' => true, data => " //
                  GONE ", changes => #{age => 4}, types => " TYPES ", constraints => []}, "
                  "message => <<\"attempted to update a stale struct:\\n\\n#My.User<...>" STALE_TAIL
                  "}");
    ecto_fini(&run);
    update_gone(&run, "[{allow_stale, true}]");
    assert_returns(&run, "{ok, " USER("loaded", "age => 4, email => nil, id => 9") "}");
    ecto_fini(&run);
}

static void a_stale_entry_as_an_error(void **state) {
    (void)state;
    struct ecto_run run;
    ecto_init(&run, COLUMNS);
    ecto_plan(&run, "delete", "[" GONE ", [{stale_error_field, id}]]");
    ecto_done(&run, NULL, 0);
    char *text = term_print((struct elfs_view){run.buf.data, run.buf.len});
    assert_non_null(strstr(text, "errors => [{id,{<<\"is stale\">>,[{stale,true}]}}]"));
    assert_non_null(strstr(text, "'valid?' => false"));
    assert_non_null(strstr(text, "repo_opts => [{stale_error_field,id}]"));
    assert_non_null(strstr(text, "data => #{"));
    (free)(text);
    ecto_fini(&run);
    update_gone(&run, "[{stale_error_field, age}, {stale_error_message, <<\"gone\">>}]");
    text = term_print((struct elfs_view){run.buf.data, run.buf.len});
    assert_non_null(strstr(text, "errors => [{age,{<<\"gone\">>,[{stale,true}]}}]"));
    (free)(text);
    ecto_fini(&run);
}

/* A view's INSTEAD OF trigger: SQLite returns the row, and has changed none itself. */
static void a_row_that_was_not_changed(void **state) {
    (void)state;
    static const char *const functions[] = {"insert", "delete"};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct ecto_run run;
        ecto_init(&run, COLUMNS);
        ecto_plan(&run, functions[i],
                  "[" CHANGESET(GONE, "#{}", "#{id => id}") ", [{returning, [id]}]]");
        ecto_done(&run, "9", 0);
        char *text = term_print((struct elfs_view){run.buf.data, run.buf.len});
        assert_true(run.raised);
        assert_non_null(strstr(text, "'Elixir.Ecto.StaleEntryError'"));
        (free)(text);
        ecto_fini(&run);
    }
}

static void more_rows_than_one(void **state) {
    (void)state;
    struct ecto_run run;
    ecto_init(&run, COLUMNS);
    ecto_plan(&run, "delete", "[" GONE "]");
    ecto_done(&run, NULL, 2);
    assert_raises(&run,
                  "#{'__exception__' => true, '__struct__' => "
                  "'Elixir.Ecto.MultiplePrimaryKeyError', message => <<\"expected delete on users "
                  "to return at most one entry but got 2 entries.\\n\\nThis typically means the "
                  "field(s) set as primary_key in your schema/source\\nare not enough to uniquely "
                  "identify entries in the repository.\\n\\nThose are the parameters sent to the "
                  "repository:\\n\\n[id: 9]\\n\">>}");
    ecto_fini(&run);
}

/* insert(Args) that must be refused, and the answer that says so. */
static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *args;
        enum elfs_code code;
        const char *message;
    } table[] = {
        {"[" GIVEN ", [{prefix, <<\"tenant\">>}]]", ELFS_UNSUPPORTED, "option prefix"},
        {"[" GIVEN ", [{placeholders, #{}}]]", ELFS_UNSUPPORTED, "option placeholders"},
        {"[" GIVEN ", [{unheard_of, 1}]]", ELFS_UNSUPPORTED, "the option unheard_of"},
        {"[" GIVEN ", [{on_conflict, #{'__struct__' => 'Elixir.Ecto.Query'}}]]", ELFS_UNSUPPORTED,
         "with a query"},
        {"[" GIVEN ", [{on_conflict, later}]]", ELFS_BADARG, "on_conflict"},
        {"[" GIVEN ", [{on_conflict, {replace, []}}]]", ELFS_BADARG, "on_conflict"},
        {"[" GIVEN ", [{returning, []}]]", ELFS_BADARG, "returning"},
        {"[" GIVEN ", [{conflict_target, 1}, {on_conflict, nothing}]]", ELFS_BADARG,
         "conflict_target"},
        {"[" GIVEN ", [{timeout, -1}]]", ELFS_BADARG, "timeout"},
        {"[" GIVEN ", [timeout]]", ELFS_BADARG, "keyword"},
        {"[" GIVEN ", \"opts\"]", ELFS_BADARG, "keyword"},
        {"[" GIVEN ", [{log, false} | x]]", ELFS_BADARG, "keyword"},
        {"[<<\"users\">>]", ELFS_BADARG, "neither a struct nor a changeset"},
        {"[#{a => 1}]", ELFS_BADARG, "no schema with a source"},
        {"[#{1 => 1}]", ELFS_BADARG, "neither"},
        {"[" USER("built", "age => 1, age => 2") "]", ELFS_BADARG, "neither"},
        {"[#{'__struct__' => 'Elixir.My.User', '__meta__' => #{source => <<\"users\">>, state => "
         "built, prefix => <<\"x\">>}}]",
         ELFS_UNSUPPORTED, "prefixes"},
        {"[#{'__struct__' => 'Elixir.Ecto.Changeset', data => nil}]", ELFS_BADARG, "changeset"},
        {"[#{'__struct__' => 'Elixir.Ecto.Changeset', prepare => [fun a:b/1], action => nil, "
         "errors => [], 'valid?' => true, constraints => [], changes => #{}, types => #{}, filters "
         "=> #{}, data => " GIVEN "}]",
         ELFS_UNSUPPORTED, "prepare_changes needs Ecto: use the middleware"},
        {"[" USER("built", "id => nil, posts => [" USER("built", "id => nil") "]") "]",
         ELFS_UNSUPPORTED, "field posts: nested associations need Ecto: use the middleware"},
        {"[" CHANGESET(GIVEN, "#{posts => []}", "#{posts => {assoc, #{}}}") "]", ELFS_UNSUPPORTED,
         "field posts: nested associations"},
        {"[" CHANGESET(GIVEN, "#{card => nil}", "#{card => " CARD "}") "]", ELFS_UNSUPPORTED,
         "field card is no column, and its schema is not known"},
        {"[" CHANGESET(USER("built", "id => nil, card => #{}"), "#{}",
                       "#{id => id, card => " CARD "}") "]",
         ELFS_UNSUPPORTED, "field card: the embedded schema Elixir.My.Card is not known"},
        /* A column of its name: a struct that is inserted, and changesets. */
        {"[" CHANGESET(USER("built", "id => nil, email => #{}"), "#{}",
                       "#{id => id, email => " CARD "}") "]",
         ELFS_UNSUPPORTED, "field email: the embedded schema Elixir.My.Card is not known"},
        {"[" CHANGESET(GIVEN, "#{email => #{}}", "#{email => " CARD "}") "]", ELFS_UNSUPPORTED,
         "field email: the embedded schema Elixir.My.Card is not known"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        bool raised;
        char *text;
        ecto_init(&run, COLUMNS);
        ecto_plan(&run, "insert", table[i].args);
        assert_refused(&run, table[i].code, table[i].message);
        assert_int_equal(elfs_ecto_refuse(&run.call, &run.err, &run.buf, &raised), ELFS_OK);
        assert_false(raised);
        text = term_print((struct elfs_view){run.buf.data, run.buf.len});
        assert_non_null(strstr(text, run.err.code == ELFS_UNSUPPORTED ? "{error,{unsupported,"
                                                                      : "{error,#{code => badarg"));
        (free)(text);
        ecto_fini(&run);
    }
}

static void options_that_do_no_harm(void **state) {
    (void)state;
    struct ecto_run run;
    ecto_init(&run, COLUMNS);
    ecto_plan(&run, "insert",
              "[" GIVEN ", [{timeout, 250}, {timeout, 9}, {log, false}, {telemetry_event, [a]}, "
              "{telemetry_options, []}, {prefix, nil}, {cache_statement, <<\"x\">>}]]");
    assert_plan(&run, "INSERT INTO \"users\" (\"age\") VALUES (?1) RETURNING \"id\"", "3");
    assert_int_equal(run.plan.timeout_ms, 250);
    ecto_fini(&run);
    ecto_init(&run, COLUMNS);
    ecto_plan(&run, "insert", "[" GIVEN ", [{timeout, infinity}]]");
    assert_int_equal(run.plan.timeout_ms, -1);
    ecto_fini(&run);
}

static void what_is_no_repo_call(void **state) {
    (void)state;
    static const char *const calls[][2] = {
        {"get", "[a, 1]"},     {"insert", "[]"},       {"insert", "[a, b, c]"},
        {"insert", "[a | b]"}, {"insert", "\"ab\""},   {"insert_all", "[a]"},
        {"delete_all", "[]"},  {"update_all", "[a]"},  {"delete_all!", "[a]"},
        {"insert", "nope"},    {"transaction", "[a]"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct ecto_run run;
        ecto_init(&run, COLUMNS);
        ecto_plan(&run, calls[i][0], calls[i][1]);
        assert_int_equal(run.code, ELFS_UNDEF);
        ecto_fini(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(matches),
        cmocka_unit_test(a_declared_constraint),
        cmocka_unit_test(an_undeclared_constraint),
        cmocka_unit_test(a_regular_expression),
        cmocka_unit_test(other_errors_of_sqlite),
        cmocka_unit_test(errors_that_are_not_sqlites),
        cmocka_unit_test(a_stale_entry),
        cmocka_unit_test(a_stale_entry_as_an_error),
        cmocka_unit_test(a_row_that_was_not_changed),
        cmocka_unit_test(more_rows_than_one),
        cmocka_unit_test(refusals),
        cmocka_unit_test(options_that_do_no_harm),
        cmocka_unit_test(what_is_no_repo_call),
    };
    return cmocka_run_group_tests_name("ecto_answer", tests, NULL, NULL);
}
