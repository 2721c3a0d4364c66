%% The control node's hands: functions of e2e/lib, run by a shell, and programs whose output is read.
-module(e2e_ctl).

%% API
-export([do/2]).
-export([try_do/2]).
-export([run/2]).

%% @doc A function of e2e/lib; it must succeed.
-spec do(atom(), [term()]) -> ok.
do(Function, Args) ->
    case try_do(Function, Args) of
        {0, _} -> ok;
        {Code, Text} -> error({ctl, Function, Args, Code, Text})
    end.

-spec try_do(atom(), [term()]) -> {Code :: non_neg_integer(), Output :: binary()}.
try_do(Function, Args) ->
    run("/bin/sh", [filename:join([os:getenv("E2E_ROOT"), "e2e", "ctl.sh"]), Function | Args]).

%% @doc A program to its end; stdout and stderr together.
-spec run(string(), [term()]) -> {Code :: non_neg_integer(), Output :: binary()}.
run(Program, Args) ->
    Port = open_port({spawn_executable, os:find_executable(Program)},
                     [{args, [text(A) || A <- Args]}, exit_status, binary, use_stdio, stderr_to_stdout]),
    collect(Port, []).

-spec collect(port(), iodata()) -> {non_neg_integer(), binary()}.
collect(Port, Output) ->
    receive
        {Port, {data, Data}} -> collect(Port, [Output, Data]);
        {Port, {exit_status, Code}} -> {Code, iolist_to_binary(Output)}
    end.

-spec text(term()) -> string() | binary().
text(A) when is_atom(A) -> atom_to_list(A);
text(N) when is_integer(N) -> integer_to_list(N);
text(T) -> T.
