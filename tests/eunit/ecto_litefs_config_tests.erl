-module(ecto_litefs_config_tests).

-include_lib("eunit/include/eunit.hrl").

defaults_test() ->
    ?assertEqual(#{'__struct__' => 'Elixir.EctoLiteFS.Config', repo => 'Elixir.MyApp.Repo',
                   primary_file => <<"/litefs/.primary">>, poll_interval => 30000,
                   event_stream_url => <<"http://localhost:20202/events">>,
                   table_name => <<"_ecto_litefs_primary">>, cache_ttl => 5000,
                   refresh_grace_period => 100, erpc_timeout => 15000, detection => port,
                   database => nil, pool_size => 256, read_your_writes => false, ack => local,
                   ack_timeout => 5000},
                 new([])).

every_option_can_be_given_test() ->
    Options = [{primary_file, <<"/custom/.primary">>}, {poll_interval, 10000},
               {event_stream_url, <<"http://custom:8080/events">>}, {table_name, <<"_t9">>},
               {cache_ttl, 1000}, {refresh_grace_period, 500}, {erpc_timeout, 1},
               {detection, driver}, {database, <<"/data/app.db">>}, {pool_size, 1},
               {read_your_writes, 500}, {ack, {replicas, 2}}, {ack_timeout, 7}],
    ?assertEqual(maps:from_list(Options), maps:with([K || {K, _} <- Options], new(Options))).

either_source_can_be_switched_off_test() ->
    ?assertMatch(#{poll_interval := false, event_stream_url := false},
                 new([{poll_interval, false}, {event_stream_url, false}])).

last_one_counts_test() ->
    ?assertMatch(#{cache_ttl := 2}, new([{cache_ttl, 1}, {cache_ttl, 2}])).

but_each_is_checked_test() ->
    ?assertMatch(<<"EctoLiteFS.Config :cache_ttl must be", _/binary>>,
                 refused([{repo, r}, {cache_ttl, 0}, {cache_ttl, 2}])).

repo_test_() ->
    [?_assertEqual(<<"EctoLiteFS.Config requires :repo option">>, refused([])),
     ?_assertEqual(<<"EctoLiteFS.Config :repo must be an atom">>, refused([{repo, <<"MyApp.Repo">>}]))].

bad_values_test_() ->
    [{lists:flatten(io_lib:format("~p ~p", [Key, Value])),
      ?_assertEqual(unicode:characters_to_binary(
                        io_lib:format("EctoLiteFS.Config :~s must be ~s, got: ~0tp", [Key, What, Value])),
                    refused([{repo, r}, {Key, Value}]))}
     || {What, Keys, Values} <- bad(), Key <- Keys, Value <- Values].

bad() ->
    [{"a positive integer", [poll_interval, cache_ttl, refresh_grace_period, erpc_timeout],
      [0, -1, 1.5, <<"1000">>, nil, true, infinity]},
     {"a positive integer", [cache_ttl, refresh_grace_period, erpc_timeout, pool_size, ack_timeout],
      [false]},
     {"true, false or a positive integer", [read_your_writes], [0, -1, 1.5, nil, <<"1">>]},
     {"local or {replicas, 1 to 64}", [ack],
      [remote, nil, {replicas, 0}, {replicas, 65}, {replicas, all}, {replicas, 1, 2}, 1]},
     {"a non-empty string", [primary_file, event_stream_url, database], [<<>>, "charlist", 7, true]},
     {"a non-empty string", [primary_file], [nil, false]},
     {"a string", [table_name], [t, "t", nil]},
     {"a valid SQL identifier (letters, digits and underscores, not beginning with a digit)",
      [table_name], [<<>>, <<"9t">>, <<"a b">>, <<"foo; DROP TABLE users; --">>, <<"t\n">>, <<"é"/utf8>>]},
     {"port or driver", [detection], [nif, <<"port">>, nil]}].

unknown_option_test() ->
    ?assertError(#{'__struct__' := 'Elixir.KeyError', '__exception__' := true, key := pol_interval,
                   term := #{'__struct__' := 'Elixir.EctoLiteFS.Config'},
                   message := <<"key pol_interval not found in: ", _/binary>>},
                 new([{pol_interval, 1}])).

struct_key_is_no_option_test() ->
    ?assertError(#{'__struct__' := 'Elixir.ArgumentError'},
                 ecto_litefs_config:new([{repo, r}, not_a_pair])).

enforced_key_test() ->
    ?assertMatch(#{repo := r}, 'Elixir.EctoLiteFS.Config':'__struct__'([{repo, r}])),
    ?assertError(#{'__struct__' := 'Elixir.ArgumentError'}, 'Elixir.EctoLiteFS.Config':'__struct__'([])).

%% `struct!(EctoLiteFS.Config, %{repo: r})'.
struct_of_a_map_test() ->
    Struct = fun 'Elixir.EctoLiteFS.Config':'__struct__'/1,
    ?assertMatch(#{repo := r, cache_ttl := 1}, Struct(#{repo => r, cache_ttl => 1})),
    ?assertError(#{'__struct__' := 'Elixir.ArgumentError'}, Struct(#{cache_ttl => 1})).

%% `EctoLiteFS.Config.t()' in an application's specs.
type_test() ->
    {_, Beam, _} = code:get_object_code('Elixir.EctoLiteFS.Config'),
    {ok, {_, [{abstract_code, {_, Forms}}]}} = beam_lib:chunks(Beam, [abstract_code]),
    ?assertMatch([_], [yes || {attribute, _, export_type, [{t, 0}]} <- Forms]).

info_of_the_struct_test() ->
    Fields = [F || #{field := F} <- 'Elixir.EctoLiteFS.Config':'__info__'(struct)],
    ?assertEqual(lists:sort(maps:keys('Elixir.EctoLiteFS.Config':'__struct__'())),
                 lists:sort(['__struct__' | Fields])).

new(Options) ->
    'Elixir.EctoLiteFS.Config':'new!'([{repo, 'Elixir.MyApp.Repo'} | Options]).

%% The message of the ArgumentError.
refused(Options) ->
    try ecto_litefs_config:new(Options) of
        Config -> error({accepted, Config})
    catch
        error:#{'__struct__' := 'Elixir.ArgumentError', '__exception__' := true, message := Message} ->
            Message
    end.
