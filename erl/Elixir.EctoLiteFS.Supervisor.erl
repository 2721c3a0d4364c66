%% @doc `EctoLiteFS.Supervisor': `{EctoLiteFS.Supervisor, repo: MyApp.Repo}' in a supervision tree.
%% A facade.
-module('Elixir.EctoLiteFS.Supervisor').

%% API
-export([child_spec/1]).
-export([start_link/1]).
-export([supervisor_name/1]).
-export(['__info__'/1]).

-spec child_spec([{atom(), term()}]) -> supervisor:child_spec().
child_spec(Options) ->
    ecto_litefs_sup:child_spec(Options).

%% @doc Starts the processes of one Repo; raises for options that are wrong.
-spec start_link([{atom(), term()}]) -> supervisor:startlink_ret().
start_link(Options) ->
    ecto_litefs_sup:start_link(Options).

%% @doc The name that the supervisor is registered with.
-spec supervisor_name(module()) -> atom().
supervisor_name(Repo) ->
    ecto_litefs_names:supervisor(Repo).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
