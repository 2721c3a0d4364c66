%% @doc What takes time, done for its owner one after the other, each in a process of its own.
%%
%% A job is linked: it neither outlives its owner nor dies unnoticed. When it is done, the owner gets
%% `{done, Pid, Result}', and asks here what that was and who waits for it.
-module(ecto_litefs_jobs).

%% API
-export([new/1]).
-export([is_idle/1]).
-export([add/3]).
-export([join/3]).
-export([done/2]).

-type task() :: ecto_litefs_task:task().
-type waiting() :: [gen_server:from()].
-record(job, {task :: task(), waiting :: waiting()}).
-record(jobs, {
    run :: fun((task()) -> ecto_litefs_task:result()),
    running = none :: none | {pid(), #job{}},
    queue = [] :: [#job{}]
}).

-opaque t() :: #jobs{}.
-export_type([t/0]).

-spec new(fun((task()) -> ecto_litefs_task:result())) -> t().
new(Run) ->
    #jobs{run = Run}.

-spec is_idle(t()) -> boolean().
is_idle(#jobs{running = Running}) ->
    Running =:= none.

%% @doc After those that wait already.
-spec add(task(), waiting(), t()) -> t().
add(Task, Waiting, #jobs{queue = Queue} = Jobs) ->
    start(Jobs#jobs{queue = Queue ++ [#job{task = Task, waiting = Waiting}]}).

%% @doc Waits for the same task that is under way or comes first in the queue; adds it if there is none.
-spec join(task(), gen_server:from(), t()) -> t().
join(Task, From, #jobs{running = {Pid, #job{task = Task} = Job}} = Jobs) ->
    Jobs#jobs{running = {Pid, wait(From, Job)}};
join(Task, From, #jobs{queue = Queue} = Jobs) ->
    case lists:splitwith(fun(#job{task = Queued}) -> Queued =/= Task end, Queue) of
        {Before, [Job | After]} -> Jobs#jobs{queue = Before ++ [wait(From, Job) | After]};
        {_, []} -> add(Task, [From], Jobs)
    end.

wait(From, #job{waiting = Waiting} = Job) ->
    Job#job{waiting = [From | Waiting]}.

%% @doc The process has told its result: which task it was, and who waits. The next one starts.
-spec done(pid(), t()) -> {task(), waiting(), t()} | none.
done(Pid, #jobs{running = {Pid, #job{task = Task, waiting = Waiting}}} = Jobs) ->
    {Task, Waiting, start(Jobs#jobs{running = none})};
done(_, _) ->
    none.

start(#jobs{run = Run, running = none, queue = [#job{task = Task} = Job | Queue]} = Jobs) ->
    Owner = self(),
    Pid = spawn_link(fun() ->
        %% A test's database connection that is lent to the owner serves its jobs too.
        _ = put('$callers', [Owner]),
        Owner ! {done, self(), Run(Task)}
    end),
    Jobs#jobs{running = {Pid, Job}, queue = Queue};
start(Jobs) ->
    Jobs.
