%% @doc `EctoLiteFS.Middleware': forwards a Repo's writes to the primary. A facade, and the home of
%% two closures.
%%
%% A fun names the module that made it. Those that travel are EctoLiteFS's own: same module, same
%% order in it (forwarded/3 makes the first, forwarding/2 the second), same free variables in the
%% same order.
-module('Elixir.EctoLiteFS.Middleware').

%% API
-export([process/2]).
-export(['__ecto_middleware_handles_bulk__'/0]).
-export([forwarded/3]).
-export([forwarding/2]).
-export(['__info__'/1]).

-spec process(term(), map()) -> term().
process(Resource, Resolution) ->
    ecto_litefs_middleware:process(Resource, Resolution).

%% @private Takes part in insert_all, update_all and delete_all, where EctoMiddleware asks (from 2.1
%% on).
-spec '__ecto_middleware_handles_bulk__'() -> true.
'__ecto_middleware_handles_bulk__'() ->
    true.

%% @private What runs on the primary.
-spec forwarded(fun((term(), map()) -> term()), term(), map()) -> fun(() -> term()).
forwarded(Super, Resource, Resolution) ->
    fun() -> Super(Resource, Resolution) end.

%% @private What takes the place of the Repo's own function.
-spec forwarding(module(), fun((term(), map()) -> term())) -> fun((term(), map()) -> term()).
forwarding(Repo, Super) ->
    fun(Resource, Resolution) ->
        ecto_litefs_middleware:write(Repo, Super, Resource, Resolution)
    end.

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
