%% @doc The port: the external program or the linked-in driver, which speak the same messages.
%%
%% The protocol is in docs/port.md: terms in the external format, one each message.
-module(ecto_litefs_port).

%% API
-export([open/1]).
-export([close/2]).
-export([send/2]).
-export([message/1]).

-define(PROGRAM, "ecto_litefs_port").
-define(DRIVER, "ecto_litefs_drv").

-type detection() :: port | driver.
-type message() :: {configured, term()}
                 | {change, ecto_litefs_decision:announced()}
                 | {refresh, term(), ecto_litefs_decision:announced()}
                 | {error, term(), binary()}
                 | {position, binary(), non_neg_integer(), non_neg_integer()}.
-export_type([detection/0, message/0]).

%% @doc Opens the port; the calling process owns it.
-spec open(detection()) -> {ok, port()} | {error, iodata()}.
open(port) ->
    case program() of
        {ok, Path} -> open({spawn_executable, Path}, [{packet, 4}, binary, exit_status]);
        Error -> Error
    end;
open(driver) ->
    case load_driver() of
        ok -> open({spawn_driver, ?DRIVER}, [binary]);
        Error -> Error
    end.

open(Name, Options) ->
    try
        {ok, open_port(Name, Options)}
    catch
        error:Reason -> {error, io_lib:format("~0tp: ~0tp", [Name, Reason])}
    end.

%% @doc Closes the port if it is open. The program ends, since its standard input does; the driver
%% is unloaded when nobody uses it any more.
-spec close(detection(), port() | none) -> ok.
close(Detection, Port) ->
    _ = is_port(Port) andalso try port_close(Port) catch error:badarg -> true end,
    _ = Detection =:= driver andalso erl_ddll:unload(?DRIVER),
    ok.

%% @doc Sends a message. That the port is dead its owner hears otherwise.
-spec send(port(), tuple()) -> ok.
send(Port, Message) ->
    try port_command(Port, term_to_binary(Message)) of
        true -> ok
    catch
        error:badarg -> ok
    end.

%% @doc A message from the port, checked as far as we use it.
-spec message(binary()) -> {ok, message()} | error.
message(Bytes) ->
    try binary_to_term(Bytes) of
        {change, State} = Message -> state(State, Message);
        {refresh, _, State} = Message -> state(State, Message);
        {configured, _} = Message -> {ok, Message};
        {error, _, Text} = Message when is_binary(Text) -> {ok, Message};
        {position, Database, _, _} = Message when is_binary(Database) -> {ok, Message};
        _ -> error
    catch
        error:badarg -> error
    end.

state(#{role := Role, hostname := Host, node := Node, mount := Mount, sources := Sources}, Message)
  when (Role =:= primary orelse Role =:= replica orelse Role =:= unknown),
       (Host =:= nil orelse is_binary(Host)), (Node =:= nil orelse is_binary(Node)),
       (Mount =:= absent orelse Mount =:= plain orelse Mount =:= dead orelse Mount =:= live),
       is_map(Sources) ->
    {ok, Message};
state(_, _) ->
    error.

program() ->
    Path = case application:get_env(ecto_litefs, port_program) of
        %% A binary in Elixir's configuration.
        {ok, Configured} -> unicode:characters_to_list(Configured);
        undefined -> filename:join(priv_dir(), ?PROGRAM)
    end,
    case os:find_executable(filename:basename(Path), filename:dirname(Path)) of
        false -> {error, io_lib:format("~ts is not there or may not be executed", [Path])};
        Found -> {ok, Found}
    end.

load_driver() ->
    case erl_ddll:load(priv_dir(), ?DRIVER) of
        ok -> ok;
        %% A close that found LiteFS hanging has locked it into the VM; it goes on working.
        {error, permanent} -> ok;
        {error, Reason} -> {error, ["driver ", ?DRIVER, ": ", erl_ddll:format_error(Reason)]}
    end.

priv_dir() ->
    case code:priv_dir(ecto_litefs) of
        {error, bad_name} -> "priv";
        Dir -> Dir
    end.
