%% The control node: sets the cluster up, runs what it is told to, reports.
-module(e2e_main).

%% API
-export([main/1]).
-export([under_load/1]).

%% Arguments of `erl -run': ids of scenarios and faults; none, or `all': all; `ci': those that fit CI's time.
-spec main([string()]) -> no_return().
main(Args) ->
    Others = e2e_client:all() ++ e2e_reads:all() ++ e2e_failover:all() ++ e2e_proofs:all(),
    Ids = [Id || {Id, _, _} <- e2e_basics:all() ++ Others] ++ [Id || #{id := Id} <- e2e_faults:all()],
    case unknown(Args, Ids) of
        [] -> ok;
        Unknown ->
            io:format(standard_error, "no check is called ~ts: see e2e/README.md~n", [lists:join(", ", Unknown)]),
            halt(2)
    end,
    ok = e2e_report:start(),
    e2e_report:check("the cluster comes up", fun set_up/0),
    lists:foreach(fun({Id, Title, Fun}) ->
        wanted(Id, true, Args) andalso e2e_report:check(Title, Fun)
    end, e2e_basics:all()),
    lists:foreach(fun(#{id := Id, title := Title, ci := Ci} = Fault) ->
        wanted(Id, Ci, Args) andalso e2e_report:check(Title, fun() -> under_load(Fault) end)
    end, e2e_faults:all()),
    lists:foreach(fun({Id, Title, Fun}) ->
        wanted(Id, true, Args) andalso e2e_report:check(Title, Fun)
    end, Others),
    case e2e_report:finish() of
        true -> halt(0);
        false -> halt(1)
    end.

-spec wanted(atom(), boolean(), [string()]) -> boolean().
wanted(_, _, []) -> true;
wanted(_, _, ["all"]) -> true;
wanted(_, Ci, ["ci"]) -> Ci;
wanted(Id, _, Args) -> lists:member(atom_to_list(Id), Args).

%% What is asked for and is not there: a word that is mistyped would run nothing, and nothing would fail.
-spec unknown([string()], [atom()]) -> [string()].
unknown([Word], _) when Word =:= "all"; Word =:= "ci" -> [];
unknown(Args, Ids) -> [Arg || Arg <- Args, not lists:member(Arg, [atom_to_list(Id) || Id <- Ids])].

%% Host 1's LiteFS first, so that it is the first primary.
-spec set_up() -> iodata().
set_up() ->
    [ok = e2e_ctl:do(Step, [Host]) || Host <- e2e_host:all(), Step <- [host_init, host_litefs]],
    [ok = e2e_ctl:do(Step, [Host]) || Host <- e2e_host:all(), Step <- [host_cnode, host_beam]],
    ok = e2e_basics:create_table(),
    Primary = e2e_cluster:settled(),
    io_lib:format("primary: host ~b", [Primary]).

%% @doc A fault's check, with its line of the table.
-spec under_load(e2e_faults:fault()) -> iodata().
under_load(#{id := Id, loses := Loses, stop := Stop, run := Run} = Fault) ->
    Writers = maps:get(writers, Fault, app),
    {Report, Stops, _} = e2e_run:under_load(#{tag => atom_to_binary(Id), loses => Loses, writers => Writers}, Run),
    #{problems := Problems} = Report,
    ok = e2e_report:row(Id, Report, Stops, Problems =:= []),
    Problems =:= [] orelse error({invariant, length(Problems), lists:sublist(Problems, 20), maps:get(why, Report)}),
    #{all := Stopped} = Stops,
    Stopped =< limit(Stop) orelse error({writes_stopped_too_long, Stopped, limit(Stop)}),
    remark(Report, Stops).

%% Generous: the machine may be busy. (A lease that nobody renews lives for twice its time to live.)
-spec limit(e2e_faults:stop()) -> integer() | infinity.
limit(moment) -> 10000000 + 1000 * list_to_integer(os:getenv("E2E_ERPC_TIMEOUT"));
limit(lease) -> 2000000 * list_to_integer(os:getenv("E2E_TTL")) + limit(moment);
limit(connections) -> infinity.

-spec remark(e2e_invariant:report(), #{all := integer(), one := integer()}) -> iodata().
remark(#{acked := Acked, refused := Refused, unknown := Unknown, unknown_there := There, lost := Lost, why := Why},
       #{all := All, one := One}) ->
    [io_lib:format("~b acknowledged, ~b refused, ~b unknown (~b of them there); longest stop ~.2f s, of one writer ~.2f s",
                   [Acked, Refused, Unknown, There, All / 1.0e6, One / 1.0e6]),
     case Lost of
         [] -> [];
         _ -> io_lib:format("~n    ~b acknowledged at the level local were lost with the primary, the oldest of them "
                            "acknowledged ~b ms before the fault (0: after it began)",
                            [length(Lost), max(0, lists:max([B || {_, B} <- Lost])) div 1000])
     end,
     case map_size(Why) of
         0 -> [];
         _ -> io_lib:format("~n    ~0tp", [Why])
     end].
