-module(ecto_litefs_retry_tests).

-include_lib("eunit/include/eunit.hrl").

-define(R, ecto_litefs_retry).
-define(UNIQUE, {error, #{code => constraint_unique}}).
-define(LOST, {error, {erpc, noconnection}}).

%% The table at the top of the module: the first attempt's answer.
first_answer_test_() ->
    [{lists:flatten(io_lib:format("~p ~0p", [Kind, Answer])),
      ?_assertEqual({Kind, Expected}, {Kind, kind_of(?R:next(Answer, a@h, ?R:new(Kind)))})}
     || {Answer, Of} <- answers(), {Kind, Expected} <- lists:zip([write, 'begin', resolve], Of)].

answers() ->
    [{{ok, result}, [done, done, done]},
     {{error, {not_primary, nil}}, [again, again, again]},
     {{error, {not_primary, b@h}}, [again, again, again]},
     {{error, #{code => unavailable}}, [again, again, again]},
     {{error, {erpc, noconnection}}, [again_unsure, again, again]},
     {{error, {erpc, timeout}}, [again_unsure, again, again]},
     {{error, {unknown, <<"why">>}}, [again_unsure, done, again]},
     {?UNIQUE, [done, done, again]},
     {{error, busy}, [done, done, again]},
     {{error, no_cnode}, [done, done, again]},
     {{error, {unknown_repo, r}}, [done, done, again]},
     {{error, {unsupported, <<"ATTACH">>}}, [done, done, again]}].

kind_of({done, _}) -> done;
kind_of({again, Retry}) ->
    case ?R:verdict(Retry) of
        {unsure, _, a@h} -> again_unsure;
        {not_written, _, a@h} -> again
    end.

%% After an attempt that may still arrive an error is only believed when the key has been given up.
unsure_test_() ->
    Unsure = unsure(write, ?LOST),
    [?_assertEqual({done, {ok, result}}, ?R:next({ok, result}, b@h, Unsure)),
     ?_assertEqual({settle, ?UNIQUE}, ?R:next(?UNIQUE, b@h, Unsure)),
     ?_assertEqual({done, ?UNIQUE},
                   ?R:settled({ok, #{outcome => aborted}}, {?UNIQUE, b@h}, Unsure)),
     [?_assertMatch({again, _}, ?R:settled(Answer, {?UNIQUE, b@h}, Unsure))
      || Answer <- [{ok, #{outcome => committed}}, ?LOST, {error, {not_primary, nil}}]]].

%% The key was given up, and the answer to that was lost: what is told is why it was given up.
aborted_by_us_test() ->
    Aborted = {error, #{code => aborted}},
    {again, Retry} = ?R:settled(?LOST, {?UNIQUE, b@h}, unsure(write, ?LOST)),
    ?assertEqual({done, ?UNIQUE}, ?R:next(Aborted, b@h, Retry)),
    ?assertEqual({done, Aborted}, ?R:next(Aborted, b@h, ?R:new(write))).

unsure(Kind, Answer) ->
    {again, Retry} = ?R:next(Answer, a@h, ?R:new(Kind)),
    Retry.

%% A refusal elsewhere does not make sure what became of the first attempt.
verdict_test_() ->
    Refused = {error, {not_primary, nil}},
    {again, Both} = ?R:next(Refused, b@h, unsure(write, ?LOST)),
    [?_assertEqual({not_written, {not_primary, nil}, nil}, ?R:verdict(?R:new(write))),
     ?_assertEqual({not_written, {not_primary, nil}, a@h}, ?R:verdict(unsure(write, Refused))),
     ?_assertEqual({unsure, {erpc, noconnection}, a@h}, ?R:verdict(Both)),
     ?_assertEqual({not_written, {erpc, noconnection}, a@h}, ?R:verdict(unsure('begin', ?LOST))),
     ?_assertEqual({unsure, {erpc, timeout}, a@h},
                   ?R:verdict(?R:new(resolve, {{erpc, timeout}, a@h})))].

pauses_test() ->
    {Pauses, _} = lists:mapfoldl(fun(_, Retry) ->
        {again, Next} = ?R:next(?LOST, a@h, Retry),
        {?R:pause(Next), Next}
    end, ?R:new(write), lists:seq(1, 8)),
    ?assertEqual([10, 20, 40, 80, 100, 100, 100, 100], Pauses).

attempts_are_counted_test() ->
    ?assertEqual(1, ?R:attempt(?R:new(write))),
    ?assertEqual(2, ?R:attempt(unsure(write, ?LOST))).

lost_test_() ->
    [?_assert(?R:lost(unsure(write, ?LOST))),
     ?_assert(?R:lost(unsure('begin', {error, {erpc, timeout}}))),
     ?_assertNot(?R:lost(unsure(write, {error, {not_primary, nil}}))),
     ?_assertNot(?R:lost(?R:new(write)))].
