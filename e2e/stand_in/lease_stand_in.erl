%% A STAND-IN for Consul: the few endpoints that LiteFS's lease uses (sessions with a time to live, a key that a session
%% locks), kept in memory. Told apart from Consul in every run's output; it proves nothing about Consul itself.
%%
%%    PUT /v1/session/create            {"TTL": "3s", "LockDelay": "1000ms", ...}  ->  {"ID": "..."}
%%    PUT /v1/session/renew/ID          [...], or 404 when it has expired
%%    PUT /v1/session/destroy/ID        true
%%    GET /v1/kv/KEY                    [{"Value": "base64", ...}], or 404
%%    PUT /v1/kv/KEY[?acquire=ID|?release=ID]    true or false
%%
%% As in Consul a session that ends takes the keys it holds along and keeps them locked for its lock delay, a released
%% key keeps the value that came with the release, and a session lives for twice its time to live.
-module(lease_stand_in).

%% API
-export([main/1]).

-define(TTL_MULTIPLIER, 2).

-type session() :: #{ttl := pos_integer(), delay := non_neg_integer(), timer := reference()}.
-type key() :: #{value := binary(), session := binary() | none}.
-type state() :: #{sessions := #{binary() => session()}, keys := #{binary() => key()},
                   delayed := #{binary() => integer()}}.
-type request() :: {Method :: binary(), Path :: [binary()], Query :: binary(), Body :: binary()}.

