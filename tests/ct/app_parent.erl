%% A supervisor of any children: an application's own.
-module(app_parent).

-behaviour(supervisor).

-export([init/1]).

-spec init([supervisor:child_spec()]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init(Specs) ->
    {ok, {#{strategy => one_for_one}, Specs}}.
