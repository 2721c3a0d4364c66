%% Peers that are no BEAM: strangers, silent ones, slow ones, greedy ones. Runs once with each poller.
-module(wire_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 90}}].

all() ->
    [{group, epoll}, {group, poll}].

groups() ->
    Cases = [wrong_cookie, stranger, stranger_cut_short, silent_in_handshake, handshake_slots,
             handshake_byte_by_byte, frame_byte_by_byte, many_frames_at_once, half_a_frame,
             oversized_frame, frame_at_the_limit, malformed_frame, every_truncation, hostile_terms,
             many_connections, too_many_connections, ticks_are_sent, silent_peer_is_dropped,
             ticking_peer_stays, same_name_replaces, slow_reader_gets_everything,
             reader_that_never_reads, peer_that_goes_during_the_stop],
    [{epoll, [], Cases}, {poll, [], Cases}].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_group(Poller, Config) -> [{poller, atom_to_list(Poller)} | Config].
end_per_group(_Poller, _Config) -> ok.

%% One line, and only one; others are served.
wrong_cookie(Config) ->
    Node = ct_node:start(Config),
    ?assertMatch({error, _}, ct_raw:handshake(ct_raw:tcp(Node), #{name => ct_env:name("x"),
                                                                  cookie => wrong})),
    Line = ct_node:await_log(Node, <<"handshake_failed">>, #{}),
    ?assertMatch(#{<<"peer">> := <<"127.0.0.1", _/binary>>, <<"reason">> := _}, Line),
    is_served(Node),
    ?assertMatch([_], ct_node:logs(Node, <<"handshake_failed">>)),
    ct_node:stop(Node).

stranger(Config) ->
    Node = ct_node:start(Config),
    Garbage = [<<"GET / HTTP/1.1\r\nHost: x\r\n\r\n">>, <<0, 0>>, <<0, 1, $N>>, <<255, 255, 0>>,
               <<0, 20, $n, 0, 5>>, rand:bytes(500), <<0, 15, $N, 0:64, 7:32, 65535:16>>],
    [begin
         Socket = ct_raw:tcp(Node),
         ok = gen_tcp:send(Socket, Bytes),
         ok = gen_tcp:shutdown(Socket, write),
         ?assertMatch({error, _}, drain(Socket))
     end || Bytes <- Garbage],
    ct_wait:until(fun() -> length(ct_node:logs(Node, <<"handshake_failed">>)) =:= length(Garbage) end),
    is_served(Node),
    ?assertEqual(length(Garbage), length(ct_node:logs(Node, <<"handshake_failed">>))),
    ct_node:stop(Node).

%% The handshake cut off after each of its bytes.
stranger_cut_short(Config) ->
    Node = ct_node:start(Config),
    Name = <<"cut@127.0.0.1">>,
    Whole = <<(15 + byte_size(Name)):16, $N, 16#100D07FBD:64, 7:32, (byte_size(Name)):16, Name/binary>>,
    [begin
         Socket = ct_raw:tcp(Node),
         ok = gen_tcp:send(Socket, binary:part(Whole, 0, N)),
         ok = gen_tcp:close(Socket)
     end || N <- lists:seq(0, byte_size(Whole))],
    is_served(Node),
    ct_node:stop(Node).

silent_in_handshake(Config) ->
    Node = ct_node:start(Config, #{args => ["--handshake-timeout", "300"]}),
    Socket = ct_raw:tcp(Node),
    ?assertMatch({error, closed}, gen_tcp:recv(Socket, 0, 10000)),
    _ = ct_node:await_log(Node, <<"handshake_failed">>, #{}),
    is_served(Node),
    ?assertMatch([_], ct_node:logs(Node, <<"handshake_failed">>)),
    ct_node:stop(Node).

%% Silent peers hold every slot: a node that is connected goes on undisturbed, a new one gets in when
%% their time is over.
handshake_slots(Config) ->
    Node = ct_node:start(Config, #{args => ["--max-handshakes", "4", "--handshake-timeout", "1000"]}),
    Peer = ct_raw:connect(Node),
    Silent = [ct_raw:tcp(Node) || _ <- lists:seq(1, 12)],
    ?assertMatch({return, _}, ct_raw:call(Peer, erlang, node, [])),
    ct_wait:until(fun() ->
        Socket = ct_raw:tcp(Node),
        Result = ct_raw:handshake(Socket, #{name => ct_env:name("late")}),
        ok = gen_tcp:close(Socket),
        Result =:= ok
    end, 30000),
    [gen_tcp:close(S) || S <- Silent],
    ct_node:stop(Node).

handshake_byte_by_byte(Config) ->
    Node = ct_node:start(Config),
    Peer = ct_raw:connect(Node, #{chunk => 1}),
    ?assertMatch({return, _}, ct_raw:call(Peer, erlang, node, [])),
    ct_node:stop(Node).

frame_byte_by_byte(Config) ->
    Node = #{name := Name, repo := Repo} = ct_node:start(Config),
    Peer = #{socket := Socket} = ct_raw:connect(Node),
    ok = ct_raw:send_chunks(Socket, ct_raw:call_frame(Peer, 1, erlang, node, []), 1),
    ?assertEqual({return, Name}, ct_raw:reply(Peer, 1)),
    Sql = <<"SELECT length(?), ?">>,
    Frame = ct_raw:call_frame(Peer, 2, ecto_litefs, query, [Repo, Sql, [binary:copy(<<"x">>, 3000), 7]]),
    [begin
         ok = ct_raw:send_chunks(Socket, Frame, Chunk),
         ?assertMatch({return, {ok, #{rows := [[3000, 7]]}}}, ct_raw:reply(Peer, 2))
     end || Chunk <- [1, 2, 3, 5, 7, 1000, 3000]],
    ct_node:stop(Node).

%% Several frames, ticks among them, in one segment; each is answered.
many_frames_at_once(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Peer = ct_raw:connect(Node),
    N = 500,
    ok = ct_raw:send(Peer, [[<<0:32>>, ct_raw:call_frame(Peer, I, erlang, node, [])]
                            || I <- lists:seq(1, N)]),
    [?assertEqual({return, Name}, ct_raw:reply(Peer, I)) || I <- lists:seq(1, N)],
    ct_node:stop(Node).

%% What was not wholly received is never executed.
half_a_frame(Config) ->
    Node = #{repo := Repo} = ct_node:start(Config),
    Raw = ct_raw:connect(Node),
    {return, {ok, _}} = ct_raw:call(Raw, ecto_litefs, query, [Repo, <<"CREATE TABLE t (n)">>, []]),
    Peer = ct_raw:connect(Node),
    Frame = ct_raw:call_frame(Peer, 1, ecto_litefs, query, [Repo, <<"INSERT INTO t VALUES (1)">>, []]),
    ok = ct_raw:send(Peer, binary:part(Frame, 0, byte_size(Frame) - 1)),
    ct_raw:close(Peer),
    _ = ct_node:await_log(Node, <<"disconnected">>, #{}),
    ?assertMatch({return, {ok, #{rows := [[0]]}}},
                 ct_raw:call(Raw, ecto_litefs, query, [Repo, <<"SELECT count(*) FROM t">>, []])),
    ct_node:stop(Node).

%% Dropped for its length alone, before its bytes are here.
oversized_frame(Config) ->
    Node = ct_node:start(Config, #{args => ["--max-frame", "1000000"]}),
    [begin
         Peer = #{name := Name, socket := Socket} = ct_raw:connect(Node),
         ok = ct_raw:send(Peer, <<Length:32, $p, 131>>),
         ?assertMatch({error, _}, drain(Socket)),
         ?assertMatch(#{<<"reason">> := _},
                      ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(Name)}))
     end || Length <- [1000001, 16#7FFFFFFF, 16#80000000, 16#FFFFFFFF]],
    is_served(Node),
    ct_node:stop(Node).

frame_at_the_limit(Config) ->
    Node = #{repo := Repo} = ct_node:start(Config, #{args => ["--max-frame", "100000"]}),
    Peer = ct_raw:connect(Node),
    Call = fun(Size) ->
        ct_raw:call_frame(Peer, 1, ecto_litefs, query,
                          [Repo, <<"SELECT length(?)">>, [binary:copy(<<"x">>, Size)]])
    end,
    Fits = 100000 - (byte_size(Call(0)) - 4),
    ok = ct_raw:send(Peer, Call(Fits)),
    ?assertMatch({return, {ok, #{rows := [[Fits]]}}}, ct_raw:reply(Peer, 1)),
    ok = ct_raw:send(Peer, Call(Fits + 1)),
    ?assertMatch({error, _}, ct_raw:reply(Peer, 1)),
    ct_node:stop(Node).

malformed_frame(Config) ->
    Node = ct_node:start(Config),
    Bodies = [<<$q, 131>>, <<$p>>, <<$p, 130>>, <<$p, 131>>, <<$p, 131, 104, 255>>, <<$p, 131, 97, 1>>,
              <<$p, 131, 104, 0>>, <<$p, (term_to_binary({9999}))/binary>>,
              <<$p, (term_to_binary({atom, 1}))/binary>>, <<$p, (term_to_binary({29, 1, 2}))/binary>>,
              <<$p, (term_to_binary({2, '', self()}))/binary, 131, 109, 255, 255, 255, 255>>,
              <<131, 68, 0>>, <<131, 69, 0:64, 1:64, 0>>, rand:bytes(300)],
    [begin
         Peer = ct_raw:connect(Node),
         ok = ct_raw:send(Peer, <<(byte_size(B)):32, B/binary>>),
         %% Dropped, or taken for nothing: but never answered by rubbish, and never the end of the node.
         _ = gen_tcp:recv(maps:get(socket, Peer), 0, 300),
         ct_raw:close(Peer)
     end || B <- Bodies],
    is_served(Node),
    ct_node:stop(Node).

%% A call cut off at each byte, in a frame whose length tells the truth.
every_truncation(Config) ->
    Node = #{repo := Repo} = ct_node:start(Config),
    First = ct_raw:connect(Node),
    <<_:32, Body/binary>> =
        ct_raw:call_frame(First, 1, ecto_litefs, query,
                          [Repo, <<"SELECT ?, ?">>, #{<<"a">> => {blob, [1, <<2>>]}, b => 1.5}]),
    [begin
         Peer = ct_raw:connect(Node),
         ok = ct_raw:send(Peer, [<<N:32>>, binary:part(Body, 0, N)]),
         ct_raw:close(Peer)
     end || N <- lists:seq(1, byte_size(Body) - 1)],
    is_served(Node),
    ct_node:stop(Node).

%% Terms that lie about their size or nest without end.
hostile_terms(Config) ->
    Node = ct_node:start(Config),
    Name = ct_env:name("hostile"),
    <<131, From/binary>> = term_to_binary(ct_raw:pid(Name, 1)),
    <<131, Ref/binary>> = term_to_binary(ct_raw:ref(Name, 1)),
    <<131, Mfa/binary>> = term_to_binary({erpc, execute_call, 4}),
    <<131, Opts/binary>> = term_to_binary([monitor]),
    Control = <<$p, 131, 104, 6, 97, 29, Ref/binary, From/binary, From/binary, Mfa/binary, Opts/binary>>,
    Deep = binary:copy(<<108, 0, 0, 0, 1>>, 1000000),
    Messages = [<<131, 108, 255, 255, 255, 255>>, <<131, 105, 255, 255, 255, 255>>,
                <<131, 116, 255, 255, 255, 255>>, <<131, Deep/binary>>,
                <<131, (binary:copy(<<104, 1>>, 1000000))/binary>>,
                <<131, 108, 4:32, Ref/binary, 110, 255, 0>>, <<131, 80, 16#FFFFFFFF:32, 1, 2, 3>>],
    [begin
         Peer = ct_raw:connect(Node, #{name => Name}),
         ok = ct_raw:send(Peer, [<<(byte_size(Control) + byte_size(M)):32>>, Control, M]),
         _ = gen_tcp:recv(maps:get(socket, Peer), 0, 300),
         ct_raw:close(Peer),
         is_served(Node)
     end || M <- Messages],
    ct_node:stop(Node).

many_connections(Config) ->
    Node = #{repo := Repo} = ct_node:start(Config),
    Peers = [ct_raw:connect(Node, #{visible => true}) || _ <- lists:seq(1, 1000)],
    [ok = ct_raw:send(P, ct_raw:call_frame(P, 1, ecto_litefs, query, [Repo, <<"SELECT ?">>, [I]]))
     || {I, P} <- lists:enumerate(Peers)],
    [?assertMatch({return, {ok, #{rows := [[I]]}}}, ct_raw:reply(P, 1)) || {I, P} <- lists:enumerate(Peers)],
    await_connections(hd(Peers), 1000),
    [ct_raw:close(P) || P <- tl(Peers)],
    await_connections(hd(Peers), 1),
    ct_node:stop(Node).

%% One more waits outside until another leaves.
too_many_connections(Config) ->
    Node = ct_node:start(Config, #{args => ["--max-connections", "3"]}),
    Peers = [ct_raw:connect(Node) || _ <- lists:seq(1, 3)],
    Fourth = ct_raw:tcp(Node),
    Parent = self(),
    Waiting = spawn_link(fun() ->
        Parent ! {self(), ct_raw:handshake(Fourth, #{name => ct_env:name("fourth")})}
    end),
    await_connections(hd(Peers), 3),
    [?assertMatch({return, _}, ct_raw:call(P, erlang, node, [])) || P <- Peers],
    receive {Waiting, _} -> error(too_early) after 0 -> ok end,
    ct_raw:close(hd(Peers)),
    receive {Waiting, Result} -> ?assertEqual(ok, Result) end,
    ct_node:stop(Node).

ticks_are_sent(Config) ->
    Node = ct_node:start(Config, #{args => ["--tick-time", "2"]}),
    Peer = ct_raw:connect(Node),
    ?assertEqual(tick, ct_raw:recv(Peer, 3000)),
    ct_node:stop(Node).

silent_peer_is_dropped(Config) ->
    Node = ct_node:start(Config, #{args => ["--tick-time", "1"]}),
    #{name := Name, socket := Socket} = ct_raw:connect(Node),
    ?assertMatch({error, _}, drain(Socket)),
    ?assertMatch(#{<<"reason">> := _},
                 ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(Name)})),
    ct_node:stop(Node).

%% A peer that only ticks, for five times as long as a silent one may live.
ticking_peer_stays(Config) ->
    Node = ct_node:start(Config, #{args => ["--tick-time", "1"]}),
    Peer = ct_raw:connect(Node),
    Until = erlang:monotonic_time(millisecond) + 5000,
    Tick = fun Tick() ->
        ok = ct_raw:send(Peer, <<0:32>>),
        _ = ct_raw:recv(Peer, 200),
        erlang:monotonic_time(millisecond) > Until orelse Tick()
    end,
    Tick(),
    ?assertMatch({return, _}, ct_raw:call(Peer, erlang, node, [])),
    ct_node:stop(Node).

%% A node that comes back while its old connection only seems to live.
same_name_replaces(Config) ->
    Node = ct_node:start(Config),
    Old = #{name := Name, socket := Socket} = ct_raw:connect(Node),
    {return, _} = ct_raw:call(Old, erlang, node, []),
    New = ct_raw:connect(Node, #{name => Name}),
    ?assertMatch({return, _}, ct_raw:call(New, erlang, node, [])),
    ?assertMatch({error, _}, drain(Socket)),
    await_connections(New, 1),
    ct_node:stop(Node).

%% A peer that sends many calls and reads the answers late gets all of them; meanwhile the others are served
%% and the node's memory stays bounded.
slow_reader_gets_everything(Config) ->
    Node = #{os_pid := Pid} = ct_node:start(Config, #{args => ["--max-output", "1000000000"]}),
    Slow = ct_raw:connect(Node),
    N = 300,
    Padding = binary:copy(<<" ">>, 100000),
    Counter = counters:new(1, []),
    %% Since each call fills a read, the node cannot take in many before it notices.
    Sender = spawn_link(fun() ->
        [begin
             ok = ct_raw:send(Slow, big_answer(Slow, Node, I, 1000000, Padding)),
             counters:put(Counter, 1, I)
         end || I <- lists:seq(1, N)]
    end),
    true = await_standstill(Counter) < N,
    is_served(Node),
    %% All the answers would be 300 MB; sanitizers keep freed memory for a while.
    Idle = ct_os:rss_kb(Pid),
    ?assert(Idle < 220 * 1024, Idle),
    [?assertMatch({return, {ok, #{rows := [[_]]}}}, ct_raw:reply(Slow, I)) || I <- lists:seq(1, N)],
    ?assertEqual([], [L || #{<<"node">> := Name} = L <- ct_node:logs(Node, <<"disconnected">>),
                           Name =:= atom_to_binary(maps:get(name, Slow))]),
    unlink(Sender),
    ct_node:stop(Node).

%% A node that stops reads from nobody. One that is gone altogether is noticed all the same; the loop would have no
%% rest from it.
peer_that_goes_during_the_stop(Config) ->
    Node = #{repo := Repo} = ct_node:start(Config),
    Caller = ct_raw:connect(Node),
    Other = #{socket := Socket, name := Name} = ct_raw:connect(Node),
    {return, _} = ct_raw:call(Other, erlang, node, []),
    Forever = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    Arguments = [Repo, Forever, [], #{timeout => 3000}],
    ok = ct_raw:send(Caller, ct_raw:call_frame(Caller, 1, ecto_litefs, query, Arguments)),
    ct_wait:until(fun() ->
        #{repos := Repos} = ct_node:call(Node, info, []),
        [1] =:= [Q || #{queued := Q} <- maps:values(Repos)]
    end),
    ct_node:signal(Node, "TERM"),
    _ = ct_node:await_log(Node, <<"stopping">>, #{}),
    ok = inet:setopts(Socket, [{linger, {true, 0}}]),
    ok = gen_tcp:close(Socket),
    _ = ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(Name),
                                                      <<"reason">> => <<"closed_by_peer">>}),
    ?assertMatch({return, {error, #{code := timeout}}}, ct_raw:reply(Caller, 1)),
    ?assertEqual(0, ct_node:await_exit(Node)).

%% One that never reads is dropped past the limit, or no longer read; either way it holds no more than that.
reader_that_never_reads(Config) ->
    Node = #{os_pid := Pid} = ct_node:start(Config, #{args => ["--max-output", "4000000"]}),
    Greedy = #{name := Name, socket := Socket} = ct_raw:connect(Node),
    ok = inet:setopts(Socket, [{send_timeout, 2000}]),
    Send = fun Send(I) when I > 300 -> ok;
               Send(I) ->
                   case ct_raw:send(Greedy, big_answer(Greedy, Node, I, 1000000)) of
                       ok -> Send(I + 1);
                       {error, _} -> ok
                   end
           end,
    Send(1),
    is_served(Node),
    ct_wait:until(fun() ->
        ct_node:logs(Node, <<"disconnected">>) =/= [] orelse ct_os:rss_kb(Pid) < 100 * 1024
    end),
    ?assert(ct_os:rss_kb(Pid) < 150 * 1024),
    _ = ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(Name)}),
    is_served(Node),
    ct_node:stop(Node).

%% Helpers

%% A client has finished its handshake a moment before the node counts it.
await_connections(Peer, N) ->
    ct_wait:until(fun() ->
        {return, #{connections := Now}} = ct_raw:call(Peer, ecto_litefs, info, []),
        Now =:= N
    end).

is_served(Node = #{name := Name}) ->
    Peer = ct_raw:connect(Node),
    ?assertEqual({return, Name}, ct_raw:call(Peer, erlang, node, [])),
    ct_raw:close(Peer).

%% Reads until the other side has closed.
drain(Socket) ->
    case gen_tcp:recv(Socket, 0, 20000) of
        {ok, _} -> drain(Socket);
        Error -> Error
    end.

big_answer(Peer, Node, I, Size) ->
    big_answer(Peer, Node, I, Size, <<>>).

big_answer(Peer, #{repo := Repo}, I, Size, Padding) ->
    ct_raw:call_frame(Peer, I, ecto_litefs, query,
                      [Repo, <<"SELECT zeroblob(?)", Padding/binary>>, [Size]]).

%% Where a counter stays for half a second.
await_standstill(Counter) ->
    Before = counters:get(Counter, 1),
    timer:sleep(500),
    case counters:get(Counter, 1) of
        Before when Before > 0 -> Before;
        _ -> await_standstill(Counter)
    end.
