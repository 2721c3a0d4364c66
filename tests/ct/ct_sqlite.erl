%% The sqlite3 shell: what is in the file, seen by other code than ours.
-module(ct_sqlite).

%% API
-export([query/2]).
-export([exec/2]).
-export([count/2]).
-export([integrity/1]).
-export([lock/1]).
-export([unlock/1]).

%% Rows as lists of binaries; NULL is the empty binary.
-spec query(file:filename(), iodata()) -> [[binary()]].
query(Db, Sql) ->
    {0, Out, <<>>} = ct_os:run(shell(), ["-batch", "-noheader", "-separator", "|", Db,
                                         [".timeout 5000"], Sql]),
    [binary:split(Line, <<"|">>, [global]) || Line <- binary:split(Out, <<"\n">>, [global, trim])].

-spec exec(file:filename(), iodata()) -> ok.
exec(Db, Sql) ->
    _ = query(Db, Sql),
    ok.

-spec count(file:filename(), iodata()) -> integer().
count(Db, Table) ->
    [[N]] = query(Db, ["SELECT count(*) FROM ", Table]),
    binary_to_integer(N).

-spec integrity(file:filename()) -> ok.
integrity(Db) ->
    [[<<"ok">>]] = query(Db, "PRAGMA integrity_check"),
    ok.

%% A shell that has the lock for writing, until unlock or the end of the calling process.
-spec lock(file:filename()) -> port().
lock(Db) ->
    Port = open_port({spawn_executable, shell()},
                     [{args, ["-batch", "-noheader", Db]}, {line, 1000}, use_stdio, exit_status]),
    true = port_command(Port, ".timeout 5000\nBEGIN IMMEDIATE;\nSELECT 'locked';\n"),
    receive {Port, {data, {eol, "locked"}}} -> Port end.

-spec unlock(port()) -> ok.
unlock(Port) ->
    true = port_command(Port, ".quit\n"),
    receive {Port, {exit_status, 0}} -> ok end.

shell() ->
    os:find_executable("sqlite3").
