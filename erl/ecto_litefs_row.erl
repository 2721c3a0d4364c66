%% @doc The tracker row, through the application's Repo: EctoLiteFS's table, so that old and new
%% nodes agree.
%%
%% Ecto is called if the application has it. Whatever it raises is an error like one that it
%% returns: a Repo may not run yet, or any more.
-module(ecto_litefs_row).

%% API
-export([available/1]).
-export([create/1]).
-export([read/1]).
-export([write/2]).
-export([replace/3]).
-export([database/1]).

-define(SQL, 'Elixir.Ecto.Adapters.SQL').

%% @doc Is there an Ecto to read and write the row with?
-spec available(ecto_litefs_config:t()) -> boolean().
available(#{repo := Repo}) ->
    ecto_litefs_elixir:available(?SQL, {query, 3})
        andalso ecto_litefs_elixir:available(Repo, {'__adapter__', 0}).

%% @doc Makes the table if it is not there.
-spec create(ecto_litefs_config:t()) -> ok | {error, term()}.
create(#{table_name := Table} = Config) ->
    Columns = "id INTEGER PRIMARY KEY CHECK (id = 1), node_name TEXT NOT NULL, "
              "updated_at INTEGER NOT NULL",
    done(query(Config, ["CREATE TABLE IF NOT EXISTS ", Table, " (", Columns, ")"], [])).

%% @doc The node name in the row; nil if there is no row or no table.
-spec read(ecto_litefs_config:t()) -> {ok, binary() | nil} | {error, term()}.
read(#{table_name := Table} = Config) ->
    case query(Config, ["SELECT node_name FROM ", Table, " WHERE id = 1"], []) of
        {ok, #{rows := [[Name]]}} when is_binary(Name) -> {ok, Name};
        {ok, _} -> {ok, nil};
        {error, Reason} -> no_table(Reason)
    end.

%% A replica cannot make the table; until the primary has, there is no row.
no_table(#{message := Message} = Reason) when is_binary(Message) ->
    case binary:match(Message, <<"no such table">>) of
        nomatch -> {error, Reason};
        _ -> {ok, nil}
    end;
no_table(Reason) ->
    {error, Reason}.

%% @doc Puts the name into the row. LiteFS refuses it on a replica.
-spec write(ecto_litefs_config:t(), binary()) -> ok | {error, term()}.
write(#{table_name := Table} = Config, Name) ->
    Sql = ["INSERT OR REPLACE INTO ", Table, " (id, node_name, updated_at) VALUES (1, ?, ?)"],
    done(query(Config, Sql, [Name, erlang:system_time(second)])).

%% @doc The same, if the row still names Old (nil: nobody). A C node of this host may have written its
%% own meanwhile.
-spec replace(ecto_litefs_config:t(), Old :: binary() | nil, New :: binary()) ->
          ok | changed | {error, term()}.
replace(#{table_name := Table} = Config, Old, New) ->
    Sql = ["INSERT OR REPLACE INTO ", Table, " (id, node_name, updated_at) SELECT 1, ?, ? "
           "WHERE (SELECT node_name FROM ", Table, " WHERE id = 1) IS ? RETURNING id"],
    case query(Config, Sql, [New, erlang:system_time(second), Old]) of
        {ok, #{rows := [_]}} -> ok;
        {ok, #{rows := []}} -> changed;
        {error, Reason} -> {error, Reason}
    end.

%% @doc The path of the SQLite file: the option, else what the Repo is configured with, if that is a
%% file.
-spec database(ecto_litefs_config:t()) -> binary() | nil.
database(#{database := Path}) when is_binary(Path) ->
    Path;
database(#{repo := Repo}) ->
    case ecto_litefs_elixir:available(Repo, {config, 0}) of
        true -> configured(Repo);
        false -> nil
    end.

configured(Repo) ->
    try lists:keyfind(database, 1, ecto_litefs_elixir:call(Repo, config, [])) of
        {database, <<C, _/binary>> = Path} when C =/= $: -> Path;
        _ -> nil
    catch
        _:_ -> nil
    end.

query(#{repo := Repo}, Sql, Params) ->
    try
        ecto_litefs_elixir:call(?SQL, query, [Repo, iolist_to_binary(Sql), Params])
    catch
        error:undef -> {error, ecto_not_available};
        _:Reason -> {error, Reason}
    end.

done({ok, _}) -> ok;
done({error, Reason}) -> {error, Reason}.
