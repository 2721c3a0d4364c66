%% @doc Between the C node's terms and Exqlite's: parameters, results, errors. PURE, but for the
%% application's own type extensions.
%%
%% The C node binds what Exqlite's NIF binds (docs/api.md). What remains is what Exqlite does before
%% that, so that a forwarded statement stores the bytes of a local one.
-module(ecto_litefs_exqlite).

-compile({no_auto_import, [error/2]}).

%% API
-export([params/2]).
-export([result/2]).
-export([done/1]).
-export([rows/1]).
-export([error/2]).
-export([connection_error/1]).
-export([connection_error/2]).

-type command() :: insert | update | delete | nil.
%% An exception as Elixir raises it, and whether the connection is of use after it.
-type failure() :: {error | disconnect, ecto_litefs_elixir:exception()}.
-export_type([command/0, failure/0]).

-define(CONNECTION_ERROR, 'Elixir.DBConnection.ConnectionError').
-define(DATE_OR_TIME(Struct), (Struct =:= 'Elixir.Date' orelse Struct =:= 'Elixir.Time' orelse
                               Struct =:= 'Elixir.NaiveDateTime' orelse
                               Struct =:= 'Elixir.DateTime')).

%% @doc The parameters as the C node takes them. `Extensions' are Exqlite's `type_extensions'.
-spec params([term()] | map() | nil, [module()] | nil) ->
          {ok, [term()] | map()} | {error, binary()}.
params(Params, Extensions) ->
    try
        {ok, convert(Params, Extensions)}
    catch
        throw:{refused, Message} -> {error, Message}
    end.

convert(nil, _) ->
    [];
convert(Params, Extensions) when is_list(Params) ->
    [param(P, Extensions) || P <- Params];
convert(Params, Extensions) when is_map(Params) ->
    maps:from_list([{name(K), param(V, Extensions)} || {K, V} <- maps:to_list(Params)]).

%% Exqlite's names have SQLite's prefix, the C node's have not.
name(Name) when is_atom(Name) -> name(atom_to_binary(Name));
name(Name) when is_list(Name) -> name(unicode:characters_to_binary(Name));
name(<<C, Rest/binary>>) when C =:= $:; C =:= $@; C =:= $$ -> Rest;
name(Name) -> Name.

