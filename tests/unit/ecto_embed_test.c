/* ecto: embedded schemas, prepared, stored as JSON and read back. */
#include "ecto/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ecto_run.h"
#include "ecto_terms.h"
#include "fail_alloc.h"
#include "term_text.h"

#define EMBED(cardinality, field, related, on_replace)                                             \
    "#{'__struct__' => 'Elixir.Ecto.Embedded', cardinality => " cardinality ", field => " field    \
    ", on_cast => nil, on_replace => " on_replace ", ordered => true, owner => 'Elixir.My.User', " \
    "related => 'Elixir.My." related "', unique => true}"
/* As __changeset__ and as dump have it. */
#define CHANGED(...) "{embed, " EMBED(__VA_ARGS__) "}"
#define DUMPED(source, ...)                                                                        \
    "{" source ", {parameterized, {'Elixir.Ecto.Embedded', " EMBED(__VA_ARGS__) "}}, always}"
#define ENUM(params) "{parameterized, {'Elixir.Ecto.Enum', #{" params "}}}"
#define KIND                                                                                       \
    ENUM("embed_as => self, on_cast => #{<<\"goods\">> => goods}, on_dump => #{goods => "          \
         "<<\"G\">>}, on_load => #{<<\"G\">> => goods}")
#define STATE                                                                                      \
    ENUM("embed_as => dump, on_cast => #{<<\"open\">> => open, <<\"paid\">> => paid}, on_dump => " \
         "#{open => 1, paid => 2}, on_load => #{1 => open, 2 => paid}")
#define STAMPS(fields) "[{" fields ", {'Elixir.Ecto.Schema', '__timestamps__', [naive_datetime]}}]"

/* No key, one field. */
#define NOTE(text) "#{'__struct__' => 'Elixir.My.Note', text => " text "}"

/* A key, timestamps, a field stored as "l", a virtual one (seen), schemas of its own. */
#define CARD_OF(id, label, note, notes, more, stamps)                                              \
    "#{'__struct__' => 'Elixir.My.Card', id => " id ", label => " label ", note => " note          \
    ", notes => " notes ", " more ", " stamps "}"
#define CARD(id, label, stamps) CARD_OF(id, label, "nil", "[]", NONE_MORE, stamps)
#define NONE_MORE "kind => nil, state => nil, seen => nil"
#define NEW "inserted_at => nil, updated_at => nil"
#define STAMPED "inserted_at => " NOW ", updated_at => " NOW
#define THEN                                                                                       \
    "#{'__struct__' => 'Elixir.NaiveDateTime', calendar => 'Elixir.Calendar.ISO', year => 2020, "  \
    "month => 1, day => 2, hour => 3, minute => 4, second => 5, microsecond => {0, 0}}"
#define OLD "inserted_at => " THEN ", updated_at => " THEN
#define TOUCHED "inserted_at => " THEN ", updated_at => " NOW

/* The UUIDs of ecto_run, in their order, and one of the application's. */
#define UUID1 "10101010-1010-4010-9010-101010101010"
#define UUID2 "11111111-1111-4111-9111-111111111111"
#define UUID3 "12121212-1212-4212-9212-121212121212"
#define OWN "00000000-0000-4000-8000-000000000001"
#define TEXT(text) "<<\"" text "\">>"

#define CARD_JSON_OF(id, label, note, notes, kind, state, inserted, updated)                       \
    "{\"id\":" id ",\"inserted_at\":" inserted ",\"kind\":" kind ",\"l\":" label ",\"note\":" note \
    ",\"notes\":" notes ",\"state\":" state ",\"updated_at\":" updated "}"
#define CARD_JSON(id, label, inserted, updated)                                                    \
    CARD_JSON_OF(id, label, "null", "[]", "null", "null", inserted, updated)
#define NOW_JSON "\"2026-11-24T21:05:41\""
#define THEN_JSON "\"2020-01-02T03:04:05\""

#define CARD_TYPES                                                                                 \
    "#{id => binary_id, label => string, note => " CHANGED(                                        \
        "one", "note", "Note",                                                                     \
        "delete") ", notes => " CHANGED("many", "notes", "Note",                                   \
                                        "delete") ", kind => " KIND ", state => " STATE            \
                                                  ", seen => boolean, inserted_at => "             \
                                                  "naive_datetime, updated_at => naive_datetime}"
#define USER_TYPES_OF                                                                                 \
    "#{id => id, name => string, card => " CHANGED(                                                   \
        "one", "card", "Card",                                                                        \
        "delete") ", cards => " CHANGED("many", "cards", "Card",                                      \
                                        "delete") ", tree => " CHANGED("one", "tree", "Tree",         \
                                                                       "raise") ", bad "              \
                                                                                "=> " CHANGED(        \
                                                                                    "on"              \
                                                                                    "e",              \
                                                                                    "ba"              \
                                                                                    "d",              \
                                                                                    "Ba"              \
                                                                                    "d",              \
                                                                                    "ra"              \
                                                                                    "is"              \
                                                                                    "e") ", lost "    \
                                                                                         "=>"         \
                                                                                         " " CHANGED( \
                                                                                             "on"     \
                                                                                             "e",     \
                                                                                             "los"    \
                                                                                             "t",     \
                                                                                             "Los"    \
                                                                                             "t",     \
                                                                                             "rai"    \
                                                                                             "se") "}"

#define COLUMNS                                                                                    \
    "id INTEGER pk, name TEXT, card TEXT, all_cards TEXT, tree TEXT, bad TEXT, lost TEXT"

