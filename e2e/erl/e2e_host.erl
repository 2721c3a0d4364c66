%% One host as the control node sees it. What is on it is asked of LiteFS and of SQLite's own shell, never of the programs
%% under test; what the application believes is asked of the application.
-module(e2e_host).

%% API
-export([all/0]).
-export([address/1]).
-export([app/1]).
-export([cnode/1]).
-export([folder/1]).
-export([litefs_role/1]).
-export([position/1]).
-export([contents/1]).
-export([hold/1]).
-export([let_go/1]).
-export([app_state/1]).
-export([call/4]).
-export([journal/2]).
-export([programs/1]).

-type id() :: 1..3.
-export_type([id/0]).

-define(CALL_MS, 10000).
-define(HOLD_MS, 10000).

-spec all() -> [id()].
all() -> [1, 2, 3].

-spec address(id()) -> string().
address(Host) -> lists:concat(["10.77.", os:getenv("E2E_RUN"), ".", Host]).

-spec app(id()) -> node().
app(Host) -> list_to_atom("app@" ++ address(Host)).

-spec cnode(id()) -> node().
cnode(Host) -> list_to_atom("litefs@" ++ address(Host)).

-spec folder(id()) -> file:filename_all().
folder(Host) -> filename:join(os:getenv("E2E_DIR"), "h" ++ integer_to_list(Host)).

%% @doc Where a writer of that name keeps its journal.
-spec journal(binary(), binary()) -> file:filename_all().
journal(Tag, Name) -> filename:join([os:getenv("E2E_DIR"), "journal", Tag, Name]).

%% @doc What LiteFS says of itself.
-spec litefs_role(id()) -> primary | {replica, Of :: binary()} | none.
litefs_role(Host) ->
    case e2e_ctl:run("curl", ["-s", "-m", "2", ["http://", address(Host), ":20202/info"]]) of
        {0, Json} ->
            Primary = match(Json, "\"isPrimary\":\\s*true") =/= none,
            case {Primary, match(Json, "\"hostname\":\\s*\"([^\"]*)\"")} of
                {true, _} -> primary;
                {false, [Of]} -> {replica, Of};
                {false, none} -> none
            end;
        _ ->
            none
    end.

-spec match(binary(), string()) -> [binary()] | none.
match(Text, Pattern) ->
    case re:run(Text, Pattern, [{capture, all_but_first, binary}]) of
        {match, Found} -> Found;
        nomatch -> none
    end.

%% @doc LiteFS's position of the database. A dead mount may not answer: another program asks.
-spec position(id()) -> {ok, binary()} | error.
position(Host) ->
    case e2e_ctl:run("timeout", ["5", "cat", filename:join([folder(Host), "mnt", "app.db-pos"])]) of
        {0, Position} -> {ok, Position};
        _ -> error
    end.

%% @doc All that is on the host, read by SQLite's shell through LiteFS.
-spec contents(id()) -> e2e_invariant:host().
contents(Host) ->
    {ok, Position} = position(Host),
    #{rows => [begin
                   [Id, Key] = binary:split(Line, <<"|">>),
                   {binary_to_integer(Id), Key}
               end || Line <- sqlite(Host, "SELECT id, key FROM rows")],
      integrity => iolist_to_binary(lists:join($\s, sqlite(Host, "PRAGMA integrity_check"))),
      position => Position}.

-spec sqlite(id(), string()) -> [binary()].
sqlite(Host, Sql) ->
    {0, Output} = e2e_ctl:run("timeout", ["60", "sqlite3", "-cmd", ".timeout 10000", database(Host), Sql]),
    [Line || Line <- binary:split(Output, <<"\n">>, [global]), Line =/= <<>>].

-spec database(id()) -> file:filename_all().
database(Host) -> filename:join([folder(Host), "mnt", "app.db"]).

%% @doc Begins to read in SQLite's shell, and does not end. The shell ends with its standard input: with the port, and so
%% with the control node, too.
-spec hold(id()) -> port().
hold(Host) ->
    Shell = open_port({spawn_executable, os:find_executable("sqlite3")},
                      [{args, ["-batch", "-cmd", ".timeout 10000", database(Host)]}, binary, {line, 80}, exit_status]),
    true = port_command(Shell, "BEGIN;\nSELECT 'rows', count(*) FROM rows;\n"),
    receive {Shell, {data, {eol, <<"rows|", _/binary>>}}} -> Shell after ?HOLD_MS -> error({no_reader, Host}) end.

-spec let_go(port()) -> ok.
let_go(Shell) ->
    true = port_close(Shell),
    ok.

-spec app_state(id()) -> e2e_app:state().
app_state(Host) ->
    call(Host, e2e_app, state, []).

%% @doc The process ids of the host's programs; 0 for one that has ended.
-spec programs(id()) -> #{litefs | cnode | beam => non_neg_integer()}.
programs(Host) ->
    {0, Output} = e2e_ctl:try_do(host_ids, [Host]),
    maps:from_list(lists:zip([litefs, cnode, beam], [binary_to_integer(L) || L <- binary:split(Output, <<"\n">>, [global]),
                                                                             L =/= <<>>])).

%% @doc On the host's application node.
-spec call(id(), module(), atom(), [term()]) -> term().
call(Host, Module, Function, Args) ->
    erpc:call(app(Host), Module, Function, Args, ?CALL_MS).
