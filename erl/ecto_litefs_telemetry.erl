%% @doc Telemetry events, through `telemetry' if the application has it.
-module(ecto_litefs_telemetry).

%% API
-export([forward/3]).
-export([primary_change/2]).

%% @doc `[ecto_litefs, forward, start | stop | exception | retry]'.
-spec forward(start | stop | exception | retry, map(), map()) -> ok.
forward(Event, Measurements, Metadata) ->
    execute([ecto_litefs, forward, Event], Measurements, Metadata).

%% @doc `[ecto_litefs, primary, change]'.
-spec primary_change(map(), map()) -> ok.
primary_change(Measurements, Metadata) ->
    execute([ecto_litefs, primary, change], Measurements, Metadata).

%% Whoever has attached a handler has loaded the module; else nobody listens.
execute(Event, Measurements, Metadata) ->
    case erlang:function_exported(telemetry, execute, 3) of
        true ->
            _ = ecto_litefs_elixir:call(telemetry, execute, [Event, Measurements, Metadata]),
            ok;
        false ->
            ok
    end.
