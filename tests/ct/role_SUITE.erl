%% The C node's role, beside a stand-in for LiteFS (ct_litefs: a folder with LiteFS's files, and its events).
%%
%% The stand-in cannot move a database's position when SQLite commits, as LiteFS does; where a COMMIT must count, the
%% position moves on all the time.
-module(role_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [no_litefs, another_folder, not_mounted, mounted_later, primary, replica, replica_without_a_row, unknown,
     a_replica_reads, reads_where_it_is_mounted, hidden_writes_on_a_replica, demoted_in_a_transaction, commit_that_does_not_count,
     back_and_forth_under_load, lost_and_back_at_once, listeners_hear, a_listener_of_none, check_leaves_the_file_alone].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_testcase(_Case, Config) -> [{litefs, ct_litefs:start(Config)} | Config].
end_per_testcase(_Case, Config) -> ct_litefs:stop(?config(litefs, Config)).

%% A node whose database lies in the stand-in's folder, or elsewhere.
beside(Config) -> beside(Config, #{}).
beside(Config, Options) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    Args = ["--primary-file", binary_to_list(ct_litefs:primary_file(LiteFS)), "--poll-interval", "20",
            "--event-stream-url", binary_to_list(ct_litefs:url(LiteFS))],
    ct_node:start(Config, maps:merge(#{dir => ct_env:dir(Config), args => Args,
                                       db => filename:join(Dir, "test.db")}, Options)).

state(Node) ->
    {ct_node:call(Node, get_primary, ['Test.Repo']), ct_node:call(Node, 'is_primary?', ['Test.Repo'])}.

await_role(Node, Role) ->
    ct_wait:until(fun() ->
        #{repos := #{<<"Test.Repo">> := #{role := Now}}} = ct_node:call(Node, info, []),
        Now =:= Role
    end).

is_unavailable({error, #{code := unavailable}}) -> true;
is_unavailable(_) -> false.

insert(Node) -> ct_node:query(Node, "INSERT INTO t VALUES (1)").

%% A database that another program has made, as on a replica.
make_database(Config) ->
    #{dir := Dir} = ?config(litefs, Config),
    Db = filename:join(Dir, "test.db"),
    ct_sqlite:exec(Db, "PRAGMA journal_mode = wal; CREATE TABLE t (a)"),
    Db.

write_row(Db, Name) ->
    ct_sqlite:exec(Db, ["CREATE TABLE IF NOT EXISTS _ecto_litefs_primary (id INTEGER PRIMARY KEY CHECK (id = 1), "
                        "node_name TEXT NOT NULL, updated_at INTEGER NOT NULL); "
                        "REPLACE INTO _ecto_litefs_primary VALUES (1, '", Name, "', 1)"]).

%% The position moves on all the time, so that most COMMITs find it advanced; the others are unknown.
with_moving_position(Config, Fun) ->
    LiteFS = ?config(litefs, Config),
    Mover = spawn_link(fun() -> move(LiteFS, 1) end),
    try
        Fun()
    after
        unlink(Mover),
        exit(Mover, kill)
    end.

move(LiteFS, Txid) ->
    ok = ct_litefs:file(LiteFS, "test.db-pos", io_lib:format("~16.16.0b/00000000000000aa~n", [Txid])),
    move(LiteFS, Txid + 1).

%% Until it is acknowledged; Sql may run more than once.
done(Node, Sql) ->
    ct_wait:until(fun() ->
        case ct_node:query(Node, Sql) of
            {ok, Result} -> Result;
            {error, {unknown, _}} -> false;
            {error, #{code := unavailable}} -> false
        end
    end).

%% Both events come at once, as to a node that was stopped for a while: another host has been the primary meanwhile, and
%% has its name in the row.
lost_and_back_at_once(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Node = #{name := Name, db := Db} = beside(Config),
    await_role(Node, primary),
    Own = atom_to_binary(Name),
    with_moving_position(Config, fun() ->
        ct_wait:until(fun() -> row(Db) =:= Own end),
        _ = done(Node, "CREATE TABLE IF NOT EXISTS t (a)"),
        {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
        ct_litefs:say(LiteFS, [ct_litefs:change(replica), ct_litefs:change(primary)]),
        ct_wait:until(fun() ->
            {error, #{code := no_transaction}} = ct_node:query(Node, "INSERT INTO t VALUES (1)", [], #{tx => Tx})
        end),
        write_row(Db, "litefs@n1"),
        ct_litefs:say(LiteFS, [ct_litefs:change(replica), ct_litefs:change(primary)]),
        ct_wait:until(fun() -> row(Db) =:= Own end)
    end),
    ct_node:stop(Node).

row(Db) ->
    [[Name]] = ct_sqlite:query(Db, "SELECT node_name FROM _ecto_litefs_primary"),
    Name.

%% Whoever listens hears of it: at once, when it comes about, and once for each time.
listeners_hear(Config) ->
    LiteFS = ?config(litefs, Config),
    Db = make_database(Config),
    write_row(Db, "litefs@n1"),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    Node = #{name := Name} = beside(Config),
    await_role(Node, replica),
    Forgotten = spawn_link(fun() -> receive after infinity -> ok end end),
    listen(Node, <<"Test.Repo">>, Forgotten),
    listen(Node, <<"Test.Repo">>, self()),
    ?assertEqual([], heard(Node)),
    ct_litefs:file(LiteFS, ".primary", false),
    ct_litefs:say(LiteFS, ct_litefs:change(primary)),
    receive {ecto_litefs, primary, <<"Test.Repo">>, Name} -> ok end,
    ?assertEqual({message_queue_len, 0}, process_info(Forgotten, message_queue_len)),
    %% One that comes later.
    listen(Node, <<"Test.Repo">>, self()),
    receive {ecto_litefs, primary, <<"Test.Repo">>, Name} -> ok end,
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    ct_litefs:say(LiteFS, ct_litefs:change({replica, "n1"})),
    await_role(Node, replica),
    ?assertEqual([], heard(Node)),
    unlink(Forgotten),
    exit(Forgotten, kill),
    ct_node:stop(Node).

%% What is no such message, or about no such database, changes nothing.
a_listener_of_none(Config) ->
    Node = beside(Config),
    lists:foreach(fun(Message) -> {ecto_litefs, maps:get(name, Node)} ! Message end,
                  [{listen}, {listen, <<"Test.Repo">>}, {listen, <<"Test.Repo">>, x}, {listen, 'Test.Repo', self()},
                   {listen, <<"No.Repo">>, self()}, {listen, <<"Test.Repo">>, self(), x}]),
    await_role(Node, unknown),
    ct_litefs:file(?config(litefs, Config), ".primary", false),
    ct_litefs:greet(?config(litefs, Config), ct_litefs:init(primary)),
    await_role(Node, primary),
    ?assertEqual([], heard(Node)),
    ct_node:stop(Node).

listen(#{name := Name}, Repo, Pid) ->
    {ecto_litefs, Name} ! {listen, Repo, Pid}.

%% All that has come by the time of an answer, which comes after it.
heard(Node) ->
    #{name := _} = ct_node:call(Node, info, []),
    heard().

heard() ->
    receive
        {ecto_litefs, _, _, _} = Message -> [Message | heard()]
    after 0 -> []
    end.

no_litefs(Config) ->
    Node = #{name := Name} = ct_node:start(Config, #{args => ["--primary-file", "/no/such/folder/.primary"]}),
    ?assertEqual({{ok, Name}, true}, state(Node)),
    ?assertEqual({ok, nil}, ct_node:call(Node, position, ['Test.Repo'])),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (a)"),
    {ok, #{position := nil}} = insert(Node),
    ct_node:stop(Node).

%% LiteFS is here, but this database is not its.
another_folder(Config) ->
    ct_litefs:file(?config(litefs, Config), ".primary", "n1\n"),
    Dir = ct_env:dir(Config),
    Node = #{name := Name} = beside(Config, #{db => filename:join(Dir, "own.db")}),
    ?assertEqual({{ok, Name}, true}, state(Node)),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (a)"),
    ct_node:stop(Node).

%% A folder with nothing mounted: no file may be made there.
not_mounted(Config) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    ct_litefs:file(LiteFS, ".lag", false),
    Node = beside(Config),
    ?assertEqual({{ok, nil}, false}, state(Node)),
    ?assertEqual({error, {not_primary, nil}}, insert(Node)),
    ?assert(is_unavailable(ct_node:query(Node, "SELECT 1"))),
    ?assertEqual({error, {not_primary, nil}}, ct_node:call(Node, 'begin', ['Test.Repo'])),
    ?assertEqual({ok, []}, file:list_dir(Dir)),
    ct_node:stop(Node),
    ?assertEqual({ok, []}, file:list_dir(Dir)).

%% The folder itself comes with LiteFS. Until that has been looked at nothing is opened there, and what is acknowledged
%% later is what LiteFS confirms: here nothing, since the position stands still.
mounted_later(Config) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    Db = make_database(Config),
    ct_litefs:file(LiteFS, "test.db-pos", "0000000000000007/00000000000000aa\n"),
    ok = file:rename(Dir, Dir ++ ".away"),
    Node = beside(Config, #{dir => ct_env:dir(Config), args => [
        "--primary-file", binary_to_list(ct_litefs:primary_file(LiteFS)), "--poll-interval", "2000",
        "--event-stream-url", "off"]}),
    %% What a host without a folder is primary of is its own, and this is not.
    #{<<"role">> := <<"primary">>} = ct_node:await_log(Node, <<"role">>, #{<<"mount">> => <<"absent">>}),
    ?assertEqual({{ok, nil}, false}, state(Node)),
    await_role(Node, unknown),
    ?assertEqual({error, {not_primary, nil}}, insert(Node)),
    ?assert(is_unavailable(ct_node:query(Node, "SELECT 1"))),
    ok = file:rename(Dir ++ ".away", Dir),
    ?assertMatch({error, {unknown, _}}, ct_wait:until(fun() ->
        case insert(Node) of
            {error, {not_primary, _}} -> false;
            Answer -> not is_unavailable(Answer) andalso Answer
        end
    end)),
    ?assertEqual(1, ct_sqlite:count(Db, "t")),
    ct_node:stop(Node).

primary(Config) ->
    LiteFS = ?config(litefs, Config),
    with_moving_position(Config, fun() ->
        ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
        Node = #{name := Name, db := Db} = beside(Config),
        await_role(Node, primary),
        ?assertEqual({{ok, Name}, true}, state(Node)),
        #{position := {T1, 16#AA}} = done(Node, "CREATE TABLE IF NOT EXISTS t (a)"),
        #{position := {T2, 16#AA}} = done(Node, "INSERT INTO t VALUES (1)"),
        ?assert(T2 > T1),
        {ok, {T3, 16#AA}} = ct_node:call(Node, position, ['Test.Repo']),
        ?assert(T3 >= T2),
        _ = ct_node:await_log(Node, <<"tracker_row_written">>, #{}),
        ?assertEqual([[<<"1">>, atom_to_binary(Name)]],
                     ct_sqlite:query(Db, "SELECT id, node_name FROM _ecto_litefs_primary")),
        ct_node:stop(Node)
    end).

replica(Config) ->
    LiteFS = ?config(litefs, Config),
    write_row(make_database(Config), "other@10.0.0.1"),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    Node = beside(Config),
    await_role(Node, replica),
    ct_wait:until(fun() -> state(Node) =:= {{ok, 'other@10.0.0.1'}, false} end),
    Refused = {error, {not_primary, 'other@10.0.0.1'}},
    Sql = "INSERT INTO t VALUES (?)",
    ?assertEqual(Refused, ct_node:query(Node, Sql, [1])),
    ?assertEqual(Refused, ct_node:call(Node, query_many, ['Test.Repo', Sql, [[1]]])),
    ?assertEqual(Refused, ct_node:call(Node, transaction, ['Test.Repo', [{Sql, [1]}]])),
    ?assertEqual(Refused, ct_node:call(Node, 'begin', ['Test.Repo'])),
    ct_node:stop(Node).

replica_without_a_row(Config) ->
    _ = make_database(Config),
    ct_litefs:file(?config(litefs, Config), ".primary", "n1\n"),
    Node = beside(Config),
    await_role(Node, replica),
    ?assertEqual({{ok, nil}, false}, state(Node)),
    ?assertEqual({error, {not_primary, nil}}, insert(Node)),
    ct_node:stop(Node).

%% Mounted, no .primary, and nobody who says more: not primary.
unknown(Config) ->
    LiteFS = ?config(litefs, Config),
    write_row(make_database(Config), "other@10.0.0.1"),
    ct_litefs:file(LiteFS, ".lag", "+000000315\n"),
    Node = beside(Config),
    ?assertEqual({{ok, nil}, false}, state(Node)),
    ?assertEqual({error, {not_primary, nil}}, insert(Node)),
    ct_node:stop(Node).

a_replica_reads(Config) ->
    Db = make_database(Config),
    ct_litefs:file(?config(litefs, Config), ".primary", "n1\n"),
    Node = beside(Config),
    await_role(Node, replica),
    ct_wait:until(fun() -> {ok, #{rows := [[0]]}} = ct_node:query(Node, "SELECT count(*) FROM t") end),
    ct_sqlite:exec(Db, "INSERT INTO t VALUES (1)"),
    ?assertMatch({ok, #{rows := [[1]]}}, ct_node:query(Node, "SELECT count(*) FROM t")),
    ct_node:stop(Node).

%% Mounted and not any more, while nobody knows the role.
reads_where_it_is_mounted(Config) ->
    LiteFS = ?config(litefs, Config),
    _ = make_database(Config),
    ct_litefs:file(LiteFS, ".lag", false),
    Node = beside(Config),
    ?assert(is_unavailable(ct_node:query(Node, "SELECT count(*) FROM t"))),
    ct_litefs:file(LiteFS, ".lag", "+000000315\n"),
    ct_wait:until(fun() -> {ok, _} = ct_node:query(Node, "SELECT count(*) FROM t") end),
    ct_litefs:file(LiteFS, ".lag", false),
    ct_wait:until(fun() -> is_unavailable(ct_node:query(Node, "SELECT count(*) FROM t")) end),
    ct_node:stop(Node).

%% What only SQLite can see to be a write.
hidden_writes_on_a_replica(Config) ->
    Db = make_database(Config),
    ct_litefs:file(?config(litefs, Config), ".primary", "n1\n"),
    Node = beside(Config),
    await_role(Node, replica),
    ct_wait:until(fun() -> {ok, _} = ct_node:query(Node, "SELECT 1") end),
    ?assertEqual({error, {not_primary, nil}},
                 ct_node:query(Node, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x")),
    ?assertEqual({error, {not_primary, nil}}, ct_node:query(Node, "PRAGMA user_version = 7")),
    ?assertEqual(0, ct_sqlite:count(Db, "t")),
    ct_node:stop(Node).

demoted_in_a_transaction(Config) ->
    LiteFS = ?config(litefs, Config),
    with_moving_position(Config, fun() ->
        ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
        Node = #{db := Db} = beside(Config),
        await_role(Node, primary),
        _ = done(Node, "CREATE TABLE IF NOT EXISTS t (a)"),
        {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
        {ok, _} = ct_node:query(Node, "INSERT INTO t VALUES (1)", [], #{tx => Tx}),
        ct_litefs:file(LiteFS, ".primary", "n2\n"),
        ct_litefs:say(LiteFS, ct_litefs:change({replica, "n2"})),
        await_role(Node, replica),
        {error, #{code := no_transaction}} = ct_node:call(Node, commit, ['Test.Repo', Tx]),
        ?assertEqual(0, ct_sqlite:count(Db, "t")),
        ct_node:stop(Node)
    end).

%% COMMIT returns OK, and LiteFS's position stays: said to be unknown, which it is.
commit_that_does_not_count(Config) ->
    LiteFS = ?config(litefs, Config),
    Db = make_database(Config),
    ct_litefs:file(LiteFS, "test.db-pos", "0000000000000007/00000000000000aa\n"),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    Node = beside(Config),
    await_role(Node, primary),
    ct_wait:until(fun() -> {ok, _} = ct_node:query(Node, "SELECT 1") end),
    ?assertMatch({error, {unknown, <<_, _/binary>>}}, insert(Node)),
    ?assertEqual(1, ct_sqlite:count(Db, "t")),
    %% What writes nothing needs no new position: but it shares the fate of its group, and the node tries once a
    %% second to write the tracker row.
    ct_wait:until(fun() ->
        {ok, #{changes := 0, position := {7, 16#AA}}} = ct_node:query(Node, "UPDATE t SET a = 2 WHERE a = 77")
    end),
    ct_node:stop(Node).

%% Writers all the time, while the role changes: what was acknowledged is there once, what was refused is not.
back_and_forth_under_load(Config) ->
    LiteFS = ?config(litefs, Config),
    with_moving_position(Config, fun() ->
        ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
        Node = #{db := Db} = beside(Config),
        await_role(Node, primary),
        _ = done(Node, "CREATE TABLE IF NOT EXISTS t (k TEXT)"),
        Self = self(),
        Refused = counters:new(1, []),
        Writers = [spawn_link(fun() -> Self ! {self(), writes(Node, W, 0, Refused, [])} end) || W <- lists:seq(1, 4)],
        lists:foreach(fun(_) ->
            ct_litefs:file(LiteFS, ".primary", "n2\n"),
            ct_litefs:say(LiteFS, ct_litefs:change({replica, "n2"})),
            await_role(Node, replica),
            Before = counters:get(Refused, 1),
            ct_wait:until(fun() -> counters:get(Refused, 1) > Before end),
            ct_litefs:file(LiteFS, ".primary", false),
            ct_litefs:say(LiteFS, ct_litefs:change(primary)),
            await_role(Node, primary)
        end, lists:seq(1, 5)),
        _ = [W ! stop || W <- Writers],
        Results = lists:append([receive {W, R} -> R end || W <- Writers]),
        Rows = [K || [K] <- ct_sqlite:query(Db, "SELECT k FROM t")],
        ?assertEqual(length(Rows), length(lists:usort(Rows))),
        Of = fun(Kind) -> [K || {K, Result} <- Results, Result =:= Kind] end,
        ct:pal("~b done, ~b refused, ~b unknown", [length(Of(done)), length(Of(refused)), length(Of(unknown))]),
        ?assertEqual([], Of(done) -- Rows),
        ?assertEqual([], [K || K <- Of(refused), lists:member(K, Rows)]),
        ?assert(length(Of(done)) > 0),
        ?assert(length(Of(refused)) >= 5),
        ct_node:stop(Node)
    end).

writes(Node, W, I, Refused, Results) ->
    Key = iolist_to_binary(io_lib:format("~b-~b", [W, I])),
    Result = case ct_node:query(Node, "INSERT INTO t VALUES (?)", [Key]) of
        {ok, _} -> done;
        {error, {not_primary, _}} -> counters:add(Refused, 1, 1), refused;
        {error, {unknown, _}} -> unknown
    end,
    receive
        stop -> [{Key, Result} | Results]
    after 0 ->
        writes(Node, W, I + 1, Refused, [{Key, Result} | Results])
    end.

check_leaves_the_file_alone(Config) ->
    LiteFS = #{dir := Dir} = ?config(litefs, Config),
    ct_litefs:file(LiteFS, ".lag", false),
    Node = ct_node:launch(Config, #{dir => ct_env:dir(Config), db => filename:join(Dir, "test.db"),
        args => ["--check", "--primary-file", binary_to_list(ct_litefs:primary_file(LiteFS))]}),
    ?assertEqual(0, ct_node:await_exit(Node)),
    ?assertEqual({ok, []}, file:list_dir(Dir)).
