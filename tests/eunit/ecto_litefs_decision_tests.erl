-module(ecto_litefs_decision_tests).

-include_lib("eunit/include/eunit.hrl").

-define(D, ecto_litefs_decision).

%% The table at the top of the module. EUnit's VM is nonode@nohost.

nothing_is_known_at_first_test() ->
    ?assertEqual(none, ?D:role(?D:new())),
    ?assertEqual(nil, answer(?D:new())),
    ?assertEqual(none, ?D:duty(?D:new())).

answer_test_() ->
    [{lists:flatten(io_lib:format("~p ~p ~p", [Role, Mount, Row])),
      ?_assertEqual({Answer, Old},
                    begin
                        V = announced(Role, Mount, Row),
                        {answer(V), ?D:rests_on_row(V)}
                    end)}
     || {Role, Mount, Row, Answer, Old} <- answers()].

answers() ->
    Self = node(),
    [{primary, absent, nil, Self, false},
     {primary, live, nil, Self, false},
     {primary, live, <<"a@one">>, Self, false},
     {primary, live, <<"gone@one">>, Self, false},
     {unknown, plain, <<"a@one">>, nil, false},
     {unknown, dead, <<"a@one">>, nil, false},
     {unknown, live, atom_to_binary(Self), nil, false},
     {replica, live, nil, nil, true},
     {replica, live, <<"a@one">>, a@one, true},
     {replica, live, <<"gone@one">>, nil, true},
     {replica, live, atom_to_binary(Self), nil, true}].

blind_is_unknown_test() ->
    ?assertEqual(unknown, ?D:role(?D:announce(?D:blind(), ?D:new()))).

