%% One writer: unique rows, one after the other, until it is told to stop.
-module(e2e_writer).

%% API
-export([start/3]).
-export([stop/1]).
-export([attempt/3]).
-export([row/1]).

-define(REPO, 'Elixir.E2e.Repo').
-define(SCHEMA, 'Elixir.E2e.Row').
-define(INSERT, <<"INSERT INTO rows (key) VALUES (?) RETURNING id">>).
%% Between two writes, so that a run's tables stay small; and no writer turns round in a refusal.
-define(PAUSE_MS, 10).
%% A write at a level of its own is to fail while a primary that is cut off still believes in its role.
-define(ACK_MS, 500).

%% Through the Repo, at the level that its supervisor was given; or straight to the host's own C node, at the level
%% {replicas, K}.
-type how() :: repo | {cnode, K :: pos_integer()}.
-export_type([how/0]).

%% @doc Name is unique in the whole run: its rows' keys begin with it. Folder is where its journal goes.
-spec start(binary(), file:filename_all(), how()) -> pid().
start(Name, Folder, How) ->
    spawn(fun() ->
        {ok, Journal} = e2e_journal:open(filename:join(Folder, Name)),
        loop(Name, 1, Journal, How)
    end).

%% @doc Waits for the write that is under way.
-spec stop(pid()) -> ok.
stop(Pid) ->
    Monitor = monitor(process, Pid),
    Pid ! stop,
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

-spec loop(binary(), pos_integer(), file:io_device(), how()) -> ok.
loop(Name, N, Journal, How) ->
    _ = attempt(<<Name/binary, "-", (integer_to_binary(N))/binary>>, Journal, How),
    receive
        stop -> ok
    after ?PAUSE_MS ->
        loop(Name, N + 1, Journal, How)
    end.

%% @doc One row of that key, and its lines in the journal.
-spec attempt(binary(), file:io_device(), how()) -> e2e_outcome:outcome().
attempt(Key, Journal, How) ->
    ok = e2e_journal:began(Journal, Key),
    Outcome = try write(How, Key) catch Class:Reason -> e2e_outcome:of_exception(Class, Reason) end,
    ok = e2e_journal:ended(Journal, Key, Outcome),
    Outcome.

-spec write(how(), binary()) -> e2e_outcome:outcome().
write(repo, Key) ->
    e2e_outcome:of_result(?REPO:insert(row(Key)));
write({cnode, K}, Key) ->
    Options = #{ack => {replicas, K}, ack_timeout => ?ACK_MS},
    e2e_outcome:of_query(K, erpc:call(e2e_app:cnode(), ecto_litefs, query, [?REPO, ?INSERT, [Key], Options],
                                      e2e_app:erpc_timeout())).

%% @doc An Ecto struct of the table `rows'.
-spec row(binary()) -> map().
row(Key) ->
    #{'__struct__' => ?SCHEMA,
      '__meta__' => #{'__struct__' => 'Elixir.Ecto.Schema.Metadata', context => nil, prefix => nil, schema => ?SCHEMA,
                      source => <<"rows">>, state => built},
      id => nil, key => Key}.
