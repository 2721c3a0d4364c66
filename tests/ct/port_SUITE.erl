%% The messages of docs/port.md, with the port program and with the port driver, and what is the program's
%% own: real ports, as a BEAM app uses them; LiteFS is the stand-in of ct_litefs.
-module(port_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [{group, port}, {group, driver}, over_the_limit, wrong_arguments, ends_with_its_stdin,
     ends_with_its_stdout, ends_while_nobody_reads, ends_with_a_killed_vm, half_a_message,
     nobody_reads, thousands_of_refreshes, stderr_is_silent].

%% The driver reads no tracker row.
groups() ->
    [{port, [], [node_of_the_tracker_row | messages()]}, {driver, [], messages()}].

messages() ->
    [standalone, replica_by_file, roles_follow_the_stream, first_change_is_not_a_guess,
     state_has_the_documented_shape, refresh_asks_again, several_refreshes, positions_are_told,
     everything_off, wrong_requests, wrong_configurations, configured_once, tags_come_back,
     a_large_message].

init_per_group(Transport, Config) ->
    ct_port:start(Transport),
    [{transport, Transport} | Config].

end_per_group(Transport, _Config) ->
    ct_port:stop(Transport).

init_per_testcase(_Case, Config) ->
    [{litefs, ct_litefs:start(Config)} | Config].

end_per_testcase(_Case, Config) ->
    ct_litefs:stop(?config(litefs, Config)).

standalone(Config) ->
    Port = ct_port:configured(Config, #{primary_file => <<"/no/such/folder/.primary">>,
                                     event_stream_url => false}),
    ?assertMatch(#{role := primary, hostname := nil, node := nil, mount := absent, lag := nil,
                   positions := P} when P =:= #{}, ct_port:change(Port)),
    ct_port:close(Port).

