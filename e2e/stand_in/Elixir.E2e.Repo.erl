%% A STAND-IN for an application's Ecto Repo, where the hex packages are not there: `insert' goes through
%% EctoLiteFS.Middleware as EctoMiddleware would have it go.
%%
%% What a Repo does below that: as the remote repo it hands its SQL to ecto_litefs_connection, as DBConnection does.
%% Where the middleware says "here" it would write with exqlite; this one asks the C node of its own host, which has the
%% host's only SQLite beside the shell's.
-module('Elixir.E2e.Repo').

%% API
-export([config/0]).
-export([start/0]).
-export([put_dynamic_repo/1]).
-export([get_dynamic_repo/0]).
-export([insert/1]).
-export([insert_here/2]).

-define(INSERT, <<"INSERT INTO \"rows\" (\"key\") VALUES (?1) RETURNING \"id\"">>).

-spec config() -> [{atom(), term()}].
config() ->
    [{database, e2e_app:database()}].

%% @doc Also the instance of the Repo that EctoLiteFS.Supervisor would start. Without it the middleware sends
%% EctoLiteFS's closure.
-spec start() -> ok.
start() ->
    _ = os:getenv("E2E_WAY") =:= "closure" orelse
        register(ecto_litefs_names:remote(?MODULE), spawn_link(fun() -> receive after infinity -> ok end end)),
    ok.

-spec put_dynamic_repo(atom()) -> atom().
put_dynamic_repo(Name) ->
    Before = get_dynamic_repo(),
    _ = put(?MODULE, Name),
    Before.

-spec get_dynamic_repo() -> atom().
get_dynamic_repo() ->
    case get(?MODULE) of
        undefined -> ?MODULE;
        Name -> Name
    end.

%% @doc Through the middleware.
-spec insert(map()) -> term().
insert(Struct) ->
    'Elixir.EctoLiteFS.Middleware':process(Struct, #{
        '__struct__' => 'Elixir.EctoMiddleware.Resolution', repo => ?MODULE, action => insert,
        args => [Struct, []], middleware => [], private => #{'__super__' => fun ?MODULE:insert_here/2}}).

%% @doc The Repo's own function, without any middleware.
-spec insert_here(map(), map()) -> term().
insert_here(Struct, _Resolution) ->
    case get_dynamic_repo() of
        ?MODULE -> erpc:call(e2e_app:cnode(), ?MODULE, insert, [Struct], e2e_app:erpc_timeout());
        _ -> insert_remote(Struct)
    end.

insert_remote(#{key := Key} = Struct) ->
    {ok, Connection} = ecto_litefs_connection:connect([{repo, ?MODULE}]),
    Query = #{'__struct__' => 'Elixir.Exqlite.Query', statement => ?INSERT, command => insert},
    case ecto_litefs_connection:handle_execute(Query, [Key], [{timeout, e2e_app:erpc_timeout()}], Connection) of
        {ok, _, #{rows := [[Id]]}, _} -> {ok, Struct#{id := Id}};
        {_, Exception, _} -> error(Exception)
    end.
