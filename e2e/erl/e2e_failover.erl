%% How soon after LiteFS's own announcement of a new primary a forwarded write is acknowledged again.
-module(e2e_failover).

%% API
-export([all/0]).

-define(ROUNDS, 7).
%% At the median.
-define(LIMIT_US, 100000).
%% Where the old primary ended with the lease in its hand, the other replica may look for the new one for a while.
-define(ANNOUNCED_MS, 60000).
%% Of a round whose witness was lost.
-define(TRIES, 3).

-type round() :: #{own := integer(), there := integer()}.
-type told() :: {New :: e2e_host:id(), Witness :: e2e_host:id(), Announced :: integer(), AnnouncedThere :: integer()}.

-spec all() -> [e2e_basics:scenario()].
all() ->
    [{failover, "after LiteFS's announcement of a new primary forwarded writes go on in less than 100 ms at the median",
      fun at_local/0}].

-spec at_local() -> iodata().
at_local() ->
    case e2e_run:level() of
        local -> latency();
        _ -> throw({skip, "an acknowledgement of replicas waits until their LiteFS has found the new primary"})
    end.

%% Promotions under load. The writes are those of the host whose role does not change: it waits with its writers, and
%% forwards to the one primary and then to the other.
-spec latency() -> iodata().
latency() ->
    Rounds = [measure(N, ?TRIES) || N <- lists:seq(1, ?ROUNDS)],
    Own = [Us || #{own := Us} <- Rounds],
    There = [Us || #{there := Us} <- Rounds],
    Median = median(Own),
    Median < ?LIMIT_US orelse error({median_us, Median, limit, ?LIMIT_US, Rounds}),
    io_lib:format("from the announcement at the new primary: ~ts~n    from that at the writers' host:           ~ts",
                  [figures(Own), figures(There)]).

%% When LiteFS does not hand the lease over the third host may have it for a while, and its LiteFS end itself like any
%% primary's: then there was no witness. What was acknowledged is checked all the same.
-spec measure(pos_integer(), pos_integer()) -> round().
measure(Number, Tries) ->
    Self = self(),
    Tag = iolist_to_binary(io_lib:format("failover~b-~b", [Number, Tries])),
    {#{problems := []}, _, {Attempts, _, _}} =
        e2e_run:under_load(#{tag => Tag, loses => false}, fun(World) -> promote(Self, World) end),
    case receive {promoted, Told} -> Told end of
        no_witness when Tries > 1 ->
            e2e_report:note("a promotion: LiteFS of the witness ended itself; the round was made again"),
            measure(Number, Tries - 1);
        {_, _, _, _} = Witnessed ->
            times(Witnessed, Attempts)
    end.

-spec times(told(), [e2e_journal:attempt()]) -> round().
times({New, Witness, Announced, AnnouncedThere}, Attempts) ->
    Acks = [Ended || #{outcome := acked, writer := Writer, ended := Ended} <- Attempts,
                     binary:match(Writer, iolist_to_binary(io_lib:format("-h~b-", [Witness]))) =/= nomatch],
    is_integer(Announced) orelse error({not_announced, New, Announced}),
    #{own => first_after(Announced, Acks) - Announced, there => first_after(AnnouncedThere, Acks) - AnnouncedThere}.

-spec promote(pid(), e2e_run:world()) -> [].
promote(Self, #{replicas := [New, Witness]}) ->
    AtNew = e2e_events:open(New),
    AtWitness = e2e_events:open(Witness),
    ok = e2e_promote:to(New),
    Announced = e2e_events:announced(AtNew, primary),
    There = ct_wait:until(fun() ->
        case e2e_events:announced(AtWitness, {replica, e2e_host:address(New)}) of
            never -> e2e_events:ended(AtWitness) andalso ended;
            At -> At
        end
    end, ?ANNOUNCED_MS),
    ok = e2e_events:close(AtNew),
    ok = e2e_events:close(AtWitness),
    Self ! {promoted, case There of ended -> no_witness; _ -> {New, Witness, Announced, There} end},
    [].

%% What the old primary had acknowledged it had done before it gave its lease away.
-spec first_after(integer(), [integer()]) -> integer().
first_after(Time, Acks) ->
    lists:min([At || At <- Acks, At > Time]).

-spec figures([integer()]) -> iodata().
figures(Times) ->
    io_lib:format("~.1f ms at the median, ~.1f at most, of ~b", [median(Times) / 1000, lists:max(Times) / 1000, length(Times)]).

-spec median([integer()]) -> integer().
median(Times) ->
    lists:nth((length(Times) + 1) div 2, lists:sort(Times)).
