%% Faults through which programs over the C client library write: it finds the new primary, and repeats under its keys.
-module(e2e_client).

%% API
-export([all/0]).

-spec all() -> [e2e_basics:scenario()].
all() ->
    [{c_client, "the C client library: " ++ Title, fun() -> e2e_main:under_load(Fault#{id := Id, writers => client}) end}
     || {Like, Id} <- [{promote, c_client_promote}, {litefs_kill, c_client_kill}],
        #{id := Same, title := Title} = Fault <- e2e_faults:all(), Same =:= Like].
