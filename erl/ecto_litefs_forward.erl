%% @doc Ways to the primary: what kind of node it is, and what a failure on the way is called.
-module(ecto_litefs_forward).

%% API
-export([way/3]).
-export([call/2]).
-export([attempt/1]).

-type error() :: primary_unavailable | {erpc, Reason :: term(), node()}.
-export_type([error/0]).

-define(CONNECTION_ERROR, 'Elixir.DBConnection.ConnectionError').
-define(SLICE_MS, 20).

%% @doc How to write there: through the remote repo, or with a closure or a call that a BEAM node
%% runs. `silent': it does not say what it is, until the deadline or there is another primary.
-spec way(module(), node(), ecto_litefs_attempt:deadline()) -> remote | beam | silent.
way(Repo, Node, Deadline) ->
    case ecto_litefs_remote:running(Repo) andalso kind(Repo, Node, Deadline) of
        cnode -> remote;
        silent -> silent;
        _ -> beam
    end.

%% Asked once: the tracker forgets it when the node disconnects.
kind(Repo, Node, Deadline) ->
    case ecto_litefs_cache:kind(Repo, Node) of
        {ok, Kind} ->
            Kind;
        none ->
            Still = fun() -> not ecto_litefs_follow:moved(Repo, Node) end,
            keep(Repo, Node, ecto_litefs_attempt:call(Node, info, [], #{until => Deadline,
                                                      slice => ?SLICE_MS, still => Still}))
    end.

%% A node that cannot be connected to was set by hand: as in EctoLiteFS, the call itself (or what a test
%% has put in its place) tells what is the matter with it.
keep(Repo, Node, {error, {erpc, noconnection}}) ->
    case ecto_litefs_cache:view(Repo) of
        {ok, View, _} ->
            case ecto_litefs_decision:is_given(Node, View) of
                true -> beam;
                false -> silent
            end;
        none ->
            silent
    end;
keep(_, _, {error, {erpc, _}}) ->
    silent;
keep(Repo, Node, Answer) ->
    Kind = case Answer of
        #{repos := _} -> cnode;
        %% `ecto_litefs' is no module of the Erlang application.
        _ -> beam
    end,
    ok = ecto_litefs_cache:keep_kind(Repo, Node, Kind),
    Kind.

%% @doc Calls the fun, which is a call of `erpc' and nothing else. A failure on the way to the node is
%% the error that the middleware documents; all else is raised as it is.
-spec call(node(), fun(() -> Result)) -> {ok, Result} | {error, error()}.
call(Node, Fun) ->
    try
        {ok, Fun()}
    catch
        error:{erpc, Reason} -> {error, {erpc, Reason, Node}}
    end.

%% @doc Calls the fun, which uses the remote repo. `again': it may be tried again, since nothing was
%% written and there is time. What else it raises is raised as it is, its own failures of `erpc' too.
-spec attempt(fun(() -> Result)) -> {ok, Result} | {error | again, error()}.
attempt(Fun) ->
    try
        {ok, Fun()}
    catch
        error:#{'__struct__' := ?CONNECTION_ERROR, reason := {erpc, _, _} = Reason} ->
            {error, Reason};
        error:#{'__struct__' := ?CONNECTION_ERROR, reason := {not_written, _}} ->
            {again, primary_unavailable};
        error:#{'__struct__' := ?CONNECTION_ERROR, reason := {expired, _}} ->
            {error, primary_unavailable}
    end.
