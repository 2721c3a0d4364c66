%% @doc One request to a C node, which can be given up while it waits for its answer: a node that is
%% cut off gives none, and there may be another primary long before its connection breaks.
-module(ecto_litefs_attempt).

%% API
-export([call/4]).
-export([deadline/1]).
-export([left/1]).

%% `until': how long, a time of left/1. `slice': after so many milliseconds without an answer, and
%% again each so many, `still' is asked whether to wait on.
-type patience() :: #{until := deadline(), slice := pos_integer(), still := fun(() -> boolean())}.
%% Monotonic milliseconds.
-type deadline() :: integer() | infinity.
-export_type([patience/0, deadline/0]).

%% @doc `ecto_litefs:Function' there. What it returns (`{ok, _}' and the like), or why there is no
%% answer: `{error, {erpc, Reason}}', `{error, no_cnode}' from a node which is none.
-spec call(node(), atom(), [term()], patience()) -> term().
call(Node, Function, Args, Patience) ->
    try
        wait(erpc:send_request(Node, ecto_litefs, Function, Args), Patience)
    catch
        error:{erpc, Reason} ->
            {error, {erpc, Reason}};
        error:{exception, undef, [{ecto_litefs, Function, _, _} | _]} ->
            {error, no_cnode};
        %% Another version of the C node.
        error:{exception, Reason, _} ->
            Text = io_lib:format("~ts does not take ecto_litefs:~ts/~b: ~0tp",
                                 [Node, Function, length(Args), Reason]),
            {error, {unsupported, unicode:characters_to_binary(Text)}}
    end.

wait(Request, #{until := Until, slice := Slice, still := Still} = Patience) ->
    Left = left(Until),
    case erpc:wait_response(Request, min(Left, Slice)) of
        {response, Answer} ->
            Answer;
        no_response ->
            case Left > 0 andalso Still() of
                true -> wait(Request, Patience);
                %% It may have come this very moment; else the node hears that nobody waits.
                false -> erpc:receive_response(Request, 0)
            end
    end.

-spec deadline(timeout()) -> deadline().
deadline(infinity) -> infinity;
deadline(Timeout) when is_integer(Timeout) -> erlang:monotonic_time(millisecond) + Timeout.

%% @doc Milliseconds until then.
-spec left(deadline()) -> timeout().
left(infinity) -> infinity;
left(Deadline) when is_integer(Deadline) -> max(0, Deadline - erlang:monotonic_time(millisecond)).
