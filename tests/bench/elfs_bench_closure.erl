%% EctoLiteFS 1.0's closure as its middleware makes it: a fun of its module over the Repo's own closure, the
%% struct and the resolution that holds the struct four more times. What the recorded one holds is taken apart once;
%% a call then costs the caller what it costs a real one, which has all this as terms and decodes nothing.
-module(elfs_bench_closure).

%% API
-export([read/1]).
-export([with_email/2]).

-export_type([closure/0]).

-opaque closure() :: {Super :: fun(), Struct :: map(), Resolution :: map()}.

-define(MODULE_OF_CLOSURE, 'Elixir.EctoLiteFS.Middleware').
-define(SOURCE, ["-module('Elixir.EctoLiteFS.Middleware').",
                 "-export([closure/3]).",
                 "closure(Super, Struct, Resolution) -> fun() -> {Super, Struct, Resolution} end."]).

%% Reads the recorded closure of an insert of a struct, and makes the stand-in for EctoLiteFS's module, whose name
%% is all that the C node looks at.
-spec read(file:filename()) -> closure().
read(File) ->
    {ok, Recorded} = file:read_file(File),
    {env, [Super, Struct, Resolution]} = erlang:fun_info(binary_to_term(Recorded), env),
    {ok, ?MODULE_OF_CLOSURE, Code} = compile:forms([form(Line) || Line <- ?SOURCE]),
    {module, _} = code:load_binary(?MODULE_OF_CLOSURE, "", Code),
    {Super, Struct, Resolution}.

form(Line) ->
    {ok, Tokens, _} = erl_scan:string(Line),
    {ok, Form} = erl_parse:parse_form(Tokens),
    Form.

-spec with_email(closure(), binary()) -> fun(() -> no_return()).
with_email({Super, Recorded, #{args := [Recorded | Options]} = Resolution}, Email) ->
    Struct = Recorded#{email := Email},
    ?MODULE_OF_CLOSURE:closure(Super, Struct,
                               Resolution#{args := [Struct | Options],
                                           before_input := Struct,
                                           before_output := Struct,
                                           entity := Struct}).
