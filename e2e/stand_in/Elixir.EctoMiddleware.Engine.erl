%% A STAND-IN for EctoMiddleware's Engine, where the hex package is not there: the end of a chain of one middleware.
-module('Elixir.EctoMiddleware.Engine').

%% API
-export([yield/2]).

-spec yield(term(), map()) -> {term(), map()}.
yield(Resource, #{private := #{'__super__' := Super}} = Resolution) ->
    {Super(Resource, Resolution), Resolution}.
