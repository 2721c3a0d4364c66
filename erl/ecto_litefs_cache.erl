%% @doc The table of a Repo: the hot path's one read.
%%
%% It is made by the supervisor's process and lives as long as that, so that it survives its
%% children. The tracker alone writes `primary_info' and `view'; anyone reads.
%%
%%    {primary_info, Node, At, Ttl}    the answer; too old Ttl milliseconds (or never) after At
%%    {view, View, ReadAt}             what the tracker knows, for the one that follows it
%%    {erpc_timeout, Milliseconds}
%%    {config, Config}                 the supervisor's
%%    {seen, true}                     a primary has been known
%%    {keys, Source}                   of the keys of forwarded requests
%%    {{build, Node}, Build}           which build of the middleware runs there: ecto_litefs_closure
%%    {{kind, Node}, cnode | beam}     what it is: ecto_litefs_forward
%%    {reader, Pid}                    reads the position from the mount: ecto_litefs_await
-module(ecto_litefs_cache).

%% API
-export([new/1]).
-export([exists/1]).
-export([primary/1]).
-export([last_primary/1]).
-export([publish/4]).
-export([invalidate/1]).
-export([erpc_timeout/1]).
-export([config/1]).
-export([seen/1]).
-export([key/1]).
-export([beside/1]).
-export([view/1]).
-export([keep_view/3]).
-export([build/2]).
-export([keep_build/3]).
-export([kind/2]).
-export([keep_kind/3]).
-export([forget_node/2]).
-export([claim_reader/2]).
-export([free_reader/2]).

-define(ERPC_TIMEOUT_MS, 15000).

%% @doc Makes the table; the calling process owns it.
-spec new(ecto_litefs_config:t()) -> ok.
new(#{repo := Repo, erpc_timeout := Timeout} = Config) ->
    Table = ets:new(table(Repo), [named_table, public, set, {read_concurrency, true}]),
    true = ets:insert(Table, [{erpc_timeout, Timeout}, {config, Config},
                              {keys, ecto_litefs_key:source()}]),
    ok.

-spec exists(module()) -> boolean().
exists(Repo) ->
    ets:whereis(table(Repo)) =/= undefined.

%% @doc The answer; `old' if there is none that is young enough, `none' if there is no table.
-spec primary(module()) -> {ok, node() | nil} | old | none.
primary(Repo) ->
    try ets:lookup(table(Repo), primary_info) of
        [{primary_info, Node, _, infinity}] ->
            {ok, Node};
        [{primary_info, Node, At, Ttl}] ->
            case erlang:monotonic_time(millisecond) - At < Ttl of
                true -> {ok, Node};
                false -> old
            end;
        [] ->
            old
    catch
        error:badarg -> none
    end.

%% @doc The answer, however old.
-spec last_primary(module()) -> {ok, node() | nil} | none.
last_primary(Repo) ->
    try ets:lookup(table(Repo), primary_info) of
        [{primary_info, Node, _, _}] -> {ok, Node};
        [] -> none
    catch
        error:badarg -> none
    end.

-spec publish(module(), node() | nil, integer(), timeout()) -> ok.
publish(Repo, Node, At, Ttl) ->
    true = ets:insert(table(Repo), [{primary_info, Node, At, Ttl} | [{seen, true} || Node =/= nil]]),
    ok.

-spec invalidate(module()) -> ok.
invalidate(Repo) ->
    true = ets:delete(table(Repo), primary_info),
    ok.

%% @doc Raises badarg if no supervisor runs for the Repo, as EctoLiteFS does.
-spec erpc_timeout(module()) -> pos_integer().
erpc_timeout(Repo) ->
    case ets:lookup(table(Repo), erpc_timeout) of
        [{erpc_timeout, Timeout}] -> Timeout;
        [] -> ?ERPC_TIMEOUT_MS
    end.

%% @doc Raises badarg if no supervisor runs for the Repo.
-spec config(module()) -> ecto_litefs_config:t().
config(Repo) ->
    ets:lookup_element(table(Repo), config, 2).

%% @doc Has a primary been known since the supervisor started?
-spec seen(module()) -> boolean().
seen(Repo) ->
    ets:member(table(Repo), seen).

%% @doc A new key.
-spec key(module()) -> ecto_litefs_key:t().
key(Repo) ->
    ecto_litefs_key:next(ets:lookup_element(table(Repo), keys, 2)).

%% @doc While this node is the primary: the connected C node of this host, if the row names it.
-spec beside(module()) -> node() | nil.
beside(Repo) ->
    case view(Repo) of
        {ok, View, _} -> ecto_litefs_decision:beside(View, nodes(connected));
        none -> nil
    end.

%% @doc What the tracker knew last, and when the row in it was read.
-spec view(module()) -> {ok, ecto_litefs_decision:view(), integer()} | none.
view(Repo) ->
    case ets:lookup(table(Repo), view) of
        [{view, View, ReadAt}] -> {ok, View, ReadAt};
        [] -> none
    end.

-spec keep_view(module(), ecto_litefs_decision:view(), integer()) -> ok.
keep_view(Repo, View, ReadAt) ->
    true = ets:insert(table(Repo), {view, View, ReadAt}),
    ok.

-spec build(module(), node()) -> {ok, ecto_litefs_closure:build()} | none.
build(Repo, Node) ->
    case ets:lookup(table(Repo), {build, Node}) of
        [{_, Build}] -> {ok, Build};
        [] -> none
    end.

-spec keep_build(module(), node(), ecto_litefs_closure:build()) -> ok.
keep_build(Repo, Node, Build) ->
    true = ets:insert(table(Repo), {{build, Node}, Build}),
    ok.

-spec kind(module(), node()) -> {ok, cnode | beam} | none.
kind(Repo, Node) ->
    case ets:lookup(table(Repo), {kind, Node}) of
        [{_, Kind}] -> {ok, Kind};
        [] -> none
    end.

-spec keep_kind(module(), node(), cnode | beam) -> ok.
keep_kind(Repo, Node, Kind) ->
    true = ets:insert(table(Repo), {{kind, Node}, Kind}),
    ok.

%% @doc Whatever has this name next may be something else.
-spec forget_node(module(), node()) -> ok.
forget_node(Repo, Node) ->
    true = ets:delete(table(Repo), {build, Node}),
    true = ets:delete(table(Repo), {kind, Node}),
    ok.

%% @doc The process that is to read the position: this one, or one that does already.
-spec claim_reader(module(), pid()) -> pid().
claim_reader(Repo, Pid) ->
    case ets:insert_new(table(Repo), {reader, Pid}) of
        true ->
            Pid;
        false ->
            case ets:lookup(table(Repo), reader) of
                [{reader, Other}] -> claim_reader(Repo, Pid, Other);
                [] -> claim_reader(Repo, Pid)
            end
    end.

%% Killed by whoever could not leave it alone, it would keep the place for ever.
claim_reader(Repo, Pid, Other) ->
    case is_process_alive(Other) of
        true ->
            Other;
        false ->
            ok = free_reader(Repo, Other),
            claim_reader(Repo, Pid)
    end.

-spec free_reader(module(), pid()) -> ok.
free_reader(Repo, Pid) ->
    try
        true = ets:delete_object(table(Repo), {reader, Pid}),
        ok
    catch
        error:badarg -> ok % the supervisor ended while it hung
    end.

table(Repo) ->
    ecto_litefs_names:table(Repo).
