%% A stand-in for LiteFS: a folder that looks like its mount (a .lag makes it count as mounted) and an HTTP
%% server that says what it is told to, on GET /events and GET /info.
-module(ct_litefs).

%% API
-export([start/1]).
-export([stop/1]).
-export([file/3]).
-export([greet/2]).
-export([info/2]).
-export([say/2]).
-export([cut/1]).
-export([init/1]).
-export([change/1]).
-export([tx/2]).
-export([url/1]).
-export([primary_file/1]).

-type litefs() :: #{pid := pid(), port := inet:port_number(), dir := file:filename()}.
-export_type([litefs/0]).

%% The mount has a .lag of 0 and no .primary; streams are greeted with nothing; /info is not found.
-spec start([{atom(), term()}]) -> litefs().
start(Config) ->
    Dir = ct_env:dir(Config),
    Self = self(),
    Pid = spawn_link(fun() ->
        {ok, Listener} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {packet, http_bin},
                                            {active, false}, {reuseaddr, true}]),
        Server = self(),
        {ok, Port} = inet:port(Listener),
        _ = spawn_link(fun() -> accept(Server, Listener) end),
        Self ! {Server, Port},
        serve(#{greeting => <<>>, info => not_found, streams => []})
    end),
    receive
        {Pid, Port} ->
            LiteFS = #{pid => Pid, port => Port, dir => Dir},
            ok = file(LiteFS, ".lag", "+000000000\n"),
            LiteFS
    end.

-spec stop(litefs()) -> ok.
stop(#{pid := Pid}) ->
    unlink(Pid),
    exit(Pid, kill),
    ok.

%% Writes a file of the mount, whole at once; false removes it.
-spec file(litefs(), file:filename(), iodata() | false) -> ok.
file(#{dir := Dir}, Name, false) ->
    case file:delete(filename:join(Dir, Name)) of
        ok -> ok;
        {error, enoent} -> ok
    end;
file(#{dir := Dir}, Name, Text) ->
    case filename:extension(Name) of
        ".db-pos" -> write_position(filename:join(Dir, Name), Text);
        _ -> replace(Dir, Name, Text)
    end.

%% It stays the same file, as on LiteFS: who has opened it reads on there.
write_position(File, Text) ->
    {ok, Fd} = file:open(File, [read, write, raw]),
    ok = file:pwrite(Fd, 0, Text),
    file:close(Fd).

replace(Dir, Name, Text) ->
    Temporary = filename:join(Dir, "tmp" ++ pid_to_list(self())), % several processes may write
    ok = file:write_file(Temporary, Text),
    file:rename(Temporary, filename:join(Dir, Name)).

%% What every new stream begins with, and what /info answers.
-spec greet(litefs(), iodata()) -> ok.
greet(LiteFS, Events) -> call(LiteFS, {greet, Events}).

-spec info(litefs(), primary | {replica, string()} | not_found) -> ok.
info(LiteFS, Role) -> call(LiteFS, {info, Role}).

%% Says it on all streams; waits until there is one.
-spec say(litefs(), iodata()) -> ok.
say(LiteFS, Events) ->
    ct_wait:until(fun() -> call(LiteFS, {say, Events}) =:= ok andalso ok end).

%% Closes all streams.
-spec cut(litefs()) -> ok.
cut(LiteFS) -> call(LiteFS, cut).

-spec init(primary | {replica, string()} | replica) -> iodata().
init(Role) -> event("init", Role).

-spec change(primary | {replica, string()} | replica) -> iodata().
change(Role) -> event("primaryChange", Role).

event(Type, Role) -> ["{\"type\":\"", Type, "\",\"data\":{", data(Role), "}}\n"].

data(primary) -> "\"isPrimary\":true";
data(replica) -> "\"isPrimary\":false";
data({replica, Host}) -> ["\"isPrimary\":false,\"hostname\":\"", Host, "\""].

-spec tx(string(), pos_integer()) -> iodata().
tx(Database, Txid) ->
    io_lib:format("{\"type\":\"tx\",\"db\":\"~s\",\"data\":{\"txID\":\"~16.16.0b\","
                  "\"postApplyChecksum\":\"a2fc350ac2962d33\",\"pageSize\":4096,\"commit\":2,"
                  "\"timestamp\":\"2026-11-24T20:46:38.141Z\"}}~n", [Database, Txid]).

-spec url(litefs()) -> binary().
url(#{port := Port}) -> iolist_to_binary(["http://127.0.0.1:", integer_to_list(Port), "/events"]).

-spec primary_file(litefs()) -> binary().
primary_file(#{dir := Dir}) -> iolist_to_binary([Dir, "/.primary"]).

%% The server

call(#{pid := Pid}, Request) ->
    Ref = erlang:monitor(process, Pid),
    Pid ! {call, self(), Ref, Request},
    receive
        {Ref, Reply} -> erlang:demonitor(Ref, [flush]), Reply;
        {'DOWN', Ref, _, _, Reason} -> error(Reason)
    end.

accept(Server, Listener) ->
    case gen_tcp:accept(Listener) of
        {ok, Socket} ->
            %% A client may be gone already.
            case gen_tcp:controlling_process(Socket, Server) of
                ok -> Server ! {accepted, Socket};
                {error, _} -> gen_tcp:close(Socket)
            end,
            accept(Server, Listener);
        {error, _} ->
            ok % the server has ended
    end.

serve(State = #{streams := Streams}) ->
    receive
        {call, From, Ref, Request} ->
            {Reply, New} = handle(Request, State),
            From ! {Ref, Reply},
            serve(New);
        {accepted, Socket} ->
            _ = inet:setopts(Socket, [{active, true}]),
            serve(State);
        {http, Socket, {http_request, 'GET', {abs_path, <<"/events">>}, _}} ->
            serve(State#{streams := [Socket | Streams], Socket => events});
        {http, Socket, {http_request, 'GET', {abs_path, <<"/info">>}, _}} ->
            serve(State#{Socket => info});
        {http, Socket, http_eoh} ->
            _ = gen_tcp:send(Socket, answer(maps:get(Socket, State), State)),
            serve(State);
        {tcp_closed, Socket} ->
            serve(maps:remove(Socket, State#{streams := lists:delete(Socket, Streams)}));
        _ ->
            serve(State)
    end.

handle({greet, Events}, State) -> {ok, State#{greeting := Events}};
handle({info, Role}, State) -> {ok, State#{info := Role}};
handle({say, _}, State = #{streams := []}) -> {no_stream, State};
handle({say, Events}, State = #{streams := Streams}) ->
    _ = [gen_tcp:send(Socket, chunk(Events)) || Socket <- Streams],
    {ok, State};
handle(cut, State = #{streams := Streams}) ->
    _ = [gen_tcp:close(Socket) || Socket <- Streams],
    {ok, maps:without(Streams, State#{streams := []})}.

answer(events, #{greeting := Greeting}) ->
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(Greeting)];
answer(info, #{info := not_found}) ->
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
answer(info, #{info := Role}) ->
    Body = case Role of
        primary -> "{\"isPrimary\":true,\"primary\":{\"hostname\":\"self\"}}\n";
        {replica, Host} -> ["{\"isPrimary\":false,\"primary\":{\"hostname\":\"", Host, "\"}}\n"]
    end,
    ["HTTP/1.1 200 OK\r\nContent-Length: ", integer_to_list(iolist_size(Body)), "\r\n\r\n", Body].

chunk(Events) ->
    case iolist_size(Events) of
        0 -> [];
        Size -> [integer_to_list(Size, 16), "\r\n", Events, "\r\n"]
    end.
