%% The faults, each with writers on both replicas going on throughout.
-module(e2e_faults).

%% API
-export([all/0]).
-export([host_back/1]).
-export([repair/0]).

%% loses: may the level `local' lose rows? ci: is it part of the run that fits CI's time? stop: how long may all writes
%% stop: a moment, until the lease is another's, or until connections are found dead, which nothing here decides.
-type stop() :: moment | lease | connections.
-type fault() :: #{id := atom(), title := string(), loses := boolean(), ci := boolean(), stop := stop(),
                   writers => e2e_writers:kind(), run := fun((e2e_run:world()) -> [e2e_host:id()])}.
-export_type([fault/0, stop/0]).

-define(ELECTION_MS, 240000).
-define(DELAY_MS, 50).
-define(START_MS, 60000).

-spec all() -> [fault()].
all() ->
    [fault(no_fault, "no fault", false, true, moment, fun(_) -> [] end),
     fault(promote, "a replica is promoted by hand", false, true, moment, fun promote/1),
     %% Even an orderly end of LiteFS does not wait for its replicas.
     fault(litefs_term, "SIGTERM of the primary's LiteFS", true, true, lease, fun(W) -> litefs_ends(W, 'TERM') end),
     fault(litefs_kill, "SIGKILL of the primary's LiteFS", true, true, lease, fun(W) -> litefs_ends(W, 'KILL') end),
     fault(cnode_term, "SIGTERM of the primary's C node", false, true, moment, fun(W) -> cnode_ends(W, 'TERM') end),
     fault(cnode_kill, "SIGKILL of the primary's C node", false, true, moment, fun(W) -> cnode_ends(W, 'KILL') end),
     fault(host_kill, "SIGKILL of the primary's whole host", true, true, lease, fun primary_host/1),
     fault(machine_dies, "the primary's machine dies without a word and boots again", true, false, connections, fun machine_dies/1),
     fault(replica_host_kill, "SIGKILL of a replica's whole host", false, false, moment, fun replica_host/1),
     fault(litefs_restart, "LiteFS of a replica restarted under a running C node", false, true, moment, fun litefs_restart/1),
     fault(cnode_first, "a replica's C node started before LiteFS is mounted, and then promoted", false, false, moment, fun cnode_first/1),
     fault(cut_replica, "a replica's host cut off and healed", false, true, moment, fun cut_replica/1),
     fault(cut_primary, "the primary's host cut off and healed", true, false, connections, fun cut_primary/1),
     fault(slow_link, "a replica behind a slow link", false, false, moment, fun slow_link/1)].

-spec fault(atom(), string(), boolean(), boolean(), stop(), fun((e2e_run:world()) -> [e2e_host:id()])) -> fault().
fault(Id, Title, Loses, Ci, Stop, Run) ->
    #{id => Id, title => Title, loses => Loses, ci => Ci, stop => Stop, run => Run}.

%% The faults

-spec promote(e2e_run:world()) -> [].
promote(#{replicas := [Replica | _]}) ->
    ok = e2e_promote:to(Replica),
    [].

-spec litefs_ends(e2e_run:world(), 'TERM' | 'KILL') -> [].
litefs_ends(#{primary := Primary} = World, Signal) ->
    ok = e2e_ctl:do(process_end, [program(litefs, Primary), Signal]),
    ok = another_primary(World),
    ok = e2e_ctl:do(host_litefs, [Primary]),
    [].

-spec cnode_ends(e2e_run:world(), 'TERM' | 'KILL') -> [].
cnode_ends(#{primary := Primary}, Signal) ->
    ok = e2e_ctl:do(process_end, [program(cnode, Primary), Signal]),
    ok = e2e_ctl:do(host_cnode, [Primary]),
    [].

-spec primary_host(e2e_run:world()) -> [].
primary_host(#{primary := Primary} = World) ->
    ok = e2e_ctl:do(host_kill, [Primary]),
    ok = another_primary(World),
    ok = host_back(Primary),
    [].

-spec machine_dies(e2e_run:world()) -> [].
machine_dies(#{primary := Primary} = World) ->
    ok = e2e_ctl:do(host_lose, [Primary]),
    ok = another_primary(World),
    ok = host_back(Primary),
    [].

-spec replica_host(e2e_run:world()) -> [e2e_host:id()].
replica_host(#{replicas := [Replica | _]} = World) ->
    ok = e2e_ctl:do(host_kill, [Replica]),
    ok = others_write(Replica, World),
    ok = host_back(Replica),
    [Replica].

%% With real Ecto the host's BEAM node is started again too, and its writers with it.
-spec litefs_restart(e2e_run:world()) -> [e2e_host:id()].
litefs_restart(#{replicas := [Replica | _]} = World) ->
    ok = e2e_ctl:do(process_end, [program(litefs, Replica), 'KILL']),
    ok = others_write(Replica, World),
    ok = e2e_ctl:do(host_litefs, [Replica]),
    [Replica || os:getenv("E2E_REPO") =:= "ecto"].

%% The host starts with the C node and the application; LiteFS comes last. Once that host is the primary its
%% C node has LiteFS's word for what it has written, like any other.
-spec cnode_first(e2e_run:world()) -> [e2e_host:id()].
cnode_first(#{replicas := [Replica | _]} = World) ->
    ok = e2e_ctl:do(host_kill, [Replica]),
    ok = e2e_ctl:do(host_bare, [Replica]),
    ok = e2e_ctl:do(host_cnode, [Replica]),
    ok = e2e_ctl:do(host_beam, [Replica]),
    %% It serves, and says what it has not.
    ct_wait:until(fun() ->
        {error, #{code := unavailable}} =
            e2e_host:call(Replica, erpc, call, [e2e_host:cnode(Replica), ecto_litefs, query,
                                                ['Elixir.E2e.Repo', "SELECT 1", []], 5000])
    end, ?START_MS),
    %% Without the folder the application takes its host for one without LiteFS. (The stand-in's local Repo is the C node,
    %% which does not.)
    ct_wait:until(fun() ->
        {error, Why} = e2e_host:call(Replica, e2e_app, insert, [e2e_writer:row(<<"never">>)]),
        lists:member(Why, [primary_unavailable, {not_primary, nil}])
    end, ?START_MS),
    ok = others_write(Replica, World),
    ok = e2e_ctl:do(host_litefs, [Replica]),
    ok = e2e_promote:to(Replica),
    ct_wait:until(fun() ->
        {ok, #{position := {_, _}}} =
            e2e_host:call(Replica, erpc, call, [e2e_host:cnode(Replica), ecto_litefs, query,
                                                ['Elixir.E2e.Repo', "UPDATE _ecto_litefs_primary SET id = id WHERE 0", []],
                                                5000])
    end, ?START_MS),
    [Replica].

%% Until each of its writers has been told that it failed.
-spec cut_replica(e2e_run:world()) -> [].
cut_replica(#{replicas := [Replica | _]} = World) ->
    ok = e2e_ctl:do(net_cut, [Replica]),
    ok = e2e_run:all_fail([Replica], e2e_journal:now_us(), World),
    ok = others_write(Replica, World),
    ok = e2e_ctl:do(net_heal, [Replica]),
    [].

%% Until all writers have failed and the lease is free: the primary has lost it without knowing.
-spec cut_primary(e2e_run:world()) -> [].
cut_primary(#{primary := Primary, replicas := Replicas} = World) ->
    ok = e2e_ctl:do(net_cut, [Primary]),
    ok = e2e_run:all_fail(Replicas, e2e_journal:now_us(), World),
    true = ct_wait:until(fun() -> {0, <<>>} =:= e2e_ctl:try_do(lease_is_free, []) end, ?ELECTION_MS),
    ok = e2e_ctl:do(net_heal, [Primary]),
    [].

-spec slow_link(e2e_run:world()) -> [].
slow_link(#{replicas := [Replica | _]} = World) ->
    ok = e2e_ctl:do(net_delay, [Replica, ?DELAY_MS]),
    ok = e2e_run:writing_since(e2e_journal:now_us(), World),
    ok = e2e_ctl:do(net_undelay, [Replica]),
    [].

%% Helpers

%% @doc After a step that failed: the links are whole, nobody writes, every program runs.
-spec repair() -> ok.
repair() ->
    lists:foreach(fun(Host) ->
        _ = e2e_ctl:try_do(net_heal, [Host]),
        _ = e2e_ctl:try_do(net_undelay, [Host]),
        ok = e2e_ctl:do(host_revive, [Host])
    end, e2e_host:all()),
    lists:foreach(fun(Host) ->
        ct_wait:until(fun() -> e2e_host:call(Host, e2e_app, stop_writers, []) end, ?START_MS)
    end, e2e_host:all()),
    e2e_writers:stop(client, e2e_host:all()).

-spec host_back(e2e_host:id()) -> ok.
host_back(Host) ->
    ok = e2e_ctl:do(host_litefs, [Host]),
    ok = e2e_ctl:do(host_cnode, [Host]),
    ok = e2e_ctl:do(host_beam, [Host]).

%% One of the other hosts is primary, and all write again.
-spec another_primary(e2e_run:world()) -> ok.
another_primary(#{primary := Old} = World) ->
    true = ct_wait:until(fun() ->
        New = e2e_cluster:primary(),
        is_integer(New) andalso New =/= Old
    end, ?ELECTION_MS),
    write_without_one(World).

-spec others_write(e2e_host:id(), e2e_run:world()) -> ok.
others_write(Host, #{writers := Writers} = World) ->
    write_without_one(World#{writers := maps:remove(Host, Writers)}).

%% While a host is away, what waits for all replicas is acknowledged to nobody.
-spec write_without_one(e2e_run:world()) -> ok.
write_without_one(World) ->
    case e2e_run:level() of
        {replicas, N} when N > 1 -> ok;
        _ -> e2e_run:writing_since(e2e_journal:now_us(), World)
    end.

-spec program(litefs | cnode | beam, e2e_host:id()) -> string().
program(Name, Host) ->
    lists:concat([Name, Host]).