/* A struct of My.User, source users; others: card and cards. */
#define OWNER(state, id, others)                                                                   \
    USER(state, "id => " id ", name => <<\"A\">>, tree => nil, bad => nil, lost => nil, " others)

static const struct ecto_module modules[] = {
    {"Elixir.My.Card",
     {
         [ELFS_ECTO_Q_FIELDS] = "[id, label, kind, state, note, notes, inserted_at, updated_at]",
         [ELFS_ECTO_Q_DUMP] =
             "#{id => {id, binary_id, always}, label => {l, string, always}, kind => {kind, " KIND
             ", always}, state => {state, " STATE ", always}, note => " //
         DUMPED("note", "one", "note", "Note", "delete") ", notes => "  //
         DUMPED("notes", "many", "notes", "Note",
                "delete") ", inserted_at => " //
                          "{inserted_at, naive_datetime, always}, updated_at => {updated_at, "
                          "naive_datetime, "
                          "always}}",
         [ELFS_ECTO_Q_PRIMARY_KEY] = "[id]",
         [ELFS_ECTO_Q_AUTOGENERATE_ID] = "{id, id, binary_id}",
         [ELFS_ECTO_Q_AUTOGENERATE] = STAMPS("[inserted_at, updated_at]"),
         [ELFS_ECTO_Q_AUTOUPDATE] = STAMPS("[updated_at]"),
         [ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]",
         [ELFS_ECTO_Q_LOADED] =
             CARD_OF("nil", "<<\"none\">>", "nil", "[]", NONE_MORE, NEW), /* it has a default */
         [ELFS_ECTO_Q_CHANGESET] = CARD_TYPES,
     }},
    {"Elixir.My.Note",
     {
         [ELFS_ECTO_Q_FIELDS] = "[text]",
         [ELFS_ECTO_Q_DUMP] = "#{text => {text, string, always}}",
         [ELFS_ECTO_Q_PRIMARY_KEY] = "[]",
         [ELFS_ECTO_Q_AUTOGENERATE] = "[]",
         [ELFS_ECTO_Q_AUTOUPDATE] = "[]",
         [ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]",
         [ELFS_ECTO_Q_LOADED] = NOTE("nil"),
         [ELFS_ECTO_Q_CHANGESET] = "#{text => string}",
     }},
    /* Embeds itself. */
    {"Elixir.My.Tree",
     {
         [ELFS_ECTO_Q_FIELDS] = "[child]",
         [ELFS_ECTO_Q_DUMP] = "#{child => " DUMPED("child", "one", "child", "Tree", "raise") "}",
         [ELFS_ECTO_Q_PRIMARY_KEY] = "[]",
         [ELFS_ECTO_Q_AUTOGENERATE] = "[]",
         [ELFS_ECTO_Q_AUTOUPDATE] = "[]",
         [ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]",
         [ELFS_ECTO_Q_LOADED] = "#{'__struct__' => 'Elixir.My.Tree', child => nil}",
         [ELFS_ECTO_Q_CHANGESET] = "#{child => " CHANGED("one", "child", "Tree", "raise") "}",
     }},
    /* What only the application can do: a type of its own, a key that nobody makes. */
    {"Elixir.My.Bad",
     {
         [ELFS_ECTO_Q_FIELDS] = "[id, money]",
         [ELFS_ECTO_Q_DUMP] =
             "#{id => {id, id, always}, money => {money, 'Elixir.My.Money', always}}",
         [ELFS_ECTO_Q_PRIMARY_KEY] = "[id]",
         [ELFS_ECTO_Q_AUTOGENERATE_ID] = "{id, id, id}",
         [ELFS_ECTO_Q_AUTOGENERATE] = "[]",
         [ELFS_ECTO_Q_AUTOUPDATE] = "[]",
         [ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]",
         [ELFS_ECTO_Q_LOADED] = "#{'__struct__' => 'Elixir.My.Bad', id => nil, money => nil}",
         [ELFS_ECTO_Q_CHANGESET] = "#{id => id, money => 'Elixir.My.Money'}",
     }},
};

static const char *const user_answers[ELFS_ECTO_QUERY_COUNT] = {
    [ELFS_ECTO_Q_SOURCE] = "<<\"users\">>",
    [ELFS_ECTO_Q_FIELDS] = "[id, name, card, cards, tree]",
    [ELFS_ECTO_Q_DUMP] = "#{id => {id, id, always}, name => {name, string, always}, card => " //
    DUMPED("card", "one", "card", "Card", "delete") ", cards => "                             //
    DUMPED("all_cards", "many", "cards", "Card", "delete") ", tree => "                       //
    DUMPED("tree", "one", "tree", "Tree", "raise") ", bad => "                                //
    DUMPED("bad", "one", "bad", "Bad", "raise") ", lost => "                                  //
    DUMPED("lost", "one", "lost", "Lost", "raise") "}",
    [ELFS_ECTO_Q_PRIMARY_KEY] = "[id]",
    [ELFS_ECTO_Q_AUTOGENERATE_ID] = "{id, id, id}",
    [ELFS_ECTO_Q_AUTOGENERATE] = "[]",
    [ELFS_ECTO_Q_AUTOUPDATE] = "[]",
    [ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]",
    [ELFS_ECTO_Q_LOADED] = OWNER("loaded", "nil", "card => nil, cards => []"),
    [ELFS_ECTO_Q_CHANGESET] = USER_TYPES_OF,
};

static void plan(struct ecto_run *run, const char *function, const char *args) {
    ecto_init(run, COLUMNS);
    memcpy(run->answers, user_answers, sizeof user_answers);
    run->embedded = modules;
    run->embedded_count = sizeof modules / sizeof *modules;
    ecto_plan(run, function, args);
}

