%% Every type of docs/ecto.md, all the way and back: inserted through a C node, read in the file by the sqlite3 shell,
%% and loaded again by another call that knows nothing but the row's id.
-module(repo_types_SUITE).

-compile([export_all, nowarn_export_all]).

-include_lib("stdlib/include/assert.hrl").

-define(REPO, 'Elixir.Test.Repo').
-define(SCHEMA, 'Elixir.Repo.Types.Thing').
-define(UUID, <<"a1a2a3a4-b1b2-41c2-8d2e-e1e2e3e4e5e6">>).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [stored_forms, loaded_again, nil_of_every_type].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_testcase(_Case, Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    Columns = [[$,, atom_to_list(Field), $\s, Declared] || {Field, _, Declared, _, _} <- fields()],
    {ok, _} = ct_node:query(Node, iolist_to_binary(["CREATE TABLE things (id INTEGER PRIMARY KEY", Columns, $)])),
    load_schema(),
    [{c_node, Node}, {db, Db} | Config].

end_per_testcase(_Case, Config) ->
    ct_node:stop(proplists:get_value(c_node, Config)),
    _ = code:purge(?SCHEMA),
    _ = code:delete(?SCHEMA),
    _ = code:purge(?SCHEMA),
    ok.

%% {Field, Type, as the column is declared, value, as it is stored}
fields() ->
    [{an_integer, integer, "INTEGER", -42, {integer, <<"-42">>}},
     {a_large, integer, "INTEGER", 9223372036854775807, {integer, <<"9223372036854775807">>}},
     {a_float, float, "NUMERIC", 1.5, {real, <<"1.5">>}},
     {a_whole_float, float, "NUMERIC", 2.0, {integer, <<"2">>}},
     {a_yes, boolean, "INTEGER", true, {integer, <<"1">>}},
     {a_no, boolean, "INTEGER", false, {integer, <<"0">>}},
     {a_string, string, "TEXT", <<"it's \"so\"\n", 226, 130, 172>>, {text, <<"it's \"so\"\n", 226, 130, 172>>}},
     {a_binary, binary, "BLOB", <<0, 255, 0>>, {blob, <<0, 255, 0>>}},
     {a_decimal, decimal, "DECIMAL", decimal(-1, 1234, -2), {real, <<"-12.34">>}},
     {a_long_decimal, decimal, "TEXT", decimal(1, 120, -2), {text, <<"1.20">>}},
     {a_date, date, "TEXT", date(#{}), {text, <<"2026-11-24">>}},
     {a_time, time, "TEXT", time({0, 0}), {text, <<"21:05:41">>}},
     {a_time_usec, time_usec, "TEXT", time({42, 6}), {text, <<"21:05:41.000042">>}},
     {a_naive, naive_datetime, "TEXT", naive({0, 0}), {text, <<"2026-11-24T21:05:41">>}},
     {a_naive_usec, naive_datetime_usec, "TEXT", naive({42, 6}), {text, <<"2026-11-24T21:05:41.000042">>}},
     {a_utc, utc_datetime, "TEXT", utc({0, 0}), {text, <<"2026-11-24T21:05:41Z">>}},
     {a_utc_usec, utc_datetime_usec, "TEXT", utc({42, 6}), {text, <<"2026-11-24T21:05:41.000042Z">>}},
     {a_uuid, 'Elixir.Ecto.UUID', "TEXT", ?UUID, {text, ?UUID}},
     {a_binary_id, binary_id, "TEXT", ?UUID, {text, ?UUID}},
     {a_raw_id, binary_id, "BLOB", ?UUID, {text, raw(?UUID)}},
     {an_enum, enum([{draft, <<"D">>}, {live, <<"live">>}]), "TEXT", draft, {text, <<"D">>}},
     {a_numbered, enum([{low, 1}, {high, 300}]), "INTEGER", high, {integer, <<"300">>}},
     {a_map, map, "TEXT", #{<<"k">> => [1, nil, true, 2.5, <<"\"">>]}, {text, <<"{\"k\":[1,null,true,2.5,\"\\\"\"]}">>}},
     {a_map_of, {map, integer}, "TEXT", #{a => 1}, {text, <<"{\"a\":1}">>}},
     {some_strings, {array, string}, "TEXT", [<<"a">>, nil], {text, <<"[\"a\",null]">>}},
     {some_bytes, {array, integer}, "TEXT", [1, 2, 255], {text, <<"[1,2,255]">>}},
     {some_flags, {array, boolean}, "TEXT", [true, false], {text, <<"[1,0]">>}},
     {some_dates, {array, date}, "TEXT", [date(#{})], {text, <<"[\"2026-11-24\"]">>}}].

decimal(Sign, Coef, Exp) -> #{'__struct__' => 'Elixir.Decimal', sign => Sign, coef => Coef, exp => Exp}.

date(More) ->
    More#{'__struct__' => maps:get('__struct__', More, 'Elixir.Date'), calendar => 'Elixir.Calendar.ISO', year => 2026,
          month => 11, day => 24}.

time(Microsecond) ->
    #{'__struct__' => 'Elixir.Time', calendar => 'Elixir.Calendar.ISO', hour => 21, minute => 5, second => 41,
      microsecond => Microsecond}.

naive(Microsecond) -> date((time(Microsecond))#{'__struct__' => 'Elixir.NaiveDateTime'}).

utc(Microsecond) ->
    (naive(Microsecond))#{'__struct__' => 'Elixir.DateTime', time_zone => <<"Etc/UTC">>, zone_abbr => <<"UTC">>,
                          utc_offset => 0, std_offset => 0}.

raw(Uuid) -> binary:encode_unsigned(binary_to_integer(binary:replace(Uuid, <<"-">>, <<>>, [global]), 16)).

enum(Pairs) ->
    {parameterized, {'Elixir.Ecto.Enum', #{on_dump => maps:from_list(Pairs),
                                           on_load => maps:from_list([{Stored, Atom} || {Atom, Stored} <- Pairs])}}}.

%% Maps and lists are not read back: see the option `returning` in docs/ecto.md.
%% Stored as JSON, of which nil is null.
is_json(map) -> true;
is_json({map, _}) -> true;
is_json({array, _}) -> true;
is_json(_) -> false.

%% A module that answers as a schema's does.
load_schema() ->
    Types = maps:from_list([{id, id} | [{Field, Type} || {Field, Type, _, _, _} <- fields()]]),
    Answers = [{source, <<"things">>}, {prefix, nil}, {fields, maps:keys(Types)},
               {dump, maps:map(fun(Field, Type) -> {Field, Type, always} end, Types)}, {primary_key, [id]},
               {autogenerate_id, {id, id, id}}, {autogenerate, []}, {autoupdate, []}, {read_after_writes, []},
               {loaded, thing(#{})}],
    Clause = fun(Patterns, Value) -> {clause, 1, Patterns, [], [erl_parse:abstract(Value)]} end,
    Forms = [{attribute, 1, module, ?SCHEMA},
             {attribute, 1, export, [{'__schema__', 1}, {'__changeset__', 0}]},
             {function, 1, '__schema__', 1, [Clause([{atom, 1, What}], Value) || {What, Value} <- Answers]},
             {function, 1, '__changeset__', 0, [Clause([], Types)]}],
    {ok, ?SCHEMA, Code} = compile:forms(Forms),
    {module, ?SCHEMA} = code:load_binary(?SCHEMA, "schema", Code).

thing(Values) ->
    Nil = maps:from_list([{id, nil} | [{Field, nil} || {Field, _, _, _, _} <- fields()]]),
    maps:merge(Nil#{'__struct__' => ?SCHEMA,
                    '__meta__' => #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => nil,
                                    schema => ?SCHEMA, source => <<"things">>, state => built}}, Values).

values() -> maps:from_list([{Field, Value} || {Field, _, _, Value, _} <- fields()]).

call(Config, Function, Args) ->
    #{name := Name} = proplists:get_value(c_node, Config),
    erpc:call(Name, ?REPO, Function, Args, 20000).

%% What the shell sees: the storage class, and the bytes in hex or the number.
stored(Config, Field) ->
    F = atom_to_list(Field),
    [[Class, Value]] = ct_sqlite:query(proplists:get_value(db, Config),
                                       ["SELECT typeof(", F, "), iif(typeof(", F, ") IN ('text', 'blob'), hex(", F,
                                        "), quote(", F, ")) FROM things"]),
    case binary_to_atom(Class) of
        Bytes when Bytes =:= text; Bytes =:= blob -> {Bytes, unhex(Value)};
        Other -> {Other, Value}
    end.

unhex(<<>>) -> <<>>;
unhex(<<Byte:2/binary, Rest/binary>>) -> <<(binary_to_integer(Byte, 16)), (unhex(Rest))/binary>>.

stored_forms(Config) ->
    Values = values(),
    {ok, #{id := 1} = Thing} = call(Config, insert, [thing(Values)]),
    ?assertEqual(Values, maps:with(maps:keys(Values), Thing)),
    [?assertEqual({Field, Stored}, {Field, stored(Config, Field)}) || {Field, _, _, _, Stored} <- fields()].

loaded_again(Config) ->
    {ok, #{id := 1}} = call(Config, insert, [thing(values())]),
    {ok, Thing} = call(Config, delete, [thing(#{id => 1}), [{returning, [Field || {Field, _, _, _, _} <- fields()]}]]),
    [?assertEqual({Field, read(Value)}, {Field, maps:get(Field, Thing)}) || {Field, _, _, Value, _} <- fields()].

%% The keys of a map come back as binaries.
read(#{a := Value}) -> #{<<"a">> => Value};
read(Value) -> Value.

nil_of_every_type(Config) ->
    {1, nil} = call(Config, insert_all, [?SCHEMA, [maps:map(fun(_, _) -> nil end, values())]]),
    Nil = fun(Type) -> case is_json(Type) of true -> {text, <<"null">>}; false -> {null, <<"NULL">>} end end,
    [?assertEqual({Field, Nil(Type)}, {Field, stored(Config, Field)}) || {Field, Type, _, _, _} <- fields()].
