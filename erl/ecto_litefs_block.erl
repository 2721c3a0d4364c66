%% @doc Whole blocks of Repo calls on the primary: `EctoLiteFS.on_primary' and
%% `EctoLiteFS.transaction'.
%%
%%    the primary is                 the block runs
%%    this node, or no supervisor    as it is
%%    a C node                       here, its SQL there
%%    another BEAM node              there, as EctoLiteFS's closures do: it must have the same code
-module(ecto_litefs_block).

%% API
-export([on_primary/2]).
-export([transaction/3]).

-type result() :: term() | {error, ecto_litefs_forward:error()}.

%% @doc What the fun returns. What it raises is raised here, as it is.
-spec on_primary(module(), fun(() -> term())) -> result().
on_primary(Repo, Fun) when is_function(Fun, 0) ->
    run(Repo, {erlang, apply, [Fun, []]}).

%% @doc `Repo.transaction' on the primary, with its options and its results. `idle_timeout' and
%% `total_timeout', in milliseconds, shorten the C node's own deadlines.
-spec transaction(module(), term(), [{atom(), term()}]) -> result().
transaction(Repo, FunOrMulti, Options) ->
    run(Repo, {Repo, transaction, [FunOrMulti, Options]}).

run(Repo, {Module, Function, Args} = Call) ->
    Primary = ecto_litefs_api:get_primary(Repo),
    Route = ecto_litefs_decision:route(Primary, ecto_litefs_cache:exists(Repo)),
    case ecto_litefs_remote:inside(Repo) orelse Route of
        {forward, Node} -> forward(Repo, Node, Call);
        {error, _} = Error -> Error;
        _ -> apply(Module, Function, Args)
    end.

forward(Repo, Node, {Module, Function, Args} = Call) ->
    Attempt = ecto_litefs_forward:attempt(Node, fun() ->
        case ecto_litefs_forward:way(Repo, Node) of
            remote -> ecto_litefs_remote:run(Repo, fun() -> apply(Module, Function, Args) end);
            beam -> there(Node, Call, ecto_litefs_api:get_erpc_timeout(Repo))
        end
    end),
    case Attempt of
        {ok, Result} -> Result;
        {error, _} = Error -> Error
    end.

%% As if it had been raised here.
there(Node, {Module, Function, Args}, Timeout) ->
    try
        erpc:call(Node, Module, Function, Args, Timeout)
    catch
        error:{exception, Reason, Stack} -> erlang:raise(error, Reason, Stack);
        exit:{exception, Reason} -> exit(Reason)
    end.
