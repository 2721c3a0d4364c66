%% @doc `EctoLiteFS': the functions that an Elixir application calls. A facade.
-module('Elixir.EctoLiteFS').

%% API
-export(['get_tracker!'/1]).
-export(['tracker_ready?'/1]).
-export(['is_primary?'/1]).
-export([get_primary/1]).
-export([set_primary/2]).
-export([set_replica/1]).
-export([invalidate_cache/1]).
-export([get_erpc_timeout/1]).
-export([on_primary/2]).
-export([transaction/2]).
-export([transaction/3]).
-export([last_position/1]).
-export([await/3]).
-export(['__info__'/1]).

%% @doc The tracker's process; raises `ArgumentError' if there is none for this Repo.
-spec 'get_tracker!'(module()) -> pid().
'get_tracker!'(Repo) ->
    ecto_litefs_api:tracker(Repo).

%% @doc Is the role known and the tracker table ready?
-spec 'tracker_ready?'(module()) -> boolean().
'tracker_ready?'(Repo) ->
    ecto_litefs_api:ready(Repo).

%% @doc Is this node, or this host's C node, the primary?
-spec 'is_primary?'(module()) -> boolean().
'is_primary?'(Repo) ->
    ecto_litefs_api:is_primary(Repo).

%% @doc The primary's node; `{ok, nil}' if none is known, `{error, not_ready}' if no supervisor
%% runs.
-spec get_primary(module()) -> ecto_litefs_api:primary().
get_primary(Repo) ->
    ecto_litefs_api:get_primary(Repo).

%% @doc Writes the primary's name into the tracker row and takes it for the primary.
-spec set_primary(module(), node()) -> ok | {error, term()}.
set_primary(Repo, Node) ->
    ecto_litefs_api:set_primary(Repo, Node).

%% @doc Takes the primary from the tracker row.
-spec set_replica(module()) -> ok | {error, term()}.
set_replica(Repo) ->
    ecto_litefs_api:set_replica(Repo).

%% @doc The next get_primary/1 reads the row again.
-spec invalidate_cache(module()) -> ok | {error, not_ready}.
invalidate_cache(Repo) ->
    ecto_litefs_api:invalidate_cache(Repo).

%% @doc The option `erpc_timeout'.
-spec get_erpc_timeout(module()) -> pos_integer().
get_erpc_timeout(Repo) ->
    ecto_litefs_api:get_erpc_timeout(Repo).

%% @doc Calls the fun; all that it does with the Repo, reads too, it does on the primary.
-spec on_primary(module(), fun(() -> term())) -> term().
on_primary(Repo, Fun) ->
    ecto_litefs_block:on_primary(Repo, Fun).

%% @doc `Repo.transaction' of a fun or an `Ecto.Multi' on the primary.
-spec transaction(module(), term()) -> term().
transaction(Repo, FunOrMulti) ->
    ecto_litefs_block:transaction(Repo, FunOrMulti, []).

%% @doc The same with the options of `Repo.transaction', and `idle_timeout', `total_timeout' and
%% `ack'.
-spec transaction(module(), term(), [{atom(), term()}]) -> term().
transaction(Repo, FunOrMulti, Options) ->
    ecto_litefs_block:transaction(Repo, FunOrMulti, Options).

%% @doc The position of the calling process's last forwarded write; nil if it has made none, or
%% without LiteFS.
-spec last_position(module()) -> ecto_litefs_position:t() | nil.
last_position(Repo) ->
    ecto_litefs_call:last_position(Repo).

%% @doc Waits until this host's copy of the database has the write with that position.
-spec await(module(), ecto_litefs_position:t() | nil, timeout()) ->
          ok | {error, ecto_litefs_await:error()}.
await(Repo, Position, Timeout) ->
    ecto_litefs_api:await(Repo, Position, Timeout).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
