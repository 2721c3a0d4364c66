%% Load, and what is left when the node ends in the middle of it. The truth is what the sqlite3 shell finds
%% in the file, compared with what callers were told.
-module(load_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(WRITERS, 16).

suite() ->
    [{timetrap, {minutes, 5}}].

all() ->
    [bad_ones_among_good_ones, mixed_calls, sigterm_finishes_the_queue, sigterm_beside_a_lock,
     file_that_is_replaced, sigterm_under_load, sigkill_under_load, sigkill_normal].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

%% 64 processes with 100 requests each; every 7th violates a constraint, some of them only after a first row
%% that was good. All good ones are there once, every bad one was refused and left nothing, although they share
%% transactions.
bad_ones_among_good_ones(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (id INTEGER PRIMARY KEY, p, i CHECK (i % 7 <> 0))"),
    Results = lists:append(parallel(64, fun(P) ->
        [{P, I, insert(Node, P, I)} || I <- lists:seq(1, 100)]
    end)),
    ?assertEqual([], [R || {_, I, {error, #{code := constraint_check}}} = R <- Results, I rem 7 =/= 0]),
    ?assertEqual([], [R || {P, I, Result} = R <- Results, I rem 7 =/= 0,
                           not matches_row(Result, P, I)]),
    ?assertEqual([], [R || {_, I, Result} = R <- Results, I rem 7 =:= 0, not is_refused(Result)]),
    Good = lists:sort([[integer_to_binary(P), integer_to_binary(I)] || {P, I, {ok, _}} <- Results]),
    ?assertEqual(64 * (100 - 14), length(Good)),
    ?assertEqual(Good, lists:sort(ct_sqlite:query(Db, "SELECT p, i FROM t"))),
    #{repos := Repos} = ct_node:call(Node, info, []),
    [?assertMatch(#{failed := 896, queued := 0, queued_bytes := 0}, R) || R <- maps:values(Repos)],
    ct_node:stop(Node).

insert(Node, P, I) when I rem 14 =:= 0 ->
    Insert = "INSERT INTO t (p, i) VALUES (?, ?)",
    case ct_node:call(Node, query_many, ['Test.Repo', Insert, [[P, 1000], [P, I]]]) of
        {error, {2, Error}} -> {error, Error};
        Other -> Other
    end;
insert(Node, P, I) ->
    ct_node:query(Node, "INSERT INTO t (p, i) VALUES (?, ?) RETURNING p, i", [P, I]).

matches_row({ok, #{rows := [[P, I]], changes := 1}}, P, I) -> true;
matches_row(_, _, _) -> false.

is_refused({error, #{code := constraint_check, extended_code := 275}}) -> true;
is_refused(_) -> false.

%% All kinds of calls at once, from BEAM processes on two nodes.
mixed_calls(Config) ->
    Node = #{db := Db, name := Name} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (p, i, UNIQUE (p, i))"),
    Insert = "INSERT INTO t VALUES (?, ?)",
    _ = parallel(24, fun(P) ->
        lists:foreach(fun(I) ->
            case (P + I) rem 6 of
                0 -> {ok, _} = ct_node:query(Node, Insert, [P, I]);
                1 -> {ok, _} = ct_node:call(Node, query_many, ['Test.Repo', Insert, [[P, I]]]);
                2 -> {ok, _} = ct_node:call(Node, transaction, ['Test.Repo', [{Insert, [P, I]}]]);
                3 ->
                    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
                    {ok, _} = ct_node:query(Node, Insert, [P, I], #{tx => Tx}),
                    {ok, _} = ct_node:call(Node, commit, ['Test.Repo', Tx]);
                4 ->
                    {ok, _} = ct_node:query(Node, Insert, [P, I]),
                    {error, _} = ct_node:query(Node, Insert, [P, I]);
                5 ->
                    {ok, _} = ct_node:query(Node, "SELECT count(*) FROM t"),
                    {ok, _} = rpc:call(Name, ecto_litefs, query, ['Test.Repo', Insert, [P, I]])
            end
        end, lists:seq(1, 30))
    end),
    ?assertEqual(24 * 30, ct_sqlite:count(Db, "t")),
    ct_sqlite:integrity(Db),
    ct_node:stop(Node).

%% What waits when the signal comes is run, committed and answered; the interactive transaction that held it up
%% is rolled back.
sigterm_finishes_the_queue(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    {ok, Tx} = ct_node:call(Node, 'begin', ['Test.Repo']),
    {ok, _} = ct_node:query(Node, "INSERT INTO t VALUES (0)", [], #{tx => Tx}),
    Requests = [erpc:send_request(Name, ecto_litefs, query, ['Test.Repo', "INSERT INTO t VALUES (?)", [N]])
                || N <- lists:seq(1, 50)],
    ct_wait:until(fun() ->
        #{repos := Repos} = ct_node:call(Node, info, []),
        lists:sum([Q || #{queued := Q} <- maps:values(Repos)]) >= 50
    end),
    ct_node:signal(Node, "TERM"),
    [?assertMatch({ok, #{changes := 1}}, erpc:receive_response(R, 10000)) || R <- Requests],
    ?assertEqual(0, ct_node:await_exit(Node)),
    ?assertEqual([[<<"50">>, <<"1275">>]], ct_sqlite:query(Db, "SELECT count(*), sum(n) FROM t")).

%% Another program keeps its lock: each of what waits is refused, after one --busy-timeout for all of it together.
sigterm_beside_a_lock(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config, #{args => ["--busy-timeout", "2000"]}),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    Shell = ct_sqlite:lock(Db),
    Requests = [erpc:send_request(Name, ecto_litefs, 'begin', ['Test.Repo']) || _ <- lists:seq(1, 10)],
    ct_wait:until(fun() ->
        #{repos := Repos} = ct_node:call(Node, info, []),
        lists:sum([Q || #{queued := Q} <- maps:values(Repos)]) =:= 10
    end),
    Began = erlang:monotonic_time(millisecond),
    ct_node:signal(Node, "TERM"),
    [?assertMatch({error, #{code := busy}}, erpc:receive_response(R, 20000)) || R <- Requests],
    ?assertEqual(0, ct_node:await_exit(Node)),
    ?assert(erlang:monotonic_time(millisecond) - Began < 10000),
    ct_sqlite:unlock(Shell).

%% Nothing is acknowledged that goes into a file which is no longer the database.
file_that_is_replaced(Config) ->
    Node = #{db := Db, dir := Dir} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (n)"),
    Backup = filename:join(Dir, "backup.db"),
    ok = ct_sqlite:exec(Db, ["VACUUM INTO '", Backup, "'"]),
    {ok, _} = ct_node:query(Node, "INSERT INTO t VALUES (1)"),
    [ok = file:delete(Db ++ Suffix) || Suffix <- ["", "-wal", "-shm"]],
    ?assertMatch({error, #{code := unavailable}}, ct_node:query(Node, "INSERT INTO t VALUES (2)")),
    ok = file:rename(Backup, Db),
    ?assertMatch({error, #{code := unavailable}}, ct_node:query(Node, "INSERT INTO t VALUES (3)")),
    ?assertMatch({error, #{code := unavailable}}, ct_node:call(Node, 'begin', ['Test.Repo'])),
    ct_node:stop(Node),
    ?assertEqual(0, ct_sqlite:count(Db, "t")),
    Again = ct_node:start(Config, #{dir => Dir}),
    {ok, _} = ct_node:query(Again, "INSERT INTO t VALUES (4)"),
    ?assertEqual([[<<"4">>]], ct_sqlite:query(Db, "SELECT n FROM t")),
    ct_node:stop(Again).

%% Stops taking work, commits what is queued, answers, ends well: every acknowledged row is there, every other
%% one at most once.
sigterm_under_load(Config) ->
    Dir = ct_env:dir(Config),
    lists:foldl(fun(Round, Told) ->
        Node = #{name := Name, db := Db} = ct_node:start(Config, #{dir => Dir}),
        {ok, _} = ct_node:query(Node, "CREATE TABLE IF NOT EXISTS t (k TEXT)"),
        Writers = start_writers(Name, {term, Round}),
        await_acknowledged(Writers, 300),
        ct_node:signal(Node, "TERM"),
        ?assertEqual(0, ct_node:await_exit(Node)),
        Now = merge(Told, stop_writers(Writers)),
        check(Db, Now),
        Now
    end, {#{}, #{}}, lists:seq(1, 3)),
    ok.

sigkill_under_load(Config) ->
    kill_rounds(Config, 20, []).

%% A process that dies loses nothing with synchronous=NORMAL either; only the machine's end could.
sigkill_normal(Config) ->
    kill_rounds(Config, 5, ["--synchronous", "normal"]).

%% SIGKILL at a random moment, restart on the same file, again and again: after each, every row acknowledged
%% so far is there and every other one at most once.
kill_rounds(Config, Rounds, Args) ->
    Seed = erlang:system_time(),
    ct:pal("seed ~p", [Seed]),
    rand:seed(exsss, Seed),
    Dir = ct_env:dir(Config),
    lists:foldl(fun(Round, Told) ->
        Node = #{name := Name, db := Db} = ct_node:start(Config, #{dir => Dir, args => Args}),
        {ok, _} = ct_node:query(Node, "CREATE TABLE IF NOT EXISTS t (k TEXT)"),
        Writers = start_writers(Name, {kill, Round}),
        await_acknowledged(Writers, rand:uniform(200)),
        timer:sleep(rand:uniform(50)),
        ct_node:kill(Node),
        Now = merge(Told, stop_writers(Writers)),
        %% First what another program makes of the file as it was left, then what our node does.
        check(Db, Now),
        Again = #{name := Name2} = ct_node:start(Config, #{dir => Dir, args => Args}),
        {ok, #{rows := [[Count]]}} =
            erpc:call(Name2, ecto_litefs, query, ['Test.Repo', "SELECT count(*) FROM t", []]),
        ?assertEqual(Count, ct_sqlite:count(Db, "t")),
        ct_node:stop(Again),
        check(Db, Now),
        Now
    end, {#{}, #{}}, lists:seq(1, Rounds)),
    ok.

%% Helpers

parallel(N, Fun) ->
    Parent = self(),
    Pids = [spawn_link(fun() -> Parent ! {self(), Fun(P)} end) || P <- lists:seq(1, N)],
    [receive {Pid, Result} -> Result end || Pid <- Pids].

%% Writers send rows with keys of their own, by single inserts and by transactions of three rows, until the
%% connection is lost or they are told to stop. Each keeps what was acknowledged and what was tried.
start_writers(Name, Label) ->
    [spawn_link(fun() -> writer(Name, {Label, W}, 1, [], []) end) || W <- lists:seq(1, ?WRITERS)].

writer(Name, Label, I, Acknowledged, Tried) ->
    receive
        {how_many, From} ->
            From ! {self(), length(Acknowledged)},
            writer(Name, Label, I, Acknowledged, Tried);
        {stop, From} ->
            From ! {self(), Acknowledged, Tried}
    after 0 ->
        Keys = keys(Label, I),
        case write(Name, Keys) of
            acknowledged -> writer(Name, Label, I + 1, Keys ++ Acknowledged, Keys ++ Tried);
            refused -> writer(Name, Label, I + 1, Acknowledged, Tried);
            unknown ->
                %% The node has gone, or is going: wait to be asked.
                writer_ended(Acknowledged, Keys ++ Tried)
        end
    end.

writer_ended(Acknowledged, Tried) ->
    receive
        {how_many, From} ->
            From ! {self(), length(Acknowledged)},
            writer_ended(Acknowledged, Tried);
        {stop, From} ->
            From ! {self(), Acknowledged, Tried}
    end.

keys(Label, I) when I rem 4 =:= 0 -> [key(Label, I, Part) || Part <- [1, 2, 3]];
keys(Label, I) -> [key(Label, I, 0)].

key(Label, I, Part) ->
    list_to_binary(io_lib:format("~p", [{Label, I, Part}])).

%% refused: an answer that promises that nothing was written.
write(Name, Keys) ->
    Insert = <<"INSERT INTO t VALUES (?)">>,
    Call = case Keys of
        [Key] -> {query, ['Test.Repo', Insert, [Key]]};
        _ -> {transaction, ['Test.Repo', [{Insert, [Key]} || Key <- Keys]]}
    end,
    {Function, Args} = Call,
    try erpc:call(Name, ecto_litefs, Function, Args, 20000) of
        {ok, _} -> acknowledged;
        {error, {unknown, _}} -> unknown;
        {error, _} -> refused
    catch
        error:{erpc, _} -> unknown
    end.

await_acknowledged(Writers, N) ->
    ct_wait:until(fun() ->
        lists:sum([begin W ! {how_many, self()}, receive {W, Count} -> Count end end || W <- Writers]) >= N
    end, 30000).

%% {Acknowledged, Tried} as sets.
stop_writers(Writers) ->
    [W ! {stop, self()} || W <- Writers],
    lists:foldl(fun(W, Acc) ->
        receive {W, Acknowledged, Tried} -> merge(Acc, {set(Acknowledged), set(Tried)}) end
    end, {#{}, #{}}, Writers).

set(Keys) -> maps:from_keys(Keys, true).

merge({A1, T1}, {A2, T2}) -> {maps:merge(A1, A2), maps:merge(T1, T2)}.

%% The file holds every acknowledged row, no row twice, none that nobody sent or that was refused; the rows of
%% one transaction are all there or none is.
check(Db, {Acknowledged, Tried}) ->
    ct_sqlite:integrity(Db),
    Rows = [K || [K] <- ct_sqlite:query(Db, "SELECT k FROM t")],
    Found = set(Rows),
    ?assertEqual(length(Rows), maps:size(Found)),
    ?assertEqual([], maps:keys(maps:without(Rows, Acknowledged))),
    ?assertEqual([], maps:keys(maps:without(maps:keys(Tried), Found))),
    Thirds = lists:sort([Rest || K <- Rows, {match, [Rest]} <- [re:run(K, "^(.*),[123]}$", [{capture, all_but_first, binary}])]]),
    ?assertEqual([], [T || T <- lists:usort(Thirds), length([x || X <- Thirds, X =:= T]) =/= 3]),
    ct:log("~b acknowledged, ~b tried, ~b found", [maps:size(Acknowledged), maps:size(Tried), maps:size(Found)]).
