%% A C node under test: started, watched by its log, signalled, stopped.
%%
%% A node belongs to the process that starts it and is killed when that ends; one that init_per_suite starts
%% is given `owner => suite` and is stopped by end_per_suite.
-module(ct_node).

%% API
-export([start/1]).
-export([start/2]).
-export([launch/2]).
-export([stop/1]).
-export([kill/1]).
-export([signal/2]).
-export([await_exit/1]).
-export([await_log/3]).
-export([logs/2]).
-export([lines/1]).
-export([call/3]).
-export([query/2]).
-export([query/3]).
-export([query/4]).

-type cnode() :: #{name := node(), os_pid := string(), port := inet:port_number(), db := file:filename(),
                   repo := atom(), watcher := pid(), dir := file:filename()}.
-export_type([cnode/0]).

-define(REPO, 'Test.Repo').
-define(CALL_MS, 20000).

-spec start([{atom(), term()}]) -> cnode().
start(Config) ->
    start(Config, #{}).

%% Starts a node and waits until it serves. Options: args (more arguments), raw_args (the only
%% arguments), name, db, dir, env, owner.
-spec start([{atom(), term()}], map()) -> cnode().
start(Config, Options) ->
    Node = launch(Config, Options),
    #{<<"port">> := Port} = await_log(Node, <<"ready">>, #{}),
    Node#{port := binary_to_integer(Port)}.

%% Starts a node and does not wait.
-spec launch([{atom(), term()}], map()) -> cnode().
launch(Config, Options) ->
    Dir = case Options of #{dir := D} -> D; _ -> ct_env:dir(Config) end,
    Db = maps:get(db, Options, filename:join(Dir, "test.db")),
    Name = maps:get(name, Options, ct_env:name("c")),
    Args = case Options of
        #{raw_args := Raw} -> Raw;
        _ -> arguments(Name, Db, Dir, Config) ++ maps:get(args, Options, [])
    end,
    Caller = self(),
    Owner = maps:get(owner, Options, Caller),
    Watcher = spawn(fun() ->
        {Port, Pid} = ct_os:spawn_program(ct_env:program(), Args, maps:get(env, Options, [])),
        Caller ! {self(), Pid},
        Monitor = case Owner of suite -> none; _ -> monitor(process, Owner) end,
        watch(#{port => Port, pid => Pid, owner => Monitor, lines => [], exit => running,
                waiting => []})
    end),
    receive
        {Watcher, Pid} ->
            #{name => Name, os_pid => Pid, port => 0, db => Db, repo => ?REPO, watcher => Watcher,
              dir => Dir}
    end.

arguments(Name, Db, Dir, Config) ->
    Cookie = filename:join(Dir, "cookie"),
    _ = filelib:is_file(Cookie) orelse ct_env:cookie_file(Dir, 8#400),
    ["--name", atom_to_list(Name), "--cookie-file", Cookie, "--listen", "127.0.0.1",
     "--repo", "Test.Repo=" ++ Db | poller(Config)].

poller(Config) ->
    case proplists:get_value(poller, Config) of
        undefined -> [];
        Poller -> ["--poller", Poller]
    end.

watch(#{port := Port, pid := Pid, owner := Owner, lines := Lines, waiting := Waiting} = State) ->
    receive
        {Port, {data, {_, Line}}} ->
            watch(State#{lines := [Line | Lines]});
        {Port, {exit_status, Code}} ->
            _ = [From ! {self(), exited, Code} || From <- Waiting],
            watch(State#{exit := Code, waiting := []});
        {'DOWN', Owner, process, _, _} ->
            case State of
                #{exit := running} -> ct_os:signal(Pid, "KILL");
                _ -> ok
            end;
        {lines, From} ->
            From ! {self(), lists:reverse(Lines)},
            watch(State);
        {await_exit, From} ->
            case State of
                #{exit := running} ->
                    watch(State#{waiting := [From | Waiting]});
                #{exit := Code} ->
                    From ! {self(), exited, Code},
                    watch(State)
            end
    end.

%% Asks it to end (SIGTERM) and expects that it ends well.
-spec stop(cnode()) -> ok.
stop(Node) ->
    signal(Node, "TERM"),
    case await_exit(Node) of
        0 ->
            ok;
        Code ->
            ct:pal("~ts", [lists:join($\n, lines(Node))]),
            erlang:error({exit_code, Code})
    end.

-spec kill(cnode()) -> ok.
kill(Node) ->
    signal(Node, "KILL"),
    137 = await_exit(Node),
    ok.

-spec signal(cnode(), string()) -> ok.
signal(#{os_pid := Pid}, Name) ->
    ct_os:signal(Pid, Name).

-spec await_exit(cnode()) -> integer().
await_exit(#{watcher := Watcher} = Node) ->
    Watcher ! {await_exit, self()},
    receive
        {Watcher, exited, Code} ->
            %% Of a node that was built with sanitizers; a killed one cannot tell by its exit code.
            case [L || L <- lines(Node), re:run(L, "Sanitizer|runtime error", [{capture, none}]) =:= match] of
                [] ->
                    Code;
                _ ->
                    ct:pal("~ts", [lists:join($\n, lines(Node))]),
                    erlang:error(sanitizer)
            end
    after 30000 ->
        ct:pal("does not end:~n~ts", [lists:join($\n, lines(Node))]),
        erlang:error(does_not_end)
    end.

%% Waits for a line of that event with (at least) these pairs, and gives all of its pairs.
-spec await_log(cnode(), binary(), #{binary() => binary()}) -> #{binary() => binary()}.
await_log(Node, Event, Pairs) ->
    try
        ct_wait:until(fun() ->
            case [L || L <- logs(Node, Event), maps:with(maps:keys(Pairs), L) =:= Pairs] of
                [Line | _] -> Line;
                [] -> false
            end
        end)
    catch
        error:Reason ->
            ct:pal("no ~ts ~p in:~n~ts", [Event, Pairs, lists:join($\n, lines(Node))]),
            erlang:error({no_log, Event, Pairs, Reason})
    end.

%% The pairs of every line of that event so far.
-spec logs(cnode(), binary()) -> [#{binary() => binary()}].
logs(Node, Event) ->
    [L || #{<<"event">> := E} = L <- [parse(Line) || Line <- lines(Node)], E =:= Event].

-spec lines(cnode()) -> [binary()].
lines(#{watcher := Watcher}) ->
    Watcher ! {lines, self()},
    receive {Watcher, Lines} when is_list(Lines) -> Lines end.

parse(Line) ->
    case re:run(Line, "([a-z_]+)=(\"(?:[^\"\\\\]|\\\\.)*\"|[^ ]*)",
                [global, {capture, all_but_first, binary}]) of
        {match, Pairs} -> maps:from_list([{K, V} || [K, V] <- Pairs]);
        nomatch -> #{}
    end.

%% ecto_litefs:Function(Args) on the node.
-spec call(cnode(), atom(), [term()]) -> term().
call(#{name := Name}, Function, Args) ->
    erpc:call(Name, ecto_litefs, Function, Args, ?CALL_MS).

-spec query(cnode(), iodata()) -> term().
query(Node, Sql) ->
    query(Node, Sql, []).

-spec query(cnode(), iodata(), list() | map()) -> term().
query(#{repo := Repo} = Node, Sql, Params) ->
    call(Node, query, [Repo, Sql, Params]).

-spec query(cnode(), iodata(), list() | map(), map() | list()) -> term().
query(#{repo := Repo} = Node, Sql, Params, Options) ->
    call(Node, query, [Repo, Sql, Params, Options]).
