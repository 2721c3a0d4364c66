/* ecto: update, delete and insert_or_update. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ecto_run.h"
#include "ecto_terms.h"

#define ADA(name, updated)                                                                         \
    USER("loaded", "email => <<\"a@b\">>, id => 1, inserted_at => " NAIVE(                         \
                       "1", "{0, 0}") ", name "                                                    \
                                      "=> " name ", updated_at => " updated)
#define OLD NAIVE("1", "{0, 0}")
#define UPDATE_USERS "UPDATE \"users\" SET "

static void plan(struct ecto_run *run, const char *function, const char *columns,
                 const char *args) {
    ecto_init(run, columns);
    ecto_plan(run, function, args);
}

static void an_update(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "update", ecto_users,
         "[" CHANGESET(ADA("<<\"old\">>", OLD), "#{name => <<\"new\">>}", USER_TYPES) "]");
    assert_plan(&run, UPDATE_USERS "\"name\" = ?, \"updated_at\" = ? WHERE \"id\" = ?",
                "'new'," NOW_TEXT ",1");
    ecto_done(&run, NULL, 1);
    assert_returns(&run, "{ok, " ADA("<<\"new\">>", NOW) "}");
    ecto_fini(&run);
}

static void an_update_of_nothing(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "update", ecto_users, "[" CHANGESET(ADA("nil", OLD), "#{}", USER_TYPES) "]");
    ecto_settled(&run);
    assert_returns(&run, "{ok, " ADA("nil", OLD) "}");
    ecto_fini(&run);
    /* the very struct: not even its state is touched */
    plan(&run, "update!", ecto_users, "[" CHANGESET(USER("built", "id => 1"), "#{}", "#{}") "]");
    ecto_settled(&run);
    assert_returns(&run, USER("built", "id => 1"));
    ecto_fini(&run);
    plan(&run, "update", ecto_users,
         "[" CHANGESET(ADA("nil", OLD), "#{}", USER_TYPES) ", [{force, true}]]");
    assert_plan(&run, UPDATE_USERS "\"updated_at\" = ? WHERE \"id\" = ?", NOW_TEXT ",1");
    ecto_fini(&run);
}

static const char post_answers[] =
    "#{id => id, user_id => id, title => string, draft => string, user => {assoc, #{relationship "
    "=> parent, owner_key => user_id, related_key => id, field => user}}}";

/* posts(id, user_id, title); draft is virtual, user an association. */
static void with_posts(struct ecto_run *run) {
    ecto_init(run, "id INTEGER pk, user_id INTEGER, title TEXT");
    run->answers[ELFS_ECTO_Q_DUMP] =
        "#{id => {id, id, always}, user_id => {user_id, id, always}, title => {title, string, "
        "insert}}";
    run->answers[ELFS_ECTO_Q_SOURCE] = "<<\"posts\">>";
    run->answers[ELFS_ECTO_Q_FIELDS] = "[id, user_id, title]";
    run->answers[ELFS_ECTO_Q_PRIMARY_KEY] = "[id]";
    run->answers[ELFS_ECTO_Q_AUTOGENERATE_ID] = "{id, id, id}";
    run->answers[ELFS_ECTO_Q_AUTOGENERATE] = "[]";
    run->answers[ELFS_ECTO_Q_AUTOUPDATE] = "[]";
    run->answers[ELFS_ECTO_Q_READ_AFTER_WRITES] = "[]";
    run->answers[ELFS_ECTO_Q_LOADED] = "#{}";
    run->answers[ELFS_ECTO_Q_CHANGESET] = post_answers;
}

#define POST(draft, user_id, user)                                                                 \
    "#{'__struct__' => 'Elixir.My.Post', " META("Elixir.My.Post", "posts",                         \
                                                "loaded") ", id => 3, user_id => " user_id         \
                                                          ", title => <<\"t\">>, draft => " draft  \
                                                          ", user => " user "}"
#define POST_CHANGESET(user, changes)                                                              \
    "[" CHANGESET(POST("nil", "1", user), changes, "#{id => id}") "]"

static void an_update_of_virtual_fields(void **state) {
    (void)state;
    struct ecto_run run;
    with_posts(&run);
    ecto_plan(&run, "update", POST_CHANGESET("nil", "#{draft => <<\"d\">>}"));
    ecto_settled(&run);
    assert_returns(&run, "{ok, " POST("<<\"d\">>", "1", "nil") "}");
    ecto_fini(&run);
    with_posts(&run);
    ecto_plan(&run, "update", POST_CHANGESET("nil", "#{title => <<\"x\">>}"));
    assert_refused(&run, ELFS_UNSUPPORTED, "title is not writable");
    ecto_fini(&run);
}

