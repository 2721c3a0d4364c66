%% A STAND-IN for an application's Ecto Repo, where the hex packages are not there: `insert' goes through
%% EctoLiteFS.Middleware as EctoMiddleware would have it go. Where the middleware says "here", a Repo would write with
%% exqlite; this one asks the C node of its own host, which has the host's only SQLite beside the shell's.
-module('Elixir.E2e.Repo').

%% API
-export([config/0]).
-export([insert/1]).
-export([insert_here/2]).

-spec config() -> [{atom(), term()}].
config() ->
    [{database, e2e_app:database()}].

%% @doc Through the middleware.
-spec insert(map()) -> term().
insert(Struct) ->
    'Elixir.EctoLiteFS.Middleware':process(Struct, #{
        '__struct__' => 'Elixir.EctoMiddleware.Resolution', repo => ?MODULE, action => insert,
        args => [Struct, []], middleware => [], private => #{'__super__' => fun ?MODULE:insert_here/2}}).

%% @doc The Repo's own function, without any middleware.
-spec insert_here(map(), map()) -> term().
insert_here(Struct, _Resolution) ->
    erpc:call(e2e_app:cnode(), ?MODULE, insert, [Struct], e2e_app:erpc_timeout()).
