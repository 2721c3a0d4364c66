%% @doc Where the C node's program is.
%%
%% The build puts `ecto_litefs_node' into the application's `priv' folder. It is a program of its
%% own, started by the operating system's supervisor beside LiteFS, never loaded into this VM.
-module(ecto_litefs_cnode).

%% API
-export([executable/0]).

-define(PROGRAM, "ecto_litefs_node").

%% @doc The program's path; `{error, not_built}' if it is not there or may not be executed.
-spec executable() -> {ok, file:filename()} | {error, not_built}.
executable() ->
    case code:priv_dir(ecto_litefs) of
        {error, bad_name} ->
            {error, not_built};
        Priv ->
            case os:find_executable(?PROGRAM, Priv) of
                false -> {error, not_built};
                Path -> {ok, Path}
            end
    end.
