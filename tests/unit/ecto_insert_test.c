/* ecto: insert, from the struct or changeset to the statement and the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ecto_run.h"
#include "ecto_terms.h"

#define NEW_USER                                                                                   \
    "email => <<\"a@b\">>, id => nil, inserted_at => nil, name => nil, updated_at => nil"
#define INSERT_USERS "INSERT INTO \"users\" "
#define STAMPED INSERT_USERS "(\"email\",\"inserted_at\",\"updated_at\") VALUES (?1,?2,?3)"

/* insert(Struct), planned. */
static void plan(struct ecto_run *run, const char *columns, const char *args) {
    ecto_init(run, columns);
    ecto_plan(run, "insert", args);
}

static void a_struct(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, ecto_users, "[" USER("built", NEW_USER) "]");
    assert_plan(&run, STAMPED " RETURNING \"id\"", "'a@b'," NOW_TEXT "," NOW_TEXT);
    ecto_done(&run, "7", 1);
    assert_returns(&run, "{ok, " USER("loaded", "email => <<\"a@b\">>, id => 7, inserted_at => " NOW
                                                ", name => nil, updated_at => " NOW) "}");
    ecto_fini(&run);
}

/* What is given is kept: an id, a timestamp; a nil among the changes is written. */
static void what_is_given_is_kept(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, ecto_users,
         "[" USER("built", "email => nil, id => 9, inserted_at => " NAIVE("1", "{0, 0}") //
                  ", name => <<\"n\">>, updated_at => nil") "]");
    assert_plan(
        &run, INSERT_USERS "(\"id\",\"inserted_at\",\"name\",\"updated_at\") VALUES (?1,?2,?3,?4)",
        "9,'2026-11-24T21:05:01','n'," NOW_TEXT);
    ecto_done(&run, NULL, 1);
    assert_int_equal(run.code, ELFS_OK);
    ecto_fini(&run);
    plan(&run, ecto_users,
         "[" CHANGESET(USER("built", NEW_USER), "#{name => nil, updated_at => nil}", USER_TYPES) //
         ", []]");
    assert_plan(&run,
                INSERT_USERS "(\"email\",\"name\",\"updated_at\",\"inserted_at\") VALUES "
                             "(?1,?2,?3,?4) RETURNING \"id\"",
                "'a@b',NULL,NULL," NOW_TEXT);
    ecto_fini(&run);
}

static void bang_returns_the_struct(void **state) {
    (void)state;
    struct ecto_run run;
    ecto_init(&run, "id INTEGER pk, name TEXT");
    ecto_plan(&run, "insert!", "[" USER("built", "id => nil, name => <<\"n\">>") "]");
    ecto_done(&run, "3", 1);
    assert_returns(&run, USER("loaded", "id => 3, name => <<\"n\">>"));
    ecto_fini(&run);
}

static void nothing_but_defaults(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk, name TEXT", "[" USER("built", "id => nil, name => nil") "]");
    assert_plan(&run, INSERT_USERS "DEFAULT VALUES RETURNING \"id\"", "");
    ecto_fini(&run);
}

#define UUID_TEXT "10101010-1010-4010-9010-101010101010"

