%% A fault under load: writers on both replicas, the fault, its end, and the invariant.
-module(e2e_run).

%% API
-export([under_load/2]).
-export([writing_since/2]).
-export([all_fail/3]).
-export([only/2]).
-export([level/0]).

-export_type([world/0]).

%% What a fault works on. writers: the journals of the writers by host.
-type world() :: #{tag := binary(), primary := e2e_host:id(), replicas := [e2e_host:id()],
                   writers := #{e2e_host:id() => [file:filename_all()]}}.

%% What a fault's fun returns: the hosts whose writers it has ended with them.
-type fault() :: fun((world()) -> Killed :: [e2e_host:id()]).

-type result() :: {e2e_invariant:report(), Stops :: #{all := integer(), one := integer()},
                   Evidence :: {[e2e_journal:attempt()], #{e2e_host:id() => e2e_invariant:host()}, e2e_invariant:fault()}}.

-define(STEADY, 20). % acknowledgements of each writer that count as "it writes"
-define(WRITING_MS, 240000).

%% loses: may the level `local' lose rows by this fault? writers: the application's if it is not said.
-type what() :: #{tag := binary(), loses := boolean(), writers => e2e_writers:kind()}.

%% @doc The report has the stops too.
-spec under_load(what(), fault()) -> result().
under_load(What, Fault) ->
    try
        attempt(What, Fault)
    catch
        Class:Reason:Stack ->
            %% The next fault must find a whole cluster.
            ok = e2e_faults:repair(),
            erlang:raise(Class, Reason, Stack)
    end.

-spec attempt(what(), fault()) -> result().
attempt(#{tag := Tag, loses := Loses} = What, Fault) ->
    Primary = e2e_cluster:settled(),
    Replicas = e2e_host:all() -- [Primary],
    Kind = maps:get(writers, What, app),
    Before = e2e_journal:now_us(),
    World = #{tag => Tag, primary => Primary, replicas => Replicas,
              writers => maps:from_list([{Host, e2e_writers:start(Kind, Tag, Host)} || Host <- Replicas])},
    ok = writing_since(Before, World),
    Programs = programs(),
    At = e2e_journal:now_us(),
    Killed = Fault(World),
    ok = writing_since(e2e_journal:now_us(), without(Killed, World)),
    ok = e2e_writers:stop(Kind, Replicas -- Killed),
    _ = e2e_cluster:settled(),
    ok = nothing_died(Programs, programs()),
    Attempts = e2e_journal:read(filename:dirname(e2e_host:journal(Tag, <<"x">>))),
    Hosts = only(Tag, e2e_cluster:contents()),
    Check = #{level => level(Kind), loses => Loses, at => At},
    {e2e_invariant:check(Attempts, Hosts, Check), e2e_invariant:stops(Attempts), {Attempts, Hosts, Check}}.

-spec programs() -> #{e2e_host:id() => map()}.
programs() ->
    maps:from_list([{Host, e2e_host:programs(Host)} || Host <- e2e_host:all()]).

%% What the fault did not end and start again still runs, and all that it did runs again: nothing here restarts a program
%% that has fallen over.
-spec nothing_died(map(), map()) -> ok.
nothing_died(Before, After) ->
    Dead = [{Host, Program, maps:get(Program, maps:get(Host, Before))}
            || {Host, Programs} <- maps:to_list(After), {Program, 0} <- maps:to_list(Programs)],
    Dead =:= [] orelse error({programs_that_died, Dead}),
    ok.

%% @doc Waits until each writer has had acknowledgements since then.
-spec writing_since(integer(), world()) -> ok.
writing_since(Since, #{writers := Writers}) ->
    Journals = lists:append(maps:values(Writers)),
    try
        true = ct_wait:until(fun() ->
            lists:all(fun(J) -> e2e_journal:acks_since(J, Since) >= ?STEADY end, Journals)
        end, ?WRITING_MS),
        ok
    catch
        error:{condition_never_held, _} ->
            error({writers_do_not_go_on, [{filename:basename(J), e2e_journal:acks_since(J, Since), last_line(J)}
                                          || J <- Journals]})
    end.

%% @doc Waits until each writer of these hosts has been told since then that it failed.
-spec all_fail([e2e_host:id()], integer(), world()) -> ok.
all_fail(Hosts, Since, #{writers := Writers}) ->
    Journals = lists:append([maps:get(Host, Writers) || Host <- Hosts]),
    true = ct_wait:until(fun() -> lists:all(fun(J) -> e2e_journal:failed_since(J, Since) end, Journals) end,
                         ?WRITING_MS),
    ok.

-spec last_line(file:filename_all()) -> binary().
last_line(Journal) ->
    {ok, Text} = file:read_file(Journal),
    lists:last([<<>> | [L || L <- binary:split(Text, <<"\n">>, [global]), L =/= <<>>]]).

-spec without([e2e_host:id()], world()) -> world().
without(Hosts, #{writers := Writers} = World) ->
    World#{writers := maps:without(Hosts, Writers)}.

%% The rows of this fault's writers.
-spec only(binary(), #{e2e_host:id() => e2e_invariant:host()}) -> #{e2e_host:id() => e2e_invariant:host()}.
only(Tag, Hosts) ->
    Size = byte_size(Tag),
    maps:map(fun(_, #{rows := Rows} = Host) ->
        Host#{rows := [Row || {_, <<T:Size/binary, "-", _/binary>>} = Row <- Rows, T =:= Tag]}
    end, Hosts).

%% The programs over the C client library do not ask for a level.
-spec level(e2e_writers:kind()) -> e2e_invariant:level().
level(client) -> local;
level(app) -> level().

-spec level() -> e2e_invariant:level().
level() ->
    case os:getenv("E2E_ACK", "local") of
        "local" -> local;
        Replicas -> {replicas, list_to_integer(Replicas)}
    end.
