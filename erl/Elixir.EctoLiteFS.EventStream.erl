%% @doc `EctoLiteFS.EventStream': the name that EctoLiteFS gives to its reader of LiteFS's events.
%% Here the port reads them, and no process has this name. A facade.
-module('Elixir.EctoLiteFS.EventStream').

%% API
-export([process_name/1]).
-export(['__info__'/1]).

-spec process_name(module()) -> atom().
process_name(Repo) ->
    ecto_litefs_names:event_stream(Repo).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
