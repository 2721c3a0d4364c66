%% Waiting for conditions, never for time.
-module(ct_wait).

%% API
-export([until/1]).
-export([until/2]).

-define(PAUSE_MS, 10).

%% Calls the function until it gives something else than false (an exception counts as false) and returns
%% that; fails after 10 s, or the given time, with the last exception if there was one.
-spec until(fun(() -> T)) -> T.
until(Fun) ->
    until(Fun, 10000).

-spec until(fun(() -> T), timeout()) -> T.
until(Fun, Timeout) ->
    loop(Fun, erlang:monotonic_time(millisecond) + Timeout).

loop(Fun, Deadline) ->
    Got = try Fun() catch Class:Reason:Stack -> {'$raised', {Class, Reason, Stack}} end,
    case Got of
        Again when Again =:= false; element(1, Again) =:= '$raised' ->
            case erlang:monotonic_time(millisecond) < Deadline of
                true ->
                    timer:sleep(?PAUSE_MS),
                    loop(Fun, Deadline);
                false ->
                    erlang:error({condition_never_held, Again})
            end;
        Value ->
            Value
    end.
