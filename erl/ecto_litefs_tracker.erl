%% @doc The tracker of one Repo: keeps what is known, publishes the answer in the Repo's table,
%% reads and writes the tracker row.
%%
%% The decisions are in ecto_litefs_decision. Nothing here waits: what may take time (SQL, or asking
%% the port to read the row) is a job (ecto_litefs_jobs), so that an announced change is visible at once
%% whatever the database does. The view is kept in the table too, so that a tracker that follows after a
%% crash goes on where this one was.
-module(ecto_litefs_tracker).

-behaviour(gen_server).

-include_lib("kernel/include/logger.hrl").

%% API
-export([child_spec/1]).
-export([start_link/1]).
-export([await/2]).
-export([announce/2]).
-export([doubt/1]).
-export([denied/2]).

%% gen_server
-export([init/1]).
-export([handle_continue/2]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).

%% From LiteFS's finding of the new primary to its row.
-define(TRUST_MS, 1000).

-record(state, {
    config :: ecto_litefs_config:t(),
    repo :: module(),
    ecto :: boolean(),                       % is there an Ecto to reach the row with?
    jobs :: ecto_litefs_jobs:t(),
    view :: ecto_litefs_decision:view(),
    news :: ecto_litefs_news:t(),
    read_at :: integer(),                    % when the row in the view was current
    refreshed_at = never :: integer() | never,
    duty :: ecto_litefs_duty:t(),
    search = none :: none | ecto_litefs_search:t(),
    awaiting = [] :: [gen_server:from()]
}).

%% API

-spec child_spec(ecto_litefs_config:t()) -> supervisor:child_spec().
child_spec(Config) ->
    Module = 'Elixir.EctoLiteFS.Tracker',
    #{id => Module, start => {Module, start_link, [Config]}}.