/* A UUID is made for a TEXT or BLOB key, unless the type says that it is none. */
static void uuid_keys(void **state) {
    (void)state;
    static const struct {
        const char *columns;
        const char *type;
        const char *params;
    } table[] = {
        {"id TEXT pk, name TEXT", NULL, "'n','" UUID_TEXT "'"},
        {"id TEXT pk, name TEXT", "binary_id", "'n','" UUID_TEXT "'"},
        {"id TEXT pk, name TEXT", "'Elixir.Ecto.UUID'", "'n','" UUID_TEXT "'"},
        {"id uuid pk, name TEXT", NULL, "'n','" UUID_TEXT "'"},
        {"id BLOB pk, name TEXT", NULL,
         "'n','\x10\x10\x10\x10\x10\x10\x40\x10\x90\x10\x10\x10\x10"
         "\x10\x10\x10'"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        char args[2048];
        const char *data = USER("built", "id => nil, name => <<\"n\">>");
        if (table[i].type) {
            snprintf(args, sizeof args,
                     "[" CHANGESET("%s", "#{}", "#{id => %s, name => string}") "]", data,
                     table[i].type);
        } else {
            snprintf(args, sizeof args, "[%s]", data);
        }
        plan(&run, table[i].columns, args);
        assert_plan(&run, INSERT_USERS "(\"name\",\"id\") VALUES (?1,?2)", table[i].params);
        ecto_done(&run, NULL, 1);
        assert_returns(
            &run, "{ok, " USER("loaded", "id => <<\"" UUID_TEXT "\">>, name => <<\"n\">>") "}");
        ecto_fini(&run);
    }
}

/* Never a made-up UUID: a second row could get the same. */
static void uuid_without_random_bytes(void **state) {
    (void)state;
    struct ecto_run run;
    ecto_init(&run, "id TEXT pk, name TEXT");
    run.no_random = true;
    ecto_plan(&run, "insert", "[" USER("built", "id => nil, name => <<\"n\">>") "]");
    assert_refused(&run, ELFS_SYSTEM, "no random bytes");
    ecto_fini(&run);
}

static void keys_that_ecto_does_not_make(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id TEXT pk, name TEXT",
         "[" CHANGESET(USER("built", "id => nil, name => <<\"n\">>"), "#{}",
                       "#{id => string, name => string}") "]");
    assert_plan(&run, INSERT_USERS "(\"name\") VALUES (?1)", "'n'");
    ecto_fini(&run);
    plan(&run, "a TEXT pk, b TEXT pk", "[" USER("built", "a => <<\"1\">>, b => <<\"2\">>") "]");
    assert_plan(&run, INSERT_USERS "(\"a\",\"b\") VALUES (?1,?2)", "'1','2'");
    ecto_fini(&run);
    plan(&run, "id NUMERIC pk, name TEXT", "[" USER("built", "id => nil, name => <<\"n\">>") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "field id");
    ecto_fini(&run);
}

static void timestamps_by_type(void **state) {
    (void)state;
    static const struct {
        const char *type;
        const char *stored;
        const char *loaded;
    } table[] = {
        {"naive_datetime", "2026-11-24T21:05:41", NAIVE("41", "{0, 0}")},
        {"naive_datetime_usec", "2026-11-24T21:05:41.123456", NAIVE("41", "{123456, 6}")},
        {"utc_datetime", "2026-11-24T21:05:41Z", UTC("41", "{0, 0}")},
        {"utc_datetime_usec", "2026-11-24T21:05:41.123456Z", UTC("41", "{123456, 6}")},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        char args[2048], params[128], answer[2048];
        snprintf(args, sizeof args,
                 "[" CHANGESET(USER("built", "id => 1, updated_at => nil"), "#{}",
                               "#{id => id, updated_at => %s}") "]",
                 table[i].type);
        snprintf(params, sizeof params, "1,'%s'", table[i].stored);
        snprintf(answer, sizeof answer, "{ok, " USER("loaded", "id => 1, updated_at => %s") "}",
                 table[i].loaded);
        plan(&run, ecto_users, args);
        assert_plan(&run, INSERT_USERS "(\"id\",\"updated_at\") VALUES (?1,?2)", params);
        ecto_done(&run, NULL, 1);
        assert_returns(&run, answer);
        ecto_fini(&run);
    }
}

/* Without the schema, a value without a column may be virtual, or stored under another name. */
static void fields_without_a_column(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk",
         "[" USER("built", "id => 1, secret => nil, posts => " NOT_LOADED("posts")) "]");
    assert_plan(&run, INSERT_USERS "(\"id\") VALUES (?1)", "1");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk", "[" USER("built", "id => 1, secret => <<\"x\">>") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "field secret is no column");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk",
         "[" CHANGESET(USER("built", "id => 1, secret => nil"), "#{secret => <<\"x\">>}",
                       "#{id => id, secret => string}") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "field secret is no column");
    ecto_fini(&run);
}

