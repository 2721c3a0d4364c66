%% @doc What follows from an attempt to have a request done by the primary: is it over, or is it
%% sent again? PURE.
%%
%%    the attempt's answer                   of a write       of a begin       of a resolve
%%    a result                               done             done             done
%%    not the primary, no such file yet      again            again            again
%%    no answer, outcome unknown             again, unsure    again            again
%%    another error                          done; settled    done             again
%%                                           first if unsure
%%
%% A write has a key: sent again it runs once, so that it may go to any node that is the primary,
%% whatever became of it before. A begin has written nothing until its commit. A resolve asks what
%% became of a commit that had no answer, and is unsure from the start.
%%
%% "Unsure": an earlier attempt may still arrive somewhere and run. A result ends that, since it was
%% stored with the key. An error does not: before the caller is told that nothing was written the
%% key is given up (`resolve'), after which nothing can run with it.
-module(ecto_litefs_retry).

%% API
-export([new/1]).
-export([new/2]).
-export([next/3]).
-export([settled/3]).
-export([verdict/1]).
-export([pause/1]).
-export([attempt/1]).
-export([lost/1]).

-type kind() :: write | 'begin' | resolve.
-type reason() :: term().
-type answer() :: {ok, term()} | {error, reason()}.
-opaque t() :: #{kind := kind(), attempt := pos_integer(), unsure := none | {reason(), node()},
                 last := {reason(), node() | nil}, failed => answer()}.
-export_type([kind/0, reason/0, answer/0, t/0]).

-define(PAUSE_MS, 10).
-define(LONGEST_PAUSE_MS, 100).
-define(DOUBLINGS, 4).

-spec new(kind()) -> t().
new(Kind) ->
    #{kind => Kind, attempt => 1, unsure => none, last => {{not_primary, nil}, nil}}.

%% @doc What became of an earlier request to that node is not known.
-spec new(kind(), {reason(), node()}) -> t().
new(Kind, Unsure) ->
    (new(Kind))#{unsure := Unsure}.

%% @doc That node gave this answer.
-spec next(answer(), node(), t()) -> {done, answer()} | {settle, answer()} | {again, t()}.
next({ok, _} = Answer, _, _) ->
    {done, Answer};
%% The key has been given up, though the answer to that was lost: by us, since the request had failed.
next({error, #{code := aborted}}, _, #{failed := Failed}) ->
    {done, Failed};
next({error, Reason} = Answer, Node, #{kind := Kind, unsure := Unsure} = Retry) ->
    case {class(Kind, Reason), Unsure} of
        {unsure, _} -> {again, count(Reason, Node, Retry#{unsure := {Reason, Node}})};
        {refused, _} -> {again, count(Reason, Node, Retry)};
        {final, none} -> {done, Answer};
        {final, _} -> {settle, Answer}
    end.

class(_, {not_primary, _}) -> refused;
class(_, #{code := unavailable}) -> refused;
class(write, {erpc, _}) -> unsure;
class(write, {unknown, _}) -> unsure;
class('begin', {erpc, _}) -> refused;
class(resolve, _) -> refused;
class(_, _) -> final.

count(Reason, Node, #{attempt := Attempt} = Retry) ->
    Retry#{attempt := Attempt + 1, last := {Reason, Node}}.

%% @doc The key was given up at that node, with this answer, since the request had failed so.
-spec settled(answer(), {answer(), node()}, t()) -> {done, answer()} | {again, t()}.
settled({ok, #{outcome := aborted}}, {Failed, _}, _) ->
    {done, Failed};
settled(_, {{error, Reason} = Failed, Node}, Retry) ->
    %% Committed after all, which a repeat will find; or nobody says.
    {again, (count(Reason, Node, Retry))#{failed => Failed}}.

%% @doc The time is up. `not_written': no attempt can have written anything, nor will one.
-spec verdict(t()) -> {unsure | not_written, reason(), node() | nil}.
verdict(#{unsure := {Reason, Node}}) -> {unsure, Reason, Node};
verdict(#{last := {Reason, Node}}) -> {not_written, Reason, Node}.

%% @doc Milliseconds until the same node is asked again. Another one is asked at once.
-spec pause(t()) -> pos_integer().
pause(#{attempt := Attempt}) ->
    min(?PAUSE_MS bsl min(Attempt - 2, ?DOUBLINGS), ?LONGEST_PAUSE_MS).

%% @doc The number of the attempt that comes next, from 1.
-spec attempt(t()) -> pos_integer().
attempt(#{attempt := Attempt}) ->
    Attempt.

%% @doc Did the last attempt get no answer? Then its node may be out of reach, and be it for a
%% moment only.
-spec lost(t()) -> boolean().
lost(#{last := {{erpc, _}, _}}) -> true;
lost(#{}) -> false.
