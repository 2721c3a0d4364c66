%% Makes the vectors of this folder that can be made: terms/, structs/, params/, ops/, port/ and ecto/, and
%% dist/made_*.
%%
%%   erl -noshell -pa ELIXIR/lib/elixir/ebin -run make main -s init stop     (after erlc make.erl)
%%
%% The bytes are term_to_binary's; the texts of calendar structs are Elixir's own. Pids, references,
%% ports and funs are of the node that runs this, so that their bytes differ from run to run.
-module(make).

-export([main/0]).

main() ->
    lists:foreach(fun({Name, Term}) -> write("terms", Name, ".etf", term_to_binary(Term)) end,
                  terms()),
    lists:foreach(fun({Name, Bytes}) -> write("terms", Name, ".etf", Bytes) end, raw_terms()),
    lists:foreach(fun({Name, Frame}) -> write("dist", "made_" ++ Name, ".frame", Frame) end,
                  frames()),
    lists:foreach(fun({Name, Term}) -> write("params", Name, ".etf", term_to_binary(Term)) end,
                  params()),
    lists:foreach(fun({Name, Call}) -> write("ops", Name, ".etf", term_to_binary(Call)) end, ops()),
    lists:foreach(fun({Name, Message}) -> write("port", Name, ".etf", term_to_binary(Message)) end,
                  port_messages()),
    lists:foreach(fun({Name, Call}) -> write("ecto", Name, ".etf", term_to_binary(Call)) end, ecto()),
    lists:foreach(fun calendar/1, calendars()),
    lists:foreach(fun decimal/1, decimals()),
    lists:foreach(fun({Name, Term}) -> write("structs", "bad_" ++ Name, ".etf",
                                             term_to_binary(Term)) end, bad_structs()).

write(Folder, Name, Suffix, Bytes) ->
    File = filename:join(Folder, Name ++ Suffix),
    ok = filelib:ensure_dir(File),
    ok = file:write_file(File, Bytes).

