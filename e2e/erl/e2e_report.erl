%% What a run says: a line of TAP a check, a table of the faults, what did not run.
-module(e2e_report).

%% API
-export([start/0]).
-export([check/2]).
-export([skip/2]).
-export([note/1]).
-export([row/4]).
-export([finish/0]).

-define(FORMAT, "    ~-20ts ~7ts ~8ts ~14ts ~6ts ~10ts ~12ts~n").

-spec start() -> ok.
start() ->
    ?MODULE = ets:new(?MODULE, [named_table, public, ordered_set]),
    ok.

%% @doc Runs a check; its result is a remark. If it throws {skip, Why} it could not run; what else it raises is why it
%% failed.
-spec check(string(), fun(() -> iodata())) -> ok.
check(Title, Fun) ->
    try Fun() of
        Remark ->
            io:format("ok - ~ts~n    ~ts~n", [Title, Remark])
    catch
        throw:{skip, Why} ->
            skip(Title, Why);
        Class:Reason:Stack ->
            add(failed, Title),
            io:format("not ok - ~ts~n", [Title]),
            Text = io_lib:format("~p: ~tp~n~tp", [Class, Reason, Stack]),
            [io:format("    ~ts~n", [Line]) || Line <- string:split(Text, "\n", all)],
            ok
    end.

%% @doc A part that could not run.
-spec skip(string(), string()) -> ok.
skip(Title, Why) ->
    add(note, [Title, ": ", Why]),
    io:format("ok - ~ts # SKIP ~ts~n", [Title, Why]).

%% @doc For the end: what a reader must know.
-spec note(iodata()) -> ok.
note(Text) ->
    add(note, Text).

%% @doc A fault's line of the table.
-spec row(atom(), e2e_invariant:report(), #{all := integer(), one := integer()}, boolean()) -> ok.
row(Id, #{acked := Acked, refused := Refused, unknown := Unknown, unknown_there := There, lost := Lost},
    #{all := All, one := One}, Sound) ->
    add(row, [atom_to_list(Id), integer_to_list(Acked), integer_to_list(Refused),
              io_lib:format("~b (~b)", [Unknown, There]),
              integer_to_list(length(Lost)) ++ case Sound of true -> ""; false -> "!" end, seconds(All), seconds(One)]).

%% @doc Prints the table and the notes. True if every check passed.
-spec finish() -> boolean().
finish() ->
    io:format("~n" ?FORMAT, ["fault", "acked", "refused", "unknown(there)", "lost", "stop", "one writer"]),
    [io:format(?FORMAT, Row) || Row <- all(row)],
    io:format("~n    stop: the longest time in which nobody's write was acknowledged; one writer: in which that of one~n"
              "    writer was not. lost: acknowledged at the level local, and gone with the primary.~n"),
    case all(note) of
        [] -> ok;
        Notes -> io:format("~n    What did not run, or not as meant:~n"), [io:format("    * ~ts~n", [N]) || N <- Notes]
    end,
    all(failed) =:= [].

-spec seconds(integer()) -> string().
seconds(Us) ->
    lists:flatten(io_lib:format("~.2f s", [Us / 1.0e6])).

-spec add(note | row | failed, term()) -> ok.
add(Kind, Value) ->
    true = ets:insert(?MODULE, {{Kind, erlang:unique_integer([monotonic])}, Value}),
    ok.

-spec all(note | row | failed) -> [term()].
all(Kind) ->
    [V || [V] <- ets:match(?MODULE, {{Kind, '_'}, '$1'})].