static void conflicts(void **state) {
    (void)state;
    static const struct {
        const char *options;
        const char *sql; /* between VALUES and RETURNING */
        const char *params;
    } table[] = {
        {"[{on_conflict, raise}]", "", "'a@b','n'"},
        {"[{on_conflict, nothing}]", " ON CONFLICT DO NOTHING", "'a@b','n'"},
        {"[{on_conflict, nothing}, {conflict_target, nil}]", " ON CONFLICT DO NOTHING",
         "'a@b','n'"},
        {"[{conflict_target, nil}]", "", "'a@b','n'"},
        {"[{on_conflict, nothing}, {conflict_target, email}]",
         " ON CONFLICT (\"email\") DO NOTHING", "'a@b','n'"},
        {"[{on_conflict, {replace, [name, email]}}, {conflict_target, [email]}]",
         " ON CONFLICT (\"email\") DO UPDATE SET \"name\" = EXCLUDED.\"name\",\"email\" = "
         "EXCLUDED.\"email\"",
         "'a@b','n'"},
        {"[{on_conflict, replace_all}, {conflict_target, [email]}]",
         " ON CONFLICT (\"email\") DO UPDATE SET \"id\" = EXCLUDED.\"id\",\"name\" = "
         "EXCLUDED.\"name\"",
         "'a@b','n'"},
        {"[{on_conflict, replace_all}, {conflict_target, [email]}, {replace_changed, false}]",
         " ON CONFLICT (\"email\") DO UPDATE SET \"email\" = EXCLUDED.\"email\",\"id\" = "
         "EXCLUDED.\"id\",\"name\" = EXCLUDED.\"name\"",
         "'a@b','n'"},
        {"[{on_conflict, {replace_all_except, [id]}}, {conflict_target, [email]}]",
         " ON CONFLICT (\"email\") DO UPDATE SET \"name\" = EXCLUDED.\"name\"", "'a@b','n'"},
        {"[{on_conflict, {replace, [name]}}, {conflict_target, {unsafe_fragment, <<\"(email) WHERE "
         "name IS NULL\">>}}]",
         " ON CONFLICT (email) WHERE name IS NULL DO UPDATE SET \"name\" = EXCLUDED.\"name\"",
         "'a@b','n'"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        char args[2048], sql[512];
        snprintf(args, sizeof args,
                 "[" USER("built", "id => nil, name => <<\"n\">>, email => <<\"a@b\">>") ", %s]",
                 table[i].options);
        snprintf(sql, sizeof sql,
                 INSERT_USERS "(\"email\",\"name\") VALUES (?1,?2)%s RETURNING \"id\"",
                 table[i].sql);
        plan(&run, "id INTEGER pk, name TEXT, email TEXT", args);
        assert_plan(&run, sql, table[i].params);
        ecto_fini(&run);
    }
}

static void conflict_updates(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk, name TEXT, hits INTEGER",
         "[" CHANGESET(USER("built", "id => 1, name => nil, hits => nil"), "#{}",
                       "#{id => id, name => string, hits => integer}") //
         ", [{on_conflict, [{set, [{name, <<\"x\">>}]}, {inc, [{hits, 2}]}]}, {conflict_target, "
         "id}]]");
    assert_plan(&run,
                "INSERT INTO \"users\" AS u0 (\"id\") VALUES (?1) ON CONFLICT (\"id\") DO UPDATE "
                "SET \"name\" = ?, \"hits\" = \"hits\" + ?",
                "1,'x',2");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk, name TEXT",
         "[" USER("built", "id => 1, name => nil") ", [{on_conflict, [{push, [{name, 1}]}]}]]");
    assert_refused(&run, ELFS_UNSUPPORTED, "set and inc");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk, hits INTEGER",
         "[" CHANGESET(USER("built", "id => 1, hits => nil"), "#{}",
                       "#{id => id, hits => integer}") //
         ", [{on_conflict, [{set, [{hits, 1}]}, {inc, [{hits, 2}]}]}, {conflict_target, id}]]");
    assert_refused(&run, ELFS_UNSUPPORTED, "sets hits twice");
    ecto_fini(&run);
}