/* An embedded changeset, as an application gives it. */
#define CHANGE(action, data, changes) CHANGE_WITH(action, data, changes, "true", "[]")
#define CHANGE_WITH(action, data, changes, valid, prepare)                                         \
    "#{'__struct__' => 'Elixir.Ecto.Changeset', action => " action ", changes => " changes         \
    ", constraints => [], data => " data ", empty_values => [], errors => [], filters => #{}, "    \
    "params => nil, prepare => " prepare ", repo => nil, repo_opts => [], required => [], types "  \
    "=> #{}, 'valid?' => " valid ", validations => []}"

static void insert_of_a_struct(void **state) {
    (void)state;
    struct ecto_run run;
    plan(
        &run, "insert",
        "[" OWNER("built", "nil",
                  "card => " CARD_OF("nil", "<<\"x \\\"y\\\"\">>", NOTE("<<\"n\">>"),
                                     "[" NOTE("<<\"1\">>") ", " NOTE("nil") "]",
                                     "kind => goods, state => paid, seen => true", NEW) //
                  ", cards => [" CARD(TEXT(OWN), "nil", OLD) ", " CARD("nil", "nil", NEW) "]") "]");
    assert_plan(&run,
                "INSERT INTO \"users\" (\"card\",\"all_cards\",\"name\") VALUES (?1,?2,?3) "
                "RETURNING \"id\"",
                "'" CARD_JSON_OF("\"" UUID1 "\"", "\"x \\\"y\\\"\"", "{\"text\":\"n\"}",
                                 "[{\"text\":\"1\"},{\"text\":null}]", "\"goods\"", "2", NOW_JSON,
                                 NOW_JSON) //
                "','[" CARD_JSON("\"" OWN "\"", "null", THEN_JSON, THEN_JSON) "," CARD_JSON(
                    "\"" UUID2 "\"", "null", NOW_JSON, NOW_JSON) "]','A'");
    ecto_done(&run, "7", 1);
    /* The virtual field stays. */
    assert_returns(
        &run,
        "{ok, " OWNER("loaded", "7",
                      "card => " CARD_OF(TEXT(UUID1), "<<\"x \\\"y\\\"\">>", NOTE("<<\"n\">>"),
                                         "[" NOTE("<<\"1\">>") ", " NOTE("nil") "]",
                                         "kind => goods, state => paid, seen => true", STAMPED) //
                      ", cards => [" CARD(TEXT(OWN), "nil", OLD) ", " CARD(TEXT(UUID2), "nil",
                                                                           STAMPED) "]") "}");
    ecto_fini(&run);
}

static void insert_of_nothing_embedded(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert!", "[" OWNER("built", "nil", "card => nil, cards => []") "]");
    assert_plan(&run, "INSERT INTO \"users\" (\"name\") VALUES (?1) RETURNING \"id\"", "'A'");
    ecto_done(&run, "7", 1);
    assert_returns(&run, OWNER("loaded", "7", "card => nil, cards => []"));
    ecto_fini(&run);
}

struct change {
    const char *changes; /* of card or cards */
    const char *stored;
    const char *fields; /* of the struct that comes back */
};

#define BUILT CARD("nil", "nil", NEW)
#define STORED CARD(TEXT(OWN), "<<\"old\">>", OLD)
#define STORED_JSON CARD_JSON("\"" OWN "\"", "\"old\"", THEN_JSON, THEN_JSON)

static void check_change(const char *function, const char *state, const char *id, const char *data,
                         const struct change *change, const char *sql, const char *row) {
    static char args[16384], expected[16384];
    struct ecto_run run;
    snprintf(args, sizeof args,
             "[" CHANGESET(USER("%s", "id => %s, name => nil, tree => nil, bad "
                                      "=> nil, lost => nil, %s"),
                           "#{%s}", USER_TYPES_OF) "]",
             state, id, data, change->changes);
    plan(&run, function, args);
    assert_plan(&run, sql, change->stored);
    ecto_done(&run, row, 1);
    snprintf(expected, sizeof expected,
             "{ok, " USER("loaded",
                          "id => 7, name => nil, tree => nil, bad => nil, lost => nil, %s") "}",
             change->fields);
    assert_returns(&run, expected);
    ecto_fini(&run);
}

