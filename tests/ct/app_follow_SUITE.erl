%% Forwarded writes while the primary is killed, cut off or moved: what was acknowledged is there, and there
%% once; what is said not to have been written is not. The C nodes are real, the port program and Ecto are
%% stand-ins; only failover_latency has the real port. Each statement goes the way of one of the remote repo.
-module(app_follow_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(API, 'Elixir.EctoLiteFS').
-define(SUP, 'Elixir.EctoLiteFS.Supervisor').
-define(REPO, 'Elixir.Test.Repo').
-define(PRIMARY_FILE, <<"/stand-in/.primary">>).
-define(WRITERS, 8).
-define(INSERT, <<"INSERT INTO t (a) VALUES (?)">>).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [row_is_read_when_it_was_wrong, moved_in_mid_load, killed_in_mid_load, cut_off_in_mid_load, refused_in_mid_load, transactions_in_mid_load,
     error_after_a_lost_answer, this_host_becomes_primary, this_host_becomes_primary_by_driver, cut_off_in_a_transaction, retries_are_told,
     await_position, await_on_a_mount_that_hangs, await_while_the_repo_hangs, await_here, a_new_primary_says_so, the_row_takes_over_from_a_word, primary_that_is_gone,
     too_few_replicas_in_time, failover_latency].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_testcase(_, Config) ->
    ok = app_world:start(),
    ok = app_world:repo(?REPO, []),
    [{port, app_port:start(ct_env:dir(Config))} | Config].

end_per_testcase(_, Config) ->
    case whereis(?SUP:supervisor_name(?REPO)) of
        undefined -> ok;
        Pid -> gen_server:stop(Pid, shutdown, 10000)
    end,
    ok = app_port:stop(?config(port, Config)),
    ok = app_world:stop().

%% Load

%% Two nodes with the same history: here with the same file.
moved_in_mid_load(Config) ->
    A = cnode(Config, #{}),
    B = cnode(Config, #{db => maps:get(db, A)}),
    start(Config, A, []),
    Done = under_load(fun() ->
        lists:foreach(fun(N) ->
            timer:sleep(20 + rand:uniform(60)),
            %% So that there are attempts to give up.
            Old = lists:nth(1 + N rem 2, [A, B]),
            ct_node:signal(Old, "STOP"),
            primary_is(lists:nth(2 - N rem 2, [A, B]), Config),
            timer:sleep(30),
            ct_node:signal(Old, "CONT")
        end, lists:seq(0, 19))
    end),
    check(Done, A),
    ct_node:stop(A),
    ct_node:stop(B).

%% Nothing connects the nodes again but the attempts themselves.
killed_in_mid_load(Config) ->
    A = cnode(Config, #{owner => suite}),
    start(Config, A, []),
    Done = under_load(fun() ->
        lists:foreach(fun(_) ->
            timer:sleep(100 + rand:uniform(200)),
            restart(Config, A)
        end, lists:seq(1, 3))
    end),
    check(Done, A),
    stop_by_name(A).

%% The node is stopped: connected, silent, and its answers may be under way. Another one, that has what it had
%% committed, becomes the primary; then the first goes on, and nobody may hear of it.
cut_off_in_mid_load(Config) ->
    A = cnode(Config, #{}),
    start(Config, A, []),
    Self = self(),
    Done = under_load(fun() ->
        timer:sleep(200),
        ct_node:signal(A, "STOP"),
        B = cnode(Config, #{db => copy(Config, A), owner => suite}),
        primary_is(B, Config),
        timer:sleep(200),
        ct_node:signal(A, "CONT"),
        Self ! {b, B}
    end),
    B = receive {b, N} -> N end,
    check(Done, B),
    ?assert(ct_sqlite:count(maps:get(db, A), "t") < length(Done)),
    ct_node:stop(A),
    ct_node:stop(B).

%% The node itself is told by LiteFS that it is not the primary, and that it is again; detection names it all
%% the time. A commit may find LiteFS's position where it was: the outcome is unknown, and settled by a repeat.
refused_in_mid_load(Config) ->
    on_litefs(Config, fun refused_in_mid_load/2).

refused_in_mid_load(LiteFS, A) ->
    Done = under_load(fun() ->
        lists:foreach(fun(_) ->
            timer:sleep(50),
            Before = length(refused()),
            ct_litefs:file(LiteFS, ".primary", "n2\n"),
            ct_litefs:say(LiteFS, ct_litefs:change({replica, "n2"})),
            ct_wait:until(fun() -> not ct_node:call(A, 'is_primary?', [?REPO]) end),
            ct_wait:until(fun() -> length(refused()) > Before end),
            ct_litefs:file(LiteFS, ".primary", false),
            ct_litefs:say(LiteFS, ct_litefs:change(primary)),
            ct_wait:until(fun() -> ct_node:call(A, 'is_primary?', [?REPO]) end)
        end, lists:seq(1, 5))
    end),
    check(Done, A).

refused() ->
    [R || #{reason := R} <- retries(), is_tuple(R), element(1, R) =:= not_primary].

%% A node beside the stand-in, as the primary, whose position moves on all the time; it has the table.
on_litefs(Config, Fun) ->
    LiteFS = #{dir := Dir} = ct_litefs:start(Config),
    Mover = spawn_link(fun() -> move(LiteFS, 1) end),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    A = ct_node:start(Config, #{dir => ct_env:dir(Config), db => filename:join(Dir, "test.db"),
        args => ["--primary-file", binary_to_list(ct_litefs:primary_file(LiteFS)), "--poll-interval", "20",
                 "--event-stream-url", binary_to_list(ct_litefs:url(LiteFS))]}),
    start(Config, A, []),
    {ok, _} = write(<<"CREATE TABLE t (id INTEGER PRIMARY KEY, a)">>, []),
    Fun(LiteFS, A),
    unlink(Mover),
    exit(Mover, kill),
    ct_node:stop(A),
    ct_litefs:stop(LiteFS).

move(LiteFS, Txid) ->
    ok = ct_litefs:file(LiteFS, "test.db-pos", io_lib:format("~16.16.0b/00000000000000aa~n", [Txid])),
    move(LiteFS, Txid + 1).

%% Two rows each, or none: a commit whose answer was lost is settled.
transactions_in_mid_load(Config) ->
    A = cnode(Config, #{owner => suite}),
    start(Config, A, []),
    Results = load(fun(Value) -> {Value, transaction(Value)} end, fun() ->
        lists:foreach(fun(_) ->
            timer:sleep(100 + rand:uniform(200)),
            restart(Config, A)
        end, lists:seq(1, 4))
    end),
    Stored = stored(A),
    Of = fun(Kind) -> [V || {V, Result} <- Results, Result =:= Kind] end,
    ct:pal("~b committed, ~b rolled back", [length(Of(ok)), length(Of(not_written))]),
    ?assertEqual(length(Results), length(Of(ok)) + length(Of(not_written))),
    same(Of(ok) ++ Of(ok), Stored),
    ?assert(Of(ok) =/= []),
    stop_by_name(A).

transaction(Value) ->
    case ecto_litefs_request:'begin'(?REPO, []) of
        {ok, Tx} -> in_transaction(Tx, Value);
        {error, Reason, _} -> kind(Reason)
    end.

in_transaction(Tx, Value) ->
    case [ecto_litefs_request:query(?REPO, Tx, {?INSERT, [Value]}, []) || _ <- [1, 2]] of
        [{ok, _}, {ok, _}] ->
            case ecto_litefs_request:commit(?REPO, Tx, []) of
                ok -> ok;
                {error, Reason, _} -> kind(Reason)
            end;
        Results ->
            ok = ecto_litefs_request:abandon(?REPO, Tx),
            {error, Reason, _} = lists:last(Results),
            kind(Reason)
    end.

kind({not_written, _}) -> not_written;
kind(Other) -> Other.

%% Single events

%% The first attempt is lost in a stopped node, the second finds a constraint violated by somebody else: said
%% only when the first can never run any more.
error_after_a_lost_answer(Config) ->
    A = cnode(Config, #{}),
    {ok, _} = ct_node:query(A, "CREATE UNIQUE INDEX u ON t (a)"),
    start(Config, A, []),
    B = cnode(Config, #{db => maps:get(db, A)}),
    {ok, _} = ct_node:query(B, ?INSERT, [1]),
    ct_node:signal(A, "STOP"),
    Writer = async(fun() -> write(?INSERT, [1]) end),
    await_attempt(Writer),
    primary_is(B, Config),
    ?assertMatch({error, #{code := constraint_unique}, _}, result(Writer)),
    {ok, _} = ct_node:query(B, "DELETE FROM t"),
    ct_node:signal(A, "CONT"),
    %% It has read what was sent to it before.
    {ok, _} = ct_node:query(A, ?INSERT, [2]),
    ?assertEqual([2], stored(A)),
    ct_node:stop(A),
    ct_node:stop(B).

%% What was sent to the old primary goes on at the C node of this host. Without one there is no way to send it
%% again, but what was never sent may be written by the caller.
this_host_becomes_primary(Config) ->
    A = cnode(Config, #{}),
    B = cnode(Config, #{db => maps:get(db, A)}),
    start(Config, A, []),
    ct_node:signal(A, "STOP"),
    Writer = async(fun() -> write(?INSERT, [1]) end),
    await_attempt(Writer),
    %% All nodes of the tests are of one host.
    app_world:put_row(?REPO, atom_to_binary(maps:get(name, B))),
    announce(Config, app_port:state(primary, #{node => atom_to_binary(maps:get(name, B))})),
    ?assertMatch({ok, #{changes := 1}}, result(Writer)),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, node()} end),
    announce(Config, app_port:state(primary, #{node => nil})),
    ct_wait:until(fun() -> ecto_litefs_cache:beside(?REPO) =:= nil end),
    ?assertMatch({error, {not_written, primary_here}, _}, write(?INSERT, [2])),
    ct_node:signal(A, "CONT"),
    {ok, _} = ct_node:query(A, "SELECT 1"),
    ?assertEqual([1], stored(B)),
    ct_node:stop(A),
    ct_node:stop(B).

%% The same where the port reads no row, as the driver: the Repo does.
this_host_becomes_primary_by_driver(Config) ->
    A = cnode(Config, #{}),
    B = #{name := NameB} = cnode(Config, #{db => maps:get(db, A)}),
    true = net_kernel:connect_node(NameB),
    app_world:put_row(?REPO, atom_to_binary(maps:get(name, A))),
    announce(Config, app_port:state(replica, #{sources => #{}, hostname => <<"a">>})),
    true = net_kernel:connect_node(maps:get(name, A)),
    {ok, Pid} = ?SUP:start_link([{repo, ?REPO}, {primary_file, ?PRIMARY_FILE}]),
    unlink(Pid),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, maps:get(name, A)} end),
    ct_node:signal(A, "STOP"),
    Writer = async(fun() -> write(?INSERT, [1]) end),
    await_attempt(Writer),
    app_world:put_row(?REPO, atom_to_binary(NameB)),
    announce(Config, app_port:state(primary, #{sources => #{}})),
    ?assertMatch({ok, #{changes := 1}}, result(Writer)),
    ?assertEqual(NameB, ecto_litefs_cache:beside(?REPO)),
    ct_node:signal(A, "CONT"),
    ct_node:stop(A),
    ct_node:stop(B).

%% A transaction is never moved, and not waited for longer than it takes to hear that it is over.
cut_off_in_a_transaction(Config) ->
    A = cnode(Config, #{}),
    B = cnode(Config, #{}),
    start(Config, A, []),
    {ok, Tx} = ecto_litefs_request:'begin'(?REPO, []),
    {ok, _} = ecto_litefs_request:query(?REPO, Tx, {?INSERT, [1]}, []),
    ct_node:signal(A, "STOP"),
    primary_is(B, Config),
    Started = erlang:monotonic_time(millisecond),
    ?assertMatch({error, {not_written, {erpc, timeout}}, _},
                 ecto_litefs_request:query(?REPO, Tx, {?INSERT, [2]}, [])),
    ?assert(erlang:monotonic_time(millisecond) - Started < 5000),
    %% Nobody knows what became of the commit but the primary, and there it will never be done.
    ?assertMatch({error, {not_written, {erpc, timeout}}, _}, ecto_litefs_request:commit(?REPO, Tx, [])),
    ?assertEqual([], stored(B)),
    ct_node:signal(A, "CONT"),
    ct_node:stop(A),
    ct_node:stop(B).

retries_are_told(Config) ->
    A = cnode(Config, #{}),
    B = cnode(Config, #{db => maps:get(db, A)}),
    start(Config, A, []),
    {ok, _} = write(?INSERT, [1]),
    ?assertEqual([], retries()),
    ct_node:signal(A, "STOP"),
    Writer = async(fun() ->
        {Result, _} = ecto_litefs_call:during(?REPO, insert, fun() -> write(?INSERT, [2]) end),
        Result
    end),
    await_attempt(Writer),
    primary_is(B, Config),
    {ok, _} = result(Writer),
    [From, To] = [maps:get(name, N) || N <- [A, B]],
    ?assertMatch([{[ecto_litefs, forward, retry], #{attempt := 2, system_time := _},
                   #{repo := ?REPO, action := insert, from := From, to := To, reason := {erpc, timeout}}}],
                 [E || {[_, _, retry], _, _} = E <- app_world:events()]),
    ct_node:signal(A, "CONT"),
    ct_node:stop(A),
    ct_node:stop(B).

%% Nothing is announced (LiteFS's events are off): the row has another name, which is read when the node that
%% the old one names refuses.
row_is_read_when_it_was_wrong(Config) ->
    LiteFS = #{dir := Dir} = ct_litefs:start(Config),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    Db = filename:join(Dir, "test.db"),
    ct_sqlite:exec(Db, "PRAGMA journal_mode = wal; CREATE TABLE t (a)"),
    A = ct_node:start(Config, #{dir => ct_env:dir(Config), db => Db,
        args => ["--primary-file", binary_to_list(ct_litefs:primary_file(LiteFS)), "--event-stream-url", "off"]}),
    B = cnode(Config, #{}),
    true = net_kernel:connect_node(maps:get(name, B)),
    app_world:put_row(?REPO, atom_to_binary(maps:get(name, A))),
    announce(Config, (state(A))#{sources := #{}}),
    {ok, Pid} = ?SUP:start_link([{repo, ?REPO}, {primary_file, ?PRIMARY_FILE}, {cache_ttl, 60000}]),
    unlink(Pid),
    true = net_kernel:connect_node(maps:get(name, A)),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, maps:get(name, A)} end),
    app_world:put_row(?REPO, atom_to_binary(maps:get(name, B))),
    ?assertMatch({ok, _}, write(?INSERT, [1])),
    ?assertEqual([1], stored(B)),
    ct_node:stop(A),
    ct_node:stop(B),
    ct_litefs:stop(LiteFS).

%% The write's own time is shorter than the replicas': it is told, as far as it has come by then.
too_few_replicas_in_time(Config) ->
    on_litefs(Config, fun too_few_replicas_in_time/2).

too_few_replicas_in_time(_, _) ->
    Options = [{timeout, 1000}, {ack, {replicas, 1}}],
    ?assertMatch({ok, #{acked := 0}}, ecto_litefs_request:query(?REPO, none, {?INSERT, [1]}, Options)),
    {ok, Tx} = ecto_litefs_request:'begin'(?REPO, Options),
    {ok, _} = ecto_litefs_request:query(?REPO, Tx, {?INSERT, [2]}, Options),
    ?assertEqual({ok, #{short => {0, 1}}},
                 begin
                     {Done, Written} = ecto_litefs_call:during(?REPO, transaction, fun() ->
                         ecto_litefs_request:commit(?REPO, Tx, Options)
                     end),
                     {Done, maps:with([short], Written)}
                 end).

%% Reading your own writes

await_position(Config) ->
    Db = iolist_to_binary([ct_env:dir(Config), "/app.db"]),
    Pos = <<Db/binary, "-pos">>,
    A = cnode(Config, #{}),
    start(Config, A, [{database, Db}]),
    Await = fun(Position, Ms) -> ?API:await(?REPO, Position, Ms) end,
    At = fun(Txid, Checksum) ->
        ok = file:write_file(<<Pos/binary, "t">>, io_lib:format("~16.16.0b/~16.16.0b~n", [Txid, Checksum])),
        ok = file:rename(<<Pos/binary, "t">>, Pos)
    end,
    ?assertEqual(ok, Await(nil, 1)),
    %% There is no such database here yet.
    ?assertEqual({error, timeout}, Await({1, 1}, 30)),
    At(7, 16#AA),
    ?assertEqual(ok, Await({7, 16#AA}, 0)),
    ?assertEqual(ok, Await({6, 16#BB}, 0)),
    ?assertEqual({error, diverged}, Await({7, 16#BB}, 10000)),
    ?assertEqual({error, timeout}, Await({8, 16#AA}, 30)),
    Waiting = async(fun() -> Await({9, 16#CC}, 10000) end),
    At(8, 16#BB),
    ct_wait:until(fun() -> {current_function, {timer, sleep, 1}} =:= process_info(element(1, Waiting), current_function) end),
    At(9, 16#CC),
    ?assertEqual(ok, result(Waiting)),
    ok = file:write_file(Pos, "nonsense"),
    ?assertEqual({error, no_position}, Await({9, 16#CC}, 10000)),
    ct_node:stop(A).

%% Stand-in for LiteFS stopped by a signal: a pipe that nobody writes to holds up whoever opens it.
await_on_a_mount_that_hangs(Config) ->
    Db = iolist_to_binary([ct_env:dir(Config), "/hangs.db"]),
    Pos = <<Db/binary, "-pos">>,
    A = cnode(Config, #{}),
    start(Config, A, [{database, Db}]),
    "" = os:cmd("mkfifo " ++ binary_to_list(Pos)),
    Await = fun(Ms) -> ?API:await(?REPO, {7, 16#AA}, Ms) end,
    ?assertEqual({error, timeout}, Await(30)),
    %% However many wait, one of the VM's threads for files is taken at most.
    Waiting = [async(fun() -> Await(100) end) || _ <- lists:seq(1, 3 * erlang:system_info(dirty_io_schedulers))],
    [?assertEqual({error, timeout}, result(W)) || W <- Waiting],
    {ok, _} = file:read_file(code:which(?MODULE)),
    Patient = async(fun() -> Await(10000) end),
    Text = io_lib:format("~16.16.0b/~16.16.0b~n", [7, 16#AA]),
    ok = file:write_file(<<Pos/binary, "t">>, Text),
    {ok, Pipe} = file:open(Pos, [write, raw]),
    ok = file:rename(<<Pos/binary, "t">>, Pos),
    ok = file:write(Pipe, Text),
    ok = file:close(Pipe),
    ?assertEqual(ok, result(Patient)),
    ?assertEqual(ok, Await(0)),
    ct_node:stop(A).

%% The same mount holds up the Repo, through which the tracker reads the row, when that is out of date.
await_while_the_repo_hangs(Config) ->
    Db = iolist_to_binary([ct_env:dir(Config), "/app.db"]),
    A = cnode(Config, #{}),
    start(Config, A, [{database, Db}, {cache_ttl, 100}]),
    ok = app_world:break(?REPO, {<<"SELECT node_name">>, hang}),
    timer:sleep(300),
    Started = erlang:monotonic_time(millisecond),
    ?assertEqual({error, timeout}, ?API:await(?REPO, {7, 16#AA}, 100)),
    ?assert(erlang:monotonic_time(millisecond) - Started < 1000),
    ct_node:stop(A).

await_here(Config) ->
    ?assertEqual(ok, ?API:await(?REPO, {1, 1}, 0)),
    A = cnode(Config, #{}),
    start(Config, A, []),
    ?assertEqual({error, no_database}, ?API:await(?REPO, {1, 1}, 10000)),
    announce(Config, app_port:state(primary)),
    ct_wait:until(fun() -> ?API:'is_primary?'(?REPO) end),
    ?assertEqual(ok, ?API:await(?REPO, {1, 1}, 0)),
    ct_node:stop(A).

%% How long it takes

%% LiteFS announces a new primary, whose C node writes its name, while a write waits at the old one, which is
%% cut off: until that write is acknowledged.
%% This host's LiteFS looks for the new primary for a second and more, and only then does the row come: the new primary's
%% C node is quicker. It does not count where LiteFS knows better.
a_new_primary_says_so(Config) ->
    A = #{name := NameA} = cnode(Config, #{}),
    start(Config, A, []),
    Looking = app_port:state(replica, #{node => atom_to_binary(NameA), hostname => nil}),
    announce(Config, Looking),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, NameA} end),
    %% Connected, it is asked, and it is the primary of its own file.
    B = #{name := NameB} = cnode(Config, #{db => maps:get(db, A)}),
    true = net_kernel:connect_node(NameB),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, NameB} end),
    {ok, #{}} = write(?INSERT, [1]),
    %% Found, and its row is not here yet; then it is.
    announce(Config, Looking#{hostname => <<"b">>}),
    ct_wait:until(fun() -> tracked_hostname() =:= <<"b">> end),
    ?assertEqual({ok, NameB}, ?API:get_primary(?REPO)),
    app_world:put_row(?REPO, atom_to_binary(NameB)),
    announce(Config, state(B)),
    ct_wait:until(fun() -> tracked_hostname() =:= atom_to_binary(NameB) end),
    ?assertEqual({ok, NameB}, ?API:get_primary(?REPO)),
    %% Another one, that is wrong about itself.
    C = #{name := NameC} = cnode(Config, #{}),
    true = net_kernel:connect_node(NameC),
    Tracker = ecto_litefs_names:tracker(?REPO),
    Tracker ! {ecto_litefs, primary, <<"Test.Repo">>, NameC},
    ?assertEqual(true, gen_server:call(Tracker, ready)),
    ?assertEqual({ok, NameB}, ?API:get_primary(?REPO)),
    %% While LiteFS looks again it counts; taken back, the row does, whatever the database does then. (B says that it is
    %% the primary, too.)
    ct_node:stop(A),
    ok = app_world:break(?REPO, {<<"SELECT node_name">>, hang}),
    announce(Config, Looking#{node => atom_to_binary(NameB)}),
    ct_wait:until(fun() ->
        Tracker ! {ecto_litefs, primary, <<"Test.Repo">>, NameC},
        ecto_litefs_cache:last_primary(?REPO) =:= {ok, NameC}
    end),
    ok = ecto_litefs_tracker:denied(?REPO, NameC),
    ?assertEqual(true, gen_server:call(Tracker, ready)),
    ?assertEqual({ok, NameB}, ecto_litefs_cache:last_primary(?REPO)),
    [ct_node:stop(N) || N <- [B, C]].

%% The new primary's row has come in time. When its word would have ended it is not doubted: another node, that was
%% cut off and is wrong about itself, is not believed when it comes back.
the_row_takes_over_from_a_word(Config) ->
    A = #{name := NameA} = cnode(Config, #{}),
    start(Config, A, []),
    Looking = app_port:state(replica, #{node => atom_to_binary(NameA), hostname => nil}),
    announce(Config, Looking),
    B = #{name := NameB} = cnode(Config, #{db => maps:get(db, A)}),
    true = net_kernel:connect_node(NameB),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, NameB} end),
    announce(Config, Looking#{hostname => atom_to_binary(NameB)}),
    app_world:put_row(?REPO, atom_to_binary(NameB)),
    announce(Config, state(B)),
    ct_wait:until(fun() ->
        {ok, View, _} = ecto_litefs_cache:view(?REPO),
        ecto_litefs_decision:row(View) =:= atom_to_binary(NameB)
    end),
    %% Longer than a word is trusted beside the row.
    timer:sleep(1500),
    C = #{name := NameC} = cnode(Config, #{}),
    true = net_kernel:connect_node(NameC),
    Tracker = ecto_litefs_names:tracker(?REPO),
    Tracker ! {ecto_litefs, primary, <<"Test.Repo">>, NameC},
    ?assertEqual(true, gen_server:call(Tracker, ready)),
    ?assertEqual({ok, NameB}, ?API:get_primary(?REPO)),
    [ct_node:stop(N) || N <- [A, B, C]].

%% LiteFS of this host holds on to a primary that died without a word; another has become it meanwhile, and says so. Writes
%% go there, also those that wait for the one that is gone.
primary_that_is_gone(Config) ->
    A = cnode(Config, #{}),
    start(Config, A, [{erpc_timeout, 30000}]),
    {ok, #{}} = write(?INSERT, [1]),
    ct_node:signal(A, "STOP"),
    Waits = async(fun() -> write(?INSERT, [2]) end),
    B = #{name := NameB} = cnode(Config, #{db => maps:get(db, A)}),
    true = net_kernel:connect_node(NameB),
    Tracker = ecto_litefs_names:tracker(?REPO),
    ?assertEqual(true, gen_server:call(Tracker, ready)),
    ?assertEqual({ok, maps:get(name, A)}, ?API:get_primary(?REPO)),
    true = erlang:disconnect_node(maps:get(name, A)),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, NameB} end),
    ?assertMatch({ok, #{}}, result(Waits)),
    ?assertMatch({ok, #{}}, write(?INSERT, [3])),
    %% The one that is named is back, and is not the primary any more. (Without LiteFS it says that it is: B again.)
    ct_node:signal(A, "CONT"),
    true = net_kernel:connect_node(maps:get(name, A)),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, maps:get(name, A)} end),
    ct_wait:until(fun() ->
        Tracker ! {ecto_litefs, primary, <<"Test.Repo">>, NameB},
        ok = ecto_litefs_tracker:denied(?REPO, maps:get(name, A)),
        ?API:get_primary(?REPO) =:= {ok, NameB}
    end),
    ?assertMatch({ok, #{}}, write(?INSERT, [4])),
    %% LiteFS has heard of another one, whose row is not here yet: neither the word nor the denial counts any more.
    announce(Config, (state(A))#{hostname => <<"c">>}),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, maps:get(name, A)} end),
    ?assertEqual([[<<"1,2,3,4">>]], ct_sqlite:query(maps:get(db, A), "SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)")),
    [ct_node:stop(N) || N <- [A, B]].

tracked_hostname() ->
    {ok, #{hostname := Hostname}, _} = ecto_litefs_cache:view(?REPO),
    Hostname.

failover_latency(Config) ->
    LiteFS = ct_litefs:start(Config),
    A = cnode(Config, #{}),
    B = cnode(Config, #{db => maps:get(db, A)}),
    ok = application:unset_env(ecto_litefs, port_program),
    Name = atom_to_binary(maps:get(name, A)),
    ok = name_is(A),
    app_world:put_row(?REPO, Name),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n0"})),
    {ok, Pid} = ?SUP:start_link([{repo, ?REPO}, {primary_file, ct_litefs:primary_file(LiteFS)},
                                 {event_stream_url, ct_litefs:url(LiteFS)},
                                 {database, iolist_to_binary(maps:get(db, A))}]),
    unlink(Pid),
    [true = net_kernel:connect_node(maps:get(name, N)) || N <- [A, B]],
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, maps:get(name, A)} end),
    {ok, _} = write(?INSERT, [0]),
    Times = [failover(N, lists:nth(1 + N rem 2, [B, A]), lists:nth(1 + N rem 2, [A, B]), LiteFS)
             || N <- lists:seq(0, 19)],
    Sorted = lists:sort(Times),
    ct:pal("LiteFS's announcement to the first acknowledged write, ms: median ~.1f, 90 % ~.1f, slowest ~.1f",
           [lists:nth(N, Sorted) / 1000 || N <- [10, 18, 20]]),
    ?assertEqual(lists:seq(0, 20), stored(A)),
    ?assert(lists:nth(10, Sorted) < 100000),
    ct_node:stop(A),
    ct_node:stop(B),
    ct_litefs:stop(LiteFS).

failover(N, New, Old, LiteFS) ->
    ct_node:signal(Old, "STOP"),
    Writer = async(fun() -> {write(?INSERT, [N + 1]), erlang:monotonic_time(microsecond)} end),
    await_attempt(Writer),
    Announced = erlang:monotonic_time(microsecond),
    ct_litefs:say(LiteFS, ct_litefs:change({replica, lists:concat(["n", N + 1])})),
    ok = name_is(New),
    app_world:put_row(?REPO, atom_to_binary(maps:get(name, New))),
    {{ok, _}, At} = result(Writer),
    ct_node:signal(Old, "CONT"),
    At - Announced.

%% As the C node of a new primary does, and LiteFS replicates it.
name_is(#{name := Name} = Node) ->
    {ok, _} = ct_node:query(Node, "CREATE TABLE IF NOT EXISTS _ecto_litefs_primary (id INTEGER PRIMARY KEY CHECK "
                            "(id = 1), node_name TEXT NOT NULL, updated_at INTEGER NOT NULL)"),
    {ok, _} = ct_node:query(Node, "REPLACE INTO _ecto_litefs_primary VALUES (1, ?, 1)", [atom_to_binary(Name)]),
    ok.

%% Helpers

write(Sql, Params) ->
    ecto_litefs_request:query(?REPO, none, {Sql, Params}, []).

cnode(Config, Options) ->
    Node = ct_node:start(Config, Options),
    {ok, _} = ct_node:query(Node, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, a)"),
    Node.

restart(Config, #{name := Name, db := Db, dir := Dir} = Node) ->
    ct_os:signal(os_pid(Node), "KILL"),
    ct_wait:until(fun() -> not lists:member(Name, nodes(connected)) end),
    #{os_pid := Pid} = ct_wait:until(fun() ->
        ct_node:start(Config, #{name => Name, db => Db, dir => Dir, owner => suite})
    end),
    _ = persistent_term:put({?MODULE, Name}, Pid),
    ok.

%% Of the latest with this name.
os_pid(#{name := Name, os_pid := Pid}) ->
    persistent_term:get({?MODULE, Name}, Pid).

stop_by_name(Node) ->
    ct_os:signal(os_pid(Node), "TERM").

%% What a crash would leave, or LiteFS have replicated.
copy(Config, #{db := Db}) ->
    Copy = filename:join(ct_env:dir(Config), "copy.db"),
    [{ok, _} = file:copy(Db ++ Suffix, Copy ++ Suffix) || Suffix <- ["", "-wal"]],
    Copy.

start(Config, #{name := Name} = Node, Options) ->
    true = net_kernel:connect_node(Name),
    app_world:put_row(?REPO, atom_to_binary(Name)),
    announce(Config, state(Node)),
    {ok, Pid} = ?SUP:start_link([{repo, ?REPO}, {primary_file, ?PRIMARY_FILE} | Options]),
    unlink(Pid),
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= {ok, Name} end).

primary_is(#{name := Name} = Node, Config) ->
    true = net_kernel:connect_node(Name),
    app_world:put_row(?REPO, atom_to_binary(Name)),
    announce(Config, state(Node)).

state(#{name := Name}) ->
    app_port:state(replica, #{node => atom_to_binary(Name), hostname => atom_to_binary(Name)}).

announce(Config, State) ->
    ok = app_port:announce(?config(port, Config), ?PRIMARY_FILE, State).

retries() ->
    [Metadata || {[_, _, retry], _, Metadata} <- app_world:events()].

%% Writers write until what happens meanwhile is over. Each value is written once; all are acknowledged.
under_load(Meanwhile) ->
    load(fun(Value) -> {ok, _} = write(?INSERT, [Value]), Value end, Meanwhile).

load(Write, Meanwhile) ->
    Writers = [async(fun() -> write_on(Write, W * 1000000, []) end) || W <- lists:seq(1, ?WRITERS)],
    Meanwhile(),
    timer:sleep(100),
    _ = [Pid ! stop || {Pid, _} <- Writers],
    lists:append([result(W) || W <- Writers]).

write_on(Write, Next, Done) ->
    receive
        stop -> Done
    after 0 ->
        write_on(Write, Next + 1, [Write(Next) | Done])
    end.

check(Done, Node) ->
    Reasons = [case R of {K, _} when K =:= not_primary; K =:= unknown -> K; _ -> R end || #{reason := R} <- retries()],
    ct:pal("~b writes acknowledged; repeats: ~0p",
           [length(Done), [{R, length([X || X <- Reasons, X =:= R])} || R <- lists:usort(Reasons)]]),
    ?assert(Reasons =/= []),
    same(Done, stored(Node)).

%% Says no more than what is amiss.
same(Expected, Stored) ->
    ?assertEqual({missing, []}, {missing, Expected -- Stored}),
    ?assertEqual({too_many, []}, {too_many, Stored -- Expected}).

stored(#{db := Db}) ->
    lists:sort([binary_to_integer(A) || [A] <- ct_sqlite:query(Db, "SELECT a FROM t")]).

async(Fun) ->
    spawn_monitor(fun() -> exit({result, Fun()}) end).

result({Pid, Monitor}) ->
    receive {'DOWN', Monitor, process, Pid, Reason} -> {result, Result} = Reason, Result end.

%% It waits for an answer.
await_attempt({Pid, _}) ->
    ct_wait:until(fun() ->
        {current_stacktrace, Stack} = process_info(Pid, current_stacktrace),
        lists:keymember(ecto_litefs_attempt, 1, Stack)
    end).
