%% A STAND-IN for EctoMiddleware's Resolution, where the hex package is not there: the two functions that
%% EctoLiteFS.Middleware calls.
-module('Elixir.EctoMiddleware.Resolution').

%% API
-export([get_private/2]).
-export([put_private/3]).

-spec get_private(map(), atom()) -> term().
get_private(#{private := Private}, Key) ->
    maps:get(Key, Private, nil).

-spec put_private(map(), atom(), term()) -> map().
put_private(#{private := Private} = Resolution, Key, Value) ->
    Resolution#{private := Private#{Key => Value}}.
