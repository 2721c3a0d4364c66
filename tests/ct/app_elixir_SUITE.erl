%% The application from Elixir: tests/elixir, compiled and run with the system's Elixir.
-module(app_elixir_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {minutes, 3}}].

all() ->
    [facades].

init_per_suite(Config) ->
    case os:find_executable("elixir") of
        false -> {skip, "Elixir is not installed"};
        _ -> ct_env:start(Config)
    end.

end_per_suite(Config) -> ct_env:stop(Config).

facades(Config) ->
    Dir = ct_env:dir(Config),
    run("elixirc", ["-o", Dir, source("stand_ins.ex")]),
    Paths = [Dir | [filename:dirname(code:which(M)) || M <- [?MODULE, 'Elixir.EctoLiteFS']]],
    Out = run("elixir", ["--name", atom_to_list(ct_env:name("elixir")),
                         "--cookie", atom_to_list(ct_env:cookie()),
                         "--erl", "-epmd_port " ++ integer_to_list(?config(epmd_port, Config))]
              ++ lists:append([["-pa", P] || P <- Paths]) ++ [source("facades_test.exs")]),
    ?assertMatch({match, [_]}, re:run(Out, "[1-9][0-9]* tests, 0 failures")).

run(Program, Args) ->
    {Code, Out, Err} = ct_os:run(os:find_executable(Program), Args, [{"ERL_LIBS", false}]),
    ct:pal("~ts ~ts:~n~ts~n~ts", [Program, lists:join(" ", Args), Out, Err]),
    ?assertEqual(0, Code),
    Out.

%% rebar3 compiles a copy of this module below _build/; tests/elixir stays where it is.
source(Name) ->
    find(Name, filename:dirname(proplists:get_value(source, ?MODULE:module_info(compile)))).

find(Name, Dir) ->
    Path = filename:join([Dir, "tests", "elixir", Name]),
    case filelib:is_regular(Path) of
        true -> Path;
        false when Dir =/= "/" -> find(Name, filename:dirname(Dir))
    end.
