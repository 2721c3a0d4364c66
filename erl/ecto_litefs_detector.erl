%% @doc Owns the port of one Repo: configures it, hands its announcements to the tracker, opens it
%% again with back-off when it dies.
%%
%% A port's death is an ordinary event here and never reaches the supervisor's restart intensity.
%% What was announced last stays in force until the next port says otherwise. Only if there has been
%% no announcement at all does the tracker hear that the role is unknown.
-module(ecto_litefs_detector).

-behaviour(gen_server).

-include_lib("kernel/include/logger.hrl").

%% API
-export([child_spec/1]).
-export([start_link/1]).
-export([announce_again/1]).
-export([read_row/1]).

%% gen_server
-export([init/1]).
-export([handle_continue/2]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).
-export([terminate/2]).

%% The probe of a refresh takes the port one second at most.
-define(REFRESH_MS, 3000).
-define(LONGEST_POLL_MS, 86400000).
%% A port that lived so long starts the back-off anew when it dies.
-define(SETTLED_MS, 60000).

-record(state, {
    config :: ecto_litefs_config:t(),
    repo :: module(),
    port = none :: port() | none,
    opened_at = 0 :: integer(),
    retries = 0 :: non_neg_integer(),
    announced = none :: ecto_litefs_decision:announced() | none,
    refreshing = #{} :: #{reference() => gen_server:from()}
}).

%% API

-spec child_spec(ecto_litefs_config:t()) -> supervisor:child_spec().
child_spec(Config) ->
    Module = 'Elixir.EctoLiteFS.Poller',
    #{id => Module, start => {Module, start_link, [Config]}}.

-spec start_link(ecto_litefs_config:t()) -> gen_server:start_ret().
start_link(#{repo := Repo} = Config) ->
    gen_server:start_link({local, ecto_litefs_names:poller(Repo)}, ?MODULE, Config, []).

%% @doc Tells the tracker once more what was announced last.
-spec announce_again(module()) -> ok.
announce_again(Repo) ->
    gen_server:cast(ecto_litefs_names:poller(Repo), announce_again).

%% @doc Has the port read the row now.
-spec read_row(module()) -> {ok, binary() | nil} | {error, term()}.
read_row(Repo) ->
    try
        gen_server:call(ecto_litefs_names:poller(Repo), read_row, ?REFRESH_MS)
    catch
        exit:_ -> {error, no_port}
    end.

%% gen_server

-spec init(ecto_litefs_config:t()) -> {ok, #state{}, {continue, open}}.
init(#{repo := Repo} = Config) ->
    _ = process_flag(trap_exit, true),
    {ok, #state{config = Config, repo = Repo}, {continue, open}}.

-spec handle_continue(open, #state{}) -> {noreply, #state{}}.
handle_continue(open, State) ->
    {noreply, open(State)}.

-spec handle_call(read_row, gen_server:from(), #state{}) ->
          {reply, {error, no_port}, #state{}} | {noreply, #state{}}.
handle_call(read_row, _From, #state{port = none} = State) ->
    {reply, {error, no_port}, State};
handle_call(read_row, From, #state{port = Port, refreshing = Refreshing} = State) ->
    Tag = make_ref(),
    ok = ecto_litefs_port:send(Port, {refresh, Tag}),
    {noreply, State#state{refreshing = Refreshing#{Tag => From}}}.

-spec handle_cast(announce_again, #state{}) -> {noreply, #state{}}.
handle_cast(announce_again, #state{announced = none} = State) ->
    {noreply, State};
handle_cast(announce_again, State) ->
    {noreply, announce(State#state.announced, State)}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({Port, {data, Bytes}}, #state{port = Port} = State) ->
    case ecto_litefs_port:message(Bytes) of
        {ok, Message} -> {noreply, message(Message, State)};
        error -> {noreply, down("it does not speak our protocol", State)}
    end;
handle_info({Port, {exit_status, Code}}, #state{port = Port} = State) ->
    {noreply, down(io_lib:format("it ended with exit status ~b", [Code]), State)};
handle_info({'EXIT', Port, Reason}, #state{port = Port} = State) ->
    {noreply, down(io_lib:format("it ended: ~0tp", [Reason]), State)};
handle_info({timeout, _, open}, State) ->
    {noreply, open(State)};
handle_info(_, State) ->
    %% What a closed port had sent already.
    {noreply, State}.

-spec terminate(term(), #state{}) -> ok.
terminate(_, #state{config = #{detection := Detection}, port = Port}) ->
    ecto_litefs_port:close(Detection, Port).

open(#state{config = #{detection := Detection} = Config} = State) ->
    case ecto_litefs_port:open(Detection) of
        {ok, Port} ->
            ok = ecto_litefs_port:send(Port, {configure, configure, settings(Config)}),
            State#state{port = Port, opened_at = now_ms()};
        {error, Reason} ->
            down(Reason, State#state{opened_at = now_ms()})
    end.

settings(#{detection := Detection, poll_interval := Interval} = Config) ->
    Shared = maps:with([primary_file, event_stream_url, table_name], Config),
    Shared#{poll_interval => interval(Interval), database => database(Detection, Config)}.

%% The port takes no more than a day; EctoLiteFS takes any number.
interval(false) -> false;
interval(Ms) -> min(Ms, ?LONGEST_POLL_MS).

%% Two copies of SQLite in one process would break each other's locks on the file, and the Repo
%% brings one: inside this VM only the Repo reads the row.
database(port, Config) -> ecto_litefs_row:database(Config);
database(driver, _) -> nil.

message({configured, _}, State) ->
    State;
message({change, Announced}, State) ->
    announce(Announced, State);
message({refresh, Tag, Announced}, #state{refreshing = Refreshing} = State) ->
    case maps:take(Tag, Refreshing) of
        {From, Others} ->
            gen_server:reply(From, {ok, maps:get(node, Announced)}),
            announce(Announced, State#state{refreshing = Others});
        error ->
            State
    end;
message({position, _, _, _}, State) ->
    %% Positions are the C node's business.
    State;
message({error, _, Text}, State) ->
    down(Text, State).

announce(Announced, #state{repo = Repo} = State) ->
    ok = ecto_litefs_tracker:announce(Repo, Announced),
    State#state{announced = Announced}.

%% The port is gone or of no use.
down(Why, #state{config = #{repo := Repo, detection := Detection}} = State) ->
    ok = ecto_litefs_port:close(Detection, State#state.port),
    Retries = case now_ms() - State#state.opened_at > ?SETTLED_MS of
        true -> 0;
        false -> State#state.retries
    end,
    Delay = ecto_litefs_backoff:delay(Retries),
    ?LOG_WARNING("EctoLiteFS[~ts]: detection (~ts) is down, starting it again in ~b ms: ~ts",
                 [ecto_litefs_elixir:inspect(Repo), Detection, Delay, Why]),
    _ = erlang:start_timer(Delay, self(), open),
    _ = [gen_server:reply(From, {error, no_port}) || From <- maps:values(State#state.refreshing)],
    ensure_announced(State#state{port = none, retries = Retries + 1, refreshing = #{}}).

ensure_announced(#state{announced = none} = State) ->
    announce(ecto_litefs_decision:blind(), State);
ensure_announced(State) ->
    State.

now_ms() ->
    erlang:monotonic_time(millisecond).
