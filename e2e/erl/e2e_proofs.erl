%% Proofs about the checks themselves: that a planted fault is caught, and that `local' can lose what it acknowledged.
-module(e2e_proofs).

%% API
-export([all/0]).

-define(REPO, 'Elixir.E2e.Repo').

-spec all() -> [e2e_basics:scenario()].
all() ->
    [{planted, "faults planted in the database are caught", fun planted/0},
     {mutated, "faults planted in the evidence are caught, of every kind", fun mutated/0},
     {local_loses, "acknowledged by a primary that is cut off and dies: at the level local lost, at {replicas, 2} kept, "
                   "side by side", fun local_loses/0}].

%% A sound run, then by hand: an acknowledged row removed, one written again, a row that was refused.
-spec planted() -> iodata().
planted() ->
    {#{problems := []}, _, {Attempts, _, Check}} = load(<<"planted">>),
    Primary = e2e_cluster:settled(),
    [Gone, Twice, Refused | _] = [Key || #{outcome := acked, key := Key} <- Attempts],
    change(Primary, "DELETE FROM rows WHERE key = ?", Gone),
    change(Primary, "INSERT INTO rows (key) VALUES (?)", Twice),
    Told = [case A of
                #{key := Refused} -> A#{outcome := refused, detail := <<"planted">>};
                _ -> A
            end || A <- Attempts],
    _ = e2e_cluster:settled(),
    Hosts = e2e_run:only(<<"planted">>, e2e_cluster:contents()),
    Kinds = kinds(Told, Hosts, Check),
    Expected = [lost, refused_is_there, twice],
    Kinds =:= Expected orelse error({expected, Expected, got, Kinds}),
    "a row removed, a row twice, a refused row present".

-spec change(e2e_host:id(), string(), binary()) -> ok.
change(Host, Sql, Key) ->
    {ok, #{changes := 1}} = e2e_host:call(Host, erpc, call, [e2e_host:cnode(Host), ecto_litefs, query,
                                                             [?REPO, Sql, [Key]], 5000]),
    ok.

-spec mutated() -> iodata().
mutated() ->
    {#{problems := []}, _, {Attempts, Hosts, Check}} = load(<<"mutated">>),
    [#{key := Key, ended := Ended} | _] = [A || #{outcome := acked} = A <- Attempts],
    #{1 := #{rows := Rows} = One} = Hosts,
    {value, {Id, Key}} = lists:keysearch(Key, 2, Rows),
    Everywhere = fun(Fun) -> maps:map(fun(_, #{rows := R} = H) -> H#{rows := Fun(R)} end, Hosts) end,
    Told = fun(Outcome) -> [case A of #{key := Key} -> A#{outcome := Outcome}; _ -> A end || A <- Attempts] end,
    Mutations = [
        {lost, Attempts, Everywhere(fun(R) -> lists:keydelete(Key, 2, R) end), Check},
        {lost, Attempts, Everywhere(fun(R) -> lists:keydelete(Key, 2, R) end),
         Check#{loses := true, at := Ended - 5000000}},
        {lost, Attempts, Everywhere(fun(R) -> lists:keydelete(Key, 2, R) end),
         Check#{loses := true, at := Ended, level := {replicas, 1}}},
        {not_everywhere, Attempts, Hosts#{1 := One#{rows := lists:keydelete(Key, 2, Rows)}}, Check},
        {twice, Attempts, Everywhere(fun(R) -> [{Id + 1000000, Key} | R] end), Check},
        {twice, Told(unknown), Everywhere(fun(R) -> [{Id + 1000000, Key} | R] end), Check},
        {refused_is_there, Told(refused), Hosts, Check},
        {nobody_wrote, Attempts, Everywhere(fun(R) -> [{Id + 1000000, <<"mutated-nobody">>} | R] end), Check},
        {other_id, Attempts, Everywhere(fun(R) -> lists:keyreplace(Key, 2, R, {Id + 1000000, Key}) end), Check},
        {unexpected, Told(unexpected), Hosts, Check},
        {damaged, Attempts, Hosts#{1 := One#{integrity := <<"*** in database main ***">>}}, Check},
        {hosts_differ, Attempts, Hosts#{1 := One#{position := <<"0/0">>}}, Check}],
    [lists:member(Kind, kinds(As, Hs, C)) orelse error({not_caught, Kind}) || {Kind, As, Hs, C} <- Mutations],
    io_lib:format("~b mutations, all caught", [length(Mutations)]).

-spec kinds([e2e_journal:attempt()], #{e2e_host:id() => e2e_invariant:host()}, map()) -> [atom()].
kinds(Attempts, Hosts, Check) ->
    #{problems := Problems} = e2e_invariant:check(Attempts, Hosts, Check),
    lists:usort([Kind || {Kind, _} <- Problems]).

-spec load(binary()) -> {e2e_invariant:report(), map(), {[e2e_journal:attempt()], map(), map()}}.
load(Tag) ->
    e2e_run:under_load(#{tag => Tag, loses => false}, fun(_) -> [] end).

%% Writers of the primary's own host: nothing leaves it any more, those at the level local are acknowledged within its
%% lease, those that wait for both replicas are not, and the machine dies.
-spec local_loses() -> iodata().
local_loses() ->
    Primary = e2e_cluster:settled(),
    Local = writers(Primary, <<"local-loses">>, repo),
    Strong = writers(Primary, <<"strong-keeps">>, {cnode, 2}),
    ok = e2e_run:writing_since(0, Local),
    ok = e2e_run:writing_since(0, Strong),
    ok = e2e_ctl:do(net_cut, [Primary]),
    Cut = e2e_journal:now_us(),
    ok = e2e_run:writing_since(Cut, Local),
    ok = e2e_run:all_fail([Primary], Cut, Strong),
    ok = e2e_ctl:do(host_lose, [Primary]),
    At = e2e_journal:now_us(),
    true = ct_wait:until(fun() -> is_integer(e2e_cluster:primary()) end, 240000),
    ok = e2e_faults:host_back(Primary),
    _ = e2e_cluster:settled(),
    Contents = e2e_cluster:contents(),
    [lost_at_local(evidence(Local, Contents), At), kept(evidence(Strong, Contents), Cut, At)].

%% Two of them, and what they are waited for by.
-spec writers(e2e_host:id(), binary(), e2e_writer:how()) -> e2e_run:world().
writers(Primary, Tag, How) ->
    Names = [<<Tag/binary, "-w1">>, <<Tag/binary, "-w2">>],
    Journals = [e2e_host:journal(Tag, Name) || Name <- Names],
    ok = e2e_host:call(Primary, e2e_app, start_writers, [Names, filename:dirname(hd(Journals)), How, 5000]),
    #{tag => Tag, primary => Primary, replicas => [], writers => #{Primary => Journals}}.

-spec evidence(e2e_run:world(), map()) -> {[e2e_journal:attempt()], map()}.
evidence(#{tag := Tag}, Contents) ->
    {e2e_journal:read(filename:dirname(e2e_host:journal(Tag, <<"x">>))), e2e_run:only(Tag, Contents)}.

-spec lost_at_local({[e2e_journal:attempt()], map()}, integer()) -> iodata().
lost_at_local({Attempts, Hosts}, At) ->
    Check = #{level => local, loses => true, at => At},
    #{problems := [], acked := Acked, lost := Lost} = e2e_invariant:check(Attempts, Hosts, Check),
    Lost =/= [] orelse error({nothing_was_lost, length(Attempts)}),
    [lost] = kinds(Attempts, Hosts, Check#{level := {replicas, 1}}),
    io_lib:format("local: ~b acknowledged, ~b of them lost; a stronger level's check reports them", [Acked, length(Lost)]).

%% Not because nothing was tried: some were acknowledged before the cut, and some were not after it.
-spec kept({[e2e_journal:attempt()], map()}, integer(), integer()) -> iodata().
kept({Attempts, Hosts}, Cut, At) ->
    Check = #{level => {replicas, 2}, loses => true, at => At},
    #{problems := [], acked := Acked, lost := []} = e2e_invariant:check(Attempts, Hosts, Check),
    Acked > 0 orelse error({nothing_was_acknowledged, length(Attempts)}),
    [] = [A || #{outcome := acked, began := Began} = A <- Attempts, Began > Cut],
    [_ | _] = Short = [A || #{outcome := unknown, ended := Ended} = A <- Attempts, is_integer(Ended), Ended > Cut],
    io_lib:format("~n    {replicas, 2}: ~b acknowledged, none of them lost; after the cut ~b were told that they had fewer",
                  [Acked, length(Short)]).