static void inserted_changesets(void **state) {
    (void)state;
    static const struct change one[] = {
        {"card => " CHANGE("insert", BUILT, "#{label => <<\"x\">>, seen => true}"),
         "'" CARD_JSON("\"" UUID1 "\"", "\"x\"", NOW_JSON, NOW_JSON) "'",
         "cards => [], card => " CARD_OF(TEXT(UUID1), "<<\"x\">>", "nil", "[]",
                                         "kind => nil, state => nil, seen => true", STAMPED)},
        /* What the struct has is changed too, what is changed to nil is nil. */
        {"card => " CHANGE("insert", STORED, "#{label => nil, id => nil}"),
         "'" CARD_JSON("null", "null", THEN_JSON, THEN_JSON) "'",
         "cards => [], card => " CARD("nil", "nil", OLD)},
        /* With a parent that is inserted an update is an insert. */
        {"card => " CHANGE("update", BUILT, "#{}"),
         "'" CARD_JSON("\"" UUID1 "\"", "null", NOW_JSON, NOW_JSON) "'",
         "cards => [], card => " CARD(TEXT(UUID1), "nil", STAMPED)},
        {"card => " CHANGE("delete", STORED, "#{}"), "'null'", "cards => [], card => nil"},
        {"card => " CHANGE("replace", STORED, "#{}"), "'null'", "cards => [], card => nil"},
        {"card => nil", "'null'", "cards => [], card => nil"},
        /* Changesets inside. */
        {"card => " CHANGE("insert", BUILT,
                           "#{note => " CHANGE("insert", NOTE("nil"), "#{text => <<\"n\">>}") //
                           ", notes => [" CHANGE("insert", NOTE("<<\"1\">>"), "#{}") ", "     //
                           CHANGE("delete", NOTE("<<\"2\">>"), "#{}") "]}"),
         "'" CARD_JSON_OF("\"" UUID1 "\"", "null", "{\"text\":\"n\"}", "[{\"text\":\"1\"}]", "null",
                          "null", NOW_JSON, NOW_JSON) "'",
         "cards => [], card => " CARD_OF(TEXT(UUID1), "nil", NOTE("<<\"n\">>"),
                                         "[" NOTE("<<\"1\">>") "]", NONE_MORE, STAMPED)},
    };
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        check_change("insert", "built", "nil", "card => nil, cards => []", &one[i],
                     "INSERT INTO \"users\" (\"card\") VALUES (?1) RETURNING \"id\"", "7");
    static const struct change many[] = {
        {"cards => [" CHANGE("insert", BUILT, "#{label => <<\"x\">>}") ", "         //
         CHANGE("delete", STORED, "#{}") ", " CHANGE("replace", STORED, "#{}") ", " //
         CHANGE("update", STORED, "#{}") "]",
         "'[" CARD_JSON("\"" UUID1 "\"", "\"x\"", NOW_JSON, NOW_JSON) "," STORED_JSON "]'",
         "card => nil, cards => [" CARD(TEXT(UUID1), "<<\"x\">>", STAMPED) ", " STORED "]"},
        {"cards => []", "'[]'", "card => nil, cards => []"},
        {"cards => [" CHANGE("delete", STORED, "#{}") "]", "'[]'", "card => nil, cards => []"},
    };
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        check_change("insert", "built", "nil", "card => nil, cards => []", &many[i],
                     "INSERT INTO \"users\" (\"all_cards\") VALUES (?1) RETURNING \"id\"", "7");
}

static void updates(void **state) {
    (void)state;
    static const struct change one[] = {
        {"card => nil", "'null',7", "cards => [" STORED "], card => nil"},
        {"card => " CHANGE("delete", STORED, "#{}"), "'null',7",
         "cards => [" STORED "], card => nil"},
        {"card => " CHANGE("replace", STORED, "#{}"), "'null',7",
         "cards => [" STORED "], card => nil"},
        /* Nothing changed: not even its timestamp. */
        {"card => " CHANGE("update", STORED, "#{}"), "'" STORED_JSON "',7",
         "cards => [" STORED "], card => " STORED},
        {"card => " CHANGE("update", STORED, "#{label => <<\"new\">>}"),
         "'" CARD_JSON("\"" OWN "\"", "\"new\"", THEN_JSON, NOW_JSON) "',7",
         "cards => [" STORED "], card => " CARD(TEXT(OWN), "<<\"new\">>", TOUCHED)},
        /* A timestamp that is changed is not made. */
        {"card => " CHANGE("update", STORED, "#{label => nil, updated_at => " THEN "}"),
         "'" CARD_JSON("\"" OWN "\"", "null", THEN_JSON, THEN_JSON) "',7",
         "cards => [" STORED "], card => " CARD(TEXT(OWN), "nil", OLD)},
        /* Another one in its place. */
        {"card => " CHANGE("insert", BUILT, "#{label => <<\"x\">>}"),
         "'" CARD_JSON("\"" UUID1 "\"", "\"x\"", NOW_JSON, NOW_JSON) "',7",
         "cards => [" STORED "], card => " CARD(TEXT(UUID1), "<<\"x\">>", STAMPED)},
        {"card => " CHANGE("update", STORED,
                           "#{note => " CHANGE("insert", NOTE("nil"), "#{text => <<\"n\">>}") "}"),
         "'" CARD_JSON_OF("\"" OWN "\"", "\"old\"", "{\"text\":\"n\"}", "[]", "null", "null",
                          THEN_JSON, NOW_JSON) "',7",
         "cards => [" STORED "], card => " CARD_OF(TEXT(OWN), "<<\"old\">>", NOTE("<<\"n\">>"),
                                                   "[]", NONE_MORE, TOUCHED)},
    };
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        check_change("update", "loaded", "7", "card => " STORED ", cards => [" STORED "]", &one[i],
                     "UPDATE \"users\" SET \"card\" = ? WHERE \"id\" = ?", NULL);
    static const struct change many[] = {
        {"cards => []", "'[]',7", "card => nil, cards => []"},
        {"cards => [" CHANGE("replace", STORED, "#{}") "]", "'[]',7", "card => nil, cards => []"},
        {"cards => [" CHANGE("update", STORED, "#{label => <<\"new\">>}") ", " //
         CHANGE("insert", BUILT, "#{}") "]",
         "'[" CARD_JSON("\"" OWN "\"", "\"new\"", THEN_JSON, NOW_JSON) "," //
         CARD_JSON("\"" UUID1 "\"", "null", NOW_JSON, NOW_JSON) "]',7",
         "card => nil, cards => [" CARD(TEXT(OWN), "<<\"new\">>", TOUCHED) ", " //
         CARD(TEXT(UUID1), "nil", STAMPED) "]"},
    };
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        check_change("update", "loaded", "7", "card => nil, cards => [" STORED "]", &many[i],
                     "UPDATE \"users\" SET \"all_cards\" = ? WHERE \"id\" = ?", NULL);
}