#define LOADED_USER "#{'__struct__' => 'Elixir.My.User', '__meta__' => #{}, id => 1}"

static void a_loaded_parent(void **state) {
    (void)state;
    static const struct {
        const char *args;
        bool taken;
    } table[] = {
        {POST_CHANGESET(NOT_LOADED("user"), "#{user_id => 2}"), true},
        {POST_CHANGESET(LOADED_USER, "#{user_id => 1}"), true},
        {POST_CHANGESET(LOADED_USER, "#{draft => <<\"d\">>, user_id => 2}"), false},
        {POST_CHANGESET("nil", "#{user_id => 2}"), false},
        {POST_CHANGESET("nil", "#{user_id => nil}"), true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ecto_run run;
        with_posts(&run);
        ecto_plan(&run, "update", table[i].args);
        if (table[i].taken) {
            assert_int_equal(run.code, ELFS_OK);
        } else {
            assert_refused(&run, ELFS_UNSUPPORTED, "field user is loaded and its key changes");
        }
        ecto_fini(&run);
    }
}

static void filters(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "update", "id INTEGER pk, lock INTEGER, name TEXT",
         "[#{" CHANGESET_BASE ", action => update, repo => nil, repo_opts => [], errors => [], "
         "'valid?' => true, constraints => [], changes => #{name => <<\"n\">>}, types => #{id => "
         "id, lock => integer, name => string}, filters => #{lock => 4, name => nil}, data => " //
         USER("loaded", "id => 1, lock => 4, name => nil") "}]");
    assert_refused(&run, ELFS_BADARG, "changeset");
    ecto_fini(&run);
    plan(&run, "update", "id INTEGER pk, lock INTEGER, name TEXT",
         "[#{'__struct__' => 'Elixir.Ecto.Changeset', prepare => [], action => update, repo => "
         "nil, repo_opts => [], errors => [], 'valid?' => true, constraints => [], changes => "
         "#{name => <<\"n\">>}, types => #{id => id, lock => integer, name => string}, filters => "
         "#{lock => 4, name => nil}, data => " //
         USER("loaded", "id => 1, lock => 4, name => nil") "}]");
    assert_plan(&run,
                UPDATE_USERS "\"name\" = ? WHERE \"id\" = ? AND \"lock\" = ? AND \"name\" IS NULL",
                "'n',1,4");
    ecto_fini(&run);
}

static void keys_that_are_missing(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "delete", ecto_users, "[" USER("loaded", "id => nil") "]");
    ecto_settled(&run);
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => "
                        "'Elixir.Ecto.NoPrimaryKeyValueError', message => <<\"struct "
                        "`#My.User<...>` is missing primary key value\">>, struct => " USER(
                            "loaded", "id => nil") "}");
    ecto_fini(&run);
    plan(&run, "delete", "name TEXT", "[" USER("loaded", "name => nil") "]");
    ecto_settled(&run);
    assert_raises(&run, "#{'__exception__' => true, '__struct__' => "
                        "'Elixir.Ecto.NoPrimaryKeyFieldError', message => <<\"schema `My.User` has "
                        "no primary key\">>, schema => 'Elixir.My.User'}");
    ecto_fini(&run);
    plan(&run, "delete", "key INTEGER pk", "[" USER("loaded", "id => 1") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "the table's key key is no field");
    ecto_fini(&run);
}

static void a_delete(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "delete", "a INTEGER pk, b TEXT pk",
         "[" USER("loaded", "a => 1, b => <<\"x\">>") "]");
    assert_plan(&run, "DELETE FROM \"users\" WHERE \"a\" = ? AND \"b\" = ?", "1,'x'");
    ecto_done(&run, NULL, 1);
    assert_returns(&run, "{ok, " USER("deleted", "a => 1, b => <<\"x\">>") "}");
    ecto_fini(&run);
}

static void a_delete_that_may_want_more(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "delete", ecto_users,
         "[" USER("loaded", "id => 1, posts => " NOT_LOADED("posts")) "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "field posts may want more");
    ecto_fini(&run);
    plan(&run, "delete", ecto_users,
         "[" CHANGESET(USER("loaded", "id => 1, posts => " NOT_LOADED("posts")), "#{}",
                       "#{id => id, posts => {assoc, #{on_delete => delete_all}}}") "]");
    assert_refused(&run, ELFS_UNSUPPORTED, "field posts: on_delete");
    ecto_fini(&run);
    plan(&run, "delete", ecto_users,
         "[" CHANGESET(USER("loaded", "id => 1, posts => " NOT_LOADED("posts")), "#{}",
                       "#{id => id, posts => {assoc, #{on_delete => nothing}}}") "]");
    assert_plan(&run, "DELETE FROM \"users\" WHERE \"id\" = ?", "1");
    ecto_fini(&run);
}

