%% Reading one's own writes on a replica, with the option `read_your_writes' and with `await', and on a replica whose copy
%% is held up.
-module(e2e_reads).

%% API
-export([all/0]).

-define(REPO, 'Elixir.E2e.Repo').
-define(PROCESSES, 4).
-define(WRITES, 100).
%% The option's value: longer than LiteFS takes on a busy machine, and short enough to be waited for in vain.
-define(VISIBLE_MS, 2000).
-define(CALL_MS, 60000).

-spec all() -> [e2e_basics:scenario()].
all() ->
    [{read_your_writes, "read_your_writes: what was acknowledged on a replica is in its own copy, or it says that it is not",
      fun read_your_writes/0}].

-spec read_your_writes() -> iodata() | no_return().
read_your_writes() ->
    case os:getenv("E2E_WAY") of
        %% EctoLiteFS's closure is answered as there, without a position that could be waited for.
        "closure" -> throw({skip, "the way `closure' has no positions"});
        _ -> supervised()
    end.

%% LiteFS ends itself when it loses its lease in a commit, which a machine that stands still for a moment brings about.
-spec supervised() -> iodata() | no_return().
supervised() ->
    try
        with_the_option(<<"own">>)
    catch
        error:Reason:Stack ->
            case [Host || Host <- e2e_host:all(), #{litefs := 0} <- [e2e_host:programs(Host)]] of
                [] ->
                    erlang:raise(error, Reason, Stack);
                Ended ->
                    e2e_report:note("read_your_writes: LiteFS of a host ended itself, and was started again; so was the check"),
                    [ok = e2e_ctl:do(host_litefs, [Host]) || Host <- Ended],
                    with_the_option(<<"own_again">>)
            end
    end.

%% The tag begins the keys of all rows that it writes.
-spec with_the_option(binary()) -> iodata().
with_the_option(Tag) ->
    _ = e2e_cluster:settled(),
    [With, Without] = e2e_cluster:replicas(),
    try
        %% At the level local: while a copy is held up nothing is replicated to all.
        ok = restart(With, [{"E2E_READ_YOUR_WRITES", integer_to_list(?VISIBLE_MS)}, {"E2E_ACK", "local"}]),
        Began = e2e_journal:now_us(),
        At = #{With => own_writes(With, Tag), Without => own_writes(Without, Tag)},
        #{With := #{late := 0}, Without := #{late := Late}} = At,
        Held = held_up(With, Tag),
        _ = e2e_cluster:settled(),
        ok = all_there(Tag, 2 * ?PROCESSES * ?WRITES + 1, Began),
        io_lib:format("~b writes on a replica with the option: all there at once; as many on one without: ~b not there yet, "
                      "all after `await'~n    the copy held up: ~ts", [?PROCESSES * ?WRITES, Late, Held])
    after
        ok = restart(With, [])
    end.

%% Its application anew, with these variables for this one time.
-spec restart(e2e_host:id(), [{string(), string()}]) -> ok.
restart(Host, Variables) ->
    ok = e2e_ctl:do(process_end, ["beam" ++ integer_to_list(Host), 'TERM']),
    Before = [{Name, os:getenv(Name)} || {Name, _} <- Variables],
    [os:putenv(Name, Value) || {Name, Value} <- Variables],
    try
        ok = e2e_ctl:do(host_beam, [Host])
    after
        [case Value of false -> os:unsetenv(Name); _ -> os:putenv(Name, Value) end || {Name, Value} <- Before]
    end,
    _ = e2e_cluster:settled(),
    ok.

-spec own_writes(e2e_host:id(), binary()) -> e2e_reader:seen().
own_writes(Host, Tag) ->
    Names = [iolist_to_binary(io_lib:format("~ts-h~b-r~b", [Tag, Host, N])) || N <- lists:seq(1, ?PROCESSES)],
    Seen = erpc:call(e2e_host:app(Host), e2e_reader, own_writes, [Names, folder(Tag), ?WRITES], ?CALL_MS),
    #{acked := ?PROCESSES * ?WRITES, missing := []} = Seen.

%% A reader's snapshot keeps LiteFS from applying anything on that host.
-spec held_up(e2e_host:id(), binary()) -> iodata().
held_up(Host, Tag) ->
    Key = <<Tag/binary, "-held">>,
    Reader = e2e_host:hold(Host),
    Position = try
        {error, {not_yet_visible, {ok, #{id := _}}, #{position := {_, _} = P, reason := timeout}}} =
            e2e_host:call(Host, e2e_reader, own_write, [Key, folder(Tag)]),
        {error, timeout} = await(Host, P, 200),
        false = e2e_host:call(Host, e2e_reader, is_there, [Key]),
        P
    after
        ok = e2e_host:let_go(Reader)
    end,
    {Took, ok} = timer:tc(fun() -> await(Host, Position, 10000) end),
    true = e2e_host:call(Host, e2e_reader, is_there, [Key]),
    io_lib:format("written, and said not to be visible; there ~b ms after it was let go", [Took div 1000]).

-spec await(e2e_host:id(), tuple(), timeout()) -> ok | {error, term()}.
await(Host, Position, Timeout) ->
    erpc:call(e2e_host:app(Host), 'Elixir.EctoLiteFS', await, [?REPO, Position, Timeout], ?CALL_MS).

-spec folder(binary()) -> file:filename_all().
folder(Tag) -> filename:dirname(e2e_host:journal(Tag, <<"x">>)).

%% The invariant of the suite, of so many acknowledged rows.
-spec all_there(binary(), pos_integer(), integer()) -> ok.
all_there(Tag, Rows, Began) ->
    #{problems := [], acked := Rows} =
        e2e_invariant:check(e2e_journal:read(folder(Tag)), e2e_run:only(Tag, e2e_cluster:contents()),
                            #{level => local, loses => false, at => Began}),
    ok.
