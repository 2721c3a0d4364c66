%% @doc A DBConnection whose "connection" is the C node on the primary.
%%
%% There is no socket: the distribution has one. A connection of the pool is a place for one caller,
%% and is always connected. Each request goes to the node which is the primary then. The callbacks
%% run in the caller's process, so that the C node sees that process begin the transaction, monitors
%% it, and rolls back when it dies.
%%
%%    request                    without an answer, or refused since the node is not the primary
%%    a statement by itself      has a key, and follows the primary (ecto_litefs_follow)
%%    begin                      follows the primary: nothing has been written
%%    in a transaction           is never sent again: the transaction is rolled back
%%    commit                     is never sent again: the primary of then is asked what became of it
%%    rollback                   is never sent again: whatever has happened, nothing is written
-module(ecto_litefs_connection).

%% DBConnection
-export([connect/1]).
-export([disconnect/2]).
-export([checkout/1]).
-export([ping/1]).
-export([handle_status/2]).
-export([handle_begin/2]).
-export([handle_commit/2]).
-export([handle_rollback/2]).
-export([handle_prepare/3]).
-export([handle_execute/4]).
-export([handle_close/3]).
-export([handle_declare/4]).
-export([handle_fetch/4]).
-export([handle_deallocate/4]).

-record(state, {
    repo :: module(),
    tx = none :: none | ecto_litefs_request:tx(),
    cursors = #{} :: #{reference() => [[term()]]}    % what is left of each
}).

-type options() :: [{atom(), term()}].
-type query() :: #{'__struct__' := 'Elixir.Exqlite.Query', statement := iodata(),
                   command := ecto_litefs_exqlite:command(), _ => _}.