static void an_update_of_nothing(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "update",
         "[" CHANGESET(OWNER("loaded", "7", "card => " STORED ", cards => []"), "#{}",
                       USER_TYPES_OF) "]");
    ecto_settled(&run);
    assert_returns(&run, "{ok, " OWNER("loaded", "7", "card => " STORED ", cards => []") "}");
    ecto_fini(&run);
}

/* What comes of a struct that was inserted: changesets of the structs, without ids. */
static void a_violated_constraint(void **state) {
    (void)state;
#define FRESH(data, types)                                                                         \
    "#{" CHANGESET_BASE ", action => insert, repo => nil, repo_opts => [], errors => [], "         \
    "'valid?' => true, data => " data ", changes => #{}, types => " types ", constraints => []}"
#define UNIQUE CONSTRAINT("unique", "name", "users_name_index", "exact", "has already been taken")
    struct ecto_run run;
    const char *data = OWNER("built", "nil", "card => " STORED ", cards => [" BUILT "]");
    static char args[16384], expected[16384];
    snprintf(args, sizeof args, "[" CHANGESET_WITH("%s", "#{}", USER_TYPES_OF, "[" UNIQUE "]") "]",
             data);
    plan(&run, "insert", args);
    ecto_failed(&run, ELFS_SQLITE, "UNIQUE constraint failed: users.name");
    snprintf(expected, sizeof expected,
             "{error, " ANSWERED(
                 "insert", "%s",
                 "#{name => <<\"A\">>, card => " FRESH(STORED, CARD_TYPES) ", cards => [" //
                 FRESH(BUILT, CARD_TYPES) "]}",
                 USER_TYPES_OF, "[" UNIQUE "]",
                 "{name, {<<\"has already been taken\">>, [{constraint, unique}, {constraint_name, "
                 "<<\"users_name_index\">>}]}}") "}",
             data);
    assert_returns(&run, expected);
    ecto_fini(&run);
}

/* As they are: no ids, no timestamps. */
static void insert_all(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all",
         "['Elixir.My.User', [#{card => " CARD(
             "nil", "<<\"x\">>",
             NEW) ", cards => [" STORED
                  "]}, [{card, nil}, {cards, []}], #{card => nil, cards => nil}]]");
    assert_plan(&run, "INSERT INTO \"users\" (\"card\",\"all_cards\") VALUES (?1,?2)",
                "'" CARD_JSON("null", "\"x\"", "null", "null") "','[" STORED_JSON "]';"
                                                               "'null','[]';'null','null'");
    ecto_done(&run, NULL, 3);
    assert_returns(&run, "{3, nil}");
    ecto_fini(&run);
}

static void on_conflict(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert",
         "[" OWNER("built", "nil",
                   "card => nil, cards => []") ", [{on_conflict, [{set, [{card, " STORED
                                               "}, {cards, []}]}]}, {conflict_target, name}]]");
    assert_plan(
        &run,
        "INSERT INTO \"users\" AS u0 (\"name\") VALUES (?1) ON CONFLICT (\"name\") DO UPDATE SET "
        "\"card\" = ?, \"all_cards\" = ? RETURNING \"id\"",
        "'A','" STORED_JSON "','[]'");
    ecto_fini(&run);
    plan(&run, "insert",
         "[" OWNER("built", "nil",
                   "card => nil, cards => []") ", [{on_conflict, [{set, [{card, "
                                               "nil}]}]}, {conflict_target, name}]]");
    assert_plan(
        &run,
        "INSERT INTO \"users\" AS u0 (\"name\") VALUES (?1) ON CONFLICT (\"name\") DO UPDATE SET "
        "\"card\" = ? RETURNING \"id\"",
        "'A','null'");
    ecto_fini(&run);
    plan(&run, "insert",
         "[" OWNER("built", "nil",
                   "card => nil, cards => []") ", [{on_conflict, [{set, [{cards, "
                                               "nil}]}]}, {conflict_target, name}]]");
    assert_refused(&run, ELFS_UNSUPPORTED, "only Ecto can cast"); /* to [] */
    ecto_fini(&run);
}

/* insert with returning: [card, cards], of a row with these texts. */
static void returned(struct ecto_run *run, const char *card, const char *cards) {
    static char row[8192];
    plan(run, "insert",
         "[" OWNER("built", "1", "card => nil, cards => []") ", [{returning, [card, cards]}]]");
    snprintf(row, sizeof row, "%s,%s", card, cards);
    ecto_done(run, row, 1);
}

