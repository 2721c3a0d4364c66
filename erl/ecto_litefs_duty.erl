%% @doc When a primary does what it owes the tracker table (ecto_litefs_decision:duty/1): to make it and,
%% without a C node beside it, to write its name. Its owner gets a timer's `{timeout, Timer, duty}'.
-module(ecto_litefs_duty).

%% API
-export([new/1]).
-export([is_due/1]).
-export([due/2]).
-export([renew/2]).
-export([fired/2]).
-export([done/1]).
-export([failed/1]).

-type kind() :: none | table | claim.

-record(duty, {
    grace :: non_neg_integer(),
    state = none :: none | due | done,
    timer = none :: reference() | none,
    retries = 0 :: non_neg_integer()
}).

-opaque t() :: #duty{}.
-export_type([t/0, kind/0]).

%% @doc A C node beside this one has so many milliseconds to write its own name first.
-spec new(non_neg_integer()) -> t().
new(Grace) ->
    #duty{grace = Grace}.

-spec is_due(t()) -> boolean().
is_due(#duty{state = State}) ->
    State =:= due.

%% @doc The role has changed: that is owed now.
-spec due(kind(), t()) -> t().
due(none, Duty) -> cancel(Duty#duty{state = none});
due(table, Duty) -> start(0, Duty#duty{state = due, retries = 0});
due(claim, #duty{grace = Grace} = Duty) -> start(Grace, Duty#duty{state = due, retries = 0}).

%% @doc A node went: it may be this host's C node, whose name was left in the row.
-spec renew(kind(), t()) -> t().
renew(claim, #duty{state = done, grace = Grace} = Duty) -> start(Grace, Duty);
renew(_, Duty) -> Duty.

%% @doc Is it this timer, and not one that was cancelled?
-spec fired(reference(), t()) -> {boolean(), t()}.
fired(Timer, #duty{timer = Timer} = Duty) -> {true, Duty#duty{timer = none}};
fired(_, Duty) -> {false, Duty}.

%% @doc Unless the role has changed meanwhile.
-spec done(t()) -> t().
done(#duty{state = due, timer = none} = Duty) -> Duty#duty{state = done, retries = 0};
done(Duty) -> Duty.

%% @doc It is tried again, in so many milliseconds.
-spec failed(t()) -> {non_neg_integer(), t()}.
failed(#duty{retries = Retries} = Duty) ->
    Delay = ecto_litefs_backoff:delay(Retries),
    {Delay, start(Delay, Duty#duty{retries = Retries + 1})}.

start(Delay, Duty) ->
    Cancelled = cancel(Duty),
    Cancelled#duty{timer = erlang:start_timer(Delay, self(), duty)}.

cancel(#duty{timer = none} = Duty) ->
    Duty;
cancel(#duty{timer = Timer} = Duty) ->
    _ = erlang:cancel_timer(Timer),
    Duty#duty{timer = none}.