-type exception() :: ecto_litefs_elixir:exception().
-type failed() :: {error | disconnect, exception(), #state{}}.

-define(CHUNK, 50).
-define(SAVEPOINT, "ecto_litefs_savepoint").

-spec connect(options()) -> {ok, #state{}}.
connect(Options) ->
    {repo, Repo} = lists:keyfind(repo, 1, Options),
    {ok, #state{repo = Repo}}.

-spec disconnect(exception(), #state{}) -> ok.
disconnect(_, _) ->
    ok.

-spec checkout(#state{}) -> {ok, #state{}}.
checkout(State) ->
    {ok, State}.

-spec ping(#state{}) -> {ok, #state{}}.
ping(State) ->
    {ok, State}.

-spec handle_status(options(), #state{}) -> {idle | transaction, #state{}}.
handle_status(_, #state{tx = none} = State) -> {idle, State};
handle_status(_, State) -> {transaction, State}.

%% Transactions. As with Exqlite: inside one, begin makes a savepoint whatever the mode.

-spec handle_begin(options(), #state{}) -> {ok, map(), #state{}} | {idle, #state{}} | failed().
handle_begin(Options, #state{tx = none} = State) ->
    case ecto_litefs_request:option(mode, Options, deferred) of
        savepoint -> {idle, State};
        _ -> start(Options, State)
    end;
handle_begin(Options, State) ->
    control('begin', ["SAVEPOINT " ?SAVEPOINT], Options, State).

start(Options, #state{repo = Repo} = State) ->
    case ecto_litefs_request:'begin'(Repo, Options) of
        {ok, Tx} -> {ok, ecto_litefs_exqlite:done('begin'), State#state{tx = Tx}};
        {error, Reason, Node} -> fail(Reason, Node, nil, State)
    end.

-spec handle_commit(options(), #state{}) -> {ok, map(), #state{}} | {idle, #state{}} | failed().
handle_commit(_, #state{tx = none} = State) ->
    {idle, State};
handle_commit(Options, #state{repo = Repo, tx = Tx} = State) ->
    case ecto_litefs_request:option(mode, Options, deferred) of
        savepoint ->
            control(commit_savepoint, ["RELEASE SAVEPOINT " ?SAVEPOINT], Options, State);
        _ ->
            Ended = State#state{tx = none},
            case ecto_litefs_request:commit(Repo, Tx, Options) of
                ok -> {ok, ecto_litefs_exqlite:done(commit), Ended};
                %% Whatever the reason: there is no transaction any more.
                {error, Reason, Node} -> disconnect(fail(Reason, Node, <<"COMMIT">>, Ended))
            end
    end.

disconnect({_, Exception, State}) ->
    {disconnect, Exception, State}.

-spec handle_rollback(options(), #state{}) -> {ok, map(), #state{}} | {idle, #state{}} | failed().
handle_rollback(_, #state{tx = none} = State) ->
    {idle, State};
handle_rollback(Options, #state{repo = Repo, tx = Tx} = State) ->
    case ecto_litefs_request:option(mode, Options, deferred) of
        savepoint ->
            control(rollback_savepoint, ["ROLLBACK TO SAVEPOINT " ?SAVEPOINT,
                                         "RELEASE SAVEPOINT " ?SAVEPOINT], Options, State);
        _ ->
            ok = ecto_litefs_request:rollback(Repo, Tx, Options),
            {ok, ecto_litefs_exqlite:done(rollback), State#state{tx = none}}
    end.

control(Command, [], _, State) ->
    {ok, ecto_litefs_exqlite:done(Command), State};
control(Command, [Statement | Rest], Options, State) ->
    case request(list_to_binary(Statement), [], Options, State) of
        {ok, _} -> control(Command, Rest, Options, State);
        Failed -> disconnect(Failed)
    end.

%% Queries

-spec handle_prepare(query(), options(), #state{}) -> {ok, query(), #state{}}.
handle_prepare(Query, Options, State) ->
    {ok, command(Query, Options), State}.

-spec handle_execute(query(), term(), options(), #state{}) ->
          {ok, query(), map(), #state{}} | failed().
handle_execute(Query, Params, Options, State) ->
    #{statement := Statement, command := Command} = Query1 = command(Query, Options),
    case request(Statement, Params, Options, State) of
        {ok, Result} -> {ok, Query1, ecto_litefs_exqlite:result(Command, Result), State};
        Failed -> Failed
    end.

command(Query, Options) ->
    case ecto_litefs_request:option(command, Options, nil) of
        nil -> Query;
        Command -> Query#{command := Command}
    end.

-spec handle_close(query(), options(), #state{}) -> {ok, nil, #state{}}.
handle_close(_, _, State) ->
    {ok, nil, State}.

%% A cursor has all its rows from the start: the C node's reply is one.

-spec handle_declare(query(), term(), options(), #state{}) ->
          {ok, query(), reference(), #state{}} | failed().
handle_declare(#{statement := Statement} = Query, Params, Options, State) ->
    case request(Statement, Params, Options, State) of
        {ok, #{rows := Rows}} ->
            Cursor = make_ref(),
            Left = case Rows of nil -> []; _ -> Rows end,
            #state{cursors = Cursors} = State,
            {ok, Query, Cursor, State#state{cursors = Cursors#{Cursor => Left}}};
        {_, _, _} = Failed ->
            Failed
    end.

-spec handle_fetch(query(), reference(), options(), #state{}) -> {cont | halt, map(), #state{}}.
handle_fetch(_, Cursor, Options, #state{cursors = Cursors} = State) ->
    Size = ecto_litefs_request:option(chunk_size, Options, ecto_litefs_request:option(max_rows, Options, ?CHUNK)),
    #{Cursor := Rows} = Cursors,
    case length(Rows) =< Size of
        true ->
            {halt, ecto_litefs_exqlite:rows(Rows), State#state{cursors = Cursors#{Cursor := []}}};
        false ->
            {Now, Later} = lists:split(Size, Rows),
            {cont, ecto_litefs_exqlite:rows(Now), State#state{cursors = Cursors#{Cursor := Later}}}
    end.

-spec handle_deallocate(query(), reference(), options(), #state{}) -> {ok, nil, #state{}}.
handle_deallocate(_, Cursor, _, #state{cursors = Cursors} = State) ->
    {ok, nil, State#state{cursors = maps:remove(Cursor, Cursors)}}.

%% Requests

%% One statement, one round trip.
request(Statement, Params, Options, State) ->
    Sql = iolist_to_binary(Statement),
    Extensions = application:get_env(exqlite, type_extensions, nil),
    case ecto_litefs_exqlite:params(Params, Extensions) of
        {ok, Sent} ->
            case ecto_litefs_request:query(State#state.repo, State#state.tx, {Sql, Sent}, Options) of
                {ok, Result} -> {ok, Result};
                {error, Reason, Node} -> fail(Reason, Node, Sql, State)
            end;
        {error, Message} ->
            fail(#{message => Message}, nil, Sql, State)
    end.

fail(Reason, Node, Statement, State) ->
    {Then, Exception} = ecto_litefs_exqlite:error(Reason, {Node, Statement}),
    ended_with(Then, Exception, State).

%% A connection is as good as before. But the pool will not speak to us about this transaction
%% again, and the C node holds the writer for it: it shall not wait for a deadline.
ended_with(disconnect, Exception, #state{repo = Repo, tx = Tx} = State) when Tx =/= none ->
    ok = ecto_litefs_request:abandon(Repo, Tx),
    {disconnect, Exception, State#state{tx = none}};
ended_with(_, Exception, State) ->
    {error, Exception, State}.
