%% The node as a member of a cluster, seen from BEAM nodes. Runs once with each poller.
-module(dist_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [{group, epoll}, {group, poll}].

groups() ->
    Cases = [ping, nodes_of_a_peer, hidden_by_option, hidden_peer, monitor_unknown_name,
             monitor_unknown_pid, gen_server_call_to_unknown_name, gen_server_multi_call,
             message_to_unknown_name, link_to_unknown_pid, spawn_is_refused, nodedown_at_stop,
             nodedown_at_kill, wrong_cookie_of_a_peer, dials_out, dials_again, dials_with_back_off,
             survives_a_peers_death, restarted_peer_connects_again, busy_cluster],
    [{epoll, [], Cases}, {poll, [], Cases}].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_group(Poller, Config) -> [{poller, atom_to_list(Poller)} | Config].
end_per_group(_Poller, _Config) -> ok.

ping(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    ?assertEqual(pong, net_adm:ping(Name)),
    ?assert(lists:member(Name, nodes())),
    ?assertEqual(#{<<"node">> => atom_to_binary(node())},
                 maps:with([<<"node">>], ct_node:await_log(Node, <<"connected">>, #{}))),
    ct_node:stop(Node).

nodes_of_a_peer(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {Peer, _} = ct_env:peer(),
    ?assertEqual(pong, peer:call(Peer, net_adm, ping, [Name])),
    ?assertEqual([Name], peer:call(Peer, erlang, nodes, [])),
    ?assertEqual(true, peer:call(Peer, erlang, disconnect_node, [Name])),
    ct_wait:until(fun() -> ct_node:logs(Node, <<"disconnected">>) =/= [] end),
    ?assertEqual(Name, peer:call(Peer, erpc, call, [Name, erlang, node, []])),
    ct_node:stop(Node).

hidden_by_option(Config) ->
    Node = #{name := Name} = ct_node:start(Config, #{args => ["--hidden"]}),
    ?assertEqual(pong, net_adm:ping(Name)),
    ?assertNot(lists:member(Name, nodes())),
    ?assert(lists:member(Name, nodes(hidden))),
    ct_node:stop(Node).

hidden_peer(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {Peer, _} = ct_env:peer(#{args => ["-hidden"]}),
    ?assertEqual(Name, peer:call(Peer, erpc, call, [Name, erlang, node, []])),
    ct_node:stop(Node).

monitor_unknown_name(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Ref = monitor(process, {no_such_name, Name}),
    receive
        {'DOWN', Ref, process, {no_such_name, Name}, Reason} -> ?assertEqual(noproc, Reason)
    after 5000 -> error(no_down)
    end,
    ct_node:stop(Node).

monitor_unknown_pid(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    pong = net_adm:ping(Name),
    Pid = ct_raw:pid(Name, 4711),
    Ref = monitor(process, Pid),
    receive
        {'DOWN', Ref, process, Pid, Reason} -> ?assert(lists:member(Reason, [noproc, noconnection]))
    after 5000 -> error(no_down)
    end,
    ct_node:stop(Node).

gen_server_call_to_unknown_name(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {Time, Result} = timer:tc(fun() -> catch gen_server:call({no_such_name, Name}, hello, 10000) end),
    ?assertMatch({'EXIT', {noproc, _}}, Result),
    ?assert(Time < 5000000),
    ct_node:stop(Node).

gen_server_multi_call(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {Time, Result} = timer:tc(gen_server, multi_call, [[Name], no_such_name, hello, 10000]),
    ?assertEqual({[], [Name]}, Result),
    ?assert(Time < 5000000),
    ct_node:stop(Node).

%% Thrown away, and the connection stays.
message_to_unknown_name(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    pong = net_adm:ping(Name),
    {no_such_name, Name} ! hello,
    {rex, Name} ! {self(), nonsense},
    {net_kernel, Name} ! {'$gen_call', nonsense},
    {global_name_server, Name} ! {init_connect, {5, 1}, node(), {locker, []}},
    ct_raw:pid(Name, 4711) ! {hello, lists:seq(1, 1000)},
    gen_server:cast({no_such_name, Name}, hello),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ?assertEqual([], ct_node:logs(Node, <<"disconnected">>)),
    ct_node:stop(Node).

link_to_unknown_pid(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    pong = net_adm:ping(Name),
    Pid = ct_raw:pid(Name, 4711),
    process_flag(trap_exit, true),
    link(Pid),
    receive
        {'EXIT', Pid, Reason} -> ?assertEqual(noproc, Reason)
    after 5000 -> error(no_exit)
    end,
    process_flag(trap_exit, false),
    ct_node:stop(Node).

spawn_is_refused(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Request = spawn_request(Name, lists, seq, [1, 2], [{reply, yes}, monitor]),
    receive
        {spawn_reply, Request, error, Reason} -> ?assertEqual(notsup, Reason)
    after 5000 -> error(no_reply)
    end,
    Request2 = spawn_request(Name, erpc, execute_call, [too, few], [{reply, yes}, monitor]),
    receive
        {spawn_reply, Request2, error, Reason2} -> ?assertEqual(notsup, Reason2)
    after 5000 -> error(no_reply)
    end,
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ct_node:stop(Node).

nodedown_at_stop(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    pong = net_adm:ping(Name),
    true = monitor_node(Name, true),
    ct_node:stop(Node),
    receive {nodedown, Name} -> ok after 5000 -> error(no_nodedown) end.

nodedown_at_kill(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    pong = net_adm:ping(Name),
    true = monitor_node(Name, true),
    ct_node:kill(Node),
    receive {nodedown, Name} -> ok after 5000 -> error(no_nodedown) end,
    ?assertError({erpc, noconnection}, erpc:call(Name, erlang, node, [])).

wrong_cookie_of_a_peer(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {Peer, PeerName} = ct_env:peer(#{cookie => not_the_cookie}),
    ?assertEqual(pang, peer:call(Peer, net_adm, ping, [Name])),
    _ = ct_node:await_log(Node, <<"handshake_failed">>, #{}),
    ?assertMatch([_], ct_node:logs(Node, <<"handshake_failed">>)),
    ?assertEqual([], ct_node:logs(Node, <<"connected">>)),
    ?assertNotEqual(node(), PeerName),
    ?assertEqual(pong, net_adm:ping(Name)),
    ct_node:stop(Node).

%% --connect: the node joins by dialling, and the peer can call it back over that connection.
dials_out(Config) ->
    {Peer, PeerName} = ct_env:peer(),
    Node = #{name := Name} = ct_node:start(Config, #{args => ["--connect", atom_to_list(PeerName)]}),
    _ = ct_node:await_log(Node, <<"connected">>, #{<<"node">> => atom_to_binary(PeerName)}),
    ct_wait:until(fun() -> lists:member(Name, peer:call(Peer, erlang, nodes, [])) end),
    ?assertEqual(Name, peer:call(Peer, erpc, call, [Name, erlang, node, []])),
    ?assertMatch([_], ct_node:logs(Node, <<"connected">>)),
    ct_node:stop(Node).

dials_again(Config) ->
    PeerName = ct_env:name("peer"),
    Node = #{name := Name} = ct_node:start(Config, #{args => ["--connect", atom_to_list(PeerName)]}),
    {Peer, PeerName} = ct_env:peer(#{node => PeerName}),
    Joined = fun(P) -> lists:member(Name, peer:call(P, erlang, nodes, [])) end,
    ct_wait:until(fun() -> Joined(Peer) end, 30000),
    peer:stop(Peer),
    ct_wait:until(fun() -> ct_node:logs(Node, <<"disconnected">>) =/= [] end),
    {Peer2, PeerName} = ct_env:peer(#{node => PeerName}),
    ct_wait:until(fun() -> Joined(Peer2) end, 30000),
    ct_node:stop(Node).

%% A node that is not there costs neither a busy loop nor a flood of lines.
dials_with_back_off(Config) ->
    Node = #{name := Name} =
        ct_node:start(Config, #{args => ["--connect", "nobody-there@127.0.0.1"]}),
    Before = length(ct_node:lines(Node)),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    Cpu1 = cpu(Node),
    timer:sleep(2000),
    Cpu2 = cpu(Node),
    ?assert(Cpu2 - Cpu1 < 20),
    ?assert(length(ct_node:lines(Node)) - Before < 10),
    ct_node:stop(Node).

survives_a_peers_death(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {Peer, PeerName} = ct_env:peer(),
    Name = peer:call(Peer, erpc, call, [Name, erlang, node, []]),
    OsPid = peer:call(Peer, os, getpid, []),
    unlink(Peer),
    ct_os:signal(OsPid, "KILL"),
    _ = ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(PeerName)}),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ct_node:stop(Node).

restarted_peer_connects_again(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    PeerName = ct_env:name("peer"),
    [begin
         {Peer, PeerName} = ct_env:peer(#{node => PeerName}),
         ?assertEqual(Name, peer:call(Peer, erpc, call, [Name, erlang, node, []])),
         peer:stop(Peer)
     end || _ <- lists:seq(1, 3)],
    ct_node:stop(Node).

%% Three peers that are connected to each other as well; all call at once.
busy_cluster(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Peers = [ct_env:peer(#{args => ["-connect_all", "true"]}) || _ <- lists:seq(1, 3)],
    [pong = peer:call(P, net_adm, ping, [N]) || {P, _} <- Peers, {_, N} <- Peers],
    Answers = [peer:call(P, erpc, multicall, [lists:duplicate(100, Name), erlang, node, [], 10000])
               || {P, _} <- Peers],
    ?assertEqual(lists:duplicate(3, lists:duplicate(100, {ok, Name})), Answers),
    ?assertEqual([], ct_node:logs(Node, <<"disconnected">>)),
    ct_node:stop(Node).

%% Helpers

%% User and system time in ticks of 10 ms.
cpu(#{os_pid := Pid}) ->
    {ok, Stat} = file:read_file("/proc/" ++ Pid ++ "/stat"),
    [_, Rest] = binary:split(Stat, <<") ">>),
    Fields = binary:split(Rest, <<" ">>, [global]),
    binary_to_integer(lists:nth(12, Fields)) + binary_to_integer(lists:nth(13, Fields)).
