%% @doc What the supervisor's options `read_your_writes' and `ack' make of the result of a forwarded
%% call: the result as it is, or an error that carries it. The write was done in either case.
-module(ecto_litefs_written).

%% API
-export([result/3]).

-type error() :: {not_replicated, Result :: term(),
                  #{acked := non_neg_integer(), wanted := pos_integer()}}
               | {not_yet_visible, Result :: term(),
                  #{position := ecto_litefs_position:t(), reason := term()}}.
-export_type([error/0]).

%% @doc Waits, if it is to, until this host has what was written.
-spec result(module(), Result, ecto_litefs_call:written()) -> Result | {error, error()}.
result(_, Result, #{short := {Acked, Wanted}}) ->
    {error, {not_replicated, Result, #{acked => Acked, wanted => Wanted}}};
result(_, Result, #{moved := none}) ->
    Result;
result(Repo, Result, #{moved := Position}) ->
    case wait(ecto_litefs_cache:config(Repo)) of
        none -> Result;
        Time -> visible(Result, Position, ecto_litefs_await:position(Repo, Position, Time))
    end.

wait(#{read_your_writes := false}) -> none;
wait(#{read_your_writes := true, erpc_timeout := Timeout}) -> Timeout;
wait(#{read_your_writes := Time}) -> Time.

visible(Result, _, ok) ->
    Result;
visible(Result, Position, {error, Why}) ->
    {error, {not_yet_visible, Result, #{position => Position, reason => Why}}}.
