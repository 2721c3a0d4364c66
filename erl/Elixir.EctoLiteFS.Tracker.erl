%% @doc `EctoLiteFS.Tracker': the process that knows who the primary is. A facade.
-module('Elixir.EctoLiteFS.Tracker').

%% API
-export([start_link/1]).
-export([child_spec/1]).
-export([process_name/1]).
-export([ets_table_name/1]).
-export(['ready?'/1]).
-export([get_primary/1]).
-export([get_primary/2]).
-export(['is_primary?'/1]).
-export([set_primary/2]).
-export([set_replica/1]).
-export([invalidate_cache/1]).
-export([get_erpc_timeout/1]).
-export(['__info__'/1]).

-spec start_link(ecto_litefs_config:t()) -> gen_server:start_ret().
start_link(Config) ->
    ecto_litefs_tracker:start_link(Config).

-spec child_spec(ecto_litefs_config:t()) -> supervisor:child_spec().
child_spec(Config) ->
    ecto_litefs_tracker:child_spec(Config).

%% @doc The name that the tracker is registered with.
-spec process_name(module()) -> atom().
process_name(Repo) ->
    ecto_litefs_names:tracker(Repo).

%% @doc The Repo's table.
-spec ets_table_name(module()) -> atom().
ets_table_name(Repo) ->
    ecto_litefs_names:table(Repo).

%% @doc Is the role known and the tracker table ready?
-spec 'ready?'(module()) -> boolean().
'ready?'(Repo) ->
    ecto_litefs_api:ready(Repo).

-spec get_primary(module()) -> ecto_litefs_api:primary().
get_primary(Repo) ->
    ecto_litefs_api:get_primary(Repo).

%% @doc With `force: true' the row is read again first.
-spec get_primary(module(), [{force, boolean()}]) -> ecto_litefs_api:primary().
get_primary(Repo, Options) ->
    ecto_litefs_api:get_primary(Repo, Options).

-spec 'is_primary?'(module()) -> boolean().
'is_primary?'(Repo) ->
    ecto_litefs_api:is_primary(Repo).

-spec set_primary(module(), node()) -> ok | {error, term()}.
set_primary(Repo, Node) ->
    ecto_litefs_api:set_primary(Repo, Node).

-spec set_replica(module()) -> ok | {error, term()}.
set_replica(Repo) ->
    ecto_litefs_api:set_replica(Repo).

-spec invalidate_cache(module()) -> ok | {error, not_ready}.
invalidate_cache(Repo) ->
    ecto_litefs_api:invalidate_cache(Repo).

-spec get_erpc_timeout(module()) -> pos_integer().
get_erpc_timeout(Repo) ->
    ecto_litefs_api:get_erpc_timeout(Repo).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
