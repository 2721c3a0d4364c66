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

-define(PAUSE_MS, 10).

-type result() :: term() | {error, ecto_litefs_forward:error() | ecto_litefs_written:error()}.

%% @doc What the fun returns. What it raises is raised here, as it is.
-spec on_primary(module(), fun(() -> term())) -> result().
on_primary(Repo, Fun) when is_function(Fun, 0) ->
    run(Repo, on_primary, {erlang, apply, [Fun, []]}).

%% @doc `Repo.transaction' on the primary, with its options and its results. `idle_timeout' and
%% `total_timeout', in milliseconds, shorten the C node's own deadlines; `ack' is the supervisor's
%% option, for this transaction.
-spec transaction(module(), term(), [{atom(), term()}]) -> result().
transaction(Repo, FunOrMulti, Options) ->
    run(Repo, transaction, {Repo, transaction, [FunOrMulti, Options]}).

run(Repo, Action, {Module, Function, Args} = Call) ->
    case ecto_litefs_cache:exists(Repo) andalso not ecto_litefs_remote:inside(Repo) of
        true ->
            Deadline = ecto_litefs_attempt:deadline(ecto_litefs_cache:erpc_timeout(Repo)),
            route({Repo, Action, Call}, Deadline);
        false ->
            apply(Module, Function, Args)
    end.

%% A primary that was lost is waited for. Once the fun has been called it is not called again.
route({Repo, _, {Module, Function, Args}} = Block, Deadline) ->
    Primary = ecto_litefs_follow:primary(Repo, Deadline),
    case ecto_litefs_decision:route(Primary, true) of
        local -> apply(Module, Function, Args);
        {forward, Node} -> forward(Node, Block, Deadline);
        {error, _} = Error -> Error
    end.

forward(Node, {Repo, Action, {Module, Function, Args}} = Block, Deadline) ->
    case {ecto_litefs_forward:way(Repo, Node, Deadline), ecto_litefs_attempt:left(Deadline)} of
        {remote, _} ->
            {Attempt, Written} = ecto_litefs_call:during(Repo, Action, fun() ->
                ecto_litefs_forward:attempt(fun() ->
                    ecto_litefs_remote:run(Repo, fun() -> apply(Module, Function, Args) end)
                end)
            end),
            result(Repo, Attempt, Written);
        {silent, 0} ->
            {error, primary_unavailable};
        {beam, 0} ->
            {error, primary_unavailable};
        {beam, Timeout} ->
            result(Repo, there(Node, {Module, Function, Args}, Timeout), #{short => none, moved => none});
        {silent, _} ->
            timer:sleep(?PAUSE_MS),
            route(Block, Deadline)
    end.

result(Repo, {ok, Result}, Written) -> ecto_litefs_written:result(Repo, Result, Written);
result(_, {_, Why}, _) -> {error, Why}.

%% As if it had been raised here.
there(Node, {Module, Function, Args}, Timeout) ->
    try
        ecto_litefs_forward:call(Node, fun() -> erpc:call(Node, Module, Function, Args, Timeout) end)
    catch
        error:{exception, Reason, Stack} -> erlang:raise(error, Reason, Stack);
        exit:{exception, Reason} -> exit(Reason)
    end.