static void insert_or_update_by_state(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_or_update", "id INTEGER pk, name TEXT",
         "[" CHANGESET(USER("built", "id => nil, name => nil"), "#{name => <<\"n\">>}",
                       "#{id => id, name => string}") "]");
    assert_plan(&run, "INSERT INTO \"users\" (\"name\") VALUES (?1) RETURNING \"id\"", "'n'");
    ecto_fini(&run);
    plan(&run, "insert_or_update", "id INTEGER pk, name TEXT",
         "[" CHANGESET(USER("loaded", "id => 2, name => nil"), "#{name => <<\"n\">>}",
                       "#{id => id, name => string}") "]");
    assert_plan(&run, UPDATE_USERS "\"name\" = ? WHERE \"id\" = ?", "'n',2");
    ecto_fini(&run);
    plan(&run, "insert_or_update!", "id INTEGER pk, name TEXT",
         "[" CHANGESET(USER("deleted", "id => 2"), "#{}", "#{}") "]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("the changeset has an invalid state for "
                                       "Repo.insert_or_update!/2: deleted"));
    ecto_fini(&run);
}

/* The option is an insert's: an update's row that is gone is stale all the same. */
static void on_conflict_does_not_excuse_an_update(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "insert_or_update", "id INTEGER pk, name TEXT",
         "[" CHANGESET(USER("loaded", "id => 2, name => nil"), "#{name => <<\"n\">>}",
                       "#{id => id, name => string}") ", [{on_conflict, nothing}]]");
    ecto_done(&run, NULL, 0);
    assert_true(run.raised);
    ecto_fini(&run);
}

static void what_takes_a_changeset(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "update", ecto_users, "[" USER("loaded", "id => 1") "]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("giving a struct to Ecto.Repo.update/2 is not supported. "
                                       "Ecto is unable to properly track changes when a struct is "
                                       "given, an Ecto.Changeset must be given instead"));
    ecto_fini(&run);
    plan(&run, "insert_or_update", ecto_users, "[" USER("loaded", "id => 1") "]");
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("giving a struct to Repo.insert_or_update/2 or "
                                       "Repo.insert_or_update!/2 is not supported. Please use an "
                                       "Ecto.Changeset"));
    ecto_fini(&run);
}

#define WITH_ACTION(action, valid)                                                                 \
    "[#{" CHANGESET_BASE ", action => " action ", repo => nil, repo_opts => [], errors => [], "    \
    "'valid?' => " valid                                                                           \
    ", constraints => [], changes => #{}, types => #{}, data => " USER("loaded", "id => 1") "}]"

static void a_changeset_for_another_action(void **state) {
    (void)state;
    struct ecto_run run;
    plan(&run, "delete", ecto_users, WITH_ACTION("update", "true"));
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("a changeset with action :update was given to "
                                       "My.Repo.delete/2"));
    ecto_fini(&run);
    plan(&run, "delete", ecto_users, WITH_ACTION("ignore", "true"));
    ecto_settled(&run);
    assert_raises(&run, ARGUMENT_ERROR("a valid changeset with action :ignore was given to "
                                       "My.Repo.delete/2. Changesets can only be ignored in a "
                                       "repository action if they are also invalid"));
    ecto_fini(&run);
    plan(&run, "delete", ecto_users, WITH_ACTION("ignore", "false"));
    ecto_settled(&run);
    assert_returns(
        &run, "{error, " ANSWERED("delete", USER("loaded", "id => 1"), "#{}", "#{}", "[]", "") "}");
    ecto_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update),
        cmocka_unit_test(an_update_of_nothing),
        cmocka_unit_test(an_update_of_virtual_fields),
        cmocka_unit_test(a_loaded_parent),
        cmocka_unit_test(filters),
        cmocka_unit_test(keys_that_are_missing),
        cmocka_unit_test(a_delete),
        cmocka_unit_test(a_delete_that_may_want_more),
        cmocka_unit_test(insert_or_update_by_state),
        cmocka_unit_test(on_conflict_does_not_excuse_an_update),
        cmocka_unit_test(what_takes_a_changeset),
        cmocka_unit_test(a_changeset_for_another_action),
    };
    return cmocka_run_group_tests_name("ecto_update", tests, NULL, NULL);
}