/* They are a query's: Ecto casts them. What it takes and we cannot cast is refused. */
static void conflict_updates_are_cast(void **state) {
    (void)state;
    static const struct {
        const char *type, *value, *stored; /* NULL: refused */
    } table[] = {
        {"utc_datetime", UTC("41", "{7, 6}"), "'2026-11-24T21:05:41Z'"},
        {"utc_datetime_usec", UTC("41", "{0, 0}"), "'2026-11-24T21:05:41.000000Z'"},
        {"utc_datetime", NAIVE("41", "{7, 6}"), "'2026-11-24T21:05:41Z'"},
        {"naive_datetime", NAIVE("41", "{7, 6}"), "'2026-11-24T21:05:41'"},
        {"naive_datetime", UTC("41", "{7, 3}"), "'2026-11-24T21:05:41'"},
        {"date", UTC("41", "{7, 6}"), "'2026-11-24'"},
        {"date", "<<\"2026-11-24\">>", "'2026-11-24'"},
        {"time", UTC("41", "{7, 6}"), NULL},
        {"float", "1", "1"},
        {"integer", "<<\"12\">>", "12"},
        {"integer", "1.0", NULL},
        {"integer", "nil", "NULL"},
        {"boolean", "<<\"1\">>", "1"},
        {"decimal", "5", "'5'"},
        {"decimal", "<<\"1.50\">>", "'1.50'"},
        {"decimal", "#{'__struct__' => 'Elixir.Decimal', sign => 1, coef => 15, exp => -1}",
         "'1.5'"},
        {"'Elixir.Ecto.UUID'", "<<\"00112233-4455-6677-8899-AABBCCDDEEFF\">>",
         "'00112233-4455-6677-8899-aabbccddeeff'"},
        {"'Elixir.Ecto.UUID'", "<<\"not one\">>", NULL},
        {"string", "1", NULL},
        {"{map, integer}", "#{a => <<\"1\">>}", "'{\"a\":1}'"},
        {"{map, naive_datetime}", "#{a => " NAIVE("41", "{7, 6}") "}", NULL},
        {"{array, naive_datetime}", "[" NOW "]", "'[\"2026-11-24T21:05:41\"]'"},
        {"{array, naive_datetime}", "[" NAIVE("41", "{7, 6}") "]", NULL},
        {"{array, integer}", "[<<\"1\">>]", "'[1]'"},
        {"map", "nil", "'null'"},
        {"{parameterized, {'Elixir.Ecto.Enum', #{on_cast => #{<<\"a\">> => a}, on_dump => #{a => "
         "1}, on_load => #{1 => a}}}}",
         "a", "1"},
        {"{parameterized, {'Elixir.Ecto.Enum', #{on_cast => #{<<\"a\">> => a}, on_dump => #{a => "
         "1}, on_load => #{1 => a}}}}",
         "<<\"a\">>", "1"},
        {"{embed, #{cardinality => many, related => 'Elixir.My.Card'}}", "nil", NULL},
        {"'Elixir.My.Type'", "1", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        char args[2048], params[128];
        snprintf(
            args, sizeof args,
            "[" CHANGESET(USER("built", "id => 1, it => nil"), "#{}", "#{id => id, it => %s}") //
            ", [{on_conflict, [{set, [{it, %s}]}]}, {conflict_target, id}]]",
            table[i].type, table[i].value);
        plan(&run, "id INTEGER pk, it TEXT", args);
        if (table[i].stored) {
            snprintf(params, sizeof params, "1,%s", table[i].stored);
            assert_plan(&run,
                        "INSERT INTO \"users\" AS u0 (\"id\") VALUES (?1) ON CONFLICT (\"id\") DO "
                        "UPDATE SET \"it\" = ?",
                        params);
        } else {
            assert_refused(&run, ELFS_UNSUPPORTED, "");
        }
        ecto_fini(&run);
    }
}

static void a_conflict_that_does_nothing(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk, name TEXT",
         "[" USER("built", "id => nil, name => <<\"n\">>") ", [{on_conflict, nothing}]]");
    ecto_done(&run, "", 0);
    assert_returns(&run, "{ok, " USER("loaded", "id => nil, name => <<\"n\">>") "}");
    ecto_fini(&run);
}

