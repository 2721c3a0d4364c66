%% The benchmark's table: medians over the rounds.
-module(elfs_bench_report).

%% API
-export([medians/1]).
-export([print/3]).

-export_type([medians/0, memory/0]).

-type medians() :: #{elfs_bench:point() => elfs_bench_load:result()}.
%% RSS of the C nodes in KiB.
-type memory() :: #{idle := #{elfs_bench:sync() => non_neg_integer()},
                    afterwards := #{elfs_bench:sync() => non_neg_integer()}}.

-spec medians([{elfs_bench:point(), elfs_bench_load:result()}]) -> medians().
medians(Results) ->
    Grouped = maps:groups_from_list(fun({Point, _}) -> Point end, fun({_, Result}) -> Result end, Results),
    maps:map(fun(_, Rounds) ->
                     maps:map(fun(Key, _) -> combine(Key, [maps:get(Key, R) || R <- Rounds]) end,
                              hd(Rounds))
             end, Grouped).

%% An error in any round counts.
combine(Key, Values) when Key =:= errors; Key =:= dropped -> lists:sum(Values);
combine(_, Values) -> lists:nth((length(Values) + 1) div 2, lists:sort(Values)).

%% One line a point, in this order, then the C nodes' memory.
-spec print([elfs_bench:point()], medians(), memory()) -> ok.
print(Points, Medians, Memory) ->
    io:format("~-22s ~-6s ~7s ~9s ~9s ~9s ~9s ~8s ~8s ~6s ~7s~n",
              ["what", "sync", "callers", "calls/s", "rows/s", "p50 us", "p99 us", "node CPU", "BEAM CPU",
               "errors", "dropped"]),
    lists:foreach(fun(Point) -> row(Point, maps:get(Point, Medians)) end, Points),
    io:format("~nCPU: microseconds a row (a call, where none is written) in the node that writes and in the "
              "callers' BEAM node.~nDropped: those of the errors that DBConnection's queue gave up.~nFor the "
              "C loop, \"callers\" is the number of rows in a transaction, and a call is a transaction.~n~n"),
    memory(Memory),
    io:format("~n").

row(Point, #{calls := Calls, rows := Rows, p50 := P50, p99 := P99, errors := Errors, dropped := Dropped,
             node_cpu := NodeCpu, client_cpu := ClientCpu}) ->
    {What, Sync, Number} = label(Point),
    io:format("~-22s ~-6s ~7b ~9s ~9s ~9b ~9b ~8s ~8s ~6b ~7b~n",
              [What, Sync, Number, number(Calls), number(Rows), round(P50), round(P99), number(NodeCpu),
               number(ClientCpu), Errors, Dropped]).

label({floor, N}) -> {"erpc to a BEAM node", "", N};
label({node, N}) -> {"erpc to the C node", "", N};
label({insert, Sync, N}) -> {"query, 1 row", Sync, N};
label({keyed, Sync, N}) -> {"query, with a key", Sync, N};
label({struct, Sync, N}) -> {"Repo.insert, a struct", Sync, N};
label({closure, Sync, N}) -> {"EctoLiteFS's closure", Sync, N};
label({many, Sync, N}) -> {"query_many", Sync, N};
label({remote, Sync, N}) -> {"Ecto, remote repo", Sync, N};
label({original, Sync, N}) -> {"Ecto, EctoLiteFS 1.0", Sync, N};
label({loop, Sync, N}) -> {"C loop", Sync, N}.

number(none) -> "";
number(Value) when Value == 0 -> "";
number(Value) when Value < 100 -> io_lib:format("~.1f", [float(Value)]);
number(Value) -> integer_to_list(round(Value)).

memory(#{idle := Idle, afterwards := Afterwards}) ->
    [io:format("RSS of the ~s node: idle ~b KiB, after the load ~b KiB~n",
               [Sync, maps:get(Sync, Idle), maps:get(Sync, Afterwards)]) || Sync <- maps:keys(Idle)].
