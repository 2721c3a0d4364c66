%% @doc `EctoLiteFS.Poller': the process that owns the port, which polls LiteFS's files and reads
%% its events. A facade.
-module('Elixir.EctoLiteFS.Poller').

%% API
-export([start_link/1]).
-export([child_spec/1]).
-export([process_name/1]).
-export(['__info__'/1]).

-spec start_link(ecto_litefs_config:t()) -> gen_server:start_ret().
start_link(Config) ->
    ecto_litefs_detector:start_link(Config).

-spec child_spec(ecto_litefs_config:t()) -> supervisor:child_spec().
child_spec(Config) ->
    ecto_litefs_detector:child_spec(Config).

%% @doc The name that the process is registered with.
-spec process_name(module()) -> atom().
process_name(Repo) ->
    ecto_litefs_names:poller(Repo).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
