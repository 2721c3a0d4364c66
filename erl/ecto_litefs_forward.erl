%% @doc Ways to the primary: what kind of node it is, and what a failure on the way is called.
-module(ecto_litefs_forward).

%% API
-export([target/1]).
-export([way/2]).
-export([attempt/2]).

-type error() :: primary_unavailable | {erpc, Reason :: term(), node()}.
-export_type([error/0]).

-define(CONNECTION_ERROR, 'Elixir.DBConnection.ConnectionError').

%% @doc The C node that is the primary now, else why there is none.
-spec target(module()) -> {ok, node()} | {error, binary()}.
target(Repo) ->
    case ecto_litefs_api:get_primary(Repo) of
        {ok, Node} when Node =:= node() ->
            {error, <<"this node is the primary, which has its own Repo">>};
        {ok, Node} when Node =/= nil ->
            try kind(Repo, Node) of
                cnode -> {ok, Node};
                beam -> {error, <<"the primary ", (atom_to_binary(Node))/binary, " is no C node">>}
            catch
                error:{erpc, Reason} ->
                    {error, iolist_to_binary(["no answer from the primary ", atom_to_binary(Node),
                                              " (", ecto_litefs_elixir:inspect(Reason), ")"])}
            end;
        _ ->
            {error, <<"no primary is known">>}
    end.

%% @doc How to write there: through the remote repo, or with a closure or a call that a BEAM node
%% runs. Raises `{erpc, Reason}' if the node cannot be asked what it is.
-spec way(module(), node()) -> remote | beam.
way(Repo, Node) ->
    case ecto_litefs_remote:running(Repo) andalso kind(Repo, Node) of
        cnode -> remote;
        _ -> beam
    end.

%% Asked once: the tracker forgets it when the node disconnects.
kind(Repo, Node) ->
    case ecto_litefs_cache:kind(Repo, Node) of
        {ok, Kind} ->
            Kind;
        none ->
            Kind = ask(Node, ecto_litefs_api:get_erpc_timeout(Repo)),
            ok = ecto_litefs_cache:keep_kind(Repo, Node, Kind),
            Kind
    end.

%% `ecto_litefs' is no module of the Erlang application.
ask(Node, Timeout) ->
    try erpc:call(Node, ecto_litefs, info, [], Timeout) of
        #{repos := _} -> cnode;
        _ -> beam
    catch
        error:{exception, _, _} -> beam
    end.

%% @doc Calls the fun. A failure on the way to the node is the error that the middleware documents;
%% all else is raised as it is.
-spec attempt(node(), fun(() -> Result)) -> {ok, Result} | {error, error()}.
attempt(Node, Fun) ->
    try
        {ok, Fun()}
    catch
        error:{erpc, Reason} ->
            {error, {erpc, Reason, Node}};
        error:#{'__struct__' := ?CONNECTION_ERROR, reason := {erpc, _, _} = Reason} ->
            {error, Reason};
        error:#{'__struct__' := ?CONNECTION_ERROR, reason := {not_primary, _}} ->
            {error, primary_unavailable}
    end.