-spec start_link(ecto_litefs_config:t()) -> gen_server:start_ret().
start_link(#{repo := Repo} = Config) ->
    gen_server:start_link({local, ecto_litefs_names:tracker(Repo)}, ?MODULE, Config, []).

%% @doc Waits for the first announcement, but not longer than the time given.
-spec await(module(), timeout()) -> ok.
await(Repo, Timeout) ->
    try
        gen_server:call(ecto_litefs_names:tracker(Repo), await, Timeout)
    catch
        exit:_ -> ok
    end.

%% @doc The port tells a state.
-spec announce(module(), ecto_litefs_decision:announced()) -> ok.
announce(Repo, State) ->
    gen_server:cast(ecto_litefs_names:tracker(Repo), {announce, State}).

%% @doc What the table says is too old.
-spec doubt(module()) -> ok.
doubt(Repo) ->
    gen_server:cast(ecto_litefs_names:tracker(Repo), doubt).

%% @doc A node has answered that it is not the primary.
-spec denied(module(), node()) -> ok.
denied(Repo, Node) ->
    gen_server:cast(ecto_litefs_names:tracker(Repo), {denied, Node}).

%% gen_server

-spec init(ecto_litefs_config:t()) -> {ok, #state{}, {continue, catch_up}}.
init(#{repo := Repo, refresh_grace_period := Grace} = Config) ->
    ok = net_kernel:monitor_nodes(true, [{node_type, all}]),
    Ecto = ecto_litefs_row:available(Config),
    Run = fun(Task) -> ecto_litefs_task:run(Task, Config, Ecto) end,
    New = #state{config = Config, repo = Repo, ecto = Ecto, jobs = ecto_litefs_jobs:new(Run),
                 view = ecto_litefs_decision:new(), news = ecto_litefs_news:new(Repo, none),
                 read_at = old(Config), duty = ecto_litefs_duty:new(Grace)},
    ok = listen(nodes(connected), New),
    {ok, take_over(ecto_litefs_cache:view(Repo), New), {continue, catch_up}}.

%% Where it is a C node, we hear from it if it is the primary, and when it becomes it: at once, while
%% the row is replicated only when this host's LiteFS has found its new primary. Nobody else has that
%% name.
listen(Nodes, #state{repo = Repo}) ->
    Request = {listen, ecto_litefs_names:cnode_repo(Repo), self()},
    %% (One that takes in nothing any more, a dead one perhaps, does not stop us until it is given up.)
    lists:foreach(fun(Node) -> erlang:send({ecto_litefs, Node}, Request, [noconnect, nosuspend]) end, Nodes).

%% What the tracker before this one knew and told.
take_over(none, State) ->
    State;
take_over({ok, View, ReadAt}, #state{repo = Repo} = State) ->
    Told = case ecto_litefs_cache:last_primary(Repo) of
        {ok, Node} -> {Node, ecto_litefs_decision:role(View)};
        none -> none
    end,
    State#state{view = View, read_at = ReadAt, news = ecto_litefs_news:new(Repo, Told)}.

%% After a crash: what the port announced meanwhile was lost.
-spec handle_continue(catch_up, #state{}) -> {noreply, #state{}}.
handle_continue(catch_up, #state{repo = Repo} = State) ->
    ok = ecto_litefs_detector:announce_again(Repo),
    {noreply, due(publish(State))}.

-spec handle_call(term(), gen_server:from(), #state{}) ->
          {reply, term(), #state{}} | {noreply, #state{}}.
handle_call(ready, _From, State) ->
    {reply, known(State) andalso not ecto_litefs_duty:is_due(State#state.duty), State};
handle_call(await, From, State) ->
    case known(State) of
        true -> {reply, ok, State};
        false -> {noreply, State#state{awaiting = [From | State#state.awaiting]}}
    end;
handle_call({set_primary, Node}, From, State) ->
    {noreply, do({set, Node}, [From], State)};
handle_call(Request, From, State) ->
    case known(State) of
        true -> known_call(Request, From, State);
        false -> {reply, {error, not_ready}, State}
    end.

known_call(refresh, From, State) ->
    case ecto_litefs_decision:rests_on_row(State#state.view) andalso not within_grace(State) of
        true -> {noreply, State#state{jobs = ecto_litefs_jobs:join(read, From, State#state.jobs)}};
        false -> {reply, {ok, answer(State)}, publish(State)}
    end;
known_call(force_refresh, From, State) ->
    {noreply, do(read, [From], State)};
known_call(set_replica, From, State) ->
    {noreply, do(replica, [From], State)};
known_call(invalidate_cache, _From, #state{repo = Repo} = State) ->
    ok = ecto_litefs_cache:invalidate(Repo),
    {reply, ok, State#state{read_at = old(State#state.config), refreshed_at = never}}.

-spec handle_cast({announce, ecto_litefs_decision:announced()} | doubt | {denied, node()},
                  #state{}) -> {noreply, #state{}}.
handle_cast(doubt, State) ->
    {noreply, in_doubt(State)};
handle_cast({denied, Node}, #state{view = View} = State) ->
    case ecto_litefs_decision:denied(Node, View) of
        View -> {noreply, in_doubt(State)};
        %% Seen at once, whatever job is running.
        Denied -> {noreply, in_doubt(publish_known(State#state{view = Denied}))}
    end;
handle_cast({announce, Announced}, #state{view = Old, awaiting = Awaiting} = State) ->
    View = ecto_litefs_decision:announce(Announced, Old),
    Changed = ecto_litefs_decision:changed(Old, View),
    News = ecto_litefs_decision:told(View) =/= ecto_litefs_decision:told(Old),
    ReadAt = case Changed andalso on_trust(View) =:= nil of
        _ when News -> now_ms();
        true -> old(State#state.config);
        false -> State#state.read_at
    end,
    State1 = publish(State#state{view = View, read_at = ReadAt, awaiting = []}),
    lists:foreach(fun(From) -> gen_server:reply(From, ok) end, Awaiting),
    {noreply, changed(Changed, Old, State1)}.

in_doubt(#state{view = View} = State) ->
    case is_idle(State) of
        false -> State;
        true ->
            case ecto_litefs_decision:rests_on_row(View) andalso not within_grace(State) of
                true -> do(read, [], State);
                false -> publish(State)
            end
    end.

said(Node, #state{view = Old} = State) ->
    View = ecto_litefs_decision:said(Node, Old),
    case on_trust(View) of
        %% Nobody has to wait for the row meanwhile.
        Node -> State#state{view = View, read_at = now_ms()};
        _ -> State#state{view = View}
    end.

%% LiteFS has found a primary, whose row is about to come: a word is not trusted for longer.
limit_trust(#state{view = View} = State) ->
    case on_trust(View) of
        nil -> ok;
        Node -> _ = erlang:start_timer(?TRUST_MS, self(), {end_of_trust, Node}), ok
    end,
    State.

%% A replica reads the row now and not when somebody asks; a primary has its duty.
changed(false, _, State) ->
    State;
changed(true, Old, State) ->
    State1 = due(limit_trust(State)),
    case ecto_litefs_decision:role(State1#state.view) of
        replica ->
            %% A new primary may have told us before LiteFS had lost the old one. Once LiteFS has
            %% found it nobody else is asked.
            ok = case ecto_litefs_decision:looking(State1#state.view) of
                true -> listen(nodes(connected), State1);
                false -> ok
            end,
            search(Old, do(read, [], State1));
        _ -> State1
    end.

%% The port reads the row by itself, but not as often. (Without an Ecto to read it with that has to
%% do.)
search(Old, #state{ecto = true, search = Search} = State) ->
    case ecto_litefs_decision:role(Old) of
        none -> State;
        _ when Search =:= none -> search_on(State#state{search = ecto_litefs_search:new(Old, now_ms())});
        _ -> State#state{search = ecto_litefs_search:new(Old, now_ms())}
    end;
search(_, State) ->
    State.

search_on(#state{search = Search, view = View} = State) ->
    case ecto_litefs_search:next(Search, View, nodes_now(), now_ms()) of
        done ->
            State#state{search = none};
        {again, Pause, Search1} ->
            _ = erlang:start_timer(Pause, self(), search),
            State#state{search = Search1}
    end.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({done, Pid, Result}, #state{jobs = Jobs} = State) ->
    case ecto_litefs_jobs:done(Pid, Jobs) of
        {Task, Waiting, Left} -> {noreply, finish(Task, Result, Waiting, State#state{jobs = Left})};
        none -> {noreply, State}
    end;
handle_info({timeout, Timer, duty}, #state{view = View, duty = Duty} = State) ->
    {Fired, Left} = ecto_litefs_duty:fired(Timer, Duty),
    State1 = State#state{duty = Left},
    case ecto_litefs_decision:duty(View) of
        Owed when Fired, Owed =/= none -> {noreply, do({duty, Owed}, [], State1)};
        _ -> {noreply, State1}
    end;
handle_info({timeout, _, {end_of_trust, Node}}, #state{view = View} = State) ->
    {noreply, publish_known(State#state{view = ecto_litefs_decision:taken_back(Node, View)})};
handle_info({timeout, _, search}, State) ->
    case is_idle(State) of
        true -> {noreply, search_on(do(read, [], State))};
        false -> {noreply, search_on(State)}
    end;
handle_info({nodeup, Node, _}, State) ->
    ok = listen([Node], State),
    {noreply, publish_known(State)};
handle_info({ecto_litefs, primary, _, Node}, State) when is_atom(Node) ->
    {noreply, publish_known(said(Node, State))};
handle_info({nodedown, Node, _}, #state{repo = Repo} = State) ->
    ok = ecto_litefs_cache:forget_node(Repo, Node),
    {noreply, renew(publish_known(State))};
handle_info(_, State) ->
    {noreply, State}.

%% Jobs

do(Task, Waiting, #state{jobs = Jobs} = State) ->
    State#state{jobs = ecto_litefs_jobs:add(Task, Waiting, Jobs)}.

is_idle(#state{jobs = Jobs}) ->
    ecto_litefs_jobs:is_idle(Jobs).

finish(read, {ok, Name}, Waiting, State) ->
    Now = now_ms(),
    State1 = row_read(Name, State#state{refreshed_at = Now, read_at = Now}),
    reply(Waiting, {ok, answer(State1)}, State1);
%% Without Ecto there is only the port to ask, and while that is away what it said last serves on.
finish(read, {error, _}, Waiting, #state{ecto = false} = State) ->
    State1 = publish(State#state{read_at = now_ms()}),
    reply(Waiting, {ok, answer(State1)}, State1);
finish(replica, {ok, Name}, Waiting, #state{view = View} = State) ->
    State1 = row_read(Name, State#state{view = ecto_litefs_decision:row_decides(View),
                                        read_at = now_ms()}),
    reply(Waiting, ok, State1);
finish({set, Node}, ok, Waiting, #state{view = View} = State) ->
    ?LOG_DEBUG("EctoLiteFS.Tracker[~ts]: ~ts is set as primary", [repo(State), Node]),
    State1 = publish(State#state{view = ecto_litefs_decision:set(Node, View), read_at = now_ms()}),
    reply(Waiting, ok, State1);
finish({duty, _}, ok, _, #state{duty = Duty} = State) ->
    State#state{duty = ecto_litefs_duty:done(Duty)};
%% The port may read no row: this is how we know of the C node beside us.
finish({duty, _}, {ok, Name}, _, #state{view = View, duty = Duty} = State) ->
    publish(State#state{view = ecto_litefs_decision:claimed(Name, View), duty = ecto_litefs_duty:done(Duty)});
finish({duty, _}, {error, Reason}, _, #state{duty = Duty} = State) ->
    {Delay, Failed} = ecto_litefs_duty:failed(Duty),
    ?LOG_WARNING("EctoLiteFS.Tracker[~ts]: the tracker table cannot be written, trying again in "
                 "~b ms: ~ts", [repo(State), Delay, ecto_litefs_elixir:inspect(Reason)]),
    State#state{duty = Failed};
finish(Task, {error, Reason} = Error, Waiting, State) ->
    ?LOG_DEBUG("EctoLiteFS.Tracker[~ts]: ~ts failed: ~ts",
               [repo(State), ecto_litefs_elixir:inspect(Task), ecto_litefs_elixir:inspect(Reason)]),
    reply(Waiting, Error, State).

reply(Waiting, Answer, State) ->
    lists:foreach(fun(From) -> gen_server:reply(From, Answer) end, Waiting),
    State.

row_read(Name, #state{view = View} = State) ->
    publish(State#state{view = ecto_litefs_decision:row_read(Name, View)}).

due(#state{view = View, duty = Duty} = State) ->
    State#state{duty = ecto_litefs_duty:due(ecto_litefs_decision:duty(View), Duty)}.

renew(#state{view = View, duty = Duty} = State) ->
    State#state{duty = ecto_litefs_duty:renew(ecto_litefs_decision:duty(View), Duty)}.

%% Publishing

publish_known(State) ->
    case known(State) of
        true -> publish(State);
        false -> State
    end.

%% The table first: whoever hears of the change finds it there.
publish(#state{repo = Repo, view = View, config = Config, news = News} = State) ->
    case known(State) of
        true ->
            Node = answer(State),
            Ttl = ttl(ecto_litefs_decision:rests_on_row(View), Node, Config),
            ok = ecto_litefs_cache:publish(Repo, Node, State#state.read_at, Ttl),
            ok = ecto_litefs_cache:keep_view(Repo, View, State#state.read_at),
            Missing = ecto_litefs_decision:unconnected(View, nodes_now()),
            Complained = ecto_litefs_news:complain(Missing, News),
            State#state{news = ecto_litefs_news:tell(Node, ecto_litefs_decision:role(View), Complained)};
        false ->
            State
    end.

%% That nobody is in the row is soon asked again: a new primary is about to write its name.
ttl(false, _, _) -> infinity;
ttl(true, nil, #{refresh_grace_period := Grace}) -> Grace;
ttl(true, _, #{cache_ttl := Ttl}) -> Ttl.

known(#state{view = View}) ->
    ecto_litefs_decision:role(View) =/= none.

answer(#state{view = View}) ->
    ecto_litefs_decision:answer(View, nodes_now()).

on_trust(View) ->
    ecto_litefs_decision:on_trust(View, nodes_now()).

nodes_now() ->
    [node() | nodes(connected)].

within_grace(#state{refreshed_at = never}) ->
    false;
within_grace(#state{refreshed_at = At, config = #{refresh_grace_period := Grace}}) ->
    now_ms() - At < Grace.

%% A time at which the row is out of date already.
old(#{cache_ttl := Ttl}) ->
    now_ms() - Ttl.

now_ms() ->
    erlang:monotonic_time(millisecond).

repo(#state{repo = Repo}) ->
    ecto_litefs_elixir:inspect(Repo).
