%% @doc What Elixir code expects of a module or a value, without needing Elixir: exceptions,
%% `inspect', `__info__', calls into modules that the application may or may not have.
-module(ecto_litefs_elixir).

%% API
-export([inspect/1]).
-export([argument_error/2]).
-export([key_error/2]).
-export([message/2]).
-export([info/2]).
-export([available/2]).
-export([call/3]).

-type exception() :: #{'__struct__' := module(), '__exception__' := true, atom() => term()}.
-export_type([exception/0]).

%% @doc A term as text: as Elixir writes it where Elixir is loaded, as Erlang writes it elsewhere.
-spec inspect(term()) -> binary().
inspect(Term) ->
    case erlang:function_exported('Elixir.Kernel', inspect, 1) of
        true -> call('Elixir.Kernel', inspect, [Term]);
        false -> unicode:characters_to_binary(io_lib:format("~0tp", [Term]))
    end.

%% @doc An `ArgumentError' to raise.
-spec argument_error(io:format(), [term()]) -> exception().
argument_error(Format, Args) ->
    #{'__struct__' => 'Elixir.ArgumentError', '__exception__' => true,
      message => unicode:characters_to_binary(io_lib:format(Format, Args))}.

%% @doc The `KeyError' that `struct!' raises for a key which the struct does not have.
-spec key_error(atom(), map()) -> exception().
key_error(Key, Struct) ->
    Message = io_lib:format("key ~ts not found in: ~ts", [inspect(Key), inspect(Struct)]),
    #{'__struct__' => 'Elixir.KeyError', '__exception__' => true, key => Key, term => Struct,
      message => unicode:characters_to_binary(Message)}.

%% @doc The message of what was raised.
-spec message(term(), [term()]) -> binary().
message(Raised, Stack) ->
    case available('Elixir.Exception', {message, 1}) of
        true ->
            Exception = call('Elixir.Exception', normalize, [error, Raised, Stack]),
            call('Elixir.Exception', message, [Exception]);
        false ->
            inspect(Raised)
    end.

%% @doc The body of a facade's `__info__/1', which Elixir asks for imports and by its tools.
-spec info(module(), atom()) -> term().
info(Module, module) -> Module;
info(Module, functions) -> lists:sort(Module:module_info(exports)) -- hidden();
info(_, macros) -> [];
info(_, deprecated) -> [];
info(_, struct) -> nil;
info(Module, exports_md5) -> erlang:md5(term_to_binary(info(Module, functions)));
info(Module, Key) when Key =:= attributes; Key =:= compile; Key =:= md5 -> Module:module_info(Key).

hidden() ->
    [{module_info, 0}, {module_info, 1}, {'__info__', 1}].

%% @doc Does the application have this module, with this function?
-spec available(module(), {atom(), arity()}) -> boolean().
available(Module, {Function, Arity}) ->
    case code:ensure_loaded(Module) of
        {module, Module} -> erlang:function_exported(Module, Function, Arity);
        {error, _} -> false
    end.

%% @doc A call into a module that is no dependency of ours, hidden from the tools which would miss
%% it.
-spec call(module(), atom(), [term()]) -> term().
call(Module, Function, Args) ->
    erlang:apply(Module, Function, Args).