%% Arguments of `erl -run': the address and the port.
-spec main([string()]) -> no_return().
main([Address, Port]) ->
    {ok, Ip} = inet:parse_address(Address),
    {ok, Listener} = gen_tcp:listen(list_to_integer(Port), [binary, {ip, Ip}, {packet, http_bin}, {active, false},
                                                            {reuseaddr, true}, {backlog, 128}]),
    Server = self(),
    _ = spawn_link(fun() -> accept(Server, Listener) end),
    serve(#{sessions => #{}, keys => #{}, delayed => #{}}).

%% The one process that knows the sessions and keys.

-spec serve(state()) -> no_return().
serve(State) ->
    receive
        {request, From, Ref, Request} ->
            {Answer, New} = handle(Request, State),
            From ! {Ref, Answer},
            serve(New);
        {timeout, _, {expire, Id}} ->
            serve(end_session(Id, State))
    end.

-spec handle(request(), state()) -> {{200 | 404 | 500, iodata()}, state()}.
handle({<<"PUT">>, [<<"session">>, <<"create">>], _, Body}, #{sessions := Sessions} = State) ->
    Id = uuid(),
    Ttl = ?TTL_MULTIPLIER * milliseconds(<<"TTL">>, Body),
    Session = #{ttl => Ttl, delay => milliseconds(<<"LockDelay">>, Body), timer => expire(Ttl, Id)},
    {{200, ["{\"ID\":\"", Id, "\"}"]}, State#{sessions := Sessions#{Id => Session}}};
handle({<<"PUT">>, [<<"session">>, <<"renew">>, Id], _, _}, #{sessions := Sessions} = State) ->
    case Sessions of
        #{Id := #{ttl := Ttl, timer := Timer} = Session} ->
            _ = erlang:cancel_timer(Timer),
            Renewed = Session#{timer := expire(Ttl, Id)},
            {{200, ["[{\"ID\":\"", Id, "\"}]"]}, State#{sessions := Sessions#{Id := Renewed}}};
        #{} ->
            {{404, <<"no such session">>}, State}
    end;
handle({<<"PUT">>, [<<"session">>, <<"destroy">>, Id], _, _}, State) ->
    {{200, <<"true">>}, end_session(Id, State)};
handle({<<"GET">>, [<<"kv">> | Path], _, _}, #{keys := Keys} = State) ->
    Name = name(Path),
    case Keys of
        #{Name := Key} -> {{200, describe(Name, Key)}, State};
        #{} -> {{404, <<>>}, State}
    end;
handle({<<"PUT">>, [<<"kv">> | Path], Query, Body}, State) ->
    put_key(name(Path), uri_string:dissect_query(Query), Body, State);
handle(_, State) ->
    {{404, <<"not served by this stand-in">>}, State}.

-spec put_key(binary(), [{binary(), binary() | true}], binary(), state()) -> {{200 | 500, iodata()}, state()}.
put_key(Name, Query, Body, #{sessions := Sessions, keys := Keys} = State) ->
    Holder = maps:get(session, maps:get(Name, Keys, #{}), none),
    case {proplists:get_value(<<"acquire">>, Query), proplists:get_value(<<"release">>, Query)} of
        {undefined, undefined} ->
            {{200, <<"true">>}, State#{keys := Keys#{Name => #{value => Body, session => Holder}}}};
        {undefined, Holder} ->
            {{200, <<"true">>}, State#{keys := Keys#{Name => #{value => Body, session => none}}}};
        {undefined, _} ->
            {{200, <<"false">>}, State};
        {Id, _} when not is_map_key(Id, Sessions) ->
            {{500, <<"invalid session">>}, State};
        {Id, _} ->
            case Holder =:= Id orelse (Holder =:= none andalso not delayed(Name, State)) of
                true -> {{200, <<"true">>}, State#{keys := Keys#{Name => #{value => Body, session => Id}}}};
                false -> {{200, <<"false">>}, State}
            end
    end.

-spec end_session(binary(), state()) -> state().
end_session(Id, #{sessions := Sessions, keys := Keys, delayed := Delayed} = State) ->
    case maps:take(Id, Sessions) of
        {#{timer := Timer, delay := Delay}, Others} ->
            _ = erlang:cancel_timer(Timer),
            {Held, Rest} = maps:fold(fun(Name, #{session := Session} = Key, {In, Out}) ->
                case Session of
                    Id -> {In#{Name => erlang:monotonic_time(millisecond) + Delay}, Out};
                    _ -> {In, Out#{Name => Key}}
                end
            end, {#{}, #{}}, Keys),
            State#{sessions := Others, keys := Rest, delayed := maps:merge(Delayed, Held)};
        error ->
            State
    end.

-spec delayed(binary(), state()) -> boolean().
delayed(Name, #{delayed := Delayed}) ->
    erlang:monotonic_time(millisecond) < maps:get(Name, Delayed, -(1 bsl 60)).

-spec expire(pos_integer(), binary()) -> reference().
expire(Ttl, Id) ->
    erlang:start_timer(Ttl, self(), {expire, Id}).

-spec describe(binary(), key()) -> iodata().
describe(Name, #{value := Value, session := Session}) ->
    Held = case Session of none -> []; _ -> [",\"Session\":\"", Session, "\""] end,
    ["[{\"Key\":\"", Name, "\",\"Flags\":0,\"LockIndex\":0,\"CreateIndex\":1,\"ModifyIndex\":1,\"Value\":\"",
     base64:encode(Value), "\"", Held, "}]"].

%% A duration as Go writes it: "10s", "1000ms", "1m30s".
-spec milliseconds(binary(), binary()) -> non_neg_integer().
milliseconds(Field, Body) ->
    case re:run(Body, <<"\"", Field/binary, "\":\\s*\"([^\"]*)\"">>, [{capture, all_but_first, binary}]) of
        {match, [Text]} ->
            {match, Parts} = re:run(Text, "([0-9.]+)(ms|s|m|h)", [global, {capture, all_but_first, list}]),
            lists:sum([round(number(N) * unit(Unit)) || [N, Unit] <- Parts]);
        nomatch ->
            0
    end.

-spec number(string()) -> number().
number(Text) ->
    try list_to_float(Text) catch error:badarg -> list_to_integer(Text) end.

-spec unit(string()) -> pos_integer().
unit("ms") -> 1;
unit("s") -> 1000;
unit("m") -> 60000;
unit("h") -> 3600000.

-spec name([binary()]) -> binary().
name(Path) ->
    iolist_to_binary(lists:join($/, Path)).

-spec uuid() -> binary().
uuid() ->
    <<A:32, B:16, C:16, D:16, E:48>> = rand:bytes(16),
    iolist_to_binary(io_lib:format("~8.16.0b-~4.16.0b-~4.16.0b-~4.16.0b-~12.16.0b", [A, B, C, D, E])).

%% HTTP

-spec accept(pid(), gen_tcp:socket()) -> no_return().
accept(Server, Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Connection = spawn(fun() ->
        receive go -> connection(Server, Socket) end
    end),
    ok = gen_tcp:controlling_process(Socket, Connection),
    Connection ! go,
    accept(Server, Listener).

-spec connection(pid(), gen_tcp:socket()) -> ok.
connection(Server, Socket) ->
    case read_request(Socket) of
        {ok, Request} ->
            Ref = make_ref(),
            Server ! {request, self(), Ref, Request},
            receive
                {Ref, {Status, Body}} ->
                    _ = gen_tcp:send(Socket, ["HTTP/1.1 ", integer_to_list(Status), " -\r\n",
                                              "Content-Type: application/json\r\n",
                                              "Content-Length: ", integer_to_list(iolist_size(Body)), "\r\n\r\n", Body]),
                    connection(Server, Socket)
            end;
        closed ->
            gen_tcp:close(Socket)
    end.

-spec read_request(gen_tcp:socket()) -> {ok, request()} | closed.
read_request(Socket) ->
    ok = inet:setopts(Socket, [{packet, http_bin}]),
    case gen_tcp:recv(Socket, 0) of
        {ok, {http_request, Method, {abs_path, Target}, _}} ->
            Length = read_headers(Socket, 0),
            ok = inet:setopts(Socket, [{packet, raw}]),
            {ok, Body} = case Length of 0 -> {ok, <<>>}; _ -> gen_tcp:recv(Socket, Length) end,
            #{path := <<"/v1/", Path/binary>>} = Uri = uri_string:parse(Target),
            {ok, {to_binary(Method), binary:split(Path, <<"/">>, [global]), maps:get(query, Uri, <<>>), Body}};
        _ ->
            closed
    end.

-spec read_headers(gen_tcp:socket(), non_neg_integer()) -> non_neg_integer().
read_headers(Socket, Length) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, {http_header, _, 'Content-Length', _, Value}} -> read_headers(Socket, binary_to_integer(Value));
        {ok, {http_header, _, _, _, _}} -> read_headers(Socket, Length);
        {ok, http_eoh} -> Length
    end.

-spec to_binary(atom() | binary()) -> binary().
to_binary(Method) when is_atom(Method) -> atom_to_binary(Method);
to_binary(Method) -> Method.
