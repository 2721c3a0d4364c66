%% @doc What the tracker has done by a process of its own, since it may take time: reading and
%% writing the tracker row, through the Repo or, in an application without Ecto, through the port.
-module(ecto_litefs_task).

%% API
-export([run/3]).

%% `replica' reads as `read' does. `duty' is what a primary owes the table; a claim tells whose name is in
%% the row then.
-type task() :: read | replica | {set, node()} | {duty, table | claim}.
-type result() :: ok | {ok, binary() | nil} | {error, term()}.
-export_type([task/0, result/0]).

%% @doc Does it; `Ecto' tells whether there is one.
-spec run(task(), ecto_litefs_config:t(), boolean()) -> result().
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
run(_, #{repo := Repo} = Config, true) ->
    case ecto_litefs_row:read(Config) of
        {ok, Name} -> {ok, Name};
        Error -> by_the_port(Repo, Error)
    end;
run(_, #{repo := Repo}, false) ->
    ecto_litefs_detector:read_row(Repo).

%% The Repo's connections may be those of a LiteFS that has died since; the port's program opens the file
%% anew. That it finds no row says nothing: it may not read any.
by_the_port(Repo, Error) ->
    case ecto_litefs_detector:read_row(Repo) of
        {ok, Name} when is_binary(Name) -> {ok, Name};
        _ -> Error
    end.

claim(Config) ->
    case ecto_litefs_row:read(Config) of
        {ok, Name} ->
            case ecto_litefs_decision:claim(Name, [node() | nodes(connected)]) of
                keep -> {ok, Name};
                write -> write_own(Config, Name);
                meet -> case meet(Name) of true -> {ok, Name}; false -> write_own(Config, Name) end
            end;
        Error ->
            Error
    end.

write_own(Config, Read) ->
    Own = atom_to_binary(node()),
    case ecto_litefs_row:replace(Config, Read, Own) of
        ok -> {ok, Own};
        changed -> claim(Config);
        Error -> Error
    end.

%% Connects to the node of this host, if EPMD knows it: only then its name becomes an atom.
meet(Name) ->
    [Alive | _] = binary:split(Name, <<"@">>),
    case erl_epmd:names() of
        {ok, Registered} ->
            lists:keymember(binary_to_list(Alive), 1, Registered)
                andalso net_kernel:connect_node(binary_to_atom(Name)) =:= true;
        {error, _} ->
            false
    end.
