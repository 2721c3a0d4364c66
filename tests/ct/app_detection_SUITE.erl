%% The application over its real port, the program and the driver alike: LiteFS is the stand-in of ct_litefs,
%% Ecto that of app_world.
-module(app_detection_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(API, 'Elixir.EctoLiteFS').
-define(SUP, 'Elixir.EctoLiteFS.Supervisor').
-define(REPO, 'Elixir.App.Repo').
-define(OTHER, 'Elixir.App.Other').

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [{group, port}, {group, driver}].

groups() ->
    Both = [standalone, plain_folder, roles_by_the_stream, roles_by_the_files,
            announced_change_is_seen_at_once, two_repos, restart],
    [{port, Both ++ [row_by_the_port, program_is_killed, bad_url]},
     {driver, Both ++ [port_is_closed]}].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

init_per_group(Detection, Config) ->
    File = case Detection of port -> "ecto_litefs_port"; driver -> "ecto_litefs_drv.so" end,
    case filelib:is_regular(filename:join(code:priv_dir(ecto_litefs), File)) of
        true -> [{detection, Detection} | Config];
        false -> {skip, File ++ " is not built"}
    end.

end_per_group(_, _) -> ok.

init_per_testcase(_, Config) ->
    ok = app_world:start(),
    [ok = app_world:repo(Repo, []) || Repo <- [?REPO, ?OTHER]],
    [{litefs, ct_litefs:start(Config)} | Config].

end_per_testcase(_, Config) ->
    [stop(Repo) || Repo <- [?REPO, ?OTHER]],
    ok = ct_litefs:stop(?config(litefs, Config)),
    ok = app_world:stop().

%% Development: no LiteFS at all.
standalone(Config) ->
    start(Config, [{primary_file, <<"/no/such/folder/.primary">>},
                   {event_stream_url, <<"http://127.0.0.1:1/events">>}]),
    ?assertEqual({ok, node()}, ?API:get_primary(?REPO)),
    ct_wait:until(fun() -> ?API:'tracker_ready?'(?REPO) end),
    ?assertEqual(nil, app_world:row(?REPO)).

plain_folder(Config) ->
    start(Config, [{primary_file, iolist_to_binary([ct_env:dir(Config), "/.primary"])},
                   {event_stream_url, false}]),
    ?assertEqual({ok, nil}, ?API:get_primary(?REPO)).

roles_by_the_stream(Config) ->
    LiteFS = ?config(litefs, Config),
    {_, Node} = peer(),
    app_world:put_row(?REPO, atom_to_binary(Node)),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    start(Config, []),
    await({ok, Node}),
    ct_litefs:say(LiteFS, ct_litefs:change(primary)),
    await({ok, node()}),
    ct_litefs:say(LiteFS, ct_litefs:change(replica)),
    ct_wait:until(fun() -> not ?API:'is_primary?'(?REPO) end).

roles_by_the_files(Config) ->
    LiteFS = ?config(litefs, Config),
    {_, Node} = peer(),
    app_world:put_row(?REPO, atom_to_binary(Node)),
    ct_litefs:file(LiteFS, ".primary", "n1\n"),
    start(Config, [{event_stream_url, false}, {poll_interval, 20}]),
    await({ok, Node}),
    %% An absent .primary alone is not yet "primary".
    ct_litefs:file(LiteFS, ".lag", "+000000100\n"),
    ct_litefs:file(LiteFS, ".primary", false),
    await({ok, nil}),
    ct_litefs:file(LiteFS, ".lag", "+000000000\n"),
    await({ok, node()}).

announced_change_is_seen_at_once(Config) ->
    LiteFS = ?config(litefs, Config),
    ct_litefs:greet(LiteFS, ct_litefs:init(primary)),
    start(Config, [{cache_ttl, 60000}]),
    await({ok, node()}),
    Times = [begin
                 Began = erlang:monotonic_time(microsecond),
                 ct_litefs:say(LiteFS, ct_litefs:change(Role)),
                 spin(Role =:= primary),
                 erlang:monotonic_time(microsecond) - Began
             end || _ <- lists:seq(1, 20), Role <- [{replica, "c2"}, primary]],
    Sorted = lists:sort(Times),
    ct:pal("LiteFS's event to get_primary, microseconds: median ~b, slowest ~b",
           [lists:nth(20, Sorted), lists:last(Sorted)]),
    ?assert(lists:nth(30, Sorted) < 10000).

spin(Primary) ->
    case ?API:'is_primary?'(?REPO) of
        Primary -> ok;
        _ -> erlang:yield(), spin(Primary)
    end.

two_repos(Config) ->
    ct_litefs:greet(?config(litefs, Config), ct_litefs:init(primary)),
    start(Config, []),
    start(Config, [{repo, ?OTHER}, {primary_file, <<"/no/such/folder/.primary">>},
                   {event_stream_url, false}]),
    await({ok, node()}),
    ?assertEqual({ok, node()}, ?API:get_primary(?OTHER)),
    stop(?OTHER),
    ct_litefs:say(?config(litefs, Config), ct_litefs:change(replica)),
    ct_wait:until(fun() -> not ?API:'is_primary?'(?REPO) end).

restart(Config) ->
    [begin
         start(Config, [{primary_file, <<"/no/such/folder/.primary">>}, {event_stream_url, false}]),
         ?assertEqual({ok, node()}, ?API:get_primary(?REPO)),
         stop(?REPO)
     end || _ <- lists:seq(1, 10)].

%% The program reads the row itself, of the file that the Repo is configured with.
row_by_the_port(Config) ->
    LiteFS = ?config(litefs, Config),
    {_, Node} = peer(),
    Db = filename:join(ct_env:dir(Config), "app.db"),
    ct_sqlite:exec(Db, ["CREATE TABLE _ecto_litefs_primary (id INTEGER PRIMARY KEY CHECK (id = 1), "
                        "node_name TEXT NOT NULL, updated_at INTEGER NOT NULL);"
                        "INSERT INTO _ecto_litefs_primary VALUES (1, '", atom_to_list(Node), "', 0)"]),
    ok = app_world:repo(?REPO, [{database, list_to_binary(Db)}]),
    ok = app_world:unload('Elixir.Ecto.Adapters.SQL'),
    ct_litefs:greet(LiteFS, ct_litefs:init({replica, "n1"})),
    start(Config, [{cache_ttl, 50}]),
    await({ok, Node}),
    ct_sqlite:exec(Db, "DELETE FROM _ecto_litefs_primary"),
    await({ok, nil}).

program_is_killed(Config) ->
    ct_litefs:greet(?config(litefs, Config), ct_litefs:init(primary)),
    start(Config, []),
    await({ok, node()}),
    Supervisor = whereis(?SUP:supervisor_name(?REPO)),
    [begin
         Pid = ct_wait:until(fun program_pid/0),
         ct_os:signal(Pid, "KILL"),
         ct_wait:until(fun() -> lists:member(program_pid(), [false, Pid]) =:= false end),
         ?assertEqual({ok, node()}, ?API:get_primary(?REPO))
     end || _ <- lists:seq(1, 4)],
    ?assertEqual(Supervisor, whereis(?SUP:supervisor_name(?REPO))),
    ct_litefs:greet(?config(litefs, Config), ct_litefs:init(replica)),
    ct_litefs:cut(?config(litefs, Config)),
    await({ok, nil}).

program_pid() ->
    Owner = whereis('Elixir.EctoLiteFS.Poller':process_name(?REPO)),
    case [P || Port <- erlang:ports(), {connected, Owner} =:= erlang:port_info(Port, connected),
               {os_pid, P} <- [erlang:port_info(Port, os_pid)]] of
        [Pid] -> integer_to_list(Pid);
        [] -> false
    end.

%% What the port finds wrong with the configuration is logged.
bad_url(Config) ->
    start(Config, [{event_stream_url, <<"ftp://nowhere">>}]),
    ?assertEqual({ok, nil}, ?API:get_primary(?REPO)),
    ct_wait:until(fun() -> app_world:logs(warning) =/= [] end).

%% The driver's port cannot be killed from outside; its owner opens another one.
port_is_closed(Config) ->
    ct_litefs:greet(?config(litefs, Config), ct_litefs:init(primary)),
    start(Config, []),
    await({ok, node()}),
    exit(whereis('Elixir.EctoLiteFS.Poller':process_name(?REPO)), kill),
    ?assertEqual({ok, node()}, ?API:get_primary(?REPO)),
    %% Whether the new port has its stream already or not.
    ct_litefs:greet(?config(litefs, Config), ct_litefs:init(replica)),
    ct_litefs:say(?config(litefs, Config), ct_litefs:change(replica)),
    await({ok, nil}).

%% Helpers

start(Config, Options) ->
    LiteFS = ?config(litefs, Config),
    Defaults = [{repo, ?REPO}, {detection, ?config(detection, Config)},
                {primary_file, ct_litefs:primary_file(LiteFS)},
                {event_stream_url, ct_litefs:url(LiteFS)}],
    {ok, Pid} = ?SUP:start_link(maps:to_list(maps:merge(maps:from_list(Defaults),
                                                        maps:from_list(Options)))),
    unlink(Pid),
    ok.

stop(Repo) ->
    case whereis(?SUP:supervisor_name(Repo)) of
        undefined -> ok;
        Pid -> gen_server:stop(Pid, shutdown, 10000)
    end.

await(Primary) ->
    ct_wait:until(fun() -> ?API:get_primary(?REPO) =:= Primary end).

peer() ->
    {Peer, Node} = ct_env:peer(),
    pong = net_adm:ping(Node),
    {Peer, Node}.
