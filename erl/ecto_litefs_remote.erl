%% @doc The remote repo: a second instance of the application's Repo, whose connections are the C
%% node on the primary.
%%
%% Ecto does on the replica all that it does on the primary (changesets, associations, types, hooks,
%% constraints), and only SQL and parameters travel. Which instance a call uses is the calling
%% process's "dynamic repo"; it is set for the time of one call and then put back.
-module(ecto_litefs_remote).

%% API
-export([child_specs/1]).
-export([start_link/1]).
-export([running/1]).
-export([inside/1]).
-export([run/2]).

-define(ADAPTER, 'Elixir.Ecto.Adapters.SQLite3').

%% @doc For the supervisor: nothing where there is no Ecto with its SQLite adapter.
-spec child_specs(ecto_litefs_config:t()) -> [supervisor:child_spec()].
child_specs(#{repo := Repo} = Config) ->
    Possible = ecto_litefs_elixir:available('Elixir.DBConnection.ConnectionPool', {checkout, 3})
        andalso ecto_litefs_elixir:available(Repo, {put_dynamic_repo, 1})
        andalso Repo:'__adapter__'() =:= ?ADAPTER,
    case Possible of
        true -> [#{id => ?MODULE, start => {?MODULE, start_link, [Config]}, type => supervisor}];
        false -> []
    end.

%% @doc The Repo's own configuration, but for what concerns its connections.
-spec start_link(ecto_litefs_config:t()) -> supervisor:startlink_ret().
start_link(#{repo := Repo, pool_size := Size, erpc_timeout := Timeout}) ->
    Repo:start_link([{name, ecto_litefs_names:remote(Repo)},
                     {pool, ecto_litefs_pool},
                     {pool_size, Size},
                     {pool_count, 1},
                     {timeout, Timeout},
                     %% DBConnection drops who has waited for twice the target. Its own (50 ms) takes
                     %% a slow disk for overload, though a commit serves all that are under way. Here
                     %% nobody waits longer than a call may take, and nobody is dropped before.
                     {queue_target, max(1, Timeout div 2)},
                     %% Nothing happens to a connection that nobody uses.
                     {idle_interval, 60000},
                     {after_connect, nil}]).

-spec running(module()) -> boolean().
running(Repo) ->
    whereis(ecto_litefs_names:remote(Repo)) =/= undefined.

%% @doc Does the calling process use the remote repo already? Then its writes are on their way:
%% within on_primary, or made by Ecto (a `prepare_changes' function) inside a forwarded call.
-spec inside(module()) -> boolean().
inside(Repo) ->
    running(Repo) andalso Repo:get_dynamic_repo() =:= ecto_litefs_names:remote(Repo).

%% @doc Calls the fun with the remote repo in the Repo's place.
-spec run(module(), fun(() -> Result)) -> Result.
run(Repo, Fun) ->
    Before = Repo:put_dynamic_repo(ecto_litefs_names:remote(Repo)),
    try
        Fun()
    after
        Repo:put_dynamic_repo(Before)
    end.
