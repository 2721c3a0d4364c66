%% @doc What the facades' functions do: one read of the Repo's table where that is enough, else a
%% request to the Repo's tracker.
-module(ecto_litefs_api).

%% API
-export([ready/1]).
-export([tracker/1]).
-export([get_primary/1]).
-export([get_primary/2]).
-export([primary/2]).
-export([is_primary/1]).
-export([set_primary/2]).
-export([set_replica/1]).
-export([invalidate_cache/1]).
-export([get_erpc_timeout/1]).
-export([await/3]).

%% A gen_server's own.
-define(TIMEOUT_MS, 5000).

-type primary() :: {ok, node() | nil} | {error, term()}.
-export_type([primary/0]).

%% @doc Is the role known, and the table there if this node must make it?
-spec ready(module()) -> boolean().
ready(Repo) ->
    try
        gen_server:call(ecto_litefs_names:tracker(Repo), ready)
    catch
        exit:_ -> false
    end.

%% @doc The tracker's process. Raises `ArgumentError' if there is none.
-spec tracker(module()) -> pid().
tracker(Repo) ->
    case whereis(ecto_litefs_names:tracker(Repo)) of
        Pid when is_pid(Pid) ->
            Pid;
        undefined ->
            error(ecto_litefs_elixir:argument_error("no EctoLiteFS tracker registered for ~ts",
                                                    [ecto_litefs_elixir:inspect(Repo)]))
    end.

%% @doc The primary's node: one read of the table, unless the row's answer in it is too old.
-spec get_primary(module()) -> primary().
get_primary(Repo) ->
    primary(Repo, ?TIMEOUT_MS).

%% @doc The same; the tracker is not waited for longer than that.
-spec primary(module(), timeout()) -> primary().
primary(Repo, Timeout) ->
    case ecto_litefs_cache:primary(Repo) of
        {ok, Node} -> {ok, Node};
        old -> refresh(Repo, Timeout);
        none -> {error, not_ready}
    end.

%% @doc The same; with `force' the row is read first.
-spec get_primary(module(), [{force, boolean()}]) -> primary().
get_primary(Repo, Options) ->
    case proplists:get_value(force, Options, false) of
        true -> try call(Repo, force_refresh) catch exit:_ -> {error, not_ready} end;
        false -> get_primary(Repo)
    end.

%% While the tracker is away, or waits for the database, the last known primary serves on.
refresh(Repo, Timeout) ->
    Answer = try call(Repo, refresh, min(Timeout, ?TIMEOUT_MS)) catch exit:_ -> {error, not_ready} end,
    case Answer of
        {error, not_ready} ->
            case ecto_litefs_cache:last_primary(Repo) of
                {ok, Node} -> {ok, Node};
                none -> Answer
            end;
        _ ->
            Answer
    end.

%% @doc Is this node, or this host's C node, the primary? (A primary host's answer is always this
%% node.)
-spec is_primary(module()) -> boolean().
is_primary(Repo) ->
    get_primary(Repo) =:= {ok, node()}.

%% @doc Writes the row, and lets it decide until LiteFS announces a change.
-spec set_primary(module(), node()) -> ok | {error, term()}.
set_primary(Repo, Node) when is_atom(Repo), is_atom(Node) ->
    call(Repo, {set_primary, Node}).

%% @doc Reads the row, and lets it decide until LiteFS announces a change.
-spec set_replica(module()) -> ok | {error, term()}.
set_replica(Repo) when is_atom(Repo) ->
    call(Repo, set_replica).

-spec invalidate_cache(module()) -> ok | {error, not_ready}.
invalidate_cache(Repo) when is_atom(Repo) ->
    call(Repo, invalidate_cache).

-spec get_erpc_timeout(module()) -> pos_integer().
get_erpc_timeout(Repo) when is_atom(Repo) ->
    ecto_litefs_cache:erpc_timeout(Repo).

%% @doc Waits until this host's copy has the write with that position.
-spec await(module(), ecto_litefs_position:t() | nil, timeout()) ->
          ok | {error, ecto_litefs_await:error()}.
await(Repo, Position, Timeout) when is_atom(Repo) ->
    ecto_litefs_await:position(Repo, Position, Timeout).

call(Repo, Request) ->
    call(Repo, Request, ?TIMEOUT_MS).

call(Repo, Request, Timeout) ->
    gen_server:call(ecto_litefs_names:tracker(Repo), Request, Timeout).
