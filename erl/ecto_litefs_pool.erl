%% @doc The pool of the remote repo: DBConnection's own pool, with our connections in it.
%%
%% A Repo's adapter names the connection module, and only the pool may be chosen. So this pool puts
%% ecto_litefs_connection in the place of the adapter's and leaves the rest to
%% `DBConnection.ConnectionPool'.
-module(ecto_litefs_pool).

%% API
-export([child_spec/1]).
-export([checkout/3]).
-export([disconnect_all/3]).
-export([get_connection_metrics/1]).

-define(POOL, 'Elixir.DBConnection.ConnectionPool').

-spec child_spec({module(), [{atom(), term()}]}) -> term().
child_spec({_AdaptersConnection, Options}) ->
    ecto_litefs_elixir:call(?POOL, child_spec, [{ecto_litefs_connection, Options}]).

-spec checkout(term(), [pid()], [{atom(), term()}]) -> term().
checkout(Pool, Callers, Options) ->
    ecto_litefs_elixir:call(?POOL, checkout, [Pool, Callers, Options]).

-spec disconnect_all(term(), timeout(), [{atom(), term()}]) -> term().
disconnect_all(Pool, Interval, Options) ->
    ecto_litefs_elixir:call(?POOL, disconnect_all, [Pool, Interval, Options]).

-spec get_connection_metrics(term()) -> term().
get_connection_metrics(Pool) ->
    ecto_litefs_elixir:call(?POOL, get_connection_metrics, [Pool]).
