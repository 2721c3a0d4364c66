%% @doc Waits until this host's copy of a database has a write.
-module(ecto_litefs_await).

%% API
-export([position/3]).

%% The process that reads.
-export([reader/2]).

-type error() :: timeout | diverged | no_database | no_position | file:posix().
-export_type([error/0]).

-define(FIRST_PAUSE_MS, 1).
-define(LONGEST_PAUSE_MS, 20).
-define(POSITION_BYTES, 34).
%% So long at least, and so even when the time is over, is waited for the file.
-define(LOOK_MS, 50).

%% @doc At once where this host is the primary, and for a write without a position: one on a host
%% without LiteFS.
-spec position(module(), ecto_litefs_position:t() | nil, timeout()) -> ok | {error, error()}.
position(_, nil, _) ->
    ok;
position(Repo, Position, Timeout) ->
    wait(Repo, Position, ecto_litefs_attempt:deadline(Timeout), ?FIRST_PAUSE_MS).

wait(Repo, Position, Deadline, Pause) ->
    case look(Repo, Position, Deadline) of
        yes ->
            ok;
        hangs ->
            {error, timeout};
        not_yet ->
            case ecto_litefs_attempt:left(Deadline) of
                0 ->
                    {error, timeout};
                Left ->
                    timer:sleep(min(Pause, Left)),
                    wait(Repo, Position, Deadline, min(2 * Pause, ?LONGEST_PAUSE_MS))
            end;
        Why ->
            {error, Why}
    end.

%% The role anew each time: this host may become the primary meanwhile. (The tracker is not waited for:
%% it may wait for a mount that hangs.)
look(Repo, Position, Deadline) ->
    case not ecto_litefs_cache:exists(Repo) orelse ecto_litefs_follow:glance(Repo) =:= {ok, node()} of
        true ->
            yes;
        false ->
            case here(Repo, ecto_litefs_row:database(ecto_litefs_cache:config(Repo)), Deadline) of
                {ok, Here} -> ecto_litefs_position:has(Here, Position);
                {error, enoent} -> not_yet;
                {error, Why} -> Why
            end
    end.

here(_, nil, _) ->
    {error, no_database};
here(Repo, Database, Deadline) ->
    case read_aside(Repo, <<Database/binary, "-pos">>, Deadline) of
        {ok, Text} ->
            case ecto_litefs_position:parse(Text) of
                {ok, Here} -> {ok, Here};
                error -> {error, no_position}
            end;
        eof ->
            {error, no_position};
        Error ->
            Error
    end.

%% A mount that hangs keeps whoever reads from it, and one of the VM's few threads for files with it: so a
%% process of its own reads, one for all that wait, and is left behind when it does not come back.
read_aside(Repo, Path, Deadline) ->
    {_, Ref} = spawn_monitor(?MODULE, reader, [Repo, Path]),
    from_reader(Ref, Repo, Path, Deadline).

from_reader(Ref, Repo, Path, Deadline) ->
    receive
        {'DOWN', Ref, process, _, {read, Result}} ->
            Result;
        {'DOWN', Ref, process, _, {reads_already, Reader}} ->
            from_reader(monitor(process, Reader), Repo, Path, Deadline);
        %% That one had just ended.
        {'DOWN', Ref, process, _, noproc} ->
            read_aside(Repo, Path, Deadline);
        %% Its supervisor has ended: the next look finds that there is nothing to wait for.
        {'DOWN', Ref, process, _, _} ->
            {error, enoent}
    after max(?LOOK_MS, ecto_litefs_attempt:left(Deadline)) ->
        true = demonitor(Ref, [flush]),
        {error, hangs}
    end.

-spec reader(module(), file:filename_all()) -> no_return().
reader(Repo, Path) ->
    Self = self(),
    case ecto_litefs_cache:claim_reader(Repo, Self) of
        Self ->
            Read = read(Path),
            ok = ecto_litefs_cache:free_reader(Repo, Self),
            exit({read, Read});
        Other ->
            exit({reads_already, Other})
    end.

%% Raw: not through the VM's file server.
read(Path) ->
    case file:open(Path, [read, raw, binary]) of
        {ok, File} ->
            Read = file:read(File, ?POSITION_BYTES),
            _ = file:close(File),
            Read;
        Error ->
            Error
    end.
