%% Registration with EPMD, as a BEAM node does it.
-module(epmd_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 60}}].

all() ->
    [registers_and_unregisters, hidden_too, starts_epmd, registers_again, name_taken].

init_per_suite(Config) -> ct_env:start(Config).
end_per_suite(Config) -> ct_env:stop(Config).

registers_and_unregisters(Config) ->
    EpmdPort = ?config(epmd_port, Config),
    Node = #{port := Port} = ct_node:start(Config),
    Short = short(Node),
    ?assertEqual({ok, Port}, ct_epmd:lookup(EpmdPort, Short)),
    ct_node:stop(Node),
    ct_wait:until(fun() -> is_gone(EpmdPort, Short) end).

hidden_too(Config) ->
    Node = #{port := Port} = ct_node:start(Config, #{args => ["--hidden"]}),
    ?assertEqual({ok, Port}, ct_epmd:lookup(?config(epmd_port, Config), short(Node))),
    ct_node:stop(Node).

%% Nobody listens there: the node starts `epmd -daemon` itself.
starts_epmd(Config) ->
    EpmdPort = ct_os:free_port(),
    {error, econnrefused} = ct_epmd:names(EpmdPort),
    Node = ct_node:start(Config, #{env => ct_epmd:env(EpmdPort)}),
    try
        ?assertEqual({ok, [list_to_binary(short(Node))]}, ct_epmd:names(EpmdPort))
    after
        ct_node:stop(Node),
        ct_wait:until(fun() -> is_gone(EpmdPort, short(Node)) end),
        {0, _, _} = ct_os:run(os:find_executable("epmd"), ["-kill"], ct_epmd:env(EpmdPort))
    end.

registers_again(Config) ->
    EpmdPort = ct_os:free_port(),
    First = ct_epmd:start(EpmdPort),
    Node = #{port := Port} = ct_node:start(Config, #{env => ct_epmd:env(EpmdPort)}),
    ct_epmd:stop(First),
    {error, econnrefused} = ct_epmd:names(EpmdPort),
    Second = ct_epmd:start(EpmdPort),
    ct_wait:until(fun() -> ct_epmd:lookup(EpmdPort, short(Node)) =:= {ok, Port} end, 30000),
    ct_node:stop(Node),
    ct_epmd:stop(Second).

%% One clear line, another exit code than success, and the first node goes on.
name_taken(Config) ->
    Node = #{name := Name} = ct_node:start(Config),
    Other = ct_node:launch(Config, #{name => Name}),
    Code = ct_node:await_exit(Other),
    ?assert(Code > 0 andalso Code < 128),
    Errors = [L || L <- ct_node:lines(Other), binary:match(L, list_to_binary(short(Node))) =/= nomatch],
    ?assertMatch([_], Errors),
    ?assertMatch(match, re:run(hd(Errors), "taken|in use|already", [{capture, none}])),
    ?assertEqual(Name, erpc:call(Name, erlang, node, [])),
    ct_node:stop(Node).

%% Helpers

short(#{name := Name}) ->
    hd(string:split(atom_to_list(Name), "@")).

is_gone(EpmdPort, Short) ->
    case ct_epmd:lookup(EpmdPort, Short) of
        {error, _} -> true;
        _ -> false
    end.
