-module(ecto_litefs_exqlite_tests).

-include_lib("eunit/include/eunit.hrl").

-define(RESULT, 'Elixir.Exqlite.Result').

%% A type extension, as Exqlite calls it.
-export([convert/1]).

convert({point, X}) -> {ok, [<<"at ">>, X]};
convert({yes}) -> {ok, true};
convert({bad}) -> {error, why};
convert({worse}) -> error(raised);
convert(#{'__struct__' := 'Elixir.Date'}) -> {ok, <<"never asked for dates">>};
convert(_) -> nil.

params_test_() ->
    Date = #{'__struct__' => 'Elixir.Date', year => 2026},
    [?_assertEqual({ok, Expected}, ecto_litefs_exqlite:params(Given, Extensions))
     || {Given, Extensions, Expected} <-
            [{nil, nil, []},
             {[], nil, []},
             {[1, 2.5, <<"t">>, nil, {blob, <<0>>}, "io"], nil, [1, 2.5, <<"t">>, nil, {blob, <<0>>}, "io"]},
             {[true, false, other], nil, [<<"true">>, <<"false">>, other]},
             {#{<<":a">> => 1, '@b' => true, "$c" => 2, <<"d">> => nil}, nil,
              #{<<"a">> => 1, <<"b">> => <<"true">>, <<"c">> => 2, <<"d">> => nil}},
             {[{point, <<"1">>}, {yes}, 7, true, Date], [?MODULE],
              [[<<"at ">>, <<"1">>], <<"true">>, 7, <<"true">>, Date]}]].

refused_param_test() ->
    ?assertEqual({error, <<"Failed conversion by TypeExtension ecto_litefs_exqlite_tests: {bad}. Reason: why.">>},
                 ecto_litefs_exqlite:params([{bad}], [?MODULE])).

%% As in Exqlite it is an error of the statement.
extension_that_raises_test() ->
    ?assertEqual({error, <<"raised">>}, ecto_litefs_exqlite:params([{worse}], [?MODULE])).

result_test_() ->
    Reads = #{columns => [<<"a">>], rows => [[1], [2]], changes => 0},
    Writes = #{columns => nil, rows => nil, changes => 3},
    [?_assertEqual(result([], nil, 3), ecto_litefs_exqlite:result(insert, Writes)),
     ?_assertEqual(result([], [[1], [2]], 2), ecto_litefs_exqlite:result(delete, Reads#{changes := 2})),
     ?_assertEqual(result([<<"a">>], [[1], [2]], 2), ecto_litefs_exqlite:result(nil, Reads)),
     ?_assertEqual(result([], [], 0), ecto_litefs_exqlite:result(nil, Writes))].

result(Columns, Rows, Count) ->
    #{'__struct__' => ?RESULT, command => execute, columns => Columns, rows => Rows, num_rows => Count}.

error_test_() ->
    [{lists:flatten(io_lib:format("~0p", [Error])),
      fun() ->
          {Then, #{'__struct__' := Type, message := Text}} =
              ecto_litefs_exqlite:error(Error, {c@h, <<"SQL">>}),
          ?assertEqual({ThenWanted, TypeWanted}, {Then, Type}),
          ?assertNotEqual(nomatch, binary:match(Text, Words))
      end}
     || {Error, ThenWanted, TypeWanted, Words} <-
            [{#{code => constraint_unique, message => <<"UNIQUE constraint failed: t.a">>}, error,
              'Elixir.Exqlite.Error', <<"UNIQUE constraint failed: t.a">>},
             {{unsupported, <<"ATTACH">>}, error, 'Elixir.Exqlite.Error', <<"ATTACH">>},
             {busy, error, 'Elixir.Exqlite.Error', <<"Database busy">>},
             {{unknown_repo, r}, error, 'Elixir.DBConnection.ConnectionError', <<"c@h does not serve r">>},
             {{expired, {not_primary, d@h}}, disconnect, 'Elixir.DBConnection.ConnectionError', <<"d@h">>},
             {{expired, #{code => unavailable, message => <<"no file">>}}, error, 'Elixir.Exqlite.Error',
              <<"no file">>},
             {{not_written, {erpc, timeout}}, disconnect, 'Elixir.DBConnection.ConnectionError',
              <<"nothing was written">>},
             {no_cnode, disconnect, 'Elixir.DBConnection.ConnectionError', <<"c@h is no C node">>},
             {{unknown, <<"disk">>}, disconnect, 'Elixir.DBConnection.ConnectionError', <<"unknown">>},
             {#{code => no_transaction, message => <<"ended">>}, disconnect,
              'Elixir.DBConnection.ConnectionError', <<"c@h: ended">>},
             {{erpc, timeout}, disconnect, 'Elixir.DBConnection.ConnectionError', <<"may or may not">>}]].
