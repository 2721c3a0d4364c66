%% @doc Requests that follow the primary: sent to whoever is the primary then, and sent again to
%% whoever is it next, as ecto_litefs_retry decides, until there is an answer or the time is up.
%%
%% Detection is looked at all the time (one read of the Repo's table): as soon as it names another
%% node an attempt at the old one is given up, and a wait for its next turn ends.
-module(ecto_litefs_follow).

%% API
-export([primary/2]).
-export([request/4]).
-export([moved/2]).
-export([glance/1]).

%% Makes the function and its arguments, given the milliseconds that are left.
-type make() :: fun((timeout()) -> {atom(), [term()]}).
%% Reason: the C node's, `{erpc, _}', `no_cnode', or one of these, where nothing was written:
%% `{expired, Why}' at the deadline, `{not_written, Why}' before it, since there is no C node to
%% send it to.
-type failed() :: {error, Reason :: term(), node() | nil}.
-export_type([make/0, failed/0]).

-record(state, {
    repo :: module(),
    make :: make(),
    key :: ecto_litefs_key:t(),
    deadline :: ecto_litefs_attempt:deadline(),
    retry :: ecto_litefs_retry:t(),
    from = nil :: node() | nil,         % who was asked last
    why = none :: term(),               % what that came to
    not_before = 0 :: integer()         % when that node may be asked again
}).

%% How often detection is looked at.
-define(LOOK_MS, 10).
-define(SLICE_MS, 20).
%% So much longer than the C node's own deadline do we wait, to hear from it what became of it.
-define(GRACE_MS, 500).

%% @doc The primary. If none is known, but one was, there will be one again: it is waited for until
%% the deadline.
-spec primary(module(), ecto_litefs_attempt:deadline()) -> ecto_litefs_api:primary().
primary(Repo, Deadline) ->
    case ecto_litefs_api:primary(Repo, ecto_litefs_attempt:left(Deadline)) of
        {ok, nil} = None ->
            case ecto_litefs_cache:seen(Repo) andalso ecto_litefs_attempt:left(Deadline) > 0 of
                true -> timer:sleep(?LOOK_MS), primary(Repo, Deadline);
                false -> None
            end;
        Answer ->
            Answer
    end.

%% @doc Has the primary do the request, whose key this is.
-spec request(module(), {ecto_litefs_retry:t(), ecto_litefs_key:t()}, make(),
              ecto_litefs_attempt:deadline()) -> {ok, term(), node()} | failed().
request(Repo, {Retry, Key}, Make, Deadline) ->
    go(#state{repo = Repo, make = Make, key = Key, deadline = Deadline, retry = Retry}).

go(#state{from = From} = State) ->
    case {place(State#state.repo), ecto_litefs_attempt:left(State#state.deadline)} of
        {_, 0} ->
            give_up(State);
        {{ok, Node}, _} when Node =/= From ->
            attempt(Node, State);
        {{ok, Node}, _} ->
            in_turn(Node, State);
        {none, _} ->
            case From =/= nil andalso ecto_litefs_retry:lost(State#state.retry) of
                true -> in_turn(From, State);
                false -> wait_for_one(State)
            end;
        {here, _} ->
            case ecto_litefs_retry:verdict(State#state.retry) of
                {not_written, _, _} -> {error, {not_written, primary_here}, node()};
                {unsure, _, _} -> later(State)
            end
    end.

%% Where to send it, as far as the table tells: this waits for nothing. `here': this node is the
%% primary, and there is no C node beside it.
place(Repo) ->
    case glance(Repo) of
        {ok, Node} when Node =:= node() -> beside(ecto_litefs_cache:beside(Repo));
        {ok, nil} -> none;
        {ok, Node} -> {ok, Node};
        none -> none
    end.

%% @doc The primary as far as the table tells: this waits for nothing. Where the table is out of date
%% the tracker hears of it.
-spec glance(module()) -> {ok, node() | nil} | none.
glance(Repo) ->
    case ecto_litefs_cache:primary(Repo) of
        old ->
            ok = ecto_litefs_tracker:doubt(Repo),
            ecto_litefs_cache:last_primary(Repo);
        Primary ->
            Primary
    end.

beside(nil) -> here;
beside(Node) -> {ok, Node}.

in_turn(Node, #state{not_before = NotBefore} = State) ->
    case erlang:monotonic_time(millisecond) >= NotBefore of
        true -> attempt(Node, State);
        false -> later(State)
    end.

wait_for_one(#state{repo = Repo} = State) ->
    case ecto_litefs_cache:seen(Repo) of
        true -> later(State);
        false -> give_up(State)
    end.

later(#state{deadline = Deadline} = State) ->
    timer:sleep(min(?LOOK_MS, ecto_litefs_attempt:left(Deadline))),
    go(State).

give_up(#state{retry = Retry}) ->
    case ecto_litefs_retry:verdict(Retry) of
        {unsure, Reason, Node} -> {error, Reason, Node};
        {not_written, Reason, Node} -> {error, {expired, Reason}, Node}
    end.

attempt(Node, #state{make = Make, deadline = Deadline, retry = Retry} = State) ->
    ok = tell(ecto_litefs_retry:attempt(Retry), Node, State),
    {Function, Args} = Make(ecto_litefs_attempt:left(Deadline)),
    Answer = call(Node, Function, Args, State),
    case ecto_litefs_retry:next(Answer, Node, Retry) of
        {done, Done} -> done(Done, Node);
        {settle, Failed} -> settle(Failed, Node, State);
        {again, Retry1} -> again(Answer, Node, State#state{retry = Retry1})
    end.

done({ok, Result}, Node) -> {ok, Result, Node};
done({error, Reason}, Node) -> {error, Reason, Node}.

settle(Failed, Node, #state{repo = Repo, key = Key, retry = Retry} = State) ->
    Answer = call(Node, resolve, [Repo, Key], State),
    case ecto_litefs_retry:settled(Answer, {Failed, Node}, Retry) of
        {done, Done} -> done(Done, Node);
        {again, Retry1} -> again(Failed, Node, State#state{retry = Retry1})
    end.

call(Node, Function, Args, #state{repo = Repo, deadline = Deadline}) ->
    Patience = #{until => grace(Deadline), slice => ?SLICE_MS,
                 still => fun() -> not moved(Repo, Node) end},
    ecto_litefs_attempt:call(Node, Function, Args, Patience).

grace(infinity) -> infinity;
grace(Deadline) -> Deadline + ?GRACE_MS.

%% @doc Is another node the primary? (That none is known does not count.)
-spec moved(module(), node()) -> boolean().
moved(Repo, Node) ->
    case place(Repo) of
        {ok, Other} -> Other =/= Node;
        _ -> false
    end.

again({error, Reason}, Node, #state{repo = Repo, retry = Retry} = State) ->
    ok = denied(Repo, Node, Reason),
    NotBefore = erlang:monotonic_time(millisecond) + ecto_litefs_retry:pause(Retry),
    go(State#state{from = Node, why = Reason, not_before = NotBefore}).

denied(Repo, Node, {not_primary, _}) -> ecto_litefs_tracker:denied(Repo, Node);
denied(_, _, _) -> ok.

tell(1, _, _) ->
    ok;
tell(Attempt, To, #state{repo = Repo, from = From, why = Why}) ->
    ecto_litefs_call:retried(Repo, {From, To}, Why, Attempt).