replica_by_file(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    ct_litefs:file(LiteFS, ".lag", "+000000315\n"),
    Port = ct_port:configured(Config, #{event_stream_url => false, poll_interval => 20}),
    ?assertMatch(#{role := replica, hostname := <<"n1">>, mount := live, lag := 315}, ct_port:change(Port)),
    ct_litefs:file(LiteFS, ".primary", "n2\n"),
    ?assertMatch(#{role := replica, hostname := <<"n2">>}, ct_port:change(Port)),
    ct_litefs:file(LiteFS, ".primary", false),
    ?assertMatch(#{role := unknown, hostname := nil}, ct_port:change(Port)),
    ct_litefs:file(LiteFS, ".lag", "+000000000\n"),
    ?assertMatch(#{role := primary, hostname := nil}, ct_port:change(Port)),
    ct_port:close(Port).

roles_follow_the_stream(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    Port = ct_port:configured(Config, #{}),
    ?assertMatch(#{role := replica, hostname := <<"n1">>}, ct_port:change(Port)),
    Slowest = lists:max([begin
        Began = erlang:monotonic_time(microsecond),
        ct_litefs:say(LiteFS, ct_litefs:change(Role)),
        ?assertMatch(#{role := Expected}, ct_port:change(Port)),
        erlang:monotonic_time(microsecond) - Began
    end || _ <- lists:seq(1, 20),
           {Role, Expected} <- [{primary, primary}, {{replica, "c2"}, replica}]]),
    ct:pal("slowest of 40: ~b us", [Slowest]),
    ?assert(Slowest < 1000000),
    ct_port:close(Port).

first_change_is_not_a_guess(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    ct_litefs:info(LiteFS, primary),
    [begin
         Port = ct_port:configured(Config, #{}),
         ?assertMatch(#{role := primary}, ct_port:change(Port)),
         ct_port:close(Port)
     end || _ <- lists:seq(1, 20)].

state_has_the_documented_shape(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    ct_litefs:info(LiteFS, primary),
    ct_litefs:file(LiteFS, "a.db-pos", "0000000000000003/a7dd8f28ea1b904d\n"),
    Port = ct_port:configured(Config, #{}),
    #{} = ct_port:until_role(Port, primary),
    State = ct_port:request(Port, state),
    ?assertEqual([hostname, lag, mount, node, positions, role, sources],
                 lists:sort(maps:keys(State))),
    ?assertMatch(#{mount := live, lag := 0,
                   positions := #{<<"a.db">> := {3, 16#a7dd8f28ea1b904d}},
                   sources := #{file := #{enabled := true, says := unknown, age := FileAge},
                                stream := #{enabled := true, says := primary, age := StreamAge},
                                row := #{enabled := false, says := unknown, age := nil}}}
                   when is_integer(FileAge) andalso FileAge >= 0
                        andalso is_integer(StreamAge) andalso StreamAge >= 0,
                 State),
    ct_port:close(Port).

refresh_asks_again(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    Port = ct_port:configured(Config, #{}),
    #{} = ct_port:until_role(Port, replica),
    ct_litefs:file(LiteFS, ".primary", "n2\n"),
    ct_litefs:file(LiteFS, "a.db-pos", "0000000000000009/a7dd8f28ea1b904d\n"),
    ?assertMatch(#{hostname := <<"n2">>, positions := #{<<"a.db">> := {9, _}}},
                 ct_port:request(Port, refresh)),
    ct_port:close(Port).

several_refreshes(Config) ->
    Port = ct_port:configured(Config, #{event_stream_url => false}),
    Tags = lists:seq(1, 200),
    [ct_port:send(Port, {refresh, Tag}) || Tag <- Tags],
    ?assertEqual(Tags, [begin {refresh, Tag, #{}} = ct_port:answer(Port), Tag end || Tag <- Tags]),
    ct_port:close(Port).

positions_are_told(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Port = ct_port:configured(Config, #{}),
    #{} = ct_port:until_role(Port, primary),
    %% The look at the files that LiteFS's word asks for is over: the stand-in has none for these databases.
    #{} = ct_port:request(Port, refresh),
    ct_litefs:say(LiteFS, [ct_litefs:tx(Db, N) || N <- lists:seq(1, 500), Db <- ["a.db", "b.db"]]),
    ?assertEqual(500, ct_port:last_position(Port, <<"a.db">>, 500)),
    #{positions := Positions} = ct_port:request(Port, state),
    ?assertEqual({500, 16#a2fc350ac2962d33}, maps:get(<<"b.db">>, Positions)),
    ct_port:close(Port).

node_of_the_tracker_row(Config) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    Db = filename:join(Dir, "app.db"),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    ct_sqlite:exec(Db, "CREATE TABLE _ecto_litefs_primary (id INTEGER PRIMARY KEY CHECK (id = 1), "
                       "node_name TEXT NOT NULL, updated_at INTEGER NOT NULL)"),
    Port = ct_port:configured(Config, #{database => iolist_to_binary(Db)}),
    ?assertMatch(#{role := replica, node := nil}, ct_port:change(Port)),
    Put = fun(Name) ->
        ct_sqlite:exec(Db, ["INSERT OR REPLACE INTO _ecto_litefs_primary VALUES (1, '", Name, "', 1)"]),
        ct_litefs:say(LiteFS, ct_litefs:tx("app.db", 2))
    end,
    Put("app@n1.example"),
    ?assertMatch(#{node := <<"app@n1.example">>, hostname := <<"n1">>,
                   sources := #{row := #{enabled := true, says := <<"app@n1.example">>}}},
                 ct_port:change(Port)),
    Put("not a node"),
    ?assertMatch(#{node := nil, sources := #{row := #{says := unknown}}}, ct_port:change(Port)),
    ct_port:close(Port).

everything_off(Config) ->
    LiteFS = ?config(litefs, Config),
    Port = ct_port:configured(Config, #{poll_interval => false, event_stream_url => false}),
    ?assertMatch(#{role := unknown, mount := live}, ct_port:change(Port)),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    ?assertMatch(#{role := replica}, ct_port:request(Port, refresh)),
    ct_port:close(Port).

%% Each is answered by an error that says something, and what comes after is served.
wrong_requests(Config) ->
    Port = ct_port:configured(Config, #{event_stream_url => false}),
    #{} = ct_port:change(Port),
    Whole = term_to_binary({state, a}),
    Cut = [binary:part(Whole, 0, N) || N <- lists:seq(0, byte_size(Whole) - 1)],
    Wrong = [{undefined, Bytes} || Bytes <- Cut] ++
        [{undefined, <<Whole/binary, 0>>}, {undefined, <<"GET / HTTP/1.1\r\n\r\n">>}] ++
        [{Tag, term_to_binary(Term)} || {Tag, Term} <-
            [{undefined, state}, {undefined, []}, {undefined, #{}}, {undefined, {state}},
             {undefined, {"state", t}}, {t, {state, t, x}}, {t, {refresh, t, []}}, {t, {stop, t}},
             {t, {configure, t}}, {t, {configure, t, #{}, x}}, {undefined, {}}]],
    [begin
         port_command(Port, Bytes),
         {error, Got, Message} = ct_port:answer(Port),
         ?assertEqual({Bytes, Tag}, {Bytes, Got}),
         ?assert(byte_size(Message) > 5)
     end || {Tag, Bytes} <- Wrong],
    ?assertMatch(#{role := unknown}, ct_port:request(Port, state)),
    ct_port:close(Port).

%% The message names what is wrong; a right one may follow.
wrong_configurations(Config) ->
    Port = ct_port:open(Config),
    Good = ct_port:config(Config, #{}),
    Wrong = [{not_a_map, <<"map">>}, {[], <<"map">>}, {#{}, <<"missing">>},
             {Good#{more => 1}, <<"more">>}, {Good#{<<"database">> => nil}, <<"key">>}]
        ++ [{maps:remove(Key, Good), atom_to_binary(Key)} || Key <- maps:keys(Good)]
        ++ [{Good#{Key := Value}, atom_to_binary(Key)} ||
            {Key, Values} <- [{primary_file, [nil, false, "/x", 1, <<>>, <<"a\0b">>, <<"a">>, <<1:7>>]},
                              {poll_interval, [0, -1, nil, true, 1.5, 1 bsl 70, 86400001, <<"1">>]},
                              {event_stream_url, [nil, true, <<>>, "http://x", [], 7]},
                              {database, [false, <<>>, "x", undefined]},
                              {table_name, [nil, false, <<>>, "x"]}],
            Value <- Values, {Key, Value} =/= {primary_file, <<"a">>}]
        ++ [{Good#{event_stream_url := Url}, Url} ||
            Url <- [<<"https://localhost/events">>, <<"localhost:20202">>, <<"file:///etc/passwd">>]],
    [begin
         ct_port:send(Port, {configure, {tag, 1}, Bad}),
         {error, {tag, 1}, Message} = ct_port:answer(Port),
         ?assertNotEqual({nomatch, Message, Word},
                         {binary:match(Message, Word), Message, Word})
     end || {Bad, Word} <- Wrong],
    ct_port:send(Port, {configure, ok, Good}),
    ?assertEqual({configured, ok}, ct_port:answer(Port)),
    ct_port:close(Port).

configured_once(Config) ->
    Port = ct_port:open(Config),
    [begin
         ct_port:send(Port, {Request, t}),
         ?assertMatch({error, t, <<"not configured", _/binary>>}, ct_port:answer(Port))
     end || Request <- [state, refresh]],
    ct_port:send(Port, {configure, 1, ct_port:config(Config, #{})}),
    ct_port:send(Port, {configure, 2, ct_port:config(Config, #{})}),
    ?assertEqual({configured, 1}, ct_port:answer(Port)),
    ?assertMatch({error, 2, <<"configured already">>}, ct_port:answer(Port)),
    ct_port:close(Port).

tags_come_back(Config) ->
    Port = ct_port:configured(Config, #{event_stream_url => false}),
    Tags = [make_ref(), self(), fun() -> Port end, [], "string", <<1:3>>, #{a => [1.5, {}]},
            1 bsl 200, -(1 bsl 3000), 'ätom', lists:duplicate(1000, x), undefined],
    [begin
         ct_port:send(Port, {state, Tag}),
         ?assertMatch({state, Tag, #{}}, ct_port:answer(Port)),
         ct_port:send(Port, {refresh, Tag}),
         ?assertMatch({refresh, Tag, #{}}, ct_port:answer(Port))
     end || Tag <- Tags],
    ct_port:close(Port).

a_large_message(Config) ->
    Port = ct_port:configured(Config, #{event_stream_url => false}),
    Tag = binary:copy(<<"x">>, (1 bsl 20) - 100),
    ct_port:send(Port, {state, Tag}),
    ?assertMatch({state, Tag, #{}}, ct_port:answer(Port)),
    ct_port:close(Port).

over_the_limit(_Config) ->
    [begin
         {2, <<>>, Err} = run_with_stdin(Bytes),
         ?assertMatch({_, _}, binary:match(Err, <<"1 MiB">>)),
         ?assertEqual(1, length(binary:split(Err, <<"\n">>, [global, trim])))
     end || Bytes <- [<<((1 bsl 20) + 1):32>>, <<16#FFFFFFFF:32, "abc">>, <<"GET / HTTP/1.1\r\n">>]].

wrong_arguments(_Config) ->
    {2, <<>>, Err} = ct_os:run(ct_port:program(), ["--help"]),
    ?assertMatch({_, _}, binary:match(Err, <<"docs/port.md">>)).

ends_with_its_stdin(Config) ->
    ?assertEqual({0, <<>>, <<>>}, ct_os:run(ct_port:program(), [])),
    Port = ct_port:configured(Config, #{}),
    {os_pid, Number} = erlang:port_info(Port, os_pid),
    Pid = integer_to_list(Number),
    true = port_close(Port),
    await_gone(Pid).

half_a_message(_Config) ->
    ?assertEqual({0, <<>>, <<>>}, run_with_stdin(<<100:32, "half">>)).

%% Its stdin stays open, and nobody can read any more what it says, or would say.
ends_with_its_stdout(Config) ->
    Message = term_to_binary({configure, x, ct_port:config(Config, #{})}),
    [begin
         Script = ["{ \"$1\"; echo \"code=$?\" >&2; } | ", Reader, " >/dev/null"],
         Port = open_port({spawn_executable, "/bin/sh"},
                          [{args, ["-c", Script, "sh", ct_port:program()]}, binary, stderr_to_stdout]),
         port_command(Port, Input),
         receive {Port, {data, Text}} -> ?assertEqual(<<"code=0\n">>, Text) end,
         catch port_close(Port) % the shell has ended too, perhaps
     end || {Reader, Input} <- [{"head -c 1", [<<(byte_size(Message)):32>>, Message]}, {"true", []}]].

%% Its output is stuck, so that it reads no requests: the end of its stdin is seen all the same.
ends_while_nobody_reads(Config) ->
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", "\"$1\" | sleep 60", "sh", ct_port:program()]}, binary]),
    Send = fun(Term) ->
        Message = term_to_binary(Term),
        port_command(Port, [<<(byte_size(Message)):32>>, Message], [nosuspend])
    end,
    Send({configure, x, ct_port:config(Config, #{event_stream_url => false})}),
    Pid = child_of(Port),
    {os_pid, Shell} = erlang:port_info(Port, os_pid),
    %% more than two pipes and its buffer hold; what is not read any more is in a pipe, not in this VM
    [Send({state, binary:copy(<<"x">>, 10000)}) || _ <- lists:seq(1, 18)],
    ct_wait:until(fun() -> erlang:port_info(Port, queue_size) =:= {queue_size, 0} end),
    true = port_close(Port),
    await_gone(Pid),
    _ = ct_os:run("/usr/bin/pkill", ["-P", integer_to_list(Shell)]),
    ok.

ends_with_a_killed_vm(Config) ->
    #{url := Url, file := File} = #{url => ct_litefs:url(?config(litefs, Config)),
                                    file => ct_litefs:primary_file(?config(litefs, Config))},
    Code = io_lib:format(
        "P = open_port({spawn_executable, ~p}, [{packet, 4}, binary]),"
        "port_command(P, term_to_binary({configure, x, #{primary_file => ~p, poll_interval => 30000,"
        " event_stream_url => ~p, database => nil, table_name => <<\"t\">>}})),"
        "receive {P, {data, D}} -> {configured, x} = binary_to_term(D) end,"
        "{os_pid, Pid} = erlang:port_info(P, os_pid),"
        "io:format(\"~~s ~~b~~n\", [os:getpid(), Pid]), timer:sleep(infinity).",
        [ct_port:program(), File, Url]),
    Vm = open_port({spawn_executable, os:find_executable("erl")},
                   [{args, ["-noshell", "-eval", lists:flatten(Code)]}, binary, {line, 1000}, exit_status]),
    [VmPid, Pid] = receive {Vm, {data, {eol, Line}}} -> string:lexemes(binary_to_list(Line), " ") end,
    ?assert(is_alive(Pid)),
    ct_os:signal(VmPid, "KILL"),
    receive {Vm, {exit_status, _}} -> ok end,
    await_gone(Pid).

%% Its output goes nowhere until a file appears: memory stays bounded, the last state wins.
nobody_reads(Config) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Go = filename:join(Dir, "go"),
    Out = filename:join(Dir, "out"),
    Script = "\"$1\" | { until [ -e \"$2\" ]; do sleep 0.1; done; cat >\"$3\"; }",
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", Script, "sh", ct_port:program(), Go, Out]}, binary, exit_status]),
    Send = fun(Term) ->
        Message = term_to_binary(Term),
        port_command(Port, [<<(byte_size(Message)):32>>, Message], [nosuspend])
    end,
    Send({configure, x, ct_port:config(Config, #{})}),
    Pid = child_of(Port),
    ct_litefs:say(LiteFS, <<>>),
    Before = ct_os:rss_kb(Pid),
    %% far more than any pipe holds
    [Send({state, binary:copy(<<"x">>, 10000)}) || _ <- lists:seq(1, 300)],
    [ct_litefs:say(LiteFS, [[ct_litefs:change(Role), ct_litefs:tx("a.db", N * 10 + I)] ||
                            I <- lists:seq(0, 9), Role <- [primary, {replica, "n" ++ integer_to_list(N)}]])
     || N <- lists:seq(1, 1000)],
    ct_litefs:say(LiteFS, ct_litefs:change({replica, "last"})),
    After = ct_os:rss_kb(Pid),
    ct:pal("memory: ~b KiB before, ~b KiB after", [Before, After]),
    ?assert(After - Before < 8192),
    ok = file:write_file(Go, <<>>),
    Last = ct_wait:until(fun() ->
        Messages = messages(Out),
        Changes = [State || {change, State} <- Messages],
        Positions = [Txid || {position, <<"a.db">>, Txid, _} <- Messages],
        Changes =/= [] andalso maps:get(hostname, lists:last(Changes)) =:= <<"last">> andalso
            Positions =/= [] andalso lists:last(Positions) =:= 10009 andalso
            {length(Changes), length(Positions)}
    end),
    ct:pal("{changes, positions} that were told: ~p", [Last]),
    true = port_close(Port).

%% They come faster than they are answered: what cannot be served yet is not read.
thousands_of_refreshes(Config) ->
    Port = ct_port:configured(Config, #{event_stream_url => false}),
    Tags = [{Tag, binary:copy(<<"x">>, 200)} || Tag <- lists:seq(1, 20000)],
    Self = self(),
    %% not this process: it would wait for the port while the port waits for it
    Sender = spawn_link(fun() ->
        receive go -> [ct_port:send(Port, {refresh, Tag}) || Tag <- Tags] end,
        unlink(Self)
    end),
    Sender ! go,
    [?assertMatch({refresh, Tag, #{}}, ct_port:answer(Port)) || Tag <- Tags],
    ct_port:close(Port).

stderr_is_silent(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ["garbage\n", binary:copy(<<"x">>, 1 bsl 20), "\n", ct_litefs:init(primary)]),
    Messages = [term_to_binary(Term) || Term <- [{nonsense, 1}, {configure, x, ct_port:config(Config, #{})}]],
    %% the shell's stdin stays open until its port is closed; its stderr is what we look at
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", "exec \"$1\" 2>&1 >/dev/null", "sh", ct_port:program()]}, binary, exit_status]),
    [port_command(Port, [<<(byte_size(M)):32>>, M]) || M <- Messages],
    ct_litefs:say(LiteFS, ct_litefs:change(primary)),
    ct_litefs:cut(LiteFS),
    ct_litefs:say(LiteFS, ct_litefs:change(primary)),
    receive {Port, Said} -> ct:fail(Said) after 0 -> ok end,
    true = port_close(Port).

%% Helpers

run_with_stdin(Bytes) ->
    File = filename:join("/tmp", "port_in_" ++ os:getpid()),
    ok = file:write_file(File, Bytes),
    Result = ct_os:run("/bin/sh", ["-c", "exec \"$1\" <\"$2\"", "sh", ct_port:program(), File]),
    ok = file:delete(File),
    Result.

messages(File) ->
    case file:read_file(File) of
        {ok, Bytes} -> split(Bytes);
        {error, enoent} -> []
    end.

split(<<Size:32, Message:Size/binary, Rest/binary>>) -> [binary_to_term(Message) | split(Rest)];
split(_) -> [].

is_alive(Pid) ->
    case file:read_file("/proc/" ++ Pid ++ "/stat") of
        {ok, Stat} -> binary:match(Stat, <<") Z ">>) =:= nomatch;
        {error, enoent} -> false
    end.

await_gone(Pid) ->
    ct_wait:until(fun() -> not is_alive(Pid) end).

%% The process id of the program that a port's shell has started.
child_of(Port) ->
    {os_pid, Shell} = erlang:port_info(Port, os_pid),
    ct_wait:until(fun() ->
        {0, Out, _} = ct_os:run("/usr/bin/pgrep", ["-P", integer_to_list(Shell), "-x", "ecto_litefs_por"]),
        [Pid] = string:lexemes(binary_to_list(Out), "\n"),
        Pid
    end).
