%% The port of docs/port.md over either transport: the program, or the driver in this VM. Which one is
%% `transport' in the suite's configuration (the program if it says nothing); the LiteFS is `litefs' there.
-module(ct_port).

-include_lib("common_test/include/ct.hrl").

%% API
-export([start/1]).
-export([stop/1]).
-export([open/1]).
-export([config/2]).
-export([configured/2]).
-export([send/2]).
-export([answer/1]).
-export([change/1]).
-export([until_role/2]).
-export([request/2]).
-export([last_position/3]).
-export([close/1]).
-export([program/0]).
-export([priv_dir/0]).

-define(DRIVER, "ecto_litefs_drv").

%% The driver belongs to the process that loaded it, and suites have many: it is loaded for good.
-spec start(port | driver) -> ok.
start(port) ->
    ok;
start(driver) ->
    Self = self(),
    Loader = spawn(fun() ->
        Self ! {self(), erl_ddll:load(priv_dir(), ?DRIVER)},
        receive stop -> ok end
    end),
    receive {Loader, Result} -> ok = Result end,
    true = register(ct_port_loader, Loader),
    ok.

-spec stop(port | driver) -> ok.
stop(port) ->
    ok;
stop(driver) ->
    Loader = whereis(ct_port_loader),
    Ref = erlang:monitor(process, Loader),
    Loader ! stop,
    receive {'DOWN', Ref, _, _, _} -> ok end.

-spec open([{atom(), term()}]) -> port().
open(Config) ->
    case proplists:get_value(transport, Config, port) of
        port -> open_port({spawn_executable, program()}, [{packet, 4}, binary, exit_status]);
        driver -> open_port({spawn_driver, ?DRIVER}, [binary])
    end.

%% A configuration for the stand-in, with changes.
-spec config([{atom(), term()}], map()) -> map().
config(Config, Changes) ->
    LiteFS = ?config(litefs, Config),
    maps:merge(#{primary_file => ct_litefs:primary_file(LiteFS), poll_interval => 30000,
                 event_stream_url => ct_litefs:url(LiteFS), database => nil,
                 table_name => <<"_ecto_litefs_primary">>}, Changes).

-spec configured([{atom(), term()}], map()) -> port().
configured(Config, Changes) ->
    Port = open(Config),
    send(Port, {configure, ready, config(Config, Changes)}),
    {configured, ready} = answer(Port),
    Port.

-spec send(port(), term()) -> true.
send(Port, Term) ->
    port_command(Port, term_to_binary(Term)).

%% The next answer; news that come before it are kept for change/1.
-spec answer(port()) -> tuple().
answer(Port) ->
    receive
        {Port, {data, Data}} ->
            case binary_to_term(Data) of
                {change, _} = Message -> self() ! {told, Port, Message}, answer(Port);
                {position, _, _, _} = Message -> self() ! {told, Port, Message}, answer(Port);
                Answer -> Answer
            end;
        {Port, {exit_status, Code}} ->
            error({port_program_ended, Code})
    after 10000 ->
        error(no_answer)
    end.

%% The State of the next change.
%% The next state of that role: the first of all is unknown where /info has answered before the stream said its first word.
-spec until_role(port(), primary | replica | unknown) -> map().
until_role(Port, Role) ->
    case change(Port) of
        #{role := Role} = State -> State;
        #{} -> until_role(Port, Role)
    end.

-spec change(port()) -> map().
change(Port) ->
    receive
        {told, Port, {change, State}} -> State;
        {Port, {data, Data}} ->
            case binary_to_term(Data) of
                {change, State} -> State;
                {position, _, _, _} -> change(Port)
            end
    after 10000 ->
        error(no_change)
    end.

%% The State that a state or refresh is answered with.
-spec request(port(), state | refresh) -> map().
request(Port, Kind) ->
    Tag = make_ref(),
    send(Port, {Kind, Tag}),
    {Kind, Tag, State} = answer(Port),
    State.

%% Waits until the database is told to be at Txid.
-spec last_position(port(), binary(), pos_integer()) -> pos_integer().
last_position(Port, Database, Txid) ->
    receive
        {Port, {data, Data}} ->
            case binary_to_term(Data) of
                {position, Database, Txid, _} -> Txid;
                {position, _, _, _} -> last_position(Port, Database, Txid);
                {change, _} -> last_position(Port, Database, Txid)
            end
    after 10000 ->
        error(no_position)
    end.

-spec close(port()) -> ok.
close(Port) ->
    true = port_close(Port),
    ok.

-spec program() -> file:filename().
program() ->
    case os:getenv("ECTO_LITEFS_PORT") of
        false -> filename:join(priv_dir(), "ecto_litefs_port");
        Path -> Path
    end.

%% The driver is always the plain one: a sanitizer's library would have to be in the VM first.
-spec priv_dir() -> file:filename().
priv_dir() ->
    code:priv_dir(ecto_litefs).
