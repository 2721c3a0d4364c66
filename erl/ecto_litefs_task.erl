%% @doc What the tracker has done by a process of its own, since it may take time: reading and
%% writing the tracker row, through the Repo or, in an application without Ecto, through the port.
-module(ecto_litefs_task).

%% API
-export([run/3]).

%% `replica' reads as `read' does. `duty' is what a primary owes the table.
-type task() :: read | replica | {set, node()} | {duty, table | claim}.
-export_type([task/0]).

%% @doc Does it; `Ecto' tells whether there is one.
-spec run(task(), ecto_litefs_config:t(), boolean()) ->
          ok | {ok, binary() | nil} | {error, term()}.
run({set, Node}, Config, true) ->
    case ecto_litefs_row:create(Config) of
        ok -> ecto_litefs_row:write(Config, atom_to_binary(Node));
        Error -> Error
    end;
run({duty, table}, Config, true) ->
    ecto_litefs_row:create(Config);
run({duty, claim}, Config, true) ->
    case ecto_litefs_row:create(Config) of
        ok -> claim(Config);
        Error -> Error
    end;
run({set, _}, _, false) ->
    {error, ecto_not_available};
run({duty, _}, _, false) ->
    ok;
run(_, Config, true) ->
    ecto_litefs_row:read(Config);
run(_, #{repo := Repo}, false) ->
    ecto_litefs_detector:read_row(Repo).

claim(Config) ->
    case ecto_litefs_row:read(Config) of
        {ok, Name} ->
            case ecto_litefs_decision:claim(Name, [node() | nodes(connected)]) of
                keep -> ok;
                write -> ecto_litefs_row:write(Config, atom_to_binary(node()))
            end;
        Error ->
            Error
    end.
