%% @doc The names under which a Repo's processes and its table are known: those of EctoLiteFS, built
%% as Elixir's `Module.concat' builds them.
%%
%% A Repo is a module of the application, so that these atoms are as many as there are Repos. Names
%% that come from a database or the network never reach this module.
-module(ecto_litefs_names).

%% API
-export([supervisor/1]).
-export([tracker/1]).
-export([poller/1]).
-export([event_stream/1]).
-export([table/1]).
-export([remote/1]).

-spec supervisor(module()) -> atom().
supervisor(Repo) ->
    name(<<"Elixir.EctoLiteFS.Supervisor.">>, Repo, <<>>).

-spec tracker(module()) -> atom().
tracker(Repo) ->
    name(<<"Elixir.EctoLiteFS.Tracker.">>, Repo, <<>>).

-spec poller(module()) -> atom().
poller(Repo) ->
    name(<<"Elixir.EctoLiteFS.Poller.">>, Repo, <<>>).

-spec event_stream(module()) -> atom().
event_stream(Repo) ->
    name(<<"Elixir.EctoLiteFS.EventStream.">>, Repo, <<>>).

-spec table(module()) -> atom().
table(Repo) ->
    name(<<"Elixir.EctoLiteFS.">>, Repo, <<".ETS">>).

%% The second instance of the Repo, whose connections are the primary's C node.
-spec remote(module()) -> atom().
remote(Repo) ->
    name(<<>>, Repo, <<".primary">>).

name(Before, Repo, After) ->
    Short = case atom_to_binary(Repo) of
        <<"Elixir.", Rest/binary>> -> Rest;
        Other -> Other
    end,
    binary_to_atom(<<Before/binary, Short/binary, After/binary>>).
