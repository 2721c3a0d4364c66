%% @doc The search for a new primary's name: LiteFS has announced another primary, which is about to
%% write its node's name into the tracker row, and the row will be here a few milliseconds later.
%% So it is read often for a moment. PURE.
-module(ecto_litefs_search).

%% API
-export([new/2]).
-export([next/4]).

-opaque t() :: #{old := binary() | nil, until := integer(), pause := pos_integer()}.
-export_type([t/0]).

-define(TIME_MS, 1000).
-define(FIRST_PAUSE_MS, 5).
-define(LONGEST_PAUSE_MS, 20).

%% @doc What the row says now is the old primary's name. Times in monotonic milliseconds.
-spec new(ecto_litefs_decision:view(), integer()) -> t().
new(View, Now) ->
    #{old => ecto_litefs_decision:row(View), until => Now + ?TIME_MS, pause => ?FIRST_PAUSE_MS}.

%% @doc Is the row to be read again, so many milliseconds from now?
-spec next(t(), ecto_litefs_decision:view(), [node()], integer()) -> {again, pos_integer(), t()} | done.
next(#{old := Old, until := Until, pause := Pause} = Search, View, Nodes, Now) ->
    Found = ecto_litefs_decision:answer(View, Nodes) =/= nil
        andalso ecto_litefs_decision:row(View) =/= Old,
    case Found orelse Now >= Until orelse ecto_litefs_decision:role(View) =/= replica of
        true -> done;
        false -> {again, Pause, Search#{pause := min(2 * Pause, ?LONGEST_PAUSE_MS)}}
    end.
