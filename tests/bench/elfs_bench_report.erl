%% The benchmark's table, and the comparison with what we want to reach. All comparisons are ratios of
%% medians of the same run, so that they say something on any machine.
-module(elfs_bench_report).

%% API
-export([print/3]).

-type medians() :: #{elfs_bench:point() => elfs_bench_load:result()}.
-type memory() :: #{idle := #{elfs_bench:sync() => non_neg_integer()},
                    afterwards := #{elfs_bench:sync() => non_neg_integer()},
                    many := pos_integer()}.

-define(IDLE_KIB, 12 * 1024).

-spec print([elfs_bench:point()], [{elfs_bench:point(), elfs_bench_load:result()}], memory()) -> ok.
print(Points, Results, Memory) ->
    Medians = medians(Results),
    io:format("~-22s ~-6s ~7s ~9s ~9s ~9s ~9s ~8s ~8s ~6s~n",
              ["what", "sync", "callers", "calls/s", "rows/s", "p50 us", "p99 us", "node CPU", "BEAM CPU",
               "errors"]),
    lists:foreach(fun(Point) -> row(Point, maps:get(Point, Medians)) end, Points),
    io:format("~nCPU: microseconds a row (a call, where none is written) in the C node and in the calling "
              "BEAM node.~nFor the C loop, \"callers\" is the number of rows in a transaction, and a call "
              "is a transaction.~n~n"),
    memory(Memory),
    io:format("~n"),
    Callers = lists:usort([N || {floor, N} <- Points]),
    lists:foreach(fun check/1, checks(Medians, Callers, Memory)).

-spec medians([{elfs_bench:point(), elfs_bench_load:result()}]) -> medians().
medians(Results) ->
    Grouped = maps:groups_from_list(fun({Point, _}) -> Point end, fun({_, Result}) -> Result end, Results),
    maps:map(fun(_, Rounds) ->
                     maps:map(fun(Key, _) -> combine(Key, [maps:get(Key, R) || R <- Rounds]) end,
                              hd(Rounds))
             end, Grouped).

%% An error in any round counts.
combine(errors, Values) -> lists:sum(Values);
combine(_, Values) -> lists:nth((length(Values) + 1) div 2, lists:sort(Values)).

row(Point, #{calls := Calls, rows := Rows, p50 := P50, p99 := P99, errors := Errors,
             node_cpu := NodeCpu, client_cpu := ClientCpu}) ->
    {What, Sync, Number} = label(Point),
    io:format("~-22s ~-6s ~7b ~9s ~9s ~9b ~9b ~8s ~8s ~6b~n",
              [What, Sync, Number, number(Calls), number(Rows), round(P50), round(P99), number(NodeCpu),
               number(ClientCpu), Errors]).

label({floor, N}) -> {"erpc to a BEAM node", "", N};
label({node, N}) -> {"erpc to the C node", "", N};
label({insert, Sync, N}) -> {"query, 1 row", Sync, N};
label({struct, Sync, N}) -> {"Repo.insert, a struct", Sync, N};
label({closure, Sync, N}) -> {"EctoLiteFS's closure", Sync, N};
label({many, Sync, N}) -> {"query_many", Sync, N};
label({loop, Sync, N}) -> {"C loop", Sync, N}.

number(none) -> "";
number(Value) when Value == 0 -> "";
number(Value) when Value < 100 -> io_lib:format("~.1f", [float(Value)]);
number(Value) -> integer_to_list(round(Value)).

memory(#{idle := Idle, afterwards := Afterwards}) ->
    [io:format("RSS of the ~s node: idle ~b KiB, after the load ~b KiB~n",
               [Sync, maps:get(Sync, Idle), maps:get(Sync, Afterwards)]) || Sync <- [normal, full]].

check({Text, Reached, Detail}) ->
    io:format("~-11s ~s: ~s~n", [case Reached of true -> "reached"; false -> "NOT REACHED" end, Text, Detail]).

%% Only what was measured can be compared: BENCH_CALLERS may leave out some of 1, 64 and 256.
checks(Medians, Callers, Memory) ->
    Has = fun(N) -> lists:member(N, Callers) end,
    lists:append([[one_caller(Medians, Sync) || Has(1), Sync <- [normal, full]],
                  [share_of_floor(Medians, insert, "query", 60) || Has(64)],
                  [share_of_floor(Medians, struct, "a struct", 50) || Has(64)],
                  [share_of_floor(Medians, closure, "a closure", 50) || Has(64)],
                  [no_less_at_256(Medians, Sync) || Has(64), Has(256), Sync <- [normal, full]],
                  [bulk(Medians, Sync, Memory) || Has(1), Sync <- [normal, full]],
                  [no_errors(Medians), idle_memory(Memory)]]).

one_caller(Medians, Sync) ->
    #{p50 := Floor} = maps:get({floor, 1}, Medians),
    #{p50 := Commit} = maps:get({loop, Sync, 1}, Medians),
    #{p50 := P50} = maps:get({insert, Sync, 1}, Medians),
    Bound = Floor + 2 * Commit,
    {io_lib:format("1 caller, ~s, p50 at most the floor's plus twice the C loop's commit", [Sync]),
     P50 =< Bound,
     io_lib:format("~b us, bound ~b + 2 x ~b = ~b us (~.2f)",
                   [round(P50), round(Floor), round(Commit), round(Bound), P50 / Bound])}.

share_of_floor(Medians, Kind, What, Percent) ->
    #{calls := Floor} = maps:get({floor, 64}, Medians),
    #{calls := Rate} = maps:get({Kind, full, 64}, Medians),
    {io_lib:format("64 callers, full, ~s, at least ~b % of the floor's rate", [What, Percent]),
     Rate >= Percent / 100 * Floor,
     io_lib:format("~b of ~b calls/s (~.1f %)", [round(Rate), round(Floor), 100 * Rate / Floor])}.

no_less_at_256(Medians, Sync) ->
    #{calls := At64} = maps:get({insert, Sync, 64}, Medians),
    #{calls := At256} = maps:get({insert, Sync, 256}, Medians),
    {io_lib:format("256 callers, ~s, no less than at 64", [Sync]), At256 >= At64,
     io_lib:format("~b and ~b calls/s (~.2f)", [round(At256), round(At64), At256 / At64])}.

bulk(Medians, Sync, #{many := Many}) ->
    #{rows := Rate} = maps:get({many, Sync, 1}, Medians),
    #{rows := Loop} = maps:get({loop, Sync, Many}, Medians),
    {io_lib:format("query_many, ~s, at least half the C loop's rows/s", [Sync]), Rate >= 0.5 * Loop,
     io_lib:format("~b of ~b rows/s (~.1f %)", [round(Rate), round(Loop), 100 * Rate / Loop])}.

no_errors(Medians) ->
    Errors = lists:sum([E || #{errors := E} <- maps:values(Medians)]),
    {"no errors", Errors =:= 0, integer_to_list(Errors)}.

idle_memory(#{idle := Idle}) ->
    Most = lists:max(maps:values(Idle)),
    {"idle RSS at most 12 MiB", Most =< ?IDLE_KIB, io_lib:format("~b KiB", [Most])}.
