-module(ecto_litefs_duty_tests).

-include_lib("eunit/include/eunit.hrl").

%% Longer than any test: a timer with it never fires here.
-define(GRACE, 60000).

timer() ->
    receive {timeout, Timer, duty} -> Timer after 5000 -> error(no_timer) end.

no_timer() ->
    receive {timeout, _, duty} -> error(timer) after 20 -> ok end.

fired(Duty) ->
    {true, Fired} = ecto_litefs_duty:fired(timer(), Duty),
    Fired.

the_table_at_once_test() ->
    New = ecto_litefs_duty:new(?GRACE),
    ?assertNot(ecto_litefs_duty:is_due(New)),
    Due = ecto_litefs_duty:due(table, New),
    ?assert(ecto_litefs_duty:is_due(Due)),
    Fired = fired(Due),
    ?assert(ecto_litefs_duty:is_due(Fired)),
    ?assertNot(ecto_litefs_duty:is_due(ecto_litefs_duty:done(Fired))).

a_claim_after_the_grace_test() ->
    _ = ecto_litefs_duty:due(claim, ecto_litefs_duty:new(?GRACE)),
    no_timer(),
    _ = fired(ecto_litefs_duty:due(claim, ecto_litefs_duty:new(1))).

%% Of the timer that was started first nothing is heard any more, not even what is in the mailbox already.
another_role_test() ->
    Due = ecto_litefs_duty:due(table, ecto_litefs_duty:new(?GRACE)),
    Timer = timer(),
    Again = ecto_litefs_duty:due(claim, Due),
    ?assertEqual({false, Again}, ecto_litefs_duty:fired(Timer, Again)),
    ?assertNot(ecto_litefs_duty:is_due(ecto_litefs_duty:due(none, Again))),
    no_timer().

%% What an earlier role's job has done is not what is owed now.
done_too_late_test() ->
    Fired = fired(ecto_litefs_duty:due(table, ecto_litefs_duty:new(?GRACE))),
    Again = ecto_litefs_duty:due(claim, Fired),
    ?assert(ecto_litefs_duty:is_due(ecto_litefs_duty:done(Again))),
    None = ecto_litefs_duty:due(none, Fired),
    ?assertEqual(None, ecto_litefs_duty:done(None)).

again_after_a_failure_test() ->
    Fired = fired(ecto_litefs_duty:due(table, ecto_litefs_duty:new(?GRACE))),
    {First, Failed} = ecto_litefs_duty:failed(Fired),
    ?assert(First >= ecto_litefs_backoff:delay(0, [{jitter, 0}])),
    ?assert(ecto_litefs_duty:is_due(Failed)),
    {Second, _} = ecto_litefs_duty:failed(Failed),
    ?assert(Second >= ecto_litefs_backoff:delay(1, [{jitter, 0}])).

renewed_only_if_it_was_done_test() ->
    Due = ecto_litefs_duty:due(table, ecto_litefs_duty:new(1)),
    Done = ecto_litefs_duty:done(fired(Due)),
    ?assertEqual(Done, ecto_litefs_duty:renew(table, Done)),
    Renewed = fired(ecto_litefs_duty:renew(claim, Done)),
    ?assertNot(ecto_litefs_duty:is_due(Renewed)),
    New = ecto_litefs_duty:new(1),
    ?assertEqual(New, ecto_litefs_duty:renew(claim, New)).
