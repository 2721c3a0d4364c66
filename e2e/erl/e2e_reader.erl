%% What an application's processes see of their own writes: each row is looked for in its own host's copy as soon as it was
%% acknowledged. Runs on a host's application node.
-module(e2e_reader).

%% API
-export([own_writes/3]).
-export([own_write/2]).
-export([is_there/1]).

-define(REPO, 'Elixir.E2e.Repo').
-define(AWAIT_MS, 5000).

%% late: how many rows were not there at once. missing: those that were not there after `await' either, and why.
-type seen() :: #{acked := non_neg_integer(), late := non_neg_integer(), missing := [{Key :: binary(), Why :: term()}]}.
-export_type([seen/0]).

%% @doc A process for each name, which makes so many writes one after the other; the journals go into the folder.
-spec own_writes([binary()], file:filename_all(), pos_integer()) -> seen().
own_writes(Names, Folder, Writes) ->
    Processes = [spawn_monitor(fun() -> exit({seen, process(Name, Folder, Writes)}) end) || Name <- Names],
    lists:foldl(fun add/2, nothing(), [receive {'DOWN', Monitor, process, Pid, {seen, Seen}} -> Seen end
                                       || {Pid, Monitor} <- Processes]).

-spec process(binary(), file:filename_all(), pos_integer()) -> seen().
process(Name, Folder, Writes) ->
    {ok, Journal} = e2e_journal:open(filename:join(Folder, Name)),
    lists:foldl(fun(N, Seen) -> add(look(<<Name/binary, "-", (integer_to_binary(N))/binary>>, Journal), Seen) end,
                nothing(), lists:seq(1, Writes)).

-spec look(binary(), file:io_device()) -> seen().
look(Key, Journal) ->
    case e2e_writer:attempt(Key, Journal, repo) of
        {acked, _} ->
            Late = case is_there(Key) of true -> 0; false -> 1 end,
            #{acked => 1, late => Late, missing => [{Key, Why} || Why <- awaited(Key)]};
        _ ->
            nothing()
    end.

-spec awaited(binary()) -> [Why :: term()].
awaited(Key) ->
    case 'Elixir.EctoLiteFS':await(?REPO, 'Elixir.EctoLiteFS':last_position(?REPO), ?AWAIT_MS) of
        ok -> [not_there || not is_there(Key)];
        {error, Why} -> [Why]
    end.

-spec nothing() -> seen().
nothing() -> #{acked => 0, late => 0, missing => []}.

-spec add(seen(), seen()) -> seen().
add(#{acked := A, late := L, missing := M}, #{acked := As, late := Ls, missing := Ms}) ->
    #{acked => A + As, late => L + Ls, missing => M ++ Ms}.

%% @doc One write, with the Repo's own answer.
-spec own_write(binary(), file:filename_all()) -> term().
own_write(Key, Folder) ->
    {ok, Journal} = e2e_journal:open(filename:join(Folder, Key)),
    ok = e2e_journal:began(Journal, Key),
    Answer = ?REPO:insert(e2e_writer:row(Key)),
    ok = e2e_journal:ended(Journal, Key, e2e_outcome:of_result(Answer)),
    Answer.

%% @doc Has the host's own copy a row of that key?
-spec is_there(binary()) -> boolean().
is_there(Key) ->
    {ok, #{rows := [[Count]]}} = erpc:call(e2e_app:cnode(), ecto_litefs, query,
                                           [?REPO, <<"SELECT count(*) FROM rows WHERE key = ?">>, [Key]],
                                           e2e_app:erpc_timeout()),
    Count > 0.
