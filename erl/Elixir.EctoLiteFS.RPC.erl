%% @doc `EctoLiteFS.RPC': the call to the primary, in a module of its own, which tests can
%% replace. A facade.
-module('Elixir.EctoLiteFS.RPC').

%% API
-export([call/3]).
-export(['__info__'/1]).

-spec call(node(), fun(() -> term()), timeout()) -> term().
call(Node, Fun, Timeout) ->
    erpc:call(Node, Fun, Timeout).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