static void conflict_options_that_raise(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk, name TEXT",
         "[" USER("built", "id => nil, name => <<\"n\">>") ", [{conflict_target, [name]}]]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR(":conflict_target option is forbidden when :on_conflict is "
                                       ":raise"));
    ecto_fini(&run);
    plan(&run, "id INTEGER pk",
         "[" USER("built", "id => 1") ", [{on_conflict, replace_all}, {conflict_target, id}]]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("empty list of fields to update, use the `:replace` option "
                                       "instead"));
    ecto_fini(&run);
}

/* DEFAULT VALUES takes no ON CONFLICT: the options are looked at, and then left out. */
static void conflict_options_without_columns(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk, name TEXT",
         "[" USER("built", "id => nil, name => nil") ", [{conflict_target, [name]}]]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR(":conflict_target option is forbidden when :on_conflict is "
                                       ":raise"));
    ecto_fini(&run);
    plan(&run, "id INTEGER pk, name TEXT",
         "[" USER("built", "id => nil, name => nil") //
         ", [{on_conflict, [{set, [{name, <<\"x\">>}]}]}, {conflict_target, [id]}]]");
    assert_plan(&run, INSERT_USERS "AS u0 DEFAULT VALUES RETURNING \"id\"", "");
    ecto_fini(&run);
}

static void returning(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "id INTEGER pk, name TEXT, active INTEGER",
         "[" CHANGESET(USER("built", "id => nil, name => <<\"n\">>, active => nil"), "#{}",
                       "#{id => id, name => string, active => boolean}") //
         ", [{returning, [active, id, name]}]]");
    assert_plan(&run, INSERT_USERS "(\"name\") VALUES (?1) RETURNING \"id\",\"active\",\"name\"",
                "'n'");
    ecto_done(&run, "4,1,'N'", 1);
    assert_returns(&run, "{ok, " USER("loaded", "id => 4, name => <<\"N\">>, active => true") "}");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk, name TEXT",
         "[" CHANGESET(USER("built", "id => nil, name => <<\"n\">>"), "#{}",
                       "#{id => id, name => string}") ", [{returning, true}]]");
    assert_plan(&run, INSERT_USERS "(\"name\") VALUES (?1) RETURNING \"id\",\"name\"", "'n'");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk, name TEXT",
         "[" USER("built", "id => nil, name => <<\"n\">>") ", [{returning, [name]}]]");
    assert_refused(&run, ELFS_UNSUPPORTED, "returning name");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk, at TEXT",
         "[" CHANGESET(USER("built", "id => 1, at => nil"), "#{}", "#{id => id, at => date}") //
         ", [{returning, [at]}]]");
    ecto_done(&run, "'no date'", 1);
    assert_raises(&run, ARGUMENT_ERROR("cannot load `\\\"no date\\\"` as type :date for field `at` "
                                       "in schema My.User"));
    ecto_fini(&run);
}

