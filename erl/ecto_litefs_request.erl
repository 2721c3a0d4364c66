%% @doc What a connection of the remote repo asks of the primary: a statement by itself, which
%% follows the primary, and a transaction, which stays with the node where it began. Its options are
%% those of the Repo's call.
-module(ecto_litefs_request).

%% API
-export([query/4]).
-export(['begin'/2]).
-export([commit/3]).
-export([rollback/3]).
-export([abandon/2]).
-export([option/3]).

-record(tx, {
    node :: node(),
    token :: term(),
    key :: ecto_litefs_key:t(),
    ack :: ecto_litefs_call:ack()
}).

-opaque tx() :: #tx{}.
-type options() :: [{atom(), term()}].
%% `{not_written, _}': whatever else was the matter, nothing was written. The others are the C
%% node's errors, `{erpc, _}' and `no_cnode'.
-type failed() :: {error, Reason :: term(), node() | nil}.
-export_type([tx/0, options/0, failed/0]).

-define(TIMEOUT_MS, 15000).
%% So much longer than the C node's own deadline do we wait, to hear from it what became of it.
-define(GRACE_MS, 500).
%% In a transaction a silent node is given up so long after there is another primary.
-define(SILENT_MS, 500).

%% @doc One statement, by itself or in a transaction.
-spec query(module(), tx() | none, {binary(), [term()] | map()}, options()) ->
          {ok, map()} | failed().
