%% @doc `EctoLiteFS.Config': the options as a struct. A facade.
-module('Elixir.EctoLiteFS.Config').

%% API
-export(['new!'/1]).
-export(['__struct__'/0]).
-export(['__struct__'/1]).
-export(['__info__'/1]).

%% `EctoLiteFS.Config.t()', for specs.
-type t() :: ecto_litefs_config:t().
-export_type([t/0]).

%% @doc Checks the options; raises `ArgumentError' or `KeyError'.
-spec 'new!'([{atom(), term()}]) -> t().
'new!'(Options) ->
    ecto_litefs_config:new(Options).

%% @private What Elixir calls for `%EctoLiteFS.Config{}'.
-spec '__struct__'() -> map().
'__struct__'() ->
    ecto_litefs_config:struct([]).

-spec '__struct__'([{atom(), term()}] | map()) -> map().
'__struct__'(Fields) ->
    ecto_litefs_config:enforced_struct(Fields).

%% @private What Elixir asks a module.
-spec '__info__'(atom()) -> term().
'__info__'(struct) ->
    [#{field => Field, default => Default, required => Field =:= repo}
     || {Field, Default} <- ecto_litefs_config:fields()];
'__info__'(Key) ->
    ecto_litefs_elixir:info(?MODULE, Key).
