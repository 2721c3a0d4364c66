%% What an insert's result means for its row: the three answers that the documentation promises. PURE.
-module(e2e_outcome).

%% API
-export([of_result/1]).
-export([of_query/2]).
-export([of_exception/2]).

%% acked: it is there. refused: nothing was written. unknown: it may be there, once. unexpected: no answer that the
%% documentation knows, which fails the run.
-type outcome() :: {acked, Id :: integer()} | {refused, Why :: term()} | {unknown, Why :: term()}
                 | {unexpected, term()}.
-export_type([outcome/0]).

-spec of_result(term()) -> outcome().
of_result({ok, #{id := Id}}) when is_integer(Id) -> {acked, Id};
%% Written, and on fewer replicas than were asked for: of that level nothing was promised.
of_result({error, {not_replicated, {ok, #{id := _}}, #{acked := N}}}) -> {unknown, {acked, N}};
%% Written, and not yet on the host that asked.
of_result({error, {not_yet_visible, {ok, #{id := Id}}, _}}) -> {acked, Id};
of_result({error, primary_unavailable}) -> {refused, primary_unavailable};
of_result({error, {not_primary, _}}) -> {refused, not_primary};
of_result({error, busy}) -> {refused, busy};
of_result({error, {erpc, Reason, _}}) -> {unknown, Reason};
of_result({error, {unknown, _}}) -> {unknown, not_confirmed};
of_result({error, #{code := Code}}) -> {refused, Code};
of_result(Other) -> {unexpected, Other}.

%% @doc Of a C node's `query' that was to be acknowledged by K replicas: fewer are not what was asked for.
-spec of_query(pos_integer(), term()) -> outcome().
of_query(K, {ok, #{rows := [[Id]], acked := N}}) when N >= K -> {acked, Id};
of_query(_, {ok, #{rows := [[_]], acked := N}}) -> {unknown, {acked, N}};
of_query(_, {error, _} = Error) -> of_result(Error);
of_query(_, Other) -> {unexpected, Other}.

-spec of_exception(error | exit | throw, term()) -> outcome().
of_exception(error, {erpc, Reason}) -> {unknown, Reason};
of_exception(error, {exception, #{'__struct__' := 'Elixir.Exqlite.Error', message := Text}, _}) -> {refused, Text};
of_exception(error, #{'__struct__' := 'Elixir.Exqlite.Error', message := Text}) -> {refused, Text};
of_exception(error, #{'__struct__' := 'Elixir.DBConnection.ConnectionError', reason := {unknown, _}}) ->
    {unknown, not_confirmed};
%% Real Ecto on a primary: the Repo's own pool.
of_exception(error, #{'__struct__' := 'Elixir.DBConnection.ConnectionError', reason := queue_timeout}) ->
    {refused, queue_timeout};
of_exception(Class, Reason) -> {unexpected, {Class, Reason}}.