query(Repo, none, {Sql, Params}, Options) ->
    {Ack, Key, Promise} = promise(Repo, Options),
    Query = fun(Left) -> {query, [Repo, Sql, Params, (within(Left, Promise))#{timeout => limit(Left)}]} end,
    Retry = ecto_litefs_retry:new(write),
    case ecto_litefs_follow:request(Repo, {Retry, Key}, Query, deadline(Repo, Options)) of
        {ok, Result, _} ->
            ok = note(Repo, Result, Ack),
            {ok, Result};
        Failed ->
            Failed
    end;
query(Repo, #tx{token = Token} = Tx, {Sql, Params}, Options) ->
    Deadline = deadline(Repo, Options),
    Limit = #{tx => Token, timeout => limit(ecto_litefs_attempt:left(Deadline))},
    case call(Repo, Tx, {query, [Repo, Sql, Params, Limit]}, Deadline) of
        %% Without a commit nothing of it is ever written.
        {error, {erpc, _} = Why} -> {error, {not_written, Why}, Tx#tx.node};
        {error, Reason} -> {error, ended(Repo, Tx, Reason, Deadline), Tx#tx.node};
        Ok -> Ok
    end.

%% A statement that reads has written nothing, and its position is of no interest.
note(_, #{columns := Columns, changes := 0}, _) when Columns =/= nil -> ok;
note(Repo, Result, Ack) -> ecto_litefs_call:acknowledged(Repo, Result, Ack).

%% @doc Begins a transaction where the primary is. `idle_timeout', `total_timeout' and `ack' are
%% options too.
-spec 'begin'(module(), options()) -> {ok, tx()} | failed().
'begin'(Repo, Options) ->
    {Ack, Key, Promise} = promise(Repo, Options),
    Begin = fun(Left) ->
        {'begin', [Repo, maps:merge(within(Left, Promise), deadlines(Options))]}
    end,
    Retry = ecto_litefs_retry:new('begin'),
    case ecto_litefs_follow:request(Repo, {Retry, Key}, Begin, deadline(Repo, Options)) of
        {ok, Token, Node} -> {ok, #tx{node = Node, token = Token, key = Key, ack = Ack}};
        Failed -> Failed
    end.

%% The pool takes the connection away after the timeout, so that the transaction need not live
%% longer.
deadlines(Options) ->
    Total = option(total_timeout, Options, option(timeout, Options, ?TIMEOUT_MS)),
    case option(idle_timeout, Options, none) of
        none -> #{total_timeout => Total};
        Idle -> #{total_timeout => Total, idle_timeout => Idle}
    end.

%% @doc Commits. It is sent once; if there is no answer the primary is asked what became of it.
-spec commit(module(), tx(), options()) -> ok | failed().
commit(Repo, #tx{node = Node, token = Token} = Tx, Options) ->
    Deadline = deadline(Repo, Options),
    case call(Repo, Tx, {commit, [Repo, Token]}, Deadline) of
        {ok, Reply} -> ecto_litefs_call:acknowledged(Repo, Reply, Tx#tx.ack);
        {error, {erpc, _} = Why} -> outcome(Repo, Tx, Why, Deadline);
        {error, {unknown, _} = Why} -> outcome(Repo, Tx, Why, Deadline);
        {error, Reason} -> {error, ended(Repo, Tx, Reason, Deadline), Node}
    end.

%% The primary of now knows whether it was committed; if not, it never will be.
outcome(Repo, #tx{node = Node, key = Key, ack = Ack}, Why, Deadline) ->
    Resolve = fun(_) -> {resolve, [Repo, Key]} end,
    Retry = ecto_litefs_retry:new(resolve, {Why, Node}),
    case ecto_litefs_follow:request(Repo, {Retry, Key}, Resolve, Deadline) of
        {ok, #{outcome := committed} = Reply, _} ->
            ecto_litefs_call:acknowledged(Repo, maps:merge(#{acked => 0}, Reply), Ack);
        {ok, #{outcome := aborted}, _} ->
            {error, {not_written, Why}, Node};
        {error, _, _} = Failed ->
            Failed
    end.

%% @doc Rolls back. Without an answer it is rolled back too, a little later.
-spec rollback(module(), tx(), options()) -> ok.
rollback(Repo, #tx{token = Token} = Tx, Options) ->
    _ = call(Repo, Tx, {rollback, [Repo, Token]}, deadline(Repo, Options)),
    ok.

%% @doc Has the node roll back, without waiting for it.
-spec abandon(module(), tx()) -> ok.
abandon(Repo, #tx{node = Node, token = Token}) ->
    erpc:cast(Node, ecto_litefs, rollback, [Repo, Token]).

%% Why a transaction has ended: of itself, or since its node has stopped being the primary?
ended(Repo, #tx{node = Node}, #{code := no_transaction} = Reason, Deadline) ->
    Patience = #{until => Deadline, slice => ?SILENT_MS, still => fun() -> true end},
    case ecto_litefs_attempt:call(Node, 'is_primary?', [Repo], Patience) of
        true -> Reason;
        _ -> {not_written, {not_primary, nil}}
    end;
ended(_, _, {not_primary, _} = Reason, _) ->
    {not_written, Reason};
ended(_, _, Reason, _) ->
    Reason.

%% To the node of the transaction, once.
call(Repo, #tx{node = Node}, {Function, Args}, Deadline) ->
    Until = case Deadline of infinity -> infinity; _ -> Deadline + ?GRACE_MS end,
    Patience = #{until => Until, slice => ?SILENT_MS,
                 still => fun() -> not ecto_litefs_follow:moved(Repo, Node) end},
    ecto_litefs_attempt:call(Node, Function, Args, Patience).

promise(Repo, Options) ->
    Key = ecto_litefs_cache:key(Repo),
    #{ack := Default, ack_timeout := Timeout} = ecto_litefs_cache:config(Repo),
    case option(ack, Options, Default) of
        local -> {local, Key, #{key => Key}};
        Ack -> {Ack, Key, #{key => Key, ack => Ack, ack_timeout => Timeout}}
    end.

%% Nobody hears how many replicas had it who has given up before the node says so.
within(Left, #{ack_timeout := Timeout} = Promise) when Timeout > Left ->
    Promise#{ack_timeout := limit(Left)};
within(_, Promise) ->
    Promise.

%% The call's own timeout, from when the middleware was called.
deadline(Repo, Options) ->
    case {option(timeout, Options, ?TIMEOUT_MS), ecto_litefs_call:started(Repo)} of
        {infinity, _} -> infinity;
        {Timeout, none} -> ecto_litefs_attempt:deadline(Timeout);
        {Timeout, Started} -> Started + Timeout
    end.

%% For the C node, which takes no 0.
limit(infinity) -> infinity;
limit(Left) -> max(1, Left).

%% @doc An option of a Repo's call; nil counts as not given.
-spec option(atom(), options(), Default :: term()) -> term().
option(Key, Options, Default) ->
    case lists:keyfind(Key, 1, Options) of
        {Key, nil} -> Default;
        {Key, Value} -> Value;
        false -> Default
    end.