terms() ->
    [{"int_0", 0}, {"int_255", 255}, {"int_256", 256}, {"int_minus_1", -1},
     {"int_max_32", 16#7FFFFFFF}, {"int_min_32", -16#80000000},
     {"int_over_32", 16#80000000}, {"int_under_32", -16#80000001},
     {"int_max_64", 16#7FFFFFFFFFFFFFFF}, {"int_min_64", -16#8000000000000000},
     {"int_over_64", 16#8000000000000000}, {"int_under_64", -16#8000000000000001},
     {"int_large_big", 1 bsl 3000},
     {"float_1_5", 1.5}, {"float_minus_0", -0.0}, {"float_max", 1.7976931348623157e308},
     {"atom_ok", ok}, {"atom_empty", ''}, {"atom_latin1", 'æøå'}, {"atom_utf8", '日本'},
     {"atom_255_chars", list_to_atom(lists:duplicate(255, $日))},
     {"binary_empty", <<>>}, {"binary_hello", <<"hello">>}, {"bitstring_3", <<5:3>>},
     {"bitstring_11", <<5:11>>},
     {"tuple_0", {}}, {"tuple_2", {ok, 1}}, {"tuple_300", list_to_tuple(lists:seq(1, 300))},
     {"nil", []}, {"string", "abc"}, {"list_mixed", [1, a, <<"b">>, [c]]},
     {"list_improper", [1, a | b]}, {"list_256", [256]},
     {"map_0", #{}}, {"map_2", #{a => 1, <<"b">> => [2]}},
     {"map_40", maps:from_list([{N, {N}} || N <- lists:seq(1, 40)])},
     {"pid", self()}, {"port", hd(erlang:ports())}, {"ref", make_ref()},
     {"fun_0", fun() -> ok end}, {"fun_env", closure(#{deep => [closure(1, x)]}, "abc")},
     {"export", fun erlang:node/0},
     {"deep_list", lists:foldl(fun(_, T) -> [T] end, x, lists:seq(1, 2000))},
     {"deep_tuple", lists:foldl(fun(N, T) -> {N, T, N} end, x, lists:seq(1, 500))}].

closure(A, B) -> fun(C) -> {A, B, C} end.

%% Encodings that this node reads but does not write.
raw_terms() ->
    Node = <<100, 0, 3, "a@b">>,
    [{"old_pid", <<131, 103, Node/binary, 1:32, 2:32, 3>>},
     {"old_port", <<131, 102, Node/binary, 1:32, 3>>},
     {"new_port", <<131, 89, Node/binary, 1:32, 3:32>>},
     {"v4_port", <<131, 120, Node/binary, 1:64, 3:32>>},
     {"old_ref", <<131, 101, Node/binary, 1:32, 3>>},
     {"new_ref", <<131, 114, 3:16, Node/binary, 3, 1:32, 2:32, 3:32>>},
     {"newer_ref_5", <<131, 90, 5:16, Node/binary, 3:32, 1:32, 2:32, 3:32, 4:32, 5:32>>},
     {"small_atom_latin1", <<131, 115, 3, "abc">>},
     {"large_tuple_2", <<131, 105, 2:32, 97, 1, 97, 2>>},
     {"large_big_small", <<131, 111, 2:32, 0, 1, 2>>},
     {"small_big_padded", <<131, 110, 9, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0>>},
     {"list_tail_list", <<131, 108, 1:32, 97, 1, 108, 1:32, 97, 2, 106>>}].

frames() ->
    Pid = self(),
    Ref = make_ref(),
    [{"exit", frame({3, Pid, Pid, {bye, 1}})},
     {"unlink", frame({4, Pid, Pid})},
     {"exit2", frame({8, Pid, Pid, kill})},
     {"monitor_p_exit", frame({21, Pid, Pid, Ref, noproc})},
     {"monitor_p_exit_name", frame({21, rex, Pid, Ref, noproc})},
     {"send_sender", frame({22, Pid, Pid}, hello)},
     {"payload_monitor_p_exit", frame({28, rex, Pid, Ref}, {Ref, return, 42})},
     {"alias_send", frame({33, Pid, Ref}, {hello, 1})},
     {"unlink_id_64", frame({35, 16#FFFFFFFFFFFFFFFF, Pid, Pid})},
     {"unlink_id_ack", frame({36, 7, Pid, Pid})},
     {"reg_send_rex_cast", frame({6, Pid, '', rex},
                                 {'$gen_cast', {cast, foo, bar, [1], Pid}})},
     {"spawn_request_tt", frame({30, Ref, Pid, Pid, {erpc, execute_call, 4}, [monitor], token},
                                [Ref, foo, bar, []])}].

frame(Control) -> <<112, (term_to_binary(Control))/binary>>.
frame(Control, Message) -> <<(frame(Control))/binary, (term_to_binary(Message))/binary>>.

%% Parameter lists and maps.
params() ->
    Deep = lists:foldl(fun(N, Acc) -> [Acc, $0 + N rem 10] end, <<>>, lists:seq(1, 100)),
    [{"empty", []}, {"bytes", [1, 2, 255]}, {"empty_map", #{}},
     {"every_type", [1, -1, 16#7FFFFFFFFFFFFFFF, 2.5, <<"text">>, <<0, 255>>, nil, undefined, true,
                     false, an_atom, null, {blob, <<1, 2>>}, {blob, ["a", [<<"b">> | <<"c">>]]},
                     "string", [], ["io", $d, [<<"at">>, []], $a], date(2026, 11, 24),
                     dec(-1, 1250, -2)]},
     {"deep_iodata", [Deep]},
     {"named", #{a => 1, <<"b">> => <<"two">>, 'Δ' => 3}},
     {"named_twice", #{a => 1, <<"a">> => 2, b => 3}},
     {"bad_name", #{1 => 1}}, {"bad_named_value", #{a => 1, who => self()}},
     {"bad_integer", [1, 16#8000000000000000]}, {"bad_tuple", [{text, <<"a">>}]},
     {"bad_tuple_3", [{blob, 1, 2}]}, {"bad_blob", [{blob, nil}]}, {"bad_map", [#{a => 1}]},
     {"bad_struct", [#{'__struct__' => 'Elixir.URI'}]}, {"bad_pid", [self()]},
     {"bad_ref", [make_ref()]}, {"bad_port", [hd(erlang:ports())]},
     {"bad_fun", [fun() -> ok end]}, {"bad_export", [fun erlang:node/0]},
     {"bad_bits", [<<1:3>>]}, {"bad_list", [[a]]}, {"bad_list_300", [[300]]},
     {"bad_list_tail", [[<<"a">> | $b]]}, {"bad_list_float", [["a", 1.0]]},
     {"bad_date", [1, date(2026, 2, 30)]}, {"improper", [1 | 2]}].

%% {Function, Arguments} of ecto_litefs.
ops() ->
    Repo = 'Elixir.MyApp.Repo',
    Insert = <<"INSERT INTO t VALUES (?1, ?2)">>,
    Ref = make_ref(),
    [{"query", {query, [Repo, Insert, [1, <<"x">>]]}},
     {"query_iodata", {query, [<<"MyApp.Repo">>, ["SELECT ", [<<"1">>]], []]}},
     {"query_named", {query, ['MyApp.Repo', <<"SELECT :a">>, #{a => 1}]}},
     {"query_opts_map", {query, [Repo, Insert, [1, 2], #{timeout => 500, tx => Ref}]}},
     {"query_opts_list", {query, [Repo, Insert, [1, 2], [{tx, Ref}, {timeout, 500}]]}},
     {"query_opts_none", {query, [Repo, Insert, [1, 2],
                                  [{tx, nil}, {timeout, infinity}]]}},
     {"query_opts_twice", {query, [Repo, Insert, [1, 2], [{timeout, 1}, {timeout, 2}]]}},
     {"query_opts_empty", {query, [Repo, Insert, [1, 2], []]}},
     {"query_timeout_huge", {query, [Repo, Insert, [1, 2], [{timeout, 1 bsl 70}]]}},
     {"query_many", {query_many, [Repo, Insert, [[1, 2], [<<"a">>, b], [nil, 1.5]]]}},
     {"query_many_empty", {query_many, [Repo, Insert, []]}},
     {"transaction", {transaction, [Repo, [{Insert, [1, 2]}, {"DELETE FROM t", []},
                                           {<<"SELECT :a">>, #{<<"a">> => 1}}], #{timeout => 9}]}},
     {"begin", {'begin', [Repo]}},
     {"begin_opts", {'begin', [Repo, #{idle_timeout => 1, total_timeout => 60000}]}},
     {"commit", {commit, [Repo, Ref]}}, {"rollback", {rollback, [Repo, Ref]}}, {"info", {info, []}},
     {"undef_name", {select, [Repo, Insert, []]}}, {"undef_query_2", {query, [Repo, Insert]}},
     {"undef_query_5", {query, [Repo, Insert, [], [], []]}}, {"undef_info_1", {info, [Repo]}},
     {"undef_commit_3", {commit, [Repo, Ref, []]}}, {"undef_begin_0", {'begin', []}},
     {"undef_string", {query, [1, 2]}},
     {"badarg_string", {query, [1, 2, 3]}}, {"badarg_repo", {query, [[Repo], Insert, []]}},
     {"badarg_sql", {query, [Repo, 'SELECT 1', []]}},
     {"badarg_sql_tail", {query, [Repo, [<<"SELECT ">> | $1], []]}},
     {"badarg_params", {query, [Repo, Insert, <<"x">>]}},
     {"badarg_params_tail", {query, [Repo, Insert, [1 | 2]]}},
     {"badarg_opts", {query, [Repo, Insert, [], timeout]}},
     {"badarg_opts_bare", {query, [Repo, Insert, [], [tx]]}},
     {"badarg_opts_key", {query, [Repo, Insert, [], [{<<"tx">>, Ref}]]}},
     {"badarg_opts_bytes", {query, [Repo, Insert, [], "opts"]}},
     {"badarg_sets", {query_many, [Repo, Insert, [1, 2]]}},
     {"badarg_sets_map", {query_many, [Repo, Insert, #{a => 1}]}},
     {"badarg_sets_tail", {query_many, [Repo, Insert, [[1] | x]]}},
     {"badarg_statement", {transaction, [Repo, [Insert]]}},
     {"badarg_statement_3", {transaction, [Repo, [{Insert, [], []}]]}},
     {"badarg_statements", {transaction, [Repo, {Insert, []}]}},
     {"badarg_token", {commit, [Repo, 1]}}, {"badarg_args_tail", {query, [Repo, Insert, [] | x]}},
     {"param_query", {query, [Repo, Insert, [1, self()]]}},
     {"param_many", {query_many, [Repo, Insert, [[1, 2], [1, {}]]]}},
     {"param_transaction", {transaction, [Repo, [{Insert, [1, 2]}, {Insert, #{a => {}}}]]}},
     {"option_unknown", {query, [Repo, Insert, [1, 2], #{retries => 3}]}},
     {"option_binary", {query, [Repo, Insert, [1, 2], #{<<"timeout">> => 3}]}},
     {"option_of_begin", {query, [Repo, Insert, [1, 2], [{idle_timeout, 3}]]}},
     {"option_of_query", {'begin', [Repo, [{timeout, 3}]]}},
     {"option_timeout_0", {query, [Repo, Insert, [1, 2], [{timeout, 0}]]}},
     {"option_timeout_negative", {query, [Repo, Insert, [1, 2], [{timeout, -1}]]}},
     {"option_timeout_float", {query, [Repo, Insert, [1, 2], [{timeout, 1.0}]]}},
     {"option_total", {'begin', [Repo, [{total_timeout, <<"1">>}]]}},
     {"option_tx", {query, [Repo, Insert, [1, 2], [{tx, self()}]]}}].

%% Messages to the port: see docs/port.md.
port_messages() ->
    Config = #{primary_file => <<"/litefs/.primary">>, poll_interval => 30000,
               event_stream_url => <<"http://localhost:20202/events">>,
               database => <<"/litefs/app.db">>, table_name => <<"_ecto_litefs_primary">>},
    [{"state", {state, 1}}, {"refresh", {refresh, {<<"tag">>, [2]}}},
     {"configure", {configure, tag, Config}},
     {"configure_off", {configure, tag, Config#{poll_interval := false, event_stream_url := false,
                                                database := nil}}},
     {"bad_request", {state, 1, 2}}, {"bad_no_map", {configure, tag, []}},
     {"bad_missing", {configure, tag, maps:remove(database, Config)}},
     {"bad_more", {configure, tag, Config#{more => 1}}},
     {"bad_nul", {configure, tag, Config#{table_name := <<"a\0b">>}}},
     {"bad_interval", {configure, tag, Config#{poll_interval := 0}}}].

%% {Function, Arguments} of a Repo, or {Function, Arguments, what the schema answers}: seeds for the
%% fuzzer, with every option and type.
ecto() ->
    Types = #{id => id, name => string, email => string, inserted_at => utc_datetime_usec,
              updated_at => naive_datetime, price => decimal, tags => {array, string},
              posts => {assoc, #{relationship => parent, owner_key => id, related_key => id,
                                 on_delete => nothing}}},
    Ada = user(#{id => 1, name => <<"ada">>}),
    Unique = #{type => unique, field => email, constraint => <<"users_email_index">>,
               match => exact, error_type => unique, error_message => <<"taken">>},
    Conflict = fun(On) -> [{on_conflict, On}, {conflict_target, [email]}, {returning, [id, name]}] end,
    [{"insert_struct", {insert, [user(#{})]}},
     {"insert_all_options", {'insert!', [changeset(user(#{}), #{name => <<"x">>}, Types, [Unique]),
                                         Conflict([{set, [{name, <<"y">>}]}, {inc, [{id, 1}]}])]}},
     {"insert_replace", {insert, [changeset(user(#{}), #{}, Types, []),
                                  Conflict({replace_all_except, [id]})]}},
     {"insert_nothing", {insert, [user(#{}), [{on_conflict, nothing}, {timeout, 5}]]}},
     {"insert_fragment", {insert, [user(#{}), [{on_conflict, replace_all},
                                               {conflict_target, {unsafe_fragment, <<"(id)">>}}]]}},
     {"update", {update, [changeset(Ada, #{name => <<"x">>, email => nil}, Types, [Unique]),
                          [{stale_error_field, id}, {force, true}]]}},
     {"update_types", {update, [changeset(user(#{id => 1}), #{inserted_at => utc(naive(date(2026, 1, 1),
                                                                   time(1, 2, 3, {4, 6})))},
                                          Types, [])]}},
     {"delete", {delete, [Ada, [{allow_stale, true}]]}},
     {"insert_or_update", {'insert_or_update!', [changeset(Ada, #{name => <<"x">>}, Types, [])]}},
     {"insert_all", {insert_all, [<<"users">>, [#{name => <<"a">>, id => 1},
                                                [{id, 2}, {name, #{}}]], [{returning, [id]}]]}},
     {"insert_all_maps", {insert_all, [<<"users">>, [#{name => {blob, <<1>>}}, #{name => nil}],
                                       Conflict({replace, [name]})]}},
     {"update_all", {update_all, [{<<"UPDATE users SET name = ?">>, [<<"x">>]}, []]}},
     {"delete_all", {delete_all, [{<<"DELETE FROM users RETURNING id">>, #{}}]}},
     {"schema_insert", {insert, [maps:merge(user(#{}), every_type()), [{returning, true}]], schema()}},
     {"schema_update", {update, [changeset(maps:merge(user(#{id => 1}), every_type()), every_type(),
                                           field_types(), [])], schema()}},
     {"schema_delete", {delete, [Ada], schema()}},
     {"schema_insert_all", {insert_all, ['Elixir.My.User', [every_type(), maps:to_list(every_type())],
                                         [{returning, [name, price, at]}, {on_conflict, replace_all},
                                          {conflict_target, [id]}]], schema()}}].

every_type() ->
    #{name => <<"n">>, price => dec(1, 150, -2), tags => [true, false], kind => high,
      prefs => #{a => 1, <<"b">> => [nil, 1.5, date(2026, 1, 1), dec(1, 15, -1), <<"x\"">>]},
      device => <<"6b1e1d1c-0000-4000-8000-0000000000ab">>, day => date(2026, 1, 2),
      at => time(1, 2, 3, {4, 6}), score => 0.1, active => true}.

field_types() ->
    #{id => id, name => string, email => binary, inserted_at => utc_datetime_usec,
      updated_at => naive_datetime, price => decimal, tags => {array, boolean}, prefs => map,
      kind => {parameterized, {'Elixir.Ecto.Enum', #{mappings => [{high, 2}], on_dump => #{high => 2},
                                                     on_load => #{2 => high}}}},
      device => 'Elixir.Ecto.UUID', day => date, at => time_usec, score => float, active => boolean}.

%% In the order of ELFS_ECTO_QUERIES.
schema() ->
    Types = field_types(),
    Readable = [id, name, email, inserted_at, updated_at, price, kind, device, day, at, score, active],
    [<<"users">>, nil, Readable, maps:map(fun(F, T) -> {F, T, always} end, Types), [id],
     {id, id, id}, [{[inserted_at, updated_at], {'Elixir.Ecto.Schema', '__timestamps__',
                                                 [naive_datetime]}}],
     [{[updated_at], {'Elixir.Ecto.Schema', '__timestamps__', [naive_datetime]}}], [score],
     user(#{id => 0}), Types].

user(Fields) ->
    Meta = #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => nil,
             schema => 'Elixir.My.User', source => <<"users">>,
             state => case Fields of #{id := _} -> loaded; _ -> built end},
    maps:merge(#{'__struct__' => 'Elixir.My.User', '__meta__' => Meta, id => nil, name => nil,
                 email => <<"a@b">>, inserted_at => nil, updated_at => nil}, Fields).

changeset(Data, Changes, Types, Constraints) ->
    #{'__struct__' => 'Elixir.Ecto.Changeset', action => nil, repo => nil, repo_opts => [],
      prepare => [], errors => [], 'valid?' => true, params => nil, filters => #{}, data => Data,
      changes => Changes, types => Types, constraints => Constraints}.

struct(Name, Fields) -> Fields#{'__struct__' => Name, calendar => 'Elixir.Calendar.ISO'}.

date(Y, M, D) -> struct('Elixir.Date', #{year => Y, month => M, day => D}).

time(H, M, S, Us) ->
    struct('Elixir.Time', #{hour => H, minute => M, second => S, microsecond => Us}).

naive(Date, Time) -> maps:merge(maps:merge(Date, Time), #{'__struct__' => 'Elixir.NaiveDateTime'}).

utc(Naive) ->
    Naive#{'__struct__' => 'Elixir.DateTime', time_zone => <<"Etc/UTC">>, zone_abbr => <<"UTC">>,
           utc_offset => 0, std_offset => 0}.

calendars() ->
    [{"date", date(2026, 11, 24)}, {"date_leap", date(2024, 2, 29)}, {"date_year_7", date(7, 1, 2)},
     {"date_year_0", date(0, 12, 31)}, {"date_negative", date(-44, 3, 15)},
     {"date_first", date(-9999, 1, 1)}, {"date_last", date(9999, 12, 31)},
     {"time", time(21, 12, 51, {0, 0})}, {"time_zero", time(0, 0, 0, {0, 6})},
     {"time_us", time(23, 59, 59, {999999, 6})}, {"time_ms", time(1, 2, 3, {120000, 3})},
     {"time_cut", time(1, 2, 3, {129999, 2})}, {"time_hidden", time(1, 2, 3, {129999, 0})},
     {"naive", naive(date(2026, 11, 24), time(21, 12, 51, {0, 0}))},
     {"naive_us", naive(date(2026, 11, 24), time(21, 12, 51, {42, 6}))},
     {"naive_negative", naive(date(-1, 1, 1), time(0, 0, 0, {0, 0}))},
     {"utc", utc(naive(date(2026, 11, 24), time(21, 12, 51, {0, 0})))},
     {"utc_us", utc(naive(date(2026, 11, 24), time(21, 12, 51, {100000, 6})))}].

%% exqlite binds a UTC DateTime as the NaiveDateTime of the same fields.
calendar({Name, #{'__struct__' := Struct} = Term}) ->
    Module = case Struct of 'Elixir.DateTime' -> 'Elixir.NaiveDateTime'; _ -> Struct end,
    write("structs", Name, ".etf", term_to_binary(Term)),
    write("structs", Name, ".txt", Module:to_iso8601(Term)).

%% {Name, Sign, Coef, Exp, what Decimal.to_string(D, :normal) gives}
decimals() ->
    Big = 123456789012345678901234567890123456789,
    Nines = lists:duplicate(4096, $9),
    [{"decimal_0", 1, 0, 0, "0"}, {"decimal_minus_0", -1, 0, 0, "-0"},
     {"decimal_0_00", 1, 0, -2, "0.00"}, {"decimal_000", 1, 0, 2, "000"},
     {"decimal_12_30", 1, 1230, -2, "12.30"}, {"decimal_0_5", 1, 5, -1, "0.5"},
     {"decimal_0_005", -1, 5, -3, "-0.005"}, {"decimal_1200", 1, 12, 2, "1200"},
     {"decimal_1000000000", 1, 1000000000, 0, "1000000000"},
     {"decimal_max_64", 1, 16#FFFFFFFFFFFFFFFF, 0, "18446744073709551615"},
     {"decimal_big", -1, Big, -10, "-12345678901234567890123456789.0123456789"},
     {"decimal_padded_limbs", 1, 1000000000000000000001, 0, "1000000000000000000001"},
     {"decimal_4096_digits", 1, list_to_integer(Nines), 0, Nines},
     {"decimal_4096_zeros", 1, 1, 4095, [$1 | lists:duplicate(4095, $0)]},
     {"decimal_4096_fraction", 1, 1, -4095, ["0.", lists:duplicate(4094, $0), "1"]}].

dec(Sign, Coef, Exp) -> #{'__struct__' => 'Elixir.Decimal', sign => Sign, coef => Coef, exp => Exp}.

decimal({Name, Sign, Coef, Exp, Text}) ->
    write("structs", Name, ".etf", term_to_binary(dec(Sign, Coef, Exp))),
    write("structs", Name, ".txt", Text).

%% Structs that cannot be stored.
bad_structs() ->
    Utc = utc(naive(date(2026, 11, 24), time(21, 12, 51, {0, 0}))),
    [{"date_month_13", date(2026, 13, 1)}, {"date_month_0", date(2026, 0, 1)},
     {"date_day_29", date(2025, 2, 29)}, {"date_day_0", date(2026, 1, 0)},
     {"date_century", date(1900, 2, 29)},
     {"date_year_10000", date(10000, 1, 1)}, {"date_year_float", date(2026.0, 1, 1)},
     {"date_calendar", (date(2026, 1, 1))#{calendar => 'Elixir.Calendar.Holocene'}},
     {"date_no_day", maps:remove(day, date(2026, 1, 1))},
     {"date_big_year", date(1 bsl 80, 1, 1)},
     {"time_hour_24", time(24, 0, 0, {0, 0})}, {"time_minute_60", time(0, 60, 0, {0, 0})},
     {"time_second_60", time(0, 0, 60, {0, 0})}, {"time_negative", time(-1, 0, 0, {0, 0})},
     {"time_us_value", time(0, 0, 0, {1000000, 6})}, {"time_us_precision", time(0, 0, 0, {0, 7})},
     {"time_us_shape", time(0, 0, 0, {0, 6, 0})}, {"time_us_none", time(0, 0, 0, 0)},
     {"datetime_zone", Utc#{time_zone => <<"Europe/Berlin">>, utc_offset => 3600}},
     {"datetime_offset", Utc#{utc_offset => 60}}, {"datetime_dst", Utc#{std_offset => 3600}},
     {"decimal_nan", dec(1, 'NaN', 0)}, {"decimal_inf", dec(1, inf, 0)},
     {"decimal_sign", dec(0, 1, 0)}, {"decimal_coef", dec(1, -1, 0)},
     {"decimal_coef_float", dec(1, 1.0, 0)}, {"decimal_exp_float", dec(1, 1, 1.0)},
     {"decimal_exp_big", dec(1, 1, 1 bsl 70)}, {"decimal_exp_over", dec(1, 1, 4096)},
     {"decimal_exp_under", dec(1, 1, -4096)}, {"decimal_exp_min", dec(1, 1, -16#8000000000000000)},
     {"decimal_4097_digits", dec(1, list_to_integer(lists:duplicate(4097, $9)), 0)},
     {"decimal_huge", dec(1, 1 bsl 80000, 0)},
     {"decimal_no_exp", maps:remove(exp, dec(1, 1, 0))}].
