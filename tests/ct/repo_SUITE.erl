%% Repo calls to a C node: EctoLiteFS 1.0's own closures (tests/vectors/ectolitefs-1.0), and structs and changesets
%% given to the Repo's functions. The schemas that the C node asks about are modules made here.
-module(repo_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(REPO, 'Elixir.Test.Repo').
-define(SCHEMA, 'Elixir.Repo.SUITE.Thing').
-define(EMBEDDED, 'Elixir.Repo.SUITE.Part').
-define(TABLE, "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, email TEXT, "
               "inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL)").

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [closures, other_funs_are_refused, struct_without_a_schema, schema_is_asked_once, schema_says_more,
     embedded_schema, embedded_schema_that_is_not_there, embedded_schema_caller_gone,
     schema_that_does_not_answer, schema_that_answers_late, slow_schema_is_not_done_without,
     given_up_while_asked, caller_gone_while_asked,
     questions_past_the_limit, columns_that_change, table_that_comes_later, constraint, insert_all,
     rows_that_refer_to_later_ones, answer_that_is_too_large, refused_and_nothing_written, queue_limit,
     many_callers, casts, over_rpc, another_repo].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

end_per_testcase(_Case, _Config) ->
    [begin
         _ = code:purge(Schema),
         _ = code:delete(Schema),
         code:purge(Schema)
     end || Schema <- [?SCHEMA, ?EMBEDDED]].

call(#{name := Name}, Function, Args) ->
    try
        erpc:call(Name, ?REPO, Function, Args, 20000)
    catch
        error:{exception, Reason, [{?REPO, Function, Args, []}]} -> {raised, Reason}
    end.

%% The closures, in the order in which they were recorded

closures(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config, #{args => ["--repo", "Peer.MRepo=" ++ other(Config)]}),
    Peer = 'Elixir.Peer.MRepo',
    {ok, _} = ct_node:call(Node, query, [Peer, ?TABLE, []]),
    lists:foreach(fun(Vector) ->
        ?assertEqual(plain(vector(Vector ++ ".reply")), plain(apply_closure(Name, vector(Vector ++ ".fun"))), Vector)
    end, ["insert", "insert_bang", "insert_invalid", "insert_bang_invalid", "insert_or_update_changeset_built",
          "update", "update_bang_changeset_no_changes", "delete", "delete_bang"]),
    ?assertEqual([], [Db || filelib:file_size(Db) =:= 0]),
    ct_node:stop(Node).

other(Config) -> filename:join(ct_env:dir(Config), "peer.db").

apply_closure(Name, Fun) ->
    try
        erpc:call(Name, Fun, 20000)
    catch
        error:{exception, #{'__exception__' := true} = Exception, [_ | _]} -> {raised, Exception}
    end.

vector(Name) ->
    {ok, Bytes} = file:read_file(filename:join(vectors(proplists:get_value(source, ?MODULE:module_info(compile))),
                                               Name ++ ".etf")),
    binary_to_term(Bytes).

%% The suite runs from a copy somewhere below the project.
vectors(Path) ->
    Vectors = filename:join([Path, "tests", "vectors", "ectolitefs-1.0"]),
    case filelib:is_dir(Vectors) of
        true -> Vectors;
        false when Path =/= "/" -> vectors(filename:dirname(Path))
    end.

%% Without ids and times; an exception as the recording node's caller saw it.
plain({'RAISED', error, #{original := {exception, Exception, _}}}) -> plain({raised, Exception});
plain(#{'__struct__' := 'Elixir.NaiveDateTime'}) -> time;
plain(#{} = Map) -> maps:map(fun(id, I) when is_integer(I) -> id; (_, V) -> plain(V) end, Map);
plain(List) when is_list(List) -> [plain(E) || E <- List];
plain(Tuple) when is_tuple(Tuple) -> list_to_tuple(plain(tuple_to_list(Tuple)));
plain(Term) -> Term.

other_funs_are_refused(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Self = self(),
    [?assertError({exception, undef, [{erlang, apply, [Fun, []], []}]}, erpc:call(Name, Fun, 5000))
     || Fun <- [fun() -> Self ! ran end, fun erlang:node/0, vector("insert.fun")]],
    receive ran -> ct:fail(ran) after 0 -> ok end,
    ct_node:stop(Node).

%% Structs

user() -> user(#{}).
user(Fields) ->
    maps:merge(#{'__struct__' => 'Elixir.Repo.SUITE.NoModule', '__meta__' => meta('Elixir.Repo.SUITE.NoModule', <<"users">>),
                 id => nil, name => <<"Ada">>, email => <<"ada@example.com">>, inserted_at => nil, updated_at => nil},
               Fields).

meta(Schema, Source) ->
    #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => nil, schema => Schema,
      source => Source, state => built}.

struct_without_a_schema(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, ?TABLE),
    {ok, #{id := 1, name := <<"Ada">>, '__meta__' := #{state := loaded},
           inserted_at := #{'__struct__' := 'Elixir.NaiveDateTime', microsecond := {0, 0}}}} =
        call(Node, insert, [user()]),
    #{id := 2} = call(Node, 'insert!', [user(), []]),
    [[<<"1">>, <<"Ada">>, Time], [<<"2">>, _, _]] = ct_sqlite:query(Db, "SELECT id, name, inserted_at FROM users"),
    ?assertMatch({match, _}, re:run(Time, "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d$")),
    ct_node:stop(Node).

%% A schema module on this node. Answers: what __schema__ says beside its usual; 'slow' waits until told.
schema(Fields, More) -> schema(?SCHEMA, Fields, More).

schema(Schema, Fields, More) ->
    Ask = fun(What) ->
        {call, 3, {remote, 3, {atom, 3, ?MODULE}, {atom, 3, answer}}, [{atom, 3, Schema}, What]}
    end,
    Forms = [{attribute, 1, module, Schema},
             {attribute, 2, export, [{'__schema__', 1}, {'__changeset__', 0}]},
             {function, 3, '__schema__', 1, [{clause, 3, [{var, 3, 'What'}], [], [Ask({var, 3, 'What'})]}]},
             {function, 4, '__changeset__', 0, [{clause, 4, [], [], [Ask({atom, 4, types})]}]}],
    {ok, Schema, Code} = compile:forms(Forms),
    {module, Schema} = code:load_binary(Schema, "schema", Code),
    Answers = maps:merge(#{
        source => <<"things">>, prefix => nil, fields => [Field || {Field, _, _} <- Fields],
        dump => maps:from_list([{Field, {Column, Type, always}} || {Field, Column, Type} <- Fields]),
        primary_key => [id], autogenerate_id => {id, id, id}, autogenerate => [], autoupdate => [],
        read_after_writes => [], loaded => thing(maps:from_list([{Field, nil} || {Field, _, _} <- Fields])),
        types => maps:from_list([{Field, Type} || {Field, _, Type} <- Fields])}, More),
    persistent_term:put({?MODULE, Schema}, {Answers, counters:new(1, [])}).

answer(Schema, What) ->
    {Answers, Count} = persistent_term:get({?MODULE, Schema}),
    counters:add(Count, 1, 1),
    case maps:get(What, Answers) of
        {wait, Name} -> receive after infinity -> Name end;
        {ask, Pid} -> Pid ! {asked, self()}, receive {answer, Answer} -> Answer end;
        Answer -> Answer
    end.

asked() -> asked(?SCHEMA).

asked(Schema) ->
    {_, Count} = persistent_term:get({?MODULE, Schema}),
    counters:get(Count, 1).

thing(Fields) ->
    maps:merge(#{'__struct__' => ?SCHEMA, '__meta__' => meta(?SCHEMA, <<"things">>)}, Fields).

things(Node) ->
    {ok, _} = ct_node:query(Node, "CREATE TABLE things (id INTEGER PRIMARY KEY, the_name TEXT, done INTEGER, extra TEXT)").

schema_is_asked_once(Config) ->
    Node = ct_node:start(Config),
    things(Node),
    schema([{id, id, id}, {name, the_name, string}, {done, done, boolean}], #{}),
    [{ok, #{id := I}} = call(Node, insert, [thing(#{id => nil, name => <<"n">>, done => true})])
     || I <- lists:seq(1, 10)],
    First = asked(),
    ?assert(First > 0 andalso First =< 11),
    %% A new connection may be another build of the application.
    #{name := Name} = Node,
    true = erlang:disconnect_node(Name),
    ct_wait:until(fun() -> {ok, #{id := 11}} = call(Node, insert, [thing(#{id => nil, name => <<"n">>, done => true})]) end),
    ?assertEqual(2 * First, asked()),
    ct_node:stop(Node).

%% A field under another column's name; a boolean that is stored as 1.
schema_says_more(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    things(Node),
    schema([{id, id, id}, {name, the_name, string}, {done, done, boolean}], #{}),
    {ok, #{id := 1, name := <<"x">>, done := true}} =
        call(Node, insert, [thing(#{id => nil, name => <<"x">>, done => true})]),
    ?assertEqual([[<<"1">>, <<"x">>, <<"1">>]], ct_sqlite:query(Db, "SELECT id, the_name, done FROM things")),
    ct_node:stop(Node).

%% A thing whose part is of an embedded schema.
with_part(More) ->
    Embed = fun(Tag) ->
        {Tag, #{'__struct__' => 'Elixir.Ecto.Embedded', cardinality => one, field => part, owner => ?SCHEMA,
                related => ?EMBEDDED, on_replace => raise, unique => true, ordered => true}}
    end,
    {embed, Reflection} = Embed(embed),
    schema([{id, id, id}, {part, extra, {parameterized, {'Elixir.Ecto.Embedded', Reflection}}}],
           #{types => #{id => id, part => Embed(embed)}}),
    schema(?EMBEDDED, [{id, id, binary_id}, {size, s, integer}],
           maps:merge(#{source => nil, autogenerate_id => {id, id, binary_id}, loaded => part(nil)}, More)),
    thing(#{id => nil, part => part(7)}).

part(Size) -> #{'__struct__' => ?EMBEDDED, id => nil, size => Size}.

%% Its schema is asked about when it is met first, and once.
embedded_schema(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    things(Node),
    Thing = with_part(#{}),
    {ok, #{part := nil}} = call(Node, insert, [Thing#{part := nil}]),
    ?assertEqual(0, asked(?EMBEDDED)),
    Insert = fun() ->
        {ok, #{part := #{'__struct__' := ?EMBEDDED, id := <<Id:36/binary>>, size := 7}}} = call(Node, insert, [Thing]),
        Id
    end,
    [_, _, _, _, Id] = [Insert() || _ <- lists:seq(1, 5)],
    ?assertEqual(asked(?SCHEMA), asked(?EMBEDDED)),
    ?assertEqual([[Id, <<"7">>]], ct_sqlite:query(Db, "SELECT extra->>'id', extra->>'s' FROM things WHERE id = 6")),
    {ok, #{part := #{size := 7, id := Other}}} = call(Node, insert, [Thing, [{returning, true}]]),
    ?assertNotEqual(Id, Other),
    ct_node:stop(Node).

%% Refused, and nothing is written; what does not need it is served.
embedded_schema_that_is_not_there(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    things(Node),
    Thing = with_part(#{dump => nonsense}),
    [begin
         {error, {unsupported, Text}} = call(Node, insert, [Thing]),
         ?assertMatch({match, _}, re:run(Text, "^field part: the embedded schema Elixir.Repo.SUITE.Part is not known"))
     end || _ <- [1, 2]],
    ?assertMatch({ok, #{id := 1}}, call(Node, insert, [Thing#{part := nil}])),
    ?assertEqual(1, ct_sqlite:count(Db, "things")),
    ct_node:stop(Node).

embedded_schema_caller_gone(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config),
    things(Node),
    Thing = with_part(#{source => {wait, source}}),
    Pid = spawn(fun() -> erpc:call(Name, ?REPO, insert, [Thing]) end),
    ct_wait:until(fun() -> asked(?EMBEDDED) > 0 end),
    true = erlang:disconnect_node(Name),
    ct_wait:until(fun() -> not is_process_alive(Pid) end),
    ct_wait:until(fun() -> {ok, #{rows := [[0]]}} = ct_node:query(Node, "SELECT count(*) FROM things") end),
    ?assertEqual(0, ct_sqlite:count(Db, "things")),
    ct_node:stop(Node).

%% Not there, or not what Ecto answers: the node goes on without, and refuses what stays open.
schema_that_does_not_answer(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    things(Node),
    {ok, #{id := 1}} = call(Node, insert, [thing(#{id => nil, the_name => <<"x">>})]),
    schema([{id, id, id}], #{dump => nonsense}),
    #{name := Name} = Node,
    true = erlang:disconnect_node(Name),
    ct_wait:until(fun() -> {ok, #{id := 2}} = call(Node, insert, [thing(#{id => nil, the_name => <<"y">>})]) end),
    ?assertEqual(2, ct_sqlite:count(Db, "things")),
    ct_node:stop(Node).

%% Late answers are of use to the calls that follow.
schema_that_answers_late(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    things(Node),
    schema([{id, id, id}, {name, the_name, string}], #{source => {ask, self()}}),
    Thing = thing(#{id => nil, name => <<"x">>}),
    ?assertMatch({error, #{code := timeout}}, call(Node, insert, [Thing])),
    receive {asked, Pid} -> Pid ! {answer, <<"things">>} end,
    ct_wait:until(fun() -> element(1, call(Node, insert, [Thing])) =:= ok end),
    ?assertEqual([[<<"x">>]], ct_sqlite:query(Db, "SELECT the_name FROM things")),
    ct_node:stop(Node).

%% Without the schema there would be a row, and no token in it.
slow_schema_is_not_done_without(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    things(Node),
    schema([{id, id, id}, {the_name, the_name, 'Elixir.Ecto.UUID'}],
           #{source => {ask, self()}, autogenerate => [{[the_name], {'Elixir.Ecto.UUID', autogenerate, []}}]}),
    Thing = thing(#{id => nil, the_name => nil}),
    ?assertMatch({error, #{code := timeout}}, call(Node, insert, [Thing])),
    ?assertEqual(0, ct_sqlite:count(Db, "things")),
    receive {asked, Pid} -> Pid ! {answer, <<"things">>} end,
    ct_wait:until(fun() -> element(1, call(Node, insert, [Thing])) =:= ok end),
    ?assertMatch([[<<_:36/binary>>]], ct_sqlite:query(Db, "SELECT the_name FROM things")),
    ct_node:stop(Node).

given_up_while_asked(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config),
    things(Node),
    schema([{id, id, id}, {name, the_name, string}], #{source => {wait, source}}),
    Thing = thing(#{id => nil, name => <<"x">>}),
    ?assertError({erpc, timeout}, erpc:call(Name, ?REPO, insert, [Thing], 300)),
    %% After ELFS_ASK_MS the node gives up asking and refuses others; the one given up never ran.
    ?assertMatch({error, #{code := timeout}}, call(Node, insert, [Thing])),
    ?assertEqual(0, ct_sqlite:count(Db, "things")),
    ct_node:stop(Node).

caller_gone_while_asked(Config) ->
    Node = #{name := Name, db := Db} = ct_node:start(Config),
    things(Node),
    schema([{id, id, id}, {name, the_name, string}], #{source => {wait, source}}),
    Pid = spawn(fun() -> erpc:call(Name, ?REPO, insert, [thing(#{id => nil, name => <<"x">>})]) end),
    ct_wait:until(fun() -> asked() > 0 end),
    true = erlang:disconnect_node(Name),
    ct_wait:until(fun() -> not is_process_alive(Pid) end),
    ct_wait:until(fun() -> {ok, #{rows := [[0]]}} = ct_node:query(Node, "SELECT count(*) FROM things") end),
    ?assertEqual(0, ct_sqlite:count(Db, "things")),
    ct_node:stop(Node).

%% Questions count as what a peer leaves unread too: one that does not read them is dropped with its requests.
%% Names of several lengths, so that some of the connections end amid the questions about a schema.
questions_past_the_limit(Config) ->
    Node = ct_node:start(Config, #{args => ["--max-output", "65536"]}),
    {ok, _} = ct_node:query(Node, ?TABLE),
    [begin
         Peer = #{name := Name} = ct_raw:connect(Node),
         Schema = fun(I) -> list_to_atom(lists:duplicate(Length, $s) ++ integer_to_list(I)) end,
         Struct = fun(I) -> user(#{'__struct__' => Schema(I), '__meta__' => meta(Schema(I), <<"users">>)}) end,
         _ = ct_raw:send(Peer, [ct_raw:call_frame(Peer, I, ?REPO, insert, [Struct(I)]) || I <- lists:seq(1, 500)]),
         #{<<"reason">> := <<"output_limit">>} =
             ct_node:await_log(Node, <<"disconnected">>, #{<<"node">> => atom_to_binary(Name)}),
         ct_raw:close(Peer)
     end || Length <- [1, 7, 20, 50, 90, 120]],
    ?assertMatch({ok, #{rows := [[0]]}}, ct_node:query(Node, "SELECT count(*) FROM users")),
    ct_node:stop(Node).

%% The columns are kept, and found to be stale when the schema changes.
columns_that_change(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT)"),
    NoTimes = maps:without([inserted_at, updated_at], user()),
    {ok, #{id := 1}} = call(Node, insert, [NoTimes]),
    {ok, _} = ct_node:query(Node, "ALTER TABLE users ADD COLUMN city TEXT"),
    {ok, #{id := 2}} = call(Node, insert, [NoTimes#{city => <<"London">>}]),
    ct_sqlite:exec(Db, "ALTER TABLE users DROP COLUMN email"),
    ?assertMatch({error, {unsupported, _}}, call(Node, insert, [NoTimes])),
    {ok, #{id := 3}} = call(Node, insert, [maps:without([email], NoTimes#{city => <<"Paris">>})]),
    ?assertEqual([[<<>>], [<<"London">>], [<<"Paris">>]], ct_sqlite:query(Db, "SELECT city FROM users")),
    ct_node:stop(Node).

table_that_comes_later(Config) ->
    Node = ct_node:start(Config),
    ?assertMatch({R, _} when R =:= error; R =:= raised, call(Node, insert, [user()])),
    {ok, _} = ct_node:query(Node, ?TABLE),
    ?assertMatch({ok, #{id := 1}}, call(Node, insert, [user()])),
    ct_node:stop(Node).

constraint(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, ?TABLE),
    {ok, _} = ct_node:query(Node, "CREATE UNIQUE INDEX users_email_index ON users (email)"),
    {env, [_, Changeset, _]} = erlang:fun_info(vector("update.fun"), env),
    Constraint = #{type => unique, constraint => <<"users_email_index">>, match => exact, field => email,
                   error_message => <<"has already been taken">>, error_type => unique},
    New = Changeset#{data := user(#{'__struct__' => 'Elixir.Peer.User', '__meta__' => meta('Elixir.Peer.User', <<"users">>)}),
                     changes := #{name => <<"N">>, email => <<"same">>}, constraints := [Constraint]},
    {ok, #{id := 1}} = call(Node, insert, [New]),
    {error, #{'__struct__' := 'Elixir.Ecto.Changeset', action := insert, 'valid?' := false, errors := Errors}} =
        call(Node, insert, [New]),
    ?assertEqual([{email, {<<"has already been taken">>,
                           [{constraint, unique}, {constraint_name, <<"users_email_index">>}]}}], Errors),
    ?assertMatch({raised, #{'__struct__' := 'Elixir.Ecto.InvalidChangesetError'}}, call(Node, 'insert!', [New])),
    ?assertMatch({raised, #{'__struct__' := 'Elixir.Ecto.ConstraintError', type := unique}},
                 call(Node, insert, [New#{constraints := []}])),
    ?assertEqual(1, ct_sqlite:count(Db, "users")),
    ct_node:stop(Node).

insert_all(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b REAL)"),
    ?assertEqual({3, nil}, call(Node, insert_all, [<<"t">>, [#{a => <<"1">>, b => 1.5}, [{a, <<"2">>}, {b, 2.5}],
                                                             #{a => <<"3">>, b => nil}]])),
    %% As the SQLite adapter has it: no defaults cell by cell.
    ?assertMatch({raised, #{'__struct__' := 'Elixir.ArgumentError'}},
                 call(Node, insert_all, [<<"t">>, [#{a => <<"5">>, b => 1.5}, #{a => <<"6">>}]])),
    ?assertMatch({raised, _}, call(Node, insert_all, [<<"t">>, [#{a => <<"4">>}, #{a => <<"1">>}]])),
    ?assertEqual([[<<"1">>, <<"1.5">>], [<<"2">>, <<"2.5">>], [<<"3">>, <<>>]], ct_sqlite:query(Db, "SELECT a, b FROM t")),
    ct_node:stop(Node).

%% As in Ecto's one statement, whose foreign keys are checked at its end.
rows_that_refer_to_later_ones(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, "CREATE TABLE n (id INTEGER PRIMARY KEY, up INTEGER REFERENCES n (id))"),
    ?assertEqual({2, [#{id => 1}, #{id => 2}]},
                 call(Node, insert_all, [<<"n">>, [#{id => 1, up => 2}, #{id => 2, up => nil}], [{returning, [id]}]])),
    ?assertMatch({raised, #{'__struct__' := 'Elixir.Exqlite.Error', message := <<"FOREIGN KEY constraint failed">>}},
                 call(Node, insert_all, [<<"n">>, [#{id => 3, up => 4}, #{id => 5, up => nil}]])),
    ?assertEqual(2, ct_sqlite:count(Db, "n")),
    ct_node:stop(Node).

%% The struct that comes back holds what was sent: larger than any row that the statement returned.
answer_that_is_too_large(Config) ->
    Node = #{db := Db} = ct_node:start(Config, #{args => ["--max-result", "4096"]}),
    {ok, _} = ct_node:query(Node, ?TABLE),
    ?assertMatch({error, #{code := limit, message := <<"it is written", _/binary>>}},
                 call(Node, insert, [user(#{name => binary:copy(<<"x">>, 10000)})])),
    ?assertEqual(1, ct_sqlite:count(Db, "users")),
    ct_node:stop(Node).

refused_and_nothing_written(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, ?TABLE),
    [?assertMatch({R, _} when R =:= error; R =:= raised, call(Node, Function, Args), {Function, Args})
     || {Function, Args} <- [{insert, [user(), [{prefix, <<"p">>}]]}, {insert, [user(), [{no_such_option, 1}]]},
                             {insert, [user(#{name => self()})]}, {delete_all, [<<"users">>]},
                             {update, [user()]}, {insert, [not_a_struct]}]],
    ?assertError({exception, undef, _}, erpc:call(maps:get(name, Node), ?REPO, get, [1, 2], 5000)),
    ?assertEqual(0, ct_sqlite:count(Db, "users")),
    ct_node:stop(Node).
%% What waits for the table's columns, which a slow read holds up, counts too: the rest is refused at once.
queue_limit(Config) ->
    Node = #{name := Name, repo := Repo, db := Db} = ct_node:start(Config, #{args => ["--max-queue", "5"]}),
    {ok, _} = ct_node:query(Node, "CREATE TABLE t (a)"),
    Forever = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    Held = erpc:send_request(Name, ecto_litefs, query, [Repo, Forever, [], #{timeout => 5000}]),
    Queued = fun() ->
        #{repos := Repos} = ct_node:call(Node, info, []),
        lists:sum([Q || #{queued := Q} <- maps:values(Repos)])
    end,
    ct_wait:until(fun() -> Queued() =:= 1 end),
    Requests = [erpc:send_request(Name, ?REPO, insert_all, [<<"t">>, [#{a => I}]]) || I <- lists:seq(1, 20)],
    {Kept, Refused} = lists:split(4, Requests),
    [?assertError({exception, busy, _}, erpc:receive_response(R, 4000)) || R <- Refused],
    ?assertEqual(no_response, erpc:wait_response(Held, 0)),
    ?assertEqual(5, Queued()),
    [?assertEqual({1, nil}, erpc:receive_response(R, 20000)) || R <- Kept],
    ?assertEqual(0, Queued()),
    ?assertEqual(4, ct_sqlite:count(Db, "t")),
    ct_node:stop(Node).

many_callers(Config) ->
    Node = #{db := Db} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, ?TABLE),
    Self = self(),
    Pids = [spawn_link(fun() ->
        Self ! {self(), [begin {ok, #{id := Id}} = call(Node, insert, [user(#{name => integer_to_binary(P * 1000 + I)})]), Id end
                         || I <- lists:seq(1, 50)]}
    end) || P <- lists:seq(1, 64)],
    Ids = lists:append([receive {Pid, Got} -> Got end || Pid <- Pids]),
    ?assertEqual(lists:seq(1, 64 * 50), lists:sort(Ids)),
    ?assertEqual([[<<"3200">>]], ct_sqlite:query(Db, "SELECT count(DISTINCT name) FROM users")),
    ct_node:stop(Node).

casts(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, ?TABLE),
    ok = erpc:cast(Name, ?REPO, insert, [user()]),
    ct_wait:until(fun() -> {ok, #{rows := [[1]]}} = ct_node:query(Node, "SELECT count(*) FROM users") end),
    ct_node:stop(Node).

over_rpc(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    {ok, _} = ct_node:query(Node, ?TABLE),
    ?assertMatch({ok, #{id := 1}}, rpc:call(Name, ?REPO, insert, [user()])),
    ?assertMatch({badrpc, {'EXIT', {#{'__exception__' := true}, _}}},
                 rpc:call(Name, ?REPO, 'update!', [user(#{'__meta__' => (meta(x, <<"users">>))#{state := loaded}, id => 77})])),
    ct_node:stop(Node).

another_repo(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    ?assertError({exception, undef, _}, erpc:call(Name, 'Elixir.Nobodys.Repo', insert, [user()], 5000)),
    ct_node:stop(Node).
