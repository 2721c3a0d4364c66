%% The program's command line, its exit codes, and what it says.
-module(cli_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [help, version, check_passes, check_finds_a_bad_path, check_finds_no_database, one_file_twice, wrong_use,
     cookie_file_of_others, cookie_file_missing, default_cookie_file, no_secret_in_the_log,
     short_name, fixed_port, no_epmd, log_level, unusable_port, sigint_ends_well,
     second_signal_ends_at_once].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

help(_Config) ->
    {0, Out, <<>>} = run(["--help"]),
    Options = ["--name", "--sname", "--cookie-file", "--repo", "--listen", "--connect", "--hidden",
               "--no-epmd", "--log-level", "--synchronous", "--busy-timeout", "--statement-timeout",
               "--tx-idle-timeout", "--tx-total-timeout", "--statement-cache", "--max-frame",
               "--max-result", "--max-queue", "--max-queue-bytes", "--max-connections",
               "--max-output", "--max-handshakes", "--handshake-timeout", "--tick-time", "--poller",
               "--check", "--help", "--version"],
    ?assertEqual([], [O || O <- Options, binary:match(Out, list_to_binary(O)) =:= nomatch]).

version(_Config) ->
    ok = case application:load(ecto_litefs) of {error, {already_loaded, _}} -> ok; Ok -> Ok end,
    {ok, Vsn} = application:get_key(ecto_litefs, vsn),
    ?assertEqual({0, iolist_to_binary(["ecto_litefs_node ", Vsn, "\n"]), <<>>}, run(["--version"])).

check_passes(Config) ->
    Name = ct_env:name("check"),
    {0, _, Err} = run(["--check" | good(Config, Name)]),
    ?assertEqual(nomatch, binary:match(Err, <<"level=error">>)),
    %% It only looked: nothing was registered.
    [Short, _] = string:split(atom_to_list(Name), "@"),
    ?assertMatch({error, _}, ct_epmd:lookup(?config(epmd_port, Config), Short)).

check_finds_a_bad_path(Config) ->
    Path = filename:join(ct_env:dir(Config), "no/such/folder/test.db"),
    {Code, <<>>, Err} = run(["--check", "--repo", "Test.Repo=" ++ Path |
                             identity(Config, ct_env:name("check"))]),
    ?assertNotEqual(0, Code),
    ?assertNotEqual(nomatch, binary:match(Err, list_to_binary(Path))),
    ?assertEqual(1, length(lines(Err))).

check_finds_no_database(Config) ->
    Path = filename:join(ct_env:dir(Config), "text.db"),
    ok = file:write_file(Path, binary:copy(<<"this is not a database\n">>, 1000)),
    Args = ["--repo", "Test.Repo=" ++ Path | identity(Config, ct_env:name("check"))],
    {Code, <<>>, Err} = run(["--check" | Args]),
    ?assertNotEqual(0, Code),
    ?assertNotEqual(nomatch, binary:match(Err, list_to_binary(Path))),
    %% Without --check it does not start either.
    {Code2, <<>>, _} = run(Args),
    ?assertNotEqual(0, Code2).

%% Under whatever names: two writers of one process would be in each other's way, and behind a hard link each would
%% have a WAL of its own.
one_file_twice(Config) ->
    Dir = ct_env:dir(Config),
    [Db, Soft, Hard] = [filename:join(Dir, F) || F <- ["test.db", "soft.db", "hard.db"]],
    ok = ct_sqlite:exec(Db, "CREATE TABLE t (n)"),
    ok = file:make_symlink("test.db", Soft),
    ok = file:make_link(Db, Hard),
    [begin
         Args = ["--repo", "A=" ++ Db, "--repo", "B=" ++ Other | identity(Config, ct_env:name("twice"))],
         [begin
              {Code, <<>>, Err} = run(How ++ Args),
              ?assertEqual({Other, 1}, {Other, Code}),
              ?assertEqual(1, length(lines(Err))),
              ?assertNotEqual(nomatch, binary:match(Err, <<"same file">>))
          end || How <- [["--check"], []]]
     end || Other <- [Soft, Hard, Dir ++ "/./test.db", Dir ++ "//test.db"]].

%% One clear line on stderr, exit code 2, nothing on stdout.
wrong_use(Config) ->
    Good = good(Config, ct_env:name("wrong")),
    Wrong = [[],
             ["--nonsense" | Good],
             ["extra" | Good],
             Good ++ ["--repo"],
             Good ++ ["--repo", "NoPath"],
             Good ++ ["--repo", "=/tmp/x.db"],
             Good ++ ["--repo", "Empty="],
             Good ++ ["--repo", "Test.Repo=/tmp/other.db"],
             Good ++ ["--name", "nohost"],
             Good ++ ["--sname", "two"],
             Good ++ ["--connect", "nohost"],
             Good ++ ["--listen", "no.such.address.invalid:x"],
             Good ++ ["--listen", "127.0.0.1:65536"],
             Good ++ ["--log-level", "loud"],
             Good ++ ["--poller", "kqueue9"],
             Good ++ ["--synchronous", "off"],
             Good ++ ["--tick-time", "soon"],
             Good ++ ["--tick-time", "-1"],
             Good ++ ["--max-frame", "12x"],
             Good ++ ["--max-queue", "99999999999999999999"],
             Good ++ ["--busy-timeout", ""],
             ["--repo", "Test.Repo=/tmp/x.db"],
             identity(Config, ct_env:name("norepo"))],
    Bad = [{Args, Result} || Args <- Wrong, Result <- [run(["--check" | Args])],
                             not is_wrong_use(Result)],
    ?assertEqual([], Bad).

is_wrong_use({2, <<>>, Err}) -> length(lines(Err)) =:= 1;
is_wrong_use(_) -> false.

cookie_file_of_others(Config) ->
    [begin
         Dir = ct_env:dir(Config),
         Cookie = ct_env:cookie_file(Dir, Mode),
         {Code, <<>>, Err} = run(["--check", "--name", "a@127.0.0.1", "--cookie-file", Cookie,
                                  "--repo", "R=" ++ filename:join(Dir, "r.db")]),
         ?assertNotEqual({Mode, 0}, {Mode, Code}),
         ?assertEqual(1, length(lines(Err))),
         ?assertNotEqual(nomatch, binary:match(Err, list_to_binary(Cookie))),
         ?assertEqual(nomatch, binary:match(Err, atom_to_binary(ct_env:cookie())))
     end || Mode <- [8#440, 8#404, 8#444, 8#620]].

cookie_file_missing(Config) ->
    Dir = ct_env:dir(Config),
    Cookie = filename:join(Dir, "none"),
    {Code, <<>>, Err} = run(["--check", "--name", "a@127.0.0.1", "--cookie-file", Cookie,
                             "--repo", "R=" ++ filename:join(Dir, "r.db")]),
    ?assertNotEqual(0, Code),
    ?assertNotEqual(nomatch, binary:match(Err, list_to_binary(Cookie))).

%% ~/.erlang.cookie, with the newline that an editor leaves.
default_cookie_file(Config) ->
    Dir = ct_env:dir(Config),
    Cookie = filename:join(Dir, ".erlang.cookie"),
    ok = file:write_file(Cookie, [atom_to_list(ct_env:cookie()), "\n"]),
    ok = file:change_mode(Cookie, 8#400),
    Name = ct_env:name("home"),
    Node = ct_node:launch(Config, #{name => Name, raw_args => [
        "--name", atom_to_list(Name), "--listen", "127.0.0.1",
        "--repo", "Test.Repo=" ++ filename:join(Dir, "test.db")], env => [{"HOME", Dir}]}),
    _ = ct_node:await_log(Node, <<"ready">>, #{}),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ct_node:stop(Node).

no_secret_in_the_log(Config) ->
    Node = ct_node:start(Config, #{args => ["--log-level", "debug"]}),
    {ok, _} = ct_node:query(Node, "SELECT 1"),
    {error, _} = ct_raw:handshake(ct_raw:tcp(Node), #{name => ct_env:name("x"), cookie => wrong}),
    _ = ct_node:await_log(Node, <<"handshake_failed">>, #{}),
    ct_node:stop(Node),
    Text = iolist_to_binary(ct_node:lines(Node)),
    ?assertEqual(nomatch, binary:match(Text, atom_to_binary(ct_env:cookie()))).

short_name(Config) ->
    Dir = ct_env:dir(Config),
    Short = hd(string:split(atom_to_list(ct_env:name("short")), "@")),
    Node = ct_node:launch(Config, #{dir => Dir, raw_args => [
        "--sname", Short, "--cookie-file", ct_env:cookie_file(Dir, 8#400),
        "--repo", "Test.Repo=" ++ filename:join(Dir, "test.db")]}),
    #{<<"name">> := Full, <<"port">> := Port} = ct_node:await_log(Node, <<"ready">>, #{}),
    {ok, Host} = inet:gethostname(),
    ?assertEqual(list_to_binary([Short, "@", hd(string:split(Host, "."))]), Full),
    ?assertEqual({ok, binary_to_integer(Port)},
                 ct_epmd:lookup(?config(epmd_port, Config), Short)),
    ct_node:stop(Node).

fixed_port(Config) ->
    Port = ct_os:free_port(),
    Node = ct_node:start(Config, #{args => ["--listen", lists:concat(["127.0.0.1:", Port])]}),
    ?assertMatch(#{port := Port}, Node),
    Raw = ct_raw:connect(Node),
    ?assertEqual({return, maps:get(name, Node)}, ct_raw:call(Raw, erlang, node, [])),
    ct_node:stop(Node).

no_epmd(Config) ->
    Node = #{name := Name} = ct_node:start(Config, #{args => [
        "--no-epmd", "--listen", lists:concat(["127.0.0.1:", ct_os:free_port()])]}),
    [Short, _] = string:split(atom_to_list(Name), "@"),
    ?assertMatch({error, _}, ct_epmd:lookup(?config(epmd_port, Config), Short)),
    Raw = ct_raw:connect(Node),
    ?assertEqual({return, Name}, ct_raw:call(Raw, erlang, node, [])),
    ct_node:stop(Node).

log_level(Config) ->
    Node = ct_node:launch(Config, #{args => ["--log-level", "error"]}),
    pong = ct_wait:until(fun() -> net_adm:ping(maps:get(name, Node)) =:= pong andalso pong end),
    ct_node:stop(Node),
    ?assertEqual([], ct_node:lines(Node)).

unusable_port(Config) ->
    {ok, Socket} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Socket),
    {Code, <<>>, Err} = run(good(Config, ct_env:name("taken")) ++
                            ["--listen", lists:concat(["127.0.0.1:", Port])]),
    ?assert(Code > 0 andalso Code < 128),
    ?assertNotEqual(nomatch, binary:match(Err, integer_to_binary(Port))).

sigint_ends_well(Config) ->
    Node = ct_node:start(Config),
    ct_node:signal(Node, "INT"),
    ?assertEqual(0, ct_node:await_exit(Node)),
    ?assertMatch([_], ct_node:logs(Node, <<"stopping">>)),
    ?assertMatch([_], ct_node:logs(Node, <<"stopped">>)).

second_signal_ends_at_once(Config) ->
    Node = ct_node:start(Config, #{args => ["--statement-timeout", "60000"]}),
    #{name := Name, repo := Repo} = Node,
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    Forever = "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
              "WHERE n < 1000000000000) SELECT count(*) FROM c",
    _ = erpc:send_request(Name, ecto_litefs, query, [Repo, Forever, []]),
    ct_wait:until(fun() -> maps:get(queued, repo_info(Node)) > 0 end),
    ct_node:signal(Node, "TERM"),
    _ = ct_node:await_log(Node, <<"stopping">>, #{}),
    Started = erlang:monotonic_time(millisecond),
    ct_node:signal(Node, "TERM"),
    ?assertNotEqual(0, ct_node:await_exit(Node)),
    ?assert(erlang:monotonic_time(millisecond) - Started < 5000).

repo_info(Node) ->
    #{repos := Repos} = ct_node:call(Node, info, []),
    [Info] = maps:values(Repos),
    Info.

%% Helpers

run(Args) ->
    ct_os:run("/usr/bin/timeout", ["20", ct_env:program() | Args]).

lines(Text) ->
    binary:split(Text, <<"\n">>, [global, trim]).

identity(Config, Name) ->
    ["--name", atom_to_list(Name), "--cookie-file", ct_env:cookie_file(ct_env:dir(Config), 8#400)].

good(Config, Name) ->
    identity(Config, Name) ++ ["--repo", "Test.Repo=" ++ filename:join(ct_env:dir(Config), "test.db")].
