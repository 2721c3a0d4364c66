%% The benchmark's comparison with what we want to reach. All comparisons are ratios of medians of the same run,
%% so that they say something on any machine.
-module(elfs_bench_verdict).

%% API
-export([print/3]).

-type check() :: {Text :: iodata(), Reached :: boolean(), Detail :: iodata()}.
%% What is to be compared, and how; left out where one of the points was not measured.
-type rule() :: {[elfs_bench:point()], fun(([elfs_bench_load:result()]) -> check())}.

-define(IDLE_KIB, 12 * 1024).

%% `many' is the number of rows in a call of query_many; `litefs': the databases lay on a LiteFS mount.
-spec print(elfs_bench_report:medians(), elfs_bench_report:memory(),
            #{many := pos_integer(), litefs := boolean()}) -> ok.
print(Medians, Memory, Setting) ->
    Rules = [{Points, Compare} || {Points, Compare} <- rules(Setting),
                                  lists:all(fun(Point) -> is_map_key(Point, Medians) end, Points)],
    Checks = [Compare([maps:get(Point, Medians) || Point <- Points]) || {Points, Compare} <- Rules],
    lists:foreach(fun check/1, Checks ++ [no_errors(Medians)] ++ idle_memory(Setting, Memory)).

check({Text, Reached, Detail}) ->
    io:format("~-11s ~s: ~s~n", [case Reached of true -> "reached"; false -> "NOT REACHED" end, Text, Detail]).

%% On LiteFS a commit costs ten times what it costs on a disk, so that sharing it is everything.
-spec rules(#{many := pos_integer(), litefs := boolean()}) -> [rule()].
rules(#{litefs := true}) ->
    [commit_and_floor(), times_one_caller(64, 20), times_one_caller(256, 30)];
rules(#{many := Many}) ->
    lists:append([[one_caller(Sync) || Sync <- [normal, full]],
                  [share_of_floor(insert, "query", 60),
                   share_of_floor(struct, "a struct", 50),
                   share_of_floor(closure, "a closure", 50)],
                  [no_less_at_256(Sync) || Sync <- [normal, full]],
                  [bulk(Sync, Many) || Sync <- [normal, full]],
                  [half_the_time(Sync) || Sync <- [normal, full]],
                  [times_the_rate(4)]]).

one_caller(Sync) ->
    {[{floor, 1}, {loop, Sync, 1}, {insert, Sync, 1}],
     fun([#{p50 := Floor}, #{p50 := Commit}, #{p50 := P50}]) ->
             Bound = Floor + 2 * Commit,
             {io_lib:format("1 caller, ~s, p50 at most the floor's plus twice the C loop's commit", [Sync]),
              P50 =< Bound,
              io_lib:format("~b us, bound ~b + 2 x ~b = ~b us (~.2f)",
                            [round(P50), round(Floor), round(Commit), round(Bound), P50 / Bound])}
     end}.

commit_and_floor() ->
    {[{floor, 1}, {loop, full, 1}, {insert, full, 1}],
     fun([#{p50 := Floor}, #{p50 := Commit}, #{p50 := P50}]) ->
             Bound = Floor + Commit,
             {"1 caller, p50 at most the C loop's commit plus the floor's call", P50 =< Bound,
              io_lib:format("~b us, bound ~b + ~b = ~b us (~.2f)",
                            [round(P50), round(Floor), round(Commit), round(Bound), P50 / Bound])}
     end}.

times_one_caller(Callers, Times) ->
    {[{insert, full, 1}, {insert, full, Callers}],
     fun([#{calls := One}, #{calls := Rate}]) ->
             {io_lib:format("~b callers at least ~b times the rate at one", [Callers, Times]), Rate >= Times * One,
              io_lib:format("~b and ~b calls/s (~.1f)", [round(Rate), round(One), Rate / One])}
     end}.

share_of_floor(Kind, What, Percent) ->
    {[{floor, 64}, {Kind, full, 64}],
     fun([#{calls := Floor}, #{calls := Rate}]) ->
             {io_lib:format("64 callers, full, ~s, at least ~b % of the floor's rate", [What, Percent]),
              Rate >= Percent / 100 * Floor,
              io_lib:format("~b of ~b calls/s (~.1f %)", [round(Rate), round(Floor), 100 * Rate / Floor])}
     end}.

no_less_at_256(Sync) ->
    {[{insert, Sync, 64}, {insert, Sync, 256}],
     fun([#{calls := At64}, #{calls := At256}]) ->
             {io_lib:format("256 callers, ~s, no less than at 64", [Sync]), At256 >= At64,
              io_lib:format("~b and ~b calls/s (~.2f)", [round(At256), round(At64), At256 / At64])}
     end}.

bulk(Sync, Many) ->
    {[{many, Sync, 1}, {loop, Sync, Many}],
     fun([#{rows := Rate}, #{rows := Loop}]) ->
             {io_lib:format("query_many, ~s, at least half the C loop's rows/s", [Sync]), Rate >= 0.5 * Loop,
              io_lib:format("~b of ~b rows/s (~.1f %)", [round(Rate), round(Loop), 100 * Rate / Loop])}
     end}.

half_the_time(Sync) ->
    {[{remote, Sync, 1}, {original, Sync, 1}],
     fun([#{p50 := Ours}, #{p50 := Theirs}]) ->
             {io_lib:format("Ecto, 1 caller, ~s, p50 at most half of EctoLiteFS 1.0's", [Sync]),
              2 * Ours =< Theirs,
              io_lib:format("~b and ~b us (~.2f)", [round(Ours), round(Theirs), Ours / Theirs])}
     end}.

times_the_rate(Times) ->
    {[{remote, full, 64}, {original, full, 64}],
     fun([#{calls := Ours}, #{calls := Theirs}]) ->
             {io_lib:format("Ecto, 64 callers, full, at least ~b times EctoLiteFS 1.0's rate", [Times]),
              Ours >= Times * Theirs,
              io_lib:format("~b and ~b calls/s (~.1f)", [round(Ours), round(Theirs), Ours / Theirs])}
     end}.

%% What EctoLiteFS 1.0 drops is its own.
no_errors(Medians) ->
    Errors = lists:sum([E || {Point, #{errors := E}} <- maps:to_list(Medians), element(1, Point) =/= original]),
    {"no errors, none dropped", Errors =:= 0, integer_to_list(Errors)}.

%% Beside LiteFS a node has its detector, too, and has written its name.
idle_memory(#{litefs := true}, _) ->
    [];
idle_memory(_, #{idle := Idle}) ->
    Most = lists:max(maps:values(Idle)),
    [{"idle RSS at most 12 MiB", Most =< ?IDLE_KIB, io_lib:format("~b KiB", [Most])}].
