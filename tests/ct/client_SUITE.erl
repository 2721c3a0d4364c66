%% The C client library and ecto_litefs_call, against real C nodes. Programs are compiled against what `make`
%% put beside the node's program, among them the one of docs/c-client.md.
-module(client_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [help, version, wrong_use, the_documented_program, values, refusals, wrong_cookie, nobody_there,
     no_primary, a_key_runs_once, not_primary_names_it, any_node_reads, a_slow_connection, a_silent_node,
     a_silent_node_that_lost_it, killed_under_load, moved_under_load].

init_per_suite(Config) ->
    Started = ct_env:start(Config),
    [{load, compile(Started, "load", read(["tests", "client", "load.c"]))} | Started].

end_per_suite(Config) -> ct_env:stop(Config).

%% The command line

help(_Config) ->
    {0, Out, <<>>} = call(["--help"]),
    Options = ["--node", "--name", "--cookie-file", "--timeout", "--key", "--once", "--any-node", "--header",
               "--verbose", "--help", "--version"],
    Docs = read(["docs", "c-client.md"]),
    ?assertEqual([], [O || O <- Options, Text <- [Out, Docs], binary:match(Text, list_to_binary(O)) =:= nomatch]).

version(_Config) ->
    ?assertMatch({0, <<"ecto_litefs_call ", _/binary>>, <<>>}, call(["--version"])).

wrong_use(_Config) ->
    Wrong = [[], ["--nonsense", "R", "S"], ["R", "SELECT 1"], ["--node", "a@b"], ["--node", "a@b", "R"], ["--node"],
             ["--node", "nohost", "R", "S"], ["--name", "nohost", "--node", "a@b", "R", "S"],
             ["--timeout", "0", "--node", "a@b", "R", "S"], ["--timeout", "1x", "--node", "a@b", "R", "S"],
             ["--key", "", "--node", "a@b", "R", "S"], ["--once=1", "--node", "a@b", "R", "S"],
             ["--key", lists:duplicate(65, $k), "--node", "a@b", "R", "S"],
             ["--once", "--key", "k", "--node", "a@b", "R", "S"],
             ["--node", "a@b", "R", "S", "int:x"], ["--node", "a@b", "R", "S", "int:9223372036854775808"],
             ["--node", "a@b", "R", "S", "real:inf"], ["--node", "a@b", "R", "S", "blob:0"],
             ["--node", "a@b", "R", "S", "blob:0g"], ["--node", "a@b", "", "S"]],
    Bad = [{Args, Result} || Args <- Wrong, Result <- [call(Args, [{"HOME", home()}])],
                             not is_wrong_use(Result)],
    ?assertEqual([], Bad).

is_wrong_use({2, <<>>, Err}) -> length(lines(Err)) =:= 1;
is_wrong_use(_) -> false.

%% A home with a cookie, for what gets as far as reading it.
home() ->
    Home = filename:join("/tmp", "client_SUITE_" ++ os:getpid()),
    ok = filelib:ensure_path(Home),
    Cookie = filename:join(Home, ".erlang.cookie"),
    _ = file:delete(Cookie),
    ok = file:write_file(Cookie, "x"),
    ok = file:change_mode(Cookie, 8#400),
    Home.

the_documented_program(Config) ->
    Docs = read(["docs", "c-client.md"]),
    {match, [Source]} = re:run(Docs, "```c\n(.*?)```", [dotall, {capture, all_but_first, binary}]),
    Program = compile(Config, "example", Source),
    Node = #{name := Name, dir := Dir} = my_app(Config),
    Args = [filename:join(Dir, "cookie"), atom_to_list(Name)],
    Run = fun() -> ct_os:run(Program, Args) end,
    ?assertEqual({0, <<"added 1\n1 Ada\n">>, <<>>}, Run()),
    ?assertEqual({0, <<"added 2\n1 Ada\n2 Ada\n">>, <<>>}, Run()),
    ct_node:stop(Node),
    ?assertMatch({2, <<>>, <<>>}, ct_os:run(Program, [])).

my_app(Config) ->
    ct_node:start(Config, #{args => ["--repo", "MyApp.Repo=" ++ filename:join(ct_env:dir(Config), "my_app.db")]}).

%% Calls

values(Config) ->
    Node = ct_node:start(Config),
    {0, <<>>, <<>>} = call(Node, ["CREATE TABLE t (a, b, c, d, e, f)"]),
    {0, <<>>, <<"changes=1 last_insert_rowid=1 repeated=false\n">>} =
        call(Node, ["--verbose"], ["INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", "int:-9223372036854775808",
                                         "real:0.5", "null:", "blob:00fF09", "text:int:1", "--x\t\\\r\n"]),
    ?assertMatch({ok, #{rows := [[-16#8000000000000000, 0.5, nil, <<0, 255, 9>>, <<"int:1">>, <<"--x\t\\\r\n">>]]}},
                 ct_node:query(Node, "SELECT * FROM t")),
    ?assertMatch({ok, #{rows := [[<<"integer">>, <<"real">>, <<"null">>, <<"blob">>, <<"text">>, <<"text">>]]}},
                 ct_node:query(Node, "SELECT typeof(a), typeof(b), typeof(c), typeof(d), typeof(e), typeof(f) FROM t")),
    ?assertEqual({0, <<"a\tx\ty\tf\n-9223372036854775808\t0.5\t\\N\t--x\\t\\\\\\r\\n\n">>, <<>>},
                 call(Node, ["--header"], ["SELECT a, b AS x, c AS y, f FROM t"])),
    ?assertEqual({0, <<>>, <<>>}, call(Node, ["SELECT a FROM t WHERE 0"])),
    ct_node:stop(Node).

refusals(Config) ->
    Node = ct_node:start(Config, #{args => ["--statement-timeout", "60000"]}),
    {0, <<>>, <<>>} = call(Node, ["CREATE TABLE t (a UNIQUE)"]),
    {0, <<>>, <<>>} = call(Node, ["INSERT INTO t VALUES (1)"]),
    Refused = fun(Result, Word) ->
        {3, <<>>, Err} = Result,
        ?assertMatch([_], lines(Err)),
        ?assertNotEqual(nomatch, binary:match(Err, Word))
    end,
    Refused(call(Node, ["INSERT INTO t VALUES (?)", "int:1"]), <<"constraint_unique (2067): UNIQUE">>),
    Refused(call(Node, ["nonsense"]), <<"error (1): near \"nonsense\"">>),
    Refused(call(Node, ["INSERT INTO t VALUES (?)"]), <<"invalid_parameter">>),
    Refused(call(Node, ["ATTACH 'x' AS y"]), <<"unsupported">>),
    Refused(call(Node#{repo := 'No.Such'}, ["SELECT 1"]), <<"unknown_repo: No.Such">>),
    %% The node gives up first, so that it is not unknown.
    Refused(call(Node, ["--timeout", "1000"], [forever()]), <<"timeout">>),
    ?assertEqual(1, ct_sqlite:count(maps:get(db, Node), "t")),
    ct_node:stop(Node).

forever() ->
    "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000000000) "
    "SELECT count(*) FROM c".

wrong_cookie(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Cookie = filename:join(ct_env:dir(Config), "other"),
    ok = file:write_file(Cookie, "other"),
    ok = file:change_mode(Cookie, 8#400),
    {5, <<>>, Err} = call(["--cookie-file", Cookie, "--node", atom_to_list(Name), "--timeout", "300",
                           "Test.Repo", "SELECT 1"]),
    ?assertNotEqual(nomatch, binary:match(Err, <<"cookie">>)),
    ?assertEqual(nomatch, binary:match(Err, atom_to_binary(ct_env:cookie()))),
    {1, <<>>, Missing} = call(["--cookie-file", "/no/such/file", "--node", atom_to_list(Name), "Test.Repo", "SELECT 1"]),
    ?assertNotEqual(nomatch, binary:match(Missing, <<"/no/such/file">>)),
    ct_node:stop(Node).

nobody_there(Config) ->
    Dir = ct_env:dir(Config),
    Node = #{name => ct_env:name("none"), dir => Dir, repo => 'Test.Repo'},
    _ = ct_env:cookie_file(Dir, 8#400),
    {5, <<>>, Err} = call(Node, ["--timeout", "300"], ["SELECT 1"]),
    ?assertNotEqual(nomatch, binary:match(Err, <<"not registered">>)).

a_key_runs_once(Config) ->
    Node = ct_node:start(Config),
    {0, <<>>, <<>>} = call(Node, ["CREATE TABLE t (a)"]),
    Insert = fun(Key) -> call(Node, ["--verbose", "--key", Key], ["INSERT INTO t VALUES (1) RETURNING rowid"]) end,
    {0, <<"1\n">>, First} = Insert("one"),
    {0, <<"1\n">>, Second} = Insert("one"),
    {0, <<"2\n">>, _} = Insert("two"),
    ?assertNotEqual(nomatch, binary:match(First, <<"repeated=false">>)),
    ?assertNotEqual(nomatch, binary:match(Second, <<"repeated=true">>)),
    ?assertEqual({ok, #{outcome => committed, position => nil}},
                 ct_node:call(Node, resolve, ['Test.Repo', <<"one">>])),
    {ok, #{outcome := aborted}} = ct_node:call(Node, resolve, ['Test.Repo', <<"three">>]),
    ?assertMatch({3, <<>>, _}, Insert("three")),
    %% Without --key each call has one of its own, and with --once none.
    Keys = fun() -> ct_sqlite:count(maps:get(db, Node), "_ecto_litefs_requests") end,
    Before = Keys(),
    {0, <<>>, <<>>} = call(Node, ["INSERT INTO t VALUES (1)"]),
    ?assertEqual(Before + 1, Keys()),
    {0, <<>>, <<>>} = call(Node, ["--once"], ["INSERT INTO t VALUES (1)"]),
    ?assertEqual(Before + 1, Keys()),
    ct_node:stop(Node).

%% Nodes that fall silent or die

%% Sent, and not answered: said to be unknown, and in time. Asked again with its key, it runs once.
a_silent_node(Config) ->
    Node = ct_node:start(Config, #{args => ["--statement-timeout", "60000"]}),
    {0, <<>>, <<>>} = call(Node, ["CREATE TABLE t (a)"]),
    {Port, _} = spawn_call(Node, ["--timeout", "2000", "--key", "k"], [forever()]),
    ct_wait:until(fun() ->
        #{repos := #{<<"Test.Repo">> := #{queued := Queued}}} = ct_node:call(Node, info, []),
        Queued > 0
    end),
    ct_node:signal(Node, "STOP"),
    {6, [Line]} = await_exit(Port, []),
    ?assertNotEqual(nomatch, binary:match(Line, <<"cannot be known">>)),
    %% Now it does not even shake hands: nothing was sent.
    {5, <<>>, _} = call(Node, ["--timeout", "500"], ["INSERT INTO t VALUES (1)"]),
    ct_node:signal(Node, "CONT"),
    {0, <<"1\n">>, _} = call(Node, ["--key", "k"], ["INSERT INTO t VALUES (1) RETURNING a"]),
    {0, <<"1\n">>, _} = call(Node, ["--key", "k"], ["INSERT INTO t VALUES (1) RETURNING a"]),
    ?assertEqual(1, ct_sqlite:count(maps:get(db, Node), "t")),
    ct_node:stop(Node).

%% What was acknowledged is there, and nothing is there twice, however often the node dies.
killed_under_load(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (k TEXT)"),
    Port = spawn_load(Config, [Node], #{timeout => 30000, threads => 4, rows => 250, pause => 1}),
    Last = lists:foldl(fun(_, Now) ->
        ok = await_lines(Port, 150),
        ct_node:kill(Now),
        ct_node:start(Config, maps:with([name, dir, db], Now))
    end, Node, lists:seq(1, 5)),
    {0, _} = await_exit(Port, []),
    check_rows(Db, 1000),
    ct_node:stop(Last).

%% Two hosts

no_primary(Config) ->
    in_cluster(Config, fun(A, B) ->
        {4, <<>>, _} = call([A, B], ["--timeout", "500"], ["INSERT INTO t VALUES ('x')"])
    end).

not_primary_names_it(Config) ->
    in_cluster(Config, fun(A, B) ->
        promote(B),
        await_primary(A, B),
        %% The only node that it is told of is the replica.
        {0, <<>>, <<>>} = call([A], [], ["INSERT INTO t VALUES ('x')"]),
        %% A read goes to the primary as well.
        {0, _, <<"changes=0 ", _/binary>>} = call([A], ["--verbose"], ["SELECT count(*) FROM t"]),
        ?assertNotEqual([], [L || L <- ct_node:logs(B, <<"connected">>),
                                  binary:match(maps:get(<<"node">>, L), <<"client-">>) =/= nomatch])
    end).

any_node_reads(Config) ->
    in_cluster(Config, fun(A, B) ->
        promote(B),
        await_primary(A, B),
        ct_node:signal(B, "STOP"),
        {0, <<"0\n">>, <<>>} = call([A, B], ["--any-node", "--timeout", "3000"], ["SELECT count(*) FROM t"]),
        ct_node:signal(B, "CONT"),
        %% What writes does not run on a replica.
        {0, <<>>, <<>>} = call([A, B], ["--any-node"], ["INSERT INTO t VALUES ('x')"])
    end).

%% An EPMD that takes its time: what it took is not given to the node again, which gives up before the client does.
a_slow_connection(Config) ->
    Node = #{port := Number} = ct_node:start(Config, #{args => ["--statement-timeout", "60000"]}),
    {0, <<>>, <<>>} = call(Node, ["CREATE TABLE t (a)"]),
    {ok, Listener} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Epmd} = inet:port(Listener),
    Slow = spawn_link(fun() ->
        {ok, Socket} = gen_tcp:accept(Listener),
        {ok, <<_:16, 122, _/binary>>} = gen_tcp:recv(Socket, 0),
        timer:sleep(1500),
        ok = gen_tcp:send(Socket, <<119, 0, Number:16, 72, 0, 6:16, 5:16, 0:16, 0:16>>),
        receive stop -> ok end
    end),
    {3, <<>>, Err} = call(arguments([Node], ["--any-node", "--timeout", "5000"], [forever()]),
                          [{"ERL_EPMD_PORT", integer_to_list(Epmd)}]),
    ?assertNotEqual(nomatch, binary:match(Err, <<"timeout">>)),
    Slow ! stop,
    ct_node:stop(Node).

%% The connection stands and nobody answers: the others say that the primary has moved.
a_silent_node_that_lost_it(Config) ->
    in_cluster(Config, fun(A, B) ->
        promote(A),
        await_primary(B, A),
        Port = spawn_load(Config, [A, B], #{timeout => 20000, threads => 1, rows => 10, pause => 200}),
        ok = await_lines(Port, 3),
        ct_node:signal(A, "STOP"),
        stop_being_primary(A),
        promote(B),
        {0, Lines} = await_exit(Port, []),
        ct_node:signal(A, "CONT"),
        await_role(A, replica),
        ?assertEqual([], [L || L <- Lines, not acknowledged(L)]),
        check_rows(maps:get(db, A), 10)
    end).

moved_under_load(Config) ->
    in_cluster(Config, fun(A, B) ->
        promote(A),
        await_primary(B, A),
        Port = spawn_load(Config, [A, B], #{timeout => 30000, threads => 4, rows => 150, pause => 1}),
        _ = lists:foldl(fun(_, {From, To}) ->
            ok = await_lines(Port, 80),
            demote(From),
            promote(To),
            {To, From}
        end, {A, B}, lists:seq(1, 4)),
        {0, _} = await_exit(Port, []),
        check_rows(maps:get(db, A), 600)
    end).

%% Every line that load printed says that its row was written; and it is there, once.
check_rows(Db, Count) ->
    Lines = lists:reverse(erase(load_lines)),
    ?assertEqual([], [L || L <- Lines, not acknowledged(L)]),
    Acknowledged = [Key || Line <- Lines, [_, Key | _] <- [binary:split(Line, <<" ">>, [global])]],
    Rows = [Key || [Key] <- ct_sqlite:query(Db, "SELECT k FROM t")],
    ct:pal("~b rows, ~b repeated", [length(Rows), length([L || <<"repeated", _/binary>> = L <- Lines])]),
    ?assertEqual(Count, length(Acknowledged)),
    ?assertEqual([], Acknowledged -- Rows),
    ?assertEqual([], Rows -- Acknowledged).

acknowledged(<<"done ", _/binary>>) -> true;
acknowledged(<<"repeated ", _/binary>>) -> true;
acknowledged(_) -> false.

%% Two nodes beside a stand-in for LiteFS each, none of them primary, with one database: what LiteFS replicates
%% at once. The positions move on all the time, so that most COMMITs count; the others are unknown.
in_cluster(Config, Fun) ->
    [#{dir := Dir}, #{dir := Other}] = Mounts = [ct_litefs:start(Config), ct_litefs:start(Config)],
    Db = filename:join(Dir, "test.db"),
    ct_sqlite:exec(Db, "PRAGMA journal_mode = wal; CREATE TABLE t (k TEXT)"),
    ok = file:make_symlink(Db, filename:join(Other, "test.db")),
    Mover = spawn_link(fun() -> move(Mounts, 1) end),
    [A, B] = Nodes = [host(Config, Mount) || Mount <- Mounts],
    try
        Fun(A, B),
        [ct_node:stop(Node) || Node <- Nodes]
    after
        unlink(Mover),
        exit(Mover, kill),
        [ct_litefs:stop(Mount) || Mount <- Mounts]
    end.

move(Mounts, Txid) ->
    [ok = ct_litefs:file(M, "test.db-pos", io_lib:format("~16.16.0b/00000000000000aa~n", [Txid])) || M <- Mounts],
    move(Mounts, Txid + 1).

host(Config, Mount = #{dir := Dir}) ->
    ct_litefs:file(Mount, ".primary", "elsewhere\n"),
    ct_litefs:greet(Mount, ct_litefs:init({replica, "elsewhere"})),
    Node = ct_node:start(Config, #{dir => ct_env:dir(Config), db => filename:join(Dir, "test.db"), args => [
        "--primary-file", binary_to_list(ct_litefs:primary_file(Mount)), "--poll-interval", "20",
        "--event-stream-url", binary_to_list(ct_litefs:url(Mount))]}),
    await_role(Node, replica),
    Node#{litefs => Mount}.

promote(Node = #{litefs := Mount}) ->
    ct_litefs:greet(Mount, ct_litefs:init(primary)),
    ct_litefs:file(Mount, ".primary", false),
    ct_litefs:say(Mount, ct_litefs:change(primary)),
    await_role(Node, primary).

stop_being_primary(#{litefs := Mount}) ->
    ct_litefs:greet(Mount, ct_litefs:init({replica, "elsewhere"})),
    ct_litefs:file(Mount, ".primary", "elsewhere\n"),
    ct_litefs:say(Mount, ct_litefs:change({replica, "elsewhere"})).

demote(Node) ->
    stop_being_primary(Node),
    await_role(Node, replica).

await_role(Node, Role) ->
    ct_wait:until(fun() ->
        #{repos := #{<<"Test.Repo">> := #{role := Now}}} = ct_node:call(Node, info, []),
        Now =:= Role
    end).

%% Until a replica knows who is the primary.
await_primary(Replica, #{name := Name}) ->
    ct_wait:until(fun() -> {ok, Name} =:= ct_node:call(Replica, get_primary, ['Test.Repo']) end).

%% ecto_litefs_call

call(Args) -> call(Args, []).

%% With an environment; or on a node, without options.
call(Args, Env) when is_list(Args) -> ct_os:run("/usr/bin/timeout", ["60", program() | Args], Env);
call(Node, Rest) -> call([Node], [], Rest).

call(Node, Options, Rest) when is_map(Node) -> call([Node], Options, Rest);
call(Nodes, Options, Rest) -> call(arguments(Nodes, Options, Rest)).

spawn_call(Node, Options, Rest) -> ct_os:spawn_program(program(), arguments([Node], Options, Rest), []).

arguments([#{dir := Dir, repo := Repo} | _] = Nodes, Options, Rest) ->
    ["--cookie-file", filename:join(Dir, "cookie")] ++
        lists:append([["--node", atom_to_list(Name)] || #{name := Name} <- Nodes]) ++
        Options ++ ["--", atom_to_list(Repo) | Rest].

program() -> beside("ecto_litefs_call").

%% What `make` put beside the node's program.
beside(Name) -> filename:join(filename:dirname(ct_env:program()), Name).

lines(Text) -> binary:split(Text, <<"\n">>, [global, trim]).

%% load

spawn_load(Config, [#{dir := Dir} | _] = Nodes, Options) ->
    #{timeout := Timeout, threads := Threads, rows := Rows, pause := Pause} = Options,
    put(load_lines, []),
    Args = [filename:join(Dir, "cookie")] ++ [integer_to_list(N) || N <- [Timeout, Threads, Rows, Pause]] ++
        [atom_to_list(Name) || #{name := Name} <- Nodes],
    {Port, _} = ct_os:spawn_program(?config(load, Config), Args, []),
    Port.

await_lines(_Port, 0) ->
    ok;
await_lines(Port, Count) ->
    receive
        {Port, {data, {_, Line}}} ->
            put(load_lines, [Line | get(load_lines)]),
            await_lines(Port, Count - 1);
        {Port, {exit_status, Code}} ->
            error({load_ended, Code, get(load_lines)})
    end.

%% Lines of a load are kept for check_rows/2.
await_exit(Port, Lines) ->
    receive
        {Port, {data, {_, Line}}} ->
            _ = is_list(get(load_lines)) andalso put(load_lines, [Line | get(load_lines)]),
            await_exit(Port, [Line | Lines]);
        {Port, {exit_status, Code}} ->
            {Code, lists:reverse(Lines)}
    end.

%% Compiling, as docs/c-client.md says

compile(Config, Name, Source) ->
    Dir = filename:join(?config(priv_dir, Config), Name),
    ok = filelib:ensure_path(Dir),
    [File, Program] = [filename:join(Dir, F) || F <- [Name ++ ".c", Name]],
    ok = file:write_file(File, Source),
    Lib = beside("libecto_litefs_client.a"),
    Args = ["-Wall", "-Wextra", "-Werror" | sanitizer(Lib)] ++
        ["-o", Program, File, "-I" ++ beside("include"), Lib,
         "-L" ++ filename:join(code:lib_dir(erl_interface), "lib"), "-lei", "-lpthread"],
    {0, Out, Err} = ct_os:run(os:find_executable("cc"), Args),
    ?assertEqual({<<>>, <<>>}, {Out, Err}),
    Program.

%% A library that was built with one needs its runtime.
sanitizer(Lib) ->
    {ok, Bytes} = file:read_file(Lib),
    [Flag || {Symbol, Flag} <- [{<<"__asan_init">>, "-fsanitize=address,undefined"},
                                {<<"__tsan_init">>, "-fsanitize=thread"}],
             binary:match(Bytes, Symbol) =/= nomatch].

%% A file of the project, which is above wherever this suite was compiled.
read(Path) -> read(filename:dirname(?FILE), Path).

read("/", Path) ->
    error({not_found, Path});
read(Dir, Path) ->
    case file:read_file(filename:join([Dir | Path])) of
        {ok, Bytes} -> Bytes;
        {error, enoent} -> read(filename:dirname(Dir), Path)
    end.
