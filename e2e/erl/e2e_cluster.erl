%% The three hosts together: who is primary, and when they have settled.
-module(e2e_cluster).

%% API
-export([settled/0]).
-export([primary/0]).
-export([replicas/0]).
-export([contents/0]).
-export([says/1]).

-define(SETTLE_MS, 240000).

%% @doc Waits until LiteFS has one primary and two replicas of it, each C node and each application agree, and all hosts
%% are at the same position. Returns the primary.
-spec settled() -> e2e_host:id().
settled() ->
    try
        ct_wait:until(fun agreed/0, ?SETTLE_MS)
    catch
        error:{condition_never_held, _} ->
            error({not_settled, [{Host, e2e_host:litefs_role(Host), catch e2e_host:app_state(Host),
                                  e2e_host:position(Host)} || Host <- e2e_host:all()]})
    end.

-spec agreed() -> e2e_host:id() | false.
agreed() ->
    case primary() of
        false ->
            false;
        Primary ->
            Name = list_to_binary(e2e_host:address(Primary)),
            Replicas = e2e_host:all() -- [Primary],
            Agree = lists:all(fun(H) -> e2e_host:litefs_role(H) =:= {replica, Name} end, Replicas)
                andalso lists:all(fun(H) -> says(H) =:= says(H, Primary) end, e2e_host:all())
                andalso same_position(),
            Agree andalso Primary
    end.

%% @doc What the host's application and its C node should say.
-spec says(e2e_host:id(), e2e_host:id()) -> term().
says(Primary, Primary) -> #{primary => {ok, e2e_host:app(Primary)}, is_primary => true, cnode => primary};
says(_, Primary) -> #{primary => {ok, e2e_host:cnode(Primary)}, is_primary => false, cnode => replica}.

%% @doc What they say.
-spec says(e2e_host:id()) -> term().
says(Host) -> e2e_host:app_state(Host).

-spec same_position() -> boolean().
same_position() ->
    case lists:usort([e2e_host:position(Host) || Host <- e2e_host:all()]) of
        [{ok, _}] -> true;
        _ -> false
    end.

%% @doc The host that LiteFS says is primary, if there is just one.
-spec primary() -> e2e_host:id() | false.
primary() ->
    case [Host || Host <- e2e_host:all(), e2e_host:litefs_role(Host) =:= primary] of
        [Primary] -> Primary;
        _ -> false
    end.

-spec replicas() -> [e2e_host:id()].
replicas() ->
    e2e_host:all() -- [primary()].

-spec contents() -> #{e2e_host:id() => e2e_invariant:host()}.
contents() ->
    maps:from_list([{Host, e2e_host:contents(Host)} || Host <- e2e_host:all()]).