param(#{'__struct__' := Struct} = Value, _) when ?DATE_OR_TIME(Struct) -> Value;
param(Value, [Extension | Others]) ->
    try Extension:convert(Value) of
        nil -> param(Value, Others);
        {ok, Converted} -> scalar(Converted);
        {error, Reason} -> throw({refused, refusal(Extension, Value, Reason)})
    catch
        %% An error of the statement, as in Exqlite, which leaves the transaction alone.
        error:Raised:Stack -> throw({refused, ecto_litefs_elixir:message(Raised, Stack)})
    end;
param(Value, _) ->
    scalar(Value).

%% Exqlite binds every atom but nil as text; the C node makes 1 and 0 of these two. (The fields of a
%% schema are 1 and 0 before they come here.)
scalar(true) -> <<"true">>;
scalar(false) -> <<"false">>;
scalar(Value) -> Value.

refusal(Extension, Value, Reason) ->
    unicode:characters_to_binary(
        io_lib:format("Failed conversion by TypeExtension ~ts: ~ts. Reason: ~ts.",
                      [Extension, ecto_litefs_elixir:inspect(Value),
                       ecto_litefs_elixir:inspect(Reason)])).

%% @doc What Exqlite returns for a statement. It tells what writes from what reads by the query's
%% command: that one has no column names and counts the changes, and its rows are nil if it returns
%% none.
-spec result(command(), map()) -> map().
result(Command, #{rows := Rows, changes := Changes})
  when Command =:= insert; Command =:= update; Command =:= delete ->
    struct(execute, [], Rows, Changes);
result(_, #{rows := nil}) ->
    struct(execute, [], [], 0);
result(_, #{columns := Columns, rows := Rows}) ->
    struct(execute, Columns, Rows, length(Rows)).

%% @doc For begin, commit, rollback and the like.
-spec done(atom()) -> map().
done(Command) ->
    struct(Command, [], [], 0).

%% @doc Some rows of a cursor.
-spec rows([[term()]]) -> map().
rows(Rows) ->
    struct(fetch, [], Rows, length(Rows)).

struct(Command, Columns, Rows, Count) ->
    #{'__struct__' => 'Elixir.Exqlite.Result', command => Command, columns => Columns,
      rows => Rows, num_rows => Count}.

%% @doc The exception for an error of the C node, or for one on the way to it. Ecto reads
%% constraints out of SQLite's message, so that it stays as it is; "Database busy" is Exqlite's word
%% and what callers look for who try again.
-spec error(term(), {node(), iodata() | nil}) -> failure().
error(#{code := no_transaction, message := Message}, {Node, _}) ->
    {disconnect, connection_error([atom_to_binary(Node), ": ", Message])};
error(#{message := Message}, {_, Statement}) ->
    {error, exqlite_error(Message, Statement)};
error({unsupported, Message}, {_, Statement}) ->
    {error, exqlite_error(Message, Statement)};
error(busy, {_, Statement}) ->
    {error, exqlite_error(<<"Database busy">>, Statement)};
error({unknown_repo, Repo}, {Node, _}) ->
    {error, connection_error([atom_to_binary(Node), " does not serve ",
                              ecto_litefs_elixir:inspect(Repo)])};
error({expired, #{code := _} = Reason}, Where) ->
    error(Reason, Where);
error(no_cnode, Where) ->
    error({not_written, no_cnode}, Where);
error({Kind, Why} = Reason, {Node, _}) when Kind =:= not_written; Kind =:= expired ->
    {disconnect, connection_error([not_written(Why, Node), "; nothing was written"], Reason)};
error({unknown, Message} = Reason, {Node, _}) ->
    {disconnect, connection_error(["the outcome is unknown, ", atom_to_binary(Node),
                                   " may or may not have committed: ", Message], Reason)};
error({erpc, Reason}, {Node, _}) ->
    {disconnect, connection_error(["no answer from ", atom_to_binary(Node), " (",
                                   ecto_litefs_elixir:inspect(Reason), "): what it was asked for "
                                   "may or may not have been done"], {erpc, Reason, Node})}.

not_written({not_primary, nil}, nil) ->
    "no primary is known";
not_written({not_primary, nil}, Node) ->
    [atom_to_binary(Node), " is not the primary"];
not_written({not_primary, Primary}, Node) ->
    [atom_to_binary(Node), " is not the primary, that is ", atom_to_binary(Primary)];
not_written(primary_here, _) ->
    "this node is the primary, which has its own Repo";
not_written(no_cnode, Node) ->
    ["the primary ", atom_to_binary(Node), " is no C node"];
not_written({Kind, Why}, Node) when Kind =:= erpc; Kind =:= unknown ->
    ["no answer from ", atom_to_binary(Node), " (", ecto_litefs_elixir:inspect(Why), ")"].

exqlite_error(Message, Statement) ->
    #{'__struct__' => 'Elixir.Exqlite.Error', '__exception__' => true, message => Message,
      statement => Statement}.

-spec connection_error(unicode:chardata()) -> ecto_litefs_elixir:exception().
connection_error(Message) ->
    connection_error(Message, error).

%% @doc With the reason, by which ecto_litefs_forward knows it again.
-spec connection_error(unicode:chardata(), term()) -> ecto_litefs_elixir:exception().
connection_error(Message, Reason) ->
    #{'__struct__' => ?CONNECTION_ERROR, '__exception__' => true, severity => error,
      message => unicode:characters_to_binary(Message), reason => Reason}.