static void returning(void **state) {
    (void)state;
    static const struct {
        const char *card;
        const char *cards;
        const char *fields;
    } table[] = {
        {"NULL", "NULL", "card => nil, cards => []"},
        {"'null'", "'null'", "card => nil, cards => []"},
        {"'" CARD_JSON_OF("\"" OWN "\"", "\"x\"", "{\"text\":\"n\"}", "[{\"text\":null},{}]",
                          "\"goods\"", "2", THEN_JSON, "null") "'",
         "'[" STORED_JSON "]'",
         "card => " CARD_OF(
             TEXT(OWN), "<<\"x\">>", NOTE("<<\"n\">>"), "[" NOTE("nil") ", " NOTE("nil") "]",
             "kind => goods, state => paid, seen => nil",
             "inserted_at => " THEN ", updated_at => nil") ", cards => [" STORED "]"},
        /* A key that is missing leaves the schema's default, one that is not known is nothing. */
        {"'{}'", "'[{\"label\":\"x\",\"seen\":true,\"notes\":null}]'",
         "card => " CARD("nil", "<<\"none\">>", NEW) ", cards => [" //
         CARD("nil", "<<\"none\">>", NEW) "]"},
        {"'{\"l\":null,\"kind\":\"G\",\"inserted_at\":\"2020-01-02 03:04:05.9\"}'", "'[]'",
         "card => " CARD_OF("nil", "nil", "nil", "[]", "kind => goods, state => nil, seen => nil",
                            "inserted_at => " THEN ", updated_at => nil") ", cards => []"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        static char expected[8192];
        returned(&run, table[i].card, table[i].cards);
        snprintf(expected, sizeof expected, "{ok, " OWNER("loaded", "1", "%s") "}",
                 table[i].fields);
        assert_returns(&run, expected);
        ecto_fini(&run);
    }
}

static void not_of_the_schema(void **state) {
    (void)state;
    static const char *const cards[] = {
        "'[]'",
        "'\"x\"'",
        "'{'",
        "5",
        "'{\"l\":1}'",
        "'{\"note\":[]}'",
        "'{\"note\":{\"text\":1}}'",
        "'{\"notes\":{}}'",
        "'{\"notes\":[null]}'",
        "'{\"kind\":\"none\"}'",
        "'{\"state\":\"paid\"}'",
        "'{\"state\":3}'",
        "'{\"inserted_at\":\"soon\"}'",
    };
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        struct ecto_run run;
        returned(&run, cards[i], "NULL");
        char *text = term_print((struct elfs_view){run.buf.data, run.buf.len});
        if (!run.raised || !strstr(text, "'__struct__' => 'Elixir.ArgumentError'"))
            fail_msg("%s: %s", cards[i], text);
        (free)(text);
        ecto_fini(&run);
    }
    struct ecto_run run;
    returned(&run, "NULL", "'[1]'");
    assert_true(run.raised);
    ecto_fini(&run);
    returned(&run, "NULL", "'{}'");
    assert_true(run.raised);
    ecto_fini(&run);
}

static void returned_rows(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_all",
         "['Elixir.My.User', [#{card => nil}, #{card => nil}], [{returning, [card]}]]");
    ecto_done(&run, "'null';'{\"l\":\"x\"}'", 2);
    assert_returns(
        &run,
        "{2, [" USER(
            "loaded",
            "id => nil, name => <<\"A\">>, tree => nil, bad => nil, "
            "lost => nil, card => nil, cards => []") ", " USER("loaded",
                                                               "id => nil, name => <<\"A\">>, tree "
                                                               "=> nil, bad => nil, lost => "
                                                               "nil, card => " CARD(
                                                                   "nil", "<<\"x\">>",
                                                                   NEW) ", cards => []") "]}");
    ecto_fini(&run);
}