/* 16 bytes are a UUID's where the column is a BLOB, and otherwise a text as any. */
static void returned_ids(void **state) {
    (void)state;
    static const struct {
        const char *columns, *loaded;
    } table[] = {
        {"id INTEGER pk, ref TEXT", "<<\"0123456789abcdef\">>"},
        {"id INTEGER pk, ref BLOB", "<<\"30313233-3435-3637-3839-616263646566\">>"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        char expected[1024];
        plan(&run, table[i].columns,
             "[" CHANGESET(USER("built", "id => 1, ref => nil"), "#{}",
                           "#{id => id, ref => binary_id}") //
             ", [{returning, [ref]}]]");
        ecto_done(&run, "'0123456789abcdef'", 1);
        snprintf(expected, sizeof expected, "{ok, " USER("loaded", "id => 1, ref => %s") "}",
                 table[i].loaded);
        assert_returns(&run, expected);
        ecto_fini(&run);
    }
}

static void unknown_tables_and_names(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "", "[" USER("built", "id => 1") "]");
    ecto_settled(&run);
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => 'Elixir.Exqlite.Error', "
                        "message => <<\"no such table: users\">>, statement => nil}");
    ecto_fini(&run);
    plan(&run, "id INTEGER pk",
         "[#{'__struct__' => 'Elixir.My.User', " META("Elixir.My.User", "us\\\"ers", "built") //
         ", id => 1}]");
    assert_refused(&run, ELFS_UNSUPPORTED, "quote");
    ecto_fini(&run);
}

/* Values that are not of their field's type raise as Ecto does. */
static void mistyped_values(void **state) {
    (void)state;
    static const struct {
        const char *type;
        const char *value;
        const char *raised;
    } table[] = {
        {"integer", "<<\"x\">>",
         "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.ChangeError', message => "
         "<<\"value `\\\"x\\\"` for `My.User.f` in `insert` does not match type :integer\">>}"},
        {"{parameterized, {'Elixir.Ecto.Enum', #{mappings => [{low, 1}, {high, 2}], on_dump => "
         "#{low => 1, high => 2}}}}",
         "mid",
         "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.ChangeError', message => "
         "<<\"value `:mid` for `My.User.f` in `insert` does not match type #Ecto.Enum<values: "
         "[:low, :high]>\">>}"},
        {"{array, {parameterized, {'Elixir.Ecto.Enum', #{mappings => [{low, 1}], on_dump => #{low "
         "=> "
         "1}}}}}",
         "[mid]",
         "#{'__exception__' => true, '__struct__' => 'Elixir.Ecto.ChangeError', message => "
         "<<\"value `[:mid]` for `My.User.f` in `insert` does not match type {:array, "
         "#Ecto.Enum<values: [:low]>}\">>}"},
        {"naive_datetime", NAIVE("41", "{5, 6}"),
         ARGUMENT_ERROR(
             ":naive_datetime expects microseconds to be empty, got: ~N[2026-11-24 "
             "21:05:41.000005]\\n\\nUse `NaiveDateTime.truncate(naive_datetime, :second)` "
             "(available in Elixir v1.6+) to remove microseconds.\\n")},
        {"utc_datetime_usec", UTC("41", "{0, 0}"),
         ARGUMENT_ERROR(":utc_datetime_usec expects microsecond precision, got: ~U[2026-11-24 "
                        "21:05:41Z]")},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        char args[2048];
        snprintf(args, sizeof args,
                 "[" CHANGESET(USER("built", "f => nil"), "#{f => %s}", "#{f => %s}") "]",
                 table[i].value, table[i].type);
        plan(&run, "f TEXT", args);
        ecto_settled(&run);
        assert_raises(&run, table[i].raised);
        ecto_fini(&run);
    }
}

