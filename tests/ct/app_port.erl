%% A stand-in for the port program: it speaks docs/port.md, and the test says what it says.
%%
%% The program that the application starts is a small VM which hands bytes on between its standard
%% streams and a socket of this VM, so that opening, configuration, death and end of input are real.
%% What it tells is kept for each `primary_file', by which the tests tell the Repos apart.
-module(app_port).

%% API
-export([start/1]).
-export([stop/1]).
-export([state/1]).
-export([state/2]).
-export([announce/3]).
-export([say/3]).
-export([kill/2]).
-export([refuse/3]).
-export([configs/2]).
-export([refreshes/2]).
-export([connected/2]).

%% The program's side.
-export([relay/1]).

-define(PACKET, [binary, {packet, 4}, {active, true}, {nodelay, true}]).

%% Starts the stand-in and has the application use it. It says nothing before announce/3.
-spec start(file:filename()) -> pid().
start(Dir) ->
    Caller = self(),
    Pid = spawn_link(fun() ->
        {ok, Listen} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {reuseaddr, true} | ?PACKET]),
        {ok, TcpPort} = inet:port(Listen),
        Caller ! {self(), TcpPort},
        Self = self(),
        _ = spawn_link(fun() -> accept(Listen, Self) end),
        loop(#{states => #{}, sockets => #{}, configs => [], refreshes => [], refusals => #{}})
    end),
    Number = receive {Pid, N} -> N end,
    Program = filename:join(Dir, "stand_in_port"),
    ok = file:write_file(Program, [
        "#!/bin/sh\nexec erl -noinput -start_epmd false -boot start_clean -pa '",
        filename:dirname(code:which(?MODULE)), "' -run app_port relay ", integer_to_list(Number), "\n"]),
    ok = file:change_mode(Program, 8#755),
    ok = application:set_env(ecto_litefs, port_program, Program),
    Pid.

-spec stop(pid()) -> ok.
stop(Pid) ->
    ok = application:unset_env(ecto_litefs, port_program),
    unlink(Pid),
    exit(Pid, kill),
    ok.

%% A state as the port tells it.
-spec state(primary | replica | unknown) -> map().
state(Role) ->
    state(Role, #{}).

-spec state(primary | replica | unknown, map()) -> map().
state(Role, More) ->
    maps:merge(#{role => Role, hostname => nil, node => nil, mount => live, lag => 0, positions => #{},
                 sources => #{file => source(true), stream => source(true), row => source(true)}}, More).

source(Enabled) ->
    #{enabled => Enabled, says => nil, age => nil}.

%% What it says from now on, and at once if it runs.
-spec announce(pid(), binary(), map()) -> ok.
announce(Pid, File, State) ->
    call(Pid, {announce, File, State}).

%% Sends any term, or bytes as they are.
-spec say(pid(), binary(), term() | {bytes, binary()}) -> ok.
say(Pid, File, What) ->
    call(Pid, {say, File, What}).

%% The program ends.
-spec kill(pid(), binary()) -> ok.
kill(Pid, File) ->
    call(Pid, {kill, File}).

%% The next configuration is answered with this error.
-spec refuse(pid(), binary(), binary()) -> ok.
refuse(Pid, File, Text) ->
    call(Pid, {refuse, File, Text}).

%% The configurations it was given, the latest first.
-spec configs(pid(), binary()) -> [map()].
configs(Pid, File) ->
    [C || #{primary_file := F} = C <- call(Pid, configs), F =:= File].

%% How often it was asked to read its sources again.
-spec refreshes(pid(), binary()) -> non_neg_integer().
refreshes(Pid, File) ->
    length([F || F <- call(Pid, refreshes), F =:= File]).

-spec connected(pid(), binary()) -> boolean().
connected(Pid, File) ->
    call(Pid, {connected, File}).

call(Pid, Request) ->
    Ref = make_ref(),
    Pid ! {call, self(), Ref, Request},
    receive {Ref, Answer} -> Answer after 5000 -> error({no_answer, Request}) end.

accept(Listen, Pid) ->
    case gen_tcp:accept(Listen) of
        {ok, Socket} ->
            %% A client may be gone already.
            case gen_tcp:controlling_process(Socket, Pid) of
                ok -> ok;
                {error, _} -> gen_tcp:close(Socket)
            end,
            accept(Listen, Pid);
        {error, _} ->
            ok % the one that listens has ended
    end.

loop(State) ->
    receive
        {call, From, Ref, Request} ->
            {Answer, State1} = request(Request, State),
            From ! {Ref, Answer},
            loop(State1);
        {tcp, Socket, Bytes} ->
            loop(message(binary_to_term(Bytes), Socket, State));
        {tcp_closed, Socket} ->
            #{sockets := Sockets} = State,
            loop(State#{sockets := maps:remove(Socket, Sockets)})
    end.

request({announce, File, Told}, #{states := States} = State) ->
    send(File, {change, Told}, State),
    {ok, State#{states := States#{File => Told}}};
request({say, File, What}, State) ->
    send(File, What, State),
    {ok, State};
request({kill, File}, #{sockets := Sockets} = State) ->
    Killed = [S || {S, F} <- maps:to_list(Sockets), F =:= File],
    lists:foreach(fun gen_tcp:close/1, Killed),
    {ok, State#{sockets := maps:without(Killed, Sockets)}};
request({refuse, File, Text}, #{refusals := Refusals} = State) ->
    {ok, State#{refusals := Refusals#{File => Text}}};
request({connected, File}, #{sockets := Sockets} = State) ->
    {lists:member(File, maps:values(Sockets)), State};
request(What, State) ->
    {maps:get(What, State), State}.

%% A program that has just ended hears nothing; that it is gone comes as tcp_closed.
send(File, What, #{sockets := Sockets}) ->
    Bytes = case What of
        {bytes, B} -> B;
        _ -> term_to_binary(What)
    end,
    _ = [gen_tcp:send(S, Bytes) || {S, F} <- maps:to_list(Sockets), F =:= File],
    ok.

message({configure, Tag, #{primary_file := File} = Config}, Socket, State) ->
    #{sockets := Sockets, configs := Configs, states := States, refusals := Refusals} = State,
    State1 = State#{sockets := Sockets#{Socket => File}, configs := [Config | Configs],
                    refusals := maps:remove(File, Refusals)},
    case {Refusals, States} of
        {#{File := Text}, _} ->
            send(File, {error, Tag, Text}, State1);
        {_, #{File := Told}} ->
            send(File, {configured, Tag}, State1),
            send(File, {change, Told}, State1);
        {_, _} ->
            send(File, {configured, Tag}, State1)
    end,
    State1;
message({refresh, Tag}, Socket, #{sockets := Sockets, states := States, refreshes := Done} = State) ->
    case Sockets of
        #{Socket := File} ->
            send(File, {refresh, Tag, maps:get(File, States)}, State),
            State#{refreshes := [File | Done]};
        _ ->
            State % it was killed meanwhile
    end.

%% Runs in the program.
-spec relay([string()]) -> no_return().
relay([Number]) ->
    case gen_tcp:connect({127, 0, 0, 1}, list_to_integer(Number), ?PACKET) of
        {ok, Socket} -> relay_loop(Socket, open_port({fd, 0, 1}, [binary, {packet, 4}, eof]));
        {error, _} -> halt(6)
    end.

relay_loop(Socket, Port) ->
    receive
        {Port, {data, Bytes}} ->
            ok = gen_tcp:send(Socket, Bytes),
            relay_loop(Socket, Port);
        {tcp, Socket, Bytes} ->
            try port_command(Port, Bytes) catch error:badarg -> halt(0) end, % closed: eof is on its way
            relay_loop(Socket, Port);
        {Port, eof} ->
            halt(0);
        {tcp_closed, Socket} ->
            halt(7)
    end.
