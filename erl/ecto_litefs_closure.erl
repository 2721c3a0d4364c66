%% @doc The closure that a write travels as: `Super(Resource, Resolution)', a fun of
%% EctoLiteFS.Middleware without arguments, as EctoLiteFS 1.0 sends it. A C node reads what is in
%% it; a BEAM node calls it.
%%
%% A BEAM node can call a fun only if it has the very build of the module that the fun names.
%% Another build (EctoLiteFS 1.0, another version of ours) has the same fun under another checksum:
%% the module's, which it is asked for once. Then the fun's external format is given that checksum.
%% This works since in every build that fun is the module's first.
%%
%%    112, Size:32, Arity, Uniq:16 bytes, Index:32, NumFree:32, Module, OldIndex, OldUniq, Pid, ...
%%    Uniq is the module's MD5, OldUniq its first 27 bits (NEW_FUN_EXT)
-module(ecto_litefs_closure).

%% API
-export([make/5]).
-export([rebuild/2]).

-define(FACADE, 'Elixir.EctoLiteFS.Middleware').

%% `own': the node has our build, or is no BEAM node, or has none at all.
-type build() :: own | {md5, binary()}.
-export_type([build/0]).

%% @doc The fun for that node. Raises `{erpc, Reason}' if the node cannot be asked for its build.
-spec make(module(), node(), fun((term(), map()) -> term()), {term(), map()}, timeout()) ->
          fun(() -> term()).
make(Repo, Node, Super, {Resource, Resolution}, Timeout) ->
    Own = ?FACADE:forwarded(Super, Resource, Resolution),
    case build(Repo, Node, Timeout) of
        own -> Own;
        {md5, Md5} -> rebuild(Own, Md5)
    end.

%% @doc The same fun, of another build of its module.
-spec rebuild(fun(() -> term()), binary()) -> fun(() -> term()).
rebuild(Fun, <<OldUniq:27, _:101>> = Md5) ->
    <<131, 112, _:32, Arity, _:16/binary, Indices:8/binary, Rest/binary>> = term_to_binary(Fun),
    {Module, AfterModule} = term_size(Rest),
    {OldIndex, AfterIndex} = term_size(AfterModule),
    {_, Environment} = term_size(AfterIndex),
    <<131, Uniq/binary>> = term_to_binary(OldUniq),
    Body = <<Arity, Md5/binary, Indices/binary, Module/binary, OldIndex/binary, Uniq/binary,
             Environment/binary>>,
    binary_to_term(<<131, 112, (byte_size(Body) + 4):32, Body/binary>>).

%% The first term's bytes, and those after it.
term_size(Bytes) ->
    {_, Used} = binary_to_term(<<131, Bytes/binary>>, [used]),
    <<Term:(Used - 1)/binary, Rest/binary>> = Bytes,
    {Term, Rest}.

build(Repo, Node, Timeout) ->
    case ecto_litefs_cache:build(Repo, Node) of
        {ok, Build} -> Build;
        none -> ask(Repo, Node, Timeout, lists:member(Node, nodes(connected)))
    end.

%% A node that is not connected was set by hand; the call itself tells what is the matter with it.
ask(_, _, _, false) ->
    own;
ask(Repo, Node, Timeout, true) ->
    Own = ?FACADE:module_info(md5),
    Build = try erpc:call(Node, ?FACADE, module_info, [md5], Timeout) of
        Own -> own;
        <<_:128>> = Md5 -> {md5, Md5};
        _ -> own
    catch
        error:{exception, undef, _} -> own
    end,
    ok = ecto_litefs_cache:keep_build(Repo, Node, Build),
    Build.
