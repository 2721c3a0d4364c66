%% Names, delays, the port's messages, the clash with the Hex package, what Elixir asks a module.
-module(ecto_litefs_small_tests).

-include_lib("eunit/include/eunit.hrl").

names_test_() ->
    [?_assertEqual('Elixir.EctoLiteFS.Supervisor.MyApp.Repo',
                   'Elixir.EctoLiteFS.Supervisor':supervisor_name('Elixir.MyApp.Repo')),
     ?_assertEqual('Elixir.EctoLiteFS.Tracker.MyApp.Repo',
                   'Elixir.EctoLiteFS.Tracker':process_name('Elixir.MyApp.Repo')),
     ?_assertEqual('Elixir.EctoLiteFS.Poller.MyApp.Repo',
                   'Elixir.EctoLiteFS.Poller':process_name('Elixir.MyApp.Repo')),
     ?_assertEqual('Elixir.EctoLiteFS.EventStream.MyApp.Repo',
                   'Elixir.EctoLiteFS.EventStream':process_name('Elixir.MyApp.Repo')),
     ?_assertEqual('Elixir.EctoLiteFS.MyApp.Repo.ETS',
                   'Elixir.EctoLiteFS.Tracker':ets_table_name('Elixir.MyApp.Repo')),
     ?_assertEqual('Elixir.EctoLiteFS.Tracker.plain', 'Elixir.EctoLiteFS.Tracker':process_name(plain))].

backoff_test_() ->
    U = 'Elixir.EctoLiteFS.Utils',
    [?_assert(between(100, 150, U:backoff_delay(0))),
     ?_assert(between(800, 1200, U:backoff_delay(3))),
     ?_assert(between(30000, 45000, U:backoff_delay(1000000))),
     ?_assertEqual(400, U:backoff_delay(2, [{jitter, 0.0}])),
     ?_assertEqual(1000, U:backoff_delay(9, [{jitter, 0}, {max_delay, 1000}])),
     ?_assert(between(400, 520, U:backoff_delay(3, [{base_delay, 50}, {jitter, 0.3}]))),
     ?_assert(length(lists:usort([U:backoff_delay(3) || _ <- lists:seq(1, 50)])) > 1)].

between(Low, High, N) ->
    is_integer(N) andalso Low =< N andalso N =< High.

port_messages_test_() ->
    State = #{role => replica, hostname => <<"h">>, node => nil, mount => live, lag => 0,
              positions => #{}, sources => #{}},
    [[?_assertEqual({ok, Message}, ecto_litefs_port:message(term_to_binary(Message)))
      || Message <- [{configured, t}, {change, State}, {refresh, t, State}, {error, t, <<"why">>},
                     {position, <<"db">>, <<"1">>, <<"2">>}]],
     [?_assertEqual(error, ecto_litefs_port:message(term_to_binary(Message)))
      || Message <- [hello, {change, #{}}, {change, State#{role := leader}},
                     {change, State#{node := a@b}}, {refresh, t, State#{hostname := "h"}},
                     {change, State#{mount := fuse}}, {change, State#{sources := []}},
                     {error, t, text}, {position, db, 1, 2}]],
     ?_assertEqual(error, ecto_litefs_port:message(<<>>)),
     ?_assertEqual(error, ecto_litefs_port:message(<<131, 104, 5>>))].

clash_test_() ->
    {setup, fun() ->
        Base = filename:join(filename:basedir(user_cache, "ecto_litefs_tests"),
                             os:getpid() ++ integer_to_list(erlang:unique_integer([positive]))),
        Dirs = [filename:join(Base, N) || N <- ["a", "b", "empty"]],
        lists:foreach(fun(D) -> ok = filelib:ensure_path(D) end, Dirs),
        [ok = file:write_file(filename:join(D, "Elixir.EctoLiteFS.beam"), <<>>)
         || D <- lists:droplast(Dirs)],
        {Base, Dirs}
     end,
     fun({Base, _}) -> ok = file:del_dir_r(Base) end,
     fun({_, [A, B, Empty]}) ->
        [?_assertEqual(none, ecto_litefs_clash:find([A, Empty, A], "/x/Elixir.EctoLiteFS.erl")),
         ?_assertEqual(none, ecto_litefs_clash:find([A], "")),
         ?_assertEqual({twice, [A, B]}, ecto_litefs_clash:find([B, A], "/x/Elixir.EctoLiteFS.erl")),
         ?_assertEqual({foreign, "/x/ecto_litefs.ex"}, ecto_litefs_clash:find([A], "/x/ecto_litefs.ex"))]
     end}.

%% As Elixir's compiler and tools ask.
info_test_() ->
    [?_assert(lists:member({get_primary, 1}, 'Elixir.EctoLiteFS':'__info__'(functions))),
     ?_assertNot(lists:keymember(module_info, 1, 'Elixir.EctoLiteFS':'__info__'(functions))),
     ?_assertNot(lists:keymember('__info__', 1, 'Elixir.EctoLiteFS':'__info__'(functions))),
     ?_assertEqual([], 'Elixir.EctoLiteFS':'__info__'(macros)),
     ?_assertEqual('Elixir.EctoLiteFS', 'Elixir.EctoLiteFS':'__info__'(module)),
     ?_assertMatch(<<_:128>>, 'Elixir.EctoLiteFS':'__info__'(md5)),
     ?_assertEqual(nil, 'Elixir.EctoLiteFS':'__info__'(struct)),
     ?_assertError(function_clause, 'Elixir.EctoLiteFS':'__info__'(nonsense))].
