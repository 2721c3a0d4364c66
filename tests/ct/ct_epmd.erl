%% A private EPMD, and EPMD's protocol (erl_dist_protocol, "EPMD Protocol") to ask it.
-module(ct_epmd).

%% API
-export([start/1]).
-export([stop/1]).
-export([names/1]).
-export([lookup/2]).
-export([env/1]).

-type epmd() :: pid().
-export_type([epmd/0]).

%% Starts epmd on the port. It lives until stop/1, or ends with this VM.
-spec start(inet:port_number()) -> epmd().
start(Port) ->
    Epmd = spawn(fun() -> init(Port) end),
    _ = ct_wait:until(fun() -> {ok, _} = names(Port) end),
    Epmd.

init(Port) ->
    {Handle, Pid} = ct_os:spawn_program(os:find_executable("epmd"),
                                        ["-port", integer_to_list(Port)], []),
    loop(Handle, Pid).

loop(Handle, Pid) ->
    receive
        {stop, From} ->
            ct_os:signal(Pid, "KILL"),
            receive {Handle, {exit_status, _}} -> ok end,
            From ! {self(), stopped};
        {Handle, {data, _}} ->
            loop(Handle, Pid);
        {Handle, {exit_status, Code}} ->
            exit({epmd_ended, Code})
    end.

-spec stop(epmd()) -> ok.
stop(Epmd) ->
    Ref = monitor(process, Epmd),
    Epmd ! {stop, self()},
    receive
        {Epmd, stopped} -> demonitor(Ref, [flush]), ok;
        {'DOWN', Ref, _, _, _} -> ok
    end.

%% The names registered.
-spec names(inet:port_number()) -> {ok, [binary()]} | {error, term()}.
names(Port) ->
    case request(Port, <<$n>>) of
        {ok, <<_:32, Text/binary>>} ->
            {ok, [Name || Line <- binary:split(Text, <<"\n">>, [global, trim_all]),
                          [<<"name">>, Name | _] <- [binary:split(Line, <<" ">>, [global])]]};
        Error ->
            Error
    end.

%% Where a node listens. (Its type says nothing: ei registers every node as a hidden one.)
-spec lookup(inet:port_number(), string()) -> {ok, inet:port_number()} | {error, term()}.
lookup(Port, Name) ->
    case request(Port, [$z, Name]) of
        {ok, <<$w, 0, Listen:16, _/binary>>} -> {ok, Listen};
        {ok, <<$w, Code, _/binary>>} -> {error, Code};
        Error -> Error
    end.

request(Port, Body) ->
    case gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, false}]) of
        {ok, Socket} ->
            ok = gen_tcp:send(Socket, [<<(iolist_size(Body)):16>>, Body]),
            Reply = read(Socket, <<>>),
            ok = gen_tcp:close(Socket),
            {ok, Reply};
        Error ->
            Error
    end.

read(Socket, Acc) ->
    case gen_tcp:recv(Socket, 0, 5000) of
        {ok, Data} -> read(Socket, <<Acc/binary, Data/binary>>);
        {error, closed} -> Acc
    end.

%% The environment that sends a program to this EPMD.
-spec env(inet:port_number()) -> [{string(), string()}].
env(Port) ->
    [{"ERL_EPMD_PORT", integer_to_list(Port)}].
