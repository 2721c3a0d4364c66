%% @doc Keys of requests that run once: 8 bytes that stand for this Repo in this VM, and a counter.
%% Keys of one client lie side by side in the C node's table, which makes them cheap there.
-module(ecto_litefs_key).

%% API
-export([source/0]).
-export([next/1]).

-type t() :: <<_:128>>.
-opaque source() :: {<<_:64>>, atomics:atomics_ref()}.
-export_type([t/0, source/0]).

%% @doc A source of keys like no other: not to be guessed need they be, but unique among all VMs
%% that ever write this database.
-spec source() -> source().
source() ->
    <<Prefix:8/binary, _/binary>> =
        erlang:md5(term_to_binary({node(), os:getpid(), make_ref(), erlang:system_time(),
                                   erlang:monotonic_time(), rand:bytes(16)})),
    {Prefix, atomics:new(1, [{signed, false}])}.

-spec next(source()) -> t().
next({Prefix, Counter}) ->
    <<Prefix/binary, (atomics:add_get(Counter, 1, 1)):64>>.
