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

-define(PAUSE_MS, 10).

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

%% Where there is a supervisor, a primary that was lost is waited for.
route(Repo, Super, Resource, Resolution) ->
    case ecto_litefs_cache:exists(Repo) of
        true ->
            Deadline = ecto_litefs_attempt:deadline(ecto_litefs_cache:erpc_timeout(Repo)),
            route({Repo, Super, Resource, Resolution}, Deadline);
        false ->
            ?LOG_DEBUG("EctoLiteFS.Middleware[~ts]: no supervisor runs, passing through",
                       [ecto_litefs_elixir:inspect(Repo)]),
            Super(Resource, Resolution)
    end.

route({Repo, Super, Resource, Resolution} = Write, Deadline) ->
    Primary = ecto_litefs_follow:primary(Repo, Deadline),
    case ecto_litefs_decision:route(Primary, true) of
        local -> Super(Resource, Resolution);
        {forward, Node} -> forward(Node, Write, Deadline);
        {error, _} = Error -> Error
    end.

forward(Node, {Repo, _, _, #{action := Action}} = Write, Deadline) ->
    Started = erlang:monotonic_time(),
    Metadata = #{repo => Repo, action => Action, primary_node => Node},
    ok = ecto_litefs_telemetry:forward(start, #{system_time => erlang:system_time()}, Metadata),
    %% The time in which a primary was waited for counts.
    Began = Deadline - ecto_litefs_cache:erpc_timeout(Repo),
    {Attempt, Written} = ecto_litefs_call:during(Repo, Action, Began, fun() ->
        attempt(1, Node, Write, Deadline)
    end),
    case Attempt of
        {ok, Result} ->
            ok = ecto_litefs_telemetry:forward(stop, duration(Started), Metadata),
            ecto_litefs_written:result(Repo, Result, Written);
        {error, Why} ->
            ok = ecto_litefs_telemetry:forward(exception, duration(Started),
                                               Metadata#{reason => reason(Why)}),
            {error, Why}
    end.

%% The Repo's function is called anew only when all that it did is undone: a write of several
%% statements whose transaction was lost, or the primary is not reached in this way any more.
attempt(Number, Node, {Repo, _, _, _} = Write, Deadline) ->
    Attempt = ecto_litefs_forward:attempt(fun() ->
        send(ecto_litefs_forward:way(Repo, Node, Deadline), Node, Write, Deadline)
    end),
    case Attempt of
        {again, Why} -> again(Number, {Node, Why}, Write, Deadline);
        {ok, silent} -> again(Number, {Node, primary_unavailable}, Write, Deadline);
        {ok, Answer} -> Answer;
        {error, _} = Error -> Error
    end.

again(Number, {Node, Why}, {Repo, Super, Resource, Resolution} = Write, Deadline) ->
    timer:sleep(min(?PAUSE_MS, ecto_litefs_attempt:left(Deadline))),
    Primary = ecto_litefs_follow:primary(Repo, Deadline),
    case {ecto_litefs_attempt:left(Deadline), ecto_litefs_decision:route(Primary, true)} of
        {0, _} ->
            {error, Why};
        {_, local} ->
            {ok, Super(Resource, Resolution)};
        {_, {forward, Next}} ->
            ok = ecto_litefs_call:retried(Repo, {Node, Next}, Why, Number + 1),
            attempt(Number + 1, Next, Write, Deadline);
        {_, {error, _} = Error} ->
            Error
    end.

send(silent, _, _, _) ->
    silent;
send(remote, _, {Repo, Super, Resource, Resolution}, _) ->
    {ok, ecto_litefs_remote:run(Repo, fun() -> Super(Resource, Resolution) end)};
%% What is raised there is raised here as erpc raises it. It is sent once, since it has no key, and has
%% the time that is left after waiting for a primary.
send(beam, Node, {Repo, Super, Resource, Resolution}, Deadline) ->
    case ecto_litefs_attempt:left(Deadline) of
        0 ->
            silent;
        Timeout ->
            ecto_litefs_forward:call(Node, fun() ->
                Fun = ecto_litefs_closure:make(Repo, Node, Super, {Resource, Resolution}, Timeout),
                'Elixir.EctoLiteFS.RPC':call(Node, Fun, max(1, ecto_litefs_attempt:left(Deadline)))
            end)
    end.

%% Also one of the tracker row that cannot be read.
reason({erpc, Reason, _}) -> Reason;
reason(Why) -> Why.

duration(Started) ->
    #{duration => erlang:monotonic_time() - Started}.
