%% @doc What the calling process knows of its forwarded call, and of what was acknowledged to it.
%% All of it is in the process dictionary: DBConnection calls us in the process that calls the Repo.
%%
%%    {?MODULE, Repo}                #{action, started, short, moved} of the call under way
%%    {ecto_litefs_position, Repo}   of the last write that was acknowledged
-module(ecto_litefs_call).

%% API
-export([during/3]).
-export([during/4]).
-export([started/1]).
-export([retried/4]).
-export([acknowledged/3]).
-export([last_position/1]).

-type ack() :: local | {replicas, pos_integer()}.
%% `short': the fewest replicas that had one of its writes, where that were too few. `moved': the
%% position of its last write.
-type written() :: #{short := none | {non_neg_integer(), pos_integer()},
                     moved := none | ecto_litefs_position:t()}.
-export_type([ack/0, written/0]).

%% @doc Calls the fun, and tells what was written meanwhile.
-spec during(module(), atom(), fun(() -> Result)) -> {Result, written()}.
during(Repo, Action, Fun) ->
    during(Repo, Action, erlang:monotonic_time(millisecond), Fun).

%% @doc The same of a call that began then.
-spec during(module(), atom(), Started :: integer(), fun(() -> Result)) -> {Result, written()}.
during(Repo, Action, Started, Fun) ->
    Key = {?MODULE, Repo},
    Outer = put(Key, #{action => Action, started => Started, short => none, moved => none}),
    try
        Result = Fun(),
        {Result, maps:with([short, moved], get(Key))}
    after
        %% A block may have left the primary for a call of its own.
        case Outer of
            undefined -> erase(Key);
            _ -> put(Key, Outer)
        end
    end.

%% @doc When the call under way began, in monotonic milliseconds; `none' if a block calls the Repo,
%% each of whose calls has its own time, or nothing is under way.
-spec started(module()) -> integer() | none.
started(Repo) ->
    case get({?MODULE, Repo}) of
        #{action := Action, started := Started} when Action =/= on_primary,
                                                     Action =/= transaction -> Started;
        _ -> none
    end.

%% @doc Tells that something is sent again, to the same node or to another.
-spec retried(module(), {node(), node()}, term(), pos_integer()) -> ok.
retried(Repo, {From, To}, Reason, Attempt) ->
    Action = case get({?MODULE, Repo}) of
        #{action := A} -> A;
        undefined -> nil
    end,
    Metadata = #{repo => Repo, action => Action, from => From, to => To, reason => Reason},
    ecto_litefs_telemetry:forward(retry, #{system_time => erlang:system_time(),
                                           attempt => Attempt}, Metadata).

%% @doc A write was acknowledged so, which was to wait for these replicas.
-spec acknowledged(module(), map(), ack()) -> ok.
acknowledged(Repo, #{position := Position} = Reply, Ack) when Position =/= nil ->
    _ = put({ecto_litefs_position, Repo}, Position),
    note(Repo, #{moved => Position}),
    short(Repo, Reply, Ack);
acknowledged(Repo, Reply, Ack) ->
    short(Repo, Reply, Ack).

short(Repo, #{acked := Acked}, {replicas, Wanted}) when Acked < Wanted ->
    case get({?MODULE, Repo}) of
        #{short := {Fewest, _}} when Fewest =< Acked -> ok;
        _ -> note(Repo, #{short => {Acked, Wanted}})
    end;
short(_, _, _) ->
    ok.

note(Repo, What) ->
    Key = {?MODULE, Repo},
    case get(Key) of
        undefined -> ok;
        Call -> _ = put(Key, maps:merge(Call, What)), ok
    end.

-spec last_position(module()) -> ecto_litefs_position:t() | nil.
last_position(Repo) ->
    case get({ecto_litefs_position, Repo}) of
        undefined -> nil;
        Position -> Position
    end.
