%% query/3,4: results, errors, options, what is refused. What was written is read back by the sqlite3 shell.
-module(query_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [result_of_a_select, result_of_an_insert, result_of_returning, no_rows, last_insert_rowid,
     changes_without_triggers, repo_names, unknown_repo, sql_as_iodata, empty_statement,
     several_statements, syntax_error, constraint_errors, foreign_keys_are_on, refused, refused_in_a_view, temporary_objects,
     pragmas_allowed, pragmas_refused, options, statement_timeout, result_too_big, unrepresentable,
     big_blob, reads_do_not_wait, queue_limit, queue_limit_in_bytes, settings_of_the_file,
     info, two_databases, failed_statement_leaves_nothing].

init_per_suite(Config) ->
    Started = ct_env:start(Config),
    [{node, ct_node:start(Started, #{owner => suite})} | Started].

end_per_suite(Config) ->
    ct_node:stop(?config(node, Config)),
    ct_env:stop(Config).

init_per_testcase(_Case, Config) ->
    Node = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "DROP TABLE IF EXISTS t"),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b)"),
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

result_of_a_select(Config) ->
    Node = ?config(node, Config),
    {ok, Result} = ct_node:query(Node, <<"SELECT 1 AS one, 'two' AS \"Zwei ü\", NULL, 2.5, x'00ff'"/utf8>>),
    ?assertEqual(#{columns => [<<"one">>, <<"Zwei ü"/utf8>>, <<"NULL">>, <<"2.5">>, <<"x'00ff'">>],
                   rows => [[1, <<"two">>, nil, 2.5, <<0, 255>>]],
                   num_rows => 1, changes => 0, last_insert_rowid => 0, position => nil}, Result).

result_of_an_insert(Config) ->
    Node = ?config(node, Config),
    {ok, Result} = ct_node:query(Node, "INSERT INTO t (id, a) VALUES (7, 'x'), (8, 'y')"),
    ?assertEqual(#{columns => nil, rows => nil, num_rows => 2, changes => 2, last_insert_rowid => 8,
                   position => nil}, Result),
    ?assertEqual([[<<"7">>, <<"x">>], [<<"8">>, <<"y">>]], rows(Node, "id, a")).

result_of_returning(Config) ->
    Node = ?config(node, Config),
    {ok, Result} = ct_node:query(Node, "INSERT INTO t (id, a) VALUES (1, 'x'), (2, 'y') RETURNING a, id"),
    ?assertEqual(#{columns => [<<"a">>, <<"id">>], rows => [[<<"x">>, 1], [<<"y">>, 2]], num_rows => 2,
                   changes => 2, last_insert_rowid => 2, position => nil}, Result).

