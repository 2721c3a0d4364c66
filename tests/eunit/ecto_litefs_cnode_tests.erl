-module(ecto_litefs_cnode_tests).

-include_lib("eunit/include/eunit.hrl").

built_test() ->
    {ok, Path} = ecto_litefs_cnode:executable(),
    ?assertEqual("ecto_litefs_node", filename:basename(Path)),
    ?assert(filelib:is_regular(Path)).

%% An application folder of that name, before the real one in the code path, whose priv is empty.
not_built_test() ->
    Top = filename:join("/tmp", "cnode_tests_" ++ os:getpid()),
    Ebin = filename:join([Top, "ecto_litefs", "ebin"]),
    ok = filelib:ensure_path(Ebin),
    ok = filelib:ensure_path(filename:join([Top, "ecto_litefs", "priv"])),
    true = code:add_patha(Ebin),
    try
        ?assertEqual({error, not_built}, ecto_litefs_cnode:executable()),
        ok = file:write_file(filename:join([Top, "ecto_litefs", "priv", "ecto_litefs_node"]), "no x bit"),
        ?assertEqual({error, not_built}, ecto_litefs_cnode:executable())
    after
        true = code:del_path(Ebin),
        ok = file:del_dir_r(Top)
    end.
