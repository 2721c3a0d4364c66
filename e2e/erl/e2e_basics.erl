%% The four documented scenarios: the cluster's status, a write on the primary, a write on a replica, and the primary's
%% death.
-module(e2e_basics).

%% API
-export([all/0]).
-export([create_table/0]).

-define(REPO, 'Elixir.E2e.Repo').
-define(DATABASE_MS, 60000).

-type scenario() :: {Id :: atom(), Title :: string(), fun(() -> Result :: iodata())}.
-export_type([scenario/0]).

-spec all() -> [scenario()].
all() ->
    [{status, "cluster status: one primary, two replicas of it, and each application knows", fun status/0},
     {write_on_primary, "a write on the primary is on every host", fun write_on_primary/0},
     {write_on_replica, "a write on a replica is forwarded, and is on every host", fun write_on_replica/0},
     {primary_dies, "the primary's host dies: a replica is promoted, the data is there", fun primary_dies/0}].

%% @doc The writers' table. Nothing in it keeps a row from being there twice.
-spec create_table() -> ok.
create_table() ->
    {ok, _} = ct_wait:until(fun() ->
        Primary = e2e_cluster:primary(),
        {ok, _} = query(Primary, "CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL)")
    end, ?DATABASE_MS),
    ok.

-spec query(e2e_host:id(), string()) -> term().
query(Host, Sql) ->
    e2e_host:call(Host, erpc, call, [e2e_host:cnode(Host), ecto_litefs, query, [?REPO, Sql, []], 5000]).

-spec status() -> iodata().
status() ->
    Primary = e2e_cluster:settled(),
    Roles = [begin
                 #{repos := Repos} = e2e_host:call(Host, erpc, call, [e2e_host:cnode(Host), ecto_litefs, info, [], 5000]),
                 [#{role := Role, primary := Node}] = maps:values(Repos),
                 {Host, Role, Node}
             end || Host <- e2e_host:all()],
    Expected = [{Host, case Host of Primary -> primary; _ -> replica end, e2e_host:cnode(Primary)}
                || Host <- e2e_host:all()],
    equal(Expected, Roles),
    io_lib:format("primary: host ~b", [Primary]).

-spec write_on_primary() -> iodata().
write_on_primary() ->
    Primary = e2e_cluster:settled(),
    Took = written(Primary, <<"basics-primary">>),
    io_lib:format("host ~b, ~.1f ms", [Primary, Took]).

-spec write_on_replica() -> iodata().
write_on_replica() ->
    Primary = e2e_cluster:settled(),
    [Replica | _] = e2e_cluster:replicas(),
    Before = committed(Primary),
    Took = written(Replica, <<"basics-replica">>),
    %% The primary's C node did it, and nobody else.
    equal(true, committed(Primary) > Before),
    io_lib:format("host ~b to host ~b, ~.1f ms", [Replica, Primary, Took]).

-spec committed(e2e_host:id()) -> non_neg_integer().
committed(Host) ->
    #{repos := Repos} = e2e_host:call(Host, erpc, call, [e2e_host:cnode(Host), ecto_litefs, info, [], 5000]),
    [#{committed := Committed}] = maps:values(Repos),
    Committed.

-spec primary_dies() -> iodata().
primary_dies() ->
    Old = e2e_cluster:settled(),
    Kept = rows(Old),
    [Witness | _] = e2e_cluster:replicas(),
    ok = e2e_ctl:do(host_kill, [Old]),
    Died = e2e_journal:now_us(),
    New = ct_wait:until(fun() ->
        New = e2e_cluster:primary(),
        is_integer(New) andalso New =/= Old andalso New
    end, 120000),
    ct_wait:until(fun() -> written_without_one(insert(Witness, <<"basics-after-death">>)) end, 60000),
    After = (e2e_journal:now_us() - Died) / 1.0e6,
    equal([], Kept -- rows(New)),
    ok = e2e_faults:host_back(Old),
    _ = e2e_cluster:settled(),
    on_every_host(<<"basics-after-death">>),
    io_lib:format("host ~b after host ~b, writes again after ~.1f s", [New, Old, After]).

%% While a host is away not all replicas can have it.
-spec written_without_one(term()) -> boolean().
written_without_one({ok, #{id := _}}) -> true;
written_without_one({error, {not_replicated, {ok, #{id := _}}, _}}) -> e2e_run:level() =/= local;
written_without_one(_) -> false.

-spec written(e2e_host:id(), binary()) -> float().
written(Host, Key) ->
    {Took, {ok, #{id := Id, key := Key}}} = timer:tc(fun() -> insert(Host, Key) end),
    equal(true, is_integer(Id)),
    _ = e2e_cluster:settled(),
    on_every_host(Key),
    Took / 1000.

-spec insert(e2e_host:id(), binary()) -> term().
insert(Host, Key) ->
    e2e_host:call(Host, e2e_app, insert, [e2e_writer:row(Key)]).

-spec on_every_host(binary()) -> ok.
on_every_host(Key) ->
    equal([{Host, 1} || Host <- e2e_host:all()],
          [{Host, length([K || K <- rows(Host), K =:= Key])} || Host <- e2e_host:all()]).

-spec rows(e2e_host:id()) -> [binary()].
rows(Host) ->
    [Key || {_, Key} <- maps:get(rows, e2e_host:contents(Host))].

-spec equal(term(), term()) -> ok.
equal(Same, Same) -> ok;
equal(Expected, Got) -> error({expected, Expected, got, Got}).
