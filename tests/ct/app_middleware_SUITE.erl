%% The middleware: what stays here, what is forwarded and how, what comes back, what is told about
%% it. The port program, Ecto and EctoMiddleware are stand-ins; the primaries are BEAM nodes.
-module(app_middleware_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(API, 'Elixir.EctoLiteFS').
-define(SUP, 'Elixir.EctoLiteFS.Supervisor').
-define(MIDDLEWARE, 'Elixir.EctoLiteFS.Middleware').
-define(REPO, 'Elixir.App.Repo').
-define(OTHER, 'Elixir.App.Other').

-define(READS, [get, 'get!', get_by, 'get_by!', one, 'one!', all, reload, 'reload!', preload]).
-define(WRITES, [insert, 'insert!', update, 'update!', delete, 'delete!', insert_or_update,
                 'insert_or_update!', insert_all, update_all, delete_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [reads_stay, writes_stay_on_the_primary, no_supervisor, role_unknown, primary_not_connected,
     not_ready_yet, failing_row, writes_are_forwarded, timeout, no_connection, no_connection_with_ecto, raised_there,
     what_travels, ectolitefs_1_0_as_primary, c_node_as_primary, build_is_asked_for_once,
     build_cannot_be_asked_for, two_repos, without_telemetry, lost_primary_is_waited_for, lost_for_good,
     changes_while_writing, row_fails_after_a_lost_attempt, own_calls_of_a_block,
     waiting_counts, waiting_for_the_row_counts,
     waiting_counts_with_a_c_node].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_testcase(_, Config) ->
    ok = app_world:start(),
    [app_world:repo(Repo, []) || Repo <- [?REPO, ?OTHER]],
    Paths = lists:append([["-pa", filename:dirname(code:which(M))] || M <- [?MODULE, ?API]]),
    {Peer, Node} = ct_env:peer(#{args => Paths}),
    pong = net_adm:ping(Node),
    [{port, app_port:start(ct_env:dir(Config))}, {peer, Peer}, {node, Node} | Config].

end_per_testcase(_, Config) ->
    [begin unlink(Pid), gen_server:stop(Pid, shutdown, 10000) end
     || Repo <- [?REPO, ?OTHER], Pid <- [whereis(?SUP:supervisor_name(Repo))], is_pid(Pid)],
    ok = app_port:stop(?config(port, Config)),
    ok = app_world:stop().

%% Here

reads_stay(Config) ->
    replica(Config),
    [begin
         Resolution = resolution(Action, fun ?MODULE:here/2),
         %% Nothing is put round the Repo's own function.
         ?assertEqual({here, node(), query, Resolution}, ?MIDDLEWARE:process(query, Resolution))
     end || Action <- ?READS],
    ?assertEqual([], forwards()).

writes_stay_on_the_primary(Config) ->
    start(Config, ?REPO, app_port:state(primary)),
    [?assertMatch({here, Node, changeset, #{action := Action}} when Node =:= node(), process(Action))
     || Action <- ?WRITES],
    ?assertEqual([], forwards()).

no_supervisor(_Config) ->
    ?assertMatch({here, Node, changeset, _} when Node =:= node(), process(insert)),
    [Log] = app_world:logs(debug),
    ?assertNotEqual(nomatch, binary:match(Log, <<"'Elixir.App.Repo'">>)),
    ?assertNotEqual(nomatch, binary:match(Log, <<"passing through">>)).

role_unknown(Config) ->
    start(Config, ?REPO, app_port:state(unknown)),
    [?assertEqual({error, primary_unavailable}, process(Action)) || Action <- ?WRITES],
    ?assertMatch({here, _, _, _}, process(get)).

primary_not_connected(Config) ->
    start(Config, ?REPO, app_port:state(replica, #{node => <<"gone@nowhere">>})),
    app_world:put_row(?REPO, <<"gone@nowhere">>),
    ?assertEqual({error, primary_unavailable}, process(insert)).

%% A supervisor runs, and nothing has been announced: the role is unknown, and unknown never writes.
not_ready_yet(_Config) ->
    {ok, _} = ?SUP:start_link([{repo, ?REPO}, {primary_file, file(?REPO)}]),
    ?assertEqual({error, not_ready}, ?API:get_primary(?REPO)),
    ?assertEqual({error, primary_unavailable}, process(insert)).

failing_row(Config) ->
    app_world:break(?REPO, {<<"SELECT">>, {error, disk_on_fire}}),
    start(Config, ?REPO, app_port:state(replica, #{sources => #{}})),
    ?assertEqual({error, disk_on_fire}, process(insert)).

%% Forwarded

writes_are_forwarded(Config) ->
    Node = replica(Config),
    [begin
         app_world:forget(),
         ?assertMatch({here, Node, changeset, #{action := Action}}, process(Action)),
         Metadata = #{repo => ?REPO, action => Action, primary_node => Node},
         ?assertMatch([{[ecto_litefs, forward, start], #{system_time := System}, Metadata},
                       {[ecto_litefs, forward, stop], #{duration := Duration}, Metadata}]
                        when is_integer(System) andalso Duration > 0, forwards())
     end || Action <- ?WRITES].

timeout(Config) ->
    Node = replica(Config, [{erpc_timeout, 200}]),
    ?assertEqual({error, {erpc, timeout, Node}}, process(insert, fun ?MODULE:sleep/2)),
    Metadata = #{repo => ?REPO, action => insert, primary_node => Node, reason => timeout},
    ?assertMatch([{[ecto_litefs, forward, start], _, _},
                  {[ecto_litefs, forward, exception], #{duration := Duration}, Metadata}]
                   when Duration > 0, forwards()).

no_connection(Config) ->
    start(Config, ?REPO, app_port:state(primary)),
    ct_wait:until(fun() -> ?API:'tracker_ready?'(?REPO) end),
    ok = ?API:set_primary(?REPO, 'fake@127.0.0.1'),
    ?assertEqual({error, {erpc, noconnection, 'fake@127.0.0.1'}}, process(delete)),
    ?assertMatch([_, {[ecto_litefs, forward, exception], _, #{reason := noconnection, action := delete}}],
                 forwards()).

%% The same in an application with Ecto, and what its tests put in the place of `EctoLiteFS.RPC' is called.
no_connection_with_ecto(Config) ->
    start(Config, ?REPO, app_port:state(primary), [{erpc_timeout, 3000}]),
    ct_wait:until(fun() -> ?API:'tracker_ready?'(?REPO) end),
    ok = ?API:set_primary(?REPO, 'fake@127.0.0.1'),
    with_remote(fun() ->
        ?assertEqual({error, {erpc, noconnection, 'fake@127.0.0.1'}}, process(delete)),
        Rpc = 'Elixir.EctoLiteFS.RPC',
        ok = app_world:load(Rpc, ["call(_, Fun, _) -> Fun()."]),
        try
            ?assertMatch({here, _, changeset, #{action := insert}}, process(insert))
        after
            app_world:unload(Rpc)
        end
    end).

raised_there(Config) ->
    _ = replica(Config),
    ?assertError({exception, #{'__struct__' := 'Elixir.Ecto.ConstraintError'}, [_ | _]},
                 process(insert, fun ?MODULE:raise/2)),
    ?assertThrow(thrown, process(insert, fun ?MODULE:throw_it/2)),
    ?assertExit({exception, left}, process(insert, fun ?MODULE:leave/2)).

%% erlang:apply/2 of a fun of EctoLiteFS.Middleware: see ecto_litefs_closure_tests for its shape.
%% Here the place of `EctoLiteFS.RPC' is taken as an application's tests take it.
what_travels(Config) ->
    start(Config, ?REPO, app_port:state(primary)),
    ct_wait:until(fun() -> ?API:'tracker_ready?'(?REPO) end),
    ok = ?API:set_primary(?REPO, 'fake@127.0.0.1'),
    Rpc = 'Elixir.EctoLiteFS.RPC',
    ok = app_world:load(Rpc, ["call(Node, Fun, Timeout) -> {called, Node, Fun, Timeout}."]),
    try
        {called, 'fake@127.0.0.1', Fun, Timeout} = process(insert),
        ?assert(Timeout > 14000 andalso Timeout =< 15000),
        {env, [Super, changeset, #{action := insert, repo := ?REPO, args := [changeset, []],
                                   private := #{'__super__' := Wrapped}}]} = erlang:fun_info(Fun, env),
        ?assertEqual(fun ?MODULE:here/2, Super),
        ?assertEqual([{module, ?MIDDLEWARE}, {module, ?MIDDLEWARE}],
                     [erlang:fun_info(F, module) || F <- [Fun, Wrapped]])
    after
        app_world:unload(Rpc)
    end.

%% A primary that has another build of the same module, which makes the same fun: it runs its own.
ectolitefs_1_0_as_primary(Config) ->
    Node = replica(Config),
    ok = load_other_build(Node),
    ?assertMatch({other_build, {here, Node, changeset, _}}, process(insert)).

%% It has no modules, and is sent what every node of our build is sent.
c_node_as_primary(Config) ->
    #{name := Name} = ct_node:start(Config),
    pong = net_adm:ping(Name),
    app_world:put_row(?REPO, atom_to_binary(Name)),
    start(Config, ?REPO, app_port:state(replica, #{node => atom_to_binary(Name)})),
    ?assertEqual({ok, Name}, ?API:get_primary(?REPO)),
    _ = (catch process(insert)),
    ?assertEqual({ok, own}, ecto_litefs_cache:build(?REPO, Name)).

build_is_asked_for_once(Config) ->
    Node = replica(Config),
    ?assertEqual(none, ecto_litefs_cache:build(?REPO, Node)),
    ?assertMatch({here, Node, _, _}, process(insert)),
    ?assertEqual({ok, own}, ecto_litefs_cache:build(?REPO, Node)),
    %% When the node is back it may be another build.
    ok = peer:stop(?config(peer, Config)),
    ct_wait:until(fun() -> none =:= ecto_litefs_cache:build(?REPO, Node) end).

%% Nothing is sent then. (The primary is stopped by a signal: connected, and silent.)
build_cannot_be_asked_for(Config) ->
    Node = replica(Config, [{erpc_timeout, 200}]),
    OsPid = erpc:call(Node, os, getpid, []),
    ct_os:signal(OsPid, "STOP"),
    try
        ?assertEqual({error, {erpc, timeout, Node}}, process(insert)),
        ?assertMatch([_, {[ecto_litefs, forward, exception], _, #{reason := timeout}}], forwards()),
        ?assertEqual(none, ecto_litefs_cache:build(?REPO, Node))
    after
        ct_os:signal(OsPid, "CONT")
    end.

two_repos(Config) ->
    Node = replica(Config),
    start(Config, ?OTHER, app_port:state(primary)),
    ?assertMatch({here, Node, _, _}, process(insert)),
    Local = (resolution(insert, fun ?MODULE:here/2))#{repo := ?OTHER},
    ?assertMatch({here, Here, _, _} when Here =:= node(), ?MIDDLEWARE:process(changeset, Local)).

without_telemetry(Config) ->
    Node = replica(Config),
    ok = app_world:unload(telemetry),
    ?assertMatch({here, Node, _, _}, process(insert)).

%% Nothing has been sent yet, so that whoever is primary next gets it.
lost_primary_is_waited_for(Config) ->
    Node = replica(Config),
    Replica = app_port:state(replica, #{node => atom_to_binary(Node)}),
    [begin
         lose(Config),
         Self = self(),
         Writer = spawn_link(fun() -> Self ! {self(), process(insert)} end),
         ct_wait:until(fun() -> {current_function, {timer, sleep, 1}} =:= process_info(Writer, current_function) end),
         ok = app_port:announce(?config(port, Config), file(?REPO), State),
         receive {Writer, Result} -> ?assertMatch({here, Primary, changeset, _}, Result) end
     end || {State, Primary} <- [{Replica, Node}, {app_port:state(primary), node()}]].

lost_for_good(Config) ->
    _ = replica(Config, [{erpc_timeout, 200}]),
    lose(Config),
    Started = erlang:monotonic_time(millisecond),
    ?assertEqual({error, primary_unavailable}, process(insert)),
    ?assert(erlang:monotonic_time(millisecond) - Started >= 200).

lose(Config) ->
    ok = app_port:announce(?config(port, Config), file(?REPO), app_port:state(unknown)),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, nil} end).

%% The first attempt has written nothing, and then nobody can tell who the primary is.
row_fails_after_a_lost_attempt(Config) ->
    Node = ?config(node, Config),
    app_world:put_row(?REPO, atom_to_binary(Node)),
    start(Config, ?REPO, app_port:state(replica, #{sources => #{}})),
    {ok, Node} = ?API:get_primary(?REPO),
    with_remote(fun() ->
        ok = ecto_litefs_cache:keep_kind(?REPO, Node, cnode),
        ?assertEqual({error, disk_on_fire}, process(insert, fun(_, _) ->
            app_world:break(?REPO, {<<"SELECT">>, {error, disk_on_fire}}),
            ok = ?API:invalidate_cache(?REPO),
            error(connection_error({not_written, lost}))
        end)),
        ?assertMatch([_, {[_, _, exception], _, #{reason := disk_on_fire}}], forwards())
    end).

%% A write has erpc_timeout, part of which it has waited for its primary.
waiting_counts(Config) ->
    Node = replica(Config, [{erpc_timeout, 2000}]),
    [begin
         lose(Config),
         {Pid, Monitor} = spawn_monitor(fun() ->
             Started = erlang:monotonic_time(millisecond),
             ?assertEqual({error, {erpc, timeout, Node}}, Write()),
             exit({took, erlang:monotonic_time(millisecond) - Started})
         end),
         timer:sleep(1500),
         ok = app_port:announce(?config(port, Config), file(?REPO),
                                app_port:state(replica, #{node => atom_to_binary(Node)})),
         receive {'DOWN', Monitor, process, Pid, {took, Ms}} -> ?assert(Ms < 2500) end
     end || Write <- [fun() -> process(insert, fun ?MODULE:sleep/2) end,
                      fun() -> ?API:on_primary(?REPO, fun ?MODULE:sleep/0) end]].

%% The row is out of date and the Repo, through which it is read, hangs: what was known last has to do.
waiting_for_the_row_counts(Config) ->
    Node = replica(Config, [{erpc_timeout, 1000}, {cache_ttl, 100}]),
    ok = app_world:break(?REPO, {<<"SELECT node_name">>, hang}),
    timer:sleep(300),
    Started = erlang:monotonic_time(millisecond),
    _ = process(insert),
    ?assert(erlang:monotonic_time(millisecond) - Started < 2000),
    ?assertEqual({ok, Node}, ecto_litefs_cache:last_primary(?REPO)).

%% Its statements have what is left of the time.
waiting_counts_with_a_c_node(Config) ->
    Node = replica(Config),
    with_remote(fun() ->
        ok = ecto_litefs_cache:keep_kind(?REPO, Node, cnode),
        lose(Config),
        Self = self(),
        Started = erlang:monotonic_time(millisecond),
        Writer = spawn_link(fun() ->
            Self ! {self(), process(insert, fun(_, _) -> ecto_litefs_call:started(?REPO) end)}
        end),
        timer:sleep(500),
        ok = app_port:announce(?config(port, Config), file(?REPO),
                               app_port:state(replica, #{node => atom_to_binary(Node)})),
        receive {Writer, Began} -> ?assert(Began - Started < 400) end
    end).

%% What a fun's own calls of erpc come to is not about the primary.
own_calls_of_a_block(Config) ->
    Node = replica(Config),
    Fails = fun ?MODULE:fail_elsewhere/0,
    ?assertError({erpc, noconnection}, ?API:on_primary(?REPO, Fails)),
    with_remote(fun() ->
        ok = ecto_litefs_cache:keep_kind(?REPO, Node, cnode),
        ?assertError({erpc, noconnection}, ?API:on_primary(?REPO, Fails)),
        ?assertError({erpc, noconnection}, process(insert, fun(_, _) -> fail_elsewhere() end))
    end).

%% The role goes to and fro under several writers. Every write ran on the one node or on the other, and none
%% fails for the change itself.
changes_while_writing(Config) ->
    Node = replica(Config),
    Replica = app_port:state(replica, #{node => atom_to_binary(Node)}),
    Writers = [spawn_monitor(fun() -> write_on(#{}) end) || _ <- lists:seq(1, 4)],
    lists:foreach(fun(N) ->
        {State, Primary} = lists:nth(1 + N rem 3, [{Replica, Node}, {app_port:state(primary), node()},
                                                   {app_port:state(unknown), nil}]),
        ok = app_port:announce(?config(port, Config), file(?REPO), State),
        %% Whoever was primary last has left its name in the row.
        app_world:put_row(?REPO, atom_to_binary(Node)),
        ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, Primary} end)
    end, lists:seq(1, 30)),
    app_port:announce(?config(port, Config), file(?REPO), Replica),
    Counts = [begin
                  Pid ! stop,
                  receive {'DOWN', Monitor, process, Pid, {shutdown, Count}} -> Count end
              end || {Pid, Monitor} <- Writers],
    ?assertEqual(lists:sort([{here, node()}, {here, Node}]),
                 lists:usort(lists:append([maps:keys(C) || C <- Counts]))).

write_on(Count) ->
    receive
        stop -> exit({shutdown, Count})
    after 0 ->
        Key = case process(insert) of
            {here, Where, changeset, _} -> {here, Where};
            Other -> Other
        end,
        write_on(maps:update_with(Key, fun(N) -> N + 1 end, 1, Count))
    end.

%% A Repo's own functions, stand-ins; they run on either node.

here(Resource, Resolution) -> {here, node(), Resource, Resolution}.

sleep(_, _) -> sleep().

sleep() -> timer:sleep(5000).

raise(_, _) -> error(#{'__struct__' => 'Elixir.Ecto.ConstraintError', '__exception__' => true}).

throw_it(_, _) -> erlang:throw(thrown).

leave(_, _) -> exit(left).

fail_elsewhere() -> erpc:call('elsewhere@127.0.0.1', erlang, node, []).

%% Helpers

%% As if the Repo's second instance ran.
with_remote(Fun) ->
    ok = app_world:load(?REPO, ["'__adapter__'() -> stand_in.", "config() -> [].",
                                "get_dynamic_repo() -> case get(dynamic) of undefined -> 'Elixir.App.Repo'; R -> R end.",
                                "put_dynamic_repo(Repo) -> Before = get_dynamic_repo(), put(dynamic, Repo), Before."]),
    Pid = spawn_link(fun() -> receive stop -> ok end end),
    true = register(ecto_litefs_names:remote(?REPO), Pid),
    try Fun() after Pid ! stop end.

connection_error(Reason) ->
    #{'__struct__' => 'Elixir.DBConnection.ConnectionError', '__exception__' => true, severity => error,
      message => <<>>, reason => Reason}.

process(Action) ->
    process(Action, fun ?MODULE:here/2).

process(Action, Super) ->
    ?MIDDLEWARE:process(changeset, resolution(Action, Super)).

resolution(Action, Super) ->
    #{'__struct__' => 'Elixir.EctoMiddleware.Resolution', repo => ?REPO, action => Action,
      args => [changeset, []], middleware => [], private => #{'__super__' => Super}}.

replica(Config) ->
    replica(Config, []).

replica(Config, Options) ->
    Node = ?config(node, Config),
    app_world:put_row(?REPO, atom_to_binary(Node)),
    start(Config, ?REPO, app_port:state(replica, #{node => atom_to_binary(Node)}), Options),
    {ok, Node} = ?API:get_primary(?REPO),
    Node.

start(Config, Repo, State) ->
    start(Config, Repo, State, []).

start(Config, Repo, State, Options) ->
    ok = app_port:announce(?config(port, Config), file(Repo), State),
    {ok, Pid} = ?SUP:start_link([{repo, Repo}, {primary_file, file(Repo)} | Options]),
    unlink(Pid),
    %% The stand-in's VM may take longer than a start waits.
    ct_wait:until(fun() -> ?API:get_primary(Repo) =/= {error, not_ready} end),
    ok.

file(Repo) ->
    <<"/stand-in/", (atom_to_binary(Repo))/binary>>.

forwards() ->
    [E || {[_, forward, _], _, _} = E <- app_world:events()].

%% A stand-in for EctoLiteFS 1.0's middleware: the same fun, first of the module, of another build.
load_other_build(Node) ->
    Text = "forwarded(Super, Resource, Resolution) -> fun() -> {other_build, Super(Resource, Resolution)} end.",
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Form} = erl_parse:parse_form(Tokens),
    {ok, Module, Binary} = compile:forms([{attribute, 1, module, ?MIDDLEWARE},
                                          {attribute, 1, compile, export_all}, Form]),
    {module, Module} = erpc:call(Node, code, load_binary, [Module, "stand-in", Binary]),
    ok.
