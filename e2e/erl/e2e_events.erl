%% A witness of a host's LiteFS: when it announced what. It reads LiteFS's event stream as anybody may, and is not one of the
%% programs under test.
-module(e2e_events).

%% API
-export([open/1]).
-export([announced/2]).
-export([ended/1]).
-export([close/1]).

-define(PORT, 20202).
-define(CONNECT_MS, 5000).
-define(LONGEST_LINE, 65536).

-type announcement() :: primary | {replica, Of :: string()}.

%% @doc Returns when LiteFS has answered.
-spec open(e2e_host:id()) -> pid().
open(Host) ->
    Self = self(),
    Pid = spawn_link(fun() -> witness(Host, Self) end),
    receive {Pid, open} -> Pid end.

%% @doc When LiteFS first said so (microseconds, as in the journals), not counting its greeting.
-spec announced(pid(), announcement()) -> integer() | never.
announced(Pid, What) ->
    Pid ! {announced, self(), What},
    receive {Pid, Answer} -> Answer end.

%% @doc Has the stream ended, as it does with its LiteFS? Nothing more will be announced by it.
-spec ended(pid()) -> boolean().
ended(Pid) ->
    Pid ! {ended, self()},
    receive {Pid, Answer} -> Answer end.

-spec close(pid()) -> ok.
close(Pid) ->
    Pid ! close,
    ok.

-spec witness(e2e_host:id(), pid()) -> ok.
witness(Host, Owner) ->
    Options = [binary, {active, true}, {packet, line}, {packet_size, ?LONGEST_LINE}, {buffer, ?LONGEST_LINE}],
    {ok, Socket} = gen_tcp:connect(e2e_host:address(Host), ?PORT, Options, ?CONNECT_MS),
    ok = gen_tcp:send(Socket, "GET /events HTTP/1.1\r\nHost: litefs\r\n\r\n"),
    receive {tcp, Socket, <<"HTTP/1.1 200", _/binary>>} -> Owner ! {self(), open} end,
    listen(Socket, false, []).

%% An event is a line; so are the sizes of the chunks, which are not looked at.
-spec listen(gen_tcp:socket(), Ended :: boolean(), [{integer(), binary()}]) -> ok.
listen(Socket, Ended, Changes) ->
    receive
        {tcp, Socket, <<"{\"type\":\"primaryChange\"", _/binary>> = Line} ->
            listen(Socket, Ended, [{e2e_journal:now_us(), Line} | Changes]);
        {tcp, Socket, _} ->
            listen(Socket, Ended, Changes);
        %% LiteFS has ended; what it had said stays said.
        {tcp_closed, Socket} ->
            listen(Socket, true, Changes);
        {announced, From, What} ->
            From ! {self(), first(What, lists:reverse(Changes))},
            listen(Socket, Ended, Changes);
        {ended, From} ->
            From ! {self(), Ended},
            listen(Socket, Ended, Changes);
        close ->
            gen_tcp:close(Socket)
    end.

-spec first(announcement(), [{integer(), binary()}]) -> integer() | never.
first(What, Changes) ->
    case [At || {At, Line} <- Changes, says(What, Line)] of
        [At | _] -> At;
        [] -> never
    end.

-spec says(announcement(), binary()) -> boolean().
says(primary, Line) ->
    binary:match(Line, <<"\"isPrimary\":true">>) =/= nomatch;
says({replica, Of}, Line) ->
    binary:match(Line, iolist_to_binary(["\"hostname\":\"", Of, "\""])) =/= nomatch.
