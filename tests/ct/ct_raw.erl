%% A distribution peer by hand: handshake and frames over a plain socket, so that a test can send what no
%% BEAM would, and as slowly as it likes. Layout: erl_dist_protocol, "Distribution Handshake" (version 6) and
%% "Protocol between Connected Nodes".
-module(ct_raw).

%% API
-export([tcp/1]).
-export([connect/1]).
-export([connect/2]).
-export([handshake/2]).
-export([close/1]).
-export([call_frame/5]).
-export([frame/2]).
-export([send/2]).
-export([send_chunks/3]).
-export([recv/2]).
-export([call/4]).
-export([reply/2]).
-export([pid/2]).
-export([ref/2]).

-type peer() :: #{socket := gen_tcp:socket(), name := node()}.
-export_type([peer/0]).

%% What a BEAM of OTP 25 requires and what we use: references, funs, floats, atoms in UTF-8, maps, big
%% creations, handshake 23, unlink ids; monitors by name, exit payloads, spawn, alias. No atom cache, no
%% fragments.
-define(FLAGS, (16#4 bor 16#8 bor 16#10 bor 16#20 bor 16#80 bor 16#100 bor 16#200 bor 16#400 bor 16#800
                bor 16#10000 bor 16#20000 bor 16#40000 bor 16#400000 bor 16#1000000 bor 16#2000000
                bor (1 bsl 32) bor (1 bsl 34) bor (1 bsl 35))).
