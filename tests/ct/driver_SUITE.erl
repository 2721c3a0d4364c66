%% What is the port driver's own: port_control, its life in the VM, and that nothing of it is left behind.
%% Its messages are tested in port_SUITE.
-module(driver_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(DRIVER, "ecto_litefs_drv").
%% Far less than anything that is waited for; a busy machine may take its time.
%% A close that waited for a thread would take 2 s.
-define(PROMPT_US, 1500000).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [control_reads_the_state, change_is_there_when_it_is_told, database_is_refused,
     message_over_the_limit, owner_dies, owner_changes, many_ports, closes_while_the_server_hangs,
     closes_while_news_come, unloads_and_reloads, unloads_when_the_last_port_closes, unloads_with_open_ports,
     thousand_cycles, exports_nothing_else, vm_halts].

init_per_testcase(_Case, Config) ->
    ct_port:start(driver),
    [{transport, driver}, {threads, threads()}, {litefs, ct_litefs:start(Config)} | Config].

end_per_testcase(_Case, Config) ->
    ct_litefs:stop(?config(litefs, Config)),
    ct_port:stop(driver),
    no_thread_is_left(Config).

control_reads_the_state(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    Port = ct_port:open(Config),
    ?assertError(badarg, port_control(Port, 1, <<>>)),
    ct_port:send(Port, {configure, x, ct_port:config(Config, #{})}),
    {configured, x} = ct_port:answer(Port),
    #{} = ct_port:until_role(Port, replica),
    State = #{role := replica, hostname := <<"n1">>} = control(Port),
    ?assertEqual(without_ages(State), without_ages(ct_port:request(Port, state))),
    ?assertError(badarg, port_control(Port, 2, <<>>)),
    ?assertError(badarg, port_control(Port, 1, <<"x">>)),
    ?assertMatch(#{role := replica}, control(Port)),
    ct_port:close(Port).

%% Whoever is told of a change does not read an older state.
change_is_there_when_it_is_told(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    Port = ct_port:configured(Config, #{}),
    #{} = ct_port:until_role(Port, replica),
    [begin
         ct_litefs:say(LiteFS, ct_litefs:change(Role)),
         ?assertMatch(#{role := Expected}, ct_port:change(Port)),
         ?assertMatch(#{role := Expected}, control(Port))
     end || _ <- lists:seq(1, 20), {Role, Expected} <- [{primary, primary}, {{replica, "n1"}, replica}]],
    ct_port:close(Port).

database_is_refused(Config) ->
    Port = ct_port:open(Config),
    ct_port:send(Port, {configure, 1, ct_port:config(Config, #{database => <<"/tmp/app.db">>})}),
    {error, 1, Message} = ct_port:answer(Port),
    ?assertMatch({_, _}, binary:match(Message, <<"database">>)),
    ct_port:send(Port, {configure, 2, ct_port:config(Config, #{})}),
    ?assertEqual({configured, 2}, ct_port:answer(Port)),
    ct_port:close(Port).

message_over_the_limit(Config) ->
    process_flag(trap_exit, true),
    Port = ct_port:configured(Config, #{}),
    port_command(Port, binary:copy(<<"x">>, (1 bsl 20) + 1)),
    ?assertEqual(message_too_large, receive {'EXIT', Port, Reason} -> Reason end).

owner_dies(Config) ->
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() ->
        Self ! {self(), ct_port:configured(Config, #{})},
        exit(receive Reason -> Reason end)
    end),
    Port = receive {Pid, P} -> P end,
    Pid ! killed,
    receive {'DOWN', Ref, _, _, killed} -> ok end,
    ct_wait:until(fun() -> erlang:port_info(Port) =:= undefined end),
    no_thread_is_left(Config).

%% What the port says goes to whoever owns it at that moment.
owner_changes(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Self = self(),
    Other = spawn_link(fun() ->
        receive {Port, configured} ->
            Self ! {self(), ct_port:change(Port)},
            receive stop -> Self ! {self(), port_close(Port)} end
        end
    end),
    Port = ct_port:configured(Config, #{}),
    #{} = ct_port:until_role(Port, primary),
    true = port_connect(Port, Other),
    unlink(Port),
    ct_litefs:say(LiteFS, ct_litefs:change({replica, "n2"})),
    Other ! {Port, configured},
    receive {Other, State} -> ?assertMatch(#{role := replica, hostname := <<"n2">>}, State) end,
    Other ! stop,
    receive {Other, true} -> ok end,
    receive {Port, _} = Message -> ct:fail(Message) after 0 -> ok end.

%% Each with an owner of its own, all at once.
many_ports(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Self = self(),
    Owners = [spawn_link(fun() ->
        Port = ct_port:configured(Config, #{}),
        #{role := primary} = ct_port:until_role(Port, primary),
        Self ! {self(), ready},
        #{role := replica} = ct_port:until_role(Port, replica),
        _ = [#{role := _} = control(Port) || _ <- lists:seq(1, 100)],
        ct_port:close(Port),
        Self ! {self(), done}
    end) || _ <- lists:seq(1, 20)],
    [receive {Owner, ready} -> ok end || Owner <- Owners],
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    ct_litefs:say(LiteFS, ct_litefs:change({replica, "n1"})),
    [receive {Owner, done} -> ok end || Owner <- Owners].

%% A server that takes connections and says nothing, for the stream and the probe alike.
closes_while_the_server_hangs(Config) ->
    {ok, Listener} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Number} = inet:port(Listener),
    Url = iolist_to_binary(["http://127.0.0.1:", integer_to_list(Number), "/events"]),
    Times = [begin
        Port = ct_port:configured(Config, #{event_stream_url => Url}),
        {ok, _} = gen_tcp:accept(Listener, 5000),
        {Us, ok} = timer:tc(fun() -> ct_port:close(Port) end),
        Us
    end || _ <- lists:seq(1, 10)],
    ct:pal("closing took ~w us", [Times]),
    ?assert(lists:max(Times) < ?PROMPT_US).

%% The threads send while they are to end.
closes_while_news_come(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    News = [[ct_litefs:tx("a.db", N), ct_litefs:change(Role)] || N <- lists:seq(1, 50),
                                                                Role <- [{replica, "n1"}, primary]],
    Times = [begin
        Port = ct_port:configured(Config, #{}),
        #{} = ct_port:change(Port),
        ct_litefs:say(LiteFS, News),
        N rem 2 =:= 0 andalso receive {Port, {data, _}} -> ok end,
        {Us, ok} = timer:tc(fun() -> ct_port:close(Port) end),
        flush(),
        receive {Port, _} = Message -> ct:fail(Message) after 0 -> Us end
    end || N <- lists:seq(1, 100)],
    ct:pal("closing took ~b us at most", [lists:max(Times)]),
    ?assert(lists:max(Times) < ?PROMPT_US).

unloads_and_reloads(Config) ->
    ct_port:stop(driver),
    [begin
         await_unmapped(),
         ct_port:start(driver),
         ?assert(is_mapped()),
         Port = ct_port:configured(Config, #{}),
         _ = ct_port:change(Port),
         ct_port:close(Port),
         ct_port:stop(driver)
     end || _ <- lists:seq(1, 20)],
    await_unmapped(),
    ct_port:start(driver).

unloads_when_the_last_port_closes(Config) ->
    Port = ct_port:configured(Config, #{}),
    ct_port:stop(driver),
    ?assert(is_mapped()),
    #{} = ct_port:request(Port, state),
    ct_port:close(Port),
    await_unmapped(),
    ct_port:start(driver).

%% The ports are killed, their threads joined, the code is gone.
unloads_with_open_ports(Config) ->
    process_flag(trap_exit, true),
    ct_port:stop(driver),
    {ok, loaded} = erl_ddll:try_load(ct_port:priv_dir(), ?DRIVER, [{driver_options, [kill_ports]}]),
    Ports = [ct_port:configured(Config, #{}) || _ <- lists:seq(1, 5)],
    {ok, pending_driver, Ref} = erl_ddll:try_unload(?DRIVER, [{monitor, pending_driver}, kill_ports]),
    [?assertEqual(driver_unloaded, receive {'EXIT', Port, Reason} -> Reason end) || Port <- Ports],
    receive {'DOWN', Ref, driver, _, Why} -> ?assertEqual(unloaded, Why) end,
    ?assertNot(is_mapped()),
    no_thread_is_left(Config),
    ct_port:start(driver).

%% In a VM of its own, whose memory and threads are nobody else's.
thousand_cycles(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Configuration = ct_port:config(Config, #{}),
    {ok, Peer, _} = peer:start_link(#{connection => standard_io, args => ["-pa" | code:get_path()],
                                      env => vm_env()}),
    Call = fun(Function, Args) -> peer:call(Peer, ?MODULE, Function, Args, 100000) end,
    ok = Call(load, [driver_dir()]),
    ok = Call(cycles, [Configuration, 200]),
    {Open, Kb} = Call(usage, []),
    ok = Call(cycles, [Configuration, 1000]),
    KbAfter = ct_wait:until(fun() -> {Open, Now} = Call(usage, []), Now end),
    ct:pal("threads and descriptors ~p, ~b KiB before, ~b KiB after", [Open, Kb, KbAfter]),
    ?assert(KbAfter - Kb < 4000),
    peer:stop(Peer).

exports_nothing_else(_Config) ->
    Library = filename:join(ct_port:priv_dir(), ?DRIVER ++ ".so"),
    {0, Out, _} = ct_os:run(os:find_executable("nm"), ["-D", "--defined-only", Library]),
    ?assertMatch([[_, "T", "driver_init"]],
                 [string:lexemes(Line, " ") || Line <- string:lexemes(binary_to_list(Out), "\n")]).

%% With the driver at work, in each way a VM ends by itself: no crash.
vm_halts(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Configuration = ct_port:config(Config, #{poll_interval => 1}),
    [begin
         Code = io_lib:format("ok = ~p:load(~p), ok = ~p:opened(~p), ~s.",
                              [?MODULE, driver_dir(), ?MODULE, Configuration, End]),
         ?assertEqual({0, <<>>, <<>>},
                      ct_os:run(os:find_executable("erl"),
                                ["-noshell", "-pa" | code:get_path()] ++ ["-eval", Code], vm_env()))
     end || _ <- lists:seq(1, 3), End <- ["halt()", "halt(0, [{flush, false}])", "init:stop()"]].

%% For other VMs: these may have a driver with sanitizers (of addresses; the VM itself leaks at its end).

driver_dir() ->
    os:getenv("ECTO_LITEFS_DRIVER_DIR", ct_port:priv_dir()).

vm_env() ->
    case os:getenv("ECTO_LITEFS_DRIVER_PRELOAD") of
        false -> [];
        Libraries -> [{"LD_PRELOAD", Libraries},
                      {"ASAN_OPTIONS", "detect_leaks=0:handle_segv=0:quarantine_size_mb=1"}]
    end.

load(Dir) ->
    Self = self(),
    Pid = spawn(fun() ->
        Self ! {self(), erl_ddll:load(Dir, ?DRIVER)},
        receive stop -> ok end
    end),
    receive {Pid, Result} -> Result end.

%% Closed while nothing is asked yet, while the threads start, and when all is known.
cycles(Configuration, Count) ->
    lists:foreach(fun(N) ->
        Port = open_port({spawn_driver, ?DRIVER}, [binary]),
        N rem 4 > 0 andalso ct_port:send(Port, {configure, x, Configuration}),
        N rem 4 > 1 andalso ({configured, x} = ct_port:answer(Port)),
        N rem 4 > 2 andalso ct_port:change(Port),
        ct_port:close(Port),
        flush()
    end, lists:seq(1, Count)).

opened(Configuration) ->
    Owner = spawn(fun() -> opened_by(Configuration) end),
    Ref = erlang:monitor(process, Owner),
    Owner ! {self(), Ref},
    receive {Ref, Result} -> Result end.

opened_by(Configuration) ->
    Port = open_port({spawn_driver, ?DRIVER}, [binary]),
    ct_port:send(Port, {configure, x, Configuration}),
    {configured, x} = ct_port:answer(Port),
    receive {From, Ref} -> From ! {Ref, ok} end,
    receive stop -> ok end.

usage() ->
    erlang:garbage_collect(),
    {ok, Descriptors} = file:list_dir("/proc/self/fd"),
    {{threads(), length(Descriptors)}, ct_os:rss_kb("self")}.

%% Helpers

flush() ->
    receive _ -> flush() after 0 -> ok end.

control(Port) ->
    binary_to_term(port_control(Port, 1, <<>>)).

without_ages(#{sources := Sources} = State) ->
    State#{sources := maps:map(fun(_, Source) -> maps:remove(age, Source) end, Sources)}.

threads() ->
    {ok, Tasks} = file:list_dir("/proc/self/task"),
    length(Tasks).

no_thread_is_left(Config) ->
    Before = ?config(threads, Config),
    ct_wait:until(fun() -> threads() =< Before end),
    ok.

%% The VM unloads it some time after its last user's end.
await_unmapped() ->
    ct_wait:until(fun() -> not is_mapped() end).

is_mapped() ->
    {ok, Maps} = file:read_file("/proc/self/maps"),
    binary:match(Maps, <<?DRIVER>>) =/= nomatch.
