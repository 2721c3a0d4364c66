%% query_many and transaction: all or nothing.
-module(bulk_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [many, many_with_returning, many_of_nothing, many_reads, many_with_names, many_fails,
     many_with_a_bad_parameter, many_with_wrong_sql, many_thousands, transaction, transaction_of_nothing,
     transaction_sees_itself, transaction_fails, transaction_with_a_bad_parameter, transaction_control,
     transaction_timeout, many_result_too_big, options].

init_per_suite(Config) ->
    Started = ct_env:start(Config),
    [{node, ct_node:start(Started, #{owner => suite})} | Started].

end_per_suite(Config) ->
    ct_node:stop(?config(node, Config)),
    ct_env:stop(Config).

init_per_testcase(_Case, Config) ->
    Node = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "DROP TABLE IF EXISTS t"),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)"),
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

many(Config) ->
    ?assertEqual({ok, #{columns => nil, rows => nil, num_rows => 3, changes => 3, last_insert_rowid => 3,
                        position => nil}},
                 query_many(Config, "INSERT INTO t (a) VALUES (?)", [[1], ["two"], [nil]])),
    ?assertEqual([[<<"1">>, <<"1">>], [<<"2">>, <<"two">>], [<<"3">>, <<>>]], rows(Config)).

many_with_returning(Config) ->
    ?assertEqual({ok, #{columns => [<<"id">>, <<"a">>], rows => [[1, 10], [2, 20]], num_rows => 2, changes => 2,
                        last_insert_rowid => 2, position => nil}},
                 query_many(Config, "INSERT INTO t (a) VALUES (?) RETURNING id, a", [[10], [20]])).

