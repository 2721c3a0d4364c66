%% @doc What the tracker of a Repo has told the world: the log and telemetry. Each thing once.
-module(ecto_litefs_news).

-include_lib("kernel/include/logger.hrl").

%% API
-export([new/2]).
-export([tell/3]).
-export([complain/2]).

-type published() :: none | {node() | nil, ecto_litefs_decision:role()}.

-record(news, {
    repo :: module(),
    published :: published(),
    missing = none :: binary() | none    % the name last reported as not connected
}).

-opaque t() :: #news{}.
-export_type([t/0]).

%% @doc With what was told before.
-spec new(module(), published()) -> t().
new(Repo, Published) ->
    #news{repo = Repo, published = Published}.

%% @doc The primary and this host's role.
-spec tell(node() | nil, ecto_litefs_decision:role(), t()) -> t().
tell(Node, Role, #news{published = {Node, Role}} = News) ->
    News;
tell(Node, Role, #news{repo = Repo, published = Published} = News) ->
    From = case Published of none -> nil; {Before, _} -> Before end,
    ?LOG_INFO("EctoLiteFS.Tracker[~ts]: role ~ts, primary ~ts",
              [ecto_litefs_elixir:inspect(Repo), Role, Node]),
    Metadata = #{repo => Repo, from => From, to => Node, role => Role},
    ok = ecto_litefs_telemetry:primary_change(#{system_time => erlang:system_time()}, Metadata),
    News#news{published = {Node, Role}}.

%% @doc That the row names a node which is not connected.
-spec complain(binary() | none, t()) -> t().
complain(Missing, #news{missing = Missing} = News) ->
    News;
complain(none, News) ->
    News#news{missing = none};
complain(Name, #news{repo = Repo} = News) ->
    ?LOG_ERROR("EctoLiteFS.Tracker[~ts]: primary node ~ts is not connected to this node",
               [ecto_litefs_elixir:inspect(Repo), ecto_litefs_elixir:inspect(Name)]),
    News#news{missing = Name}.