-define(PUBLISHED, 16#1).
-define(CREATION, 7).
-define(SPAWN_REQUEST, 29).
-define(SPAWN_REPLY, 31).
-define(MONITOR_P_EXIT, 28).
-define(TIMEOUT, 10000).

%% A bare connection to where the node listens.
-spec tcp(ct_node:cnode()) -> gen_tcp:socket().
tcp(#{port := Port}) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}, {nodelay, true}]),
    Socket.

-spec connect(ct_node:cnode()) -> peer().
connect(Node) ->
    connect(Node, #{}).

%% Connects and shakes hands. Options: name, cookie, visible, chunk (bytes sent at a time).
-spec connect(ct_node:cnode(), map()) -> peer().
connect(Node, Options) ->
    Name = maps:get(name, Options, ct_env:name("raw")),
    Socket = tcp(Node),
    ok = handshake(Socket, Options#{name => Name}),
    #{socket => Socket, name => Name}.

%% The connecting side of the handshake. {error, Reason} as soon as the node does not go along.
-spec handshake(gen_tcp:socket(), map()) -> ok | {error, term()}.
handshake(Socket, #{name := Name} = Options) ->
    Cookie = maps:get(cookie, Options, ct_env:cookie()),
    Flags = case Options of #{visible := true} -> ?FLAGS bor ?PUBLISHED; _ -> ?FLAGS end,
    Text = atom_to_binary(Name),
    Mine = rand:uniform(1 bsl 32) - 1,
    try
        tell(Socket, Options, <<$N, Flags:64, ?CREATION:32, (byte_size(Text)):16, Text/binary>>),
        status(Socket, Options),
        <<$N, _:64, Theirs:32, _/binary>> = hear(Socket),
        tell(Socket, Options, <<$r, Mine:32, (digest(Cookie, Theirs))/binary>>),
        Digest = digest(Cookie, Mine),
        <<$a, Digest:16/binary>> = hear(Socket),
        ok
    catch
        throw:Error -> Error
    end.

%% A node that still has a connection of ours says alive: we insist, as a BEAM that knows better does.
status(Socket, Options) ->
    case hear(Socket) of
        <<"sok", _/binary>> -> ok;
        <<"salive">> -> tell(Socket, Options, <<"strue">>);
        Other -> throw({error, Other})
    end.

tell(Socket, Options, Message) ->
    Bytes = <<(byte_size(Message)):16, Message/binary>>,
    Chunk = maps:get(chunk, Options, byte_size(Bytes)),
    ok(send_chunks(Socket, Bytes, Chunk)).

hear(Socket) ->
    <<N:16>> = ok(gen_tcp:recv(Socket, 2, ?TIMEOUT)),
    ok(gen_tcp:recv(Socket, N, ?TIMEOUT)).

ok(ok) -> ok;
ok({ok, Value}) -> Value;
ok({error, _} = Error) -> throw(Error).

digest(Cookie, Challenge) ->
    erlang:md5([atom_to_list(Cookie), integer_to_list(Challenge)]).

%% Sends bytes in pieces of that size.
-spec send_chunks(gen_tcp:socket(), binary(), pos_integer()) -> ok | {error, term()}.
send_chunks(_, <<>>, _) ->
    ok;
send_chunks(Socket, Bytes, Chunk) ->
    N = min(Chunk, byte_size(Bytes)),
    <<Now:N/binary, Later/binary>> = Bytes,
    case gen_tcp:send(Socket, Now) of
        ok -> send_chunks(Socket, Later, Chunk);
        Error -> Error
    end.

-spec close(peer()) -> ok.
close(#{socket := Socket}) ->
    gen_tcp:close(Socket).

%% A frame with its length: a control tuple and a message (none: without one).
-spec frame(tuple(), term()) -> binary().
frame(Control, Message) ->
    Payload = case Message of none -> <<>>; _ -> term_to_binary(Message) end,
    Body = <<$p, (term_to_binary(Control))/binary, Payload/binary>>,
    <<(byte_size(Body)):32, Body/binary>>.

%% The frame of erpc:call(Node, M, F, A), numbered N.
-spec call_frame(peer(), pos_integer(), module(), atom(), [term()]) -> binary().
call_frame(#{name := Name}, N, M, F, A) ->
    From = pid(Name, 1),
    frame({?SPAWN_REQUEST, ref(Name, N), From, From, {erpc, execute_call, 4}, [monitor]},
          [ref(Name, N), M, F, A]).

-spec send(peer(), iodata()) -> ok | {error, term()}.
send(#{socket := Socket}, Bytes) ->
    gen_tcp:send(Socket, Bytes).

%% The next frame: {Control, Message}, {Control, none}, tick, or {error, closed | timeout | ...}.
-spec recv(peer(), timeout()) -> {tuple(), term()} | tick | {error, term()}.
recv(#{socket := Socket}, Timeout) ->
    case gen_tcp:recv(Socket, 4, Timeout) of
        {ok, <<0:32>>} ->
            tick;
        {ok, <<N:32>>} ->
            {ok, <<$p, Body/binary>>} = gen_tcp:recv(Socket, N, ?TIMEOUT),
            {Control, Used} = binary_to_term(Body, [used]),
            case Body of
                <<_:Used/binary>> -> {Control, none};
                <<_:Used/binary, Message/binary>> -> {Control, binary_to_term(Message)}
            end;
        Error ->
            Error
    end.

%% erpc:call by hand: {return, Value}, {error, Reason, Stack} and so on.
-spec call(peer(), module(), atom(), [term()]) -> tuple() | {error, term()}.
call(Peer, M, F, A) ->
    N = erlang:unique_integer([positive]) rem 16#FFFFFF + 1,
    case send(Peer, call_frame(Peer, N, M, F, A)) of
        ok -> reply(Peer, N);
        Error -> Error
    end.

%% Waits for the answer to call N; others before it are dropped.
-spec reply(peer(), pos_integer()) -> tuple() | {error, term()}.
reply(#{name := Name} = Peer, N) ->
    Ref = ref(Name, N),
    case recv(Peer, ?TIMEOUT) of
        {{?MONITOR_P_EXIT, _, _, Ref}, Reason} ->
            list_to_tuple(tl(tuple_to_list(Reason)));
        {error, _} = Error ->
            Error;
        _SpawnReplyOrTickOrOther ->
            reply(Peer, N)
    end.

%% A process and a reference of the peer.
-spec pid(node(), non_neg_integer()) -> pid().
pid(Name, N) ->
    Text = atom_to_binary(Name),
    binary_to_term(<<131, 88, 119, (byte_size(Text)), Text/binary, N:32, 0:32, ?CREATION:32>>).

-spec ref(node(), non_neg_integer()) -> reference().
ref(Name, N) ->
    Text = atom_to_binary(Name),
    binary_to_term(<<131, 90, 3:16, 119, (byte_size(Text)), Text/binary, ?CREATION:32,
                     N:32, 0:32, 0:32>>).