/* Insert or update of one change, or the struct alone. */
static void refusals(void **state) {
    (void)state;
#define INSERT(fields) "[" OWNER("built", "nil", fields) "]"
#define CHANGED_TO(state, id, changes)                                                             \
    "[" CHANGESET(OWNER(state, id, "card => nil, cards => []"), "#{" changes "}", USER_TYPES_OF) "]"
#define BAD(money) "#{'__struct__' => 'Elixir.My.Bad', id => 1, money => " money "}"
#define LOST "#{'__struct__' => 'Elixir.My.Lost', a => 1}"
    static const struct {
        const char *function;
        const char *args;
        const char *message;
    } table[] = {
        {"insert", INSERT("card => nil, cards => nil"),
         "field cards: a changeset of Elixir.My.Card is no list, which needs Ecto"},
        {"insert", CHANGED_TO("built", "nil", "lost => " CHANGE("insert", LOST, "#{}")),
         "field lost: the embedded schema Elixir.My.Lost is not known"},
        {"insert", "[" USER("built", "id => nil, lost => " LOST) "]",
         "field lost: the embedded schema Elixir.My.Lost is not known"},
        {"insert_all", "['Elixir.My.User', [#{lost => " LOST "}]]",
         "field lost: the embedded schema Elixir.My.Lost is not known"},
        {"insert",
         CHANGED_TO("built", "nil",
                    "card => " CHANGE_WITH("insert", BUILT, "#{}", "true", "[fun a:b/1]")),
         "field card: a changeset of Elixir.My.Card has prepare_changes, which needs Ecto"},
        {"insert",
         CHANGED_TO("built", "nil", "card => " CHANGE_WITH("insert", BUILT, "#{}", "false", "[]")),
         "field card: a changeset of Elixir.My.Card is invalid and its parent is not, which needs "
         "Ecto"},
        {"insert", CHANGED_TO("built", "nil", "card => " CHANGE("nil", BUILT, "#{}")),
         "field card: a changeset of Elixir.My.Card is neither to be inserted, updated nor "
         "deleted, which needs Ecto"},
        {"insert", CHANGED_TO("built", "nil", "card => " CHANGE("insert", NOTE("nil"), "#{}")),
         "field card: a changeset of Elixir.My.Card has another struct, which needs Ecto"},
        {"insert", INSERT("card => " NOTE("nil") ", cards => []"),
         "field card: a changeset of Elixir.My.Card has another struct, which needs Ecto"},
        {"insert", INSERT("card => nil, cards => [" STORED ", " BUILT ", " STORED "]"),
         "field cards: a changeset of Elixir.My.Card has the key of another, which needs Ecto"},
        {"insert", INSERT("card => nil, cards => " BUILT),
         "field cards: a changeset of Elixir.My.Card is no list, which needs Ecto"},
        {"update",
         CHANGED_TO("loaded", "7", "card => " CHANGE("update", BUILT, "#{label => <<\"x\">>}")),
         "field card: a changeset of Elixir.My.Card updates a struct without a key, which needs "
         "Ecto"},
        {"update",
         CHANGED_TO("loaded", "7",
                    "card => " CHANGE("update", STORED,
                                      "#{note => " CHANGE("replace", STORED, "#{}") "}")),
         "field card: field note: a changeset of Elixir.My.Note has another struct, which needs "
         "Ecto"},
        /* on_replace is raise */
        {"update",
         CHANGED_TO("loaded", "7",
                    "tree => " CHANGE("replace",
                                      "#{'__struct__' => 'Elixir.My.Tree', child => nil}", "#{}")),
         "field tree: a changeset of Elixir.My.Tree is neither to be inserted, updated nor "
         "deleted, which needs Ecto"},
        {"insert", CHANGED_TO("built", "nil", "bad => " CHANGE("insert", BAD("nil"), "#{}")),
         "field bad: a changeset of Elixir.My.Bad has a key that cannot be made, which needs Ecto"},
        {"insert_all", "['Elixir.My.User', [#{bad => " BAD("#{a => 1}") "}]]",
         "field bad: its field money: a type that only the application knows"},
        {"insert_all", "['Elixir.My.User', [#{card => " NOTE("nil") "}]]",
         "field card: a value that is no struct of Elixir.My.Card"},
        {"insert_all", "['Elixir.My.User', [#{cards => [" NOTE("nil") "]}]]",
         "field cards: a value that is no struct of Elixir.My.Card"},
        {"insert_all", "['Elixir.My.User', [#{cards => " BUILT "}]]",
         "field cards: a value that is no list of Elixir.My.Card"},
        {"insert_all",
         "['Elixir.My.User', [#{card => " CARD_OF(
             "nil", "nil", "nil", "[]", "kind => nil, state => lost, seen => nil", NEW) "}]]",
         "field card: its field state: a value that its Ecto.Enum does not have"},
        {"insert_all",
         "['Elixir.My.User', [#{card => " CARD_OF(
             "nil", "nil", NOTE("#{'__struct__' => 'Elixir.Money'}"), "[]", NONE_MORE, NEW) "}]]",
         "field card: its field note: its field text: how a struct in a map becomes JSON only the "
         "application knows"},
        {"insert", "[" OWNER("built", "nil", "card => nil, cards => []") ", [{returning, [lost]}]]",
         "returning lost, whose type only the application can load"},
        {"insert", "[" OWNER("built", "nil", "card => nil, cards => []") ", [{returning, [bad]}]]",
         "returning bad, whose type only the application can load"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        plan(&run, table[i].function, table[i].args);
        assert_refused(&run, ELFS_UNSUPPORTED, table[i].message);
        ecto_fini(&run);
    }
}

/* Not what Ecto sends. */
static void malformed(void **state) {
    (void)state;
    static const char *const changes[] = {
        "card => " BUILT,
        "card => []",
        "cards => nil",
        "cards => " CHANGE("insert", BUILT, "#{}"),
        "cards => [" BUILT "]",
        "cards => [" CHANGE("insert", BUILT, "#{}") " | x]",
        "card => #{'__struct__' => 'Elixir.Ecto.Changeset'}",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct ecto_run run;
        char args[8192];
        snprintf(args, sizeof args, CHANGED_TO("built", "nil", "%s"), changes[i]);
        plan(&run, "insert", args);
        if (run.code != ELFS_BADARG && run.code != ELFS_UNSUPPORTED)
            fail_msg("%s: %s", changes[i], elfs_code_name(run.code));
        assert_int_equal(run.err.code, run.code);
        ecto_fini(&run);
    }
}

/* A tree of so many levels: as a struct, and as JSON. */
static char *tree(const char *open, const char *leaf, const char *close, int levels) {
    static char text[4096];
    size_t n = 0;
    for (int i = 0; i < levels; i++) n += (size_t)sprintf(text + n, "%s", open);
    n += (size_t)sprintf(text + n, "%s", leaf);
    for (int i = 0; i < levels; i++) n += (size_t)sprintf(text + n, "%s", close);
    return text;
}

static char *tree_struct(int levels) {
    return tree("#{'__struct__' => 'Elixir.My.Tree', child => ", "nil", "}", levels);
}

static char *tree_json(int levels) { return tree("{\"child\":", "null", "}", levels); }

static void depth(void **state) {
    (void)state;
    static const char *const forms[][2] = {
        {"insert", "[" USER("built", "id => nil, tree => %s") "]"},
        {"insert_all", "['Elixir.My.User', [#{tree => %s}]]"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct ecto_run run;
        char args[8192], params[8192];
        snprintf(args, sizeof args, forms[i][1], tree_struct(ELFS_ECTO_EMBED_DEPTH_MAX));
        plan(&run, forms[i][0], args);
        snprintf(params, sizeof params, "'%s'", tree_json(ELFS_ECTO_EMBED_DEPTH_MAX));
        assert_plan(&run,
                    i == 0 ? "INSERT INTO \"users\" (\"tree\") VALUES (?1) RETURNING \"id\""
                           : "INSERT INTO \"users\" (\"tree\") VALUES (?1)",
                    params);
        ecto_fini(&run);
        snprintf(args, sizeof args, forms[i][1], tree_struct(ELFS_ECTO_EMBED_DEPTH_MAX + 1));
        plan(&run, forms[i][0], args);
        assert_refused(&run, ELFS_UNSUPPORTED, "embedded schemas of more than 32 levels");
        ecto_fini(&run);
    }
}

/* What is deleted in the end would not be stored. */
static void depth_of_changesets(void **state) {
    (void)state;
#define LEAF "#{'__struct__' => 'Elixir.My.Tree', child => nil}"
    static const char open[] =
        "#{'__struct__' => 'Elixir.Ecto.Changeset', 'valid?' => true, prepare => [], data => " LEAF
        ", action => insert, changes => #{child => ";
    static char change[16384], args[32768];
    for (int more = 0; more <= 1; more++) {
        struct ecto_run run;
        size_t n = 0;
        int levels = ELFS_ECTO_EMBED_DEPTH_MAX - 1 + more;
        for (int i = 0; i < levels; i++) n += (size_t)sprintf(change + n, "%s", open);
        n += (size_t)sprintf(change + n, "%s", CHANGE("delete", LEAF, "#{}"));
        for (int i = 0; i < levels; i++) n += (size_t)sprintf(change + n, "}}");
        snprintf(args, sizeof args, CHANGED_TO("built", "nil", "tree => %s"), change);
        plan(&run, "insert", args);
        if (more) {
            assert_refused(&run, ELFS_UNSUPPORTED, "embedded schemas of more than 32 levels");
        } else {
            assert_int_equal(run.code, ELFS_OK);
        }
        ecto_fini(&run);
    }
}

static void depth_of_what_is_returned(void **state) {
    (void)state;
    for (int more = 0; more <= 1; more++) {
        struct ecto_run run;
        char row[8192], expected[8192];
        int levels = ELFS_ECTO_EMBED_DEPTH_MAX + more;
        plan(&run, "insert",
             "[" USER("built", "id => 1, name => nil, tree => nil") ", [{returning, [tree]}]]");
        snprintf(row, sizeof row, "'%s'", tree_json(levels));
        ecto_done(&run, row, 1);
        assert_int_equal(run.raised, more == 1);
        snprintf(expected, sizeof expected,
                 "{ok, " USER("loaded", "id => 1, name => nil, tree => %s") "}",
                 tree_struct(levels));
        if (more == 0) assert_returns(&run, expected);
        ecto_fini(&run);
    }
}

struct scenario {
    struct ecto_run run;
    struct elfs_ecto_outcome outcome;
    size_t used;
};

static bool served(void *arg) {
    struct scenario *s = arg;
    enum elfs_code code = ecto_again(&s->run, &s->outcome, s->used);
    if (code != ELFS_OK) assert_int_equal(code, ELFS_NOMEM);
    return code == ELFS_OK;
}

static void fail_each(const char *function, const char *args, const char *row, const char *error) {
    struct scenario s = {0};
    struct elfs_result result;
    struct elfs_error err;
    elfs_result_init(&result, 1 << 20);
    ecto_result(&result, row, 1);
    s.outcome.result = &result;
    if (error) {
        elfs_fail(&err, ELFS_SQLITE, "%s", error);
        s.outcome = (struct elfs_ecto_outcome){.error = &err};
    }
    plan(&s.run, function, args);
    assert_int_equal(s.run.code, ELFS_OK);
    for (s.used = 1; s.used < 1000; s.used += 16) {
        fail_alloc_each(served, &s);
        fail_alloc_each_once(served, &s);
    }
    ecto_fini(&s.run);
    elfs_result_fini(&result);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char insert[] = "[" OWNER(
        "built", "1",
        "card => " CARD_OF("nil", "<<\"x\">>", NOTE("<<\"n\">>"), "[" NOTE("<<\"1\">>") "]",
                           "kind => goods, state => paid, seen => true", NEW) //
        ", cards => [" STORED ", " BUILT "]") ", [{returning, [card, cards]}]]";
    static const char *const row =
        "'" CARD_JSON_OF("\"" OWN "\"", "\"x\"", "{\"text\":\"n\"}", "[{\"text\":null},{}]",
                         "\"goods\"", "2", THEN_JSON, "null") "','[" STORED_JSON "]'";
    fail_each("insert", insert, row, NULL);
    fail_each("insert", insert, "'[]','null'", NULL);
    fail_each("insert", insert, NULL, "UNIQUE constraint failed: users.name");
    fail_each("update",
              CHANGED_TO("loaded", "7",
                         "card => " CHANGE("update", STORED,
                                           "#{note => " CHANGE("insert", NOTE("nil"), "#{}") "}") //
                         ", cards => [" CHANGE("delete", STORED, "#{}") ", "                      //
                         CHANGE("insert", BUILT, "#{}") "], tree => nil"),
              NULL, NULL);
    fail_each("insert_all",
              "['Elixir.My.User', [#{card => " STORED ", cards => [" STORED
              "]}, #{card => nil, cards => nil}], [{returning, [card, cards]}]]",
              row, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insert_of_a_struct),
        cmocka_unit_test(insert_of_nothing_embedded),
        cmocka_unit_test(inserted_changesets),
        cmocka_unit_test(updates),
        cmocka_unit_test(an_update_of_nothing),
        cmocka_unit_test(a_violated_constraint),
        cmocka_unit_test(insert_all),
        cmocka_unit_test(on_conflict),
        cmocka_unit_test(returning),
        cmocka_unit_test(not_of_the_schema),
        cmocka_unit_test(returned_rows),
        cmocka_unit_test(refusals),
        cmocka_unit_test(malformed),
        cmocka_unit_test(depth),
        cmocka_unit_test(depth_of_changesets),
        cmocka_unit_test(depth_of_what_is_returned),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests_name("ecto_embed", tests, NULL, NULL);
}
