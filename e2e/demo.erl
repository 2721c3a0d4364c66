%% The BEAM side of demo.sh: several processes forward INSERTs to the C node by erpc:call. Prints what they
%% measured and writes one line "id|name" for every acknowledged row.
-module(demo).

%% API
-export([main/1]).

-type ack() :: {Id :: integer(), Name :: binary(), Microseconds :: number()}.

-define(REPO, 'Elixir.Demo.Repo').
-define(TIMEOUT, 30000).

%% Arguments of `erl -run`: the C node's name, how many writes, how many processes, the file to write.
-spec main([string()]) -> no_return().
main([NodeText, WritesText, CallersText, File]) ->
    Node = list_to_atom(NodeText),
    Writes = list_to_integer(WritesText),
    Callers = list_to_integer(CallersText),
    ok = create_table(Node),
    {Microseconds, Acks} = timer:tc(fun() -> write_all(Node, Writes, Callers) end),
    ok = file:write_file(File, [io_lib:format("~b|~s~n", [Id, Name])
                                || {Id, Name, _} <- lists:sort(Acks)]),
    report(Callers, Acks, Microseconds),
    halt(0).

-spec create_table(node()) -> ok.
create_table(Node) ->
    {ok, _} = query(Node, <<"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                            "email TEXT UNIQUE, inserted_at TEXT, updated_at TEXT)">>, []),
    ok.

-spec write_all(node(), pos_integer(), pos_integer()) -> [ack()].
write_all(Node, Writes, Callers) ->
    Workers = [spawn_monitor(fun() -> exit({done, [write(Node, N)
                                                   || N <- lists:seq(First, Writes, Callers)]}) end)
               || First <- lists:seq(1, Callers)],
    lists:append([receive
                      {'DOWN', Ref, process, Pid, {done, Acks}} -> Acks;
                      {'DOWN', Ref, process, Pid, Reason} -> fail(Reason)
                  end || {Pid, Ref} <- Workers]).

%% The row's id comes from the database (RETURNING), so an acknowledgement is more than an `ok`.
-spec write(node(), pos_integer()) -> ack().
write(Node, N) ->
    Name = iolist_to_binary(["user ", integer_to_list(N)]),
    Email = iolist_to_binary(["user", integer_to_list(N), "@example.com"]),
    Now = <<"2026-01-31T12:00:00">>,
    Started = erlang:monotonic_time(),
    {ok, #{rows := [[Id]]}} =
        query(Node, <<"INSERT INTO users (name, email, inserted_at, updated_at) "
                      "VALUES (?1, ?2, ?3, ?4) RETURNING id">>, [Name, Email, Now, Now]),
    Took = erlang:monotonic_time() - Started,
    {Id, Name, erlang:convert_time_unit(Took, native, nanosecond) / 1000}.

-spec query(node(), binary(), [term()]) -> {ok, map()} | {error, term()}.
query(Node, Sql, Params) ->
    erpc:call(Node, ecto_litefs, query, [?REPO, Sql, Params], ?TIMEOUT).

-spec report(pos_integer(), [ack()], pos_integer()) -> ok.
report(Callers, Acks, Microseconds) ->
    Latencies = lists:sort([Latency || {_, _, Latency} <- Acks]),
    line("calling processes", "~b", [Callers]),
    line("rows acknowledged", "~b", [length(Acks)]),
    line("latency p50", "~.2f ms", [percentile(50, Latencies) / 1000]),
    line("latency p99", "~.2f ms", [percentile(99, Latencies) / 1000]),
    line("writes/s", "~b", [round(length(Acks) * 1.0e6 / Microseconds)]).

-spec line(string(), string(), [term()]) -> ok.
line(Label, Format, Args) ->
    io:format("~-22s " ++ Format ++ "~n", [Label | Args]).

-spec percentile(1..100, [number()]) -> number().
percentile(P, Sorted) ->
    lists:nth(max(1, ceil(length(Sorted) * P / 100)), Sorted).

-spec fail(term()) -> no_return().
fail(Reason) ->
    io:format(standard_error, "demo: a caller failed: ~p~n", [Reason]),
    halt(1).