/* A schema that renames, generates and reads back. */
static void with_schema(struct ecto_run *run) {
    ecto_init(run, "user_id INTEGER pk, full TEXT, token TEXT, made TEXT, hits INTEGER");
    run->answers[ELFS_ECTO_Q_SOURCE] = "<<\"users\">>";
    run->answers[ELFS_ECTO_Q_FIELDS] = "[id, name, token, created, hits]";
    run->answers[ELFS_ECTO_Q_DUMP] =
        "#{id => {user_id, id, always}, name => {full, string, always}, token => {token, "
        "'Elixir.Ecto.UUID', always}, created => {made, utc_datetime, insert}, hits => {hits, "
        "integer, never}}";
    run->answers[ELFS_ECTO_Q_PRIMARY_KEY] = "[id]";
    run->answers[ELFS_ECTO_Q_AUTOGENERATE_ID] = "{id, user_id, id}";
    run->answers[ELFS_ECTO_Q_AUTOGENERATE] =
        "[{[created], {'Elixir.Ecto.Schema', '__timestamps__', [utc_datetime]}}, {[token], "
        "{'Elixir.Ecto.UUID', autogenerate, []}}]";
    run->answers[ELFS_ECTO_Q_AUTOUPDATE] = "[]";
    run->answers[ELFS_ECTO_Q_READ_AFTER_WRITES] = "[hits]";
    run->answers[ELFS_ECTO_Q_LOADED] = "#{}";
    run->answers[ELFS_ECTO_Q_CHANGESET] =
        "#{id => id, name => string, token => 'Elixir.Ecto.UUID', created => utc_datetime, hits => "
        "integer, password => string, posts => {assoc, #{relationship => child, on_delete => "
        "nothing}}, cards => {embed, #{}}}";
}

#define SCHEMA_USER(state, id, created, token, hits, name)                                         \
    USER(state,                                                                                    \
         "id => " id ", created => " created ", token => " token ", hits => " hits                 \
         ", name => " name ", password => <<\"p\">>, cards => [], posts => " NOT_LOADED("posts"))

static void the_schema_knows(void **state) {
    (void)state;
    struct ecto_run run;
    with_schema(&run);
    ecto_plan(&run, "insert",
              "[" SCHEMA_USER("built", "nil", "nil", "nil", "nil", "<<\"n\">>") "]");
    assert_plan(&run,
                INSERT_USERS "(\"full\",\"made\",\"token\") VALUES (?1,?2,?3) RETURNING "
                             "\"user_id\",\"hits\"",
                "'n','2026-11-24T21:05:41Z','" UUID_TEXT "'");
    ecto_done(&run, "8,0", 1);
    assert_returns(&run, "{ok, " SCHEMA_USER("loaded", "8", UTC("41", "{0, 0}"),
                                             "<<\"" UUID_TEXT "\">>", "0", "<<\"n\">>") "}");
    ecto_fini(&run);
    with_schema(&run);
    ecto_plan(&run, "insert",
              "[" SCHEMA_USER("built", "nil", "nil", "<<\"given\">>", "nil", "nil") "]");
    assert_plan(&run,
                INSERT_USERS "(\"token\",\"made\") VALUES (?1,?2) RETURNING \"user_id\",\"hits\"",
                "'given','2026-11-24T21:05:41Z'");
    ecto_fini(&run);
    with_schema(&run);
    ecto_plan(&run, "insert", "[" SCHEMA_USER("built", "nil", "nil", "nil", "5", "nil") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "hits is not writable");
    ecto_fini(&run);
    with_schema(&run);
    run.answers[ELFS_ECTO_Q_AUTOGENERATE] = "[{[token], {'Elixir.My.Tokens', make, []}}]";
    ecto_plan(&run, "insert", "[" SCHEMA_USER("built", "nil", "nil", "nil", "nil", "nil") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "field token is generated by a function");
    ecto_fini(&run);
    with_schema(&run);
    ecto_plan(&run, "insert",
              "[" SCHEMA_USER("built", "1", "nil", "nil", "nil", "nil") //
              ", [{on_conflict, {replace_all_except, [id]}}, {conflict_target, [id]}]]");
    assert_plan(&run,
                INSERT_USERS "(\"user_id\",\"made\",\"token\") VALUES (?1,?2,?3) ON CONFLICT "
                             "(\"user_id\") DO UPDATE SET \"full\" = EXCLUDED.\"full\",\"token\" = "
                             "EXCLUDED.\"token\" RETURNING \"hits\"",
                "1,'2026-11-24T21:05:41Z','" UUID_TEXT "'");
    ecto_fini(&run);
}

