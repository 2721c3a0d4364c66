%% @doc The supervisor of one Repo's processes. Its process owns the Repo's table.
-module(ecto_litefs_sup).

-behaviour(supervisor).

%% API
-export([start_link/1]).
-export([child_spec/1]).

%% supervisor
-export([init/1]).

%% As long as a start waits for the first announcement, so that the application's first writes find
%% a role.
-define(FIRST_STATE_MS, 1000).

%% @doc Raises for bad options, as `ecto_litefs_config:new/1' does.
-spec start_link([{atom(), term()}]) -> supervisor:startlink_ret().
start_link(Options) ->
    #{repo := Repo} = Config = ecto_litefs_config:new(Options),
    case supervisor:start_link({local, ecto_litefs_names:supervisor(Repo)}, ?MODULE, Config) of
        {ok, Pid} ->
            ok = ecto_litefs_tracker:await(Repo, ?FIRST_STATE_MS),
            {ok, Pid};
        Other ->
            Other
    end.

%% @doc The id has the Repo in it: there may be one supervisor for each Repo below the same parent.
-spec child_spec([{atom(), term()}]) -> supervisor:child_spec().
child_spec(Options) ->
    Module = 'Elixir.EctoLiteFS.Supervisor',
    #{id => {Module, proplists:get_value(repo, Options)},
      start => {Module, start_link, [Options]},
      type => supervisor}.

-spec init(ecto_litefs_config:t()) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init(Config) ->
    ok = ecto_litefs_clash:report(),
    ok = ecto_litefs_cache:new(Config),
    {ok, {#{strategy => one_for_one, intensity => 3, period => 5},
          [ecto_litefs_tracker:child_spec(Config), ecto_litefs_detector:child_spec(Config)
           | ecto_litefs_remote:child_specs(Config)]}}.
