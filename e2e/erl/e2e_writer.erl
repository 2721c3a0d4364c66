%% One writer: unique rows, one after the other, through the Repo, until it is told to stop.
-module(e2e_writer).

%% API
-export([start/2]).
-export([stop/1]).
-export([row/1]).

-define(SCHEMA, 'Elixir.E2e.Row').
%% Between two writes, so that a run's tables stay small; and no writer turns round in a refusal.
-define(PAUSE_MS, 10).

%% @doc Name is unique in the whole run: its rows' keys begin with it. Folder is where its journal goes.
-spec start(binary(), file:filename_all()) -> pid().
start(Name, Folder) ->
    spawn(fun() ->
        {ok, Journal} = e2e_journal:open(filename:join(Folder, Name)),
        loop(Name, 1, Journal)
    end).

%% @doc Waits for the write that is under way.
-spec stop(pid()) -> ok.
stop(Pid) ->
    Monitor = monitor(process, Pid),
    Pid ! stop,
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

-spec loop(binary(), pos_integer(), file:io_device()) -> ok.
loop(Name, N, Journal) ->
    Key = <<Name/binary, "-", (integer_to_binary(N))/binary>>,
    ok = e2e_journal:began(Journal, Key),
    ok = e2e_journal:ended(Journal, Key, write(Key)),
    receive
        stop -> ok
    after ?PAUSE_MS ->
        loop(Name, N + 1, Journal)
    end.

-spec write(binary()) -> e2e_outcome:outcome().
write(Key) ->
    try
        e2e_outcome:of_result('Elixir.E2e.Repo':insert(row(Key)))
    catch
        Class:Reason -> e2e_outcome:of_exception(Class, Reason)
    end.

%% @doc An Ecto struct of the table `rows'.
-spec row(binary()) -> map().
row(Key) ->
    #{'__struct__' => ?SCHEMA,
      '__meta__' => #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => nil, schema => ?SCHEMA,
                      source => <<"rows">>, state => built},
      id => nil, key => Key}.
