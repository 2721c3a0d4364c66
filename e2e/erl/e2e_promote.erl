%% A hand-over of the lease by an operator, who has LiteFS under a supervisor.
-module(e2e_promote).

%% API
-export([to/1]).

-define(TRIES, 4).
-define(HAND_OVER_MS, 20000).
-define(REJOIN_MS, 60000).

%% @doc Until the host is primary and the others its replicas.
-spec to(e2e_host:id()) -> ok.
to(New) ->
    ok = ask(New, ?TRIES),
    lists:foreach(fun(Host) -> ok = rejoined(Host, New) end, e2e_host:all() -- [New]).

%% LiteFS answers before it has handed the lease over, and once in a while it never does, or refuses (500) as it has lost
%% sight of the primary for a moment: asked again, as an operator would ask.
-spec ask(e2e_host:id(), pos_integer()) -> ok.
ask(New, Left) ->
    {0, Status} = e2e_ctl:run("curl", ["-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST",
                                       ["http://", e2e_host:address(New), ":20202/promote"]]),
    case Status =:= <<"200">> andalso handed_over(New) of
        true ->
            ok;
        false when Left > 1 ->
            e2e_report:note("a promotion: LiteFS did not hand the lease over; it was asked again"),
            case ct_wait:until(fun() -> led(New) end, ?REJOIN_MS) of
                itself -> ok;
                replica -> ask(New, Left - 1)
            end
    end.

%% Where the old primary's LiteFS has ended, the lease must run out before anybody leads.
-spec led(e2e_host:id()) -> itself | replica | false.
led(New) ->
    case e2e_cluster:primary() of
        New -> itself;
        false -> false;
        Other ->
            Name = list_to_binary(e2e_host:address(Other)),
            e2e_host:litefs_role(New) =:= {replica, Name} andalso replica
    end.

-spec handed_over(e2e_host:id()) -> boolean().
handed_over(New) ->
    try
        ct_wait:until(fun() -> e2e_cluster:primary() =:= New end, ?HAND_OVER_MS)
    catch
        error:{condition_never_held, _} -> false
    end.

%% A primary's LiteFS ends itself (exit code 99) when it loses the lease between SQLite's COMMIT and its own: it cannot
%% take back what SQLite believes done. A supervisor starts it again, and it drops what it had not committed. It may be any
%% of the others: when the lease was not handed over the third host may have had it for a while.
-spec rejoined(e2e_host:id(), e2e_host:id()) -> ok.
rejoined(Host, New) ->
    Name = list_to_binary(e2e_host:address(New)),
    case ct_wait:until(fun() ->
        case e2e_host:programs(Host) of
            #{litefs := 0} -> ended;
            _ -> e2e_host:litefs_role(Host) =:= {replica, Name} andalso replica
        end
    end, ?REJOIN_MS) of
        replica ->
            ok;
        ended ->
            e2e_report:note("a promotion: LiteFS of a former primary ended itself in a commit, as it does, and was started again"),
            e2e_ctl:do(host_litefs, [Host])
    end.
