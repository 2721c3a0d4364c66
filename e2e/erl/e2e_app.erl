%% The application on one host: EctoLiteFS's supervisor for a Repo, connections to the other hosts, writers on demand.
-module(e2e_app).

%% API
-export([main/1]).
-export([database/0]).
-export([cnode/0]).
-export([erpc_timeout/0]).
-export([state/0]).
-export([insert/1]).
-export([start_writers/4]).
-export([stop_writers/0]).

-type state() :: #{primary := term(), is_primary := boolean(), cnode := primary | replica | unknown | none}.
-export_type([state/0]).

-define(REPO, 'Elixir.E2e.Repo').
%% What libcluster's simplest strategies do: they try again.
-define(CONNECT_MS, 500).

%% Arguments of `erl -run': the host's number, its folder, the run's number, the time limit of a forwarded write.
-spec main([string()]) -> no_return().
main([Host, Folder, Run, Timeout]) ->
    Address = fun(N) -> lists:concat(["10.77.", Run, ".", N]) end,
    ok = persistent_term:put(?MODULE, #{
        database => unicode:characters_to_binary(filename:join([Folder, "mnt", "app.db"])),
        cnode => list_to_atom("litefs@" ++ Address(Host)), erpc_timeout => list_to_integer(Timeout)}),
    ok = ?REPO:start(),
    {ok, _} = 'Elixir.EctoLiteFS.Supervisor':start_link([
        {repo, ?REPO},
        {primary_file, unicode:characters_to_binary(filename:join([Folder, "mnt", ".primary"]))},
        {erpc_timeout, list_to_integer(Timeout)}
        | ack(os:getenv("E2E_ACK", "local")) ++ read_your_writes(os:getenv("E2E_READ_YOUR_WRITES", "false"))]),
    true = register(?MODULE, self()),
    loop([list_to_atom("app@" ++ Address(N)) || N <- [1, 2, 3]], []).

%% What the level of acknowledgement asks of the supervisor.
-spec ack(string()) -> [{ack, {replicas, pos_integer()}}].
ack("local") -> [];
ack(Replicas) -> [{ack, {replicas, list_to_integer(Replicas)}}].

-spec read_your_writes(string()) -> [{read_your_writes, pos_integer()}].
read_your_writes("false") -> [];
read_your_writes(Ms) -> [{read_your_writes, list_to_integer(Ms)}].

-spec loop([node()], [pid()]) -> no_return().
loop(Nodes, Writers) ->
    receive
        {start_writers, From, Names, Folder, How} ->
            Started = [e2e_writer:start(Name, Folder, How) || Name <- Names],
            From ! {?MODULE, done},
            loop(Nodes, Started ++ Writers);
        {stop_writers, From} ->
            lists:foreach(fun e2e_writer:stop/1, Writers),
            From ! {?MODULE, done},
            loop(Nodes, [])
    after ?CONNECT_MS ->
        %% A node that cannot be reached keeps its caller waiting.
        _ = spawn(fun() -> [net_kernel:connect_node(Node) || Node <- Nodes -- [node() | nodes()]] end),
        loop(Nodes, Writers)
    end.

-spec database() -> binary().
database() -> maps:get(database, persistent_term:get(?MODULE)).

-spec cnode() -> node().
cnode() -> maps:get(cnode, persistent_term:get(?MODULE)).

-spec erpc_timeout() -> pos_integer().
erpc_timeout() -> maps:get(erpc_timeout, persistent_term:get(?MODULE)).

%% @doc Who the primary is, as the application sees it, and what its host's C node says of itself.
-spec state() -> state().
state() ->
    #{primary => 'Elixir.EctoLiteFS':get_primary(?REPO), is_primary => 'Elixir.EctoLiteFS':'is_primary?'(?REPO),
      cnode => cnode_role()}.

-spec cnode_role() -> primary | replica | unknown | none.
cnode_role() ->
    try erpc:call(cnode(), ecto_litefs, info, [], 1000) of
        #{repos := Repos} ->
            [#{role := Role}] = maps:values(Repos),
            Role
    catch
        error:{erpc, _} -> none
    end.

%% @doc One row, in the caller's words.
-spec insert(map()) -> term().
insert(Struct) ->
    ?REPO:insert(Struct).

%% @doc Writers of these names, whose journals are in the folder.
-spec start_writers([binary()], file:filename_all(), e2e_writer:how(), timeout()) -> ok.
start_writers(Names, Folder, How, Timeout) ->
    ask({start_writers, self(), Names, Folder, How}, Timeout).

-spec stop_writers() -> ok.
stop_writers() ->
    ask({stop_writers, self()}, infinity).

-spec ask(tuple(), timeout()) -> ok.
ask(Request, Timeout) ->
    ?MODULE ! Request,
    receive {?MODULE, done} -> ok after Timeout -> error(timeout) end.
