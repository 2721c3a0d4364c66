%% How soon after LiteFS's own announcement of a new primary a forwarded write is acknowledged again.
-module(e2e_failover).

%% API
-export([all/0]).

-define(ROUNDS, 7).
%% At the median.
-define(LIMIT_US, 100000).
%% Where the old primary ended with the lease in its hand, the other replica may look for the new one for a while.
-define(ANNOUNCED_MS, 60000).

-type round() :: #{own := integer(), there := integer()}.

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
    Rounds = [measure(iolist_to_binary(io_lib:format("failover~b", [N]))) || N <- lists:seq(1, ?ROUNDS)],
    Own = [Us || #{own := Us} <- Rounds],
    There = [Us || #{there := Us} <- Rounds],
    Median = median(Own),
    Median < ?LIMIT_US orelse error({median_us, Median, limit, ?LIMIT_US, Rounds}),
    io_lib:format("from the announcement at the new primary: ~ts~n    from that at the writers' host:           ~ts",
                  [figures(Own), figures(There)]).

-spec measure(binary()) -> round().
measure(Tag) ->
    Self = self(),
    {#{problems := []}, _, {Attempts, _, _}} =
        e2e_run:under_load(#{tag => Tag, loses => false}, fun(World) -> promote(Self, World) end),
    {New, Witness, Announced, AnnouncedThere} = receive {promoted, Told} -> Told end,
    Acks = [Ended || #{outcome := acked, writer := Writer, ended := Ended} <- Attempts,
                     binary:match(Writer, iolist_to_binary(io_lib:format("-h~b-", [Witness]))) =/= nomatch],
    is_integer(Announced) andalso is_integer(AnnouncedThere) orelse
        error({not_announced, New, Announced, Witness, AnnouncedThere}),
    #{own => first_after(Announced, Acks) - Announced, there => first_after(AnnouncedThere, Acks) - AnnouncedThere}.

-spec promote(pid(), e2e_run:world()) -> [].
promote(Self, #{primary := Old, replicas := [New, Witness]}) ->
    AtNew = e2e_events:open(New),
    AtWitness = e2e_events:open(Witness),
    ok = e2e_promote:from_to(Old, New),
    Announced = e2e_events:announced(AtNew, primary),
    There = ct_wait:until(fun() ->
        At = e2e_events:announced(AtWitness, {replica, e2e_host:address(New)}),
        is_integer(At) andalso At
    end, ?ANNOUNCED_MS),
    ok = e2e_events:close(AtNew),
    ok = e2e_events:close(AtWitness),
    Self ! {promoted, {New, Witness, Announced, There}},
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
