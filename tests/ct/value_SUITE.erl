%% Parameters of every type, stored as exqlite would store them, and what comes back.
-module(value_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [integers, floats, texts, blobs, null, booleans_and_atoms, calendar, calendar_refused, decimal,
     decimal_refused, refused_terms, named, named_wrong, positional_wrong, numbered, same_name_twice,
     many_parameters, round_trips].

init_per_suite(Config) ->
    Started = ct_env:start(Config),
    Node = ct_node:start(Started, #{owner => suite}),
    {ok, _} = ct_node:query(Node, "CREATE TABLE v (x)"),
    [{node, Node} | Started].

end_per_suite(Config) ->
    ct_node:stop(?config(node, Config)),
    ct_env:stop(Config).

init_per_testcase(_Case, Config) ->
    {ok, _} = ct_node:query(?config(node, Config), "DELETE FROM v"),
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

integers(Config) ->
    [?assertEqual({<<"integer">>, integer_to_binary(I)}, stored(Config, I))
     || I <- [0, 1, -1, 127, 128, 255, 256, -128, 65535, 1 bsl 27, -(1 bsl 27) - 1, 1 bsl 31, 1 bsl 32,
              -(1 bsl 32), (1 bsl 63) - 1, -(1 bsl 63)]],
    [refuses(Config, I) || I <- [1 bsl 63, -(1 bsl 63) - 1, 1 bsl 64, 1 bsl 3000]].

floats(Config) ->
    [?assertEqual({<<"real">>, Text}, stored(Config, F))
     || {F, Text} <- [{0.0, <<"0.0">>}, {1.5, <<"1.5">>}, {-2.25, <<"-2.25">>}, {1.0e300, <<"1.0e+300">>}]],
    [?assertEqual(F, round_trip(Config, F)) || F <- [1.7976931348623157e308, 5.0e-324, -0.1, 3.0e-10]].

texts(Config) ->
    Uuid = <<16#0102FEFF:32, 0:32, 255, 254, 253, 128, 0, 0, 0, 1>>,
    [?assertEqual({<<"text">>, hex(iolist_to_binary(T))}, stored(Config, T, "hex(x)"))
     || T <- [<<>>, <<"abc">>, <<"Grüße"/utf8>>, <<"it's">>, Uuid, <<0>>, <<"a", 0, "b">>, "abc",
              ["a", [<<"b">>, $c], []], [1, 2, 3], [[]], lists:seq(0, 255), [<<"x">> | <<"y">>],
              binary:copy(<<"z">>, 100000)]].

blobs(Config) ->
    [?assertEqual({<<"blob">>, hex(iolist_to_binary(B))}, stored(Config, {blob, B}, "hex(x)"))
     || B <- [<<>>, <<0, 1, 255>>, [1, <<2>>, [[3]]], "abc", []]].

null(Config) ->
    [?assertEqual({<<"null">>, <<"NULL">>}, stored(Config, N)) || N <- [nil, undefined]].

booleans_and_atoms(Config) ->
    ?assertEqual({<<"integer">>, <<"1">>}, stored(Config, true)),
    ?assertEqual({<<"integer">>, <<"0">>}, stored(Config, false)),
    [?assertEqual({<<"text">>, hex(atom_to_binary(A))}, stored(Config, A, "hex(x)"))
     || A <- [hello, 'Elixir.MyApp.Repo', 'ü', '', ok]].

calendar(Config) ->
    [?assertEqual({<<"text">>, <<$', Text/binary, $'>>}, stored(Config, Struct))
     || {Struct, Text} <-
            [{date(2024, 2, 29), <<"2024-02-29">>},
             {date(1, 1, 1), <<"0001-01-01">>},
             {time(1, 2, 3, {0, 0}), <<"01:02:03">>},
             {time(23, 59, 59, {123456, 6}), <<"23:59:59.123456">>},
             {time(23, 59, 59, {120000, 2}), <<"23:59:59.12">>},
             {time(0, 0, 0, {0, 3}), <<"00:00:00.000">>},
             {naive(2024, 12, 31, 23, 59, 59, {0, 0}), <<"2024-12-31T23:59:59">>},
             {naive(2024, 12, 31, 23, 59, 59, {1000, 6}), <<"2024-12-31T23:59:59.001000">>},
             {utc(2024, 12, 31, 1, 2, 3, {0, 0}), <<"2024-12-31T01:02:03">>},
             {utc(2024, 12, 31, 1, 2, 3, {5, 6}), <<"2024-12-31T01:02:03.000005">>}]].

calendar_refused(Config) ->
    Date = date(2024, 2, 29),
    Utc = utc(2024, 12, 31, 1, 2, 3, {0, 0}),
    [refuses(Config, T)
     || T <- [Date#{calendar := 'Elixir.Calendar.Other'}, Date#{month := 13}, Date#{day := <<"x">>},
              Date#{day := 30}, maps:remove(day, Date), Date#{'__struct__' := 'Elixir.Unknown'},
              Utc#{utc_offset := 3600, time_zone := <<"Europe/Vienna">>, zone_abbr := <<"CET">>}, #{},
              #{a => 1}]].

decimal(Config) ->
    [?assertEqual({<<"text">>, <<$', Text/binary, $'>>}, stored(Config, decimal(Sign, Coef, Exp)))
     || {Sign, Coef, Exp, Text} <-
            [{1, 0, 0, <<"0">>}, {1, 1234, -2, <<"12.34">>}, {-1, 1234, -2, <<"-12.34">>},
             {1, 5, -3, <<"0.005">>}, {1, 12, 3, <<"12000">>}, {1, 100, -2, <<"1.00">>},
             {1, 123456789012345678901234567890, -10, <<"12345678901234567890.1234567890">>}]].

decimal_refused(Config) ->
    [refuses(Config, D) || D <- [decimal(1, 'NaN', 0), decimal(1, inf, 0), decimal(-1, inf, 0),
                                 decimal(1, 1, 1000000000), decimal(2, 1, 0), decimal(1, -1, 0)]].

refused_terms(Config) ->
    [refuses(Config, T) || T <- [{}, {1}, {1, 2}, {blob, x}, {blob, 1}, {blob, <<1:3>>}, self(), make_ref(),
                                 fun() -> ok end, fun lists:seq/2, <<1:7>>, [256], [-1], [a], [1.5],
                                 [1 | 2], [[1], {2}], #{}, [#{}]]].

named(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({ok, #{rows := [[1, <<"two">>, 1]]}}, ct_node:query(Node, Sql, Params), {Sql, Params})
     || Sql <- ["SELECT :a, :b, :a", "SELECT @a, @b, @a", "SELECT $a, $b, $a"],
        Params <- [#{a => 1, b => <<"two">>}, #{<<"a">> => 1, <<"b">> => "two"}, #{<<"a">> => 1, b => "two"}]],
    ?assertMatch({ok, #{rows := [[nil]]}}, ct_node:query(Node, "SELECT :a", #{a => nil})).

named_wrong(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, #{code := invalid_parameter, message := <<_, _/binary>>}},
                  ct_node:query(Node, Sql, Params), {Sql, Params})
     || {Sql, Params} <- [{"INSERT INTO v VALUES (:a)", #{}},
                          {"INSERT INTO v VALUES (:a)", #{b => 1}},
                          {"INSERT INTO v VALUES (:a)", #{a => 1, b => 1}},
                          {"INSERT INTO v VALUES (:a)", #{':a' => 1}},
                          {"INSERT INTO v VALUES (?)", #{a => 1}},
                          {"INSERT INTO v VALUES (1)", #{a => 1}},
                          {"INSERT INTO v VALUES (:a)", #{1 => 1}},
                          {"INSERT INTO v VALUES (:a)", #{a => {}}}]],
    ?assertEqual(0, ct_sqlite:count(maps:get(db, Node), "v")).

same_name_twice(Config) ->
    Node = ?config(node, Config),
    ?assertMatch({error, #{code := invalid_parameter}},
                 ct_node:query(Node, "SELECT :a", #{a => 1, <<"a">> => 2})).

positional_wrong(Config) ->
    Node = ?config(node, Config),
    [?assertMatch({error, #{code := invalid_parameter, message := <<_, _/binary>>}},
                  ct_node:query(Node, Sql, Params), {Sql, Params})
     || {Sql, Params} <- [{"INSERT INTO v VALUES (?)", []}, {"INSERT INTO v VALUES (?)", [1, 2]},
                          {"INSERT INTO v VALUES (1)", [1]}, {"INSERT INTO v SELECT ?2", [1]}]],
    ?assertEqual(0, ct_sqlite:count(maps:get(db, Node), "v")).

numbered(Config) ->
    Node = ?config(node, Config),
    ?assertMatch({ok, #{rows := [[2, 1, 2]]}}, ct_node:query(Node, "SELECT ?2, ?1, ?2", [1, 2])).

many_parameters(Config) ->
    Node = ?config(node, Config),
    N = 5000,
    Sql = ["SELECT ", lists:join(", ", [["?", integer_to_list(I)] || I <- lists:seq(1, 100)])],
    ?assertMatch({ok, #{rows := [_]}}, ct_node:query(Node, Sql, lists:seq(1, 100))),
    Insert = ["INSERT INTO v VALUES ", lists:join(", ", lists:duplicate(N, "(?)"))],
    ?assertMatch({ok, #{changes := N}}, ct_node:query(Node, Insert, lists:seq(1, N))),
    ?assertEqual([[integer_to_binary(N * (N + 1) div 2)]],
                 ct_sqlite:query(maps:get(db, Node), "SELECT sum(x) FROM v")).

%% The same through both connections: the writer's (RETURNING) and the reader's.
round_trips(Config) ->
    Node = ?config(node, Config),
    [begin
         {ok, #{rows := [[Back]]}} = ct_node:query(Node, "INSERT INTO v VALUES (?) RETURNING x", [In]),
         ?assert(Back =:= Out),
         ?assert(round_trip(Config, In) =:= Out)
     end || {In, Out} <- [{0, 0}, {-1, -1}, {255, 255}, {256, 256}, {1 bsl 31, 1 bsl 31}, {-(1 bsl 63), -(1 bsl 63)},
                          {(1 bsl 63) - 1, (1 bsl 63) - 1}, {1.0, 1.0}, {-1.5e-7, -1.5e-7}, {<<>>, <<>>},
                          {{blob, <<>>}, <<>>}, {<<0, 255>>, <<0, 255>>}, {{blob, <<0, 255>>}, <<0, 255>>},
                          {nil, nil}, {undefined, nil}, {true, 1}, {false, 0}, {abc, <<"abc">>}, {"abc", <<"abc">>},
                          {binary:copy(<<"q">>, 70000), binary:copy(<<"q">>, 70000)}]].

%% Helpers

stored(Config, Term) ->
    stored(Config, Term, "quote(x)").

%% What the sqlite3 shell finds when Term was the parameter: type and text.
stored(Config, Term, Text) ->
    Node = #{db := Db} = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "DELETE FROM v"),
    case ct_node:query(Node, "INSERT INTO v VALUES (?)", [Term]) of
        {ok, #{num_rows := 1}} ->
            [[Type, Value]] = ct_sqlite:query(Db, ["SELECT typeof(x), ", Text, " FROM v"]),
            {Type, Value};
        Other ->
            Other
    end.

%% Alone and beside good ones, an error and nothing written.
refuses(Config, Term) ->
    Node = #{db := Db} = ?config(node, Config),
    {ok, _} = ct_node:query(Node, "DELETE FROM v"),
    [?assertMatch({error, #{code := invalid_parameter, message := <<_, _/binary>>}},
                  ct_node:query(Node, Sql, Params), {Sql, Params})
     || {Sql, Params} <- [{"INSERT INTO v VALUES (?)", [Term]}, {"INSERT INTO v VALUES (?), (?)", [1, Term]},
                          {"INSERT INTO v VALUES (:x)", #{x => Term}}]],
    ?assertEqual(0, ct_sqlite:count(Db, "v")).

round_trip(Config, Term) ->
    {ok, #{rows := [[Back]]}} = ct_node:query(?config(node, Config), "SELECT ?", [Term]),
    Back.

hex(Bytes) ->
    binary:encode_hex(Bytes).

date(Y, M, D) ->
    #{'__struct__' => 'Elixir.Date', calendar => 'Elixir.Calendar.ISO', year => Y, month => M, day => D}.

time(H, Mi, S, Micro) ->
    #{'__struct__' => 'Elixir.Time', calendar => 'Elixir.Calendar.ISO', hour => H, minute => Mi, second => S,
      microsecond => Micro}.

naive(Y, M, D, H, Mi, S, Micro) ->
    maps:merge(time(H, Mi, S, Micro), (date(Y, M, D))#{'__struct__' => 'Elixir.NaiveDateTime'}).

utc(Y, M, D, H, Mi, S, Micro) ->
    (naive(Y, M, D, H, Mi, S, Micro))#{'__struct__' => 'Elixir.DateTime', time_zone => <<"Etc/UTC">>,
                                       zone_abbr => <<"UTC">>, utc_offset => 0, std_offset => 0}.

decimal(Sign, Coef, Exp) ->
    #{'__struct__' => 'Elixir.Decimal', sign => Sign, coef => Coef, exp => Exp}.
