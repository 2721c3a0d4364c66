%% @doc Says so when the Elixir package that has the same modules is loaded beside this application.
%%
%% Which of two modules of one name is loaded depends on the order of the code path, so that the two
%% would answer each other's calls in a mix that nobody has tested.
-module(ecto_litefs_clash).

%% API
-export([report/0]).
-export([find/2]).

-include_lib("kernel/include/logger.hrl").

-define(FACADE, 'Elixir.EctoLiteFS').

%% @doc Logs an error if there is a clash.
-spec report() -> ok.
report() ->
    case find(code:get_path(), source()) of
        none ->
            ok;
        {twice, Folders} ->
            ?LOG_ERROR("EctoLiteFS: the module is on the code path more than once (~ts): "
                       "this application and the Hex package ecto_litefs cannot be used together; "
                       "keep one", [lists:join(", ", Folders)]);
        {foreign, Source} ->
            ?LOG_ERROR("EctoLiteFS: the module comes from ~ts, not from this application: "
                       "the Hex package ecto_litefs cannot be used beside it; remove one", [Source])
    end.

%% @doc Looks through a code path, and at the source that the loaded module was compiled from.
-spec find([file:filename()], string()) -> none | {twice, [file:filename()]} | {foreign, string()}.
find(CodePath, Source) ->
    Beam = atom_to_list(?FACADE) ++ ".beam",
    %% The same folder may be there twice, or under several names.
    Folders = lists:usort([filename:absname(F) || F <- CodePath,
                                                  filelib:is_regular(filename:join(F, Beam))]),
    case {Folders, filename:extension(Source)} of
        {[_, _ | _], _} -> {twice, Folders};
        {_, ".ex"} -> {foreign, Source};
        _ -> none
    end.

source() ->
    proplists:get_value(source, ?FACADE:module_info(compile), "").
