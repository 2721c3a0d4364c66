%% What following the primary needs to know: keys, positions, what was written, the search for a new
%% primary's name.
-module(ecto_litefs_follow_tests).

-include_lib("eunit/include/eunit.hrl").

-define(REPO, 'Elixir.Some.Repo').

keys_of_one_source_lie_side_by_side_test() ->
    Source = ecto_litefs_key:source(),
    Keys = [ecto_litefs_key:next(Source) || _ <- lists:seq(1, 300)],
    ?assertEqual(Keys, lists:usort(Keys)),
    ?assertMatch([_], lists:usort([Prefix || <<Prefix:64, _:64>> <- Keys])).

no_two_sources_are_alike_test() ->
    Sources = [ecto_litefs_key:source() || _ <- lists:seq(1, 100)],
    ?assertEqual(100, length(lists:usort([ecto_litefs_key:next(S) || S <- Sources]))).

position_test_() ->
    Parse = fun ecto_litefs_position:parse/1,
    [?_assertEqual({ok, {16#1a, 16#a2fc350ac2962d33}}, Parse(<<"000000000000001a/a2fc350ac2962d33\n">>)),
     [?_assertEqual(error, Parse(Text))
      || Text <- [<<>>, <<"000000000000001a/a2fc350ac2962d33">>, <<"000000000000001a-a2fc350ac2962d33\n">>,
                  <<"00000000000000xx/a2fc350ac2962d33\n">>, <<"000000000000001a/a2fc350ac2962d33\n\n">>]]].

has_test_() ->
    [?_assertEqual(Expected, ecto_litefs_position:has(Here, {7, 16#AA}))
     || {Here, Expected} <- [{{6, 16#AA}, not_yet}, {{7, 16#AA}, yes}, {{7, 16#BB}, diverged},
                             {{8, 16#BB}, yes}, {{0, 0}, not_yet}]].

%% Of several writes in a block: the last position, the fewest replicas.
what_was_written_test() ->
    Ack = {replicas, 2},
    Write = fun(Reply) -> ok = ecto_litefs_call:acknowledged(?REPO, Reply, Ack) end,
    ?assertEqual({it, #{short => none, moved => none}},
                 ecto_litefs_call:during(?REPO, insert, fun() -> it end)),
    ?assertEqual({it, #{short => {0, 2}, moved => {3, 4}}},
                 ecto_litefs_call:during(?REPO, transaction, fun() ->
                     Write(#{position => {1, 2}, acked => 1}),
                     Write(#{position => {2, 3}, acked => 0}),
                     Write(#{position => {3, 4}, acked => 2}),
                     it
                 end)),
    ?assertEqual({3, 4}, ecto_litefs_call:last_position(?REPO)),
    %% Nothing is left for the next call, and a host without LiteFS has no positions.
    ?assertEqual({it, #{short => none, moved => none}},
                 ecto_litefs_call:during(?REPO, insert, fun() -> Write(#{position => nil, acked => 2}), it end)),
    ?assertEqual({3, 4}, ecto_litefs_call:last_position(?REPO)),
    ?assertEqual(nil, ecto_litefs_call:last_position('Elixir.Other.Repo')),
    _ = catch ecto_litefs_call:during(?REPO, insert, fun() -> error(raised) end),
    ?assertEqual(none, ecto_litefs_call:started(?REPO)).

%% A block that leaves the primary (`put_dynamic_repo') for a call that is forwarded by itself.
a_call_within_a_block_test() ->
    ?assertMatch({{it, #{moved := {1, 2}}}, #{moved := {3, 4}, short := none}},
                 ecto_litefs_call:during(?REPO, on_primary, fun() ->
                     ok = ecto_litefs_call:acknowledged(?REPO, #{position => {3, 4}}, local),
                     ecto_litefs_call:during(?REPO, insert, fun() ->
                         ok = ecto_litefs_call:acknowledged(?REPO, #{position => {1, 2}}, local),
                         it
                     end)
                 end)).

%% Only the middleware's own calls share one time limit.
started_test_() ->
    Started = fun(Action) ->
        {S, _} = ecto_litefs_call:during(?REPO, Action, fun() -> ecto_litefs_call:started(?REPO) end),
        S
    end,
    [?_assert(is_integer(Started(insert))), ?_assertEqual(none, Started(on_primary)),
     ?_assertEqual(none, Started(transaction))].

search_test_() ->
    View = fun(Role, Row) ->
        ecto_litefs_decision:row_read(Row, ecto_litefs_decision:announce(
            (ecto_litefs_decision:blind())#{role := Role, hostname := <<"n2">>}, ecto_litefs_decision:new()))
    end,
    Search = ecto_litefs_search:new(View(replica, <<"a@one">>), 0),
    Next = fun(Role, Row, Now) -> ecto_litefs_search:next(Search, View(Role, Row), [a@one, b@two], Now) end,
    [?_assertMatch({again, 5, _}, Next(replica, <<"a@one">>, 1)),
     ?_assertMatch({again, 5, _}, Next(replica, <<"not@connected">>, 1)),
     ?_assertMatch({again, 5, _}, Next(replica, nil, 999)),
     ?_assertEqual(done, Next(replica, <<"b@two">>, 1)),
     ?_assertEqual(done, Next(replica, <<"a@one">>, 1000)),
     ?_assertEqual(done, Next(primary, <<"a@one">>, 1)),
     ?_assertEqual(done, Next(unknown, <<"a@one">>, 1))].

search_slows_down_test() ->
    View = ecto_litefs_decision:announce((ecto_litefs_decision:blind())#{role := replica},
                                         ecto_litefs_decision:new()),
    {Pauses, _} = lists:mapfoldl(fun(Now, Search) ->
        {again, Pause, Next} = ecto_litefs_search:next(Search, View, [], Now),
        {Pause, Next}
    end, ecto_litefs_search:new(View, 0), [0, 5, 15, 35]),
    ?assertEqual([5, 10, 20, 20], Pauses).
