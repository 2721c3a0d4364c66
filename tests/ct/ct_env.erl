%% What the suites share: this VM as a distributed node of its own world (private EPMD, own cookie, own
%% names), temporary folders, peers.
-module(ct_env).

%% API
-export([start/1]).
-export([stop/1]).
-export([name/1]).
-export([dir/1]).
-export([cookie/0]).
-export([cookie_file/2]).
-export([program/0]).
-export([peer/0]).
-export([peer/1]).

%% For init_per_suite. A VM reads ERL_EPMD_PORT at its start only, so that it must be there already.
-spec start(Config) -> Config when Config :: [{atom(), term()}].
start(Config) ->
    case init:get_argument(epmd_port) of
        {ok, [[Text]]} -> start(list_to_integer(Text), Config);
        error -> error("set ERL_EPMD_PORT to a free port, as tests/run.sh does")
    end.

start(Port, Config) ->
    Epmd = ct_epmd:start(Port),
    {ok, _} = net_kernel:start(name("runner"), #{name_domain => longnames}),
    true = erlang:set_cookie(list_to_atom("ck" ++ integer_to_list(rand:uniform(1 bsl 60)))),
    [{epmd, Epmd}, {epmd_port, Port} | Config].

%% For end_per_suite.
-spec stop([{atom(), term()}]) -> ok.
stop(Config) ->
    ok = net_kernel:stop(),
    ct_epmd:stop(proplists:get_value(epmd, Config)).

%% A node name nobody else has.
-spec name(string()) -> node().
name(Prefix) ->
    list_to_atom(lists:concat([Prefix, "-", os:getpid(), "-", erlang:unique_integer([positive]),
                               "@127.0.0.1"])).

%% A new folder below the case's private one.
-spec dir([{atom(), term()}]) -> file:filename().
dir(Config) ->
    Dir = filename:join(proplists:get_value(priv_dir, Config),
                        integer_to_list(erlang:unique_integer([positive]))),
    ok = filelib:ensure_path(Dir),
    Dir.

-spec cookie() -> atom().
cookie() ->
    erlang:get_cookie().

%% A file that holds the cookie, with the given permissions.
-spec cookie_file(file:filename(), non_neg_integer()) -> file:filename().
cookie_file(Dir, Mode) ->
    Path = filename:join(Dir, "cookie"),
    ok = file:write_file(Path, atom_to_list(cookie())),
    ok = file:change_mode(Path, Mode),
    Path.

%% The C node's program: the one that was built, or the one that ECTO_LITEFS_NODE names.
-spec program() -> file:filename().
program() ->
    case os:getenv("ECTO_LITEFS_NODE") of
        false ->
            {ok, Path} = ecto_litefs_cnode:executable(),
            Path;
        Path ->
            Path
    end.

%% A BEAM node beside this one, controlled over its stdio; it ends with the calling process. It knows this
%% node's cookie unless the options (of the module peer) say otherwise.
-spec peer() -> {pid(), node()}.
peer() ->
    peer(#{}).

-spec peer(map()) -> {pid(), node()}.
peer(Options) ->
    Name = maps:get(node, Options, name("peer")),
    [Short, Host] = string:split(atom_to_list(Name), "@"),
    Cookie = maps:get(cookie, Options, cookie()),
    {ok, Peer, Node} = peer:start_link(#{
        name => Short, host => Host, longnames => true, connection => standard_io,
        args => ["-setcookie", atom_to_list(Cookie), "-connect_all", "false"
                 | maps:get(args, Options, [])]}),
    {Peer, Node}.
