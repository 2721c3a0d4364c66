-module(ecto_litefs_closure_tests).

-include_lib("eunit/include/eunit.hrl").

-define(FACADE, 'Elixir.EctoLiteFS.Middleware').

%% What a real EctoLiteFS 1.0 sent is in tests/vectors/ectolitefs-1.0.

shape_is_that_of_ectolitefs_test_() ->
    Files = filelib:wildcard(filename:join(vectors(), "*.fun.etf")),
    [?_assertNotEqual([], Files)
     | [{filename:basename(F), fun() -> same_shape(read(F)) end} || F <- Files]].

same_shape(Theirs) ->
    [Super, Resource, Resolution] = info(env, Theirs),
    Ours = ?FACADE:forwarded(Super, Resource, Resolution),
    ?assertEqual(info([module, arity, index, new_index, env, type], Theirs),
                 info([module, arity, index, new_index, env, type], Ours)),
    #{private := #{'__super__' := TheirSuper}, repo := Repo} = Resolution,
    OurSuper = ?FACADE:forwarding(Repo, Super),
    ?assertEqual(info([module, arity, index, new_index, env, type], TheirSuper),
                 info([module, arity, index, new_index, env, type], OurSuper)).

rebuilt_for_ectolitefs_it_is_the_same_fun_test_() ->
    [{filename:basename(F), fun() ->
        Theirs = read(F),
        [Super, Resource, Resolution] = info(env, Theirs),
        Ours = ?FACADE:forwarded(Super, Resource, Resolution),
        Rebuilt = ecto_litefs_closure:rebuild(Ours, info(new_uniq, Theirs)),
        Keys = [module, arity, index, new_index, env, type, uniq, new_uniq],
        ?assertEqual(info(Keys, Theirs), info(Keys, Rebuilt))
     end} || F <- filelib:wildcard(filename:join(vectors(), "*.fun.etf"))].

rebuilt_for_our_own_build_it_runs_test() ->
    Fun = ?FACADE:forwarded(fun(A, B) -> {A, B} end, 1, #{}),
    ?assertEqual({1, #{}}, (ecto_litefs_closure:rebuild(Fun, ?FACADE:module_info(md5)))()).

info(Keys, Fun) when is_list(Keys) ->
    [{Key, info(Key, Fun)} || Key <- Keys];
info(Key, Fun) ->
    {Key, Value} = erlang:fun_info(Fun, Key),
    Value.

read(File) ->
    {ok, Bytes} = file:read_file(File),
    binary_to_term(Bytes).

%% rebar3 compiles a copy of this module below _build/; the vectors stay where they are.
vectors() ->
    find(filename:dirname(proplists:get_value(source, ?MODULE:module_info(compile)))).

find(Dir) ->
    Vectors = filename:join([Dir, "tests", "vectors", "ectolitefs-1.0"]),
    case filelib:is_dir(Vectors) of
        true -> Vectors;
        false when Dir =/= "/" -> find(filename:dirname(Dir))
    end.
