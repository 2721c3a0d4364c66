%% @doc `EctoLiteFS.Utils'. A facade.
-module('Elixir.EctoLiteFS.Utils').

%% API
-export([backoff_delay/1]).
-export([backoff_delay/2]).
-export(['__info__'/1]).

-spec backoff_delay(non_neg_integer()) -> pos_integer().
backoff_delay(Retry) ->
    ecto_litefs_backoff:delay(Retry).

-spec backoff_delay(non_neg_integer(), [ecto_litefs_backoff:option()]) -> pos_integer().
backoff_delay(Retry, Options) ->
    ecto_litefs_backoff:delay(Retry, Options).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
