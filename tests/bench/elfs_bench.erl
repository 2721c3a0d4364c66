%% The benchmark's conductor: which points are measured, in which order, and by what.
%%
%% Every round measures every point once, one after the other, so that a disturbance of the machine meets
%% all of them alike: those with the same number of callers, which are compared with one another, without
%% another in between. The report takes medians over the rounds.
-module(elfs_bench).

%% API
-export([main/0]).
-export([params/0]).

-export_type([point/0, sync/0]).

-type sync() :: normal | full.
-type point() ::
        {floor, Callers :: pos_integer()}             %% erlang:node() on another BEAM node
      | {node, Callers :: pos_integer()}              %% erlang:node() on the C node
      | {insert, sync(), Callers :: pos_integer()}    %% one row by query
      | {keyed, sync(), Callers :: pos_integer()}     %% the same, with a key that makes it run once
      | {struct, sync(), Callers :: pos_integer()}    %% one row by Repo:insert(Struct)
      | {closure, sync(), Callers :: pos_integer()}   %% one row by EctoLiteFS 1.0's closure
      | {many, sync(), Callers :: pos_integer()}      %% MANY rows by query_many
      | elfs_bench_ecto:point()                       %% one row by Repo.insert with real Ecto
      | {loop, sync(), Batch :: pos_integer()}.       %% SQLite alone, in C

-type config() :: #{floor := node(),
                    nodes := #{sync() => {node(), OsPid :: string()}},
                    loop := file:filename(),
                    closure := elfs_bench_closure:closure(),
                    ecto := elfs_bench_ecto:config(),
                    dir := file:filename(),
                    rounds := pos_integer(),
                    milliseconds := pos_integer(),
                    kinds := all | [atom()],
                    litefs := boolean(),
                    callers := [pos_integer()]}.

-define(MANY, 1000).
-define(REPO, 'Elixir.Bench.Repo').
-define(CLOSURE_REPO, 'Elixir.Peer.MRepo'). %% the recorded closure's
-define(TIMEOUT, 60000).
-define(NOW, <<"2026-01-31T12:00:00">>).
-define(DROP, <<"DROP TABLE IF EXISTS users">>).
-define(CREATE, <<"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                  "email TEXT UNIQUE, inserted_at TEXT, updated_at TEXT)">>).
-define(INSERT, <<"INSERT INTO users (name, email, inserted_at, updated_at) "
                  "VALUES (?1, ?2, ?3, ?4) RETURNING id">>).

%% Reads its configuration from the environment that run.sh sets, measures, prints, halts.
-spec main() -> no_return().
main() ->
    #{ecto := Ecto, nodes := Nodes} = Config = config(),
    Idle = rss(Config),
    ok = elfs_bench_ecto:start(Ecto, maps:map(fun(_, {Node, _}) -> Node end, Nodes)),
    Points = points(Config),
    Results = [{Point, measure(Config, Point)}
               || Round <- lists:seq(1, maps:get(rounds, Config)),
                  Point <- progress(Config, Round, by_callers(Points))],
    Medians = elfs_bench_report:medians(Results),
    Memory = #{idle => Idle, afterwards => rss(Config)},
    ok = elfs_bench_report:print(Points, Medians, Memory),
    ok = elfs_bench_verdict:print(Medians, Memory, #{many => ?MANY, litefs => maps:get(litefs, Config)}),
    ok = left_out(os:getenv("BENCH_LEFT_OUT")),
    halt(0).

left_out(false) ->
    ok;
left_out(Why) ->
    io:format("LEFT OUT    Repo.insert with real Ecto, ours and EctoLiteFS 1.0's: ~ts~n", [Why]).

-spec config() -> config().
config() ->
    #{closure => elfs_bench_closure:read(os:getenv("BENCH_CLOSURE")),
      ecto => elfs_bench_ecto:config(),
      floor => list_to_atom(os:getenv("BENCH_FLOOR")),
      nodes => maps:from_list(
                 [{list_to_atom(Sync), {list_to_atom(os:getenv("BENCH_NODE_" ++ Sync)),
                                        os:getenv("BENCH_PID_" ++ Sync)}}
                  || Sync <- string:lexemes(os:getenv("BENCH_SYNCS"), " ")]),
      litefs => os:getenv("BENCH_LITEFS") =:= "yes",
      loop => os:getenv("BENCH_LOOP"),
      dir => os:getenv("BENCH_DIR"),
      rounds => list_to_integer(os:getenv("BENCH_ROUNDS")),
      milliseconds => list_to_integer(os:getenv("BENCH_MILLISECONDS")),
      kinds => case string:lexemes(os:getenv("BENCH_KINDS"), " ") of
                   [] -> all;
                   Kinds -> [list_to_atom(Kind) || Kind <- Kinds]
               end,
      callers => [list_to_integer(N) || N <- string:lexemes(os:getenv("BENCH_CALLERS"), " ")]}.

