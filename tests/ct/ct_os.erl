%% Programs of the operating system: run to the end, or kept running under this VM's control.
-module(ct_os).

%% API
-export([run/2]).
-export([run/3]).
-export([spawn_program/3]).
-export([signal/2]).
-export([free_port/0]).
-export([rss_kb/1]).

%% Runs a program to its end with stdout and stderr kept apart. Env as in open_port.
-spec run(string(), [iodata()]) -> {integer(), binary(), binary()}.
run(Program, Args) ->
    run(Program, Args, []).

-spec run(string(), [iodata()], [{string(), string() | false}]) -> {integer(), binary(), binary()}.
run(Program, Args, Env) ->
    Stderr = filename:join("/tmp", "ct_os_" ++ os:getpid() ++ "_" ++
                           integer_to_list(erlang:unique_integer([positive]))),
    Script = "err=$1; shift; exec \"$@\" 2>\"$err\" </dev/null",
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", Script, "sh", Stderr, Program | Args]}, {env, Env},
                      exit_status, binary, use_stdio]),
    {Code, Out} = collect(Port, []),
    {ok, Err} = file:read_file(Stderr),
    ok = file:delete(Stderr),
    {Code, Out, Err}.

collect(Port, Acc) ->
    receive
        {Port, {data, Data}} -> collect(Port, [Acc, Data]);
        {Port, {exit_status, Code}} -> {Code, iolist_to_binary(Acc)}
    end.

%% Starts a program whose output comes as lines to the calling process, and whose life ends, by SIGKILL, with
%% that process or this VM: the shell around it waits for its own stdin to close. The exit status of a
%% program that a signal ended is 128 + the signal. Returns its process id.
-spec spawn_program(string(), [iodata()], [{string(), string() | false}]) -> {port(), string()}.
spawn_program(Program, Args, Env) ->
    Script =
        "exec 3<&0; \"$@\" </dev/null 3<&- & pid=$!; echo \"pid=$pid\"\n"
        "{ while read -r _; do :; done; kill -KILL $pid; } <&3 >/dev/null 2>&1 & watcher=$!\n"
        "exec 3<&-; wait $pid; code=$?; kill $watcher; exit $code",
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", Script, "sh", Program | Args]}, {env, Env},
                      exit_status, binary, {line, 65536}, stderr_to_stdout]),
    receive
        {Port, {data, {eol, <<"pid=", Pid/binary>>}}} -> {Port, binary_to_list(Pid)}
    end.

-spec signal(string(), string()) -> ok.
signal(Pid, Name) ->
    _ = run("/bin/kill", ["-" ++ Name, Pid]),
    ok.

%% A TCP port that was free a moment ago.
-spec free_port() -> inet:port_number().
free_port() ->
    {ok, Socket} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    Port.

%% Resident memory of a process, in KiB.
-spec rss_kb(string()) -> non_neg_integer().
rss_kb(Pid) ->
    {ok, Status} = file:read_file("/proc/" ++ Pid ++ "/status"),
    {match, [Kb]} = re:run(Status, "VmRSS:\\s+(\\d+)", [{capture, all_but_first, list}]),
    list_to_integer(Kb).
