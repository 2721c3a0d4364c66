%% Acknowledgement by replicas, beside a stand-in for LiteFS. This VM and peers of it play the replicas' nodes: they
%% report positions as a C node does. Real C nodes on real LiteFS: e2e/run_tests.sh.
-module(acks_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(CHECKSUM, 16#8000000000000000). % with the bit that LiteFS sets
-define(SOON, 300).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [no_litefs, local, nobody_reports, a_replica_reports, another_history, two_replicas,
     gone_replica, many_and_transaction, interactive, caller_gives_up, demoted, stopped, bad_options, bad_reports,
     a_replica_tells_its_primary, a_primary_that_is_away].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_testcase(no_litefs, Config) ->
    Config;
init_per_testcase(Case, Config) when Case =:= a_replica_tells_its_primary; Case =:= a_primary_that_is_away ->
    [{litefs, ct_litefs:start(Config)} | Config];
init_per_testcase(_Case, Config) ->
    LiteFS = ct_litefs:start(Config),
    Position = spawn(fun() -> position(LiteFS, 1) end),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Node = node_beside(Config, LiteFS),
    await_role(Node, primary),
    Primary = [{litefs, LiteFS}, {position, Position}, {node, Node} | Config],
    _ = write(Primary, "CREATE TABLE IF NOT EXISTS t (a)", []),
    Primary.

end_per_testcase(no_litefs, _Config) ->
    ok;
end_per_testcase(Case, Config) when Case =:= a_replica_tells_its_primary; Case =:= a_primary_that_is_away ->
    ct_litefs:stop(?config(litefs, Config));
end_per_testcase(_Case, Config) ->
    exit(?config(position, Config), kill),
    ct_litefs:stop(?config(litefs, Config)).

node_beside(Config, LiteFS = #{dir := Dir}) ->
    Args = ["--primary-file", binary_to_list(ct_litefs:primary_file(LiteFS)), "--poll-interval", "20",
            "--event-stream-url", binary_to_list(ct_litefs:url(LiteFS))],
    ct_node:start(Config, #{dir => ct_env:dir(Config), args => Args, db => filename:join(Dir, "test.db"),
                            owner => suite}).

await_role(Node, Role) ->
    ct_wait:until(fun() ->
        #{repos := #{<<"Test.Repo">> := #{role := Now}}} = ct_node:call(Node, info, []),
        Now =:= Role
    end).

%% LiteFS's part: the position moves on all the time, so that COMMITs find it advanced.
position(LiteFS, Txid) ->
    ok = ct_litefs:file(LiteFS, "test.db-pos", io_lib:format("~16.16.0b/~16.16.0b~n", [Txid, ?CHECKSUM])),
    position(LiteFS, Txid + 1).

%% Until it is not unknown: the position may have stood still. What it writes may be there several times.
write(Config, Sql, Options) ->
    Node = ?config(node, Config),
    ct_wait:until(fun() ->
        case ct_node:query(Node, Sql, [], Options) of
            {error, {unknown, <<"COMMIT returned, but LiteFS", _/binary>>}} -> false;
            {error, #{code := unavailable}} -> false;
            Answer -> Answer
        end
    end).

insert(Config, Options) ->
    write(Config, "INSERT INTO t VALUES (1)", Options).

%% Asynchronously; asks again as write/3 does.
insert_request(Config, Options) ->
    Self = self(),
    spawn_link(fun() -> Self ! {self(), insert(Config, Options)} end).

answer(Pid) ->
    receive {Pid, Answer} -> Answer end.

%% Says that the copy stands there, as a replica's node does.
report(Config, Position) ->
    {ecto_litefs, name(Config)} ! {position, <<"Test.Repo">>, Position},
    ok.

name(Config) ->
    maps:get(name, ?config(node, Config)).

%% Reports what the database has had of late and will have soon, again and again, until it is stopped: which of
%% these the next COMMIT finds, nobody can tell.
follow(Config) ->
    spawn_link(fun() -> follow_loop(Config, fun(Position) -> report(Config, Position) end) end).

follow_loop(Config, Report) ->
    {ok, {Txid, _}} = ct_wait:until(fun() ->
        {ok, {_, _}} = ct_node:call(?config(node, Config), position, ['Test.Repo'])
    end),
    _ = [Report({T, ?CHECKSUM}) || T <- lists:seq(max(1, Txid - 2000), Txid + 500)],
    receive stop -> ok after 1 -> follow_loop(Config, Report) end.

unfollow(Pid) ->
    Ref = monitor(process, Pid),
    Pid ! stop,
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

no_litefs(Config) ->
    Node = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (a)"),
    ?assertMatch({ok, #{acked := 0, position := nil}},
                 ct_node:query(Node, "INSERT INTO t VALUES (1)", [], #{ack => {replicas, 2}})),
    ct_node:stop(Node).

local(Config) ->
    {ok, Result} = insert(Config, #{ack => local}),
    ?assertNot(is_map_key(acked, Result)).

nobody_reports(Config) ->
    Started = erlang:monotonic_time(millisecond),
    ?assertMatch({ok, #{acked := 0, changes := 1}}, insert(Config, #{ack => {replicas, 1}, ack_timeout => ?SOON})),
    ?assert(erlang:monotonic_time(millisecond) - Started >= ?SOON).

a_replica_reports(Config) ->
    Follower = follow(Config),
    ?assertMatch({ok, #{acked := 1}}, insert(Config, #{ack => {replicas, 1}})),
    unfollow(Follower).

%% The same TXIDs, and greater ones, with another checksum do not count.
another_history(Config) ->
    Writer = insert_request(Config, #{ack => {replicas, 1}, ack_timeout => ?SOON}),
    _ = [report(Config, {T, ?CHECKSUM + 1}) || T <- lists:seq(1, 2000)],
    report(Config, {1 bsl 60, ?CHECKSUM}),
    ?assertMatch({ok, #{acked := 0}}, answer(Writer)).

two_replicas(Config) ->
    Follower = follow(Config),
    ?assertMatch({ok, #{acked := 1}}, insert(Config, #{ack => {replicas, 2}, ack_timeout => ?SOON})),
    {Peer, PeerNode} = ct_env:peer(),
    {Module, Code, File} = code:get_object_code(?MODULE),
    {module, _} = erpc:call(PeerNode, code, load_binary, [Module, File, Code]),
    Second = spawn(PeerNode, ?MODULE, relay, [self(), name(Config)]),
    Mirror = spawn_link(fun() ->
        follow_loop(Config, fun(Position) -> Second ! {position, <<"Test.Repo">>, Position} end)
    end),
    ?assertMatch({ok, #{acked := 2}}, insert(Config, #{ack => {replicas, 2}})),
    unfollow(Mirror),
    unfollow(Follower),
    peer:stop(Peer).

%% In the peer: what comes goes on to the C node, over the peer's connection.
relay(Owner, Name) ->
    Ref = monitor(process, Owner),
    relay_loop(Ref, Name).

relay_loop(Ref, Name) ->
    receive
        {'DOWN', Ref, process, _, _} -> ok;
        Report -> {ecto_litefs, Name} ! Report, relay_loop(Ref, Name)
    end.

%% What a node has reported goes with its connection.
gone_replica(Config) ->
    Follower = follow(Config),
    ?assertMatch({ok, #{acked := 1}}, insert(Config, #{ack => {replicas, 1}})),
    unfollow(Follower),
    true = erlang:disconnect_node(name(Config)),
    ?assertMatch({ok, #{acked := 0}}, insert(Config, #{ack => {replicas, 1}, ack_timeout => ?SOON})).

many_and_transaction(Config) ->
    Node = ?config(node, Config),
    Follower = follow(Config),
    Ack = #{ack => {replicas, 1}},
    ct_wait:until(fun() ->
        {ok, #{acked := 1, num_rows := 2}} =
            ct_node:call(Node, query_many, ['Test.Repo', "INSERT INTO t VALUES (?)", [[1], [2]], Ack])
    end),
    ct_wait:until(fun() ->
        {ok, [#{acked := 1}, #{acked := 1}]} =
            ct_node:call(Node, transaction, ['Test.Repo', [{"INSERT INTO t VALUES (3)", []},
                                                           {"INSERT INTO t VALUES (4)", []}], Ack])
    end),
    unfollow(Follower).

interactive(Config) ->
    Node = ?config(node, Config),
    Follower = follow(Config),
    ct_wait:until(fun() ->
        {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo', #{ack => {replicas, 1}}]),
        {ok, Result} = ct_node:query(Node, "INSERT INTO t VALUES (5)", [], #{tx => Tx}),
        false = is_map_key(acked, Result),
        {ok, #{acked := 1, position := _}} = ct_node:call(Node, commit, ['Test.Repo', Tx])
    end),
    unfollow(Follower).

%% The node forgets a request whose caller has gone; the next is answered.
caller_gives_up(Config) ->
    Args = ['Test.Repo', <<"INSERT INTO t VALUES (1)">>, [], #{ack => {replicas, 1}}],
    ct_wait:until(fun() ->
        try erpc:call(name(Config), ecto_litefs, query, Args, ?SOON) of
            {error, {unknown, _}} -> false
        catch
            error:{erpc, timeout} -> true
        end
    end),
    {Peer, PeerNode} = ct_env:peer(),
    _ = erpc:send_request(PeerNode, erpc, call,
                          [name(Config), ecto_litefs, query, Args]),
    ct_wait:until(fun() -> lists:member(name(Config), erpc:call(PeerNode, erlang, nodes, [])) end),
    peer:stop(Peer),
    Follower = follow(Config),
    ?assertMatch({ok, #{acked := 1}}, insert(Config, #{ack => {replicas, 1}})),
    unfollow(Follower),
    ct_node:stop(?config(node, Config)).

demoted(Config) ->
    {LiteFS, Node} = {?config(litefs, Config), ?config(node, Config)},
    Rows = fun() -> ct_sqlite:count(maps:get(db, Node), "t") end,
    Before = Rows(),
    Writer = insert_request(Config, #{ack => {replicas, 1}}),
    ct_wait:until(fun() -> Rows() > Before end),
    ct_litefs:file(LiteFS, ".primary", "n2\n"),
    ct_litefs:say(LiteFS, ct_litefs:change({replica, "n2"})),
    ?assertMatch({error, {unknown, <<"COMMIT returned, but this host", _/binary>>}}, answer(Writer)).

%% A node that stops says what it knows.
stopped(Config) ->
    Node = ?config(node, Config),
    Rows = fun() -> ct_sqlite:count(maps:get(db, Node), "t") end,
    Writer = insert_request(Config, #{ack => {replicas, 1}}),
    ct_wait:until(fun() -> Rows() > 0 end),
    ct_node:stop(Node),
    ?assertMatch({ok, #{acked := 0}}, answer(Writer)).

bad_options(Config) ->
    [?assertMatch({error, #{code := invalid_option}}, insert(Config, #{ack => Bad}))
     || Bad <- [{replicas, 0}, {replicas, 65}, {replicas, -1}, {replicas, all}, replicas, 1, {local, 1}, "local"]],
    ?assertMatch({error, #{code := invalid_option}}, insert(Config, #{ack => {replicas, 1}, ack_timeout => 0})),
    Node = ?config(node, Config),
    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
    ?assertMatch({error, #{code := invalid_option}}, insert(Config, #{ack => {replicas, 1}, tx => Tx})),
    ok = ct_node:call(Node, rollback, ['Test.Repo', Tx]).

%% Whatever a peer sends there, the node goes on.
bad_reports(Config) ->
    [{ecto_litefs, name(Config)} ! Bad
     || Bad <- [x, {}, {position}, {position, <<"Test.Repo">>, nil}, {position, <<"No.Repo">>, {1, 1}},
                {position, 'Test.Repo', {1, 1}}, {position, <<"Test.Repo">>, {-1, 1}},
                {position, <<"Test.Repo">>, {1 bsl 64, 1}}, {position, <<"Test.Repo">>, {1, 1}, 1},
                {position, <<"Test.Repo">>, {1.0, 1}}, [position | 1], {position, <<"Test.Repo">>, {1, 1, 1}}]],
    ?assertMatch({ok, #{acked := 0}}, insert(Config, #{ack => {replicas, 1}, ack_timeout => ?SOON})),
    Follower = follow(Config),
    ?assertMatch({ok, #{acked := 1}}, insert(Config, #{ack => {replicas, 1}})),
    unfollow(Follower).

%% This node is named in the tracker row as the primary's: the replica's C node connects to it by itself.
a_replica_tells_its_primary(Config) ->
    LiteFS = ?config(litefs, Config),
    true = register(ecto_litefs, self()),
    Node = replica_of(node(), Config),
    Repo = <<"Test.Repo">>,
    receive {position, Repo, {7, 16#80000000000000aa}} -> ok end,
    ct_litefs:file(LiteFS, "test.db-pos", "0000000000000008/a2fc350ac2962d33\n"),
    ct_litefs:say(LiteFS, ct_litefs:tx("test.db", 8)),
    receive {position, Repo, {8, 16#a2fc350ac2962d33}} -> ok end,
    %% After a lost connection it comes again, and says where it stands.
    true = erlang:disconnect_node(maps:get(name, Node)),
    receive {position, Repo, {8, _}} -> ok end,
    ct_node:stop(Node).

%% However long it is away, it is looked for about once a second: acknowledgements wait for the reports.
a_primary_that_is_away(Config) ->
    Node = replica_of('nobody-there@127.0.0.1', Config),
    ct_wait:until(fun() -> length(ct_node:logs(Node, <<"handshake_failed">>)) >= 7 end, 13000),
    ct_node:stop(Node).

%% A replica's node, whose tracker row names that one.
replica_of(Primary, Config) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    ct_sqlite:exec(filename:join(Dir, "test.db"),
                   ["PRAGMA journal_mode = wal; CREATE TABLE _ecto_litefs_primary (id INTEGER PRIMARY KEY, "
                    "node_name TEXT NOT NULL, updated_at INTEGER NOT NULL); "
                    "INSERT INTO _ecto_litefs_primary VALUES (1, '", atom_to_list(Primary), "', 1)"]),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    ct_litefs:file(LiteFS, "test.db-pos", "0000000000000007/80000000000000aa\n"),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    node_beside(Config, LiteFS).
