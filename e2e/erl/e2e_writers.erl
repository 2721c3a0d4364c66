%% The writers of a run, as the control node starts and stops them: processes of the applications, which write through the
%% middleware, or programs over the C client library (e2e/lib/client.sh).
-module(e2e_writers).

%% API
-export([start/3]).
-export([stop/2]).

-type kind() :: app | client.
-export_type([kind/0]).

-define(START_MS, 5000).

%% @doc On a host. Returns their journals.
-spec start(kind(), binary(), e2e_host:id()) -> [file:filename_all()].
start(Kind, Tag, Host) ->
    Names = [name(Tag, Host, N) || N <- lists:seq(1, a_host(Kind))],
    Journals = [e2e_host:journal(Tag, Name) || Name <- Names],
    ok = start(Kind, Host, Names, Journals),
    Journals.

-spec start(kind(), e2e_host:id(), [binary()], [file:filename_all()]) -> ok.
start(app, Host, Names, [Journal | _]) ->
    e2e_host:call(Host, e2e_app, start_writers, [Names, filename:dirname(Journal), repo, ?START_MS]);
start(client, Host, Names, Journals) ->
    [ok = e2e_ctl:do(client_start, [Host, Name, Journal]) || {Name, Journal} <- lists:zip(Names, Journals)],
    ok.

%% @doc Those of these hosts. A writer may be waiting for an answer: longer than a call of the control node may take.
-spec stop(kind(), [e2e_host:id()]) -> ok.
stop(app, Hosts) ->
    [ok = erpc:call(e2e_host:app(Host), e2e_app, stop_writers, [], infinity) || Host <- Hosts],
    ok;
stop(client, _) ->
    e2e_ctl:do(client_stop, []).

%% A program a write, and a handshake: fewer of them keep the machine as busy.
-spec a_host(kind()) -> pos_integer().
a_host(app) -> 4;
a_host(client) -> 2.

-spec name(binary(), e2e_host:id(), pos_integer()) -> binary().
name(Tag, Host, N) ->
    iolist_to_binary(io_lib:format("~ts-h~b-w~b", [Tag, Host, N])).