/* It is SQLite that says so, of Ecto's own statement. */
static void an_unknown_table_of_a_schema(void **state) {
    (void)state;
    struct ecto_run run;
    with_schema(&run);
    run.table.count = 0;
    ecto_plan(&run, "insert",
              "[" SCHEMA_USER("built", "nil", "nil", "<<\"t\">>", "nil", "nil") "]");
    assert_true(run.plan.run);
    ecto_failed(&run, ELFS_SQLITE, "no such table: users");
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => 'Elixir.Exqlite.Error', "
                        "message => <<\"no such table: users\">>, statement => <<\"INSERT INTO "
                        "\\\"users\\\" (\\\"token\\\",\\\"made\\\") VALUES (?1,?2) RETURNING "
                        "\\\"user_id\\\",\\\"hits\\\"\">>}");
    ecto_fini(&run);
}

/* Ecto leaves out the fields that are called as the target's columns are. */
static void replace_all_by_columns(void **state) {
    (void)state;
    struct ecto_run run;
    with_schema(&run);
    ecto_plan(&run, "insert",
              "[" SCHEMA_USER("built", "1", "nil", "<<\"t\">>", "nil", "nil") //
              ", [{on_conflict, replace_all}, {conflict_target, [id]}]]");
    assert_plan(&run,
                INSERT_USERS "(\"user_id\",\"token\",\"made\") VALUES (?1,?2,?3) ON CONFLICT "
                             "(\"user_id\") DO UPDATE SET \"user_id\" = "
                             "EXCLUDED.\"user_id\",\"full\" = EXCLUDED.\"full\",\"token\" = "
                             "EXCLUDED.\"token\" RETURNING \"hits\"",
                "1,'t','2026-11-24T21:05:41Z'");
    ecto_fini(&run);
    with_schema(&run);
    run.answers[ELFS_ECTO_Q_DUMP] =
        "#{id => {user_id, id, always}, name => {token, string, always}, token => {full, "
        "'Elixir.Ecto.UUID', always}, created => {made, utc_datetime, insert}, hits => {hits, "
        "integer, never}}";
    ecto_plan(&run, "insert",
              "[" SCHEMA_USER("built", "1", "nil", "<<\"t\">>", "nil", "nil") //
              ", [{on_conflict, {replace_all_except, [id]}}, {conflict_target, name}]]");
    assert_plan(&run,
                INSERT_USERS "(\"user_id\",\"full\",\"made\") VALUES (?1,?2,?3) ON CONFLICT "
                             "(\"token\") DO UPDATE SET \"token\" = EXCLUDED.\"token\" "
                             "RETURNING \"hits\"",
                "1,'t','2026-11-24T21:05:41Z'");
    ecto_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_struct),
        cmocka_unit_test(what_is_given_is_kept),
        cmocka_unit_test(bang_returns_the_struct),
        cmocka_unit_test(nothing_but_defaults),
        cmocka_unit_test(uuid_keys),
        cmocka_unit_test(uuid_without_random_bytes),
        cmocka_unit_test(keys_that_ecto_does_not_make),
        cmocka_unit_test(timestamps_by_type),
        cmocka_unit_test(fields_without_a_column),
        cmocka_unit_test(conflicts),
        cmocka_unit_test(conflict_updates),
        cmocka_unit_test(conflict_updates_are_cast),
        cmocka_unit_test(a_conflict_that_does_nothing),
        cmocka_unit_test(conflict_options_that_raise),
        cmocka_unit_test(conflict_options_without_columns),
        cmocka_unit_test(returning),
        cmocka_unit_test(returned_ids),
        cmocka_unit_test(unknown_tables_and_names),
        cmocka_unit_test(mistyped_values),
        cmocka_unit_test(the_schema_knows),
        cmocka_unit_test(an_unknown_table_of_a_schema),
        cmocka_unit_test(replace_all_by_columns),
    };
    return cmocka_run_group_tests_name("ecto_insert", tests, NULL, NULL);
}
