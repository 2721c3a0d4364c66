%% Measures one point: callers as plain processes in a closed loop, each timing every call it makes with the
%% monotonic clock; and the C loop, which measures itself.
-module(elfs_bench_load).

%% API
-export([run/4]).
-export([loop/5]).
-export([rss/1]).

-export_type([call/0, result/0]).

%% Makes the caller's N-th call and says how many rows it wrote; raises when it did not succeed.
-type call() :: fun((Caller :: pos_integer(), N :: pos_integer()) -> Rows :: non_neg_integer()).

%% Latencies in microseconds. CPU time in microseconds per row, per call where no rows are written.
-type result() :: #{calls := float(),             %% per second
                    rows := float(),              %% per second
                    p50 := number(),
                    p99 := number(),
                    errors := non_neg_integer(),
                    dropped := non_neg_integer(),  %% of the errors: those that DBConnection's queue gave up
                    node_cpu := float() | none,    %% of the node that writes
                    client_cpu := float() | none}. %% of the callers' BEAM node

%% What a caller has seen in the window; of the failures the first.
-record(seen, {samples = [] :: [non_neg_integer()],
               rows = 0 :: non_neg_integer(),
               errors = 0 :: non_neg_integer(),
               dropped = 0 :: non_neg_integer(),
               failure = none :: term()}).

-define(WARM_UP, 300).

%% Counts what is answered within Milliseconds, after a warm-up. OsPid is the writing node's, none for the
%% floor.
-spec run(pos_integer(), pos_integer(), string() | none, call()) -> result().
run(Callers, Milliseconds, OsPid, Call) ->
    From = now_us() + ?WARM_UP * 1000,
    Until = From + Milliseconds * 1000,
    Workers = [spawn_monitor(fun() -> exit({done, call_loop(Call, Caller, 1, From, Until, #seen{})}) end)
               || Caller <- lists:seq(1, Callers)],
    sleep_until(From),
    Before = cpu(OsPid),
    sleep_until(Until),
    After = cpu(OsPid),
    summary(collect(Workers), Milliseconds, cpu_spent(Before, After)).

-spec loop(file:filename(), file:filename(), elfs_bench:sync(), pos_integer(), pos_integer()) -> result().
loop(Program, Database, Sync, Batch, Milliseconds) ->
    Command = io_lib:format("'~s' '~s' ~s ~b ~b", [Program, Database, Sync, Batch, Milliseconds]),
    {ok, [Rows, Elapsed, P50, P99], []} =
        io_lib:fread("rows=~d elapsed_us=~d p50_us=~f p99_us=~f", string:trim(os:cmd(Command))),
    RowRate = Rows * 1.0e6 / Elapsed,
    #{calls => RowRate / Batch, rows => RowRate, p50 => P50, p99 => P99, errors => 0, dropped => 0,
      node_cpu => none, client_cpu => none}.

%% VmRSS in KiB.
-spec rss(string()) -> non_neg_integer().
rss(OsPid) ->
    {ok, Status} = file:read_file("/proc/" ++ OsPid ++ "/status"),
    {match, [KiB]} = re:run(Status, "VmRSS:\\s+(\\d+) kB", [{capture, all_but_first, list}]),
    list_to_integer(KiB).

%% A call counts when its answer comes within the window, whenever it began.
call_loop(Call, Caller, N, From, Until, Seen) ->
    Started = now_us(),
    Outcome = try Call(Caller, N) catch _:Reason -> {error, Reason} end,
    Ended = now_us(),
    if
        Ended >= Until -> Seen;
        Ended < From -> call_loop(Call, Caller, N + 1, From, Until, Seen);
        true -> call_loop(Call, Caller, N + 1, From, Until, see(Outcome, Ended - Started, Seen))
    end.

see(Rows, Microseconds, #seen{samples = Samples, rows = Before} = Seen) when is_integer(Rows) ->
    Seen#seen{samples = [Microseconds | Samples], rows = Before + Rows};
see(Failure, _, #seen{errors = Errors, dropped = Dropped, failure = First} = Seen) ->
    Seen#seen{errors = Errors + 1, dropped = Dropped + dropped(Failure),
              failure = first(First, Failure)}.

first(none, Failure) -> Failure;
first(Failure, _) -> Failure.

%% The exception is raised here, or on the primary and handed on by erpc, which Elixir may have made one of its own.
dropped({error, {exception, Exception, _}}) -> dropped({error, Exception});
dropped({error, #{original := Reason}}) -> dropped({error, Reason});
dropped({error, #{message := Message}}) when is_binary(Message) ->
    case binary:match(Message, <<"dropped from queue">>) of
        nomatch -> 0;
        _ -> 1
    end;
dropped(_) -> 0.

collect(Workers) ->
    All = lists:foldl(fun collect/2, #seen{}, Workers),
    All#seen.failure =:= none orelse io:format(standard_error, "a call failed: ~0tp~n", [All#seen.failure]),
    All.

collect({Pid, Ref}, All) ->
    receive
        {'DOWN', Ref, process, Pid, {done, One}} ->
            #seen{samples = One#seen.samples ++ All#seen.samples,
                  rows = One#seen.rows + All#seen.rows,
                  errors = One#seen.errors + All#seen.errors,
                  dropped = One#seen.dropped + All#seen.dropped,
                  failure = first(All#seen.failure, One#seen.failure)}
    end.

summary(#seen{samples = [], errors = Errors}, _, _) ->
    error({nothing_succeeded, Errors});
summary(#seen{samples = Samples, rows = Rows, errors = Errors, dropped = Dropped}, Milliseconds,
        {NodeCpu, ClientCpu}) ->
    Sorted = lists:sort(Samples),
    Calls = length(Sorted),
    Unit = max(Rows, Calls),
    #{calls => Calls * 1000 / Milliseconds,
      rows => Rows * 1000 / Milliseconds,
      p50 => percentile(50, Calls, Sorted),
      p99 => percentile(99, Calls, Sorted),
      errors => Errors,
      dropped => Dropped,
      node_cpu => per(NodeCpu, Unit),
      client_cpu => per(ClientCpu, Unit)}.

percentile(P, Count, Sorted) ->
    lists:nth(max(1, ceil(Count * P / 100)), Sorted).

per(none, _) -> none;
per(Microseconds, Count) -> Microseconds / Count.

%% {The writing node's, our own} CPU time in microseconds, user and system.
cpu(none) -> {none, cpu_of(os:getpid())};
cpu(OsPid) -> {cpu_of(OsPid), cpu_of(os:getpid())}.

cpu_spent({NodeBefore, ClientBefore}, {NodeAfter, ClientAfter}) ->
    {spent(NodeBefore, NodeAfter), spent(ClientBefore, ClientAfter)}.

spent(none, none) -> none;
spent(Before, After) -> After - Before.

%% Fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms; the fields are counted after the program's name in
%% parentheses, which may hold spaces.
cpu_of(OsPid) ->
    {ok, Stat} = file:read_file("/proc/" ++ OsPid ++ "/stat"),
    [_, Fields] = string:split(Stat, <<") ">>, trailing),
    Numbers = string:lexemes(Fields, " "),
    (binary_to_integer(lists:nth(12, Numbers)) + binary_to_integer(lists:nth(13, Numbers))) * 10000.

now_us() ->
    erlang:monotonic_time(microsecond).

sleep_until(Time) ->
    timer:sleep(max(0, (Time - now_us()) div 1000)).
