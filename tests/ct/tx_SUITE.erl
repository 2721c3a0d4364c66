%% Interactive transactions: whose they are, how they end, and that the writer is free afterwards.
-module(tx_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [commit, rollback, reads_its_own_writes, failed_statement_goes_on, on_conflict_rollback, savepoints,
     control_in_sql_is_refused, many_and_transaction_inside, token_of_another, ended_token, forged_token,
     idle_deadline, idle_deadline_moves, total_deadline, options, owner_dies, owner_dies_while_waiting,
     node_goes_away, next_begin_waits, begin_given_up, begin_by_cast, writes_wait, statement_timeout_inside,
     by_rpc, ends_at_stop].

init_per_suite(Config) ->
    Started = ct_env:start(Config),
    [{node, ct_node:start(Started, #{owner => suite})} | Started].

end_per_suite(Config) ->
    ct_node:stop(?config(node, Config)),
    ct_env:stop(Config).

init_per_testcase(_Case, Config) ->
    Node = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "DROP TABLE IF EXISTS t"),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n UNIQUE)"),
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

commit(Config) ->
    Tx = 'begin'(Config),
    ?assertMatch({ok, #{changes := 1, position := nil}}, insert(Config, Tx, 1)),
    ?assertMatch({ok, _}, insert(Config, Tx, 2)),
    %% Nobody sees it before.
    ?assertEqual([], rows(Config)),
    ?assertEqual({ok, #{position => nil}}, call(Config, commit, [Tx])),
    ?assertEqual([1, 2], rows(Config)).

rollback(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    ?assertEqual(ok, call(Config, rollback, [Tx])),
    ?assertEqual([], rows(Config)),
    is_free(Config).

reads_its_own_writes(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    ?assertMatch({ok, #{rows := [[1]]}}, query(Config, Tx, "SELECT n FROM t")),
    ok = call(Config, rollback, [Tx]).

failed_statement_goes_on(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    ?assertMatch({error, #{code := constraint_unique}}, insert(Config, Tx, 1)),
    ?assertMatch({error, #{code := constraint_unique}}, query(Config, Tx, "INSERT INTO t VALUES (7), (8), (1)")),
    ?assertMatch({error, #{code := error}}, query(Config, Tx, "nonsense")),
    ?assertMatch({error, #{code := invalid_parameter}}, query(Config, Tx, "INSERT INTO t VALUES (?)")),
    {ok, _} = insert(Config, Tx, 2),
    {ok, _} = call(Config, commit, [Tx]),
    ?assertEqual([1, 2], rows(Config)).

%% Here SQLite itself ends the transaction.
on_conflict_rollback(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    ?assertMatch({error, #{code := constraint_unique}}, query(Config, Tx, "INSERT OR ROLLBACK INTO t VALUES (1)")),
    is_ended(Config, Tx),
    ?assertEqual([], rows(Config)),
    is_free(Config).

savepoints(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    {ok, _} = query(Config, Tx, "SAVEPOINT one"),
    {ok, _} = insert(Config, Tx, 2),
    {ok, _} = query(Config, Tx, "SAVEPOINT two"),
    {ok, _} = insert(Config, Tx, 3),
    {ok, _} = query(Config, Tx, "ROLLBACK TO SAVEPOINT two"),
    {ok, _} = insert(Config, Tx, 4),
    {ok, _} = query(Config, Tx, "ROLLBACK TO one"),
    {ok, _} = insert(Config, Tx, 5),
    {ok, _} = query(Config, Tx, "RELEASE one"),
    {ok, _} = call(Config, commit, [Tx]),
    ?assertEqual([1, 5], rows(Config)).

control_in_sql_is_refused(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    [?assertMatch({error, {unsupported, _}}, query(Config, Tx, Sql), Sql)
     || Sql <- ["BEGIN", "COMMIT", "END TRANSACTION", "ROLLBACK", "ATTACH ':memory:' AS m", "VACUUM"]],
    {ok, _} = call(Config, commit, [Tx]),
    ?assertEqual([1], rows(Config)).

many_and_transaction_inside(Config) ->
    Tx = 'begin'(Config),
    Options = #{tx => Tx},
    {ok, #{changes := 2}} = call(Config, query_many, ["INSERT INTO t VALUES (?)", [[1], [2]], Options]),
    %% All or nothing, but the transaction around it goes on.
    ?assertMatch({error, {2, #{code := constraint_unique}}},
                 call(Config, query_many, ["INSERT INTO t VALUES (?)", [[3], [1]], Options])),
    ?assertMatch({error, {2, #{code := constraint_unique}}},
                 call(Config, transaction, [[{"INSERT INTO t VALUES (4)", []}, {"INSERT INTO t VALUES (2)", []}],
                                            Options])),
    {ok, [_, _]} = call(Config, transaction, [[{"INSERT INTO t VALUES (5)", []}, {"SELECT 1", []}], Options]),
    {ok, _} = call(Config, commit, [Tx]),
    ?assertEqual([1, 2, 5], rows(Config)).

%% The token works for the process that began, and for no other.
token_of_another(Config) ->
    Tx = 'begin'(Config),
    Others = [in_process(fun() -> insert(Config, Tx, 1) end),
              in_process(fun() -> call(Config, commit, [Tx]) end),
              in_process(fun() -> call(Config, rollback, [Tx]) end)],
    [?assertMatch({error, #{code := no_transaction, message := _}}, O) || O <- Others],
    {Peer, _} = ct_env:peer(),
    #{name := Name} = ?config(node, Config),
    ?assertMatch({error, #{code := no_transaction}},
                 peer:call(Peer, erpc, call, [Name, ecto_litefs, commit, ['Test.Repo', Tx]])),
    {ok, _} = insert(Config, Tx, 2),
    {ok, _} = call(Config, commit, [Tx]),
    ?assertEqual([2], rows(Config)).

ended_token(Config) ->
    Tx = 'begin'(Config),
    {ok, _} = call(Config, commit, [Tx]),
    is_ended(Config, Tx),
    Tx2 = 'begin'(Config),
    ok = call(Config, rollback, [Tx2]),
    is_ended(Config, Tx2).

forged_token(Config) ->
    is_ended(Config, make_ref()),
    Tx = 'begin'(Config),
    is_ended(Config, make_ref()),
    ok = call(Config, rollback, [Tx]).

idle_deadline(Config) ->
    {ok, Tx} = call(Config, 'begin', [#{idle_timeout => 300}]),
    {ok, _} = insert(Config, Tx, 1),
    %% Waits for the writer, which the deadline frees.
    {Time, _} = timer:tc(fun() -> is_free(Config) end),
    ?assert(Time > 200000 andalso Time < 4000000),
    {error, #{code := no_transaction, message := Message}} = insert(Config, Tx, 2),
    ?assertNotEqual(nomatch, binary:match(Message, <<"idle">>)),
    is_ended(Config, Tx),
    ?assertEqual([], rows(Config)).

%% Each request pushes it on: many of them, over more than the idle time in all.
idle_deadline_moves(Config) ->
    {ok, Tx} = call(Config, 'begin', [#{idle_timeout => 1000}]),
    Until = erlang:monotonic_time(millisecond) + 2500,
    Go = fun Go() ->
        {ok, _} = query(Config, Tx, "SELECT 1"),
        timer:sleep(100),
        erlang:monotonic_time(millisecond) > Until orelse Go()
    end,
    Go(),
    {ok, _} = insert(Config, Tx, 1),
    {ok, _} = call(Config, commit, [Tx]),
    ?assertEqual([1], rows(Config)).

total_deadline(Config) ->
    {ok, Tx} = call(Config, 'begin', [#{total_timeout => 500}]),
    {ok, _} = insert(Config, Tx, 1),
    {error, #{message := Message}} = ct_wait:until(fun() ->
        case query(Config, Tx, "SELECT 1") of
            {ok, _} -> false;
            Error -> Error
        end
    end),
    ?assertNotEqual(nomatch, binary:match(Message, <<"total">>)),
    is_ended(Config, Tx),
    ?assertEqual([], rows(Config)),
    is_free(Config).

options(Config) ->
    [begin
         {ok, Tx} = call(Config, 'begin', [Options]),
         ok = call(Config, rollback, [Tx])
     end || Options <- [[], #{}, [{idle_timeout, 100}, {total_timeout, 200}], #{idle_timeout => nil},
                        #{total_timeout => 999999999}]],
    [?assertMatch({error, #{code := invalid_option}}, call(Config, 'begin', [Options]), Options)
     || Options <- [#{idle => 1}, #{idle_timeout => 0}, [{total_timeout, -1}], [{total_timeout, "1"}],
                    #{timeout => 1}]],
    ?assertEqual({error, {unknown_repo, nope}}, ct_node:call(?config(node, Config), 'begin', [nope])).

owner_dies(Config) ->
    {Owner, Monitor} = spawn_monitor(fun() ->
        Tx = 'begin'(Config),
        {ok, _} = insert(Config, Tx, 1),
        exit({holds, Tx})
    end),
    Tx = receive {'DOWN', Monitor, process, Owner, {holds, T}} -> T end,
    {Time, _} = timer:tc(fun() -> is_free(Config) end),
    ?assert(Time < 3000000),
    is_ended(Config, Tx),
    ?assertEqual([], rows(Config)).

%% Its begin is still in the queue: it must never be opened, or nobody would end it before its deadline.
owner_dies_while_waiting(Config) ->
    Tx = 'begin'(Config),
    {Owner, Monitor} = spawn_monitor(fun() -> 'begin'(Config) end),
    await_queued(Config, 1),
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end,
    ok = call(Config, rollback, [Tx]),
    {Time, _} = timer:tc(fun() -> is_free(Config) end),
    ?assert(Time < 3000000).

node_goes_away(Config) ->
    Node = #{name := Name} = ?config(node, Config),
    {Peer, PeerName} = ct_env:peer(),
    Parent = self(),
    %% The transaction's owner is a process on the peer that lives on.
    Begin = {erpc, call, [Name, ecto_litefs, 'begin', ['Test.Repo']]},
    {ok, Tx} = peer:call(Peer, erlang, apply, [fun erlang:apply/3, tuple_to_list(Begin)]),
    true = is_reference(Tx),
    %% (peer:call ran in a process of its own, which has ended: so does its transaction.)
    is_free(Config),
    Raw = #{name := RawName} = ct_raw:connect(Node),
    {return, {ok, RawTx}} = ct_raw:call(Raw, ecto_litefs, 'begin', ['Test.Repo']),
    {return, {ok, _}} = ct_raw:call(Raw, ecto_litefs, query,
                                    ['Test.Repo', <<"INSERT INTO t VALUES (1)">>, [], #{tx => RawTx}]),
    ct_raw:close(Raw),
    _ = ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(RawName)}),
    {Time, _} = timer:tc(fun() -> is_free(Config) end),
    ?assert(Time < 3000000),
    ?assertEqual([], rows(Config)),
    ?assertNotEqual(PeerName, node(Parent)).

%% One after the other, in turn.
next_begin_waits(Config) ->
    Parent = self(),
    Tx = 'begin'(Config),
    Next = spawn_link(fun() ->
        Tx2 = 'begin'(Config),
        Parent ! {self(), begun},
        {ok, _} = insert(Config, Tx2, 2),
        {ok, _} = call(Config, commit, [Tx2]),
        Parent ! {self(), done}
    end),
    await_queued(Config, 1),
    {ok, _} = insert(Config, Tx, 1),
    receive {Next, begun} -> error(too_early) after 0 -> ok end,
    {ok, _} = call(Config, commit, [Tx]),
    receive {Next, done} -> ok end,
    ?assertEqual([1, 2], rows(Config)).

begin_given_up(Config) ->
    #{name := Name} = ?config(node, Config),
    Tx = 'begin'(Config),
    ?assertError({erpc, timeout}, erpc:call(Name, ecto_litefs, 'begin', ['Test.Repo'], 100)),
    ok = call(Config, rollback, [Tx]),
    {Time, _} = timer:tc(fun() -> is_free(Config) end),
    ?assert(Time < 3000000).

%% Nobody learns the token: it must not hold the writer until its deadline.
begin_by_cast(Config) ->
    #{name := Name} = ?config(node, Config),
    ok = erpc:cast(Name, ecto_litefs, 'begin', ['Test.Repo']),
    {Time, _} = timer:tc(fun() -> is_free(Config) end),
    ?assert(Time < 3000000).

writes_wait(Config) ->
    #{name := Name} = ?config(node, Config),
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    Request = erpc:send_request(Name, ecto_litefs, query, ['Test.Repo', "INSERT INTO t VALUES (1)", []]),
    ?assertEqual(no_response, erpc:wait_response(Request, 200)),
    ok = call(Config, rollback, [Tx]),
    ?assertMatch({ok, _}, erpc:receive_response(Request, 5000)),
    ?assertEqual([1], rows(Config)).

%% SQLite rolls the whole transaction back when a writing statement is interrupted.
statement_timeout_inside(Config) ->
    Endless = "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c",
    Tx = 'begin'(Config),
    {ok, _} = insert(Config, Tx, 1),
    ?assertMatch({error, #{code := timeout}},
                 call(Config, query, [Endless, [], #{tx => Tx, timeout => 200}])),
    is_ended(Config, Tx),
    ?assertEqual([], rows(Config)),
    is_free(Config).

%% rpc:call runs each call in the caller itself, so that it may own a transaction too.
by_rpc(Config) ->
    #{name := Name} = ?config(node, Config),
    {ok, Tx} = rpc:call(Name, ecto_litefs, 'begin', ['Test.Repo']),
    ?assertMatch({ok, _}, rpc:call(Name, ecto_litefs, query, ['Test.Repo', "INSERT INTO t VALUES (1)", [], [{tx, Tx}]])),
    ?assertMatch({ok, _}, rpc:call(Name, ecto_litefs, commit, ['Test.Repo', Tx])),
    ?assertEqual([1], rows(Config)).

ends_at_stop(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
    {ok, _} = ct_node:query(Node, "INSERT INTO t VALUES (1)", [], #{tx => Tx}),
    ct_node:stop(Node),
    ?assertEqual(0, ct_sqlite:count(Db, "t")).

%% Helpers

call(Config, Function, Args) ->
    ct_node:call(?config(node, Config), Function, ['Test.Repo' | Args]).

'begin'(Config) ->
    {ok, Tx} = call(Config, 'begin', []),
    true = is_reference(Tx),
    Tx.

query(Config, Tx, Sql) ->
    call(Config, query, [Sql, [], #{tx => Tx}]).

insert(Config, Tx, N) ->
    call(Config, query, ["INSERT INTO t VALUES (?)", [N], [{tx, Tx}]]).

is_ended(Config, Tx) ->
    [?assertMatch({error, #{code := no_transaction, message := <<_, _/binary>>}}, Result)
     || Result <- [query(Config, Tx, "SELECT 1"), call(Config, commit, [Tx]), call(Config, rollback, [Tx])]].

%% A write of its own goes through, and leaves nothing.
is_free(Config) ->
    {ok, _} = call(Config, query, ["UPDATE t SET n = n WHERE n = -1", []]).

rows(Config) ->
    [binary_to_integer(N) || [N] <- ct_sqlite:query(maps:get(db, ?config(node, Config)),
                                                    "SELECT n FROM t ORDER BY n")].

await_queued(Config, N) ->
    ct_wait:until(fun() ->
        #{repos := Repos} = ct_node:call(?config(node, Config), info, []),
        lists:sum([Q || #{queued := Q} <- maps:values(Repos)]) >= N
    end).

in_process(Fun) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({result, Fun()}) end),
    receive {'DOWN', Monitor, process, Pid, {result, Result}} -> Result end.
