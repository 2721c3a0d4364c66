%% @doc Waits until this host's copy of a database has a write.
-module(ecto_litefs_await).

%% API
-export([position/3]).

-type error() :: timeout | diverged | no_database | no_position | file:posix().
-export_type([error/0]).

-define(FIRST_PAUSE_MS, 1).
-define(LONGEST_PAUSE_MS, 20).
-define(POSITION_BYTES, 34).

%% @doc At once where this host is the primary, and for a write without a position: one on a host
%% without LiteFS.
-spec position(module(), ecto_litefs_position:t() | nil, timeout()) -> ok | {error, error()}.
position(_, nil, _) ->
    ok;
position(Repo, Position, Timeout) ->
    wait(Repo, Position, ecto_litefs_attempt:deadline(Timeout), ?FIRST_PAUSE_MS).

wait(Repo, Position, Deadline, Pause) ->
    case look(Repo, Position) of
        yes ->
            ok;
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

%% The role anew each time: this host may become the primary meanwhile.
look(Repo, Position) ->
    case not ecto_litefs_cache:exists(Repo) orelse ecto_litefs_api:is_primary(Repo) of
        true ->
            yes;
        false ->
            case here(ecto_litefs_row:database(ecto_litefs_cache:config(Repo))) of
                {ok, Here} -> ecto_litefs_position:has(Here, Position);
                {error, enoent} -> not_yet;
                {error, Why} -> Why
            end
    end.

here(nil) ->
    {error, no_database};
here(Database) ->
    case read(<<Database/binary, "-pos">>) of
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

%% Raw: a mount that hangs must not hold up the VM's file server.
read(Path) ->
    case file:open(Path, [read, raw, binary]) of
        {ok, File} ->
            Read = file:read(File, ?POSITION_BYTES),
            _ = file:close(File),
            Read;
        Error ->
            Error
    end.