row_of_the_port_counts_only_where_it_reads_one_test() ->
    View = ?D:row_read(<<"a@one">>, announced(replica, live, nil)),
    Unread = (state(replica, live, nil))#{sources := #{row => #{enabled => false}}},
    ?assertEqual(a@one, answer(?D:announce(Unread#{node := <<"gone@one">>}, View))),
    ?assertEqual(nil, answer(?D:announce(state(replica, live, <<"gone@one">>), View))).

%% The Repo has read it since.
row_of_the_port_is_news_only_when_it_changes_test() ->
    View = ?D:row_read(<<"a@one">>, announced(replica, live, <<"gone@one">>)),
    ?assertEqual(a@one, answer(?D:announce(state(replica, live, <<"gone@one">>), View))).

set_by_hand_test_() ->
    [{atom_to_list(Role), fun() ->
        View = ?D:set('far@away', announced(Role, live, <<"a@one">>)),
        ?assertEqual('far@away', answer(View)),
        ?assert(?D:rests_on_row(View)),
        %% The port reads what was written, and the same role once more: nothing changes.
        Same = ?D:announce(state(Role, live, <<"far@away">>), View),
        ?assertEqual('far@away', answer(Same)),
        %% The row is read again: now its node must be connected.
        ?assertEqual(nil, answer(?D:row_read(<<"far@away">>, View))),
        ?assertEqual(a@one, answer(?D:row_read(<<"a@one">>, View)))
     end} || Role <- [primary, replica, unknown]].

row_decides_until_a_change_test() ->
    View = ?D:row_decides(announced(primary, live, <<"a@one">>)),
    ?assertEqual(a@one, answer(View)),
    ?assertEqual(a@one, answer(?D:announce(state(primary, live, <<"a@one">>), View))),
    ?assertEqual(nil, answer(?D:announce(state(unknown, live, <<"a@one">>), View))).

another_hostname_is_a_change_test() ->
    View = ?D:set('far@away', announced(replica, live, <<"gone@one">>)),
    [begin
         Next = ?D:announce((state(replica, live, Row))#{hostname := <<"h2">>}, View),
         ?assert(?D:changed(View, Next)),
         ?assertEqual(Answer, answer(Next))
     end || {Row, Answer} <- [{<<"gone@one">>, nil}, {<<"a@one">>, a@one}]],
    ?assertNot(?D:changed(View, ?D:announce(state(replica, live, <<"a@one">>), View))).

%% LiteFS here looks for a primary: the word of a node that has become it counts.
said_test_() ->
    Looking = (state(replica, live, <<"b@one">>))#{hostname => nil},
    Said = ?D:said(a@one, ?D:announce(Looking, ?D:new())),
    Found = ?D:announce(state(replica, live, <<"b@one">>), Said),
    Moved = ?D:announce((state(replica, live, <<"b@one">>))#{hostname => <<"h2">>}, Found),
    Nodes = [node(), a@one, b@one],
    [{Title, ?_assertEqual({Answer, Trusted}, {?D:answer(View, Nodes), ?D:on_trust(View, Nodes)})}
     || {Title, View, Answer, Trusted} <- [
         {"while it looks", Said, a@one, a@one},
         {"when it has found one", Found, a@one, a@one},
         {"when that is not the one any more", Moved, b@one, nil},
         {"against LiteFS", ?D:said(a@one, announced(replica, live, <<"b@one">>)), b@one, nil},
         {"against LiteFS, after the word of another", ?D:said(b@one, Found), a@one, a@one},
         {"against LiteFS, whose primary has gone", ?D:said(a@one, announced(replica, live, <<"c@one">>)), a@one, a@one},
         {"against LiteFS, whose primary has no row", ?D:said(a@one, announced(replica, live, nil)), a@one, a@one},
         {"against LiteFS, and its row names this node",
          ?D:said(a@one, announced(replica, live, atom_to_binary(node()))), a@one, a@one},
         {"against LiteFS, whose primary has gone, denied",
          ?D:denied(a@one, ?D:said(a@one, announced(replica, live, <<"c@one">>))), nil, nil},
         {"against LiteFS, whose primary denies",
          ?D:denied(b@one, ?D:said(a@one, announced(replica, live, <<"b@one">>))), a@one, a@one},
         {"against LiteFS, whose primary has denied, and says that it is",
          ?D:said(b@one, ?D:denied(b@one, announced(replica, live, <<"b@one">>))), b@one, b@one},
         {"after it denied, the row names another",
          ?D:row_read(<<"c@one">>, ?D:denied(b@one, ?D:said(a@one, announced(replica, live, <<"b@one">>)))), nil, nil},
         {"before LiteFS announces another",
          ?D:announce((state(replica, live, <<"c@one">>))#{hostname => <<"h2">>},
                      ?D:said(a@one, announced(replica, live, <<"c@one">>))), nil, nil},
         {"the same row read again", ?D:row_read(<<"b@one">>, Said), a@one, a@one},
         {"another row, and the first one again",
          ?D:row_read(<<"b@one">>, ?D:row_read(<<"c@one">>, Said)), b@one, nil},
         {"another row", ?D:row_read(<<"c@one">>, Said), nil, nil},
         {"denied by that node", ?D:denied(a@one, Said), b@one, nil},
         {"denied by another", ?D:denied(b@one, Said), a@one, a@one},
         {"another node says so", ?D:said(b@one, Said), b@one, b@one},
         {"that node has gone", ?D:said(gone@one, Said), b@one, gone@one},
         {"set by hand", ?D:set(b@one, Said), b@one, nil},
         {"the row decides", ?D:row_decides(Said), b@one, nil},
         {"this host is it", ?D:announce(state(primary, live, <<"b@one">>), Said), node(), nil},
         {"nothing is known", ?D:announce(state(unknown, dead, <<"b@one">>), Said), nil, nil}]].

looking_test_() ->
    [?_assertEqual(Expected, ?D:looking(?D:announce((state(Role, live, nil))#{hostname => Host}, ?D:new())))
     || {Role, Host, Expected} <- [{replica, nil, true}, {replica, <<"h">>, false}, {primary, nil, false},
                                   {unknown, nil, false}]].

row_that_decides_may_name_this_node_test() ->
    View = ?D:row_decides(announced(replica, live, atom_to_binary(node()))),
    ?assertEqual(node(), answer(View)).

unconnected_test_() ->
    [?_assertEqual(Expected, ?D:unconnected(announced(Role, live, Row), [node(), a@one]))
     || {Role, Row, Expected} <- [{replica, <<"gone@one">>, <<"gone@one">>},
                                  {replica, <<"a@one">>, none},
                                  {replica, nil, none},
                                  {replica, atom_to_binary(node()), none},
                                  {primary, <<"gone@one">>, none},
                                  {unknown, <<"gone@one">>, none}]].

duty_test_() ->
    [?_assertEqual(Duty, ?D:duty(announced(Role, Mount, nil)))
     || {Role, Mount, Duty} <- [{primary, absent, table}, {primary, live, claim},
                                {replica, live, none}, {unknown, plain, none}]].

claim_test_() ->
    Host = hd(lists:reverse(string:split(atom_to_list(node()), "@"))),
    Beside = list_to_atom("litefs@" ++ Host),
    [?_assertEqual(Claim, ?D:claim(Row, [node(), Beside, a@one]))
     || {Row, Claim} <- [{nil, write},
                         {atom_to_binary(node()), keep},
                         {atom_to_binary(Beside), keep},
                         {<<"a@one">>, write},
                         {list_to_binary("gone@" ++ Host), meet},
                         {<<"no host">>, write}]].

names_never_become_atoms_test() ->
    Name = <<"never-an-atom@elsewhere-", (integer_to_binary(rand:uniform(1 bsl 60)))/binary>>,
    View = announced(replica, live, Name),
    ?assertEqual(nil, answer(View)),
    ?assertEqual(Name, ?D:unconnected(View, [node()])),
    ?assertEqual(write, ?D:claim(Name, [node()])),
    ?assertError(badarg, binary_to_existing_atom(Name)).

route_test_() ->
    [?_assertEqual(Route, ?D:route(Primary, Started))
     || {Primary, Started, Route} <- [{{ok, node()}, true, local},
                                      {{ok, a@one}, true, {forward, a@one}},
                                      {{ok, nil}, true, {error, primary_unavailable}},
                                      {{error, not_ready}, false, pass_through},
                                      {{error, not_ready}, true, {error, primary_unavailable}},
                                      {{error, busy}, true, {error, busy}}]].

answer(View) ->
    ?D:answer(View, [node(), a@one]).

announced(Role, Mount, Row) ->
    ?D:announce(state(Role, Mount, Row), ?D:new()).

state(Role, Mount, Row) ->
    #{role => Role, hostname => <<"h1">>, node => Row, mount => Mount,
      sources => #{row => #{enabled => true}}}.

%% The C node of this host, by which what was forwarded elsewhere may go on here. (nonode@nohost.)
beside_test_() ->
    View = fun(Row) -> ?D:row_read(Row, ?D:new()) end,
    [?_assertEqual(Expected, ?D:beside(View(Row), [node(), litefs@nohost, a@one]))
     || {Row, Expected} <- [{<<"litefs@nohost">>, litefs@nohost}, {<<"a@one">>, nil}, {nil, nil},
                            {<<"gone@nohost">>, nil}, {atom_to_binary(node()), nil}]].
