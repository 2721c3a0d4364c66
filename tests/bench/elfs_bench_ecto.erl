%% The lines with real Ecto: `Repo.insert' on a replica, once with this project's application and a C node as the
%% primary, once with EctoLiteFS 1.0 and a BEAM node as the primary. The callers run on the replica, since there Ecto
%% is; they are the same loop, and insert the same rows, as those of the other lines.
-module(elfs_bench_ecto).

%% API
-export([config/0]).
-export([start/2]).
-export([points/2]).
-export([measure/4]).

-export_type([config/0, point/0]).

-type point() ::
        {remote, elfs_bench:sync(), Callers :: pos_integer()}     %% our middleware and the remote repo
      | {original, elfs_bench:sync(), Callers :: pos_integer()}.  %% EctoLiteFS 1.0

%% `none' where real Ecto is not at hand: see ecto.sh.
-type config() :: none | #{ours := node(),
                           replica := node(),
                           primary := node(),
                           primary_pid := string()}.

-define(APP, 'Elixir.Bench.App').
-define(REPOS, [{normal, 'Elixir.Bench.Normal'}, {full, 'Elixir.Bench.Full'}]).
-define(START_MS, 60000).

-spec config() -> config().
config() ->
    case os:getenv("BENCH_ECTO_OURS") of
        false ->
            none;
        Ours ->
            #{ours => list_to_atom(Ours),
              replica => list_to_atom(os:getenv("BENCH_ECTO_REPLICA")),
              primary => list_to_atom(os:getenv("BENCH_ECTO_PRIMARY")),
              primary_pid => os:getenv("BENCH_ECTO_PRIMARY_PID")}
    end.

%% Starts Repos and supervisors on the nodes; CNodes are the primaries of ours.
-spec start(config(), #{elfs_bench:sync() => node()}) -> ok.
start(none, _) ->
    ok;
start(#{ours := Ours, replica := Replica, primary := Primary}, CNodes) ->
    ok = start(primary, Primary, fun(_) -> Primary end),
    ok = start(replica, Replica, fun(_) -> Primary end),
    ok = start(replica, Ours, fun(Sync) -> maps:get(Sync, CNodes) end).

start(Role, Node, PrimaryOf) ->
    ok = await(Node, erlang:monotonic_time(millisecond) + ?START_MS),
    [Name, _] = string:split(atom_to_list(Node), "@"),
    Dir = list_to_binary(filename:join(os:getenv("BENCH_WORK"), Name)),
    erpc:call(Node, ?APP, start, [Role, Dir, [{Repo, Sync, PrimaryOf(Sync)} || {Sync, Repo} <- ?REPOS]], ?START_MS).

await(Node, Deadline) ->
    case net_adm:ping(Node) of
        pong -> ok;
        pang ->
            true = erlang:monotonic_time(millisecond) < Deadline,
            timer:sleep(100),
            await(Node, Deadline)
    end.

-spec points(elfs_bench:sync(), [pos_integer()]) -> [point()].
points(Sync, Callers) ->
    [{Kind, Sync, N} || Kind <- [remote, original], N <- Callers].

%% Ddl makes the table anew.
-spec measure(config(), {node(), OsPid :: string()}, point(), {[binary()], Milliseconds :: pos_integer()}) ->
          elfs_bench_load:result().
measure(#{ours := Ours}, {CNode, OsPid}, {remote, Sync, Callers}, {Ddl, Milliseconds}) ->
    Repo = repo(Sync),
    {ok, _} = erpc:call(CNode, ecto_litefs, transaction, [Repo, [{Sql, []} || Sql <- Ddl]]),
    load(Ours, Repo, OsPid, Callers, Milliseconds);
measure(#{replica := Replica, primary := Primary, primary_pid := OsPid}, _, {original, Sync, Callers},
        {Ddl, Milliseconds}) ->
    Repo = repo(Sync),
    ok = erpc:call(Primary, ?APP, execute, [Repo, Ddl]),
    load(Replica, Repo, OsPid, Callers, Milliseconds).

load(Node, Repo, OsPid, Callers, Milliseconds) ->
    Call = fun(Caller, N) ->
        [Name, Email, _, _] = elfs_bench:params(Caller, N),
        ecto_insert(Repo, Name, Email)
    end,
    erpc:call(Node, elfs_bench_load, run, [Callers, Milliseconds, OsPid, Call]).

%% Without Ecto there is no such module.
ecto_insert(Repo, Name, Email) ->
    App = ?APP,
    App:insert(Repo, Name, Email).

repo(Sync) ->
    {Sync, Repo} = lists:keyfind(Sync, 1, ?REPOS),
    Repo.
