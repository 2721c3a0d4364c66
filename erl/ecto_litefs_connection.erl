%% @doc A DBConnection whose "connection" is the C node on the primary.
%%
%% There is no socket: the distribution has one. A connection of the pool is a place for one caller,
%% and each request goes to the node which is the primary then; a transaction stays with the node
%% where it began. The callbacks run in the caller's process, so that the C node sees that process
%% begin the transaction, monitors it, and rolls back when it dies.
%%
%%    what happened                              what the pool does
%%    SQLite's errors, busy                      nothing: the caller gets the error
%%    no answer, not the primary, outcome        disconnects; connect/1 asks the primary of then, and
%%    unknown, the transaction has ended         until it answers the pool tries again with back-off
%%
%% Nothing is sent twice.
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
    tx = none :: none | {node(), Token :: term()},
    cursors = #{} :: #{reference() => [[term()]]}    % what is left of each
}).

-type options() :: [{atom(), term()}].
-type query() :: #{'__struct__' := 'Elixir.Exqlite.Query', statement := iodata(),
                   command := ecto_litefs_exqlite:command(), _ => _}.
-type exception() :: ecto_litefs_elixir:exception().
-type failed() :: {error | disconnect, exception(), #state{}}.

-define(TIMEOUT_MS, 15000).
%% So much longer than the C node's own deadline do we wait, to hear from it what became of it.
-define(GRACE_MS, 500).
%% A node that hangs must not keep a connection from the one that takes its place.
-define(CONNECT_MS, 1000).
-define(CHUNK, 50).
-define(SAVEPOINT, "ecto_litefs_savepoint").

%% @doc Asks a C node that is the primary whether it serves; without one the connection waits for
%% its first use.
-spec connect(options()) -> {ok, #state{}} | {error, exception()}.
connect(Options) ->
    {repo, Repo} = lists:keyfind(repo, 1, Options),
    case ecto_litefs_forward:target(Repo) of
        {ok, Node} ->
            case call(Node, 'is_primary?', [Repo], ?CONNECT_MS) of
                true ->
                    {ok, #state{repo = Repo}};
                Answer ->
                    {_, Exception} = ecto_litefs_exqlite:error(refusal(Answer), {Node, nil}),
                    {error, Exception}
            end;
        {error, _} ->
            {ok, #state{repo = Repo}}
    end.

refusal(false) -> {not_primary, nil};
refusal({error, Reason}) -> Reason.

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
handle_begin(Options, #state{repo = Repo, tx = none} = State) ->
    case {option(mode, Options, deferred), ecto_litefs_forward:target(Repo)} of
        {savepoint, _} ->
            {idle, State};
        {_, {ok, Node}} ->
            case call(Node, 'begin', [Repo, deadlines(Options)], patience(Options)) of
                {ok, Token} ->
                    {ok, ecto_litefs_exqlite:done('begin'), State#state{tx = {Node, Token}}};
                {error, Reason} ->
                    fail(Reason, Node, nil, State)
            end;
        {_, {error, Message}} ->
            {error, ecto_litefs_exqlite:connection_error(Message), State}
    end;
handle_begin(Options, State) ->
    control('begin', ["SAVEPOINT " ?SAVEPOINT], Options, State).

%% The pool takes the connection away after the timeout, so that the transaction need not live
%% longer.
deadlines(Options) ->
    Total = option(total_timeout, Options, option(timeout, Options, ?TIMEOUT_MS)),
    case option(idle_timeout, Options, none) of
        none -> #{total_timeout => Total};
        Idle -> #{total_timeout => Total, idle_timeout => Idle}
    end.

-spec handle_commit(options(), #state{}) -> {ok, map(), #state{}} | {idle, #state{}} | failed().
handle_commit(_, #state{tx = none} = State) ->
    {idle, State};
handle_commit(Options, #state{repo = Repo, tx = {Node, Token}} = State) ->
    case option(mode, Options, deferred) of
        savepoint ->
            control(commit_savepoint, ["RELEASE SAVEPOINT " ?SAVEPOINT], Options, State);
        _ ->
            Ended = State#state{tx = none},
            case call(Node, commit, [Repo, Token], patience(Options)) of
                {ok, _} -> {ok, ecto_litefs_exqlite:done(commit), Ended};
                %% Whatever the reason: there is no transaction any more.
                {error, Reason} -> disconnect(fail(Reason, Node, <<"COMMIT">>, Ended))
            end
    end.

disconnect({_, Exception, State}) ->
    {disconnect, Exception, State}.

-spec handle_rollback(options(), #state{}) -> {ok, map(), #state{}} | {idle, #state{}} | failed().
handle_rollback(_, #state{tx = none} = State) ->
    {idle, State};
handle_rollback(Options, #state{repo = Repo, tx = {Node, Token}} = State) ->
    case option(mode, Options, deferred) of
        savepoint ->
            control(rollback_savepoint, ["ROLLBACK TO SAVEPOINT " ?SAVEPOINT,
                                         "RELEASE SAVEPOINT " ?SAVEPOINT], Options, State);
        _ ->
            Ended = State#state{tx = none},
            case call(Node, rollback, [Repo, Token], patience(Options)) of
                ok -> {ok, ecto_litefs_exqlite:done(rollback), Ended};
                %% It was rolled back before we said so.
                {error, #{code := no_transaction}} ->
                    {ok, ecto_litefs_exqlite:done(rollback), Ended};
                {error, Reason} -> fail(Reason, Node, <<"ROLLBACK">>, Ended)
            end
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
    case option(command, Options, nil) of
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
    Size = option(chunk_size, Options, option(max_rows, Options, ?CHUNK)),
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
    case {ecto_litefs_exqlite:params(Params, Extensions), where(State)} of
        {{ok, Sent}, {ok, Node, Transaction}} ->
            Args = [State#state.repo, Sql, Sent, limit(Options, Transaction)],
            case call(Node, query, Args, patience(Options)) of
                {ok, Result} -> {ok, Result};
                {error, Reason} -> fail(Reason, Node, Sql, State)
            end;
        {{error, Message}, _} ->
            fail(#{message => Message}, nil, Sql, State);
        {_, {error, Message}} ->
            {error, ecto_litefs_exqlite:connection_error(Message), State}
    end.

where(#state{repo = Repo, tx = none}) ->
    case ecto_litefs_forward:target(Repo) of
        {ok, Node} -> {ok, Node, #{}};
        Error -> Error
    end;
where(#state{tx = {Node, Token}}) ->
    {ok, Node, #{tx => Token}}.

limit(Options, Transaction) ->
    Transaction#{timeout => option(timeout, Options, ?TIMEOUT_MS)}.

patience(Options) ->
    case option(timeout, Options, ?TIMEOUT_MS) of
        infinity -> infinity;
        Timeout -> Timeout + ?GRACE_MS
    end.

fail(Reason, Node, Statement, State) ->
    {Then, Exception} = ecto_litefs_exqlite:error(Reason, {Node, Statement}),
    {Then, Exception, abandon(Then, State)}.

%% The pool will not speak to us about this transaction again, but the C node holds the writer for
%% it: it shall not wait for a deadline.
abandon(disconnect, #state{repo = Repo, tx = {Node, Token}} = State) ->
    ok = erpc:cast(Node, ecto_litefs, rollback, [Repo, Token]),
    State#state{tx = none};
abandon(_, State) ->
    State.

call(Node, Function, Args, Timeout) ->
    try
        erpc:call(Node, ecto_litefs, Function, Args, Timeout)
    catch
        error:{erpc, Reason} ->
            {error, {erpc, Reason}};
        %% Another version of the C node.
        error:{exception, Reason, _} ->
            Text = io_lib:format("~ts does not take ecto_litefs:~ts/~b: ~0tp",
                                 [Node, Function, length(Args), Reason]),
            {error, {unsupported, unicode:characters_to_binary(Text)}}
    end.

option(Key, Options, Default) ->
    case lists:keyfind(Key, 1, Options) of
        {Key, nil} -> Default;
        {Key, Value} -> Value;
        false -> Default
    end.
