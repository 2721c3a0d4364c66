%% The invariant: what the writers were told, held against what is on the hosts. PURE.
%%
%% Every acknowledged row is on every host once (the same id that was told), no row is anywhere twice, refused rows are
%% nowhere, rows of unknown outcome at most once, nothing is there that nobody wrote, and all hosts agree: the same rows,
%% a sound database, the same position.
%%
%% What an acknowledgement promises depends on the level. At `local' it is the primary's own commit, which LiteFS
%% replicates afterwards: a fault that takes the primary's LiteFS away at once may take rows along that were acknowledged
%% shortly before. Such rows are counted, not hidden; they must be missing on all hosts alike, and must have been
%% acknowledged before the fault. At a stronger level no fault may lose any.
-module(e2e_invariant).

%% API
-export([check/3]).
-export([stops/1]).

-type level() :: local | {replicas, pos_integer()}.
%% What one host has: its rows, PRAGMA integrity_check's text, LiteFS's position file.
-type host() :: #{rows := [{Id :: integer(), Key :: binary()}], integrity := binary(), position := binary()}.
%% loses: does the fault take the primary's LiteFS away without a word? at: when it began (microseconds).
-type fault() :: #{level := level(), loses := boolean(), at := integer()}.
-type problem() :: {lost | not_everywhere | twice | refused_is_there | nobody_wrote | other_id | unexpected
                    | damaged | hosts_differ, Details :: term()}.
-type report() :: #{problems := [problem()], acked := non_neg_integer(), refused := non_neg_integer(),
                    unknown := non_neg_integer(), unknown_there := non_neg_integer(),
                    lost := [{Key :: binary(), BeforeFault :: integer()}], why := #{binary() => pos_integer()}}.
-export_type([level/0, host/0, fault/0, problem/0, report/0]).

%% An answer may be under way when the fault strikes.
-define(MARGIN_US, 1000000).

-spec check([e2e_journal:attempt()], #{pos_integer() => host()}, fault()) -> report().
check(Attempts, Hosts, Fault) ->
    Tables = maps:map(fun(_, #{rows := Rows}) -> table(Rows) end, Hosts),
    Places = places(Tables),
    Missing = [A || #{outcome := acked, key := Key} = A <- Attempts, not is_map_key(Key, Places)],
    {Lost, Broken} = lists:partition(fun(A) -> may_be_lost(A, Fault) end, Missing),
    Everywhere = map_size(Hosts),
    Written = maps:from_list([{Key, A} || #{key := Key} = A <- Attempts]),
    Problems = [{lost, {Key, Detail}} || #{key := Key, detail := Detail} <- Broken]
        ++ [{not_everywhere, {Key, maps:get(Key, Places)}}
            || #{outcome := acked, key := Key} <- Attempts, length(maps:get(Key, Places, [])) > 0,
               length(maps:get(Key, Places)) < Everywhere]
        ++ [{twice, {Host, Key, Ids}} || {Host, Table} <- maps:to_list(Tables),
                                         {Key, [_, _ | _] = Ids} <- maps:to_list(Table)]
        ++ [{refused_is_there, {Key, Why, maps:get(Key, Places)}}
            || #{outcome := refused, key := Key, detail := Why} <- Attempts, is_map_key(Key, Places)]
        ++ [{nobody_wrote, Key} || Key <- maps:keys(Places), not is_map_key(Key, Written)]
        ++ [{other_id, {Host, Key, Told, Id}}
            || {Host, Table} <- maps:to_list(Tables), {Key, [Id]} <- maps:to_list(Table),
               #{Key := #{outcome := acked, detail := Told}} <- [Written], Told =/= integer_to_binary(Id)]
        ++ [{unexpected, {Key, Why}} || #{outcome := unexpected, key := Key, detail := Why} <- Attempts]
        ++ [{damaged, {Host, Text}} || {Host, #{integrity := Text}} <- maps:to_list(Hosts), Text =/= <<"ok">>]
        ++ differences(Hosts),
    #{problems => Problems,
      acked => count(acked, Attempts), refused => count(refused, Attempts), unknown => count(unknown, Attempts),
      unknown_there => length([1 || #{outcome := unknown, key := Key} <- Attempts, is_map_key(Key, Places)]),
      lost => [{Key, maps:get(at, Fault) - Ended} || #{key := Key, ended := Ended} <- Lost],
      why => why(Attempts)}.

-spec may_be_lost(e2e_journal:attempt(), fault()) -> boolean().
may_be_lost(#{ended := Ended}, #{level := local, loses := true, at := At}) -> Ended =< At + ?MARGIN_US;
may_be_lost(_, _) -> false.

-spec table([{integer(), binary()}]) -> #{binary() => [integer()]}.
table(Rows) ->
    lists:foldl(fun({Id, Key}, Table) -> maps:update_with(Key, fun(Ids) -> [Id | Ids] end, [Id], Table) end, #{}, Rows).

-spec places(#{pos_integer() => #{binary() => [integer()]}}) -> #{binary() => [pos_integer()]}.
places(Tables) ->
    maps:fold(fun(Host, Table, Places) ->
        maps:fold(fun(Key, _, P) -> maps:update_with(Key, fun(Hs) -> [Host | Hs] end, [Host], P) end, Places, Table)
    end, #{}, Tables).

-spec differences(#{pos_integer() => host()}) -> [problem()].
differences(Hosts) ->
    [{hosts_differ, {What, Different}}
     || {What, Of} <- [{position, fun(#{position := P}) -> P end},
                       {rows, fun(#{rows := Rows}) -> erlang:phash2(lists:sort(Rows)) end}],
        Different <- [maps:map(fun(_, Host) -> Of(Host) end, Hosts)],
        length(lists:usort(maps:values(Different))) > 1].

-spec count(atom(), [e2e_journal:attempt()]) -> non_neg_integer().
count(Outcome, Attempts) ->
    length([1 || #{outcome := O} <- Attempts, O =:= Outcome]).

-spec why([e2e_journal:attempt()]) -> #{binary() => pos_integer()}.
why(Attempts) ->
    lists:foldl(fun(Why, Counts) -> maps:update_with(Why, fun(N) -> N + 1 end, 1, Counts) end, #{},
                [<<(atom_to_binary(O))/binary, " ", W/binary>> || #{outcome := O, detail := W} <- Attempts, O =/= acked]).

%% The longest time without any acknowledgement: of all writers together, and of the writer that waited longest.
%% A writer whose host was killed waits no more.
-spec stops([e2e_journal:attempt()]) -> #{all := non_neg_integer(), one := non_neg_integer()}.
stops(Attempts) ->
    Acks = [{Writer, Ended} || #{outcome := acked, writer := Writer, ended := Ended} <- Attempts],
    Writers = lists:usort([W || {W, _} <- Acks]),
    #{all => longest([Ended || {_, Ended} <- Acks]),
      one => lists:max([0 | [longest([E || {W, E} <- Acks, W =:= Writer]) || Writer <- Writers]])}.

-spec longest([integer()]) -> non_neg_integer().
longest(Times) ->
    case lists:sort(Times) of
        [] -> 0;
        [First | Rest] -> element(2, lists:foldl(fun(T, {Before, Longest}) -> {T, max(Longest, T - Before)} end,
                                                 {First, 0}, Rest))
    end.
