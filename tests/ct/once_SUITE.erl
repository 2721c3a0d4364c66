%% Requests with a key run once: options, results, resolve, interactive transactions, a node that is killed. What was
%% written is counted by the sqlite3 shell.
-module(once_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 90}}].

all() ->
    [query, query_many, transaction, by_rex, bad_keys, another_request, failed_request, resolve, interactive,
     lost_commit, reading, killed_in_mid_load].

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

query(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    Insert = fun() -> ct_node:query(Node, "INSERT INTO t (a) VALUES (?) RETURNING id", [1], #{key => Key}) end,
    {ok, First} = Insert(),
    ?assertMatch(#{rows := [[1]], changes := 1}, First),
    ?assertNot(is_map_key(repeated, First)),
    ?assertEqual({ok, First#{repeated => true}}, Insert()),
    ?assertEqual(1, count(Node)).

query_many(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    Insert = fun() ->
        ct_node:call(Node, query_many, ['Test.Repo', "INSERT INTO t (a) VALUES (?)", [[1], [2], [3]], [{key, Key}]])
    end,
    {ok, First} = Insert(),
    ?assertEqual({ok, First#{repeated => true}}, Insert()),
    ?assertEqual(3, count(Node)).

transaction(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    Call = fun() ->
        ct_node:call(Node, transaction, ['Test.Repo', [{"INSERT INTO t (a) VALUES (1)", []}, {"SELECT count(*) FROM t", []}],
                                         #{key => Key}])
    end,
    {ok, [A, B]} = Call(),
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (2)"),
    %% The count is that of then.
    ?assertEqual({ok, [A#{repeated => true}, B#{repeated => true}]}, Call()),
    ?assertEqual(2, count(Node)).

%% A cast gets no answer; its repeat tells.
by_rex(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    Args = ['Test.Repo', <<"INSERT INTO t (a) VALUES (1)">>, [], #{key => Key}],
    Name = maps:get(name, Node),
    true = rpc:cast(Name, ecto_litefs, query, Args),
    ct_wait:until(fun() -> count(Node) =:= 1 end),
    ?assertMatch({ok, #{repeated := true}}, rpc:call(Name, ecto_litefs, query, Args)),
    ?assertEqual(1, count(Node)).

bad_keys(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, #{code := invalid_option, message := <<"a key is a binary", _/binary>>}},
                  ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{key => Bad}))
     || Bad <- [<<>>, binary:copy(<<"k">>, 65), key, "key", 1, {blob, <<"k">>}]],
    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
    ?assertMatch({error, #{code := invalid_option, message := <<"key or ack with tx", _/binary>>}},
                 ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{key => key(), tx => Tx})),
    ok = ct_node:call(Node, rollback, ['Test.Repo', Tx]),
    ?assertEqual(0, count(Node)),
    ?assertMatch({ok, _}, ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [],
                                        #{key => binary:copy(<<255>>, 64)})),
    ?assertMatch({error, #{code := invalid_option}}, ct_node:call(Node, resolve, ['Test.Repo', <<>>])).

another_request(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{key => Key}),
    ?assertMatch({error, #{code := invalid_option}},
                 ct_node:call(Node, transaction, ['Test.Repo', [{"INSERT INTO t (a) VALUES (2)", []},
                                                   {"INSERT INTO t (a) VALUES (3)", []}], #{key => Key}])),
    ?assertEqual(1, count(Node)).

failed_request(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    Insert = fun() -> ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{key => Key}) end,
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)"),
    ?assertMatch({error, #{code := constraint_unique}}, Insert()),
    {ok, _} = ct_node:query(Node, "DELETE FROM t"),
    ?assertMatch({ok, #{changes := 1}}, Insert()),
    ?assertMatch({ok, #{repeated := true}}, Insert()).

resolve(Config) ->
    Node = ?config(node, Config),
    {Done, Never} = {key(), key()},
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{key => Done}),
    ?assertMatch({ok, #{outcome := committed}}, ct_node:call(Node, resolve, ['Test.Repo', Done])),
    ?assertMatch({ok, #{outcome := aborted}}, ct_node:call(Node, resolve, ['Test.Repo', Never])),
    ?assertMatch({error, #{code := aborted}},
                 ct_node:query(Node, "INSERT INTO t (a) VALUES (2)", [], #{key => Never})),
    ?assertMatch({ok, #{outcome := aborted}}, ct_node:call(Node, resolve, ['Test.Repo', Never])),
    ?assertEqual(1, count(Node)).

interactive(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo', #{key => Key}]),
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{tx => Tx}),
    {ok, #{position := _}} = ct_node:call(Node, commit, ['Test.Repo', Tx]),
    ?assertMatch({ok, #{outcome := committed}}, ct_node:call(Node, resolve, ['Test.Repo', Key])),
    ?assertMatch({error, #{code := already_committed}}, ct_node:call(Node, 'begin', ['Test.Repo', #{key => Key}])),
    {ok, Tx2} = ct_node:call(Node, 'begin', ['Test.Repo', #{key => <<Key/binary, 2>>}]),
    {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (2)", [], #{tx => Tx2}),
    ok = ct_node:call(Node, rollback, ['Test.Repo', Tx2]),
    ?assertMatch({ok, #{outcome := aborted}}, ct_node:call(Node, resolve, ['Test.Repo', <<Key/binary, 2>>])),
    ?assertEqual(1, count(Node)).

%% The caller that sent the commit is gone before its answer; another one asks what became of it.
lost_commit(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    Name = maps:get(name, Node),
    {Pid, Ref} = spawn_monitor(fun() ->
        {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo', #{key => Key}]),
        {ok, _} = ct_node:query(Node, "INSERT INTO t (a) VALUES (1)", [], #{tx => Tx}),
        _ = erpc:send_request(Name, ecto_litefs, commit, ['Test.Repo', Tx])
    end),
    receive {'DOWN', Ref, process, Pid, normal} -> ok end,
    {ok, #{outcome := Outcome}} = ct_node:call(Node, resolve, ['Test.Repo', Key]),
    ?assertEqual(case Outcome of committed -> 1; aborted -> 0 end, count(Node)).

%% What only reads needs no key, and leaves none.
reading(Config) ->
    Node = ?config(node, Config),
    Key = key(),
    {ok, First} = ct_node:query(Node, "SELECT count(*) FROM t", [], #{key => Key}),
    ?assertEqual({ok, First}, ct_node:query(Node, "SELECT count(*) FROM t", [], #{key => Key})),
    ?assertMatch({ok, #{outcome := aborted}}, ct_node:call(Node, resolve, ['Test.Repo', Key])).

%% Writers repeat what they have no answer to, with its key, while the node is killed and started again.
killed_in_mid_load(Config) ->
    Node = ct_node:start(Config, #{owner => suite}),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (id INTEGER PRIMARY KEY, a)"),
    Name = maps:get(name, Node),
    Self = self(),
    Writers = [spawn_link(fun() -> Self ! {self(), write_all(Name, W, 150)} end) || W <- lists:seq(1, 8)],
    Killed = lists:foldl(fun(_, N) ->
        timer:sleep(100 + rand:uniform(200)),
        ct_node:kill(N),
        ct_node:start(Config, #{name => Name, db => maps:get(db, Node), dir => maps:get(dir, Node), owner => suite})
    end, Node, lists:seq(1, 3)),
    Repeated = lists:sum([receive {W, N} -> N end || W <- Writers]),
    ct:pal("~b answers came from a repeat", [Repeated]),
    ?assertEqual(8 * 150, count(Killed)),
    ?assertEqual([[<<"1200">>]], ct_sqlite:query(maps:get(db, Killed), "SELECT count(DISTINCT a) FROM t")),
    ct_node:stop(Killed).

write_all(Name, Writer, Count) ->
    length([repeated || N <- lists:seq(1, Count), write_until_answered(Name, Writer * 1000 + N, key())]).

write_until_answered(Name, Value, Key) ->
    try erpc:call(Name, ecto_litefs, query, ['Test.Repo', <<"INSERT INTO t (a) VALUES (?)">>, [Value],
                                             #{key => Key}], 5000) of
        {ok, Result} -> is_map_key(repeated, Result)
    catch
        error:{erpc, _} ->
            timer:sleep(20),
            write_until_answered(Name, Value, Key)
    end.

key() ->
    crypto:strong_rand_bytes(16).

count(Node) ->
    ct_sqlite:count(maps:get(db, Node), "t").
