-module(ecto_litefs_jobs_tests).

-include_lib("eunit/include/eunit.hrl").

%% A job's process waits for our word, so that the test decides what is under way.
jobs() ->
    Test = self(),
    ecto_litefs_jobs:new(fun(Task) ->
        Test ! {started, Task, self(), get('$callers')},
        receive finish -> {ok, Task} end
    end).

started(Task) ->
    receive {started, Task, Pid, Callers} -> ?assertEqual([self()], Callers), Pid after 5000 -> error(not_started) end.

nothing_started() ->
    receive {started, Task, _, _} -> error({started, Task}) after 20 -> ok end.

finished(Pid) ->
    Pid ! finish,
    receive {done, Pid, {ok, Task}} -> Task after 5000 -> error(not_done) end.

one_after_the_other_test() ->
    A = ecto_litefs_jobs:add(read, [a], jobs()),
    B = ecto_litefs_jobs:add(replica, [b], A),
    First = started(read),
    nothing_started(),
    ?assertEqual(read, finished(First)),
    {read, [a], C} = ecto_litefs_jobs:done(First, B),
    ?assertNot(ecto_litefs_jobs:is_idle(C)),
    Second = started(replica),
    ?assertEqual(replica, finished(Second)),
    {replica, [b], D} = ecto_litefs_jobs:done(Second, C),
    ?assert(ecto_litefs_jobs:is_idle(D)).

joins_what_runs_or_waits_test() ->
    Runs = ecto_litefs_jobs:join(read, a, ecto_litefs_jobs:join(read, b, jobs())),
    First = started(read),
    _ = finished(First),
    {read, [a, b], Idle} = ecto_litefs_jobs:done(First, Runs),
    Busy = ecto_litefs_jobs:add(replica, [], Idle),
    Queued = lists:foldl(fun(From, Jobs) -> ecto_litefs_jobs:join(read, From, Jobs) end, Busy, [c, d]),
    Second = started(replica),
    _ = finished(Second),
    {replica, [], Left} = ecto_litefs_jobs:done(Second, Queued),
    Third = started(read),
    _ = finished(Third),
    ?assertMatch({read, [d, c], _}, ecto_litefs_jobs:done(Third, Left)),
    nothing_started().

what_is_not_ours_test() ->
    ?assertEqual(none, ecto_litefs_jobs:done(self(), jobs())).

fails_with_its_owner_test() ->
    {Owner, Monitor} = spawn_monitor(fun() ->
        _ = ecto_litefs_jobs:add(read, [], ecto_litefs_jobs:new(fun(_) -> exit(broken) end)),
        receive never -> ok end
    end),
    receive {'DOWN', Monitor, process, Owner, Reason} -> ?assertEqual(broken, Reason) after 5000 -> error(lives) end.