many_of_nothing(Config) ->
    ?assertMatch({ok, #{num_rows := 0, changes := 0}}, query_many(Config, "INSERT INTO t (a) VALUES (?)", [])),
    ?assertEqual([], rows(Config)).

many_reads(Config) ->
    ?assertMatch({ok, #{columns := [_], rows := [[1], [2], [3]], num_rows := 3, changes := 0}},
                 query_many(Config, "SELECT ?", [[1], [2], [3]])).

many_with_names(Config) ->
    ?assertMatch({ok, #{changes := 2}},
                 query_many(Config, "INSERT INTO t (id, a) VALUES (:id, :a)",
                            [#{id => 5, a => 1}, #{<<"a">> => 2, <<"id">> => 6}])),
    ?assertEqual([[<<"5">>, <<"1">>], [<<"6">>, <<"2">>]], rows(Config)).

%% The index says which; nothing of the others stays.
many_fails(Config) ->
    [?assertMatch({error, {Index, #{code := constraint_unique}}},
                  query_many(Config, "INSERT INTO t (a) VALUES (?)", Sets), Sets)
     || {Index, Sets} <- [{2, [[1], [1]]}, {3, [[1], [2], [1], [3]]}, {5, [[1], [2], [3], [4], [4]]}]],
    ?assertEqual([], rows(Config)).

many_with_a_bad_parameter(Config) ->
    ?assertMatch({error, {2, #{code := invalid_parameter}}},
                 query_many(Config, "INSERT INTO t (a) VALUES (?)", [[1], [{}], [3]])),
    ?assertMatch({error, {3, #{code := invalid_parameter}}},
                 query_many(Config, "INSERT INTO t (a) VALUES (?)", [[1], [2], [3, 4]])),
    ?assertEqual([], rows(Config)).

%% The fault is in none of the sets: no index.
many_with_wrong_sql(Config) ->
    [?assertMatch({error, #{code := Code}}, query_many(Config, Sql, [[]]), Sql)
     || {Sql, Code} <- [{"SELEKT", error}, {"", empty_statement}, {"SELECT 1; SELECT 2", multiple_statements}]],
    ?assertMatch({error, {unsupported, _}}, query_many(Config, "VACUUM", [[]])).

many_thousands(Config) ->
    N = 20000,
    ?assertMatch({ok, #{changes := N}},
                 query_many(Config, "INSERT INTO t (a) VALUES (?)", [[I] || I <- lists:seq(1, N)])),
    ?assertEqual([[<<"20000">>, <<"200010000">>]],
                 ct_sqlite:query(db(Config), "SELECT count(*), sum(a) FROM t")).

transaction(Config) ->
    {ok, Results} = transaction(Config, [{"INSERT INTO t (a) VALUES (?)", [1]},
                                         {<<"INSERT INTO t (a) VALUES (:a) RETURNING a">>, #{a => 2}},
                                         {"SELECT a FROM t ORDER BY a", []},
                                         {["UPDATE t SET a = a + 10"], []}]),
    ?assertMatch([#{num_rows := 1, rows := nil}, #{rows := [[2]]}, #{rows := [[1], [2]], num_rows := 2},
                  #{changes := 2, rows := nil}], Results),
    ?assertEqual([[<<"1">>, <<"11">>], [<<"2">>, <<"12">>]], rows(Config)).

transaction_of_nothing(Config) ->
    ?assertEqual({ok, []}, transaction(Config, [])).

transaction_sees_itself(Config) ->
    ?assertMatch({ok, [_, _, #{rows := [[1]]}]},
                 transaction(Config, [{"INSERT INTO t (a) VALUES (1)", []}, {"INSERT INTO t (a) VALUES (2)", []},
                                      {"SELECT count(*) FROM t WHERE a = 2", []}])).

transaction_fails(Config) ->
    Insert = fun(A) -> {"INSERT INTO t (a) VALUES (?)", [A]} end,
    ?assertMatch({error, {3, #{code := constraint_unique}}}, transaction(Config, [Insert(1), Insert(2), Insert(1)])),
    ?assertMatch({error, {2, #{code := error}}}, transaction(Config, [Insert(1), {"nonsense", []}, Insert(2)])),
    ?assertMatch({error, {1, #{code := empty_statement}}}, transaction(Config, [{"", []}, Insert(2)])),
    ?assertEqual([], rows(Config)).

transaction_with_a_bad_parameter(Config) ->
    ?assertMatch({error, {2, #{code := invalid_parameter}}},
                 transaction(Config, [{"INSERT INTO t (a) VALUES (?)", [1]},
                                      {"INSERT INTO t (a) VALUES (?)", [self()]}])),
    ?assertEqual([], rows(Config)).

transaction_control(Config) ->
    [?assertMatch({error, {2, {unsupported, _}}},
                  transaction(Config, [{"INSERT INTO t (a) VALUES (1)", []}, {Sql, []}]), Sql)
     || Sql <- ["COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT s", "ATTACH ':memory:' AS m", "VACUUM"]],
    ?assertEqual([], rows(Config)).

transaction_timeout(Config) ->
    Slow = {"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c", []},
    ?assertMatch({error, {2, #{code := timeout}}},
                 call(Config, transaction, [[{"INSERT INTO t (a) VALUES (1)", []}, Slow], [{timeout, 300}]])),
    ?assertEqual([], rows(Config)).

many_result_too_big(Config) ->
    Node = ct_node:start(Config, #{args => ["--max-result", "100000"]}),
    ?assertMatch({error, {N, #{code := result_too_big}}} when N > 1,
                 ct_node:call(Node, query_many, ['Test.Repo', "SELECT zeroblob(?)", [[40000] || _ <- lists:seq(1, 9)]])),
    ct_node:stop(Node).

options(Config) ->
    ?assertMatch({ok, _}, call(Config, query_many, ["SELECT ?", [[1]], #{timeout => 500}])),
    ?assertMatch({ok, _}, call(Config, transaction, [[{"SELECT 1", []}], [{timeout, 500}]])),
    ?assertMatch({error, #{code := invalid_option}}, call(Config, query_many, ["SELECT ?", [[1]], #{nope => 1}])),
    ?assertMatch({error, #{code := invalid_option}}, call(Config, transaction, [[], [{nope, 1}]])),
    ?assertMatch({error, {unknown_repo, nope}},
                 ct_node:call(?config(node, Config), query_many, [nope, "SELECT ?", [[1]]])).

%% Helpers

call(Config, Function, Args) ->
    ct_node:call(?config(node, Config), Function, ['Test.Repo' | Args]).

query_many(Config, Sql, Sets) ->
    call(Config, query_many, [Sql, Sets]).

transaction(Config, Statements) ->
    call(Config, transaction, [Statements]).

db(Config) ->
    maps:get(db, ?config(node, Config)).

rows(Config) ->
    ct_sqlite:query(db(Config), "SELECT id, a FROM t ORDER BY id").
