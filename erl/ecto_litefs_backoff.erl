%% @doc Delays that double, with jitter, so that those who wait do not all come back at once.
-module(ecto_litefs_backoff).

%% API
-export([delay/1]).
-export([delay/2]).

-type option() :: {base_delay | max_delay, pos_integer()} | {jitter, number()}.
-export_type([option/0]).

-define(BASE_MS, 100).
-define(MAX_MS, 30000).
-define(JITTER, 0.5).
%% 2^30 of any base is past any sensible maximum; beyond it the power would only grow the integer.
-define(MAX_DOUBLINGS, 30).

-spec delay(non_neg_integer()) -> pos_integer().
delay(Retry) ->
    delay(Retry, []).

%% @doc `base_delay * 2^Retry', at most `max_delay', and up to the fraction `jitter' of that on top.
-spec delay(non_neg_integer(), [option()]) -> pos_integer().
delay(Retry, Options) ->
    Base = proplists:get_value(base_delay, Options, ?BASE_MS),
    Max = proplists:get_value(max_delay, Options, ?MAX_MS),
    Jitter = proplists:get_value(jitter, Options, ?JITTER),
    Delay = trunc(min(Base bsl min(Retry, ?MAX_DOUBLINGS), Max)),
    Delay + trunc(Delay * Jitter * rand:uniform()).
