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
-export([cnode_repo/1]).

-spec supervisor(module()) -> atom().
supervisor(Repo) ->
    name(supervisor, Repo).

-spec tracker(module()) -> atom().
tracker(Repo) ->
    name(tracker, Repo).

-spec poller(module()) -> atom().
poller(Repo) ->
    name(poller, Repo).

-spec event_stream(module()) -> atom().
event_stream(Repo) ->
    name(event_stream, Repo).

-spec table(module()) -> atom().
table(Repo) ->
    name(table, Repo).

%% The second instance of the Repo, whose connections are the primary's C node.
-spec remote(module()) -> atom().
remote(Repo) ->
    name(remote, Repo).

%% @doc What a C node calls the Repo: as it is written in Elixir.
-spec cnode_repo(module()) -> binary().
cnode_repo(Repo) ->
    case atom_to_binary(Repo) of
        <<"Elixir.", Name/binary>> -> Name;
        Name -> Name
    end.

%% Kept, since a forwarded write needs nine of them and making an atom takes longer than all else
%% that the middleware does. There are as many as Repos, and they never change.
name(Kind, Repo) ->
    Key = {?MODULE, Kind, Repo},
    case persistent_term:get(Key, none) of
        none ->
            Name = make(Kind, Repo),
            ok = persistent_term:put(Key, Name),
            Name;
        Name ->
            Name
    end.

make(supervisor, Repo) -> concat(<<"Elixir.EctoLiteFS.Supervisor.">>, Repo, <<>>);
make(tracker, Repo) -> concat(<<"Elixir.EctoLiteFS.Tracker.">>, Repo, <<>>);
make(poller, Repo) -> concat(<<"Elixir.EctoLiteFS.Poller.">>, Repo, <<>>);
make(event_stream, Repo) -> concat(<<"Elixir.EctoLiteFS.EventStream.">>, Repo, <<>>);
make(table, Repo) -> concat(<<"Elixir.EctoLiteFS.">>, Repo, <<".ETS">>);
make(remote, Repo) -> concat(<<>>, Repo, <<".primary">>).

concat(Before, Repo, After) ->
    Name = cnode_repo(Repo),
    binary_to_atom(<<Before/binary, Name/binary, After/binary>>).
