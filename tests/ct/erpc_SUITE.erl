%% Calls by every way that reaches the node: erpc, rpc, erl_call. What they give is what a BEAM node would.
-module(erpc_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [call_2_and_3, call_4_and_5, cast, send_request, send_request_collection, multicall, rpc_call,
     rpc_cast, rpc_async_call, rpc_multicall, rpc_block_call, erl_call, undef, badarg, undef_by_rpc,
     many_callers, argument_encodings, call_timeout, given_up_call_never_runs,
     given_up_cast_and_request_run_or_not, closed_callers_call_never_runs, killed_caller].

init_per_suite(Config) ->
    Started = ct_env:start(Config),
    [{node, ct_node:start(Started, #{owner => suite})} | Started].

end_per_suite(Config) ->
    ct_node:stop(?config(node, Config)),
    ct_env:stop(Config).

init_per_testcase(_Case, Config) ->
    {ok, _} = ct_node:query(?config(node, Config), "DROP TABLE IF EXISTS t"),
    {ok, _} = ct_node:query(?config(node, Config), "CREATE TABLE t (n INTEGER)"),
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

%% A fun is erlang:apply(Fun, []): nothing that a peer sends is run.
call_2_and_3(Config) ->
    #{name := Name} = ?config(node, Config),
    Fun = fun() -> 1 end,
    ?assertError({exception, undef, [{erlang, apply, [Fun, []], []}]}, erpc:call(Name, Fun)),
    ?assertError({exception, undef, [{erlang, apply, [Fun, []], []}]}, erpc:call(Name, Fun, 5000)).

call_4_and_5(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ?assertMatch({ok, #{rows := [[2]]}}, erpc:call(Name, ecto_litefs, query, [Repo, "SELECT 2", []], 5000)),
    ?assertMatch({ok, _}, erpc:call(Name, ecto_litefs, query, [Repo, "SELECT 2", []], infinity)).

cast(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    ok = erpc:cast(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (1)", []]),
    ok = erpc:cast(Name, ecto_litefs, no_such_function, []),
    ok = erpc:cast(Name, fun() -> 1 end),
    ct_wait:until(fun() -> count(Node) =:= 1 end).

send_request(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    Requests = [{I, erpc:send_request(Name, ecto_litefs, query, [Repo, "SELECT ?", [I]])}
                || I <- lists:seq(1, 20)],
    [?assertMatch({ok, #{rows := [[I]]}}, erpc:receive_response(R, 5000))
     || {I, R} <- lists:reverse(Requests)],
    Undef = erpc:send_request(Name, nope, nope, []),
    ?assertError({exception, undef, [{nope, nope, [], []}]}, erpc:wait_response(Undef, 5000)).

send_request_collection(Config) ->
    #{name := Name} = ?config(node, Config),
    Requests = lists:foldl(fun(I, Acc) -> erpc:send_request(Name, erlang, node, [], I, Acc) end,
                           erpc:reqids_new(), lists:seq(1, 10)),
    ?assertEqual(lists:seq(1, 10), lists:sort(collect(Requests, Name))).

collect(Requests, Name) ->
    case erpc:receive_response(Requests, 5000, true) of
        no_request -> [];
        {Name, Label, Rest} -> [Label | collect(Rest, Name)]
    end.

multicall(Config) ->
    #{name := Name} = ?config(node, Config),
    ?assertEqual([{ok, Name}, {ok, node()}, {ok, Name}],
                 erpc:multicall([Name, node(), Name], erlang, node, [], 5000)),
    ?assertEqual([{error, {exception, undef, [{nope, nope, [1], []}]}}],
                 erpc:multicall([Name], nope, nope, [1])).

rpc_call(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    ?assertEqual(Name, rpc:call(Name, erlang, node, [])),
    ?assertMatch({ok, #{rows := [[3]]}}, rpc:call(Name, ecto_litefs, query, [Repo, "SELECT 3", []], 5000)).

rpc_cast(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    true = rpc:cast(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (1)", []]),
    ct_wait:until(fun() -> count(Node) =:= 1 end).

rpc_async_call(Config) ->
    #{name := Name} = ?config(node, Config),
    Key = rpc:async_call(Name, erlang, node, []),
    ?assertEqual({value, Name}, rpc:nb_yield(Key, 5000)).

rpc_multicall(Config) ->
    #{name := Name} = ?config(node, Config),
    ?assertEqual({[Name, node()], []}, rpc:multicall([Name, node()], erlang, node, [], 5000)).

%% The old protocol to rex, where the server runs calls one by one.
rpc_block_call(Config) ->
    #{name := Name} = ?config(node, Config),
    Result = rpc:block_call(Name, erlang, node, [], 5000),
    ?assert(lists:member(Result, [Name, {badrpc, {'EXIT', {undef, [{erlang, node, [], []}]}}}])).

%% A C program on ei_rpc.
erl_call(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    ?assertEqual({0, iolist_to_binary(io_lib:format("~p", [Name]))}, run_erl_call(Name, "erlang node")),
    {0, Rows} = run_erl_call(Name, io_lib:format("ecto_litefs query [~p,\"SELECT 41 + 1 AS n\",[]]", [Repo])),
    ?assertNotEqual(nomatch, binary:match(Rows, <<"42">>)),
    {0, Written} = run_erl_call(Name, io_lib:format("ecto_litefs query [~p,\"INSERT INTO t VALUES (?)\",[7]]", [Repo])),
    ?assertNotEqual(nomatch, binary:match(Written, <<"ok">>)),
    ?assertEqual([[<<"7">>]], ct_sqlite:query(maps:get(db, ?config(node, Config)), "SELECT n FROM t")),
    {_, Undef} = run_erl_call(Name, "nope nope [1]"),
    ?assertNotEqual(nomatch, binary:match(Undef, <<"undef">>)).

run_erl_call(Name, Apply) ->
    Program = filename:join([code:lib_dir(erl_interface), "bin", "erl_call"]),
    {Code, Out, Err} = ct_os:run(Program, ["-c", atom_to_list(ct_env:cookie()), "-name", atom_to_list(Name),
                                           "-a", Apply]),
    {Code, string:trim(<<Out/binary, Err/binary>>)}.

undef(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    [?assertError({exception, undef, [{M, F, A, []}]}, erpc:call(Name, M, F, A, 5000))
     || {M, F, A} <- [{nope, nope, []}, {ecto_litefs, nope, [1, 2]}, {ecto_litefs, query, []},
                      {ecto_litefs, query, [Repo]}, {ecto_litefs, query, [Repo, "SELECT 1", [], [], []]},
                      {ecto_litefs, info, [1]}, {ecto_litefs, 'begin', []}, {ecto_litefs, commit, [Repo]},
                      {ecto_litefs, transaction, [Repo]}, {erlang, halt, []}, {erlang, node, [node()]},
                      {os, cmd, ["true"]}, {erlang, apply, [erlang, halt, []]},
                      {ecto_litefs, query, lists:seq(1, 255)}, {nope, nope, [#{a => 1.5}, <<1:3>>, self()]}]].

%% Arguments that are no Repo name, SQL, parameter list, option list or token at all.
badarg(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    Calls = [{query, [1, "SELECT 1", []]}, {query, [Repo, select, []]}, {query, [Repo, 1.5, []]},
             {query, [Repo, "SELECT 1", 1]}, {query, [Repo, "SELECT 1", <<"x">>]},
             {query, [Repo, "SELECT 1", [], 1]}, {query, [Repo, ["SELECT", 256], []]},
             {query, [Repo, "SELECT 1", [1 | 2]]}, {query, [{Repo}, "SELECT 1", []]},
             {query_many, [Repo, "SELECT 1", 1]}, {query_many, [Repo, "SELECT 1", [1]]},
             {transaction, [Repo, "SELECT 1"]}, {transaction, [Repo, [{"SELECT 1"}]]},
             {transaction, [Repo, [{"SELECT 1", [], []}]]}, {'begin', [17]}, {'begin', [Repo, 1]},
             {commit, [Repo, 1]}, {rollback, [Repo, not_a_ref]}],
    [?assertError({exception, badarg, [{ecto_litefs, F, A, _} | _]}, erpc:call(Name, ecto_litefs, F, A, 5000),
                  {F, A}) || {F, A} <- Calls].

undef_by_rpc(Config) ->
    #{name := Name, repo := Repo} = ?config(node, Config),
    ?assertEqual({badrpc, {'EXIT', {undef, [{nope, nope, [1], []}]}}}, rpc:call(Name, nope, nope, [1])),
    ?assertMatch({badrpc, {'EXIT', {badarg, [{ecto_litefs, query, _, _} | _]}}},
                 rpc:call(Name, ecto_litefs, query, [Repo, "SELECT 1", 1])).

many_callers(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    Parent = self(),
    Callers = [spawn_link(fun() ->
        [{ok, #{num_rows := 1}} =
             erpc:call(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (?)", [C * 1000 + I]])
         || I <- lists:seq(1, 50)],
        Parent ! {self(), done}
    end) || C <- lists:seq(1, 64)],
    [receive {C, done} -> ok end || C <- Callers],
    ?assertEqual(64 * 50, count(Node)).

%% A list of small integers travels as a string.
argument_encodings(Config) ->
    Node = #{name := Name} = ?config(node, Config),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ?assertMatch({ok, #{rows := [[1, 2, 3]]}}, ct_node:query(Node, "SELECT ?, ?, ?", [1, 2, 3])),
    ?assertError({exception, undef, [{nope, nope, "abc", []}]}, erpc:call(Name, nope, nope, "abc")).

call_timeout(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    with_writer_held(Node, fun() ->
        ?assertError({erpc, timeout},
                     erpc:call(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (1)", []], 100))
    end),
    ?assertEqual(0, count_after_writer(Node)).

%% Given up before it started, because an interactive transaction held the writer: never executed. One that
%% waited beside it and was not given up is.
given_up_call_never_runs(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    Kept = with_writer_held(Node, fun() ->
        Request = erpc:send_request(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (2)", []]),
        [?assertError({erpc, timeout},
                      erpc:call(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (1)", []], 50))
         || _ <- lists:seq(1, 5)],
        Request
    end),
    ?assertMatch({ok, _}, erpc:receive_response(Kept, 10000)),
    _ = count_after_writer(Node),
    ?assertEqual([[<<"2">>]], ct_sqlite:query(maps:get(db, Node), "SELECT n FROM t")).

%% A cast waits for nobody, so that nobody can give it up.
given_up_cast_and_request_run_or_not(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    with_writer_held(Node, fun() ->
        ok = erpc:cast(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (1)", []]),
        Request = erpc:send_request(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (2)", []]),
        ?assertError({erpc, timeout}, erpc:receive_response(Request, 50))
    end),
    _ = count_after_writer(Node),
    ?assertEqual([[<<"1">>]], ct_sqlite:query(maps:get(db, Node), "SELECT n FROM t")).

closed_callers_call_never_runs(Config) ->
    Node = #{repo := Repo} = ?config(node, Config),
    with_writer_held(Node, fun() ->
        Peer = #{name := PeerName} = ct_raw:connect(Node),
        ok = ct_raw:send(Peer, ct_raw:call_frame(Peer, 1, ecto_litefs, query,
                                                 [Repo, <<"INSERT INTO t VALUES (1)">>, []])),
        await_queued(Node, 1),
        ct_raw:close(Peer),
        _ = ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(PeerName)})
    end),
    ?assertEqual(0, count_after_writer(Node)).

%% The caller's process dies: the same as giving up.
killed_caller(Config) ->
    Node = #{name := Name, repo := Repo} = ?config(node, Config),
    with_writer_held(Node, fun() ->
        {Caller, Monitor} = spawn_monitor(fun() ->
            erpc:call(Name, ecto_litefs, query, [Repo, "INSERT INTO t VALUES (1)", []])
        end),
        await_queued(Node, 1),
        exit(Caller, kill),
        receive {'DOWN', Monitor, _, _, _} -> ok end,
        %% What was sent before on this connection has arrived when this is answered.
        Name = erpc:call(Name, erlang, node, [])
    end),
    ?assertEqual(0, count_after_writer(Node)).

%% Helpers

%% Runs the function while an interactive transaction of another process holds the writer.
with_writer_held(Node = #{repo := Repo}, Fun) ->
    Parent = self(),
    Holder = spawn_link(fun() ->
        {ok, Tx} = ct_node:call(Node, 'begin', [Repo]),
        Parent ! {self(), held},
        receive go_on -> ok end,
        ok = ct_node:call(Node, rollback, [Repo, Tx]),
        Parent ! {self(), released}
    end),
    receive {Holder, held} -> ok end,
    Result = Fun(),
    Holder ! go_on,
    receive {Holder, released} -> Result end.

await_queued(Node, N) ->
    ct_wait:until(fun() ->
        #{repos := Repos} = ct_node:call(Node, info, []),
        lists:sum([Q || #{queued := Q} <- maps:values(Repos)]) >= N
    end).

%% The rows of t once everything that waited has gone through the writer.
count_after_writer(Node) ->
    {ok, _} = ct_node:query(Node, "UPDATE t SET n = n WHERE n = -1"),
    count(Node).

count(#{db := Db}) ->
    ct_sqlite:count(Db, "t").