-spec points(config()) -> [point()].
points(#{kinds := all} = Config) ->
    all_points(Config);
points(#{kinds := Kinds} = Config) ->
    [Point || Point <- all_points(Config), lists:member(element(1, Point), Kinds)].

all_points(#{callers := Callers, ecto := Ecto, nodes := Nodes}) ->
    [{Kind, N} || Kind <- [floor, node], N <- Callers]
        ++ lists:append([[{Kind, Sync, N} || Kind <- [insert, keyed, struct, closure, many], N <- Callers]
                         ++ [Point || Ecto =/= none, Point <- elfs_bench_ecto:points(Sync, Callers)]
                         ++ [{loop, Sync, Batch} || Batch <- lists:usort([1, ?MANY | Callers])]
                         || Sync <- [normal, full], is_map_key(Sync, Nodes)]).

-spec by_callers([point()]) -> [point()].
by_callers(Points) ->
    Callers = fun(Point) -> element(tuple_size(Point), Point) end,
    lists:sort(fun(A, B) -> Callers(A) =< Callers(B) end, Points).

-spec progress(config(), pos_integer(), [point()]) -> [point()].
progress(#{rounds := Rounds}, Round, Points) ->
    io:format(standard_error, "round ~b of ~b, ~b points~n", [Round, Rounds, length(Points)]),
    Points.

-spec measure(config(), point()) -> elfs_bench_load:result().
measure(#{floor := Floor} = Config, {floor, Callers}) ->
    load(Config, Callers, none, fun() -> node_call(Floor) end);
measure(#{nodes := #{full := {Node, Pid}}} = Config, {node, Callers}) ->
    load(Config, Callers, Pid, fun() -> node_call(Node) end);
measure(#{nodes := Nodes} = Config, {insert, Sync, Callers}) ->
    {Node, Pid} = maps:get(Sync, Nodes),
    ok = new_table(Node),
    load(Config, Callers, Pid, fun() -> insert(Node) end);
measure(#{nodes := Nodes} = Config, {keyed, Sync, Callers}) ->
    {Node, Pid} = maps:get(Sync, Nodes),
    ok = new_table(Node),
    Keys = {rand:bytes(8), atomics:new(1, [])},
    load(Config, Callers, Pid, fun() -> insert_keyed(Node, Keys) end);
measure(#{nodes := Nodes} = Config, {struct, Sync, Callers}) ->
    {Node, Pid} = maps:get(Sync, Nodes),
    ok = new_table(Node),
    load(Config, Callers, Pid, fun() -> insert_struct(Node) end);
measure(#{nodes := Nodes, closure := Closure} = Config, {closure, Sync, Callers}) ->
    {Node, Pid} = maps:get(Sync, Nodes),
    ok = new_table(Node, ?CLOSURE_REPO),
    load(Config, Callers, Pid, fun() -> insert_closure(Node, Closure) end);
measure(#{nodes := Nodes} = Config, {many, Sync, Callers}) ->
    {Node, Pid} = maps:get(Sync, Nodes),
    ok = new_table(Node),
    load(Config, Callers, Pid, fun() -> insert_many(Node) end);
measure(#{ecto := Ecto, nodes := Nodes, milliseconds := Milliseconds}, {Kind, Sync, _} = Point)
  when Kind =:= remote; Kind =:= original ->
    elfs_bench_ecto:measure(Ecto, maps:get(Sync, Nodes), Point, {[?DROP, ?CREATE], Milliseconds});
measure(#{loop := Loop, dir := Dir, milliseconds := Milliseconds}, {loop, Sync, Batch}) ->
    elfs_bench_load:loop(Loop, Dir ++ "loop.db", Sync, Batch, Milliseconds).

-spec load(config(), pos_integer(), string() | none, elfs_bench_load:call()) ->
          elfs_bench_load:result().
load(#{milliseconds := Milliseconds}, Callers, OsPid, Call) ->
    elfs_bench_load:run(Callers, Milliseconds, OsPid, Call).

-spec node_call(node()) -> non_neg_integer().
node_call(Node) ->
    Node = erpc:call(Node, erlang, node, [], ?TIMEOUT),
    0.

-spec new_table(node()) -> ok.
new_table(Node) ->
    new_table(Node, ?REPO).

-spec new_table(node(), module()) -> ok.
new_table(Node, Repo) ->
    {ok, _} = erpc:call(Node, ecto_litefs, transaction, [Repo, [{?DROP, []}, {?CREATE, []}]], ?TIMEOUT),
    ok.

-spec insert(node()) -> non_neg_integer().
insert(Node) ->
    {ok, #{rows := [[_Id]]}} =
        erpc:call(Node, ecto_litefs, query, [?REPO, ?INSERT, params()], ?TIMEOUT),
    1.

%% As the middleware makes its keys: the same beginning, and a counter.
-spec insert_keyed(node(), {binary(), atomics:atomics_ref()}) -> non_neg_integer().
insert_keyed(Node, {Prefix, Counter}) ->
    Key = <<Prefix/binary, (atomics:add_get(Counter, 1, 1)):64>>,
    {ok, #{rows := [[_Id]]}} =
        erpc:call(Node, ecto_litefs, query, [?REPO, ?INSERT, params(), #{key => Key}], ?TIMEOUT),
    1.

-spec insert_struct(node()) -> non_neg_integer().
insert_struct(Node) ->
    [Name, Email, _, _] = params(),
    {ok, #{id := _}} = erpc:call(Node, ?REPO, insert, [user(Name, Email)], ?TIMEOUT),
    1.

%% No such module is here, as in any caller without Ecto: the C node asks for it once.
user(Name, Email) ->
    #{'__struct__' => 'Elixir.Bench.User', id => nil, name => Name, email => Email, inserted_at => nil,
      updated_at => nil,
      '__meta__' => #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => nil,
                      schema => 'Elixir.Bench.User', source => <<"users">>, state => built}}.

-spec insert_closure(node(), elfs_bench_closure:closure()) -> non_neg_integer().
insert_closure(Node, Closure) ->
    [_, Email, _, _] = params(),
    {ok, #{id := _}} = erpc:call(Node, elfs_bench_closure:with_email(Closure, Email), ?TIMEOUT),
    1.

-spec insert_many(node()) -> non_neg_integer().
insert_many(Node) ->
    Sets = [params() || _ <- lists:seq(1, ?MANY)],
    {ok, #{num_rows := ?MANY}} =
        erpc:call(Node, ecto_litefs, query_many, [?REPO, ?INSERT, Sets], ?TIMEOUT),
    ?MANY.

%% The values of a caller's N-th row.
%% The rows of the C loop: emails count up, so that their index grows at one place, whoever calls.
-spec params() -> [binary()].
params() ->
    Id = integer_to_list(erlang:unique_integer([monotonic, positive])),
    [iolist_to_binary(["user ", Id]), iolist_to_binary(["user", Id, "@example.com"]), ?NOW, ?NOW].

-spec rss(config()) -> #{sync() => KiB :: non_neg_integer()}.
rss(#{nodes := Nodes}) ->
    maps:map(fun(_, {_, OsPid}) -> elfs_bench_load:rss(OsPid) end, Nodes).
