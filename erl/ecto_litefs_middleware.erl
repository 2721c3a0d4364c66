%% @doc The middleware: a Repo's writes run here on the primary and are forwarded from elsewhere.
%%
%% EctoMiddleware is called at run time: only an application that has it calls us.
-module(ecto_litefs_middleware).

-include_lib("kernel/include/logger.hrl").

%% API
-export([process/2]).
-export([write/4]).

-define(FACADE, 'Elixir.EctoLiteFS.Middleware').
-define(RESOLUTION, 'Elixir.EctoMiddleware.Resolution').
-define(ENGINE, 'Elixir.EctoMiddleware.Engine').

-type super() :: fun((term(), map()) -> term()).

%% @doc A write goes on with its last step, the Repo's own function, wrapped by write/4; all else
%% goes on as it is. EctoMiddleware's guard is_write/2 takes every action for a write that is none
%% of the reads.
-spec process(term(), map()) -> term().
process(Resource, #{action := Action} = Resolution) ->
    {Result, _} = case is_read(Action) of
        true -> yield(Resource, Resolution);
        false -> yield(Resource, wrap(Resolution))
    end,
    Result.

is_read(Action) ->
    lists:member(Action, [get, 'get!', get_by, 'get_by!', one, 'one!', all, reload, 'reload!',
                          preload]).

wrap(#{repo := Repo} = Resolution) ->
    Super = ecto_litefs_elixir:call(?RESOLUTION, get_private, [Resolution, '__super__']),
    Wrapped = ?FACADE:forwarding(Repo, Super),
    ecto_litefs_elixir:call(?RESOLUTION, put_private, [Resolution, '__super__', Wrapped]).

yield(Resource, Resolution) ->
    ecto_litefs_elixir:call(?ENGINE, yield, [Resource, Resolution]).

%% @doc The write itself, where it belongs.
-spec write(module(), super(), term(), map()) -> term().
write(Repo, Super, Resource, Resolution) ->
    case ecto_litefs_remote:inside(Repo) of
        true -> Super(Resource, Resolution);
        false -> route(Repo, Super, Resource, Resolution)
    end.

route(Repo, Super, Resource, Resolution) ->
    Primary = ecto_litefs_api:get_primary(Repo),
    case ecto_litefs_decision:route(Primary, ecto_litefs_cache:exists(Repo)) of
        local ->
            Super(Resource, Resolution);
        pass_through ->
            ?LOG_DEBUG("EctoLiteFS.Middleware[~ts]: no supervisor runs, passing through",
                       [ecto_litefs_elixir:inspect(Repo)]),
            Super(Resource, Resolution);
        {forward, Node} ->
            forward(Repo, Node, Super, Resource, Resolution);
        {error, _} = Error ->
            Error
    end.

forward(Repo, Node, Super, Resource, #{action := Action} = Resolution) ->
    Started = erlang:monotonic_time(),
    Metadata = #{repo => Repo, action => Action, primary_node => Node},
    ok = ecto_litefs_telemetry:forward(start, #{system_time => erlang:system_time()}, Metadata),
    Attempt = ecto_litefs_forward:attempt(Node, fun() ->
        send(ecto_litefs_forward:way(Repo, Node), {Repo, Node}, Super, {Resource, Resolution})
    end),
    case Attempt of
        {ok, Result} ->
            ok = ecto_litefs_telemetry:forward(stop, duration(Started), Metadata),
            Result;
        {error, Why} ->
            ok = ecto_litefs_telemetry:forward(exception, duration(Started),
                                               Metadata#{reason => reason(Why)}),
            {error, Why}
    end.

send(remote, {Repo, _}, Super, {Resource, Resolution}) ->
    ecto_litefs_remote:run(Repo, fun() -> Super(Resource, Resolution) end);
%% What is raised there is raised here as erpc raises it.
send(beam, {Repo, Node}, Super, Write) ->
    Timeout = ecto_litefs_api:get_erpc_timeout(Repo),
    Fun = ecto_litefs_closure:make(Repo, Node, Super, Write, Timeout),
    'Elixir.EctoLiteFS.RPC':call(Node, Fun, Timeout).

reason({erpc, Reason, _}) -> Reason;
reason(primary_unavailable) -> primary_unavailable.

duration(Started) ->
    #{duration => erlang:monotonic_time() - Started}.
