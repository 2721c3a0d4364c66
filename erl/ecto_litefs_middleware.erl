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

%% What is raised on the primary is raised here as erpc raises it.
forward(Repo, Node, Super, Resource, #{action := Action} = Resolution) ->
    Started = erlang:monotonic_time(),
    Metadata = #{repo => Repo, action => Action, primary_node => Node},
    ok = ecto_litefs_telemetry:forward(start, #{system_time => erlang:system_time()}, Metadata),
    try
        Timeout = ecto_litefs_api:get_erpc_timeout(Repo),
        Fun = ecto_litefs_closure:make(Repo, Node, Super, {Resource, Resolution}, Timeout),
        'Elixir.EctoLiteFS.RPC':call(Node, Fun, Timeout)
    of
        Result ->
            ok = ecto_litefs_telemetry:forward(stop, duration(Started), Metadata),
            Result
    catch
        error:{erpc, Reason} ->
            ok = ecto_litefs_telemetry:forward(exception, duration(Started),
                                               Metadata#{reason => Reason}),
            {error, {erpc, Reason, Node}}
    end.

duration(Started) ->
    #{duration => erlang:monotonic_time() - Started}.
