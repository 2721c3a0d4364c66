%% Stand-ins for the modules which an Elixir application brings along and which the application
%% under test calls if they are there: Ecto.Adapters.SQL over a "database" of one tracker row each
%% Repo, Repos, EctoMiddleware's two functions and its end of the chain, telemetry. Also what was
%% logged.
-module(app_world).

%% API
-export([start/0]).
-export([stop/0]).
-export([repo/2]).
-export([row/1]).
-export([put_row/2]).
-export([break/2]).
-export([mend/1]).
-export([queries/1]).
-export([has_table/1]).
-export([events/0]).
-export([logs/1]).
-export([forget/0]).
-export([load/2]).
-export([unload/1]).
-export([middleware/0]).

%% The stand-ins' side.
-export([query/3]).
-export([execute/3]).
-export([yield/2]).

%% logger handler
-export([log/2]).

-define(WORLD, ?MODULE).
-define(SQL, 'Elixir.Ecto.Adapters.SQL').
-define(MODULES, [?SQL, telemetry, 'Elixir.EctoMiddleware.Resolution', 'Elixir.EctoMiddleware.Engine']).

-spec start() -> ok.
start() ->
    Caller = self(),
    {Owner, Monitor} = spawn_monitor(fun() ->
        true = register(?WORLD, self()),
        ?WORLD = ets:new(?WORLD, [named_table, public, ordered_set]),
        Caller ! {self(), made},
        receive stop -> ok end
    end),
    receive
        {Owner, made} -> demonitor(Monitor);
        {'DOWN', Monitor, process, _, Reason} -> error({a_test_left_its_world_behind, Reason})
    end,
    load(?SQL, ["query(Repo, Sql, Params) -> app_world:query(Repo, Sql, Params)."]),
    load(telemetry, ["execute(Event, Measurements, Metadata) ->"
                     " app_world:execute(Event, Measurements, Metadata)."]),
    middleware(),
    ok = logger:add_handler(?WORLD, ?MODULE, #{level => debug}),
    ok = logger:set_module_level([ecto_litefs_tracker, ecto_litefs_detector, ecto_litefs_middleware,
                                  ecto_litefs_clash], debug).

-spec middleware() -> ok.
middleware() ->
    load('Elixir.EctoMiddleware.Resolution',
         ["get_private(#{private := Private}, Key) -> maps:get(Key, Private, nil).",
          "put_private(#{private := Private} = Resolution, Key, Value) ->"
          " Resolution#{private := Private#{Key => Value}}."]),
    load('Elixir.EctoMiddleware.Engine',
         ["yield(Resource, Resolution) -> app_world:yield(Resource, Resolution)."]).

-spec stop() -> ok.
stop() ->
    ok = logger:remove_handler(?WORLD),
    Repos = [R || [R] <- ets:match(?WORLD, {{repo, '$1'}, '_'})],
    lists:foreach(fun unload/1, ?MODULES ++ Repos),
    Monitor = monitor(process, ?WORLD),
    ?WORLD ! stop,
    receive {'DOWN', Monitor, process, _, _} -> ok end.

%% A Repo with this configuration.
-spec repo(module(), [{atom(), term()}]) -> ok.
repo(Repo, Config) ->
    true = ets:insert(?WORLD, {{repo, Repo}, true}),
    load(Repo, ["'__adapter__'() -> stand_in.",
                lists:flatten(io_lib:format("config() -> ~0p.", [Config]))]).

-spec row(module()) -> binary() | nil.
row(Repo) ->
    read({row, Repo}, nil).

-spec put_row(module(), binary() | nil) -> ok.
put_row(Repo, Name) ->
    true = ets:insert(?WORLD, [{{row, Repo}, Name}, {{table, Repo}, true}]),
    ok.

-spec has_table(module()) -> boolean().
has_table(Repo) ->
    read({table, Repo}, false).

%% Statements that begin so fail: with an error, or with an exception; or they never end.
%% `before': runs the fun first, and breaks nothing.
-spec break(module(), {binary(), {error | raise, term()} | {before, fun(() -> term())} | hang}) -> ok.
break(Repo, {Start, How}) ->
    true = ets:insert(?WORLD, {{broken, Repo, Start}, How}),
    ok.

-spec mend(module()) -> ok.
mend(Repo) ->
    true = ets:match_delete(?WORLD, {{broken, Repo, '_'}, '_'}),
    ok.

%% The statements' first words, in order.
-spec queries(module()) -> [binary()].
queries(Repo) ->
    [hd(binary:split(Sql, <<" ">>)) || [Sql] <- ets:match(?WORLD, {{query, '_', Repo}, '$1'})].

-spec query(module(), binary(), [term()]) -> {ok, map()} | {error, term()}.
query(Repo, Sql, Params) ->
    record({query, Repo}, Sql),
    Broken = [How || [Start, How] <- ets:match(?WORLD, {{broken, Repo, '$1'}, '$2'}),
                     binary:longest_common_prefix([Start, Sql]) =:= byte_size(Start)],
    case Broken of
        [{error, Reason} | _] -> {error, Reason};
        [{raise, Reason} | _] -> error(Reason);
        [hang | _] -> receive after infinity -> ok end;
        [{before, Fun} | _] -> _ = Fun(), run(Sql, Params, Repo, has_table(Repo));
        [] -> run(Sql, Params, Repo, has_table(Repo))
    end.

run(<<"CREATE TABLE IF NOT EXISTS ", _/binary>>, [], Repo, _) ->
    true = ets:insert(?WORLD, {{table, Repo}, true}),
    {ok, #{rows => nil}};
run(_, _, _, false) ->
    {error, #{'__struct__' => 'Elixir.Exqlite.Error', message => <<"no such table: t">>}};
run(<<"SELECT node_name FROM ", _/binary>>, [], Repo, true) ->
    case row(Repo) of
        nil -> {ok, #{rows => []}};
        Name -> {ok, #{rows => [[Name]]}}
    end;
run(<<"INSERT OR REPLACE INTO ", _/binary>>, [Name, Seconds], Repo, true) when is_integer(Seconds) ->
    put_row(Repo, Name),
    {ok, #{rows => nil}};
run(<<"INSERT OR REPLACE INTO ", _/binary>>, [Name, Seconds, Old], Repo, true) when is_integer(Seconds) ->
    case row(Repo) of
        Old -> put_row(Repo, Name), {ok, #{rows => [[1]]}};
        _ -> {ok, #{rows => []}}
    end.

%% The end of EctoMiddleware's chain.
-spec yield(term(), map()) -> {term(), map()}.
yield(Resource, #{private := #{'__super__' := Super}} = Resolution) ->
    {Super(Resource, Resolution), Resolution}.

%% Telemetry events so far, in order.
-spec events() -> [{[atom()], map(), map()}].
events() ->
    [E || [E] <- ets:match(?WORLD, {{event, '_', telemetry}, '$1'})].

-spec execute([atom()], map(), map()) -> ok.
execute(Event, Measurements, Metadata) ->
    record({event, telemetry}, {Event, Measurements, Metadata}).

%% What the application logged at that level, in order.
-spec logs(logger:level()) -> [unicode:chardata()].
logs(Level) ->
    [L || [L] <- ets:match(?WORLD, {{log, '_', Level}, '$1'})].

-spec log(logger:log_event(), logger:handler_config()) -> ok.
log(#{level := Level, msg := {Format, Args}, meta := #{mfa := {Module, _, _}}}, _) when is_list(Args) ->
    case lists:prefix("ecto_litefs_", atom_to_list(Module)) of
        true -> record({log, Level}, unicode:characters_to_binary(io_lib:format(Format, Args)));
        false -> ok
    end;
log(_, _) ->
    ok.

%% Forgets queries, events and logs.
-spec forget() -> ok.
forget() ->
    [true = ets:match_delete(?WORLD, {{What, '_', '_'}, '_'}) || What <- [query, event, log]],
    ok.

record({What, Whose}, Value) ->
    true = ets:insert(?WORLD, {{What, erlang:unique_integer([monotonic]), Whose}, Value}),
    ok.

read(Key, Default) ->
    case ets:lookup(?WORLD, Key) of
        [{_, Value}] -> Value;
        [] -> Default
    end.

%% Makes a module of functions given as text.
-spec load(module(), [string()]) -> ok.
load(Module, Functions) ->
    Forms = [{attribute, 1, module, Module}, {attribute, 1, compile, export_all}
             | [begin
                    {ok, Tokens, _} = erl_scan:string(Text),
                    {ok, Form} = erl_parse:parse_form(Tokens),
                    Form
                end || Text <- Functions]],
    {ok, Module, Binary} = compile:forms(Forms),
    {module, Module} = code:load_binary(Module, "stand-in", Binary),
    ok.

-spec unload(module()) -> ok.
unload(Module) ->
    _ = code:purge(Module),
    _ = code:delete(Module),
    _ = code:purge(Module),
    ok.