no_rows(Config) ->
    Node = ?config(node, Config),
    ?assertMatch({ok, #{columns := [<<"a">>], rows := [], num_rows := 0}},
                 ct_node:query(Node, "SELECT a FROM t")),
    ?assertMatch({ok, #{columns := nil, rows := nil, num_rows := 0, changes := 0}},
                 ct_node:query(Node, "DELETE FROM t")),
    ?assertMatch({ok, #{columns := [<<"id">>], rows := [], num_rows := 0, changes := 0}},
                 ct_node:query(Node, "DELETE FROM t RETURNING id")).

%% Of this request's INSERT, not of one before it.
last_insert_rowid(Config) ->
    Node = ?config(node, Config),
    {ok, #{last_insert_rowid := 41}} = ct_node:query(Node, "INSERT INTO t (id) VALUES (41)"),
    ?assertMatch({ok, #{last_insert_rowid := 0, changes := 1}}, ct_node:query(Node, "UPDATE t SET b = 1")),
    ?assertMatch({ok, #{last_insert_rowid := 0}}, ct_node:query(Node, "SELECT 1")).

changes_without_triggers(Config) ->
    Node = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE IF NOT EXISTS audit (n)"),
    {ok, _} = ct_node:query(Node, "CREATE TRIGGER tr AFTER INSERT ON t BEGIN "
                                  "INSERT INTO audit VALUES (1), (2), (3); END"),
    ?assertMatch({ok, #{changes := 2, num_rows := 2}}, ct_node:query(Node, "INSERT INTO t (a) VALUES (1), (2)")).

repo_names(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({ok, #{rows := [[1]]}}, ct_node:call(Node, query, [Repo, "SELECT 1", []]))
     || Repo <- ['Test.Repo', 'Elixir.Test.Repo', <<"Test.Repo">>, <<"Elixir.Test.Repo">>]].

unknown_repo(Config) ->
    Node = ?config(node, Config),
    [?assertEqual({error, {unknown_repo, Repo}}, ct_node:call(Node, query, [Repo, "SELECT 1", []]))
     || Repo <- ['Other.Repo', 'Elixir.Other.Repo', <<"Other.Repo">>, '', <<"test.repo">>]].

sql_as_iodata(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({ok, #{rows := [[5]]}}, ct_node:query(Node, Sql))
     || Sql <- [<<"SELECT 5">>, "SELECT 5", ["SELECT", [[" "], <<"5">>]], [<<"SELECT">>, $\s, "5"],
                <<"SELECT 5;">>, <<"SELECT 5 ; -- done\n">>, <<"/* a */ SELECT 5 /* b */;;">>,
                <<"-- first\nSELECT 5">>]].

empty_statement(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, #{code := empty_statement, message := _}}, ct_node:query(Node, Sql))
     || Sql <- [<<>>, "", [], "  \n\t", ";", "-- nothing", "/* nothing */", " ; ; "]].

%% Nothing of them runs.
several_statements(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, #{code := multiple_statements}}, ct_node:query(Node, Sql))
     || Sql <- ["INSERT INTO t (a) VALUES (1); INSERT INTO t (a) VALUES (2)",
                "INSERT INTO t (a) VALUES (1); SELECT 1", "SELECT 1; DELETE FROM t;"]],
    ?assertEqual([], rows(Node, "id")).

syntax_error(Config) ->
    Node = ?config(node, Config),
    {error, #{code := error, extended_code := 1, message := Message}} = ct_node:query(Node, "SELEKT 1"),
    ?assertEqual(<<"near \"SELEKT\": syntax error">>, Message),
    ?assertMatch({error, #{code := error, extended_code := 1, message := <<"no such table: ", _/binary>>}},
                 ct_node:query(Node, "SELECT * FROM no_such_table")),
    ?assertMatch({error, #{message := <<"no such column: ", _/binary>>}},
                 ct_node:query(Node, "INSERT INTO t (a) VALUES (nope)")).

constraint_errors(Config) ->
    Node = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "DROP TABLE IF EXISTS c"),
    {ok, _} = ct_node:query(Node, "CREATE TABLE c (id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL, "
                                  "k CHECK (k > 0), f REFERENCES t (id))"),
    {ok, _} = ct_node:query(Node, "INSERT INTO c VALUES (1, 1, 1, 1, NULL)"),
    [?assertMatch({error, #{code := Code, extended_code := Extended, message := Message}},
                  ct_node:query(Node, Sql), Sql)
     || {Sql, Code, Extended, Message} <-
            [{"INSERT INTO c VALUES (2, 1, 1, 1, NULL)", constraint_unique, 2067,
              <<"UNIQUE constraint failed: c.u">>},
             {"INSERT INTO c VALUES (1, 2, 1, 1, NULL)", constraint_primarykey, 1555,
              <<"UNIQUE constraint failed: c.id">>},
             {"INSERT INTO c VALUES (2, 2, NULL, 1, NULL)", constraint_notnull, 1299,
              <<"NOT NULL constraint failed: c.n">>},
             {"INSERT INTO c VALUES (2, 2, 1, 0, NULL)", constraint_check, 275,
              <<"CHECK constraint failed: k > 0">>},
             {"INSERT INTO c VALUES (2, 2, 1, 1, 99)", constraint_foreignkey, 787,
              <<"FOREIGN KEY constraint failed">>}]],
    ?assertEqual(1, ct_sqlite:count(maps:get(db, Node), "c")).

foreign_keys_are_on(Config) ->
    ?assertMatch({ok, #{rows := [[1]]}}, ct_node:query(?config(node, Config), "PRAGMA foreign_keys")).

refused(Config) ->
    Node = #{db := Db, dir := Dir} = ?config(node, Config),
    Other = filename:join(Dir, "other.db"),
    Statements = ["ATTACH '" ++ Other ++ "' AS other", "attach database ':memory:' as x", "DETACH main",
                  "VACUUM", "VACUUM INTO '" ++ Other ++ "'", "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END",
                  "ROLLBACK", "SAVEPOINT s", "RELEASE s", "ROLLBACK TO s",
                  "SELECT load_extension('/tmp/x.so')", "/* c */ BEGIN", "-- c\nCOMMIT",
                  "INSERT INTO t (a) VALUES (load_extension('/tmp/x.so'))",
                  "EXPLAIN ATTACH '" ++ Other ++ "' AS other"],
    [?assertMatch({error, {unsupported, <<_, _/binary>>}}, ct_node:query(Node, Sql), Sql) || Sql <- Statements],
    ?assertNot(filelib:is_file(Other)),
    ?assertEqual([], rows(Node, "id")),
    ct_sqlite:integrity(Db).

%% Hidden in a trigger or a view, it is refused when that is made or when it runs.
refused_in_a_view(Config) ->
    Node = ?config(node, Config),
    ?assertMatch({error, {unsupported, _}},
                 ct_node:query(Node, "WITH x AS (SELECT load_extension('x') AS v) SELECT v FROM x")),
    case ct_node:query(Node, "CREATE VIEW v AS SELECT load_extension('x') AS v") of
        {ok, _} ->
            ?assertMatch({error, _}, ct_node:query(Node, "SELECT * FROM v")),
            {ok, _} = ct_node:query(Node, "DROP VIEW v");
        Refused ->
            ?assertMatch({error, {unsupported, _}}, Refused)
    end.

%% They would belong to the writer's connection, which all clients share: a temporary table would hide
%% the real one of its name from everybody's writes.
temporary_objects(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, {unsupported, <<_, _/binary>>}}, ct_node:query(Node, Sql), Sql)
     || Sql <- ["CREATE TEMP TABLE t (id, a, b)", "CREATE TEMPORARY TABLE other AS SELECT 1",
                "CREATE TEMP VIEW t AS SELECT 1", "CREATE TABLE temp.t (id)",
                "CREATE TEMP TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t; END"]],
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)"),
    ?assertEqual([[<<"1">>]], rows(Node, "a")).

pragmas_allowed(Config) ->
    Node = ?config(node, Config),
    Read = ["application_id", "collation_list", "compile_options", "data_version", "encoding",
            "foreign_key_check", "foreign_key_list(t)", "foreign_keys", "freelist_count", "function_list",
            "index_info(sqlite_autoindex_t_1)", "index_list(t)", "index_xinfo(sqlite_autoindex_t_1)",
            "integrity_check", "journal_mode", "module_list", "page_count", "page_size", "pragma_list",
            "quick_check", "schema_version", "synchronous", "table_info(t)", "table_list",
            "table_xinfo(t)", "user_version"],
    [?assertMatch({ok, #{rows := _}}, ct_node:query(Node, "PRAGMA " ++ P), P) || P <- Read],
    ?assertMatch({ok, _}, ct_node:query(Node, "PRAGMA user_version = 17")),
    ?assertMatch({ok, _}, ct_node:query(Node, "PRAGMA application_id = 18")),
    ?assertEqual([[<<"17">>]], ct_sqlite:query(maps:get(db, Node), "PRAGMA user_version")),
    ?assertEqual([[<<"18">>]], ct_sqlite:query(maps:get(db, Node), "PRAGMA application_id")),
    ?assertMatch({ok, #{rows := [[<<"wal">>]]}}, ct_node:query(Node, "PRAGMA journal_mode")),
    ?assertMatch({ok, #{rows := [[<<"ok">>]]}}, ct_node:query(Node, "PRAGMA integrity_check")).

pragmas_refused(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, {unsupported, _}}, ct_node:query(Node, "PRAGMA " ++ P), P)
     || P <- ["writable_schema = 1", "writable_schema", "journal_mode = DELETE", "synchronous = OFF",
              "foreign_keys = OFF", "locking_mode = EXCLUSIVE", "temp_store_directory = '/tmp'",
              "schema_version = 5", "wal_checkpoint(TRUNCATE)", "query_only = 1", "trusted_schema = 1",
              "main.journal_mode = MEMORY", "ignore_check_constraints = 1", "wal_autocheckpoint = 0",
              "page_size = 8192", "encoding = 'UTF-16'", "no_such_pragma", "optimize",
              "mmap_size = 1000000", "cell_size_check = 0", "incremental_vacuum"]],
    ?assertMatch({ok, #{rows := [[1]]}}, ct_node:query(Node, "PRAGMA foreign_keys")),
    ?assertMatch({ok, #{rows := [[<<"wal">>]]}}, ct_node:query(Node, "PRAGMA journal_mode")).

options(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({ok, _}, ct_node:query(Node, "SELECT 1", [], Options), Options)
     || Options <- [[], #{}, #{timeout => 1000}, [{timeout, 1000}], [{timeout, undefined}],
                    #{timeout => nil}, #{timeout => 1 bsl 70}]],
    [?assertMatch({error, #{code := invalid_option, message := <<_, _/binary>>}},
                  ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], Options), Options)
     || Options <- [#{tiemout => 1}, [{timeout, 0}], [{timeout, -1}], [{timeout, "x"}],
                    [{timeout, 1.5}], #{idle_timeout => 1}, #{tx => not_a_tx},
                    #{<<"nope">> => 1}]],
    ?assertEqual([], rows(Node, "id")).

statement_timeout(Config) ->
    Node = ?config(node, Config),
    Endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) ",
    [begin
         {Time, Result} = timer:tc(fun() -> ct_node:query(Node, Sql, [], #{timeout => 300}) end),
         ?assertMatch({error, #{code := timeout, message := _}}, Result),
         ?assert(Time > 290000),
         ?assert(Time < 5000000)
     end || Sql <- [Endless ++ "SELECT count(*) FROM c", Endless ++ "INSERT INTO t (b) SELECT n FROM c"]],
    ?assertEqual([], rows(Node, "id")).

result_too_big(Config) ->
    Node = ct_node:start(Config, #{args => ["--max-result", "100000"]}),
    ?assertMatch({ok, _}, ct_node:query(Node, "SELECT zeroblob(90000)")),
    ?assertMatch({error, #{code := result_too_big}}, ct_node:query(Node, "SELECT zeroblob(200000)")),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (b)"),
    ?assertMatch({error, #{code := result_too_big}},
                 ct_node:query(Node, "INSERT INTO t VALUES (zeroblob(200000)) RETURNING b")),
    ?assertEqual(0, ct_sqlite:count(maps:get(db, Node), "t")),
    ct_node:stop(Node).

unrepresentable(Config) ->
    Node = ?config(node, Config),
    ?assertMatch({error, #{code := unrepresentable}}, ct_node:query(Node, "SELECT 9e999")),
    ?assertMatch({error, #{code := unrepresentable}},
                 ct_node:query(Node, "INSERT INTO t (b) VALUES (-9e999) RETURNING b")),
    ?assertEqual([], rows(Node, "id")).

big_blob(Config) ->
    Node = #{db := Db} = ?config(node, Config),
    Blob = crypto:strong_rand_bytes(32 * 1024 * 1024),
    {ok, #{num_rows := 1}} = ct_node:query(Node, "INSERT INTO t (id, b) VALUES (1, ?)", [{blob, Blob}]),
    {ok, #{rows := [[Back]]}} = ct_node:query(Node, "SELECT b FROM t"),
    ?assert(Blob =:= Back),
    Out = filename:join(ct_env:dir(Config), "blob"),
    ct_sqlite:exec(Db, ["SELECT writefile('", Out, "', b) FROM t"]),
    ?assertEqual({ok, erlang:md5(Blob)}, case file:read_file(Out) of {ok, B} -> {ok, erlang:md5(B)}; E -> E end).

%% While an interactive transaction holds the writer, with uncommitted rows.
reads_do_not_wait(Config) ->
    Node = #{repo := Repo} = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)"),
    {ok, Tx} = ct_node:call(Node, 'begin', [Repo]),
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (2)", [], #{tx => Tx}),
    {Time, Result} = timer:tc(fun() -> ct_node:query(Node, "SELECT count(*) FROM t") end),
    ?assertMatch({ok, #{rows := [[1]]}}, Result),
    ?assert(Time < 2000000),
    ?assertMatch({ok, #{rows := [[2]]}}, ct_node:query(Node, "SELECT count(*) FROM t", [], #{tx => Tx})),
    {ok, _} = ct_node:call(Node, commit, [Repo, Tx]),
    ?assertMatch({ok, #{rows := [[2]]}}, ct_node:query(Node, "SELECT count(*) FROM t")).

queue_limit(Config) ->
    Node = #{name := Name, repo := Repo, db := Db} = ct_node:start(Config, #{args => ["--max-queue", "5"]}),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    {ok, Tx} = ct_node:call(Node, 'begin', [Repo]),
    Requests = [erpc:send_request(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (?)", [I]])
                || I <- lists:seq(1, 20)],
    %% The refused ones are answered at once, while the writer is held.
    ct_wait:until(fun() -> queued(Node) > 0 end),
    ?assertMatch({error, busy}, ct_node:query(Node, "INSERT INTO t VALUES (0)")),
    ok = ct_node:call(Node, rollback, [Repo, Tx]),
    Results = [erpc:receive_response(R, 10000) || R <- Requests],
    Done = length([ok || {ok, _} <- Results]),
    ?assertEqual(20 - Done, length([ok || {error, busy} <- Results])),
    ?assert(Done >= 4 andalso Done =< 6),
    ?assertEqual(Done, ct_sqlite:count(Db, "t")),
    ct_node:stop(Node).

queue_limit_in_bytes(Config) ->
    Node = #{name := Name, repo := Repo, db := Db} =
        ct_node:start(Config, #{args => ["--max-queue-bytes", "1000000"]}),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    {ok, Tx} = ct_node:call(Node, 'begin', [Repo]),
    Requests = [erpc:send_request(Name, ecto_litefs, query,
                                  [Repo, "INSERT INTO t VALUES (?)", [binary:copy(<<"x">>, 300000)]])
                || _ <- lists:seq(1, 10)],
    ct_wait:until(fun() -> queued(Node) > 0 end),
    ct_wait:until(fun() ->
        ct_node:query(Node, "INSERT INTO t VALUES (?)", [binary:copy(<<"x">>, 300000)]) =:= {error, busy}
    end),
    ok = ct_node:call(Node, rollback, [Repo, Tx]),
    Results = [erpc:receive_response(R, 10000) || R <- Requests],
    Done = length([ok || {ok, _} <- Results]),
    ?assertEqual(10 - Done, length([ok || {error, busy} <- Results])),
    ?assert(Done >= 2 andalso Done =< 4),
    ?assertEqual(Done, ct_sqlite:count(Db, "t")),
    ct_node:stop(Node).

settings_of_the_file(Config) ->
    [begin
         Node = ct_node:start(Config, #{args => Args}),
         ?assertMatch({ok, #{rows := [[<<"wal">>]]}}, ct_node:query(Node, "PRAGMA journal_mode")),
         {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
         ?assertMatch({ok, #{rows := [[Synchronous]]}},
                      ct_node:query(Node, "PRAGMA synchronous", [], #{tx => Tx})),
         ok = ct_node:call(Node, rollback, ['Test.Repo', Tx]),
         ct_node:stop(Node)
     end || {Args, Synchronous} <- [{[], 2}, {["--synchronous", "full"], 2}, {["--synchronous", "normal"], 1}]].

info(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n UNIQUE)"),
    {ok, _} = ct_node:query(Node, "INSERT INTO t VALUES (1)"),
    {error, _} = ct_node:query(Node, "INSERT INTO t VALUES (1)"),
    Info = ct_node:call(Node, info, []),
    ?assertMatch(#{name := Name, version := <<_/binary>>, sqlite_version := <<"3.", _/binary>>,
                   uptime_ms := Up, connections := 1} when Up >= 0, Info),
    ?assertEqual(lists:sort([name, version, sqlite_version, uptime_ms, connections, repos]),
                 lists:sort(maps:keys(Info))),
    #{repos := Repos} = Info,
    ?assertEqual(1, maps:size(Repos)),
    [Repo] = maps:values(Repos),
    ?assertEqual(list_to_binary(Db), maps:get(path, Repo)),
    ?assertMatch(#{queued := 0, queued_bytes := 0, committed := 2, failed := 1, transactions := _}, Repo),
    ct_node:stop(Node).

two_databases(Config) ->
    Other = filename:join(ct_env:dir(Config), "other.db"),
    Node = ct_node:start(Config, #{args => ["--repo", "Other.Repo=" ++ Other]}),
    [{ok, _} = ct_node:call(Node, query, [Repo, "CREATE TABLE t (n)", []]) || Repo <- ['Test.Repo', 'Other.Repo']],
    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
    %% One database's writer does not hold the other's.
    {ok, _} = ct_node:call(Node, query, ['Other.Repo', "INSERT INTO t VALUES (1)", []]),
    %% A transaction belongs to its database.
    ?assertMatch({error, #{code := no_transaction}},
                 ct_node:call(Node, query, ['Other.Repo', "INSERT INTO t VALUES (2)", [], #{tx => Tx}])),
    ok = ct_node:call(Node, rollback, ['Test.Repo', Tx]),
    ?assertEqual({0, 1}, {ct_sqlite:count(maps:get(db, Node), "t"), ct_sqlite:count(Other, "t")}),
    ct_node:stop(Node).

%% Rows before the one that violates are undone with it.
failed_statement_leaves_nothing(Config) ->
    Node = ?config(node, Config),
    ?assertMatch({error, #{code := constraint_unique}},
                 ct_node:query(Node, "INSERT INTO t (a) VALUES (1), (2), (1)")),
    ?assertMatch({error, #{code := constraint_unique}},
                 ct_node:query(Node, "INSERT OR FAIL INTO t (a) VALUES (1), (2), (1)")),
    ?assertMatch({error, #{code := constraint_unique}},
                 ct_node:query(Node, "INSERT OR ROLLBACK INTO t (a) VALUES (1), (2), (1)")),
    ?assertEqual([], rows(Node, "id")).

%% Helpers

rows(#{db := Db}, Columns) ->
    ct_sqlite:query(Db, ["SELECT ", Columns, " FROM t ORDER BY id"]).

queued(Node) ->
    #{repos := Repos} = ct_node:call(Node, info, []),
    lists:sum([Q || #{queued := Q} <- maps:values(Repos)]).
